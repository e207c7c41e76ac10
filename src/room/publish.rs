//! Publications: asked for, become streams, end.

use std::sync::Arc;

use super::{
    AgreedMedia, Effect, Notification, PublishMedia, Rejection, Reply, Room, SessionKind,
    StreamInfo, StreamOrigin, StreamUpdate,
    offer::Negotiating,
    publication::{Layer, Publication, PublicationState},
    session::{NO_VALID_TRACKS, SOURCE_STREAM_LOSS},
    telling::Asker,
    transcoding::offer,
};
use crate::{
    formats::{Offerer, Resolution},
    ids::{ParticipantId, SessionId, StreamId, TransportId},
};

impl Room {
    /// Starts a publication. The checks have OWT's order, which decides what a client is told
    /// that does several things wrong.
    pub(super) fn publish(
        &mut self,
        asker: &Asker,
        session: SessionId,
        transport: TransportId,
        media: PublishMedia,
        attributes: Arc<str>,
    ) -> Result<(), Rejection> {
        let (audio, video) = (media.audio.is_some(), media.video.is_some());
        self.check_publisher(&asker.from, audio, video)?;
        self.check_new_session(&asker.from, &session, &transport, Offerer::Client)?;
        if audio && self.settings.audio_in.is_empty() {
            return Err(Rejection::AudioForbidden);
        }
        if video && self.settings.video_in.is_empty() {
            return Err(Rejection::VideoForbidden);
        }
        if !audio && !video {
            return Err(Rejection::NothingRequested);
        }

        if let Some(owner) = self.participants.get_mut(&asker.from) {
            owner.publications += 1;
        }
        self.floor.take(&asker.from);
        self.attach(&transport, &asker.from, Negotiating::ByClient);
        self.record_session(&asker.from, &session, &transport, SessionKind::Publication);
        let state = PublicationState::Connecting { media, attributes, layers: Vec::new() };
        let publication = Publication {
            owner: asker.from.clone(),
            transport: transport.clone(),
            state,
            level: None,
        };
        self.publications.insert(session.clone(), publication);

        let opened =
            Reply::SessionOpened { session: session.clone(), transport: transport.clone() };
        self.grant(asker, opened);
        self.perform(Effect::OpenPublication {
            session,
            transport,
            audio: audio.then(|| Arc::clone(&self.settings.audio_in)),
            video: video.then(|| Arc::clone(&self.settings.video_in)),
        });
        Ok(())
    }

    /// Whether somebody may publish this, and one publication more.
    fn check_publisher(
        &self,
        publisher: &ParticipantId,
        audio: bool,
        video: bool,
    ) -> Result<(), Rejection> {
        let participant = self.participants.get(publisher).ok_or(Rejection::NotJoined)?;
        participant.permission.publish.check(audio, video)?;
        let inputs = self.publications.len() as u64;
        if self.settings.input_limit.is_some_and(|limit| inputs >= u64::from(limit)) {
            return Err(Rejection::TooManyInputs);
        }
        if self.floor_left() == 0 && !self.floor.has(publisher) {
            return Err(Rejection::TooManyInputs);
        }
        if participant.publications >= self.settings.bounds.publications_per_participant {
            return Err(Rejection::TooManyInputs);
        }
        Ok(())
    }

    /// Ends a publication on its owner's wish.
    pub(super) fn unpublish(
        &mut self,
        asker: &Asker,
        session: &SessionId,
    ) -> Result<(), Rejection> {
        self.own_publication(&asker.from, &StreamId::from(session))?;
        self.grant(asker, Reply::Done);
        self.perform(Effect::CloseSession { session: session.clone() });
        self.end_publication(session);
        Ok(())
    }

    /// A participant's own publication. A mixed stream is nobody's own.
    pub(super) fn own_publication(
        &mut self,
        participant: &ParticipantId,
        stream: &StreamId,
    ) -> Result<&mut Publication, Rejection> {
        if self.view(stream).is_some() {
            return Err(Rejection::Unauthorized);
        }
        let publication = self.publications.get_mut(stream.as_str());
        let publication = publication.ok_or(Rejection::NoSuchStream)?;
        if publication.owner != *participant {
            return Err(Rejection::Unauthorized);
        }
        Ok(publication)
    }

    /// Makes a stream of a connecting publication: its owner hears that it is up, then everybody
    /// hears of the stream.
    pub(super) fn publication_ready(&mut self, session: &SessionId, agreed: AgreedMedia) {
        let Some(publication) = self.publications.get_mut(session) else { return };
        let PublicationState::Connecting { media, attributes, layers } = &publication.state else {
            return;
        };
        let owner = publication.owner.clone();
        let Some(publisher) = self.participants.get(&owner) else { return };
        let publisher = &publisher.info;
        let asked = (media, attributes);
        let mut stream = StreamInfo::of_publication(session, publisher, asked, agreed, layers);
        offer(&mut stream, &self.settings, self.mixer.as_ref());
        if stream.audio.is_none() && stream.video.is_none() {
            self.perform(Effect::CloseSession { session: session.clone() });
            self.publication_failed(session, NO_VALID_TRACKS.into());
            return;
        }

        publication.state = PublicationState::Live(Arc::new(stream));
        let transport = publication.transport.clone();
        self.publications.renew(session);
        self.floor.touch();
        self.record_session(&owner, session, &transport, SessionKind::Stream);
        self.auto_mix(session);
        self.tell(&owner, Notification::SessionReady { session: session.clone(), transport });
        let publication = self.publications.get(session);
        if let Some(stream) = publication.and_then(Publication::stream).cloned() {
            self.announce_stream(Notification::StreamAdded(stream));
        }
        self.settle_all();
    }

    /// Ends a publication whose media session is gone; its owner hears of it first.
    pub(super) fn publication_failed(&mut self, session: &SessionId, reason: Arc<str>) {
        let Some(publication) = self.publications.get(session) else { return };
        let owner = publication.owner.clone();
        let transport = publication.transport.clone();
        let failed = Notification::SessionFailed { session: session.clone(), transport, reason };
        self.tell(&owner, failed);
        self.end_publication(session);
    }

    /// Forgets a publication. If it was a stream, views mix it no longer, those who subscribed to
    /// it lose their subscriptions, then everybody hears that it is gone. The owner hears nothing.
    pub(super) fn end_publication(&mut self, session: &SessionId) {
        let Some(publication) = self.publications.remove(session) else { return };
        self.detach(&publication.transport);
        self.record_closed(&publication.owner, session);
        if let Some(owner) = self.participants.get_mut(&publication.owner) {
            owner.publications -= 1;
            if owner.publications == 0 && owner.floor.is_none() {
                self.floor.leave(&publication.owner);
            }
        }
        self.floor.touch();
        let Some(stream) = publication.stream() else { return };
        let StreamOrigin::Forward { owner_handle, .. } = &stream.origin else { return };

        let (stream, owner_handle) = (stream.id.clone(), Arc::clone(owner_handle));
        self.leave_views(&stream);
        self.end_subscriptions_to(&stream, &SOURCE_STREAM_LOSS.into());
        self.announce_stream(Notification::StreamRemoved { stream, owner_handle });
    }

    /// Notes in which layers the picture of a connecting publication comes.
    pub(super) fn layered(&mut self, stream: &StreamId, rids: &[Arc<str>]) {
        let publication = self.publications.get_mut(stream.as_str());
        let Some(PublicationState::Connecting { layers, .. }) = publication.map(|it| &mut it.state)
        else {
            return;
        };
        let layer = |rid: &Arc<str>| Layer { rid: Arc::clone(rid), resolution: None };
        *layers = rids.iter().map(layer).collect();
    }

    /// Notes a picture's or a layer's real size. Everybody hears of it if the stream said otherwise
    /// before; while the publication still connects it only replaces what the publisher said.
    pub(super) fn measured(
        &mut self,
        stream: &StreamId,
        layer: Option<&Arc<str>>,
        resolution: Resolution,
    ) {
        let Some(publication) = self.publications.get_mut(stream.as_str()) else { return };
        let info = match &mut publication.state {
            PublicationState::Connecting { media, layers, .. } => {
                let named = layers.iter_mut().find(|it| Some(&it.rid) == layer);
                if let Some(named) = named {
                    named.resolution = Some(resolution);
                } else if let Some(video) = media.video.as_mut().filter(|_| layer.is_none()) {
                    video.parameters.resolution = Some(resolution);
                }
                return;
            }
            PublicationState::Live(info) => info,
        };
        let measured = Arc::make_mut(info);
        let Some(known) = measured.size_mut(layer) else { return };
        if known.replace(resolution) == Some(resolution) {
            return;
        }
        offer(measured, &self.settings, self.mixer.as_ref());
        let update = StreamUpdate::Whole(Arc::clone(info));
        self.announce_stream(Notification::StreamUpdated { stream: stream.clone(), update });
        self.follow_size(stream);
    }
}

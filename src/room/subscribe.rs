//! Subscriptions: asked for, become ready, end.

use std::sync::Arc;

use super::{
    Effect, Notification, Rejection, Reply, Room, StreamInfo, SubscribeMedia, Unsatisfied,
    subscription::Subscription, telling::Asker,
};
use crate::{
    formats::TrackKind,
    ids::{ParticipantId, SessionId, StreamId, TransportId},
};

impl Room {
    /// Starts a subscription. The checks have OWT's order.
    pub(super) fn subscribe(
        &mut self,
        asker: &Asker,
        session: SessionId,
        transport: TransportId,
        media: SubscribeMedia,
    ) -> Result<(), Rejection> {
        self.check_subscriber(&asker.from, &media)?;
        self.check_new_session(&asker.from, &session, &transport)?;
        self.check_sources(&media)?;

        if let Some(owner) = self.participants.get_mut(&asker.from) {
            owner.subscriptions += 1;
        }
        self.attach(&transport, &asker.from);
        let subscription = Subscription::new(asker.from.clone(), transport.clone(), media);
        let (audio, video) = (subscription.audio.clone(), subscription.video.clone());
        self.subscriptions.insert(session.clone(), subscription);

        let opened =
            Reply::SessionOpened { session: session.clone(), transport: transport.clone() };
        self.grant(asker, opened);
        self.perform(Effect::OpenSubscription { session, transport, audio, video });
        Ok(())
    }

    /// Whether somebody may subscribe to these kinds, and once more.
    fn check_subscriber(
        &self,
        subscriber: &ParticipantId,
        media: &SubscribeMedia,
    ) -> Result<(), Rejection> {
        let (audio, video) = (media.audio.is_some(), media.video.is_some());
        if !audio && !video {
            return Err(Rejection::NothingRequested);
        }
        let participant = self.participants.get(subscriber).ok_or(Rejection::NotJoined)?;
        participant.permission.subscribe.check(audio, video)?;
        if participant.subscriptions >= self.settings.bounds.subscriptions_per_participant {
            return Err(Rejection::TooManySubscriptions);
        }
        Ok(())
    }

    /// Whether the wanted streams can serve the wishes.
    fn check_sources(&self, media: &SubscribeMedia) -> Result<(), Rejection> {
        if let Some(wish) = &media.audio {
            let source = self.source(&wish.from, TrackKind::Audio);
            let track = source.and_then(|it| it.audio.as_ref().ok_or(Unsatisfied::Stream));
            track.and_then(|it| it.serves(wish)).map_err(Rejection::AudioUnsatisfied)?;
        }
        if let Some(wish) = &media.video {
            let source = self.source(&wish.from, TrackKind::Video);
            let track = source.and_then(|it| it.video.as_ref().ok_or(Unsatisfied::Stream));
            track.and_then(|it| it.serves(wish)).map_err(Rejection::VideoUnsatisfied)?;
        }
        Ok(())
    }

    /// A stream that a track can be taken from.
    fn source(&self, stream: &StreamId, kind: TrackKind) -> Result<&StreamInfo, Unsatisfied> {
        if self.view(stream).is_some_and(|view| view.has(kind)) {
            return Err(Unsatisfied::MixerNotReady);
        }
        let publication = self.publications.get(stream.as_str());
        let stream = publication.and_then(|publication| publication.stream());
        stream.map(Arc::as_ref).ok_or(Unsatisfied::Stream)
    }

    /// Ends a subscription on its owner's wish.
    pub(super) fn unsubscribe(
        &mut self,
        asker: &Asker,
        session: &SessionId,
    ) -> Result<(), Rejection> {
        let subscription = self.subscriptions.get(session);
        let subscription = subscription.ok_or(Rejection::NoSuchSubscription)?;
        if subscription.owner != asker.from {
            return Err(Rejection::Unauthorized);
        }
        self.grant(asker, Reply::Done);
        self.perform(Effect::CloseSession { session: session.clone() });
        self.end_subscription(session);
        Ok(())
    }

    /// Tells a subscription's owner that it is up.
    pub(super) fn subscription_ready(&mut self, session: &SessionId) {
        let Some(subscription) = self.subscriptions.get_mut(session) else { return };
        if subscription.ready {
            return;
        }
        subscription.ready = true;
        let owner = subscription.owner.clone();
        let transport = subscription.transport.clone();
        self.tell(&owner, Notification::SessionReady { session: session.clone(), transport });
    }

    /// Ends a subscription that cannot go on, and tells its owner why.
    pub(super) fn subscription_failed(&mut self, session: &SessionId, reason: Arc<str>) {
        let Some(Subscription { owner, transport, .. }) = self.end_subscription(session) else {
            return;
        };
        let session = session.clone();
        self.tell(&owner, Notification::SessionFailed { session, transport, reason });
    }

    /// Forgets a subscription. Nobody is told.
    pub(super) fn end_subscription(&mut self, session: &SessionId) -> Option<Subscription> {
        let subscription = self.subscriptions.remove(session)?;
        self.detach(&subscription.transport);
        if let Some(owner) = self.participants.get_mut(&subscription.owner) {
            owner.subscriptions -= 1;
        }
        Some(subscription)
    }
}

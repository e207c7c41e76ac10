//! Offers, and the tracks that come of them.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    Exchange,
    transport::{Purpose, Remote, Settled, Subscribed, Transport},
};
use crate::{
    formats::{LayerChoice, Offerer, TrackKind},
    ids::{SessionId, StreamId},
    media::{
        Choice, Encoded, Event, Source,
        forward::outgoing::OutgoingTrack,
        negotiation::{
            self, AgreedCodec, AgreedTrack, Agreement, Codec, ExtensionIds, Flow, Local,
            NegotiationError, Want,
        },
        session::ice::Credentials,
        worker::RoomKey,
    },
};

/// How long a peer may take from the answer to the end of ICE and DTLS.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// A want, the session it is of, and where its packets come from.
pub(super) struct Plan {
    pub(super) session: SessionId,
    pub(super) want: Want,
    pub(super) source: From,
}

/// Where the packets of a want come from.
pub(super) enum From {
    /// The client.
    Client,
    /// A published track by its key, and which one it is to be if there are layers.
    Published(usize, LayerChoice),
    /// One of these injected tracks.
    Injected(Vec<Encoded>),
    /// A published track, by its key, or one of these injected ones.
    Either(usize, Vec<Encoded>),
}

/// Which of several plans has a want, counted over all of them; the last one if none has.
pub(super) fn owner_of(want: usize, lengths: impl ExactSizeIterator<Item = usize>) -> usize {
    let last = lengths.len().saturating_sub(1);
    let ends = lengths.scan(0, |end, length| {
        *end += length;
        Some(*end)
    });
    ends.take_while(|end| *end <= want).count().min(last)
}

impl Exchange {
    /// Answers an offer, or fails the sessions that it was for.
    pub(super) fn handle_offer(&mut self, key: usize, sdp: &str, now: Instant) {
        let transport = &self.transports[key];
        if transport.offerer == Offerer::Server {
            let (room, id) = (&transport.room_id, &transport.id);
            tracing::info!(%room, transport = %id, "an offer where this end makes them");
            return;
        }
        if transport.remote.is_some() {
            self.handle_later_offer(key, sdp, now);
            return;
        }
        let sessions = self.transports[key].sessions.clone();
        let plans = sessions.iter().map(|session| self.plan(key, session));
        let Some(mut plans) = plans.collect::<Option<Vec<_>>>() else {
            self.fail_transport(key, "The stream is no longer there.", now);
            return;
        };
        loop {
            let wants: Vec<Want> = plans.iter().flatten().map(|plan| plan.want.clone()).collect();
            let transport = &self.transports[key];
            match self.answer(key, sdp, &transport.local, &wants, &[]) {
                Ok(agreement) => {
                    let plans = plans.into_iter().flatten().collect();
                    return self.settle(key, plans, agreement, now);
                }
                // The offer may be older than a session, which then waits on.
                Err(NegotiationError::Missing { want, .. }) if plans.len() > 1 => {
                    plans.remove(owner_of(want, plans.iter().map(Vec::len)));
                }
                Err(error) => {
                    let (room, id) = (&transport.room_id, &transport.id);
                    tracing::info!(%room, transport = %id, %error, "offer refused");
                    return self.fail_transport(key, &error.to_string(), now);
                }
            }
        }
    }

    pub(super) fn answer(
        &self,
        key: usize,
        sdp: &str,
        credentials: &Credentials,
        wants: &[Want],
        retired: &[Arc<str>],
    ) -> Result<Agreement, NegotiationError> {
        negotiation::answer(sdp, &self.local(key, credentials), wants, retired)
    }

    /// This end of a transport.
    pub(super) fn local<'a>(&'a self, key: usize, credentials: &'a Credentials) -> Local<'a> {
        Local {
            ufrag: &credentials.ufrag,
            password: &credentials.password,
            fingerprint: &self.identity.fingerprint,
            candidates: &self.candidates,
            cname: self.transports[key].id.as_str(),
        }
    }

    /// What a session of a transport wants; `None` when a stream to be sent is gone.
    pub(super) fn plan(&self, key: usize, id: &SessionId) -> Option<Vec<Plan>> {
        let &Transport { room: room_key, offerer, .. } = self.transports.get(key)?;
        let session = self.rooms.get(&room_key)?.sessions.get(id)?;
        let mut plans = Vec::new();
        let mid = |kind| session.mids.of(kind).cloned();
        let mut push = |want, source| plans.push(Plan { session: id.clone(), want, source });
        match &session.purpose {
            Purpose::Publication { audio, video } => {
                let audio = audio.as_ref().map(|formats| {
                    (TrackKind::Audio, formats.iter().copied().map(Codec::Audio).collect())
                });
                let video = video.as_ref().map(|formats| {
                    (TrackKind::Video, formats.iter().copied().map(Codec::Video).collect())
                });
                for (kind, formats) in [audio, video].into_iter().flatten() {
                    let flow = Flow::Receive { formats };
                    push(Want { kind, mid: mid(kind), flow }, From::Client);
                }
            }
            Purpose::Subscription { audio, video } => {
                let audio = audio.as_ref().map(|source| {
                    let kind = TrackKind::Audio;
                    let origin = self.origin(room_key, kind, source, Encoded::Audio);
                    (kind, origin, stream_label(offerer, id, source))
                });
                let video = video.as_ref().map(|source| {
                    let kind = TrackKind::Video;
                    let origin = self.origin(room_key, kind, source, Encoded::Video);
                    (kind, origin, stream_label(offerer, id, source))
                });
                for (kind, source, label) in [audio, video].into_iter().flatten() {
                    let source = source?;
                    let flow = self.flow(&source, label)?;
                    push(Want { kind, mid: mid(kind), flow }, source);
                }
            }
        }
        Some(plans)
    }

    /// Where a subscription's track comes from; `None` when it is gone.
    fn origin<F: Copy>(
        &self,
        room: RoomKey,
        kind: TrackKind,
        source: &Source<F>,
        encoded: fn(Choice<F>) -> Encoded,
    ) -> Option<From> {
        match source {
            Source::Published(stream, choice) => {
                let track = self.published(room, stream, kind)?;
                Some(From::Published(track, choice.clone()))
            }
            Source::Injected(choices) => {
                Some(From::Injected(choices.iter().copied().map(encoded).collect()))
            }
            Source::Either(stream, choices) => {
                let choices = choices.iter().copied().map(encoded).collect();
                Some(From::Either(self.published(room, stream, kind)?, choices))
            }
        }
    }

    /// The key of a stream's track, any of them if there are layers.
    pub(super) fn published(
        &self,
        room: RoomKey,
        stream: &StreamId,
        kind: TrackKind,
    ) -> Option<usize> {
        let session = self.rooms.get(&room)?.sessions.get(stream.as_str())?;
        let of_kind = |key: &&usize| {
            self.incoming.get(**key).is_some_and(|published| published.track.agreed.kind == kind)
        };
        session.incoming.iter().find(of_kind).copied()
    }

    fn flow(&self, source: &From, stream_label: Arc<str>) -> Option<Flow> {
        let published = |key: usize| Some(self.incoming.get(key)?.track.agreed.codec.clone());
        let usual = |choice: &Encoded| AgreedCodec::usual(choice.codec());
        let sources = match source {
            From::Client => return None,
            From::Published(key, _) => vec![published(*key)?],
            From::Injected(choices) => choices.iter().map(usual).collect(),
            From::Either(key, choices) => {
                std::iter::once(published(*key)?).chain(choices.iter().map(usual)).collect()
            }
        };
        let mut drawn = [0; 8];
        self.identity.provider.random().fill(&mut drawn).ok()?;
        let [a, b, c, d, e, f, g, h] = drawn;
        let ssrc = u32::from_be_bytes([a, b, c, d]);
        let rtx_ssrc = u32::from_be_bytes([e, f, g, h]);
        Some(Flow::Send { sources, ssrc, rtx_ssrc, stream_label })
    }

    /// Takes over what the first offer agreed on and sends the answer.
    fn settle(&mut self, key: usize, plans: Vec<Plan>, agreement: Agreement, now: Instant) {
        let settled = self.make_tracks(key, plans, &agreement.tracks, now);
        let remote = Remote {
            ufrag: agreement.remote_ufrag,
            password: agreement.remote_password,
            fingerprint: agreement.remote_fingerprint,
            settled,
            retired: Vec::new(),
        };
        self.expect_peer(key, remote, now);
        let transport = &self.transports[key];
        let (room, id) = (transport.room, transport.id.clone());
        self.emit(room, Event::Answered { transport: id, sdp: agreement.sdp.into() });
    }

    /// Waits for the peer of a transport to connect, now that it is known.
    pub(super) fn expect_peer(&mut self, key: usize, remote: Remote, now: Instant) {
        let deadline = now + CONNECT_TIMEOUT;
        let transport = &mut self.transports[key];
        transport.deadline = deadline;
        transport.remote = Some(remote);
        self.schedule(key, deadline);
    }

    /// Makes the tracks that were agreed on.
    pub(super) fn make_tracks(
        &mut self,
        key: usize,
        plans: Vec<Plan>,
        agreed: &[AgreedTrack],
        now: Instant,
    ) -> Vec<Settled> {
        let mut settled = Vec::with_capacity(plans.len());
        for (plan, agreed) in plans.into_iter().zip(agreed) {
            let (incoming, outgoing) = match &plan.want.flow {
                Flow::Receive { .. } => (self.add_incoming(key, &plan.session, agreed, now), None),
                Flow::Send { ssrc, rtx_ssrc, .. } => {
                    let source = self.settle_source(key, &plan, agreed, now);
                    let ssrcs = (*ssrc, *rtx_ssrc);
                    let outgoing = self.add_outgoing(key, source, agreed, ssrcs);
                    self.settle_layer(outgoing, &plan, now);
                    (Vec::new(), Some(outgoing))
                }
            };
            let room = self.transports[key].room;
            let room = self.rooms.get_mut(&room);
            if let Some(session) = room.and_then(|room| room.sessions.get_mut(&plan.session)) {
                session.incoming.extend(incoming);
                session.outgoing.extend(outgoing);
                match agreed.codec.codec {
                    Codec::Audio(format) => session.audio = Some(format),
                    Codec::Video(format) => session.video = Some(format),
                }
            }
            let (session, want, track) = (plan.session, plan.want, agreed.clone());
            settled.push(Settled { session, want, track });
        }
        settled
    }

    /// Which layer an outgoing track is fed from, if its source has some.
    fn settle_layer(&mut self, outgoing: usize, plan: &Plan, now: Instant) {
        let (track, choice) = match &plan.source {
            From::Published(track, choice) => (track, choice),
            From::Either(track, _) => (track, &LayerChoice::Largest),
            From::Client | From::Injected(_) => return,
        };
        if self.outgoing.get(outgoing).is_none_or(|it| it.source != Some(*track)) {
            return;
        }
        let source = self.follow(outgoing, *track, choice, now);
        if let Some(subscribed) = self.outgoing.get_mut(outgoing) {
            subscribed.source = Some(source);
        }
    }

    /// The track that an outgoing one is fed from: of several that with the codec that was agreed
    /// on. The room is told of an injected one.
    fn settle_source(
        &mut self,
        key: usize,
        plan: &Plan,
        agreed: &AgreedTrack,
        now: Instant,
    ) -> Option<usize> {
        let choices = match &plan.source {
            From::Client => return None,
            From::Published(source, _) => return Some(*source),
            From::Injected(choices) => choices,
            From::Either(source, choices) => {
                let published = self.incoming.get(*source).map(|it| it.track.agreed.codec.codec);
                if published == Some(agreed.codec.codec) {
                    return Some(*source);
                }
                choices
            }
        };
        let chosen = choices.iter().find(|it| it.codec() == agreed.codec.codec)?;
        let room = self.transports[key].room;
        let (session, output) = (plan.session.clone(), *chosen);
        self.emit(room, Event::Chosen { session, output });
        self.output(room, output, now)
    }

    fn add_outgoing(
        &mut self,
        key: usize,
        source: Option<usize>,
        agreed: &AgreedTrack,
        (ssrc, rtx_ssrc): (u32, u32),
    ) -> usize {
        let published = source.and_then(|source| self.incoming.get(source));
        let extensions = published
            .map_or_else(ExtensionIds::default, |published| published.track.agreed.extensions);
        let is_video = agreed.kind == TrackKind::Video;
        let track = OutgoingTrack::new(agreed, &extensions, ssrc, rtx_ssrc, is_video);
        let track = self.outgoing.insert(Subscribed {
            track,
            transport: key,
            kind: agreed.kind,
            codec: agreed.codec.codec,
            source,
            next_source: None,
            following: None,
            active: true,
        });
        self.transports[key].outgoing.push(track);
        track
    }
}

/// The `MediaStream` that a subscription's track arrives in: the session's if the client offers, so
/// that all its tracks arrive in one; the published stream's if this end does, which tells the
/// client what it is.
fn stream_label<F>(offerer: Offerer, session: &SessionId, source: &Source<F>) -> Arc<str> {
    match (offerer, source) {
        (Offerer::Server, Source::Published(stream, _) | Source::Either(stream, _)) => {
            stream.as_str().into()
        }
        (Offerer::Client, _) | (Offerer::Server, Source::Injected(_)) => session.as_str().into(),
    }
}

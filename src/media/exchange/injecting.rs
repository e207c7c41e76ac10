//! Tracks that a room's mixing agent sends.

use std::time::{Instant, SystemTime};

use super::{
    Exchange,
    transport::{Origin, Published, Transport},
};
use crate::{
    formats::TrackKind,
    ids::SessionId,
    media::{
        Encoded, Event, InjectedPacket, OutputId,
        forward::{
            clock::{Correspondence, Ntp, PublisherClock},
            incoming::IncomingTrack,
            rtp::Header,
        },
        negotiation::{AgreedCodec, AgreedTrack, Codec, ExtensionIds, Feedback},
        session::rtcp::REPORT_INTERVAL,
        worker::RoomKey,
    },
};

/// Injected tracks of a room: more encoders than any machine runs.
const MAX_OUTPUTS: usize = 512;

/// The clock of a room's mixing agent, which changes with the agent.
#[derive(Debug, Default)]
pub(super) struct AgentClock {
    agent: u64,
    clock: PublisherClock,
    observed: Option<Instant>,
}

impl AgentClock {
    pub(super) fn clock(&self) -> &PublisherClock {
        &self.clock
    }

    /// Learns from a packet that says when it was composed.
    fn observe(&mut self, composed: Ntp, now: Instant) {
        let is_due = self.observed.is_none_or(|before| now >= before + REPORT_INTERVAL);
        if is_due {
            self.observed = Some(now);
            self.clock.observe(composed, Ntp::of(SystemTime::now()));
        }
    }
}

impl Exchange {
    /// The key of an injected track, which is made if there is none. `None` if there are too many.
    pub(super) fn output(&mut self, key: RoomKey, wanted: Encoded, now: Instant) -> Option<usize> {
        let room = self.rooms.get_mut(&key)?;
        let output = wanted.output();
        if let Some(track) = room.outputs.get(&output) {
            return Some(*track);
        }
        if room.outputs.len() >= MAX_OUTPUTS {
            tracing::warn!(room = %room.id, "too many mixed streams");
            return None;
        }
        let track = IncomingTrack::new(agreed(wanted.codec()), now);
        let track =
            self.incoming.insert(Published::new(track, Origin::Agent { room: key, output }));
        room.outputs.insert(output, track);
        Some(track)
    }

    /// Forgets an injected track.
    pub(super) fn close_output(&mut self, room: RoomKey, output: OutputId) {
        let room = self.rooms.get(&room);
        if let Some(track) = room.and_then(|room| room.outputs.get(&output)) {
            self.remove_incoming(*track);
        }
    }

    /// Takes packets of a mixing agent.
    pub(crate) fn inject(
        &mut self,
        key: RoomKey,
        agent: u64,
        packets: &[InjectedPacket],
        now: Instant,
    ) {
        let Some(room) = self.rooms.get_mut(&key) else { return };
        if agent < room.agent.agent {
            return;
        }
        if agent > room.agent.agent {
            room.agent = AgentClock { agent, ..AgentClock::default() };
            for track in room.outputs.values() {
                if let Some(published) = self.incoming.get_mut(*track) {
                    published.track.end_source();
                }
            }
        }
        for packet in packets {
            self.inject_packet(key, packet, now);
        }
    }

    fn inject_packet(
        &mut self,
        key: RoomKey,
        injected: &InjectedPacket,
        now: Instant,
    ) -> Option<()> {
        let InjectedPacket { output, composed, packet } = injected;
        let room = self.rooms.get_mut(&key)?;
        let key = *room.outputs.get(output)?;
        let header = Header::parse(packet)?;
        let track = &mut self.incoming.get_mut(key)?.track;
        let taken = track.take(&header, packet, now)?;
        let composed = Ntp::after_epoch(*composed);
        room.agent.observe(composed, now);
        let claim = Correspondence { ntp: composed, rtp: header.timestamp };
        track.sender_report(header.ssrc, claim, now);
        let is_full = track.is_full();
        if taken.broken {
            self.restart_subscribers(key, now);
        }
        self.enqueue(key, is_full);
        self.serve_agent(key, now);
        Some(())
    }

    /// Tells the room that a key frame is wanted, if that is due. Whatever is not yet due is told
    /// with the packets that come.
    pub(super) fn serve_agent(&mut self, key: usize, now: Instant) {
        let Some(published) = self.incoming.get_mut(key) else { return };
        let Origin::Agent { room, output } = published.origin else { return };
        if published.track.key_frames.take_due(now) {
            self.emit(room, Event::KeyFrameWanted { output });
        }
    }

    /// Has a subscription's track be fed from an injected one, as soon as that has something.
    pub(super) fn switch(&mut self, room: RoomKey, session: &SessionId, to: Encoded, now: Instant) {
        let transport = self.rooms.get(&room).and_then(|room| room.sessions.get(session));
        let Some(transport) = transport.map(|session| session.transport) else { return };
        let wanted = to.codec();
        let is_meant = |key: &&usize| {
            self.outgoing.get(**key).is_some_and(|subscribed| {
                subscribed.session == *session && subscribed.codec == wanted
            })
        };
        let outgoing = self.transports.get(transport);
        let Some(outgoing) = outgoing.and_then(|it| it.outgoing.iter().find(is_meant)).copied()
        else {
            return;
        };
        let Some(source) = self.output(room, to, now) else { return };
        let subscribed = &mut self.outgoing[outgoing];
        let before = subscribed.next_source.take();
        if subscribed.source != Some(source) {
            subscribed.next_source = Some(source);
        }
        let next = subscribed.next_source;
        if let Some(before) = before.and_then(|before| self.incoming.get_mut(before)) {
            before.joining.retain(|other| *other != outgoing);
        }
        if let Some(next) = next.and_then(|next| self.incoming.get_mut(next)) {
            next.joining.push(outgoing);
        }
        self.want_key_frame(source, now);
    }

    /// Lets the tracks that wait for it be fed from a track that has something now.
    pub(super) fn admit_joining(&mut self, key: usize) {
        let Some(published) = self.incoming.get_mut(key) else { return };
        if published.joining.is_empty() || !published.track.can_be_joined() {
            return;
        }
        let rate = published.track.agreed.codec.clock_rate;
        let claim = published.track.correspondence();
        let joining = std::mem::take(&mut published.joining);
        for outgoing in joining {
            let Some(subscribed) = self.outgoing.get_mut(outgoing) else { continue };
            subscribed.next_source = None;
            let transport = self.transports.get(subscribed.transport);
            let is_attached = transport.is_some_and(Transport::is_connected);
            let before = subscribed.source.replace(key);
            let before = before.and_then(|before| self.incoming.get_mut(before));
            let before_claim = before.as_ref().and_then(|before| before.track.correspondence());
            subscribed.track.change_source(before_claim.zip(claim), rate);
            if let Some(before) = before {
                before.track.subscribers.retain(|other| *other != outgoing);
            }
            if let Some(published) = self.incoming.get_mut(key).filter(|_| is_attached) {
                published.track.subscribers.push(outgoing);
            }
        }
    }
}

/// What a mixing agent sends: nothing is lost on its way, and no key frame needs asking by RTCP.
fn agreed(codec: Codec) -> AgreedTrack {
    AgreedTrack {
        kind: match codec {
            Codec::Audio(_) => TrackKind::Audio,
            Codec::Video(_) => TrackKind::Video,
        },
        mid: "".into(),
        codec: AgreedCodec::usual(codec),
        payload_type: 0,
        rtx_payload_type: None,
        extensions: ExtensionIds::default(),
        feedback: Feedback::default(),
        remote_ssrc: None,
        remote_rtx_ssrc: None,
        rids: Vec::new(),
    }
}

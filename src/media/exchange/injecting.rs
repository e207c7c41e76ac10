//! Tracks that a room's mixing agent sends.

use std::time::{Instant, SystemTime};

use super::{
    Exchange,
    transport::{Origin, Published},
};
use crate::{
    formats::TrackKind,
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

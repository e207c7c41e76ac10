//! RTCP: from everybody in, to everybody out.

use std::time::{Instant, SystemTime};

use super::{Exchange, transport::Origin};
use crate::media::{
    forward::clock::{Correspondence, Ntp},
    outbox::Path,
    session::rtcp::{self, Compound, Said, Sent},
};

/// What a publisher may send over all its tracks, in bit/s. Browsers estimate by losses up to
/// this.
const MAX_UPLINK_BITRATE: u32 = 8_000_000;

/// Sequence numbers that are asked for in one packet: as many as surely fit into a datagram.
const MAX_ASKED: usize = 256;

impl Exchange {
    pub(super) fn handle_rtcp(
        &mut self,
        path: Path,
        datagram: &mut [u8],
        now: Instant,
    ) -> Option<()> {
        let key = self.transport_at(path)?;
        let transport = self.transports.get_mut(key)?;
        let mut said = std::mem::take(&mut self.said);
        said.clear();
        let opened = transport.opener.as_mut()?.open_rtcp(datagram);
        let is_authentic = opened.is_some();
        if let Some(compound) = opened {
            rtcp::read(compound, &mut said);
        }
        for said in &said {
            self.hear(key, said, now);
        }
        self.said = said;
        is_authentic.then_some(())
    }

    fn hear(&mut self, key: usize, said: &Said, now: Instant) {
        match said {
            Said::Clocks { ssrc, ntp, rtp } => {
                let Some(transport) = self.transports.get_mut(key) else { return };
                if *ntp == 0 {
                    return;
                }
                let claim = Correspondence { ntp: Ntp(*ntp), rtp: *rtp };
                transport.clock.observe(claim.ntp, Ntp::of(SystemTime::now()));
                for track in &transport.incoming {
                    if let Some(published) = self.incoming.get_mut(*track) {
                        published.track.sender_report(*ssrc, claim, now);
                    }
                }
            }
            Said::Goodbye { ssrc } => {
                let Some(transport) = self.transports.get(key) else { return };
                for track in &transport.incoming {
                    if let Some(published) = self.incoming.get_mut(*track) {
                        published.track.goodbye(*ssrc);
                    }
                }
            }
            Said::Missing { ssrc, sequences } => {
                if let Some(track) = self.outgoing_of(key, *ssrc) {
                    self.repeat(track, sequences, now);
                }
            }
            Said::NeedsKeyFrame { ssrc } => {
                if let Some(track) = self.outgoing_of(key, *ssrc) {
                    self.want_key_frame_for(track, now);
                }
            }
        }
    }

    fn outgoing_of(&self, key: usize, ssrc: u32) -> Option<usize> {
        let is_meant = |track: &&usize| {
            self.outgoing.get(**track).is_some_and(|subscribed| subscribed.track.ssrc == ssrc)
        };
        self.transports.get(key)?.outgoing.iter().find(is_meant).copied()
    }

    /// Asks a publisher for what is missing and for key frames, as far as that is due.
    pub(super) fn serve_publisher(&mut self, key: usize, now: Instant) {
        let Some(transport) = self.transports.get_mut(key).filter(|found| found.is_connected())
        else {
            return;
        };
        let (sender, mut intra_requests) = (transport.own_ssrc, transport.intra_requests);
        let mut next_due: Option<Instant> = None;
        let mut compound: Option<Compound> = None;
        let mut missing = Vec::new();
        for track in transport.incoming.iter() {
            let Some(published) = self.incoming.get_mut(*track) else { continue };
            let track = &mut published.track;
            let Some(ssrc) = track.ssrc() else { continue };
            missing.clear();
            track.take_missing(now, &mut missing);
            let mut words = compound.unwrap_or_else(|| Compound::receiver(sender, &[]));
            for asked in missing.chunks(MAX_ASKED) {
                words = words.missing(ssrc, asked);
            }
            if track.key_frames.take_due(now) {
                if track.agreed.feedback.pli {
                    words = words.picture_loss(ssrc);
                } else if track.agreed.feedback.fir {
                    intra_requests = intra_requests.wrapping_add(1);
                    words = words.full_intra(ssrc, intra_requests);
                }
            }
            compound = Some(words);
            next_due = [next_due, track.next_due(now)].into_iter().flatten().min();
        }
        transport.intra_requests = intra_requests;
        if let Some(compound) = compound.filter(Compound::asks) {
            self.send_rtcp(key, &compound);
        }
        if let Some(due) = next_due {
            self.schedule(key, due);
        }
    }

    /// Sends the reports of this second.
    pub(super) fn report(&mut self, key: usize, now: Instant) {
        self.report_to_publisher(key, now);
        self.report_to_subscriber(key);
    }

    fn report_to_publisher(&mut self, key: usize, now: Instant) {
        let Some(transport) = self.transports.get(key) else { return };
        let mut reports = Vec::new();
        let mut limited = Vec::new();
        for track in &transport.incoming {
            let Some(published) = self.incoming.get_mut(*track) else { continue };
            let Some(report) = published.track.report(now) else { continue };
            if published.track.agreed.feedback.remb {
                limited.push(report.ssrc);
            }
            reports.push(report);
        }
        if reports.is_empty() {
            return;
        }
        let mut compound = Compound::receiver(transport.own_ssrc, &reports);
        if !limited.is_empty() {
            compound = compound.maximum_bitrate(MAX_UPLINK_BITRATE, limited);
        }
        self.send_rtcp(key, &compound);
    }

    fn report_to_subscriber(&mut self, key: usize) {
        let Some(transport) = self.transports.get(key) else { return };
        let now = Ntp::of(SystemTime::now());
        let mut compounds = Vec::new();
        for track in &transport.outgoing {
            let Some(subscribed) = self.outgoing.get(*track) else { continue };
            let Some(published) = subscribed.source.and_then(|source| self.incoming.get(source))
            else {
                continue;
            };
            let clock = match published.origin {
                Origin::Peer { transport, .. } => {
                    self.transports.get(transport).map(|publisher| &publisher.clock)
                }
                Origin::Agent { room, .. } => self.rooms.get(&room).map(|room| room.agent.clock()),
            };
            let Some(clock) = clock else { continue };
            let Some(claim) = published.track.correspondence() else { continue };
            let rate = published.track.agreed.codec.clock_rate;
            let track = &subscribed.track;
            let Some((rtp, packets, octets)) = track.sender_report(now, claim, clock, rate) else {
                continue;
            };
            let sent = Sent { ssrc: track.ssrc, now, rtp, packets, octets };
            compounds.push(Compound::sender(sent, transport.id.as_str()));
        }
        for compound in compounds {
            self.send_rtcp(key, &compound);
        }
    }

    /// Seals a compound packet and puts it into the outbox.
    pub(super) fn send_rtcp(&mut self, key: usize, compound: &Compound) {
        let Some(transport) = self.transports.get_mut(key) else { return };
        let (Some(path), Some(sealer)) = (transport.path, transport.sealer.as_mut()) else {
            return;
        };
        let start = self.outbox.begin();
        let buffer = self.outbox.buffer();
        if compound.write(buffer) && sealer.seal_rtcp(buffer, start).is_ok() {
            self.outbox.commit(path, start);
        } else {
            self.outbox.abandon(start);
        }
    }
}

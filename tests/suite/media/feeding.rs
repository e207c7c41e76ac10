//! What a mixing agent gets of published streams.

use std::{collections::BTreeSet, time::Duration};

use portico::{
    formats::{LayerChoice, TrackKind},
    media::{ClockClaim, Command, Fed, Feed, MAX_FEED_BYTES},
};
use portico_mixer_protocol::{HEADER_BYTES, Header, Kind};

use super::stage::{Stage, id, peer};
use crate::support::media_peer::{Codec, Mark, MediaPeer, Outgoing, PATIENCE, Pace};

/// A packet as an agent reads it.
pub(super) struct Copied {
    pub(super) input: u32,
    arrival: Duration,
    payload_type: u8,
    pub(super) sequence: u16,
    pub(super) timestamp: u32,
    pub(super) payload: Vec<u8>,
}

/// Takes what comes until there is enough.
pub(super) struct Agent {
    feed: Feed,
    pub(super) packets: Vec<Copied>,
    claims: Vec<ClockClaim>,
}

impl Agent {
    pub(super) fn of(stage: &Stage) -> Self {
        let feed = Feed::default();
        stage.room.send(Command::OpenFeed { feed: feed.clone() });
        Self { feed, packets: Vec::new(), claims: Vec::new() }
    }

    pub(super) async fn until(&mut self, enough: impl Fn(&Self) -> bool) {
        let taking = async {
            while !enough(self) {
                self.feed.ready().await;
                self.take();
            }
        };
        tokio::time::timeout(PATIENCE, taking).await.expect("enough in time");
    }

    fn take(&mut self) {
        let mut fed = Fed::default();
        self.feed.take(&mut fed);
        self.claims.append(&mut fed.claims);
        let mut rest = &fed.packets[..];
        while let Some((header, after)) = rest.split_first_chunk::<HEADER_BYTES>() {
            let header = Header::read(*header).expect("a frame");
            assert_eq!(header.kind, Kind::Rtp);
            let (packet, after) = after.split_at(header.payload_bytes);
            self.packets.push(Copied {
                input: header.number,
                arrival: header.time,
                payload_type: packet[1] & 0x7F,
                sequence: u16::from_be_bytes([packet[2], packet[3]]),
                timestamp: u32::from_be_bytes([packet[4], packet[5], packet[6], packet[7]]),
                payload: without_padding(packet).to_vec(),
            });
            rest = after;
        }
        assert!(rest.is_empty(), "frames are whole");
    }
}

fn without_padding(packet: &[u8]) -> &[u8] {
    let extension = if packet[0] & 0x10 == 0 {
        0
    } else {
        4 + 4 * usize::from(u16::from_be_bytes([packet[14], packet[15]]))
    };
    let padding = if packet[0] & 0x20 == 0 { 0 } else { packet[packet.len() - 1] };
    &packet[12 + extension..packet.len() - usize::from(padding)]
}

fn tap(stage: &Stage, input: u32, stream: &str, kind: TrackKind, payload_type: u8) {
    let stream = (&id(stream)).into();
    let layer = LayerChoice::Largest;
    stage.room.send(Command::Tap { input, stream, kind, payload_type, layer });
}

#[tokio::test]
async fn a_picture_is_copied_from_a_key_frame_on_repaired_and_in_its_numbers() {
    let mut stage = Stage::new();
    let mut publisher = MediaPeer::builder().codecs(&[Codec::VP8]).lose_every(9).build().await;
    let video = publisher.add_source(Codec::VP8).await;
    stage.publish(&mut publisher, "pub").await;
    let mut running = video.run(Pace::VIDEO);
    running.reached(|sent| sent.frames > 5).await;
    let mut agent = Agent::of(&stage);
    tap(&stage, 7, "pub", TrackKind::Video, 99);
    agent.until(|agent| agent.packets.len() >= 100).await;
    let mark = Mark::of(&agent.packets[0].payload).expect("a synthetic packet");
    assert!(mark.key && mark.index == 0, "began with {mark:?}");
    let mut sequences = BTreeSet::new();
    for packet in &agent.packets {
        assert_eq!((packet.input, packet.payload_type), (7, 99));
        assert!(Mark::of(&packet.payload).is_some(), "payloads are whole");
        assert!(sequences.insert(packet.sequence), "{} came twice", packet.sequence);
    }
    let missing = (1..60).filter(|sequence| !sequences.contains(sequence)).count();
    assert_eq!(missing, 0, "losses are repaired before");
    assert!(agent.packets.is_sorted_by_key(|packet| packet.arrival));
}

#[tokio::test]
async fn the_agents_wish_for_a_key_frame_reaches_the_publisher() {
    let mut stage = Stage::new();
    let (_publisher, video) = stage.published(Codec::VP8, "pub").await;
    let mut agent = Agent::of(&stage);
    tap(&stage, 1, "pub", TrackKind::Video, 96);
    let mut running = video.run(Pace::VIDEO);
    agent.until(|agent| agent.packets.len() > 10).await;
    let before = running.sent().key_frames;
    stage.room.send(Command::RequestKeyFrame { input: 1 });
    running.reached(|sent| sent.key_frames > before).await;
}

#[tokio::test]
async fn clocks_are_told_in_the_times_of_the_copies() {
    let mut stage = Stage::new();
    let codecs = [Codec::OPUS, Codec::VP8];
    let mut publisher = peer(&codecs).await;
    let audio = publisher.add_source(Codec::OPUS).await;
    let mut video = publisher.add_source(Codec::VP8).await;
    video.next_timestamp = u32::MAX - 100_000;
    stage.publish(&mut publisher, "pub").await;
    let mut agent = Agent::of(&stage);
    tap(&stage, 1, "pub", TrackKind::Audio, 111);
    tap(&stage, 2, "pub", TrackKind::Video, 96);
    let _running = (audio.run(Pace::AUDIO), video.run(Pace::VIDEO));
    let told = |agent: &Agent, input| agent.claims.iter().any(|claim| claim.input == input);
    agent.until(|agent| told(agent, 1) && told(agent, 2)).await;
    let mut starts = Vec::new();
    for (input, rate) in [(1, 48_000.0), (2, 90_000.0)] {
        let claim = agent.claims.iter().find(|claim| claim.input == input).expect("told");
        let first = agent.packets.iter().find(|packet| packet.input == input).expect("copied");
        let ahead = first.timestamp.wrapping_sub(claim.rtp) as i32;
        starts.push(claim.sender_time.as_secs_f64() + f64::from(ahead) / rate);
    }
    let apart = (starts[0] - starts[1]).abs();
    assert!(apart < 0.5, "both began at about the same time: {starts:?}");
}

#[tokio::test]
async fn a_pause_an_end_and_an_untap_stop_the_copies() {
    let mut stage = Stage::new();
    let (_publisher, audio) = stage.published(Codec::OPUS, "pub").await;
    let mut agent = Agent::of(&stage);
    tap(&stage, 1, "pub", TrackKind::Audio, 111);
    tap(&stage, 2, "nobody", TrackKind::Audio, 111);
    tap(&stage, 3, "pub", TrackKind::Video, 96);
    let send = async |sequence: u16| {
        let payload = vec![sequence as u8; 20].into();
        let timestamp = u32::from(sequence) * 960;
        audio.send(Outgoing { sequence, timestamp, payload, ..Default::default() }).await;
    };
    send(1).await;
    agent.until(|agent| agent.packets.len() == 1).await;
    stage.set_active("pub", TrackKind::Audio, false);
    send(2).await;
    // Whatever comes by another way than the track's own shows that the worker has been there.
    let (_other, second) = stage.published(Codec::OPUS, "other").await;
    tap(&stage, 4, "other", TrackKind::Audio, 111);
    second.send(Outgoing { sequence: 9, payload: vec![9; 20].into(), ..Default::default() }).await;
    agent.until(|agent| agent.packets.iter().any(|packet| packet.input == 4)).await;
    stage.set_active("pub", TrackKind::Audio, true);
    send(3).await;
    agent.until(|agent| agent.packets.len() == 3).await;
    let last = &agent.packets[2];
    assert_eq!((last.input, last.sequence, last.payload[0]), (1, 2, 3), "the pause left no gap");
    stage.room.send(Command::Untap { input: 1 });
    send(4).await;
    stage.close("pub");
    second.send(Outgoing { sequence: 10, payload: vec![9; 20].into(), ..Default::default() }).await;
    agent.until(|agent| agent.packets.len() == 4).await;
    assert_eq!(agent.packets[3].input, 4, "nothing more of the first");
}

#[tokio::test]
async fn an_agent_that_takes_nothing_loses_packets_until_the_next_key_frame() {
    let mut stage = Stage::new();
    let mut publisher = peer(&[Codec::VP8]).await;
    let mut video = publisher.add_source(Codec::VP8).await;
    let ssrc = video.ssrc;
    stage.publish(&mut publisher, "pub").await;
    let mut agent = Agent::of(&stage);
    tap(&stage, 1, "pub", TrackKind::Video, 96);
    // Large frames in bursts that the sockets can hold, a little more than the feed can.
    let large = Pace { packets_per_frame: 40, ..Pace::VIDEO };
    let frames = MAX_FEED_BYTES / 40_000 + 10;
    video.send_frame(true, large).await;
    agent.feed.ready().await;
    for _ in 0..frames {
        video.send_frame(false, large).await;
        tokio::time::sleep(Duration::from_millis(4)).await;
    }
    let asked = video.key_frame_requests();
    agent.take();
    let before = agent.packets.len();
    let kept: usize = agent.packets.iter().map(|packet| packet.payload.len()).sum();
    assert!(kept <= MAX_FEED_BYTES && kept > MAX_FEED_BYTES / 2, "{kept} bytes kept");
    video.send_frame(false, Pace::VIDEO).await;
    publisher.asked_for_key_frame(ssrc, asked + 1).await;
    video.send_frame(false, Pace::VIDEO).await;
    let key = video.send_frame(true, Pace::VIDEO).await;
    agent.until(|agent| agent.packets.len() > before).await;
    let resumed = &agent.packets[before];
    let mark = Mark::of(&resumed.payload).expect("a synthetic packet");
    assert!(mark.key && mark.index == 0 && mark.frame == key, "went on with {mark:?}");
    let gap = resumed.sequence.wrapping_sub(agent.packets[before - 1].sequence);
    assert!(gap < 100, "only what a turn brought is missed, not {gap}");
}

//! Pictures in several layers.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use portico::{
    formats::{LayerChoice, Resolution, TrackKind},
    media::{Command, Event, Source},
};

use super::{
    feeding::Agent,
    stage::{Stage, id, peer},
};
use crate::support::media_peer::{
    Codec, Control, Mark, MediaPeer, Pace, Picture, Received, Running, Source as Layer,
};

const RIDS: [&str; 3] = ["q", "h", "f"];
const SIZES: [(u16, u16); 3] = [(320, 192), (640, 368), (1280, 720)];

/// The frames of a layer have numbers from its own multiple of this on.
const FRAMES_OF_A_LAYER: u32 = 10_000;

/// A publisher of three layers whose counts of everything differ.
async fn camera(stage: &mut Stage, publisher: &mut MediaPeer, codec: Codec) -> Vec<Layer> {
    let mut layers = publisher.add_simulcast(codec, &RIDS).await;
    for (number, (layer, (width, height))) in (0_u32..).zip(layers.iter_mut().zip(SIZES)) {
        layer.picture = Picture { width, height };
        layer.next_frame = (number + 1) * FRAMES_OF_A_LAYER;
        layer.next_sequence = 65_500_u16.wrapping_add(20_000 * number as u16);
        layer.next_timestamp = (u32::MAX - 50_000).wrapping_add(number * 1_000_000_000);
    }
    stage.publish(publisher, "cam").await;
    layers
}

/// A subscriber that checks everything that must go on without a break.
struct Viewer {
    peer: MediaPeer,
    codec: Codec,
    last: Option<Received>,
}

impl Viewer {
    async fn of(stage: &mut Stage, name: &str, codec: Codec, choice: LayerChoice) -> Self {
        let mut peer = peer(&[codec]).await;
        let video = Source::Published((&id("cam")).into(), choice);
        stage.subscribe_to(&mut peer, name, None, Some(video)).await;
        Self { peer, codec, last: None }
    }

    /// The next packet; its layer and its mark.
    async fn next(&mut self) -> (usize, Mark) {
        let packet = self.peer.packet().await;
        let mark = Mark::of(&packet.payload).expect("a synthetic packet");
        let (layer, first) = (layer_of(mark), self.last.is_none());
        let last = self.last.replace(packet.clone()).unwrap_or_else(|| packet.clone());
        let before = Mark::of(&last.payload).expect("a synthetic packet");
        let is_start = first || layer != layer_of(before);
        if is_start {
            assert!(mark.key && mark.index == 0, "layer {layer} began with {mark:?}");
        }
        if first {
            return (layer, mark);
        }
        assert_eq!(packet.ssrc, last.ssrc);
        assert_eq!(packet.sequence, last.sequence.wrapping_add(1), "sequences go on");
        let step = packet.timestamp.wrapping_sub(last.timestamp) as i32;
        if mark.frame == before.frame {
            assert_eq!(step, 0, "a frame has one time");
        } else {
            let arrived = packet.arrival.saturating_duration_since(last.arrival);
            let late = i64::from(step) - arrived.as_micros() as i64 * 9 / 100;
            assert!(step > 0 && late.abs() < 90_000, "a step of {step} after {arrived:?}");
        }
        if self.codec == Codec::VP8 {
            let step = picture_id(&packet).wrapping_sub(picture_id(&last)) & 0x7FFF;
            let expected = if is_start { 1 } else { mark.frame - before.frame };
            assert_eq!(u32::from(step), expected, "pictures are counted on");
        }
        (layer, mark)
    }

    /// Waits until a layer is seen and has been for some frames; which layers came before.
    async fn sees(&mut self, wanted: usize) -> BTreeSet<usize> {
        let (mut before, mut in_a_row) = (BTreeSet::new(), 0);
        while in_a_row < 30 {
            let (layer, _) = self.next().await;
            in_a_row = if layer == wanted { in_a_row + 1 } else { 0 };
            before.extend((layer != wanted).then_some(layer));
        }
        before
    }
}

fn layer_of(mark: Mark) -> usize {
    (mark.frame / FRAMES_OF_A_LAYER - 1) as usize
}

fn picture_id(packet: &Received) -> u16 {
    u16::from_be_bytes([packet.payload[2], packet.payload[3]]) & 0x7FFF
}

fn named(rid: &str) -> LayerChoice {
    LayerChoice::Named(rid.into())
}

fn size(width: u32, height: u32) -> Resolution {
    Resolution { width, height }
}

fn switch(stage: &Stage, name: &str, choice: LayerChoice) {
    let video = Some(Source::Published((&id("cam")).into(), choice));
    stage.room.send(Command::SwitchSubscription { session: id(name), audio: None, video });
}

fn run_all(layers: Vec<Layer>) -> Vec<Running> {
    layers.into_iter().map(|layer| layer.run(Pace::VIDEO)).collect()
}

/// Waits for a report on the clock of each layer, by which times are mapped.
async fn clocks_are_told() {
    tokio::time::sleep(Duration::from_millis(1500)).await;
}

#[tokio::test]
async fn everybody_gets_the_layer_of_their_choice_and_all_are_measured() {
    let mut stage = Stage::new();
    let mut publisher = peer(&[Codec::VP8]).await;
    let layers = camera(&mut stage, &mut publisher, Codec::VP8).await;
    let rids = stage
        .event_that(|_, event| {
            let Event::Layered { stream, rids } = event else { return None };
            Some((stream.to_string(), rids.to_vec()))
        })
        .await;
    assert_eq!(rids, ("cam".to_owned(), RIDS.map(Into::into).to_vec()));
    let _running = run_all(layers);
    for (number, (choice, layer)) in [
        (named("q"), 0),
        (named("f"), 2),
        (LayerChoice::Largest, 2),
        (LayerChoice::Covering(size(400, 200)), 1),
        (LayerChoice::Covering(size(4000, 200)), 2),
        (LayerChoice::Filling(size(320, 4000)), 0),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("viewer-{number}");
        let mut viewer = Viewer::of(&mut stage, &name, Codec::VP8, choice).await;
        viewer.sees(layer).await;
    }
    let mut sizes = BTreeMap::new();
    while sizes.len() < 3 {
        let (layer, resolution) = stage
            .event_that(|_, event| {
                let Event::Measured { layer, resolution, .. } = event else { return None };
                Some((layer.clone().expect("it has layers"), *resolution))
            })
            .await;
        sizes.insert(layer, (resolution.width as u16, resolution.height as u16));
    }
    let expected = RIDS.into_iter().zip(SIZES).map(|(rid, size)| (rid.into(), size));
    assert_eq!(sizes, expected.collect());
}

#[tokio::test]
async fn a_change_of_layers_waits_for_a_key_frame_and_leaves_no_gap() {
    for codec in [Codec::VP8, Codec::H264, Codec::VP9] {
        let mut stage = Stage::new();
        let mut publisher = peer(&[codec]).await;
        let layers = camera(&mut stage, &mut publisher, codec).await;
        let ssrcs: Vec<u32> = layers.iter().map(|layer| layer.ssrc).collect();
        let _running = run_all(layers);
        let mut viewer = Viewer::of(&mut stage, "viewer", codec, named("q")).await;
        viewer.sees(0).await;
        clocks_are_told().await;
        for (rid, layer) in [("f", 2), ("h", 1), ("q", 0), ("f", 2)] {
            let asked = publisher.key_frame_requests.borrow().clone();
            switch(&stage, "viewer", named(rid));
            let before = viewer.sees(layer).await;
            assert!(before.len() <= 1, "until then the old layer flows, no third one: {before:?}");
            let count = |requests: &BTreeMap<u32, u32>| requests.get(&ssrcs[layer]).copied();
            let now = publisher.key_frame_requests.borrow().clone();
            assert!(count(&now) > count(&asked), "a key frame of the new layer was asked for");
        }
        // The choice of a size is one among others.
        switch(&stage, "viewer", LayerChoice::Covering(size(300, 150)));
        viewer.sees(0).await;
    }
}

#[tokio::test]
async fn a_layer_that_stops_is_stood_in_for_until_it_returns() {
    let mut stage = Stage::new();
    let mut publisher = peer(&[Codec::VP8]).await;
    let layers = camera(&mut stage, &mut publisher, Codec::VP8).await;
    let mut running = run_all(layers);
    let mut pinned = Viewer::of(&mut stage, "pinned", Codec::VP8, named("f")).await;
    let mut largest = Viewer::of(&mut stage, "largest", Codec::VP8, LayerChoice::Largest).await;
    let mut small = Viewer::of(&mut stage, "small", Codec::VP8, named("q")).await;
    pinned.sees(2).await;
    largest.sees(2).await;
    let full = running.pop().expect("three layers").stop().await;
    pinned.sees(1).await;
    largest.sees(1).await;
    let half = running.pop().expect("two layers").stop().await;
    pinned.sees(0).await;
    largest.sees(0).await;
    let full = full.run(Pace::VIDEO);
    pinned.sees(2).await;
    largest.sees(2).await;
    let _running = (half.run(Pace::VIDEO), full, running);
    assert_eq!(small.sees(0).await, BTreeSet::new(), "nothing changed for the others");
}

#[tokio::test]
async fn each_layer_has_its_own_reports_and_repairs() {
    let mut stage = Stage::new();
    let mut lost = BTreeSet::new();
    let once = move |header: &rtc::rtp::Header| {
        let chosen = header.sequence_number.is_multiple_of(7) && header.payload_type == 96;
        chosen && lost.insert((header.ssrc, header.sequence_number))
    };
    let mut publisher = MediaPeer::builder().codecs(&[Codec::VP8]).lose(once).build().await;
    let layers = camera(&mut stage, &mut publisher, Codec::VP8).await;
    let mut ssrcs: BTreeSet<u32> = layers.iter().map(|layer| layer.ssrc).collect();
    let _running = run_all(layers);
    for rid in RIDS {
        let mut subscriber = peer(&[Codec::VP8]).await;
        let video = Source::Published((&id("cam")).into(), named(rid));
        stage.subscribe_to(&mut subscriber, rid, None, Some(video)).await;
        let mut sequences = BTreeSet::new();
        while sequences.len() < 150 {
            let packet = subscriber.packet().await;
            assert!(sequences.insert(packet.sequence), "{} came twice", packet.sequence);
        }
        // Only the newest may still be on their way, and the rest of a first picture whose beginning
        // came last.
        let missing = (4..100).filter(|sequence| !sequences.contains(sequence));
        assert_eq!(missing.collect::<Vec<u16>>(), Vec::<u16>::new(), "of {rid}");
    }
    while !ssrcs.is_empty() {
        let find = |control: &Control| match control {
            Control::ReceptionReport(report) => Some(report.ssrc),
            _ => None,
        };
        let reported = publisher.control_that(find).await;
        ssrcs.remove(&reported);
    }
}

#[tokio::test]
async fn the_mixing_agent_gets_the_layer_that_it_shows() {
    let mut stage = Stage::new();
    let mut publisher = peer(&[Codec::VP8]).await;
    let layers = camera(&mut stage, &mut publisher, Codec::VP8).await;
    let _running = run_all(layers);
    let mut agent = Agent::of(&stage);
    let stream = (&id("cam")).into();
    let layer = LayerChoice::Filling(size(320, 200));
    let kind = TrackKind::Video;
    stage.room.send(Command::Tap { input: 7, stream, kind, payload_type: 99, layer });
    let has = |layer: usize| {
        move |agent: &Agent| {
            let of_layer = |packet: &super::feeding::Copied| {
                Mark::of(&packet.payload).is_some_and(|mark| layer_of(mark) == layer)
            };
            agent.packets.iter().rev().take(30).filter(|packet| of_layer(packet)).count() == 30
        }
    };
    agent.until(has(0)).await;
    clocks_are_told().await;
    for (wanted, layer) in [(size(1000, 700), 2), (size(0, 0), 0), (size(600, 300), 1)] {
        let layer_wanted = LayerChoice::Covering(wanted);
        stage.room.send(Command::SetTapLayer { input: 7, layer: layer_wanted });
        agent.until(has(layer)).await;
    }
    let mut changes = 0;
    for pair in agent.packets.windows(2) {
        let [before, after] = pair else { unreachable!("two of them") };
        assert_eq!(after.input, 7);
        assert_eq!(after.sequence, before.sequence.wrapping_add(1));
        let mark = |payload: &[u8]| Mark::of(payload).expect("a synthetic packet");
        let (old, new) = (mark(&before.payload), mark(&after.payload));
        if layer_of(old) != layer_of(new) {
            changes += 1;
            assert!(new.key && new.index == 0, "began with {new:?}");
            let step = after.timestamp.wrapping_sub(before.timestamp) as i32;
            assert!((1..45_000).contains(&step), "a step of {step}");
        }
    }
    assert!(changes >= 3);
}

//! Sender and receiver reports.

use std::time::{Duration, Instant};

use super::stage::{Stage, peer};
use crate::support::media_peer::{Codec, Control, MediaPeer, Pace, Received};

#[tokio::test]
async fn loss_is_reported_within_a_percent() {
    let mut stage = Stage::new();
    let mut publisher = MediaPeer::builder().codecs(&[Codec::VP8]).lose_every(9).build().await;
    let video = publisher.add_source(Codec::VP8).await;
    let ssrc = video.ssrc;
    stage.publish(&mut publisher, "pub").await;
    let mut running = video.run(Pace::VIDEO);
    running.reached(|sent| sent.frames >= 70).await;
    let video = running.stop().await;
    let sent = u32::from(video.next_sequence - 100);
    let last = u32::from(video.next_sequence - 1);
    // The report that has seen all of it; what was lost at the very end cannot be known.
    let lost = publisher.lost.borrow().clone();
    let known = lost.iter().filter(|sequence| **sequence >= 100 && u32::from(**sequence) < last);
    let truth = known.count() as f64 / f64::from(sent);
    let newest_seen = (100..=video.next_sequence - 1).rev().find(|number| !lost.contains(number));
    let newest_seen = u32::from(newest_seen.expect("something came"));
    let told = publisher
        .control_that(|control| {
            let Control::ReceptionReport(report) = control else { return None };
            let is_last = report.ssrc == ssrc && report.last_sequence_number == newest_seen;
            is_last.then_some(report.total_lost)
        })
        .await;
    let told = f64::from(told) / f64::from(sent);
    assert!((told - truth).abs() < 0.01, "told {told}, true {truth}");
    assert!(truth > 0.05, "{truth}");
}

#[tokio::test]
async fn publishers_hear_of_their_reports_and_of_a_bitrate() {
    let mut stage = Stage::new();
    let mut publisher = peer(&[Codec::VP8]).await;
    let video = publisher.add_source(Codec::VP8).await;
    let ssrc = video.ssrc;
    stage.publish(&mut publisher, "pub").await;
    let _running = video.run(Pace::VIDEO);
    let delay = publisher
        .control_that(|control| {
            let Control::ReceptionReport(report) = control else { return None };
            assert_eq!((report.ssrc, report.total_lost), (ssrc, 0));
            (report.last_sender_report != 0).then_some(report.delay)
        })
        .await;
    assert!(delay < 2 * 65_536, "{delay} since the last sender report");
    let limit = publisher
        .control_that(|control| {
            let Control::Remb { bits_per_second, ssrcs } = control else { return None };
            ssrcs.contains(&ssrc).then_some(*bits_per_second)
        })
        .await;
    assert!(limit > 1e6);
}

/// When a packet was recorded, by the sender report of its source, in seconds of NTP time.
fn recorded(packet: &Received, report: (u64, u32), rate: f64) -> f64 {
    let (ntp, rtp) = report;
    let seconds = ntp as f64 / f64::from(u32::MAX);
    seconds + f64::from(packet.timestamp.wrapping_sub(rtp) as i32) / rate
}

#[tokio::test]
async fn sender_reports_keep_lips_in_sync() {
    let mut stage = Stage::new();
    let codecs = [Codec::OPUS, Codec::VP8];
    let mut publisher = peer(&codecs).await;
    let audio = publisher.add_source(Codec::OPUS).await;
    let mut video = publisher.add_source(Codec::VP8).await;
    video.next_timestamp = u32::MAX - 100_000;
    stage.publish(&mut publisher, "pub").await;
    let mut subscriber = peer(&codecs).await;
    stage.subscribe(&mut subscriber, "sub", Some("pub"), Some("pub")).await;
    let _running = (audio.run(Pace::AUDIO), video.run(Pace::VIDEO));
    let sound = subscriber.packet_that(of(111)).await;
    let picture = subscriber.packet_that(of(96)).await;
    let mut offsets = Vec::new();
    for (first, payload_type, rate) in [(sound, 111, 48_000.0), (picture, 96, 90_000.0)] {
        let (report, counts, heard) = sender_report(&mut subscriber, first.ssrc).await;
        assert!(counts > 0);
        // One of about then: over a longer time the pace of a busy test is no clock.
        let of_then = |packet: &Received| {
            let is_near = packet.arrival + Duration::from_millis(50) > heard;
            of(payload_type)(packet).filter(|_| is_near)
        };
        let packet = subscriber.packet_that(of_then).await;
        let earlier = heard.saturating_duration_since(packet.arrival).as_secs_f64();
        let later = packet.arrival.saturating_duration_since(heard).as_secs_f64();
        // The report was made just before it was heard, so this is when the packet arrived, and
        // the difference is how old it was then: as old as what arrived with it of the other kind.
        let arrival = (report.0 as f64) / f64::from(u32::MAX) + later - earlier;
        offsets.push(arrival - recorded(&packet, report, rate));
    }
    assert!(offsets.iter().all(|age| age.abs() < 0.5), "ages {offsets:?}");
    let skew = (offsets[0] - offsets[1]).abs();
    assert!(skew < 0.04, "skew {skew} s of {offsets:?}");
}

fn of(payload_type: u8) -> impl Fn(&Received) -> Option<Received> {
    move |packet| (packet.payload_type == payload_type).then(|| packet.clone())
}

/// The next report about `ssrc`, its packet count, and when it was heard.
async fn sender_report(peer: &mut MediaPeer, ssrc: u32) -> ((u64, u32), u32, Instant) {
    let search = async {
        loop {
            let (at, control) = peer.controls.recv().await.expect("the peer lives");
            if let Control::SenderReport(report) = control
                && report.ssrc == ssrc
            {
                return ((report.ntp_time, report.rtp_time), report.packet_count, at);
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), search).await.expect("a report in time")
}

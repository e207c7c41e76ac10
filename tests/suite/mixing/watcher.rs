//! Somebody who watches or listens all the time, so that nothing goes by unseen.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tokio::{
    sync::{mpsc, watch},
    time::{sleep, timeout_at},
};

use super::{
    gst::{self, RawDecoder},
    scene::{Image, Scene},
    stage::PATIENCE,
};
use crate::support::{
    guest::{Guest, Session},
    media_peer::{Codec, Received, receiver},
};

/// The least share of the nominal frame rate.
const STEADY: f64 = 0.95;

/// A tone of full volume is at least so loud after mixing, and one that is not there at most.
const HEARD: f64 = super::clip::VOLUME * 0.4;
const SILENT: f64 = super::clip::VOLUME * 0.12;

/// What was seen so far.
#[derive(Clone, Default)]
pub(super) struct Seen {
    /// The newest picture.
    image: Option<Arc<Image>>,
    /// Pictures that were decoded.
    decoded: u64,
    /// Frames of which the last packet came.
    frames: u64,
    /// The RTP time of the last frame since the first one, in ticks.
    time: u64,
    /// The last packet: SSRC, sequence number, RTP time.
    pub(super) last: Option<(u32, u16, u32)>,
    /// Where sequence numbers did not go on by one, or time went back.
    pub(super) breaks: Vec<(u16, u16)>,
    /// How often the SSRC changed.
    pub(super) ssrc_changes: u32,
}

impl Seen {
    fn packet(&mut self, packet: &Received) {
        if let Some((ssrc, sequence, timestamp)) = self.last {
            if ssrc != packet.ssrc {
                self.ssrc_changes += 1;
            }
            let step = packet.timestamp.wrapping_sub(timestamp).cast_signed();
            if packet.sequence != sequence.wrapping_add(1) || step < 0 {
                self.breaks.push((sequence, packet.sequence));
            }
            self.time += u64::from(step.max(0).cast_unsigned());
        }
        self.last = Some((packet.ssrc, packet.sequence, packet.timestamp));
        self.frames += u64::from(packet.marker);
    }
}

/// A start of measuring.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    decoded: u64,
    frames: u64,
    time: u64,
}

/// Somebody who watches a view in VP8.
pub(super) struct Watcher {
    session: Session,
    seen: watch::Receiver<Seen>,
    nominal: f64,
    began: Mark,
}

impl Watcher {
    /// Subscribes to a view's picture of this size, which has so many frames a second, and waits
    /// for the first one.
    pub(super) async fn of(
        guest: &mut Guest,
        view: &str,
        size: (usize, usize),
        nominal: f64,
    ) -> Self {
        let media = json!({"audio": false, "video": {"from": view}});
        let mut session = guest.subscribe(media, receiver(&[Codec::VP8]).await).await;
        let (to, seen) = watch::channel(Seen::default());
        let to = Arc::new(to);
        let of_decoder = Arc::clone(&to);
        let decoder = RawDecoder::vp8(size, move |rgb| {
            of_decoder.send_modify(|seen| {
                seen.decoded += 1;
                seen.image = Some(Arc::new(Image::new(size, rgb)));
            });
        });
        let packets = take_packets(&mut session);
        tokio::spawn(feed(packets, Codec::VP8.payload_type, decoder, move |packet| {
            to.send_modify(|seen| seen.packet(packet));
        }));
        let began = Mark { decoded: 0, frames: 0, time: 0 };
        let mut watcher = Self { session, seen, nominal, began };
        let first = watcher.until("a first picture", |_| true).await;
        watcher.began = mark(&first);
        watcher
    }

    /// The subscription.
    pub(super) fn session(&self) -> &str {
        &self.session.id
    }

    /// What was seen so far.
    pub(super) fn seen(&self) -> Seen {
        self.seen.borrow().clone()
    }

    /// Waits until a new picture meets a condition.
    async fn until(&mut self, what: &str, mut meets: impl FnMut(&Image) -> bool) -> Seen {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let changed = timeout_at(deadline, self.seen.changed()).await;
            assert!(changed.is_ok(), "never seen: {what}");
            changed.expect("checked").expect("somebody watches");
            let seen = self.seen.borrow_and_update().clone();
            if seen.image.as_ref().is_some_and(|image| meets(image)) {
                return seen;
            }
        }
    }

    /// Waits until a picture is as it should be.
    pub(super) async fn until_shows(&mut self, what: &str, scene: &Scene) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let changed = timeout_at(deadline, self.seen.changed()).await;
            let seen = self.seen.borrow_and_update().clone();
            let wrong = seen.image.as_ref().map(|image| scene.differences(image));
            if wrong.as_ref().is_some_and(Vec::is_empty) {
                return;
            }
            assert!(changed.is_ok(), "never seen: {what}: {wrong:?} after {} frames", seen.frames);
        }
    }

    /// Watches for a while in which every picture has to be as it should be, and come in time.
    pub(super) async fn steady(&mut self, what: &str, scene: &Scene, length: Duration) {
        let mark = self.mark();
        let end = tokio::time::Instant::now() + length;
        while let Ok(changed) = timeout_at(end, self.seen.changed()).await {
            changed.expect("somebody watches");
            let image = self.seen.borrow_and_update().image.clone().expect("there was one");
            let wrong = scene.differences(&image);
            assert!(wrong.is_empty(), "{what}: {wrong:?}");
        }
        self.in_time(what, mark).await;
    }

    /// A start of measuring.
    pub(super) fn mark(&self) -> Mark {
        mark(&self.seen.borrow())
    }

    /// Fails when fewer pictures were decoded since a mark than there should be.
    pub(super) async fn in_time(&mut self, what: &str, mark: Mark) {
        let rate = self.rate(mark).await;
        let nominal = self.nominal;
        assert!(rate >= STEADY * nominal, "{what}: {rate:.1} pictures a second of {nominal}");
    }

    /// The same since the first picture.
    pub(super) async fn in_time_throughout(&mut self) {
        self.in_time("from beginning to end", self.began).await;
    }

    /// Decoded pictures a second since a mark, by the time that their packets bear.
    async fn rate(&mut self, from: Mark) -> f64 {
        let to = mark(&self.seen.borrow());
        let undecoded = |mark: Mark| mark.frames.saturating_sub(mark.decoded);
        // What has just come is on its way through the decoder.
        let deadline = tokio::time::Instant::now() + Duration::from_secs(2);
        let due = to.frames - undecoded(from);
        let mut seen = self.seen.clone();
        let caught_up = seen.wait_for(|seen| seen.decoded >= due);
        // When it does not catch up, that is what is found out.
        let _ = timeout_at(deadline, caught_up).await;
        let decoded = self.seen.borrow().decoded;
        let seconds = (to.time - from.time) as f64 / 90_000.0;
        assert!(seconds > 1.0, "measured over seconds, not {seconds}");
        let missing = due.saturating_sub(decoded);
        (to.frames - from.frames).saturating_sub(missing) as f64 / seconds
    }
}

fn mark(seen: &Seen) -> Mark {
    Mark { decoded: seen.decoded, frames: seen.frames, time: seen.time }
}

/// Somebody who listens to a view in opus.
pub(super) struct Listener {
    session: Session,
    sound: watch::Receiver<Vec<u8>>,
}

impl Listener {
    /// Subscribes to a view's sound.
    pub(super) async fn of(guest: &mut Guest, view: &str) -> Self {
        let media = json!({"audio": {"from": view}, "video": false});
        let mut session = guest.subscribe(media, receiver(&[Codec::OPUS]).await).await;
        let (heard, sound) = watch::channel(Vec::new());
        let decoder = RawDecoder::opus(move |piece| {
            heard.send_replace(piece);
        });
        let packets = take_packets(&mut session);
        tokio::spawn(feed(packets, Codec::OPUS.payload_type, decoder, |_| {}));
        Self { session, sound }
    }

    /// The subscription.
    pub(super) fn session(&self) -> &str {
        &self.session.id
    }

    /// Waits until all of some tones and none of some others are heard.
    pub(super) async fn until(&mut self, who: &str, heard: &[f64], missed: &[f64]) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let changed = timeout_at(deadline, self.sound.changed()).await;
            let sound = self.sound.borrow_and_update().clone();
            let loud = |tone: &f64| gst::loudness(&sound, *tone);
            let wrong: Vec<_> = heard
                .iter()
                .filter(|tone| loud(tone) < HEARD)
                .chain(missed.iter().filter(|tone| loud(tone) > SILENT))
                .map(|tone| (*tone, loud(tone)))
                .collect();
            if wrong.is_empty() && !sound.is_empty() {
                return;
            }
            assert!(changed.is_ok(), "{who} never hears {heard:?} without {missed:?}: {wrong:?}");
        }
    }
}

/// A session's packets, for a task of their own.
fn take_packets(session: &mut Session) -> mpsc::UnboundedReceiver<Received> {
    std::mem::replace(&mut session.peer.packets, mpsc::unbounded_channel().1)
}

async fn feed(
    mut packets: mpsc::UnboundedReceiver<Received>,
    payload_type: u8,
    mut decoder: RawDecoder,
    on_packet: impl Fn(&Received),
) {
    while let Some(packet) = packets.recv().await {
        if packet.payload_type == payload_type {
            on_packet(&packet);
            decoder.feed(&packet).await;
        }
    }
    // What was fed is decoded before the decoder ends.
    sleep(Duration::from_millis(1)).await;
}

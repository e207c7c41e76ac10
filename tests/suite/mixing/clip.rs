//! Media that were encoded once and are played again and again, so that many can play on a small
//! machine.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::{sync::watch, task::JoinHandle};

use super::gst;
use crate::support::media_peer::{Outgoing, Source};

/// Pictures a second of a clip.
pub(super) const CLIP_RATE: u32 = 15;

/// How loud a tone is: sixteen of them are not too loud.
pub(super) const VOLUME: f64 = 0.05;

/// An encoded second that can be played in a row.
pub(super) struct Clip {
    /// The payloads of each frame; the first frame can be decoded by itself.
    frames: Vec<Vec<Bytes>>,
    /// From one frame to the next.
    interval: Duration,
    /// The same by the RTP clock.
    ticks: u32,
    has_markers: bool,
}

impl Clip {
    /// VP8 of one colour (red, green, blue).
    pub(super) async fn colour(rgb: [u8; 3], size: (u32, u32)) -> Arc<Self> {
        let encoder = "vp8enc deadline=1 cpu-used=8 threads=1 keyframe-max-dist=1000 \
                       ! rtpvp8pay mtu=1100";
        Self::coloured(rgb, size, encoder).await
    }

    /// The same in H.264.
    pub(super) async fn colour_h264(rgb: [u8; 3], size: (u32, u32)) -> Arc<Self> {
        let encoder = "openh264enc gop-size=1000 complexity=low \
                       ! rtph264pay mtu=1100 config-interval=-1 aggregate-mode=zero-latency";
        Self::coloured(rgb, size, encoder).await
    }

    async fn coloured([red, green, blue]: [u8; 3], size: (u32, u32), encoder: &str) -> Arc<Self> {
        let colour = u32::from_be_bytes([0xff, red, green, blue]);
        let (width, height) = size;
        let encoder = format!(
            "videotestsrc num-buffers={CLIP_RATE} pattern=solid-color foreground-color={colour} \
             ! video/x-raw,format=I420,width={width},height={height},framerate={CLIP_RATE}/1 \
             ! {encoder}"
        );
        let mut frames = vec![Vec::new()];
        for packet in gst::record(&encoder).await {
            frames.last_mut().expect("at least one").push(packet.slice(12..));
            if packet[1] & 0x80 != 0 {
                frames.push(Vec::new());
            }
        }
        frames.pop();
        assert_eq!(frames.len(), CLIP_RATE as usize);
        let interval = Duration::from_secs(1) / CLIP_RATE;
        Arc::new(Self { frames, interval, ticks: 90_000 / CLIP_RATE, has_markers: true })
    }

    /// Opus of a tone in Hz. A multiple of 50 Hz fills packets with whole periods.
    pub(super) async fn tone(frequency: f64) -> Arc<Self> {
        let encoder = format!(
            "audiotestsrc num-buffers=50 samplesperbuffer=960 volume={VOLUME} freq={frequency} \
             ! audio/x-raw,rate=48000,channels=2 ! opusenc frame-size=20 ! rtpopuspay"
        );
        let packets = gst::record(&encoder).await;
        let frames: Vec<_> = packets.into_iter().map(|packet| vec![packet.slice(12..)]).collect();
        assert!(frames.len() >= 50);
        let interval = Duration::from_millis(20);
        Arc::new(Self { frames, interval, ticks: 960, has_markers: false })
    }

    /// The same with payloads that somebody has tampered with.
    pub(super) fn edited(&self, mut edit: impl FnMut(&[u8]) -> Vec<u8>) -> Arc<Self> {
        let mut frame = |payloads: &Vec<Bytes>| -> Vec<Bytes> {
            payloads.iter().map(|payload| edit(payload).into()).collect()
        };
        let frames = self.frames.iter().map(&mut frame).collect();
        let Self { interval, ticks, has_markers, .. } = *self;
        Arc::new(Self { frames, interval, ticks, has_markers })
    }
}

/// A clip that is being sent until this is dropped.
pub(super) struct Player {
    clip: watch::Sender<Option<Arc<Clip>>>,
    task: JoinHandle<()>,
}

impl Player {
    pub(super) fn start(source: Source, clip: Arc<Clip>) -> Self {
        let interval = clip.interval;
        let (clip, played) = watch::channel(Some(clip));
        let task = tokio::spawn(play(source, interval, played));
        Self { clip, task }
    }

    /// Sends something else, or nothing. Clips of one player are equally fast.
    pub(super) fn change(&self, clip: Option<Arc<Clip>>) {
        self.clip.send_replace(clip);
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn play(source: Source, interval: Duration, mut played: watch::Receiver<Option<Arc<Clip>>>) {
    let mut ticks = tokio::time::interval(interval);
    let mut clip = played.borrow_and_update().clone();
    let (mut at, mut sequence, mut timestamp) = (0, 100_u16, 1000_u32);
    let mut answered = 0;
    loop {
        ticks.tick().await;
        match played.has_changed() {
            Ok(true) => {
                clip = played.borrow_and_update().clone();
                at = 0;
            }
            Ok(false) => {}
            Err(_) => return,
        }
        let asked = source.key_frame_requests();
        if asked != answered {
            answered = asked;
            at = 0;
        }
        // Time goes on when nothing is sent.
        timestamp = timestamp.wrapping_add(clip.as_ref().map_or(0, |clip| clip.ticks));
        let Some(clip) = &clip else { continue };
        let payloads = &clip.frames[at];
        for (index, payload) in payloads.iter().enumerate() {
            let marker = clip.has_markers && index + 1 == payloads.len();
            let payload = payload.clone();
            source
                .send(Outgoing { sequence, timestamp, marker, payload, ..Default::default() })
                .await;
            sequence = sequence.wrapping_add(1);
        }
        at = (at + 1) % clip.frames.len();
    }
}

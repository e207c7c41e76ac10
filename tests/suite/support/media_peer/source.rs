//! What a test client sends: single packets, synthetic frames, or a paced stream of these.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use rtc::{
    media_stream::MediaStreamTrack,
    rtp,
    rtp_transceiver::rtp_sender::{
        RTCRtpCodingParameters, RTCRtpEncodingParameters, RTCRtpRtxParameters, RtpCodecKind,
    },
};
use tokio::{sync::watch, task::JoinHandle, time::MissedTickBehavior};
use webrtc::media_stream::track_local::{TrackLocal, static_rtp::TrackLocalStaticRTP};

use super::{
    codec::Codec,
    frames::{Picture, frame},
    wire::KeyFrameRequests,
};

/// The header extension that names the layer of a packet.
const RID: &str = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id";

/// The one that names the layer of a retransmission.
pub(super) const REPAIRED_RID: &str = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id";

/// The one that tells how loud a packet is (RFC 6464).
pub(crate) const AUDIO_LEVEL: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";

/// What an answer said about an m-line.
#[derive(Debug, Clone, Default)]
pub(super) struct Negotiated {
    /// The payload type that the far end takes.
    pub(super) payload_type: Option<u8>,
    /// Header extensions by number and URI.
    pub(super) extensions: Vec<(u8, String)>,
}

/// A track that a test client sends.
pub(crate) struct Source {
    pub(super) track: Arc<TrackLocalStaticRTP>,
    /// What the peer can send here; the answer chooses.
    pub(super) codecs: Vec<Codec>,
    pub(super) negotiated: Arc<Mutex<Negotiated>>,
    pub(super) key_frame_requests: watch::Receiver<KeyFrameRequests>,
    /// The name of the layer that it is, if it is one.
    pub(super) rid: Option<Bytes>,
    /// The SSRC of its packets.
    pub(crate) ssrc: u32,
    /// The size that the next key frame declares.
    pub(crate) picture: Picture,
    /// How far below the loudest its packets say that they are, in decibels, if they say so.
    pub(crate) level: Option<u8>,
    /// The number of the next frame.
    pub(crate) next_frame: u32,
    /// The sequence number of the next packet.
    pub(crate) next_sequence: u16,
    /// The RTP time of the next frame.
    pub(crate) next_timestamp: u32,
}

/// Everything about one RTP packet that a test may want to choose.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Outgoing {
    /// The sequence number.
    pub(crate) sequence: u16,
    /// The RTP time.
    pub(crate) timestamp: u32,
    /// The marker bit.
    pub(crate) marker: bool,
    /// Header extensions by number.
    pub(crate) extensions: Vec<(u8, Bytes)>,
    /// The payload.
    pub(crate) payload: Bytes,
}

/// How fast frames are sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// From one frame to the next.
    pub(crate) interval: Duration,
    /// Packets of each frame.
    pub(crate) packets_per_frame: u16,
}

impl Pace {
    /// 20 ms of sound in each packet.
    pub(crate) const AUDIO: Self =
        Self { interval: Duration::from_millis(20), packets_per_frame: 1 };
    /// 30 pictures a second, in three packets each.
    pub(crate) const VIDEO: Self =
        Self { interval: Duration::from_millis(33), packets_per_frame: 3 };
}

impl Negotiated {
    /// The number that was agreed to for a header extension.
    pub(super) fn extension(&self, uri: &str) -> Option<u8> {
        self.extensions.iter().find(|(_, agreed)| agreed == uri).map(|(number, _)| *number)
    }
}

impl Source {
    /// A track with the SSRC and the name of each layer, not yet on any connection.
    pub(super) fn track(codec: &Codec, layers: &[(u32, &str)]) -> Arc<TrackLocalStaticRTP> {
        let kind = codec.kind();
        let label = if kind == RtpCodecKind::Audio { "audio" } else { "video" };
        let coding = |&(ssrc, rid): &(u32, &str)| RTCRtpEncodingParameters {
            rtp_coding_parameters: RTCRtpCodingParameters {
                rid: rid.to_owned(),
                ssrc: Some(ssrc),
                rtx: codec.rtx.map(|_| RTCRtpRtxParameters { ssrc: ssrc + 1 }),
                ..Default::default()
            },
            codec: codec.described(),
            ..Default::default()
        };
        Arc::new(TrackLocalStaticRTP::new(MediaStreamTrack::new(
            "stream".to_owned(),
            format!("{label}-{}", layers[0].0),
            label.to_owned(),
            kind,
            layers.iter().map(coding).collect(),
        )))
    }

    /// The codec that the answer chose.
    pub(crate) fn codec(&self) -> Codec {
        let chosen = self
            .negotiated
            .lock()
            .expect("no holder panics")
            .payload_type
            .expect("an answer was accepted");
        let codec = self.codecs.iter().find(|codec| codec.payload_type == chosen);
        *codec.expect("the answer chose an offered codec")
    }

    /// The number that the answer agreed to for a header extension.
    pub(crate) fn extension(&self, uri: &str) -> Option<u8> {
        self.negotiated.lock().expect("no holder panics").extension(uri)
    }

    /// How often a key frame of this track was asked for so far.
    pub(crate) fn key_frame_requests(&self) -> u32 {
        self.key_frame_requests.borrow().get(&self.ssrc).copied().unwrap_or_default()
    }

    /// Sends one packet as given. The counters of the track stay as they are.
    pub(crate) async fn send(&self, packet: Outgoing) {
        let mut header = rtp::Header {
            version: 2,
            marker: packet.marker,
            payload_type: self.codec().payload_type,
            sequence_number: packet.sequence,
            timestamp: packet.timestamp,
            ssrc: self.ssrc,
            ..Default::default()
        };
        let rid = self.rid.clone().map(|rid| (self.extension(RID).expect("agreed on"), rid));
        let level = self.level.map(|level| {
            let number = self.extension(AUDIO_LEVEL).expect("agreed on");
            (number, Bytes::copy_from_slice(&[level]))
        });
        for (number, value) in packet.extensions.into_iter().chain(rid).chain(level) {
            header.set_extension(number, value).expect("a one-byte extension");
        }
        let packet = rtp::Packet { header, payload: packet.payload };
        self.track.write_rtp(packet).await.expect("the peer is connected");
    }

    /// Sends a synthetic frame of the codec that was agreed on and steps the counters; returns the
    /// number by which [`super::frames::Mark::of`] recognises it.
    pub(crate) async fn send_frame(&mut self, key: bool, pace: Pace) -> u32 {
        let codec = self.codec();
        let number = self.next_frame;
        let payloads = frame(&codec, self.picture, number, key, pace.packets_per_frame);
        let last = payloads.len() - 1;
        for (index, payload) in payloads.into_iter().enumerate() {
            let sequence = self.next_sequence;
            let marker = codec.kind() == RtpCodecKind::Video && index == last;
            let timestamp = self.next_timestamp;
            self.next_sequence = sequence.wrapping_add(1);
            self.send(Outgoing { sequence, timestamp, marker, payload, ..Default::default() })
                .await;
        }
        let ticks = pace.interval.as_micros() * u128::from(codec.clock_rate) / 1_000_000;
        let ticks = u32::try_from(ticks).expect("an interval below a day");
        self.next_timestamp = self.next_timestamp.wrapping_add(ticks);
        self.next_frame += 1;
        number
    }

    /// Sends frames until stopped: a key frame first and whenever one was asked for.
    pub(crate) fn run(mut self, pace: Pace) -> Running {
        let (stop, mut stopped) = watch::channel(());
        let (frames, sent) = watch::channel(Sent::default());
        let task = tokio::spawn(async move {
            let mut ticks = tokio::time::interval(pace.interval);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut answered = None;
            loop {
                tokio::select! {
                    _ = ticks.tick() => {}
                    _ = stopped.changed() => return self,
                }
                let asked = Some(self.key_frame_requests());
                let key = asked != answered;
                answered = asked;
                self.send_frame(key, pace).await;
                frames.send_modify(|sent| {
                    sent.frames += 1;
                    sent.key_frames += u32::from(key);
                });
            }
        });
        Running { stop, sent, task }
    }
}

/// What a running source has sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    /// All frames.
    pub(crate) frames: u32,
    /// Those that were key frames.
    pub(crate) key_frames: u32,
}

/// A source that sends by itself.
pub(crate) struct Running {
    stop: watch::Sender<()>,
    sent: watch::Receiver<Sent>,
    task: JoinHandle<Source>,
}

impl Running {
    /// What was sent so far.
    pub(crate) fn sent(&self) -> Sent {
        *self.sent.borrow()
    }

    /// Waits until so much was sent.
    pub(crate) async fn reached(&mut self, enough: impl FnMut(&Sent) -> bool) -> Sent {
        let sent = tokio::time::timeout(super::PATIENCE, self.sent.wait_for(enough)).await;
        *sent.expect("frames keep coming").expect("the source runs")
    }

    /// Stops it; the source can be used again.
    pub(crate) async fn stop(self) -> Source {
        drop(self.stop);
        self.task.await.expect("the source did not panic")
    }
}

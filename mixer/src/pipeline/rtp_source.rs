//! From the socket into a pipeline: RTP packets with their arrival times, put into order.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gstreamer as gst;
use gstreamer::prelude::*;
use portico_mixer_protocol::{AudioCodec, Codec, RtpFormat, VideoCodec};

use super::{PipelineError, clock_time, make};

/// Packets that went in since the last one that came out, beyond which a decoder counts as too
/// slow: some seconds of a large picture.
const MAX_BACKLOG: u64 = 2048;

/// The RTP timestamp of what looks like an RTP packet.
pub(crate) fn rtp_time(packet: &[u8]) -> Option<u32> {
    let header = packet.first_chunk::<12>().filter(|header| header[0] >> 6 == 2)?;
    Some(u32::from_be_bytes([header[4], header[5], header[6], header[7]]))
}

/// A buffer that puts packets into order, and the way into it: a pad without an element, since a
/// source element would cost a thread and a change of threads for every packet.
#[derive(Debug)]
pub(crate) struct RtpSource {
    pad: gst::Pad,
    pub(super) order: gst::Element,
    caps: gst::Caps,
    /// Packets that went in.
    pushed: AtomicU64,
    /// The number of the last one that came out.
    passed: Arc<AtomicU64>,
}

impl RtpSource {
    /// A source of packets of `format`. Packets that are missing are waited for as long as `wait`.
    /// Calls `key_frame_wanted` whenever something cannot go on without a key frame.
    pub(super) fn new(
        format: &RtpFormat,
        wait: Duration,
        key_frame_wanted: impl Fn() + Send + Sync + 'static,
    ) -> Result<Self, PipelineError> {
        let wait = wait.as_millis().to_string();
        // Without a fast start the first packets would wait, and sound would stay late.
        let order = make(
            "rtpjitterbuffer",
            &[("latency", &wait), ("do-lost", "true"), ("faststart-min-packets", "1")],
        )?;
        let passed = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&passed);
        let out = order.static_pad("src").expect("it has a src pad");
        out.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
            if let Some(number) = info.buffer().map(|buffer| buffer.offset()) {
                counted.store(number, Ordering::Relaxed);
            }
            gst::PadProbeReturn::Ok
        });
        let pad = gst::Pad::builder(gst::PadDirection::Src)
            .event_function(move |_, _, event| {
                if gstreamer_video::UpstreamForceKeyUnitEvent::parse(&event).is_ok() {
                    key_frame_wanted();
                }
                true
            })
            .build();
        let (pushed, caps) = (AtomicU64::new(0), caps(format));
        Ok(Self { pad, order, caps, pushed, passed })
    }

    /// Opens the way in, once the pipeline runs: what joins one loses its links.
    pub(super) fn connect(&self) -> Result<(), PipelineError> {
        let refused = |_| PipelineError::Refused(gst::glib::bool_error!("no way in"));
        self.pad.link(&self.order.static_pad("sink").expect("it has one")).map_err(refused)?;
        self.pad.set_active(true)?;
        let segment = gst::FormattedSegment::<gst::ClockTime>::new();
        self.pad.push_event(gst::event::StreamStart::new("packets"));
        self.pad.push_event(gst::event::Caps::new(&self.caps));
        self.pad.push_event(gst::event::Segment::new(&segment));
        Ok(())
    }

    /// Whether the decoder takes packets more slowly than they come, or not at all.
    pub(crate) fn is_behind(&self) -> bool {
        let pushed = self.pushed.load(Ordering::Relaxed);
        pushed.saturating_sub(self.passed.load(Ordering::Relaxed)) > MAX_BACKLOG
    }

    /// Takes a packet; `false` when it is lost.
    pub(crate) fn push(&self, arrival: Duration, packet: Vec<u8>) -> bool {
        let number = self.pushed.fetch_add(1, Ordering::Relaxed) + 1;
        let mut buffer = gst::Buffer::from_mut_slice(packet);
        let fresh = buffer.get_mut().expect("nobody else has it");
        fresh.set_pts(clock_time(arrival));
        fresh.set_dts(clock_time(arrival));
        fresh.set_offset(number);
        // A pipeline that is ending takes nothing more.
        self.pad.push(buffer).is_ok()
    }
}

impl Drop for RtpSource {
    fn drop(&mut self) {
        // It fails where the pad is inactive already.
        let _ = self.pad.set_active(false);
    }
}

fn caps(format: &RtpFormat) -> gst::Caps {
    let (media, encoding) = match format.codec {
        Codec::Video(codec) => (
            "video",
            match codec {
                VideoCodec::Vp8 => "VP8",
                VideoCodec::Vp9 => "VP9",
                VideoCodec::H264ConstrainedBaseline
                | VideoCodec::H264Baseline
                | VideoCodec::H264Main
                | VideoCodec::H264High => "H264",
                VideoCodec::H265 => "H265",
                VideoCodec::Av1 => "AV1",
            },
        ),
        Codec::Audio(codec) => (
            "audio",
            match codec {
                AudioCodec::Opus => "OPUS",
                AudioCodec::Pcmu => "PCMU",
                AudioCodec::Pcma => "PCMA",
                AudioCodec::G722 => "G722",
                AudioCodec::Aac => "MPEG4-GENERIC",
            },
        ),
    };
    let mut caps = gst::Structure::builder("application/x-rtp")
        .field("media", media)
        .field("encoding-name", encoding)
        .field("payload", i32::from(format.payload_type))
        .field("clock-rate", i32::try_from(format.clock_rate.max(1)).unwrap_or(i32::MAX));
    if matches!(format.codec, Codec::Audio(_)) {
        caps = caps.field("encoding-params", format.channels.max(1).to_string());
    }
    for (name, value) in format.fmtp.split(';').filter_map(|pair| pair.trim().split_once('=')) {
        if passes(format.codec, name) {
            caps = caps.field(name.to_ascii_lowercase(), value);
        }
    }
    gst::Caps::from_iter([caps.build()])
}

/// Whether a format parameter concerns the depayloader. Others could contradict what is known.
fn passes(codec: Codec, name: &str) -> bool {
    let names: &[&str] = match codec {
        Codec::Audio(AudioCodec::Aac) => &[
            "streamtype",
            "mode",
            "config",
            "profile-level-id",
            "sizelength",
            "indexlength",
            "indexdeltalength",
            "constantduration",
        ],
        Codec::Video(VideoCodec::H265) => &["sprop-vps", "sprop-sps", "sprop-pps"],
        Codec::Video(_) => &["sprop-parameter-sets"],
        Codec::Audio(_) => &[],
    };
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rtp_has_a_time() {
        assert_eq!(rtp_time(&[0x80, 96, 0, 1, 0, 0, 1, 2, 9, 9, 9, 9, 7]), Some(258));
        assert_eq!(rtp_time(&[0x40, 96, 0, 1, 0, 0, 1, 2, 9, 9, 9, 9, 7]), None);
        assert_eq!(rtp_time(&[0x80; 11]), None);
    }

    #[test]
    fn packets_that_nobody_takes_are_noticed() {
        gst::init().expect("GStreamer");
        let format = RtpFormat {
            codec: Codec::Audio(AudioCodec::Opus),
            payload_type: 111,
            clock_rate: 48_000,
            channels: 2,
            fmtp: String::new(),
        };
        let source = RtpSource::new(&format, Duration::ZERO, || {}).expect("it is there");
        // The last of some is never done with.
        const TAKEN: u16 = 4;
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let (told, came) = std::sync::mpsc::channel();
        let mut left = TAKEN;
        let sink = super::super::take_all(false, move |_| {
            left -= 1;
            told.send(()).expect("the test runs");
            if left == 0 {
                // It ends with the test.
                let _ = stopped.recv();
            }
        });
        let elements = [&source.order, sink.upcast_ref()];
        let running = super::super::Running::start(&elements, |_| {}).expect("it runs");
        source.connect().expect("it is connected");
        let start = crate::clock::now();
        let push = |number: u16| {
            let [high, low] = number.to_be_bytes();
            let [t0, t1, t2, t3] = (u32::from(number) * 960).to_be_bytes();
            let packet = vec![0x80, 111, high, low, t0, t1, t2, t3, 0, 0, 0, 9, 1, 2, 3];
            let arrival = start + Duration::from_millis(20) * u32::from(number);
            assert!(source.push(arrival, packet), "packet {number}");
        };
        for number in 0..TAKEN {
            push(number);
            came.recv().expect("it comes out");
        }
        let full = TAKEN + u16::try_from(MAX_BACKLOG).expect("small");
        (TAKEN..full).for_each(push);
        assert!(!source.is_behind());
        push(full);
        assert!(source.is_behind());
        drop(stop);
        drop((source, running));
    }

    #[test]
    fn caps_name_the_format() {
        gst::init().expect("GStreamer");
        let format = RtpFormat {
            codec: Codec::Audio(AudioCodec::Aac),
            payload_type: 97,
            clock_rate: 48_000,
            channels: 2,
            fmtp: "streamtype=5; MODE=AAC-hbr;config=1190;apt=3;broken".into(),
        };
        let caps = caps(&format);
        let caps = caps.structure(0).expect("one");
        assert_eq!(caps.get::<&str>("mode"), Ok("AAC-hbr"));
        assert_eq!(caps.get::<&str>("config"), Ok("1190"));
        assert_eq!(caps.get::<i32>("payload"), Ok(97));
        assert!(!caps.has_field("apt"));
    }
}

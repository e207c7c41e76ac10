//! From the socket into a pipeline: RTP packets with their arrival times, put into order.

use std::time::Duration;

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;
use portico_mixer_protocol::{AudioCodec, Codec, RtpFormat, VideoCodec};

use super::{PipelineError, clock_time, make};

/// Packets that wait for a decoder. Beyond it, new ones are lost.
const MAX_QUEUED_PACKETS: u64 = 2048;

/// The RTP timestamp of what looks like an RTP packet.
pub(crate) fn rtp_time(packet: &[u8]) -> Option<u32> {
    let header = packet.first_chunk::<12>().filter(|header| header[0] >> 6 == 2)?;
    Some(u32::from_be_bytes([header[4], header[5], header[6], header[7]]))
}

/// A source and the buffer that puts its packets into order.
#[derive(Debug)]
pub(super) struct RtpSource {
    source: gst_app::AppSrc,
    pub(super) order: gst::Element,
}

impl RtpSource {
    /// A source of packets of `format`. Packets that are missing are waited for as long as `wait`.
    pub(super) fn new(format: &RtpFormat, wait: Duration) -> Result<Self, PipelineError> {
        let source = gst_app::AppSrc::builder()
            .caps(&caps(format))
            .format(gst::Format::Time)
            .is_live(true)
            .max_buffers(MAX_QUEUED_PACKETS)
            .max_bytes(0)
            .leaky_type(gst_app::AppLeakyType::Upstream)
            .build();
        let wait = wait.as_millis().to_string();
        // Without a fast start the first packets would wait, and sound would stay late.
        let order = make(
            "rtpjitterbuffer",
            &[("latency", &wait), ("do-lost", "true"), ("faststart-min-packets", "1")],
        )?;
        Ok(Self { source, order })
    }

    pub(super) fn element(&self) -> &gst::Element {
        self.source.upcast_ref()
    }

    /// Takes a packet; `false` when it is lost because too many wait already.
    pub(super) fn push(&self, arrival: Duration, packet: Vec<u8>) -> bool {
        if self.source.current_level_buffers() >= MAX_QUEUED_PACKETS {
            return false;
        }
        let mut buffer = gst::Buffer::from_mut_slice(packet);
        let fresh = buffer.get_mut().expect("nobody else has it");
        fresh.set_pts(clock_time(arrival));
        fresh.set_dts(clock_time(arrival));
        // A pipeline that is ending takes nothing more.
        self.source.push_buffer(buffer).is_ok()
    }

    /// Calls `wanted` whenever something in the pipeline cannot go on without a key frame.
    pub(super) fn on_key_frame_wanted(&self, wanted: impl Fn() + Send + Sync + 'static) {
        let pad = self.source.static_pad("src").expect("sources have a src pad");
        pad.add_probe(gst::PadProbeType::EVENT_UPSTREAM, move |_, info| {
            if let Some(event) = info.event()
                && gstreamer_video::UpstreamForceKeyUnitEvent::parse(event).is_ok()
            {
                wanted();
            }
            gst::PadProbeReturn::Ok
        });
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

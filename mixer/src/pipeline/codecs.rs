//! Which elements encode and decode what, and which of it works on this machine.

use std::sync::Arc;
use std::time::Duration;

use gstreamer as gst;
use gstreamer::prelude::*;
use portico_mixer_protocol::{AudioCodec, Capabilities, Codec, VideoCodec};

use super::{AudioOutput, MTU, PipelineError, VideoOutput, VideoSettings, filter, make};
use crate::audio::BLOCK_SAMPLES;
use crate::canvas::{Colour, Picture, Pool, Size};
use crate::clock;
use crate::link::Outbox;

const VIDEO: [VideoCodec; 8] = [
    VideoCodec::Vp8,
    VideoCodec::Vp9,
    VideoCodec::H264ConstrainedBaseline,
    VideoCodec::H264Baseline,
    VideoCodec::H264Main,
    VideoCodec::H264High,
    VideoCodec::H265,
    VideoCodec::Av1,
];

const AUDIO: [AudioCodec; 5] =
    [AudioCodec::Opus, AudioCodec::Pcmu, AudioCodec::Pcma, AudioCodec::G722, AudioCodec::Aac];

/// How long an encoder may take to give its first packet when it is tried.
const PATIENCE: Duration = Duration::from_secs(2);

/// Properties of elements, as text.
type Properties<'a> = &'a [(&'a str, &'a str)];

fn chain(elements: &[(&str, Properties<'_>)]) -> Result<Vec<gst::Element>, PipelineError> {
    elements.iter().map(|(name, properties)| make(name, properties)).collect()
}

/// The first of some elements that this machine has.
fn first_of<'a>(names: &[&'a str]) -> Result<&'a str, PipelineError> {
    let exists = |name: &&&'a str| gst::ElementFactory::find(name).is_some();
    let found = names.iter().find(exists).copied();
    found.ok_or_else(|| PipelineError::Missing(names.join(" or ")))
}

/// Depayloader and decoder. They ask for a key frame when they cannot go on.
pub(super) fn video_decoder(codec: VideoCodec) -> Result<Vec<gst::Element>, PipelineError> {
    const DEPAY: Properties<'_> = &[("request-keyframe", "true"), ("wait-for-keyframe", "true")];
    const DECODE: Properties<'_> =
        &[("automatic-request-sync-points", "true"), ("max-errors", "-1")];
    match codec {
        VideoCodec::Vp8 => {
            chain(&[("rtpvp8depay", DEPAY), ("vp8dec", &[DECODE, &[("threads", "1")]].concat())])
        }
        VideoCodec::Vp9 => chain(&[
            ("rtpvp9depay", DEPAY),
            ("vp9parse", &[]),
            ("vp9dec", &[DECODE, &[("threads", "1")]].concat()),
        ]),
        VideoCodec::H264ConstrainedBaseline
        | VideoCodec::H264Baseline
        | VideoCodec::H264Main
        | VideoCodec::H264High => chain(&[
            ("rtph264depay", DEPAY),
            ("h264parse", &[]),
            (
                first_of(&["avdec_h264", "openh264dec"])?,
                &[DECODE, &[("max-threads", "1")]].concat(),
            ),
        ]),
        VideoCodec::H265 => chain(&[
            ("rtph265depay", DEPAY),
            ("h265parse", &[]),
            (
                first_of(&["avdec_h265", "libde265dec"])?,
                &[DECODE, &[("max-threads", "1")]].concat(),
            ),
        ]),
        VideoCodec::Av1 => chain(&[
            ("rtpav1depay", DEPAY),
            ("av1parse", &[]),
            (first_of(&["dav1ddec", "av1dec"])?, DECODE),
        ]),
    }
}

/// Depayloader and decoder.
pub(super) fn audio_decoder(codec: AudioCodec) -> Result<Vec<gst::Element>, PipelineError> {
    match codec {
        AudioCodec::Opus => chain(&[
            ("rtpopusdepay", &[]),
            // Its use of in-band FEC would delay all sound by a packet.
            ("opusdec", &[("plc", "true")]),
        ]),
        AudioCodec::Pcmu => chain(&[("rtppcmudepay", &[]), ("mulawdec", &[])]),
        AudioCodec::Pcma => chain(&[("rtppcmadepay", &[]), ("alawdec", &[])]),
        AudioCodec::G722 => chain(&[("rtpg722depay", &[]), ("avdec_g722", &[])]),
        AudioCodec::Aac => chain(&[
            ("rtpmp4gdepay", &[]),
            ("aacparse", &[]),
            (first_of(&["avdec_aac", "faad"])?, &[]),
        ]),
    }
}

/// Encoder and payloader.
pub(super) fn video_encoder(settings: &VideoSettings) -> Result<Vec<gst::Element>, PipelineError> {
    let VideoSettings { codec, framerate, kbps, key_frame_interval_secs, .. } = *settings;
    let rate = Rate {
        bits: kbps.saturating_mul(1000).max(1000).to_string(),
        kbits: kbps.max(1).to_string(),
        interval: framerate.saturating_mul(key_frame_interval_secs).clamp(1, 30_000).to_string(),
    };
    match codec {
        VideoCodec::Vp8 => vpx("vp8enc", "-6", "rtpvp8pay", &rate),
        VideoCodec::Vp9 => vpx("vp9enc", "8", "rtpvp9pay", &rate),
        // A constrained baseline stream is a baseline stream.
        VideoCodec::H264ConstrainedBaseline | VideoCodec::H264Baseline
            if first_of(&["openh264enc"]).is_ok() =>
        {
            openh264(&rate)
        }
        VideoCodec::H264ConstrainedBaseline | VideoCodec::H264Baseline => {
            x264("constrained-baseline", "false", &rate)
        }
        VideoCodec::H264Main => x264("main", "false", &rate),
        VideoCodec::H264High => x264("high", "true", &rate),
        VideoCodec::H265 => x265(&rate),
        // libaom's encoder aborts the process in its real-time mode.
        VideoCodec::Av1 => Err(PipelineError::Codec(Codec::Video(codec))),
    }
}

/// An encoder of H.264 in whole pictures, their parameter sets in the caps.
pub(super) fn packaged_video_encoder(
    settings: &VideoSettings,
) -> Result<Vec<gst::Element>, PipelineError> {
    let mut elements = video_encoder(settings)?;
    elements.pop().expect("an encoder ends in a payloader");
    elements.push(make("h264parse", &[])?);
    elements.push(filter("video/x-h264,stream-format=avc,alignment=au")?);
    Ok(elements)
}

/// An encoder of AAC frames without headers.
pub(super) fn packaged_audio_encoder() -> Result<Vec<gst::Element>, PipelineError> {
    let mut elements = audio_encoder(AudioCodec::Aac)?;
    elements.pop().expect("an encoder ends in a payloader");
    elements.push(filter("audio/mpeg,mpegversion=4,stream-format=raw")?);
    Ok(elements)
}

/// How much an encoder may use, as text.
struct Rate {
    bits: String,
    kbits: String,
    /// Pictures from one key frame to the next.
    interval: String,
}

/// libvpx in its real-time mode. A negative `cpu_used` is a fixed speed; a positive one would use
/// up whatever time there is.
fn vpx(
    encoder: &str,
    cpu_used: &str,
    payloader: &str,
    rate: &Rate,
) -> Result<Vec<gst::Element>, PipelineError> {
    let encoding = [
        ("cpu-used", cpu_used),
        ("deadline", "1"),
        ("end-usage", "cbr"),
        ("target-bitrate", &rate.bits),
        ("keyframe-max-dist", &rate.interval),
        ("error-resilient", "default"),
        ("lag-in-frames", "0"),
        ("threads", "1"),
        ("max-intra-bitrate", "300"),
        ("buffer-initial-size", "400"),
        ("buffer-optimal-size", "500"),
        ("buffer-size", "1000"),
        ("undershoot", "95"),
        ("overshoot", "30"),
        ("min-quantizer", "4"),
        ("max-quantizer", "56"),
    ];
    let mtu = MTU.to_string();
    let pay = [("mtu", mtu.as_str()), ("timestamp-offset", "0"), ("picture-id-mode", "15-bit")];
    chain(&[(encoder, &encoding), (payloader, &pay)])
}

fn openh264(rate: &Rate) -> Result<Vec<gst::Element>, PipelineError> {
    let encoding = [
        ("bitrate", rate.bits.as_str()),
        ("rate-control", "bitrate"),
        ("complexity", "low"),
        ("gop-size", &rate.interval),
        ("multi-thread", "1"),
        ("enable-frame-skip", "false"),
        ("scene-change-detection", "false"),
    ];
    let profile = filter("video/x-h264,profile=constrained-baseline")?;
    Ok(vec![make("openh264enc", &encoding)?, profile, h26x_payloader("rtph264pay")?])
}

/// x264, in whose streams a profile shows by the tools they use.
fn x264(profile: &str, dct8x8: &str, rate: &Rate) -> Result<Vec<gst::Element>, PipelineError> {
    let encoding = [
        ("tune", "zerolatency"),
        ("speed-preset", "superfast"),
        ("threads", "1"),
        ("bitrate", rate.kbits.as_str()),
        ("vbv-buf-capacity", "500"),
        ("key-int-max", &rate.interval),
        ("dct8x8", dct8x8),
    ];
    let profile = filter(&format!("video/x-h264,profile={profile}"))?;
    Ok(vec![make("x264enc", &encoding)?, profile, h26x_payloader("rtph264pay")?])
}

fn x265(rate: &Rate) -> Result<Vec<gst::Element>, PipelineError> {
    let encoding = [
        ("tune", "zerolatency"),
        ("speed-preset", "ultrafast"),
        ("bitrate", rate.kbits.as_str()),
        ("key-int-max", &rate.interval),
        ("log-level", "none"),
        ("option-string", "pools=none:frame-threads=1:repeat-headers=1:open-gop=0"),
    ];
    Ok(vec![make("x265enc", &encoding)?, make("h265parse", &[])?, h26x_payloader("rtph265pay")?])
}

/// A payloader that repeats parameter sets with each key frame.
fn h26x_payloader(name: &str) -> Result<gst::Element, PipelineError> {
    let mtu = MTU.to_string();
    make(
        name,
        &[
            ("mtu", &mtu),
            ("timestamp-offset", "0"),
            ("config-interval", "-1"),
            ("aggregate-mode", "zero-latency"),
        ],
    )
}

/// Format, encoder and payloader.
pub(super) fn audio_encoder(codec: AudioCodec) -> Result<Vec<gst::Element>, PipelineError> {
    let mtu = MTU.to_string();
    let pay = [("mtu", mtu.as_str()), ("timestamp-offset", "0")];
    // 20 ms a packet.
    let g711_pay = [&pay[..], &[("min-ptime", "20000000"), ("max-ptime", "20000000")]].concat();
    let raw = |rate: u32, channels: u32| {
        let caps = format!("audio/x-raw,rate={rate},channels={channels}");
        filter(&caps)
    };
    let (raw, rest) = match codec {
        AudioCodec::Opus => (
            raw(48_000, 2)?,
            chain(&[
                (
                    "opusenc",
                    &[
                        ("bitrate", "64000"),
                        ("complexity", "5"),
                        ("frame-size", "20"),
                        ("inband-fec", "true"),
                        ("packet-loss-percentage", "5"),
                    ],
                ),
                ("rtpopuspay", &pay),
            ])?,
        ),
        AudioCodec::Pcmu => {
            (raw(8000, 1)?, chain(&[("mulawenc", &[]), ("rtppcmupay", &g711_pay)])?)
        }
        AudioCodec::Pcma => (raw(8000, 1)?, chain(&[("alawenc", &[]), ("rtppcmapay", &g711_pay)])?),
        AudioCodec::G722 => {
            (raw(16_000, 1)?, chain(&[("avenc_g722", &[]), ("rtpg722pay", &g711_pay)])?)
        }
        AudioCodec::Aac => {
            let encoder = first_of(&["voaacenc", "avenc_aac"])?;
            let elements: [(&str, Properties<'_>); 3] =
                [(encoder, &[("bitrate", "96000")]), ("aacparse", &[]), ("rtpmp4gpay", &pay)];
            (raw(48_000, 2)?, chain(&elements)?)
        }
    };
    Ok([vec![raw], rest].concat())
}

/// Finds out what this machine can do: decoders by making them, encoders by encoding something.
/// GStreamer is initialized.
pub fn probe() -> Capabilities {
    let video = VIDEO.map(Codec::Video);
    let all = video.into_iter().chain(AUDIO.map(Codec::Audio));
    let decodes = |codec: &Codec| match *codec {
        Codec::Video(codec) => opens(video_decoder(codec)),
        Codec::Audio(codec) => opens(audio_decoder(codec)),
    };
    let decoders = all.clone().filter(decodes).collect();
    let encoders = std::thread::scope(|scope| {
        let trials: Vec<_> =
            all.map(|codec| (codec, scope.spawn(move || encodes(codec)))).collect();
        let worked = trials.into_iter().filter_map(|(codec, trial)| match trial.join() {
            Ok(true) => Some(codec),
            Ok(false) | Err(_) => None,
        });
        worked.collect()
    });
    Capabilities { decoders, encoders }
}

/// Whether elements are there and their libraries open.
fn opens(elements: Result<Vec<gst::Element>, PipelineError>) -> bool {
    let Ok(elements) = elements else { return false };
    elements.iter().all(|element| {
        let ready = element.set_state(gst::State::Ready).is_ok();
        ready && element.set_state(gst::State::Null).is_ok()
    })
}

/// Whether an encoder gives a packet.
fn encodes(codec: Codec) -> bool {
    let outbox = Arc::new(Outbox::default());
    let failed = |reason: String| tracing::info!(reason, "a codec does not work here");
    let (size, framerate, now) = (Size::new(320, 240), 30, clock::now());
    let moments = (0..5).map(|n| now + Duration::from_millis(20 * n));
    let pushed = match codec {
        Codec::Video(codec) => {
            let settings =
                VideoSettings { codec, size, framerate, kbps: 300, key_frame_interval_secs: 1 };
            VideoOutput::start(0, size, settings, Arc::clone(&outbox), failed).map(|output| {
                let colour = Colour::from_rgb([50, 90, 130]);
                let picture = Arc::new(Picture::new(size, colour, &Pool::default()));
                moments.take(1).for_each(|moment| output.push(&picture, moment));
                outbox.wait_for_packet(PATIENCE)
            })
        }
        Codec::Audio(codec) => {
            AudioOutput::start(0, codec, Arc::clone(&outbox), failed).map(|output| {
                moments.for_each(|moment| output.push(&[0; BLOCK_SAMPLES], moment));
                outbox.wait_for_packet(PATIENCE)
            })
        }
    };
    pushed.unwrap_or_else(|error| {
        tracing::debug!(?codec, %error, "a codec is not here");
        false
    })
}

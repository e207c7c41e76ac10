//! Media encoded once by GStreamer's command-line tool, which all inputs play from then on.

use std::{
    io::{Read, Write},
    process::{Child, Command, Stdio},
    thread,
};

use super::content::TalkingHead;
use crate::support::Result;

/// Pictures a second.
pub(super) const FRAMERATE: u32 = 30;

/// How long a clip of pictures is; it begins with the only key frame.
const SECONDS: u32 = 2;

/// The RTP packets of each frame.
pub(super) struct Clip {
    pub(super) frames: Vec<Vec<Vec<u8>>>,
    /// RTP time from one frame to the next.
    pub(super) ticks: u32,
}

/// A size of pictures, and what they are published with.
#[derive(Clone, Copy)]
pub(super) struct Quality {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) kbps: u32,
}

impl Clip {
    /// A talking head in VP8.
    pub(super) fn talking_head(quality: Quality, seed: u32) -> Result<Self> {
        let Quality { width, height, kbps } = quality;
        let mut head = TalkingHead::new(width, height, seed);
        let times = (0..FRAMERATE * SECONDS).map(|at| f64::from(at) / f64::from(FRAMERATE));
        let raw: Vec<u8> = times.flat_map(|time| head.picture(time)).collect();
        Self::pictures(width, height, kbps, raw)
    }

    /// A single key frame of grey.
    pub(super) fn grey(width: usize, height: usize, level: u8) -> Result<Self> {
        let mut raw = vec![level; width * height];
        raw.resize(width * height * 3 / 2, 128);
        Self::pictures(width, height, 500, raw)
    }

    fn pictures(width: usize, height: usize, kbps: u32, raw: Vec<u8>) -> Result<Self> {
        let pipeline = format!(
            "fdsrc fd=0 ! rawvideoparse format=i420 width={width} height={height} \
             framerate={FRAMERATE}/1 ! vp8enc deadline=1 cpu-used=-6 threads=1 end-usage=cbr \
             target-bitrate={} keyframe-max-dist=9999 max-intra-bitrate=300 \
             ! rtpvp8pay mtu=1200 pt=96",
            kbps * 1000
        );
        let mut frames = vec![Vec::new()];
        for packet in encode(&pipeline, raw)? {
            let is_last = packet[1] & 0x80 != 0;
            frames.last_mut().ok_or("no frame")?.push(packet);
            if is_last {
                frames.push(Vec::new());
            }
        }
        frames.pop();
        Ok(Self { frames, ticks: 90_000 / FRAMERATE })
    }

    /// A second of a tone in opus.
    pub(super) fn tone(frequency: u32) -> Result<Self> {
        let pipeline = format!(
            "audiotestsrc num-buffers=50 samplesperbuffer=960 volume=0.02 freq={frequency} \
             ! audio/x-raw,rate=48000,channels=2 ! opusenc frame-size=20 ! rtpopuspay pt=111"
        );
        let frames = encode(&pipeline, Vec::new())?.into_iter().map(|packet| vec![packet]);
        Ok(Self { frames: frames.collect(), ticks: 960 })
    }
}

/// Starts GStreamer's tool. Pipelines have no spaces within words.
pub(super) fn launch(pipeline: &str) -> Result<Child> {
    let mut command = Command::new("gst-launch-1.0");
    command.arg("-q").args(pipeline.split_ascii_whitespace());
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command.spawn().map_err(|error| format!("gst-launch-1.0 does not start: {error}").into())
}

/// Encodes raw media to RTP packets.
fn encode(pipeline: &str, raw: Vec<u8>) -> Result<Vec<Vec<u8>>> {
    let mut child = launch(&format!("{pipeline} ! rtpstreampay ! fdsink fd=1"))?;
    let mut input = child.stdin.take().ok_or("no standard input")?;
    let mut output = child.stdout.take().ok_or("no standard output")?;
    let writer = thread::spawn(move || input.write_all(&raw));
    let mut packets = Vec::new();
    while let Some(packet) = read_packet(&mut output) {
        packets.push(packet);
    }
    // A source of its own reads nothing, and closes.
    drop(writer.join());
    child.wait()?;
    if packets.is_empty() {
        return Err(format!("nothing was encoded by {pipeline}").into());
    }
    Ok(packets)
}

/// A packet framed as RFC 4571 says; nothing at the end.
pub(super) fn read_packet(stream: &mut impl Read) -> Option<Vec<u8>> {
    let mut length = [0; 2];
    stream.read_exact(&mut length).ok()?;
    let mut packet = vec![0; u16::from_be_bytes(length).into()];
    stream.read_exact(&mut packet).ok()?;
    Some(packet)
}

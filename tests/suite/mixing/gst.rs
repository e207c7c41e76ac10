//! Real media by GStreamer's own command-line tool, in processes of their own: encoders that feed a
//! peer's sources, decoders that a peer's packets are fed to.

use bytes::{BufMut, Bytes, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::{Child, ChildStdin},
    sync::watch,
    task::JoinHandle,
};

use crate::{
    live::clock,
    support::{
        gst_launch::launch,
        media_peer::{Outgoing, Received, Source},
    },
};

/// A picture's size after decoding, whatever it was before.
pub(super) const WIDTH: usize = 320;
pub(super) const HEIGHT: usize = 240;

/// Samples per second after decoding.
pub(super) const RATE: usize = 48_000;

/// An encoder that feeds a source until it is dropped.
pub(super) struct Playing {
    _child: Child,
    /// What goes into it, if anything does.
    input: JoinHandle<()>,
    task: JoinHandle<()>,
}

impl Drop for Playing {
    fn drop(&mut self) {
        self.input.abort();
        self.task.abort();
    }
}

/// Plays a picture of one colour (red, green, blue).
pub(super) fn colour(source: Source, colour: [u8; 3]) -> Playing {
    colour_of(source, colour, (320, 240), 24)
}

/// Plays a picture of one colour in a size, so many times a second and with a key frame every
/// second.
pub(super) fn colour_of(
    source: Source,
    [red, green, blue]: [u8; 3],
    (width, height): (u32, u32),
    framerate: u32,
) -> Playing {
    let colour = u32::from_be_bytes([0xff, red, green, blue]);
    play(
        source,
        &format!(
            "videotestsrc is-live=true pattern=solid-color foreground-color={colour} \
             ! video/x-raw,format=I420,width={width},height={height},framerate={framerate}/1 \
             ! vp8enc deadline=1 cpu-used=-6 keyframe-max-dist={framerate} ! rtpvp8pay mtu=1100"
        ),
    )
}

/// The same by H.264.
pub(super) fn colour_by_h264(source: Source, [red, green, blue]: [u8; 3]) -> Playing {
    let colour = u32::from_be_bytes([0xff, red, green, blue]);
    play(
        source,
        &format!(
            "videotestsrc is-live=true pattern=solid-color foreground-color={colour} \
             ! video/x-raw,format=I420,width=320,height=240,framerate=24/1 \
             ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=24 \
             ! video/x-h264,profile=constrained-baseline \
             ! rtph264pay mtu=1100 config-interval=-1 aggregate-mode=zero-latency"
        ),
    )
}

/// Plays the time by H.264, as [`clock::draw`] shows it.
pub(super) fn time_by_h264(source: Source) -> Playing {
    let (width, height, rate) = (clock::WIDTH, clock::HEIGHT, clock::FRAMES_PER_SECOND);
    play_fed(
        source,
        &format!(
            "fdsrc fd=0 ! rawvideoparse width={width} height={height} format=i420 \
             framerate={rate}/1 ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=40 \
             bitrate=600 ! video/x-h264,profile=constrained-baseline \
             ! rtph264pay mtu=1100 config-interval=-1 aggregate-mode=zero-latency"
        ),
        clock::draw,
    )
}

/// Plays a tone, in Hz.
pub(super) fn tone(source: Source, frequency: f64) -> Playing {
    play(
        source,
        &format!(
            "audiotestsrc is-live=true volume=0.2 freq={frequency} \
             ! audio/x-raw,rate=48000,channels=2 ! opusenc ! rtpopuspay"
        ),
    )
}

/// Plays what an encoder and its payloader make.
pub(super) fn play(source: Source, encoder: &str) -> Playing {
    // An input that nobody writes to stays open as long as its task is there.
    play_fed(source, encoder, |input| async move {
        let _input = input;
        std::future::pending::<()>().await;
    })
}

fn play_fed<F: Future<Output = ()> + Send + 'static>(
    source: Source,
    encoder: &str,
    feed: impl FnOnce(ChildStdin) -> F,
) -> Playing {
    let (child, input, mut output) = launch(&format!("{encoder} ! rtpstreampay ! fdsink fd=1"));
    let task = tokio::spawn(async move {
        while let Some(packet) = framed(&mut output).await {
            source
                .send(Outgoing {
                    sequence: u16::from_be_bytes([packet[2], packet[3]]),
                    timestamp: u32::from_be_bytes([packet[4], packet[5], packet[6], packet[7]]),
                    marker: packet[1] & 0x80 != 0,
                    payload: packet.slice(12..),
                    ..Default::default()
                })
                .await;
        }
    });
    Playing { _child: child, input: tokio::spawn(feed(input)), task }
}

/// A packet framed as RFC 4571 says.
async fn framed(stream: &mut (impl AsyncRead + Unpin)) -> Option<Bytes> {
    let length = stream.read_u16().await.ok()?;
    let mut packet = vec![0; length.into()];
    stream.read_exact(&mut packet).await.ok()?;
    Some(packet.into())
}

/// A decoder that gives what it decoded in pieces of equal size.
pub(super) struct Decoder {
    raw: RawDecoder,
    pieces: watch::Receiver<Option<Vec<u8>>>,
}

impl Decoder {
    /// Of VP8, to pictures of three bytes per pixel.
    pub(super) fn vp8() -> Self {
        let pipeline = format!(
            "fdsrc fd=0 ! application/x-rtp-stream,media=video,encoding-name=VP8,clock-rate=90000,\
             payload=96 ! rtpstreamdepay ! rtpvp8depay ! vp8dec ! {TO_RGB}"
        );
        Self::new(&pipeline, WIDTH * HEIGHT * 3)
    }

    /// Of H.264, the same.
    pub(super) fn h264() -> Self {
        let pipeline = format!(
            "fdsrc fd=0 ! application/x-rtp-stream,media=video,encoding-name=H264,clock-rate=90000,\
             payload=96 ! rtpstreamdepay ! rtph264depay ! avdec_h264 ! {TO_RGB}"
        );
        Self::new(&pipeline, WIDTH * HEIGHT * 3)
    }

    /// Of opus, to a tenth of a second of one channel.
    pub(super) fn opus() -> Self {
        Self::new(OPUS_TO_SAMPLES, RATE / 10 * 2)
    }

    /// Of anything, in pieces of so many bytes.
    pub(super) fn new(pipeline: &str, size: usize) -> Self {
        let (decoded, pieces) = watch::channel(None);
        let raw = RawDecoder::start(pipeline, size, move |piece| {
            decoded.send_replace(Some(piece));
        });
        Self { raw, pieces }
    }

    /// Gives it a packet.
    pub(super) async fn feed(&mut self, packet: &Received) {
        self.raw.feed(packet).await;
    }

    /// The last piece, if there is one since this was asked last.
    pub(super) fn piece(&mut self) -> Option<Vec<u8>> {
        let is_news = self.pieces.has_changed().unwrap_or_default();
        self.pieces.borrow_and_update().clone().filter(|_| is_news)
    }
}

/// A decoder that calls for each piece that it decoded.
pub(super) struct RawDecoder {
    _child: Child,
    input: ChildStdin,
}

impl RawDecoder {
    /// Of VP8, to pictures of this size with three bytes per pixel.
    pub(super) fn vp8(
        (width, height): (usize, usize),
        on_picture: impl FnMut(Vec<u8>) + Send + 'static,
    ) -> Self {
        let pipeline = format!(
            "fdsrc fd=0 ! application/x-rtp-stream,media=video,encoding-name=VP8,clock-rate=90000,\
             payload=96 ! rtpstreamdepay ! rtpvp8depay ! vp8dec threads=1 ! videoconvert \
             ! videoscale ! video/x-raw,format=RGB,width={width},height={height},\
             pixel-aspect-ratio=1/1 ! fdsink fd=1"
        );
        Self::start(&pipeline, width * height * 3, on_picture)
    }

    /// Of opus, to pieces of a tenth of a second of one channel.
    pub(super) fn opus(on_piece: impl FnMut(Vec<u8>) + Send + 'static) -> Self {
        Self::start(OPUS_TO_SAMPLES, RATE / 10 * 2, on_piece)
    }

    fn start(
        pipeline: &str,
        size: usize,
        mut on_piece: impl FnMut(Vec<u8>) + Send + 'static,
    ) -> Self {
        let (child, input, mut output) = launch(pipeline);
        tokio::spawn(async move {
            let mut piece = vec![0; size];
            while output.read_exact(&mut piece).await.is_ok() {
                on_piece(std::mem::replace(&mut piece, vec![0; size]));
            }
        });
        Self { _child: child, input }
    }

    /// Gives it a packet.
    pub(super) async fn feed(&mut self, packet: &Received) {
        let mut bytes = BytesMut::new();
        bytes.put_u16(u16::try_from(12 + packet.payload.len()).expect("a packet"));
        bytes.put_u8(0x80);
        bytes.put_u8(u8::from(packet.marker) << 7 | 96);
        bytes.put_u16(packet.sequence);
        bytes.put_u32(packet.timestamp);
        bytes.put_u32(packet.ssrc);
        bytes.put(&packet.payload[..]);
        self.input.write_all(&bytes).await.expect("the decoder runs");
        self.input.flush().await.expect("the decoder runs");
    }
}

const OPUS_TO_SAMPLES: &str = "fdsrc fd=0 ! application/x-rtp-stream,media=audio,\
                               encoding-name=OPUS,clock-rate=48000,payload=96 ! rtpstreamdepay \
                               ! rtpopusdepay ! opusdec ! audioconvert \
                               ! audio/x-raw,format=S16LE,channels=1,rate=48000 ! fdsink fd=1";

const TO_RGB: &str = "videoconvert ! videoscale \
                      ! video/x-raw,format=RGB,width=320,height=240,pixel-aspect-ratio=1/1 \
                      ! fdsink fd=1";

/// All that an encoder of a limited number of buffers makes, in RTP packets.
pub(super) async fn record(encoder: &str) -> Vec<Bytes> {
    let (_child, _input, mut output) = launch(&format!("{encoder} ! rtpstreampay ! fdsink fd=1"));
    let mut packets = Vec::new();
    while let Some(packet) = framed(&mut output).await {
        packets.push(packet);
    }
    packets
}

/// The pictures of a movie, one after the other.
pub(super) async fn pictures(movie: &[u8]) -> Vec<u8> {
    through(&format!("qtdemux ! h264parse ! avdec_h264 ! {TO_RGB}"), movie).await
}

/// The sound of a movie, in samples of one channel.
pub(super) async fn sound(movie: &[u8]) -> Vec<u8> {
    let decode = "qtdemux name=movie movie.audio_0 ! aacparse ! avdec_aac ! audioconvert \
                  ! audio/x-raw,format=S16LE,channels=1,rate=48000 ! fdsink fd=1";
    through(decode, movie).await
}

/// Decodes a JPEG file.
pub(super) async fn jpeg(file: &[u8]) -> Vec<u8> {
    through(&format!("jpegdec ! {TO_RGB}"), file).await
}

/// Decodes a JPEG file in its own size, with three bytes per pixel.
pub(super) async fn jpeg_as_it_is(file: &[u8]) -> Vec<u8> {
    through("jpegdec ! videoconvert ! video/x-raw,format=RGB ! fdsink fd=1", file).await
}

/// Makes a PNG file of a JPEG file.
pub(super) async fn png(file: &[u8]) -> Vec<u8> {
    through("jpegdec ! videoconvert ! pngenc ! fdsink fd=1", file).await
}

async fn through(pipeline: &str, file: &[u8]) -> Vec<u8> {
    let (_child, mut input, mut output) = launch(&format!("fdsrc fd=0 ! {pipeline}"));
    // Both at once: it may have much to say before it has heard all.
    let feed = async move { input.write_all(file).await.expect("the decoder runs") };
    let mut decoded = Vec::new();
    let ((), read) = tokio::join!(feed, output.read_to_end(&mut decoded));
    read.expect("the decoder runs");
    decoded
}

/// The colour at a place, as shares of width and height.
pub(super) fn probe(picture: &[u8], (across, down): (f64, f64)) -> [u8; 3] {
    let x = (across * WIDTH as f64) as usize;
    let y = (down * HEIGHT as f64) as usize;
    let at = (y * WIDTH + x) * 3;
    [picture[at], picture[at + 1], picture[at + 2]]
}

/// Whether two colours look alike after encoding.
pub(super) fn alike(one: [u8; 3], other: [u8; 3]) -> bool {
    one.iter().zip(other).all(|(one, other)| one.abs_diff(other) < 50)
}

/// How loud a tone is in a piece of sound, from 0 to 1, by Goertzel's algorithm.
pub(super) fn loudness(sound: &[u8], frequency: f64) -> f64 {
    let samples =
        sound.chunks_exact(2).map(|pair| f64::from(i16::from_le_bytes([pair[0], pair[1]])));
    let turn = 2.0 * (std::f64::consts::TAU * frequency / RATE as f64).cos();
    let (mut last, mut before) = (0.0, 0.0);
    let mut count = 0.0;
    for sample in samples {
        (last, before) = (sample / 32_768.0 + turn * last - before, last);
        count += 1.0;
    }
    let power: f64 = last * last + before * before - turn * last * before;
    power.sqrt() * 2.0 / count
}

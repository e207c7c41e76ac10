//! Forward streams in other formats and looks than their publishers send.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::time::timeout;

use super::{
    gst::{self, Decoder, Playing},
    stage::{PATIENCE, RED, agents, server, signal},
};
use crate::support::{
    guest::{Guest, Session},
    media_peer::{Codec, MediaPeer, Received},
    server::TestServer,
};

const TONE: f64 = 700.0;

/// A camera of 640x360 in red that sounds a tone.
struct Camera {
    guest: Guest,
    session: Session,
    _playing: [Playing; 2],
}

impl Camera {
    async fn join(server: &TestServer) -> Self {
        let mut guest = Guest::join(server, "lobby", "ann").await;
        let (session, mut sources) = guest.publish(&[Codec::OPUS, Codec::VP8]).await;
        let [red, green, blue] = RED;
        let colour = u32::from_be_bytes([0xff, red, green, blue]);
        let video = gst::play(
            sources.pop().expect("video"),
            &format!(
                "videotestsrc is-live=true pattern=solid-color foreground-color={colour} \
                 ! video/x-raw,format=I420,width=640,height=360,framerate=24/1 \
                 ! vp8enc deadline=1 cpu-used=-6 keyframe-max-dist=24 ! rtpvp8pay mtu=1100"
            ),
        );
        let audio = gst::tone(sources.pop().expect("audio"), TONE);
        Self { guest, session, _playing: [video, audio] }
    }
}

/// A decoder of pictures that have exactly this size; of others it gives nothing.
fn exactly(depay_and_decode: &str, name: &str, (width, height): (usize, usize)) -> Decoder {
    let pipeline = format!(
        "fdsrc fd=0 ! application/x-rtp-stream,media=video,encoding-name={name},clock-rate=90000,\
         payload=96 ! rtpstreamdepay ! {depay_and_decode} ! videoconvert \
         ! video/x-raw,format=RGB,width={width},height={height} ! fdsink fd=1"
    );
    Decoder::new(&pipeline, width * height * 3)
}

fn vp8(size: (usize, usize)) -> Decoder {
    exactly("rtpvp8depay ! vp8dec", "VP8", size)
}

fn h264(size: (usize, usize)) -> Decoder {
    exactly("rtph264depay ! avdec_h264", "H264", size)
}

fn pcmu() -> Decoder {
    let pipeline = "fdsrc fd=0 ! application/x-rtp-stream,media=audio,encoding-name=PCMU,\
                    clock-rate=8000,payload=96 ! rtpstreamdepay ! rtppcmudepay ! mulawdec \
                    ! audioconvert ! audioresample \
                    ! audio/x-raw,format=S16LE,channels=1,rate=48000 ! fdsink fd=1";
    Decoder::new(pipeline, gst::RATE / 10 * 2)
}

/// Somebody who gets one track.
struct Receiver {
    session: Session,
    decoder: Decoder,
    codec: Codec,
    last: Option<Received>,
}

impl Receiver {
    /// Subscribes with a peer that knows no other codec.
    async fn of(guest: &mut Guest, media: Value, codec: Codec, decoder: Decoder) -> Self {
        let mut peer = MediaPeer::builder().codecs(&[codec]).build().await;
        peer.add_receiver(codec.kind()).await;
        let session = guest.subscribe(media, peer).await;
        Self { session, decoder, codec, last: None }
    }

    /// Decodes until a piece meets a condition.
    async fn until(&mut self, what: &str, meets: impl Fn(&[u8]) -> bool) {
        let start = Instant::now();
        let mut seen = None;
        loop {
            let left = PATIENCE.saturating_sub(start.elapsed());
            assert!(left > Duration::ZERO, "not in time: {what}; pieces: {}", seen.is_some());
            let packet = timeout(left, self.session.peer.packets.recv()).await;
            let packet = packet.unwrap_or_else(|_| panic!("no packet: {what}"));
            let packet = packet.expect("the peer lives");
            if packet.payload_type != self.codec.payload_type {
                continue;
            }
            self.decoder.feed(&packet).await;
            self.last = Some(packet);
            seen = self.decoder.piece().or(seen);
            if seen.as_deref().is_some_and(&meets) {
                return;
            }
        }
    }

    /// Waits for a red picture.
    async fn sees_red(&mut self, what: &str) {
        self.until(what, |picture| {
            let middle = picture.len() / 6 * 3;
            let colour = [picture[middle], picture[middle + 1], picture[middle + 2]];
            // The first line, where a picture of another shape would have a bar.
            let edge = [picture[30], picture[31], picture[32]];
            gst::alike(colour, RED) && gst::alike(edge, RED)
        })
        .await;
    }
}

fn video(stream: &str, wish: Value) -> Value {
    let mut track = json!({"from": stream});
    let (Some(track_keys), Value::Object(wish)) = (track.as_object_mut(), wish) else {
        panic!("two objects")
    };
    track_keys.extend(wish);
    json!({"audio": false, "video": track})
}

/// Somebody who has seen that the camera's size is known and what is offered of it.
async fn watcher(server: &TestServer, camera: &mut Camera) -> Guest {
    let offers = |update: &Value| {
        let video = &update["data"]["value"]["media"]["video"];
        let size = &video["original"][0]["parameters"]["resolution"];
        let formats = video["optional"]["format"].as_array();
        *size == json!({"width": 640, "height": 360})
            && formats.is_some_and(|formats| !formats.is_empty())
    };
    let update = camera.guest.client.skip_to_event("stream", offers).await;
    let media = &update["data"]["value"]["media"];
    let offered = |track: &str, list: &str| {
        let optional = &media[track]["optional"];
        let lists = if list == "format" { &optional[list] } else { &optional["parameters"][list] };
        lists.as_array().cloned().unwrap_or_else(|| panic!("no {list} of {track}: {media}"))
    };
    assert!(offered("audio", "format").contains(&json!({"codec": "pcmu"})), "{media}");
    let formats = offered("video", "format");
    assert!(formats.contains(&json!({"codec": "h264", "profile": "CB"})), "{formats:?}");
    let sizes = offered("video", "resolution");
    assert!(sizes.contains(&json!({"width": 320, "height": 180})), "{sizes:?}");
    assert_eq!(offered("video", "framerate"), [6, 12, 15, 24].map(Value::from));
    Guest::join(server, "lobby", "cat").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_camera_comes_in_other_sizes_and_codecs() {
    let server = server().await;
    let mut camera = Camera::join(&server).await;
    let mut cat = watcher(&server, &mut camera).await;
    let stream = camera.session.id.clone();
    assert!(agents().is_empty(), "nothing is encoded yet");

    let small = json!({"parameters": {"resolution": {"width": 320, "height": 180}}});
    let media = video(&stream, small.clone());
    let mut smaller = Receiver::of(&mut cat, media.clone(), Codec::VP8, vp8((320, 180))).await;
    smaller.sees_red("VP8 in 320x180").await;

    let media = video(&stream, json!({"format": {"codec": "h264", "profile": "CB"}}));
    let mut other = Receiver::of(&mut cat, media, Codec::H264, h264((640, 360))).await;
    other.sees_red("H.264 in its own size").await;

    let mut both = small;
    both["format"] = json!({"codec": "h264"});
    let media = video(&stream, both);
    let mut both = Receiver::of(&mut cat, media, Codec::H264, h264((320, 180))).await;
    both.sees_red("H.264 in 320x180").await;

    let media = video(&stream, json!({}));
    let mut unwitting = Receiver::of(&mut cat, media, Codec::H264, h264((640, 360))).await;
    unwitting.sees_red("H.264 for who knows nothing else").await;
    assert_eq!(agents().len(), 1, "one agent for the room");

    // What is not offered.
    let odd = json!({"parameters": {"resolution": {"width": 322, "height": 180}}});
    for (wish, reason) in [
        (odd, "Resolution is not acceptable"),
        (json!({"parameters": {"framerate": 29}}), "Framerate is not acceptable"),
        (json!({"parameters": {"bitrate": "x0.9"}}), "Bitrate is not acceptable"),
        (json!({"parameters": {"keyFrameInterval": 7}}), "KeyFrameInterval is not acceptable"),
        (json!({"format": {"codec": "h265"}}), "Format is not acceptable"),
    ] {
        let request = json!({"media": video(&stream, wish)});
        let refusal = cat.client.refused("subscribe", &request).await;
        assert_eq!(refusal, format!("Target video stream does NOT satisfy:{reason}"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_can_take_a_camera_as_it_is_needs_no_encoder() {
    let server = server().await;
    let mut camera = Camera::join(&server).await;
    let mut cat = watcher(&server, &mut camera).await;
    let media = video(&camera.session.id, json!({}));
    let mut plain = Receiver::of(&mut cat, media, Codec::VP8, vp8((640, 360))).await;
    plain.sees_red("VP8 as it is").await;
    assert!(agents().is_empty(), "nobody encodes anything");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tone_in_opus_is_heard_in_pcmu() {
    let server = server().await;
    let mut camera = Camera::join(&server).await;
    let mut cat = watcher(&server, &mut camera).await;
    let audio = json!({"from": camera.session.id, "format": {"codec": "pcmu"}});
    let media = json!({"audio": audio, "video": false});
    let mut listener = Receiver::of(&mut cat, media, Codec::PCMU, pcmu()).await;
    let hears =
        |sound: &[u8]| gst::loudness(sound, TONE) > 0.08 && gst::loudness(sound, TONE * 2.5) < 0.02;
    listener.until("the tone", hears).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transcoded_stream_outlives_the_agent() {
    let server = server().await;
    let mut camera = Camera::join(&server).await;
    let mut cat = watcher(&server, &mut camera).await;
    let media = video(&camera.session.id, json!({"format": {"codec": "h264"}}));
    let mut receiver = Receiver::of(&mut cat, media, Codec::H264, h264((640, 360))).await;
    receiver.sees_red("H.264").await;
    let [first] = *agents() else { panic!("not one agent: {:?}", agents()) };
    let before = receiver.last.take().expect("a packet");
    signal("KILL").await;
    // Whatever comes from the second agent begins with a key frame, for a decoder of its own.
    let start = Instant::now();
    while agents().iter().all(|agent| *agent == first) {
        assert!(start.elapsed() < PATIENCE, "no second agent");
        cat.client.skip_to_event("stream", |update| update["data"]["value"] == "active").await;
    }
    receiver.decoder = h264((640, 360));
    receiver.sees_red("H.264 of another agent").await;
    let after = receiver.last.take().expect("a packet");
    assert_eq!(after.ssrc, before.ssrc);
    assert!(after.sequence.wrapping_sub(before.sequence) < 5000, "numbers go on");
}

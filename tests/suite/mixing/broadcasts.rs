//! Streams of meetings as live broadcasts: published by WebRTC or mixed, packaged by a real agent,
//! fetched as players do, decoded and probed.

use portico::live::Address;
use serde_json::json;
use tokio::time::{Instant, timeout};

use super::{
    gst,
    stage::{BLUE, PATIENCE, RED, Speaker, server, signal},
};
use crate::{
    admin::client::BackEnd,
    interop::node,
    live::{
        client::{Answer, send},
        conformance::{Multivariant, Playlist, SHORT_PART},
    },
    support::{guest::Guest, media_peer::Codec, server::TestServer, signals::SignalsGuest},
};

const LOW: f64 = 500.0;
const HIGH: f64 = 1200.0;

/// From a camera's picture to its showing on a page, on one loaded machine.
const MOST_LATENCY_MS: f64 = 3000.0;

/// Bytes of a decoded picture.
const PICTURE: usize = gst::WIDTH * gst::HEIGHT * 3;

/// A player of one broadcast.
struct Player<'s> {
    server: &'s TestServer,
    address: Address,
}

impl<'s> Player<'s> {
    fn new(server: &'s TestServer, stream: &str) -> Self {
        Self { server, address: Address::parse("ann", stream).expect("an address") }
    }

    async fn start(&self, stream: &str) {
        let room = "lobby".parse().expect("an id");
        let room = self.server.server().registry().running(&room).expect("a running room");
        room.broadcast(stream.parse().expect("an id"), self.address.clone()).await;
    }

    async fn get(&self, path: &str) -> Answer {
        let path = format!("/live/{}/{path}", self.address);
        send(self.server.server().address(), "GET", &path, &[], b"").await
    }

    /// Waits for something to play.
    async fn master(&self) -> Multivariant {
        let start = Instant::now();
        loop {
            let answer = self.get("playlist.m3u8").await;
            if answer.status == 200 {
                return Multivariant::read(&answer.text());
            }
            assert!(start.elapsed() < PATIENCE, "nothing to play: {answer:?}");
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    }

    /// The playlist once it has a whole segment of this number.
    async fn playlist(&self, msn: u64) -> Playlist {
        let path = format!("variant/main/playlist.m3u8?_HLS_msn={msn}");
        let reload = async {
            loop {
                let answer = self.get(&path).await;
                // Too far ahead, or not in time on a busy machine.
                if ![400, 503].contains(&answer.status) {
                    return Playlist::read_tolerating(&answer.text(), &[SHORT_PART]);
                }
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        };
        timeout(PATIENCE, reload).await.expect("the segment comes in time")
    }

    /// Initialization section and whole segments as one movie.
    async fn movie(&self, playlist: &Playlist, count: usize) -> Vec<u8> {
        let newest = &playlist.segments[playlist.segments.len() - count..];
        let map = newest[0].map.as_deref().expect("a map");
        let mut movie = self.get(&format!("variant/main/{map}")).await.body;
        for segment in newest {
            let answer = self.get(&format!("variant/main/{}", segment.uri)).await;
            assert_eq!(answer.status, 200, "{segment:?}");
            movie.extend(answer.body);
        }
        movie
    }
}

/// Whether the last picture of a movie has a colour in its middle.
async fn ends_in(movie: &[u8], colour: [u8; 3], at: (f64, f64)) -> bool {
    let pictures = gst::pictures(movie).await;
    let last = pictures.chunks_exact(PICTURE).next_back().expect("pictures");
    gst::alike(gst::probe(last, at), colour)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_published_stream_is_broadcast_until_it_ends() {
    let server = server().await;
    let mut ann = Guest::join(&server, "lobby", "ann").await;
    let (camera, mut sources) = ann.publish(&[Codec::OPUS, Codec::H264]).await;
    let _picture = gst::colour_by_h264(sources.pop().expect("video"), RED);
    let _sound = gst::tone(sources.pop().expect("audio"), LOW);
    let player = Player::new(&server, "camera");
    player.start(&camera.id).await;

    let master = player.master().await;
    let [(variant, uri)] = &master.variants[..] else { panic!("{master:?}") };
    let codecs = &variant["CODECS"];
    assert!(codecs.starts_with("avc1.42") && codecs.ends_with(",mp4a.40.2"), "{codecs}");
    assert_eq!(uri, "variant/main/playlist.m3u8");
    let mut before = player.playlist(0).await;
    for msn in 1..4 {
        let playlist = player.playlist(msn).await;
        before.precedes(&playlist);
        before = playlist;
    }
    assert!(before.segments.iter().all(|segment| !segment.discontinuity), "{before:?}");
    for segment in before.segments.iter().filter(|segment| !segment.parts.is_empty()) {
        assert!(segment.parts[0].independent, "players start with a segment's first part");
        assert!(segment.program_date_time.is_some());
    }
    let movie = player.movie(&before, 2).await;
    assert!(ends_in(&movie, RED, (0.5, 0.5)).await);
    let sound = gst::sound(&movie).await;
    assert!(gst::loudness(&sound, LOW) > 0.08, "{}", gst::loudness(&sound, LOW));
    assert!(gst::loudness(&sound, HIGH) < 0.02);

    ann.client.granted("unpublish", &json!({"id": camera.id})).await;
    let ended = player.playlist(1_000_000).await;
    assert!(ended.ended, "{ended:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publisher_of_the_signals_door_is_broadcast_when_it_asks() {
    let server = server().await;
    let (mut ann, _) = SignalsGuest::found(&server, "lobby", "m2m", "ann").await;
    let forwarding = json!({"hlsForwarding": true});
    let (_uplink, mut sources) = ann.publish_with(forwarding, &[Codec::OPUS, Codec::H264]).await;
    let _picture = gst::colour_by_h264(sources.pop().expect("video"), BLUE);
    let _sound = gst::tone(sources.pop().expect("audio"), HIGH);
    // The session's id is the user's name here.
    let player = Player::new(&server, "ann");
    player.master().await;
    let playlist = player.playlist(1).await;
    let movie = player.movie(&playlist, 1).await;
    assert!(ends_in(&movie, BLUE, (0.5, 0.5)).await);
    assert!(gst::loudness(&gst::sound(&movie).await, HIGH) > 0.08);
    ann.send("LEAVE", json!({})).await;
    assert!(player.playlist(1_000_000).await.ended);
}

/// The whole way: a camera's pictures by WebRTC, forwarded to the agent, decoded, shown in a view,
/// encoded, packaged, and played by hls.js in Chromium.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hls_js_plays_a_published_stream_with_low_latency() {
    let server = server().await;
    let mut ann = Guest::join(&server, "lobby", "ann").await;
    let (camera, mut sources) = ann.publish(&[Codec::OPUS, Codec::H264]).await;
    let _picture = gst::time_by_h264(sources.pop().expect("video"));
    let _sound = gst::tone(sources.pop().expect("audio"), LOW);
    let player = Player::new(&server, "camera");
    player.start(&camera.id).await;
    player.master().await;
    player.playlist(1).await;
    let playlist = format!("{}/live/{}/playlist.m3u8", server.http_url(), player.address);
    let result = node::run("chromium.mjs", &["live", &server.http_url(), &playlist]).await;
    let median = result["latencyMs"]["median"].as_f64().expect("a number");
    assert!(median > 0.0 && median <= MOST_LATENCY_MS, "{result}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_view_is_broadcast_and_outlives_its_agent() {
    let server = server().await;
    let mut ann = Speaker::join(&server, "ann", RED, LOW).await;
    let mut bob = Speaker::join(&server, "bob", BLUE, HIGH).await;
    ann.control("mix", json!("common")).await;
    bob.control("mix", json!("common")).await;
    let back_end = BackEnd::of(&server).await;
    let live = |view: &str| format!("/v1.1/rooms/lobby/views/{view}/live");
    back_end.put(&live("nowhere"), json!({})).await.refused(404, 1001);
    let place = back_end.put(&live("common"), json!({})).await;
    assert_eq!((place.status, place.text()), (200, "/live/lobby/common/playlist.m3u8"));
    let address = Address::parse("lobby", "common").expect("an address");
    let player = Player { server: &server, address };
    player.master().await;
    let before = player.playlist(3).await;
    let movie = player.movie(&before, 1).await;
    assert!(ends_in(&movie, RED, (0.25, 0.25)).await, "the first in the first region");
    assert!(ends_in(&movie, BLUE, (0.75, 0.25)).await, "the second in the second");
    let sound = gst::sound(&movie).await;
    for tone in [LOW, HIGH] {
        assert!(gst::loudness(&sound, tone) > 0.08, "{tone}: {}", gst::loudness(&sound, tone));
    }

    signal("KILL").await;
    let mut after = before.clone();
    while !after.segments.iter().any(|segment| segment.discontinuity) {
        let later = player.playlist(after.next()).await;
        after.precedes(&later);
        after = later;
    }
    let after = player.playlist(after.next() + 1).await;
    let movie = player.movie(&after, 1).await;
    assert!(ends_in(&movie, BLUE, (0.75, 0.25)).await, "the picture goes on");

    assert_eq!(back_end.delete(&live("common")).await.status, 200);
    assert!(player.playlist(1_000_000).await.ended);
}

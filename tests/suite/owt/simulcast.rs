//! Pictures in layers through the `owt` door.

use serde_json::{Value, json};

use super::transports::Multiplexer;
use crate::support::{
    guest::{Guest, Session},
    media_peer::{Codec, Mark, MediaPeer, Pace, Picture, Running, Source, receiver},
    server::TestServer,
};

const RIDS: [&str; 3] = ["q", "h", "f"];
const SIZES: [(u16, u16); 3] = [(320, 192), (640, 368), (1280, 720)];
const FRAMES_OF_A_LAYER: u32 = 10_000;

/// Ann publishes a camera in three layers, which run.
async fn publish(ann: &mut Guest) -> (Session, Vec<Running>) {
    let mut peer = MediaPeer::builder().codecs(&[Codec::VP8]).build().await;
    let layers = peer.add_simulcast(Codec::VP8, &RIDS).await;
    let session = ann.publish_peer(json!({"audio": false, "video": {"source": "camera"}}), peer);
    let session = session.await;
    (session, run(layers))
}

fn run(layers: Vec<Source>) -> Vec<Running> {
    let run = |(number, mut layer): (u32, Source)| {
        let (width, height) = SIZES[number as usize];
        layer.picture = Picture { width, height };
        layer.next_frame = (number + 1) * FRAMES_OF_A_LAYER;
        layer.run(Pace::VIDEO)
    };
    (0..).zip(layers).map(run).collect()
}

/// Waits until a session shows a layer.
async fn sees(session: &mut Session, layer: u32) {
    shows(&mut session.peer, layer).await;
}

async fn shows(peer: &mut MediaPeer, layer: u32) {
    let of_layer = |mark: Mark| mark.frame / FRAMES_OF_A_LAYER == layer + 1;
    peer.packet_that(|it| Mark::of(&it.payload).filter(|mark| of_layer(*mark))).await;
}

/// The next change of the whole stream: names and widths of its layers.
async fn widths(guest: &mut Guest) -> Vec<(String, Option<u64>)> {
    let update = guest.client.expect_event("stream").await;
    assert_eq!(update["data"]["field"], ".", "{update}");
    let original = update["data"]["value"]["media"]["video"]["original"].clone();
    let layers = original.as_array().expect("a list").iter();
    let width = |layer: &Value| layer["parameters"]["resolution"]["width"].as_u64();
    let name = |layer: &Value| layer["simulcastRid"].as_str().expect("a name").to_owned();
    layers.map(|layer| (name(layer), width(layer))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn layers_are_listed_measured_chosen_and_changed() {
    let server = TestServer::start().await;
    let mut ann = Guest::join(&server, "lobby", "ann").await;
    let mut bob = Guest::join(&server, "lobby", "bob").await;
    let (camera, running) = publish(&mut ann).await;
    let added = bob.client.expect_event("stream").await;
    let video = &added["data"]["media"]["video"];
    let rids: Vec<&str> = video["original"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|layer| layer["simulcastRid"].as_str())
        .collect();
    assert_eq!(rids, RIDS);
    assert_eq!(video["optional"]["parameters"]["resolution"], json!([]));
    // One update for each size that becomes known.
    let mut known = Vec::new();
    for _ in RIDS {
        known = widths(&mut bob).await;
    }
    let expected = RIDS.iter().zip(SIZES);
    let expected = expected.map(|(rid, size)| ((*rid).to_owned(), Some(size.0.into())));
    assert_eq!(known, expected.collect::<Vec<_>>());

    let wanted = |rid: &str| json!({"from": camera.id, "simulcastRid": rid});
    let unknown = json!({"media": {"audio": false, "video": wanted("x")}});
    assert_eq!(
        bob.client.refused("subscribe", &unknown).await,
        "Target video stream does NOT satisfy:Simulcast RID is not acceptable"
    );
    let media = json!({"audio": false, "video": wanted("q")});
    let mut seen = bob.subscribe(media, receiver(&[Codec::VP8]).await).await;
    sees(&mut seen, 0).await;
    let by_track = format!("{}:video:h", camera.id);
    for (video, layer) in [
        (json!({"simulcastRid": "f"}), 2),
        (json!({"from": by_track}), 1),
        (json!({"parameters": {"resolution": {"width": 320, "height": 180}}}), 0),
        (json!({"from": camera.id}), 2),
    ] {
        let data = json!({"video": video});
        let update = json!({"id": seen.id, "operation": "update", "data": data});
        bob.client.granted("subscription-control", &update).await;
        sees(&mut seen, layer).await;
    }
    let data = json!({"video": {"simulcastRid": "x"}});
    let update = json!({"id": seen.id, "operation": "update", "data": data});
    assert_eq!(
        bob.client.refused("subscription-control", &update).await,
        "Target video stream does NOT satisfy:Simulcast RID is not acceptable"
    );
    sees(&mut seen, 2).await;
    // Whoever comes later finds the layers listed.
    let late = json!({"audio": false, "video": {"from": by_track}});
    let mut late = bob.subscribe(late, receiver(&[Codec::VP8]).await).await;
    sees(&mut late, 1).await;
    for running in running {
        running.stop().await;
    }
}

/// In protocol 1.2 each layer is a track with an id, beside other tracks on one peer connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn layers_are_tracks_of_their_own() {
    let server = TestServer::start().await;
    let mut ann = Multiplexer::join(&server).await;
    let plain = ann.peer.add_source(Codec::VP8).await;
    let tracks = json!([{"type": "video", "mid": "0", "source": "screen-cast"}]);
    ann.open("publish", tracks).await;
    ann.client.expect_event("stream").await;
    let layers = ann.peer.add_simulcast(Codec::VP8, &RIDS).await;
    let tracks = json!([{"type": "video", "mid": "1", "source": "camera"}]);
    let stream = ann.open("publish", tracks).await;
    let added = ann.client.expect_event("stream").await;
    assert_eq!(added["id"], stream.as_str());
    let tracks = added["data"]["media"]["tracks"].as_array().expect("a list");
    let named: Vec<(&str, &str)> = tracks
        .iter()
        .map(|track| (track["id"].as_str().expect("an id"), track["rid"].as_str().expect("a rid")))
        .collect();
    let ids = RIDS.map(|rid| format!("{stream}:video:{rid}"));
    assert_eq!(named, ids.iter().map(String::as_str).zip(RIDS).collect::<Vec<_>>());

    let (plain, running) = (plain.run(Pace::VIDEO), run(layers));
    let mut bob = Multiplexer::join(&server).await;
    for (layer, track) in [(1, &ids[1]), (0, &ids[0])] {
        bob.peer.add_receiver(Codec::VP8.kind()).await;
        bob.open("subscribe", json!([{"type": "video", "from": track}])).await;
        shows(&mut bob.peer, layer).await;
    }
    let unknown = json!([{"type": "video", "from": format!("{stream}:video:x")}]);
    let unknown = json!({"media": {"tracks": unknown}, "transport": {"type": "webrtc"}});
    assert_eq!(
        bob.client.refused("subscribe", &unknown).await,
        "Target video stream does NOT satisfy:Simulcast RID is not acceptable"
    );
    plain.stop().await;
    for running in running {
        running.stop().await;
    }
}

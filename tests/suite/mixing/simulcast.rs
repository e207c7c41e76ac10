//! Which layer of a simulcast a view is made of.

use serde_json::json;

use super::{
    gst::{self, Playing},
    stage::{BLUE, RED, Viewer, server},
};
use crate::support::{
    guest::{Guest, Session},
    media_peer::{Codec, MediaPeer},
};

const GREEN: [u8; 3] = [30, 160, 30];

/// A camera whose layers have a colour each: blue is the largest, red the smallest.
async fn camera(guest: &mut Guest) -> (Session, Vec<Playing>) {
    let mut peer = MediaPeer::builder().codecs(&[Codec::VP8]).build().await;
    let layers = peer.add_simulcast(Codec::VP8, &["f", "h", "q"]).await;
    let media = json!({"audio": false, "video": {"source": "camera"}});
    let session = guest.publish_peer(media, peer).await;
    let looks = [(BLUE, (1280, 720)), (GREEN, (640, 360)), (RED, (320, 180))];
    let playing = layers.into_iter().zip(looks);
    let playing = playing.map(|(layer, (colour, size))| gst::colour_of(layer, colour, size, 12));
    (session, playing.collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_view_takes_the_layer_that_fits_the_place_of_an_input() {
    let server = server().await;
    let mut ann = Guest::join(&server, "lobby", "ann").await;
    let (layered, _layers) = camera(&mut ann).await;
    let (plain, mut sources) = ann.publish(&[Codec::VP8]).await;
    let _playing = gst::colour(sources.pop().expect("video"), BLUE);
    let mut control = async |stream: &str, operation: &str| {
        let request = json!({"id": stream, "operation": operation, "data": "common"});
        ann.client.granted("stream-control", &request).await;
    };
    control(&layered.id, "mix").await;
    let mut bob = Guest::join(&server, "lobby", "bob").await;
    let mut viewer = Viewer::of(&mut bob, &[Codec::VP8]).await;
    // The view has 640 x 480 pixels, which the layer of 640 pixels fills in width.
    viewer.until("the middle layer in the whole view", |it| it.sees(GREEN, (0.5, 0.5))).await;
    control(&plain.id, "mix").await;
    viewer
        .until("the smallest layer in a quarter of it", |it| {
            it.sees(RED, (0.25, 0.25)) && it.sees(BLUE, (0.75, 0.25))
        })
        .await;
    control(&plain.id, "unmix").await;
    viewer.until("the middle layer again", |it| it.sees(GREEN, (0.5, 0.5))).await;
}

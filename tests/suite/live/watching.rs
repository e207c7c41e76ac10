//! Real media, from an encoder to a browser.

use super::{
    client::Show,
    conformance::{Multivariant, Playlist},
    packager::Packager,
};
use crate::{interop::node, support::server::TestServer};

/// From a picture's making to its showing, encoder and browser included, on one loaded machine.
const MOST_LATENCY_MS: f64 = 3000.0;

/// A page of another origin plays by hls.js. The time in the picture says how late it is.
#[tokio::test]
async fn hls_js_plays_with_low_latency() {
    let server = TestServer::start().await;
    let mut packager = Packager::start(Show::new(&server).await);
    packager.until(2).await;
    let playlist = format!("{}/live/ann/show/playlist.m3u8", server.http_url());
    let result = node::run("chromium.mjs", &["live", &server.http_url(), &playlist]).await;
    let median = result["latencyMs"]["median"].as_f64().expect("a number");
    assert!(median > 0.0 && median <= MOST_LATENCY_MS, "{result}");
}

#[tokio::test]
async fn playlists_of_real_media_keep_the_rules() {
    let server = TestServer::start().await;
    let show = Show::new(&server).await;
    let mut packager = Packager::start(Show { token: show.token.clone(), ..show });
    packager.until(1).await;
    let master = Multivariant::read(&show.get("playlist.m3u8").await.text());
    let (variant, uri) = &master.variants[0];
    assert!(variant["CODECS"].starts_with("avc1.42c0"), "{variant:?}");
    let tracks = [uri.as_str(), &*master.renditions[0]["URI"]];
    let mut before: [Option<Playlist>; 2] = [None, None];
    for msn in 1..8 {
        for index in 0..4 {
            for (uri, before) in tracks.iter().zip(&mut before) {
                let query = format!("{uri}?_HLS_msn={msn}&_HLS_part={index}");
                let playlist = Playlist::read(&show.get(&query).await.text());
                if let Some(before) = before.take() {
                    before.precedes(&playlist);
                }
                assert_eq!(playlist.reports.len(), 1);
                *before = Some(playlist);
            }
        }
    }
    let video = before[0].as_ref().expect("a playlist");
    for segment in &video.segments {
        assert!((segment.duration - 1.0).abs() < 1e-3, "{segment:?}");
        assert!(segment.program_date_time.is_some());
        let whole = show.get(&format!("variant/v/{}", segment.uri)).await;
        assert_eq!(whole.status, 200);
        let fragments = super::mp4::boxes(&whole.body).filter(|(kind, _)| kind == b"moof");
        assert_eq!(fragments.count(), 4, "a segment is its four parts");
    }
    for segment in video.segments.iter().filter(|segment| !segment.parts.is_empty()) {
        let independent: Vec<_> = segment.parts.iter().map(|part| part.independent).collect();
        assert_eq!(independent, [true, false, false, false], "{segment:?}");
    }
}

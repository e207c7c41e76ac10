//! The limits that the system sets.

use tokio::task::JoinSet;

use super::Place;
use crate::support::socketio::{EngineIo, RawClient};

const SETTINGS: &str = "[portal]\nport = 0\nmax_connections = 1000\n[media]\nudp_port = 0\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_low_limit_of_open_files_is_raised() {
    let place = Place::with(SETTINGS);
    let server = place.serve_within("-Sn 128");
    assert!(!server.said().contains("too few files"), "{}", server.said());
    let mut arrivals = JoinSet::new();
    for _ in 0..300 {
        let url = server.http_url().to_owned();
        arrivals.spawn(async move { RawClient::connect(&url, EngineIo::V4).await });
    }
    assert_eq!(arrivals.join_all().await.len(), 300);
}

#[test]
fn a_limit_that_cannot_be_raised_is_told() {
    let place = Place::with(SETTINGS);
    let server = place.serve_within("-n 512");
    assert!(server.said().contains("too few files for [portal] max_connections"));
}

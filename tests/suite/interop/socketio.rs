//! Each major version of `socket.io-client`, over each combination of transports: two clients log
//! in, write to each other, hear of each other, and log out.

use serde_json::json;

use super::node;
use crate::support::server::TestServer;

async fn meet(version: &str, transports: &str) {
    let server = TestServer::start().await;
    let alice = server.token("meeting", "alice", "presenter").await;
    let bob = server.token("meeting", "bob", "presenter").await;
    let arguments = [version, transports, &server.http_url(), &alice, &bob];
    let result = node::run("socketio.mjs", &arguments).await;
    assert_eq!(
        result,
        json!({ "ok": true, "version": version, "transports": transports, "heard": 5 })
    );
}

#[tokio::test]
async fn version_2_starts_polling_and_upgrades() {
    meet("2", "polling-first").await;
}

#[tokio::test]
async fn version_2_over_websocket_alone() {
    meet("2", "websocket").await;
}

#[tokio::test]
async fn version_2_over_polling_alone() {
    meet("2", "polling").await;
}

#[tokio::test]
async fn version_3_starts_polling_and_upgrades() {
    meet("3", "polling-first").await;
}

#[tokio::test]
async fn version_3_over_websocket_alone() {
    meet("3", "websocket").await;
}

#[tokio::test]
async fn version_3_over_polling_alone() {
    meet("3", "polling").await;
}

#[tokio::test]
async fn version_4_starts_polling_and_upgrades() {
    meet("4", "polling-first").await;
}

#[tokio::test]
async fn version_4_over_websocket_alone() {
    meet("4", "websocket").await;
}

#[tokio::test]
async fn version_4_over_polling_alone() {
    meet("4", "polling").await;
}

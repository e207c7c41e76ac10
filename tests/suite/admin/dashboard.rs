//! What the dashboard is made of.

use serde_json::{Value, json};

use super::client::{BackEnd, send};
use crate::support::{guest::Guest, media_peer::Codec, server::TestServer};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_are_open_and_numbers_are_not() {
    let server = TestServer::with(|config| config.demo.enabled = false).await;
    let address = server.server().address();
    let get = |path: &'static str| async move { send(address, "GET", path, None, None).await };
    for path in ["/admin", "/admin/", "/admin/index.html"] {
        let page = get(path).await;
        assert!(page.text().starts_with("<!doctype html>"), "{path}");
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    }
    // Everything that the page names is there, without the demo page's files.
    let page = get("/admin").await;
    let named = page
        .text()
        .split(['"', '\''])
        .filter(|text| text.starts_with("/admin/") || text.starts_with("/shared/"));
    for path in named.map(str::to_owned).collect::<Vec<_>>() {
        assert_eq!(send(address, "GET", &path, None, None).await.status, 200, "{path}");
    }
    assert_eq!(get("/admin/..%2fdemo%2fdemo.js").await.status, 404);
    for path in ["/admin/data/overview", "/admin/data/rooms/demo"] {
        get(path).await.refused(401, 1101);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rooms_are_shown_with_all_that_is_in_them() {
    let server = TestServer::with(|config| config.demo.enabled = false).await;
    let back_end = BackEnd::of(&server).await;
    let room = back_end.room(json!({})).await;
    let idle = back_end.room(json!({"views": []})).await;
    let mut ann = Guest::join(&server, &room, "ann").await;
    let (session, _sources) = ann.publish(&[Codec::OPUS]).await;
    ann.client.expect_event("stream").await;
    let bob = Guest::join(&server, &room, "bob").await;

    let overview = back_end.get("/admin/data/overview").await.granted();
    let row = |id: &str, running: bool, participants: u32, streams: u32, views: u32| {
        json!({
            "id": id, "name": "a room", "running": running, "participants": participants,
            "streams": streams, "subscriptions": 0, "views": views,
        })
    };
    let mut rows = vec![row(&room, true, 2, 1, 1), row(&idle, false, 0, 0, 0)];
    rows.sort_by_key(|row| row["id"].to_string());
    assert_eq!(overview["rooms"], Value::Array(rows));
    assert_eq!(overview["server"]["transports"], 1);

    let shown = back_end.get(&format!("/admin/data/rooms/{room}")).await.granted();
    assert_eq!(shown["running"], true);
    let ids: Vec<_> = shown["participants"].as_array().expect("a list").iter().collect();
    assert_eq!((&ids[0]["id"], &ids[1]["id"]), (&json!(ann.id), &json!(bob.id)));
    assert_eq!(shown["streams"][1]["id"], session.id.as_str());
    assert_eq!(shown["subscriptions"], json!([]));
    let view = json!({
        "label": "common", "stream": format!("{room}-common"),
        "status": "failed: Mixing is not available: its program is not installed.",
        "resolution": {"width": 640, "height": 480}, "background": {"r": 0, "g": 0, "b": 0},
    });
    assert_eq!(shown["views"], json!([view]));

    let shown = back_end.get(&format!("/admin/data/rooms/{idle}")).await.granted();
    assert_eq!((&shown["running"], &shown["views"]), (&json!(false), &json!([])));
    back_end.get("/admin/data/rooms/nowhere").await.refused(404, 1003);
}

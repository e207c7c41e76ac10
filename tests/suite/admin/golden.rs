//! JSON as clients get it, member for member. Strict clients crash on a missing one.

use serde_json::{Value, json};

use super::client::{BackEnd, send};
use crate::support::{guest::Guest, media_peer::Codec, server::TestServer};

fn golden(name: &str) -> &'static str {
    match name {
        "room" => include_str!("golden/room.json"),
        "stream-v1" => include_str!("golden/stream-v1.json"),
        "stream-v1.1" => include_str!("golden/stream-v1.1.json"),
        other => panic!("no golden file {other}"),
    }
}

/// Compares with the golden file, in which `$name` stands for what differs from run to run.
#[track_caller]
fn check(name: &str, told: &Value, names: &[(&str, &str)]) {
    let mut text = told.to_string();
    for (name, value) in names {
        text = text.replace(value, name);
    }
    let told: Value = serde_json::from_str(&text).expect("still JSON");
    let expected: Value = serde_json::from_str(golden(name)).expect("JSON");
    assert_eq!(told, expected, "{name} differs");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rooms_and_streams_have_every_member() {
    let server = TestServer::with(|_| {}).await;
    let back_end = BackEnd::of(&server).await;
    let room = back_end.post("/v1/rooms", json!({"name": "sampleRoom", "options": {}})).await;
    let room = room.granted();
    let id = room["_id"].as_str().expect("an id");
    check("room", &room, &[("$room", id)]);

    let mut ann = Guest::join(&server, id, "ann").await;
    let (session, _sources) = ann.publish(&[Codec::OPUS, Codec::VP8]).await;
    ann.client.expect_event("stream").await;
    let names = [("$room", id), ("$stream", session.id.as_str()), ("$ann", ann.id.as_str())];
    for version in ["v1", "v1.1"] {
        let streams = back_end.get(&format!("/{version}/rooms/{id}/streams")).await.granted();
        check(&format!("stream-{version}"), &streams, &names);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_document_names_what_there_is() {
    let server = TestServer::with(|_| {}).await;
    let back_end = BackEnd::of(&server).await;
    let document = send(back_end.address, "GET", "/v1.1/openapi.json", None, None).await;
    assert_eq!(document.header("content-type"), Some("application/json"));
    let document = document.granted();
    let schemas = &document["components"]["schemas"];
    let mut operations = 0;
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            operations += 1;
            let concrete = path.replace("{room}", "nowhere").replace(['{', '}'], "");
            let asked = back_end.ask(&method.to_uppercase(), &concrete, Some("{}".into())).await;
            assert_ne!(asked.status, 405, "{method} {path}");
            if asked.status == 404 {
                // What is named in the path is missing, not the path.
                let code = if path.starts_with("/services") { 1002 } else { 1003 };
                asked.refused(404, code);
            }
            let text = operation.to_string();
            for reference in text.split("#/components/schemas/").skip(1) {
                let name = reference.split('"').next().expect("a name");
                assert!(schemas[name].is_object(), "{name}");
            }
        }
    }
    assert_eq!(operations, 4 + 2 * (18 + 18), "every endpoint is in it");
}

//! What the demo page asks the server for, and what it is refused.

use serde_json::{Value, json};

use super::client::{Answer, send};
use crate::support::{guest::Guest, media_peer::Codec, server::TestServer};

async fn post(server: &TestServer, path: &str, body: &Value) -> Answer {
    send(server.server().address(), "POST", path, None, Some(&body.to_string())).await
}

/// A grid of two, above one another.
fn pair() -> Value {
    let region = |id: &str, top: &str| {
        let area = json!({"left": "0", "top": top, "width": "1", "height": "1/2"});
        json!({"id": id, "shape": "rectangle", "area": area})
    };
    json!({"base": "void", "custom": [{"region": [region("up", "0"), region("down", "1/2")]}]})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn visitors_of_the_demo_room_change_its_mix_and_no_other() {
    let server = TestServer::start().await;
    let layout = |room: &str, view: &str, templates: Value| json!({"room": room, "view": view, "templates": templates});
    let ours = layout("demo", "common", pair());
    assert_eq!(post(&server, "/demo/layout", &ours).await.status, 409, "nobody is there");

    let mut ann = Guest::join(&server, "demo", "ann").await;
    let (camera, _sources) = ann.publish(&[Codec::VP8]).await;
    let relaid = |regions: &'static [(&str, bool)]| {
        move |told: &Value| {
            let value = told["data"]["value"].as_array().filter(|_| told["id"] == "demo-common");
            let seats = value.into_iter().flatten();
            let seats =
                seats.map(|seat| (seat["region"]["id"].as_str(), seat["stream"].is_string()));
            let wanted = regions.iter().map(|(id, taken)| (Some(*id), *taken));
            seats.eq(wanted)
        }
    };
    ann.client.skip_to_event("stream", relaid(&[("1", true)])).await;
    assert_eq!(post(&server, "/demo/layout", &ours).await.status, 204);
    ann.client.skip_to_event("stream", relaid(&[("up", true), ("down", false)])).await;

    let mix = |room: &str, view: &str, stream: &str, mixed: bool| json!({"room": room, "view": view, "stream": stream, "mixed": mixed});
    let out = mix("demo", "common", &camera.id, false);
    for _ in 0..2 {
        assert_eq!(post(&server, "/demo/mix", &out).await.status, 204, "twice is once");
    }
    ann.client.skip_to_event("stream", relaid(&[("up", false), ("down", false)])).await;
    assert_eq!(
        post(&server, "/demo/mix", &mix("demo", "common", &camera.id, true)).await.status,
        204
    );
    ann.client.skip_to_event("stream", relaid(&[("up", true), ("down", false)])).await;

    let mut other = Guest::join(&server, "lobby", "bob").await;
    let (foreign, _sources) = other.publish(&[Codec::VP8]).await;
    let many = (0..65).map(|_| pair()["custom"][0].clone()).collect::<Vec<_>>();
    let circle = json!({"id": "1", "shape": "circle", "area": {"centerW": "2", "centerH": "1/2",
        "radius": "1/2"}});
    let layouts = [
        (403, layout("lobby", "common", pair())),
        (400, layout("demo", "nonsense", pair())),
        (400, layout("demo", "../x", pair())),
        (400, layout("demo", "common", json!({"base": "void", "custom": []}))),
        (400, layout("demo", "common", json!({"base": "void", "custom": [{"region": []}]}))),
        (400, layout("demo", "common", json!({"base": "fluid", "custom": [{"region": [circle]}]}))),
        (400, layout("demo", "common", json!({"base": "fluid", "custom": many}))),
        (413, layout("demo", "common", json!({"base": "fluid", "custom": [many, many]}))),
        (422, layout("demo", "common", json!({"base": "spiral"}))),
        (422, json!({"room": "demo"})),
    ];
    for (status, wish) in layouts {
        assert_eq!(post(&server, "/demo/layout", &wish).await.status, status, "{wish:.200}");
    }
    let moves = [
        (403, mix("lobby", "common", &foreign.id, true)),
        (400, mix("demo", "common", &foreign.id, true)),
        (400, mix("demo", "common", "demo-common", true)),
        (400, mix("demo", "nonsense", &camera.id, true)),
        (400, mix("demo", "common", "", true)),
        (422, json!({"room": "demo", "view": "common", "stream": 1, "mixed": true})),
    ];
    for (status, wish) in moves {
        assert_eq!(post(&server, "/demo/mix", &wish).await.status, status, "{wish}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_demo_room_there_is_nothing_to_ask() {
    let server = TestServer::with(|config| config.demo.enabled = false).await;
    for path in ["/demo/token", "/demo/layout", "/demo/mix"] {
        let wish = json!({"room": "demo", "view": "common", "templates": pair()});
        assert_eq!(post(&server, path, &wish).await.status, 404, "{path}");
    }
}

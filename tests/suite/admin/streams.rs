//! Streams of running rooms.

use serde_json::{Value, json};

use super::client::BackEnd;
use crate::support::{
    guest::{Guest, Session},
    media_peer::Codec,
    server::TestServer,
};

/// A room with a participant that publishes sound and picture; the stream is announced, and is
/// there for as long as its session.
async fn stage(server: &TestServer, back_end: &BackEnd) -> (String, Guest, Session) {
    let room = back_end.room(json!({})).await;
    let mut ann = Guest::join(server, &room, "ann").await;
    let (session, _sources) = ann.publish(&[Codec::OPUS, Codec::VP8]).await;
    let added = ann.client.expect_event("stream").await;
    assert_eq!((&added["id"], &added["status"]), (&json!(session.id), &json!("add")));
    (room, ann, session)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_are_listed_in_the_form_of_each_version() {
    let server = TestServer::with(|_| {}).await;
    let back_end = BackEnd::of(&server).await;
    let idle = back_end.room(json!({})).await;
    assert_eq!(back_end.get(&format!("/v1/rooms/{idle}/streams")).await.granted(), json!([]));
    back_end.get(&format!("/v1/rooms/{idle}/streams/{idle}-common")).await.refused(404, 1004);

    let (room, ann, session) = stage(&server, &back_end).await;
    let stream = &session.id;
    for (version, has, lacks) in [("/v1", "format", "original"), ("/v1.1", "original", "format")] {
        let path = format!("{version}/rooms/{room}/streams");
        let listed = back_end.get(&path).await.granted();
        let [mixed, forward] = listed.as_array().expect("a list").as_slice() else {
            panic!("a view and a stream: {listed}")
        };
        assert_eq!(
            (&mixed["id"], &mixed["type"]),
            (&json!(room.clone() + "-common"), &json!("mixed"))
        );
        assert_eq!((&forward["id"], &forward["type"]), (&json!(stream), &json!("forward")));
        assert_eq!(forward["info"]["owner"], ann.id.as_str());
        for stream in [mixed, forward] {
            let video = &stream["media"]["video"];
            assert!(video[has].is_object() || video[has].is_array(), "{version}: {video}");
            assert!(video[lacks].is_null(), "{version}: {video}");
            assert!(stream["media"]["tracks"].is_null());
            let one = format!("{path}/{}", stream["id"].as_str().expect("text"));
            assert_eq!(back_end.get(&one).await.granted(), *stream);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_is_paused_and_resumed_for_everybody() {
    let server = TestServer::with(|_| {}).await;
    let back_end = BackEnd::of(&server).await;
    let (room, mut ann, session) = stage(&server, &back_end).await;
    let stream = &session.id;
    let path = format!("/v1.1/rooms/{room}/streams/{stream}");
    let status = |kind: &str, value: &str| json!({"op": "replace", "path": format!("/media/{kind}/status"), "value": value});
    let patch = json!([status("audio", "inactive"), status("video", "inactive")]);
    let told = back_end.patch(&path, patch).await.granted();
    for kind in ["audio", "video"] {
        assert_eq!(told["media"][kind]["status"], "inactive");
        let update = ann.client.expect_event("stream").await;
        let field = format!("{kind}.status");
        let data = json!({"field": field, "value": "inactive"});
        assert_eq!(update, json!({"id": stream, "status": "update", "data": data}));
    }
    let told = back_end.patch(&path, json!([status("video", "active")])).await.granted();
    assert_eq!(told["media"]["video"]["status"], "active");
    assert_eq!(ann.client.expect_event("stream").await["data"]["value"], "active");
    assert_eq!(
        back_end.patch(&path, json!([])).await.granted(),
        told,
        "nothing asked, nothing done"
    );

    let mixed = format!("/v1.1/rooms/{room}/streams/{room}-common");
    back_end.patch(&mixed, json!([status("audio", "inactive")])).await.refused(400, 1201);
    let missing = format!("/v1.1/rooms/{room}/streams/nobodys");
    back_end.patch(&missing, json!([status("audio", "inactive")])).await.refused(404, 1004);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_is_ended() {
    let server = TestServer::with(|_| {}).await;
    let back_end = BackEnd::of(&server).await;
    let (room, mut ann, session) = stage(&server, &back_end).await;
    let stream = &session.id;
    let path = format!("/v1/rooms/{room}/streams/{stream}");
    assert_eq!(back_end.delete(&path).await.text(), "");
    let data = "Ended by an administrator";
    let progress = ann.client.expect_event("progress").await;
    assert_eq!(progress, json!({"id": stream, "status": "error", "data": data}));
    let removed = ann.client.expect_event("stream").await;
    assert_eq!(removed, json!({"id": stream, "status": "remove"}));
    back_end.delete(&path).await.refused(404, 1004);
    back_end.get(&path).await.refused(404, 1004);
    let mixed = format!("/v1/rooms/{room}/streams/{room}-common");
    assert_eq!(back_end.delete(&mixed).await.refused(400, 1201), "Stream is Mixed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_patches_change_nothing() {
    let server = TestServer::with(|_| {}).await;
    let back_end = BackEnd::of(&server).await;
    let (room, mut ann, session) = stage(&server, &back_end).await;
    let stream = &session.id;
    let path = format!("/v1/rooms/{room}/streams/{stream}");
    let pause = operation("replace", "/media/audio/status", json!("inactive"));
    for bad in [
        json!(null),
        json!({}),
        json!([{}]),
        json!([operation("replace", "/media/audio/status", json!("loud"))]),
        json!([operation("replace", "/media/audio/status", json!(true))]),
        json!([operation("add", "/media/audio/status", json!("active"))]),
        json!([operation("replace", "/media/smell/status", json!("active"))]),
        json!([operation("add", "/info/inViews", json!(5))]),
        json!([operation("add", "/info/inViews", json!(""))]),
        json!([operation("add", "/info/inViews", json!("x".repeat(200)))]),
        json!([operation("replace", "/info/inViews", json!("common"))]),
        json!([operation("replace", "/info/layout", json!("grid"))]),
        json!([operation("replace", "/info/layout", json!([{"stream": "x"}]))]),
        json!([operation("replace", "/info/layout/x/stream", json!("x"))]),
        json!([operation("replace", "/info/layout/-1/stream", json!("x"))]),
        json!([operation("replace", "/info/layout/0/stream", json!("a b"))]),
        json!([operation("replace", "/info/layout/99999999999999999999/stream", json!("x"))]),
        json!([pause, operation("replace", "/info/owner", json!("me"))]),
    ] {
        back_end.patch(&path, bad).await.refused(400, 1201);
    }
    // A text of one's own comes right after, so nothing was announced.
    ann.client.granted("text", &json!({"to": "all", "message": "quiet"})).await;
    assert_eq!(ann.client.expect_event("text").await["message"], "quiet");
}

fn operation(op: &str, path: &str, value: impl Into<Value>) -> Value {
    json!({"op": op, "path": path, "value": value.into()})
}

/// A region as large as the picture, and who is in it.
fn whole(id: &str, stream: &Value) -> Value {
    let area = json!({"left": "0/1", "top": "0/1", "width": "1/1", "height": "1/1"});
    json!({"stream": stream, "region": {"id": id, "shape": "rectangle", "area": area}})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_is_mixed_and_laid_out() {
    let server = TestServer::with(|_| {}).await;
    let back_end = BackEnd::of(&server).await;
    let (room, mut ann, session) = stage(&server, &back_end).await;
    let stream = json!(session.id);
    let path = format!("/v1/rooms/{room}/streams/{}", session.id);
    let mixed = format!("/v1/rooms/{room}/streams/{room}-common");

    // Sample applications mix every stream that they hear of, each of them.
    for _ in 0..2 {
        let mix = json!([operation("add", "/info/inViews", json!("common"))]);
        let told = back_end.patch(&path, mix).await.granted();
        assert_eq!(told["info"]["inViews"], json!(["common"]));
    }
    let update = ann.client.expect_event("stream").await;
    assert_eq!(update["data"]["field"], "video.layout", "{update}");
    assert_eq!(update["data"]["value"], json!([whole("1", &stream)]));

    let round = json!({"id": "b", "shape": "circle", "area": {
        "centerW": "1/2", "centerH": "1/2", "radius": "1/4",
    }});
    let layout = json!([whole("a", &stream), {"region": round}]);
    let told = back_end.patch(&mixed, json!([operation("replace", "/info/layout", layout)])).await;
    let told = told.granted();
    assert_eq!(told["info"]["layout"][0], whole("a", &stream));
    assert_eq!(told["info"]["layout"][1]["region"], round);
    assert_eq!(ann.client.expect_event("stream").await["data"]["value"], told["info"]["layout"]);
    let here = json!([operation("replace", "/info/layout/0/stream", stream)]);
    assert_eq!(back_end.patch(&mixed, here).await.granted(), told, "it is there already");

    let unmix = json!([operation("remove", "/info/inViews", json!("common"))]);
    for _ in 0..2 {
        let told = back_end.patch(&path, unmix.clone()).await.granted();
        assert_eq!(told["info"]["inViews"], json!([]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn layouts_that_make_no_sense_are_refused_in_owts_words() {
    let server = TestServer::with(|_| {}).await;
    let back_end = BackEnd::of(&server).await;
    let (room, _ann, session) = stage(&server, &back_end).await;
    let (stream, nobody) = (json!(session.id), json!(null));
    let path = format!("/v1.1/rooms/{room}/streams/{}", session.id);
    let mixed = format!("/v1.1/rooms/{room}/streams/{room}-common");
    let mix = |op: &str, view: &str| operation(op, "/info/inViews", json!(view));
    back_end.patch(&path, json!([mix("add", "common")])).await.granted();
    let before = back_end.get(&mixed).await.granted();

    let layout = |seats: &[Value]| operation("replace", "/info/layout", json!(seats));
    let seat = |index: u32, stream: &str| {
        operation("replace", &format!("/info/layout/{index}/stream"), json!(stream))
    };
    let here = |id: &str| whole(id, &stream);
    let empty = |id: &str| whole(id, &nobody);
    let many: Vec<Value> = (0..300).map(|number| empty(&number.to_string())).collect();
    for (path, bad, message) in [
        (&path, mix("add", "other"), "Invalid view"),
        (&path, mix("remove", "other"), "Invalid view"),
        (&mixed, mix("add", "common"), "Stream is Mixed"),
        (&path, layout(&[here("a")]), "Not mixed stream"),
        (&mixed, layout(&[]), "Invalid region"),
        (&mixed, layout(&[empty("a"), empty("a")]), "Invalid region"),
        (&mixed, layout(&many), "Invalid region"),
        (&mixed, layout(&[whole("a", &json!("nobodys"))]), "Invalid input stream id"),
        (&mixed, layout(&[whole("a", &json!("a b"))]), "Invalid input stream id"),
        (&mixed, layout(&[here("a"), here("b")]), "Stream ID duplicates"),
        (&mixed, layout(&[empty("a"), here("b")]), "Stream ID hole is not allowed"),
        (&mixed, seat(9, &session.id), "Invalid region_id."),
        (&mixed, seat(0, "nobodys"), "Invalid input stream_id."),
    ] {
        let told = back_end.patch(path, json!([bad])).await.refused(400, 1201);
        assert_eq!(told, message, "{bad}");
    }
    assert_eq!(back_end.get(&mixed).await.granted(), before, "all of that changed nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_view_that_is_not_mixed_has_no_snapshot() {
    let server = TestServer::with(|_| {}).await;
    let back_end = BackEnd::of(&server).await;
    let room = back_end.room(json!({})).await;
    let snapshot = |label: &str| format!("/v1.1/rooms/{room}/views/{label}/snapshot.jpg");
    let message = back_end.get(&snapshot("common")).await.refused(503, 1301);
    assert_eq!(message, "Nobody is in the room");
    back_end.get(&snapshot("other")).await.refused(404, 1001);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_portico_lacks_says_so() {
    let server = TestServer::with(|_| {}).await;
    let back_end = BackEnd::of(&server).await;
    for version in ["/v1", "/v1.1"] {
        for (what, message) in [
            ("streaming-ins", "Streaming in"),
            ("streaming-outs", "Streaming out"),
            ("recordings", "Recording"),
            ("analytics", "Analytics"),
            ("sipcalls", "SIP calls"),
        ] {
            let path = format!("{version}/rooms/x/{what}");
            let expected = format!("Portico does not do this yet: {message}");
            for answer in [
                back_end.get(&path).await,
                back_end.post(&path, json!({})).await,
                back_end.delete(&format!("{path}/7/")).await,
            ] {
                assert_eq!(answer.refused(501, 1301), expected);
            }
        }
    }
}

//! Rooms as they are configured.

use serde_json::{Value, json};

use super::client::BackEnd;
use crate::support::{guest::Guest, server::TestServer, socketio::Frame};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_is_made_shown_changed_and_deleted() {
    let server = TestServer::with(|_| {}).await;
    let back_end = BackEnd::of(&server).await;
    for version in ["/v1", "/v1.1"] {
        let rooms = format!("{version}/rooms");
        let options = json!({"participantLimit": 5, "views": []});
        let made = back_end.post(&rooms, json!({"name": "one", "options": options})).await;
        let made = made.granted();
        let id = made["_id"].as_str().expect("an id");
        assert_eq!(id.len(), 24);
        assert!(id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
        assert_eq!(made["id"], id);
        assert_eq!((&made["participantLimit"], &made["views"]), (&json!(5), &json!([])));
        assert_eq!(made["inputLimit"], -1, "the rest is the default");

        let path = format!("{rooms}/{id}");
        assert_eq!(back_end.get(&path).await.granted(), made);
        let listed = back_end.get(&rooms).await.granted();
        assert!(listed.as_array().expect("a list").contains(&made));

        let put = json!({"name": "two", "inputLimit": null, "roles": [{"role": "king"}]});
        let changed = back_end.put(&path, put).await.granted();
        assert_eq!(changed["name"], "two");
        let silent = json!({"audio": false, "video": false});
        let king = json!([{"role": "king", "publish": silent, "subscribe": silent}]);
        assert_eq!(changed["roles"], king, "a key is replaced whole");
        assert_eq!(changed["inputLimit"], -1, "null members are ignored");
        assert_eq!(changed["participantLimit"], 5, "other keys stay");

        let patch = json!({"notifying": {"streamChange": false}, "participantLimit": null});
        let patched = back_end.patch(&path, patch).await.granted();
        let notifying = json!({"participantActivities": true, "streamChange": false});
        assert_eq!(patched["notifying"], notifying, "a patch is merged");
        assert_eq!(patched["participantLimit"], -1, "null goes back to the default");
        assert_eq!(patched["name"], "two");
        assert_eq!(back_end.get(&path).await.granted(), patched);

        // Clients send back whole records.
        assert_eq!(back_end.put(&path, patched.clone()).await.granted(), patched);

        assert_eq!(back_end.delete(&path).await.text(), "Room deleted");
        for answer in [
            back_end.get(&path).await,
            back_end.delete(&path).await,
            back_end.put(&path, json!({"name": "x"})).await,
            back_end.patch(&path, json!({"name": "x"})).await,
            back_end.get(&format!("{path}/participants")).await,
            back_end.get(&format!("{path}/streams/")).await,
            back_end.post(&format!("{path}/tokens"), json!({"user": "a", "role": "b"})).await,
        ] {
            assert_eq!(answer.refused(404, 1003), "Room not found");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_left_out_of_views_is_the_default() {
    let server = TestServer::with(|_| {}).await;
    let back_end = BackEnd::of(&server).await;
    let views = json!([
        {"label": "sound", "audio": {"format": {"codec": "pcmu"}}, "video": false},
        {"label": "hd", "video": {
            "format": {"codec": "h264", "profile": "CB"},
            "parameters": {"resolution": {"width": 1280, "height": 720}},
            "layout": {"templates": {"base": "lecture", "custom": [{"region": [
                {"id": "1", "shape": "rectangle",
                 "area": {"left": "0", "top": "0", "width": "1", "height": "1/2"}},
                {"id": "2", "shape": "circle",
                 "area": {"centerW": "1/2", "centerH": "3/4", "radius": "1/4"}},
            ]}]}},
        }},
    ]);
    let room = back_end.room(json!({"views": views})).await;
    let room = back_end.get(&format!("/v1/rooms/{room}")).await.granted();
    let [sound, hd] = room["views"].as_array().expect("views").as_slice() else {
        panic!("two views: {room}")
    };
    assert_eq!(sound["audio"], json!({"format": {"codec": "pcmu"}, "vad": true}));
    assert_eq!(sound["video"], false);
    let parameters = json!({
        "resolution": {"width": 1280, "height": 720}, "framerate": 24, "keyFrameInterval": 100,
    });
    assert_eq!(hd["video"]["parameters"], parameters);
    assert_eq!(hd["video"]["format"], json!({"codec": "h264", "profile": "CB"}));
    assert_eq!(hd["video"]["maxInput"], 16);
    assert_eq!(hd["video"]["layout"]["fitPolicy"], "letterbox");
    assert_eq!(hd["video"]["layout"]["templates"]["base"], "lecture");
    let opus = json!({"codec": "opus", "sampleRate": 48000, "channelNum": 2});
    assert_eq!(hd["audio"]["format"], opus);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rooms_that_make_no_sense_are_refused_and_leave_nothing() {
    let server = TestServer::with(|config| config.demo.enabled = false).await;
    let back_end = BackEnd::of(&server).await;
    let view = |video: Value| json!({"views": [{"label": "v", "video": video}]});
    let region = |area: Value| {
        let region = json!([{"id": "1", "shape": "rectangle", "area": area}]);
        view(json!({"layout": {"templates": {"custom": [{"region": region}]}}}))
    };
    let bad_options = [
        json!(5),
        json!({"inputLimit": "many"}),
        json!({"participantLimit": 1.5}),
        json!({"participantLimit": 99_999_999_999_i64}),
        json!({"roles": [{"role": ""}]}),
        json!({"roles": [{"role": "a"}, {"role": "a"}]}),
        json!({"roles": {"role": "a"}}),
        json!({"roles": vec![json!({"role": "a"}); 1000]}),
        json!({"views": [{"label": "a b"}]}),
        json!({"views": [{"label": ""}]}),
        json!({"views": [{}, {}]}),
        json!({"views": "common"}),
        json!({"views": [7]}),
        view(json!(true)),
        view(json!({"maxInput": 0})),
        view(json!({"maxInput": 257})),
        view(json!({"parameters": {"framerate": 0}})),
        view(json!({"parameters": {"framerate": 10_000}})),
        view(json!({"parameters": {"keyFrameInterval": 0}})),
        view(json!({"parameters": {"bitrate": -1}})),
        view(json!({"parameters": {"resolution": {"width": 641, "height": 480}}})),
        view(json!({"parameters": {"resolution": {"width": 1_000_000, "height": 480}}})),
        view(json!({"motionFactor": 0})),
        view(json!({"bgColor": {"r": 256}})),
        view(json!({"layout": {"fitPolicy": "stretch"}})),
        view(json!({"layout": {"templates": {"base": "spiral"}}})),
        view(json!({"layout": {"templates": {"custom": [{"region": []}]}}})),
        region(json!({"left": "0", "top": "0", "width": "1"})),
        region(json!({"left": "0", "top": "0", "width": "1", "height": "4/3"})),
        region(json!({"left": "0", "top": "0", "width": "1/0", "height": "1"})),
        region(json!({"left": "-1", "top": "0", "width": "1", "height": "1"})),
        region(json!({"left": 0, "top": 0, "width": 1, "height": 1})),
    ];
    let room = back_end.room(json!({})).await;
    let path = format!("/v1/rooms/{room}");
    let before = back_end.get(&path).await.granted();
    for options in bad_options {
        let made = back_end.post("/v1/rooms", json!({"name": "x", "options": options})).await;
        made.refused(400, 1201);
        if options.is_object() {
            back_end.put(&path, options.clone()).await.refused(400, 1201);
            back_end.patch(&path, options).await.refused(400, 1201);
        }
    }
    let bad_bodies = [json!({}), json!([]), json!("x"), json!({"name": 5}), json!({"name": "  "})];
    for body in bad_bodies {
        back_end.post("/v1/rooms", body).await.refused(400, 1201);
    }
    let long = json!({"name": "x".repeat(600)});
    back_end.post("/v1/rooms", long).await.refused(400, 1201);

    let conflict = view(json!({"format": {"codec": "av1"}}));
    let conflict = back_end.put(&path, conflict).await.refused(400, 1201);
    assert_eq!(conflict, "MediaOut conflicts with View Setting");
    assert_eq!(back_end.get("/v1/rooms").await.granted(), json!([before]), "nothing changed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_have_pages() {
    let server = TestServer::with(|config| config.demo.enabled = false).await;
    let back_end = BackEnd::of(&server).await;
    assert_eq!(back_end.get("/v1/rooms?page=1&per_page=100").await.granted(), json!([]));
    for _ in 0..5 {
        back_end.room(json!({})).await;
    }
    let all = back_end.get("/v1/rooms").await.granted();
    let ids = |rooms: &Value| {
        let rooms = rooms.as_array().expect("a list").iter();
        rooms.map(|room| room["_id"].clone()).collect::<Vec<_>>()
    };
    let all = ids(&all);
    assert_eq!(all.len(), 5);
    for (query, expected) in [
        ("page=1&per_page=100", &all[..]),
        ("per_page=2", &all[..2]),
        ("page=2&per_page=2", &all[2..4]),
        ("page=3&per_page=2", &all[4..]),
        ("page=4&per_page=2", &[]),
        ("page=2", &all[..]),
        ("page=18446744073709551615&per_page=18446744073709551615", &[]),
    ] {
        let listed = back_end.get(&format!("/v1.1/rooms?{query}")).await.granted();
        assert_eq!(ids(&listed), expected, "{query}");
    }
    for bad in ["page=0", "per_page=0", "per_page=-1", "page=a", "per_page=99999999999999999999"] {
        back_end.get(&format!("/v1/rooms?{bad}")).await.refused(400, 1201);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_rooms_at_once_up_to_the_bound() {
    let server = TestServer::with(|config| {
        config.demo.enabled = false;
        config.rooms.max_rooms = 40;
    })
    .await;
    let back_end = BackEnd::of(&server).await;
    let asked: Vec<_> = (0..50)
        .map(|number| {
            let back_end = back_end.clone();
            tokio::spawn(async move {
                back_end.post("/v1/rooms", json!({"name": format!("room {number}")})).await
            })
        })
        .collect();
    let mut ids = std::collections::BTreeSet::new();
    let mut refused = 0;
    for answer in asked {
        let answer = answer.await.expect("asked");
        if answer.status == 200 {
            assert!(ids.insert(answer.granted()["_id"].to_string()), "each has its own id");
        } else {
            answer.refused(507, 1301);
            refused += 1;
        }
    }
    assert_eq!((ids.len(), refused), (40, 10));
    let listed = back_end.get("/v1/rooms").await.granted();
    assert_eq!(listed.as_array().map(Vec::len), Some(40));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn changes_of_one_room_at_once_are_all_kept() {
    let server = TestServer::with(|_| {}).await;
    let back_end = BackEnd::of(&server).await;
    let room = back_end.room(json!({"sip": {}})).await;
    let path = format!("/v1/rooms/{room}");
    let asked: Vec<_> = (0..20)
        .map(|number: u32| {
            let (back_end, path) = (back_end.clone(), path.clone());
            tokio::spawn(async move {
                let patch = json!({"sip": {number.to_string(): number}});
                back_end.patch(&path, patch).await.granted()
            })
        })
        .collect();
    for asked in asked {
        asked.await.expect("granted");
    }
    let room = back_end.get(&path).await.granted();
    assert_eq!(room["sip"].as_object().map(serde_json::Map::len), Some(20), "{room}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deleting_a_room_drops_everybody_and_admits_nobody() {
    let server = TestServer::with(|_| {}).await;
    let back_end = BackEnd::of(&server).await;
    let room = back_end.room(json!({})).await;
    let mut ann = Guest::join(&server, &room, "ann").await;
    let late = server.token(&room, "bob", "presenter").await;
    assert_eq!(back_end.delete(&format!("/v1/rooms/{room}")).await.text(), "Room deleted");
    let dropped = ann.client.next().await;
    assert_eq!(dropped, Frame::Event { name: "drop".into(), data: Value::Null });
    assert_eq!(ann.client.next().await, Frame::Closed);
    assert_eq!(server.server().registry().count().running, 0);
    assert_eq!(Guest::refused(&server, &late).await, "Joining room failed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changing_a_room_binds_whoever_comes_next() {
    let server = TestServer::with(|_| {}).await;
    let back_end = BackEnd::of(&server).await;
    let room = back_end.room(json!({})).await;
    let path = format!("/v1/rooms/{room}");
    let mut ann = Guest::join(&server, &room, "ann").await;
    let mut bob = Guest::join(&server, &room, "bob").await;
    assert_eq!(ann.client.expect_event("participant").await["action"], "join");

    back_end.patch(&path, json!({"participantLimit": 1})).await.granted();
    let token = server.token(&room, "eve", "presenter").await;
    assert_eq!(Guest::refused(&server, &token).await, "Room is full");
    // Those inside stay, and may speak.
    let text = json!({"to": "all", "message": "hello"});
    bob.client.granted("text", &text).await;
    assert_eq!(ann.client.expect_event("text").await["message"], "hello");

    back_end.patch(&path, json!({"inputLimit": 0, "participantLimit": -1})).await.granted();
    let publish = json!({"media": {"audio": {"source": "mic"}, "video": false}});
    assert_eq!(bob.client.refused("publish", &publish).await, "Too many inputs");
    back_end.patch(&path, json!({"inputLimit": -1, "mediaIn": {"audio": []}})).await.granted();
    assert_eq!(bob.client.refused("publish", &publish).await, "Audio is forbiden");

    back_end.patch(&path, json!({"notifying": {"participantActivities": false}})).await.granted();
    bob.client.granted("logout", &Value::Null).await;
    Guest::join(&server, &room, "cyd").await.client.granted("text", &text).await;
    let heard = ann.client.next().await;
    assert!(matches!(&heard, Frame::Event { name, .. } if name == "text"), "{heard:?}");

    back_end.put(&path, json!({"roles": [{"role": "guest"}]})).await.granted();
    let token = server.token(&room, "eve", "presenter").await;
    assert_eq!(Guest::refused(&server, &token).await, "Invalid role");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_that_needs_no_record_is_there_and_can_be_kept() {
    let server = TestServer::with(|_| {}).await;
    let back_end = BackEnd::of(&server).await;
    let demo = back_end.get("/v1/rooms/demo").await.granted();
    assert_eq!((&demo["_id"], &demo["name"]), (&json!("demo"), &json!("demo")));
    assert_eq!(back_end.get("/v1/rooms").await.granted(), json!([demo]));
    let changed = back_end.patch("/v1/rooms/demo", json!({"participantLimit": 2})).await;
    assert_eq!(changed.granted()["participantLimit"], 2);
    assert_eq!(back_end.get("/v1/rooms/demo").await.granted()["participantLimit"], 2);
    assert_eq!(back_end.delete("/v1/rooms/demo").await.text(), "Room deleted");
    assert_eq!(back_end.get("/v1/rooms/demo").await.granted(), demo, "as it was");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rooms_that_joining_made_are_there_while_they_run() {
    let server = TestServer::start().await;
    let back_end = BackEnd::of(&server).await;
    back_end.get("/v1/rooms/lobby").await.refused(404, 1003);
    let mut ann = Guest::join(&server, "lobby", "ann").await;
    assert_eq!(back_end.get("/v1/rooms/lobby").await.granted()["name"], "lobby");
    assert_eq!(back_end.delete("/v1/rooms/lobby").await.text(), "Room deleted");
    assert_eq!(ann.client.expect_event("drop").await, Value::Null);
    back_end.get("/v1/rooms/lobby").await.refused(404, 1003);
    Guest::join(&server, "lobby", "ann").await;
    assert_eq!(server.server().registry().count().running, 1, "joining makes it again");
}

//! Uploads that no packager makes: each gets an answer that says why, and nothing is lost.

use serde_json::{Value, json};

use super::{
    client::{PARTS, Show, bytes, part, signal, variant},
    conformance::Playlist,
};
use crate::support::{
    hostile::{places, wrong_values},
    server::TestServer,
    signals::{Head, SignalsClient},
};

#[tokio::test]
async fn bad_uploads_are_refused_and_nothing_is_lost() {
    let server = TestServer::with(|config| {
        config.rooms.create_on_join = true;
        config.live.max_piece_bytes = 100_000;
    })
    .await;
    let show = Show::begun(&server).await;
    show.segments(0..3).await;
    show.part(3, 0).await.text();
    let before = show.playlist("").await.text();
    let of = |id: &str| json!({"variant": {"id": id}});

    for body in ["", "{", "[]", "null", "\u{1f600}", &"[".repeat(100_000)] {
        show.post(body).await.refused(400);
    }
    let mut strange = part(of("v"), 3, 1);
    strange["part"]["data"] = json!("no base64!");
    let told = show.signal("updatePart", strange).await.refused(400);
    assert!(told.contains("not base64"), "{told}");
    show.signal("updateVideo", of("v")).await.refused(400);
    let told = show.signal("updatePart", part(of("w"), 3, 1)).await.refused(404);
    assert!(told.contains("variant/w"), "{told}");
    let both = json!({"variant": {"id": "v"}, "rendition": {"id": "v"}});
    show.signal("updatePart", part(both, 3, 1)).await.refused(400);
    for (msn, index) in [(3, 0), (3, 2), (2, PARTS), (4, 1), (5, 0)] {
        show.part(msn, index).await.refused(409);
    }
    let mut gigantic = part(of("v"), 3, 1);
    gigantic["part"]["data"] = json!("A".repeat(140_000));
    let told = show.signal("updatePart", gigantic).await.refused(413);
    assert!(told.contains("100000 bytes"), "{told}");
    let body = " ".repeat(3 << 20);
    show.post(&body).await.refused(413);
    let mut quoted = variant("v");
    quoted["variant"]["codecs"] = json!("avc1\"\n#EXT-X-ENDLIST");
    show.signal("updateVariant", quoted).await.refused(400);
    for id in ["", "a/b", "../x", "\u{1f600}"] {
        show.signal("updateVariant", variant(id)).await.refused(400);
    }
    for wrong in [json!(0), json!(-1), json!("soon"), json!(1e9), json!(null)] {
        let mut payload = variant("x");
        payload["variant"]["targetDuration"] = wrong;
        show.signal("updateVariant", payload).await.refused(400);
    }

    assert_eq!(show.playlist("").await.text(), before);
    show.part(3, 1).await.text();
    Playlist::read(&show.playlist("").await.text());
}

#[tokio::test]
async fn wrong_values_in_all_places_break_nothing() {
    let server = TestServer::start().await;
    let show = Show::begun(&server).await;
    show.segments(0..1).await;
    let mut whole = json!({"variant": {"id": "v"}, "segment": {
        "id": "s", "sequence": 1, "duration": 1, "discontinuity": false,
        "programDateTime": "2026-01-02T03:04:05Z", "data": "AAAA",
    }});
    whole["segment"]["map"] = json!({"id": "m"});
    let rendition = json!({"rendition": {
        "id": "r", "type": "AUDIO", "groupId": "g", "name": "n", "language": "en",
        "isDefault": true, "autoSelect": true, "targetDuration": 1, "targetPartDuration": 0.25,
    }});
    let signals = [
        signal("updateVariant", variant("v")),
        signal("updateRendition", rendition),
        signal("updateSegment", whole),
        signal("updatePart", part(json!({"variant": {"id": "v"}}), 1, 0)),
    ];
    let mut refused = 0;
    for message in &signals {
        // Another playlist's id is no wrong value: it starts the broadcast anew.
        for place in places(message).iter().filter(|place| !place.ends_with("/playlist/id")) {
            for wrong in wrong_values() {
                let mut changed = message.clone();
                *changed.pointer_mut(place).expect("a place") = wrong;
                refused += usize::from(refusal(&show, &changed).await);
            }
        }
    }
    assert!(refused > 200, "{refused}");
    let playlist = Playlist::read(&show.playlist("").await.text());
    let first = &playlist.segments[0].uri;
    let whole: String = (0..PARTS).map(|index| bytes(0, index)).collect();
    assert_eq!(show.get(&format!("variant/v/{first}")).await.text(), whole);
}

/// Whether an upload is refused; every answer says why or how long it took.
async fn refusal(show: &Show, message: &Value) -> bool {
    let answer = show.post(&message.to_string()).await;
    if answer.status == 200 {
        return false;
    }
    assert!((400..500).contains(&answer.status), "{message}: {answer:?}");
    assert!(!answer.refused(answer.status).is_empty());
    true
}

/// In a `p2m` room the token of the signaling connection is the token of the broadcast.
#[tokio::test]
async fn the_maker_of_a_broadcast_uploads_with_the_token_of_its_connection() {
    let server = TestServer::start().await;
    let join = |user: &str, op: Value| {
        let head = Head::new("studio", "p2m", user, user);
        head.signal("JOIN", &json!({"ve": true, "ae": true, "eg": "native", "op": op}))
    };
    let token = server.token("studio", "ann", "presenter").await;
    let mut ann = SignalsClient::connect_with(&server, &token).await.expect("let in");
    ann.send(&join("ann", json!({"roomCreating": true}))).await;
    ann.ack("JOIN").await;
    let show = Show::by(&server, token);
    assert_eq!(show.signal("updateVariant", variant("v")).await.status, 200);

    let token = server.token("studio", "eve", "presenter").await;
    let mut eve = SignalsClient::connect_with(&server, &token).await.expect("let in");
    eve.send(&join("eve", json!({}))).await;
    eve.ack("JOIN").await;
    let theft = Show::by(&server, token).signal("updateVariant", variant("v")).await;
    assert_eq!(theft.status, 403, "a viewer has no broadcast of another's: {theft:?}");
}

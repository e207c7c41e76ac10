//! Services: who may use the REST, and whose rooms they see.

use serde_json::{Value, json};

use super::client::BackEnd;
use crate::support::server::TestServer;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_service_manages_the_others() {
    let server = TestServer::with(|_| {}).await;
    let first = BackEnd::of(&server).await;
    let key = "0123456789abcdef0123456789abcdef";
    let made = first.post("/services/", json!({"name": "shop", "key": key})).await.granted();
    let id = made["_id"].as_str().expect("an id").to_owned();
    assert_eq!(made, json!({"_id": id, "id": id, "name": "shop", "super": false}));
    let shop = BackEnd { id: id.clone(), key: key.into(), ..first.clone() };
    assert_eq!(shop.get(&format!("/services/{id}")).await.granted(), made);

    let made = first.post("/services", json!({"name": "club"})).await.granted();
    let club = BackEnd {
        id: made["_id"].as_str().expect("an id").to_owned(),
        key: made["key"].as_str().expect("a key that was made").to_owned(),
        ..first.clone()
    };
    club.get("/v1/rooms").await.granted();

    let listed = first.get("/services").await.granted();
    assert_eq!(listed.as_array().map(Vec::len), Some(3));
    assert!(listed.as_array().expect("a list").iter().all(|service| service["key"].is_null()));
    assert!(!listed.to_string().contains(key));

    for answer in [
        shop.get("/services").await,
        shop.post("/services", json!({"name": "x"})).await,
        shop.get(&format!("/services/{}", first.id)).await,
        shop.get("/services/nobody").await,
        shop.delete(&format!("/services/{}", club.id)).await,
        shop.delete(&format!("/services/{id}")).await,
    ] {
        assert_eq!(answer.refused(403, 1102), "Permission denied");
    }
    first.delete(&format!("/services/{}", first.id)).await.refused(403, 1102);
    first.get("/services/nobody").await.refused(404, 1002);
    first.delete("/services/a%20b").await.refused(404, 1002);
    for bad in [
        json!({}),
        json!({"name": ""}),
        json!({"name": "x".repeat(201)}),
        json!({"name": "x", "key": "short"}),
        json!({"name": "x", "key": "x".repeat(2000)}),
        json!([]),
        json!({"name": ["x"]}),
    ] {
        first.post("/services", bad).await.refused(400, 1201);
    }

    assert_eq!(first.delete(&format!("/services/{id}/")).await.text(), "Service deleted");
    shop.get("/v1/rooms").await.refused(401, 1101);
    first.delete(&format!("/services/{id}")).await.refused(404, 1002);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_sees_its_own_rooms_and_the_super_service_all() {
    let server = TestServer::with(|config| config.demo.enabled = false).await;
    let [first, ann, bob] =
        [BackEnd::of(&server).await, BackEnd::of(&server).await, BackEnd::of(&server).await];
    let room = ann.room(json!({})).await;
    let of = |listed: Value| listed.as_array().expect("a list").len();
    for (back_end, expected) in [(&first, 1), (&ann, 1), (&bob, 0)] {
        assert_eq!(of(back_end.get("/v1/rooms").await.granted()), expected);
    }
    let path = format!("/v1/rooms/{room}");
    let token = json!({"user": "x", "role": "presenter"});
    for answer in [
        bob.get(&path).await,
        bob.put(&path, json!({"name": "mine"})).await,
        bob.patch(&path, json!({"name": "mine"})).await,
        bob.delete(&path).await,
        bob.get(&format!("{path}/participants")).await,
        bob.get(&format!("{path}/participants/x")).await,
        bob.delete(&format!("{path}/participants/x")).await,
        bob.get(&format!("{path}/streams")).await,
        bob.delete(&format!("{path}/streams/x")).await,
        bob.post(&format!("{path}/tokens"), token.clone()).await,
        bob.get(&format!("{path}/views/common/snapshot.jpg")).await,
        bob.get(&format!("/admin/data/rooms/{room}")).await,
    ] {
        assert_eq!(answer.refused(404, 1003), "Room not found");
    }
    for back_end in [&first, &ann] {
        back_end.get(&path).await.granted();
        back_end.post(&format!("{path}/tokens"), token.clone()).await.text();
    }
    first.patch(&path, json!({"name": "renamed"})).await.granted();
    assert_eq!(ann.get(&path).await.granted()["name"], "renamed", "it is still ann's");
    assert_eq!(ann.delete(&path).await.text(), "Room deleted");
}

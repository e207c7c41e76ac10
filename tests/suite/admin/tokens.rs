//! Tokens for participants.

use serde_json::{Value, json};

use super::client::{BackEnd, send};
use crate::support::{
    server::TestServer,
    socketio::{EngineIo, RawClient},
};

async fn login(server: &TestServer, token: &str) -> Value {
    let mut client = RawClient::connect(&server.http_url(), EngineIo::V4).await;
    let login = json!({
        "token": token,
        "userAgent": {"sdk": {"type": "JavaScript", "version": "4.3"}},
        "protocol": "1.1",
    });
    client.granted("login", &login).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_the_whole_answer_and_admits() {
    let server = TestServer::with(|_| {}).await;
    let back_end = BackEnd::of(&server).await;
    let room = back_end.room(json!({})).await;
    let preference = json!({"isp": "isp", "region": "region"});
    let body = json!({"user": "Ann Ü", "role": "viewer", "preference": preference});
    for path in [format!("/v1/rooms/{room}/tokens/"), format!("/v1.1/rooms/{room}/tokens")] {
        let answer = back_end.post(&path, body.clone()).await;
        assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
        let joined = login(&server, answer.text()).await;
        assert_eq!((&joined["user"], &joined["role"]), (&json!("Ann Ü"), &json!("viewer")));
        assert_eq!(joined["room"]["id"], room.as_str());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signed_user_and_role_win_over_the_body() {
    let server = TestServer::with(|_| {}).await;
    let back_end = BackEnd::of(&server).await;
    let room = back_end.room(json!({})).await;
    // base64 of "boss", whose padding the signature covers.
    let header = back_end.header(&["Ym9zcw==", "presenter"]);
    let body = json!({"user": "ann", "role": "viewer"}).to_string();
    let path = format!("/v1/rooms/{room}/tokens");
    let answer = send(back_end.address, "POST", &path, Some(&header), Some(&body)).await;
    let joined = login(&server, answer.text()).await;
    assert_eq!((&joined["user"], &joined["role"]), (&json!("boss"), &json!("presenter")));
    let forged = header.replace("mauth_role=presenter", "mauth_role=sip");
    let answer = send(back_end.address, "POST", &path, Some(&forged), Some(&body)).await;
    answer.refused(401, 1101);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nameless_users_and_unknown_roles_get_none() {
    let server = TestServer::with(|_| {}).await;
    let back_end = BackEnd::of(&server).await;
    let room = back_end.room(json!({})).await;
    let path = format!("/v1/rooms/{room}/tokens");
    for bad in [
        json!({}),
        json!({"user": "ann"}),
        json!({"role": "presenter"}),
        json!({"user": "", "role": "presenter"}),
        json!({"user": 5, "role": "presenter"}),
        json!({"user": "ann", "role": "king"}),
        json!({"user": "ann", "role": null}),
    ] {
        let message = back_end.post(&path, bad).await.refused(400, 1201);
        assert_eq!(message, "Name or role not valid");
    }
    let long = json!({"user": "x".repeat(600), "role": "presenter"});
    back_end.post(&path, long).await.refused(400, 1201);
    let unknown = back_end.post("/v1/rooms/nowhere/tokens", json!({"user": "a", "role": "b"}));
    unknown.await.refused(404, 1003);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_joining_makes_rooms_any_room_has_tokens() {
    let server = TestServer::start().await;
    let back_end = BackEnd::of(&server).await;
    let body = json!({"user": "ann", "role": "presenter"});
    let token = back_end.post("/v1/rooms/anywhere/tokens", body).await;
    assert_eq!(login(&server, token.text()).await["room"]["id"], "anywhere");
}

//! Chromium, as people use it: the demo page, camera and microphone, pictures and sound.

use std::{fs, time::Duration};

use portico::{config::Fit, formats::Resolution};
use serde_json::Value;

use super::node::{self, Script};
use crate::{
    cli::Place,
    support::{
        crossing::Crossing,
        server::{TestServer, mixer},
    },
};

/// Where a picture of a page is kept for people to look at.
fn screenshot(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/target/screenshots");
    fs::create_dir_all(folder).expect("a directory for screenshots");
    format!("{folder}/{name}.png")
}

/// A server with the mixer beside it, as it is installed, whose views are wide and whose regions are
/// filled.
async fn mixing_server() -> TestServer {
    TestServer::with(|config| {
        config.mixing.program = Some(mixer());
        config.rooms.view.resolution = Resolution { width: 1280, height: 720 };
        config.rooms.view.fit = Fit::Crop;
    })
    .await
}

/// Two people on the demo page: they see, hear and read each other, pause and mute, and leave. The
/// page with both is kept as `target/screenshots/meeting-CODEC.png`.
async fn meeting(codec: &str) {
    let server = TestServer::start().await;
    let screenshot = screenshot(&format!("meeting-{codec}"));
    let arguments = ["meeting", &server.http_url(), codec, &screenshot];
    let result = node::run("chromium.mjs", &arguments).await;
    assert_eq!(result["ok"], true);
    assert_eq!(result["codec"], codec);
}

/// An operator at the dashboard, with the mixer beside the server as it is installed. The page is
/// kept as `target/screenshots/dashboard.png`.
#[tokio::test]
async fn an_operator_sees_rooms_and_who_is_in_them() {
    let server = mixing_server().await;
    let service = server.server().store().create_service("operator").await.expect("a service");
    let screenshot = screenshot("dashboard");
    let (id, key) = (service.id.to_string(), service.key.reveal());
    let arguments = ["dashboard", &server.http_url(), &id, key, &screenshot];
    assert_eq!(node::run("chromium.mjs", &arguments).await["ok"], true);
}

/// The mixed view on the demo page; kept as `target/screenshots/stage-{desktop,phone}.png`.
#[tokio::test]
async fn visitors_of_the_demo_room_lay_out_the_mix() {
    let server = mixing_server().await;
    let [desktop, phone] = ["stage-desktop", "stage-phone"].map(screenshot);
    let arguments = ["stage", &server.http_url(), &desktop, &phone];
    assert_eq!(node::run("chromium.mjs", &arguments).await["ok"], true);
}

/// Nine in one mix, which Chromium gets in two codecs and two sizes at once. Kept as
/// `target/screenshots/nine-{page,mix,dashboard}.png` and `nine-snapshot.jpg`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nine_are_mixed_and_seen_in_two_codecs_and_two_sizes_at_once() {
    let server = mixing_server().await;
    let service = server.server().store().create_service("operator").await.expect("a service");
    let [page, mix, dashboard] = ["nine-page", "nine-mix", "nine-dashboard"].map(screenshot);
    let (id, key) = (service.id.to_string(), service.key.reveal());
    let arguments = ["nine", &server.http_url(), &id, key, &page, &mix, &dashboard];
    let mut script = Script::start("chromium.mjs", &arguments);
    script.reached("nine").await;
    let room = server.server().registry().running(&"demo".parse().expect("an id"));
    let picture = room.expect("it runs").snapshot("demo-common".parse().expect("an id")).await;
    let picture = picture.expect("the room runs").expect("a picture");
    fs::write(screenshot("nine-snapshot").replace(".png", ".jpg"), picture).expect("written");
    script.go_on().await;
    let result = script.end().await;
    let received = result["received"].as_array().expect("a list").iter();
    let received: Vec<_> = received.map(|it| it.as_str().expect("a text")).collect();
    let wanted = ["vp8 1280x720", "h264 1280x720", "vp8 640x360", "h264 640x360"];
    assert_eq!(received, wanted);
}

/// Pages whose way to the server is cut, and whose server is killed and started again; in the end
/// it is another server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_come_back_by_themselves() {
    const SETTINGS: &str = "[portal]\nport = 0\n[media]\nudp_port = 0\n";
    let place = Place::with(SETTINGS);
    let server = place.serve();
    let crossing = Crossing::to(server.http_url()).await;
    let mut script = Script::start("chromium.mjs", &["comeback", &crossing.url()]);
    script.reached("met").await;
    crossing.close();
    script.go_on().await;
    script.reached("cut").await;
    crossing.lead_to(server.http_url());
    script.go_on().await;
    script.reached("back").await;
    server.kill();
    let server = place.serve();
    crossing.lead_to(server.http_url());
    script.go_on().await;
    script.reached("again").await;
    let stranger = Place::with(SETTINGS);
    let stranger = stranger.serve();
    crossing.lead_to(stranger.http_url());
    script.go_on().await;
    assert_eq!(script.end().await["ok"], true);
}

/// A page that speaks protocol 1.1 and one that speaks 1.2, on one peer connection, over a cut of the
/// network and a restart of the server.
#[tokio::test]
async fn pages_of_two_versions_meet_and_come_back_from_a_cut_and_a_restart() {
    const CUT: Duration = Duration::from_secs(5);
    let settings = "[portal]\nport = 0\n[media]\nudp_port = 0\n[rooms]\ncreate_on_join = true\n";
    let place = Place::with(settings);
    let server = place.serve();
    let crossing = Crossing::to(server.http_url()).await;
    let token = |user: &str| {
        place.print(&["token", "--room", "studio", "--user", user, "--role", "presenter"])
    };
    let arguments = ["versions", &crossing.url(), &token("older"), &token("newer")];
    let mut script = Script::start("chromium.mjs", &arguments);
    script.reached("met").await;
    crossing.close();
    script.go_on().await;
    script.reached("cut").await;
    tokio::time::sleep(CUT).await;
    crossing.lead_to(server.http_url());
    script.go_on().await;
    script.reached("back").await;
    server.kill();
    let server = place.serve();
    crossing.lead_to(server.http_url());
    script.go_on().await;
    assert_eq!(script.end().await["seen"], 5);
}

/// A scenario with participants that have tokens of one room.
async fn scenario(name: &str, users: &[&str]) -> Value {
    let server = TestServer::start().await;
    let url = server.http_url();
    let mut tokens = Vec::new();
    for user in users {
        tokens.push(server.token("studio", user, "presenter").await);
    }
    let mut arguments = vec![name, &url];
    arguments.extend(tokens.iter().map(String::as_str));
    node::run("chromium.mjs", &arguments).await
}

#[tokio::test]
async fn two_people_meet_with_vp8() {
    meeting("vp8").await;
}

#[tokio::test]
async fn two_people_meet_with_h264() {
    meeting("h264").await;
}

#[tokio::test]
async fn two_people_meet_with_vp9() {
    meeting("vp9").await;
}

#[tokio::test]
async fn two_people_meet_with_av1() {
    meeting("av1").await;
}

#[tokio::test]
async fn three_watch_two_and_lose_only_the_one_that_stops() {
    let result = scenario("crowd", &["one", "two", "three", "four", "five"]).await;
    assert_eq!(result["subscriptions"], 6);
}

#[tokio::test]
async fn audio_of_one_stream_goes_with_video_of_another() {
    let result = scenario("cross", &["one", "two", "three"]).await;
    assert_eq!(result["subscriptions"], 2);
}

/// A camera in three layers; each of two people sees the one that they named, at its own size, and
/// one of them changes.
async fn layers(codec: &str) {
    let server = TestServer::start().await;
    let url = server.http_url();
    let mut arguments = vec!["simulcast".to_owned(), url, codec.to_owned()];
    for user in ["camera", "one", "two"] {
        arguments.push(server.token("studio", user, "presenter").await);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    assert_eq!(node::run("chromium.mjs", &arguments).await["layers"], 3);
}

#[tokio::test]
async fn layers_of_vp8_are_seen_by_name() {
    layers("vp8").await;
}

#[tokio::test]
async fn layers_of_h264_are_seen_by_name() {
    layers("h264").await;
}

/// Two pages with an unmodified `protoo-client` and one that came by the other door: everybody sees
/// everybody, they talk, one leaves, and one is replaced by a newer connection.
#[tokio::test]
async fn protoo_clients_meet_each_other_and_a_guest_of_the_other_door() {
    let result = scenario("protoo", &["ada", "bob", "olga", "ada"]).await;
    assert_eq!(result["subscriptions"], 6);
}

/// Three pages of the room-signal dialect and one that came by OWT's door: who makes the room and
/// publishes, a viewer that is let onto the floor, another that looks on; pausing, succession, a
/// kick.
#[tokio::test]
async fn room_signal_clients_meet_each_other_and_a_guest_of_another_door() {
    let result = scenario("signals", &["ann", "bob", "cat", "olga"]).await;
    assert_eq!(result["subscriptions"], 9);
}

/// A call between two pages, whose media goes from one to the other.
#[tokio::test]
async fn two_people_call_each_other() {
    let result = scenario("call", &["ann", "bob"]).await;
    assert_eq!(result["subscriptions"], 2);
}

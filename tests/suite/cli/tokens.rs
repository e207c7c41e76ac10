//! Tokens and service keys, whether the server runs or not.

use portico::{
    portal::token::{TokenError, Tokens},
    store::Store,
};

use super::Place;

/// Ports that the system chooses, so that servers do not meet.
const SETTINGS: &str = "[portal]\nport = 0\n";

const TOKEN: [&str; 7] = ["token", "--room", "demo", "--user", "ann", "--role", "presenter"];

/// Lets a token's bearer in, as a server on this store would.
async fn admit(place: &Place, token: &str) -> Result<String, TokenError> {
    let store = Store::open(&place.path().join("data")).expect("opened");
    let admission = Tokens::new(store, "127.0.0.1:0", false).admit(token).await?;
    Ok(format!("{} as {} in {}", admission.user, admission.role, admission.room))
}

#[tokio::test]
async fn a_token_is_printed_alone_and_admits_once() {
    let place = Place::with(SETTINGS);
    for jwt in [&[][..], &["--jwt"]] {
        let token = place.print(&[&TOKEN, jwt].concat());
        assert!(!token.contains(char::is_whitespace), "{token}");
        assert_eq!(token.contains('.'), !jwt.is_empty());
        let admitted = admit(&place, &token).await.expect("admitted");
        assert_eq!(admitted, "ann as presenter in demo");
        assert!(matches!(admit(&place, &token).await, Err(TokenError::Unknown)));
    }
}

#[tokio::test]
async fn a_running_server_issues_tokens_and_manages_services() {
    let place = Place::with(SETTINGS);
    let server = place.serve();
    let token = place.print(&TOKEN);
    let made = place.print(&["service", "create", "my shop"]);
    let id = made.lines().next().and_then(|line| line.strip_prefix("id: ")).expect("an id");
    assert!(made.lines().nth(1).expect("a key").starts_with("key: "), "{made}");
    assert_eq!(place.print(&["service", "list"]), format!("{id}\tmy shop"));
    // While it runs, nobody else has the store.
    assert!(Store::open(&place.path().join("data")).is_err());
    server.kill();

    assert_eq!(admit(&place, &token).await.expect("admitted"), "ann as presenter in demo");
    assert_eq!(place.print(&["service", "list"]), format!("{id}\tmy shop"));
    assert_eq!(place.print(&["service", "remove", id]), "");
    let error = place.refusal(4, &["service", "remove", id]);
    assert!(error.starts_with("there is no service"), "{error}");
    assert_eq!(place.print(&["service", "list"]), "");
}

#[test]
fn what_makes_no_sense_is_refused_with_a_remedy() {
    let place = Place::with(SETTINGS);
    let token = |room, role| ["token", "--room", room, "--user", "ann", "--role", role];
    let check = || {
        let error = place.refusal(4, &token("nowhere", "viewer"));
        assert!(error.contains("set [rooms] create_on_join = true"), "{error}");
        let error = place.refusal(4, &token("demo", "king"));
        assert!(error.contains("has no role \"king\"; it has presenter, viewer"), "{error}");
        let error = place.refusal(4, &["service", "create", " "]);
        assert!(error.contains("needs a name"), "{error}");
    };
    check();
    let _server = place.serve();
    check();
}

#[test]
fn rooms_that_joining_makes_have_tokens() {
    let place = Place::with("[rooms]\ncreate_on_join = true\n[demo]\nenabled = false\n");
    let token = ["token", "--room", "anywhere", "--user", "ann", "--role", "viewer"];
    assert!(!place.print(&token).is_empty());
}

#[test]
fn the_token_names_the_host() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let place = Place::with("[portal]\nhostname = \"meet.example.org\"\nport = 443\n");
    let json = STANDARD.decode(place.print(&TOKEN)).expect("base64");
    let json: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
    assert_eq!(json["host"], "meet.example.org:443");
    assert_eq!(json["secure"], false);
}

#[test]
fn commands_that_meet_wait_for_one_another() {
    let place = Place::with(SETTINGS);
    let children: Vec<_> = (0..8)
        .map(|number| {
            let name = format!("service {number}");
            let mut command = place.command(&["service", "create", &name]);
            command.stdout(std::process::Stdio::null()).spawn().expect("it started")
        })
        .collect();
    for mut child in children {
        assert!(child.wait().expect("it ran").success());
    }
    assert_eq!(place.print(&["service", "list"]).lines().count(), 8);
}

use std::time::{Duration, UNIX_EPOCH};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::*;
use crate::config::Config;

const HOST: &str = "127.0.0.1:8080";

fn opened() -> (tempfile::TempDir, Tokens) {
    let directory = tempfile::tempdir().expect("a directory");
    let store = Store::open(directory.path()).expect("opened");
    (directory, Tokens::new(store, HOST, true))
}

fn for_ann() -> IssuedToken {
    IssuedToken {
        room: "r".parse().expect("valid"),
        user: "ann".into(),
        role: "presenter".into(),
        service: None,
    }
}

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

fn decoded(token: &str) -> Value {
    serde_json::from_slice(&STANDARD.decode(token).expect("base64")).expect("JSON")
}

fn encoded(token: &Value) -> String {
    STANDARD.encode(token.to_string())
}

/// What a client is told.
async fn refusal(tokens: &Tokens, token: &str) -> String {
    tokens.admit_at(token, now()).await.expect_err("refused").to_string()
}

#[tokio::test]
async fn an_owt_token_has_owts_form_and_admits_once() {
    let (_directory, tokens) = opened();
    let token = tokens.issue_at(for_ann(), now()).await.expect("issued");
    let json = String::from_utf8(STANDARD.decode(token.reveal()).expect("base64")).expect("text");
    let id = decoded(token.reveal())["tokenId"].as_str().expect("an id").to_owned();
    let signature = tokens.store.token_key().sign(&format!("{id},{HOST}"));
    let expected =
        format!(r#"{{"tokenId":"{id}","host":"{HOST}","secure":true,"signature":"{signature}"}}"#);
    assert_eq!(json, expected);
    assert_eq!((id.len(), signature.len()), (24, 88));

    let admission = tokens.admit_at(token.reveal(), now()).await.expect("admitted");
    let expected = Admission {
        room: "r".parse().expect("valid"),
        user: "ann".into(),
        role: "presenter".into(),
        name: None,
        picture: None,
    };
    assert_eq!(admission, expected);
    assert_eq!(refusal(&tokens, token.reveal()).await, "Unknown");
}

#[tokio::test]
async fn a_late_token_is_expired() {
    let (_directory, tokens) = opened();
    let token = tokens.issue_at(for_ann(), now()).await.expect("issued");
    let late = now() + Duration::from_secs(181);
    let error = tokens.admit_at(token.reveal(), late).await.expect_err("late");
    assert!(matches!(error, TokenError::Expired), "{error:?}");
}

#[tokio::test]
async fn both_of_owts_signatures_are_accepted() {
    let (_directory, tokens) = opened();
    for extra in [",undefined", ",https://quic.example.org:7700/"] {
        let token = tokens.issue_at(for_ann(), now()).await.expect("issued");
        let mut json = decoded(token.reveal());
        let id = json["tokenId"].as_str().expect("an id");
        let signature = tokens.store.token_key().sign(&format!("{id},{HOST}{extra}"));
        json["signature"] = signature.into();
        if let Some(url) = extra.strip_prefix(",https") {
            json["webTransportUrl"] = format!("https{url}").into();
        }
        tokens.admit_at(&encoded(&json), now()).await.expect("admitted");
    }
}

#[tokio::test]
async fn forged_tokens_are_refused_and_leave_the_true_one_valid() {
    let (_directory, tokens) = opened();
    let token = tokens.issue_at(for_ann(), now()).await.expect("issued");
    let json = decoded(token.reveal());
    let forgeries = [
        ("host", json!("evil.example.org:8080")),
        ("tokenId", json!("0123456789abcdef01234567")),
        ("signature", json!("")),
        ("signature", json!(7)),
        ("host", json!(null)),
        ("tokenId", json!(["x"])),
    ];
    for (key, value) in forgeries {
        let mut forged = json.clone();
        forged[key] = value;
        assert_eq!(refusal(&tokens, &encoded(&forged)).await, "Invalid token signature", "{key}");
    }
    for no_object in [json!(null), json!([1]), json!("x"), json!({})] {
        assert_eq!(refusal(&tokens, &encoded(&no_object)).await, "Invalid token signature");
    }
    tokens.admit_at(token.reveal(), now()).await.expect("admitted");
}

#[tokio::test]
async fn what_is_no_token_gets_the_parsers_text() {
    let (_directory, tokens) = opened();
    let base64 = |text: &str| STANDARD.encode(text);
    for (token, text) in [
        (String::new(), "Unexpected end of JSON input"),
        (base64("{"), "Unexpected end of JSON input"),
        (base64("<html>"), "Unexpected token < in JSON at position 0"),
        (base64("{\n \"a\": x}"), "Unexpected token x in JSON at position 8"),
        ("!!!".into(), "Unexpected end of JSON input"),
    ] {
        assert_eq!(refusal(&tokens, &token).await, text, "{token}");
    }
    let long = "x".repeat(MAX_TOKEN_BYTES + 1);
    assert_eq!(refusal(&tokens, &long).await, "longer than 8192 bytes");
    let deep = base64(&"[".repeat(5000));
    assert!(refusal(&tokens, &deep).await.starts_with("Unexpected token"));
}

fn claims() -> Value {
    json!({"room": "r", "user": "ann", "role": "viewer", "exp": 1_700_000_060, "jti": "one"})
}

fn signed(claims: &Value, key: &str, header: &Header) -> String {
    encode(header, claims, &EncodingKey::from_secret(key.as_bytes())).expect("signed")
}

#[tokio::test]
async fn the_servers_own_jwt_admits_once() {
    let (_directory, tokens) = opened();
    let token = tokens.issue_jwt(&for_ann().room, "ann", "presenter").expect("issued");
    let admission = tokens.admit(token.reveal()).await.expect("admitted");
    assert_eq!((&*admission.user, &*admission.role), ("ann", "presenter"));
    let again = tokens.admit(token.reveal()).await.expect_err("used");
    assert!(matches!(again, TokenError::Unknown), "{again:?}");
}

#[tokio::test]
async fn a_service_signs_with_its_own_key() {
    let (_directory, tokens) = opened();
    let service = tokens.store.create_service("shop").await.expect("made");
    let other = tokens.store.create_service("other").await.expect("made");
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some(service.id.to_string());
    let mut claims = claims();
    claims["name"] = "Ann Smith".into();
    claims["picture"] = "https://example.org/ann.png".into();
    claims["username"] = "ignored".into();
    claims["aud"] = "ignored".into();

    let foreign = signed(&claims, other.key.reveal(), &header);
    assert_eq!(refusal(&tokens, &foreign).await, "Invalid token signature");

    let token = signed(&claims, service.key.reveal(), &header);
    let admission = tokens.admit_at(&token, now()).await.expect("admitted");
    assert_eq!(admission.name.as_deref(), Some("Ann Smith"));
    assert_eq!(admission.picture.as_deref(), Some("https://example.org/ann.png"));
    assert_eq!(&*admission.user, "ann");
    assert_eq!(refusal(&tokens, &token).await, "Unknown");

    header.kid = Some(other.id.to_string());
    let same_id_of_another = signed(&claims, other.key.reveal(), &header);
    tokens.admit_at(&same_id_of_another, now()).await.expect("admitted");

    tokens.store.remove_service(&service.id).await.expect("removed");
    claims["jti"] = "two".into();
    header.kid = Some(service.id.to_string());
    let orphan = signed(&claims, service.key.reveal(), &header);
    assert_eq!(refusal(&tokens, &orphan).await, "Invalid token signature");
}

#[tokio::test]
async fn a_service_lets_nobody_into_anothers_room() {
    let (_directory, tokens) = opened();
    let mut services = Vec::new();
    for name in ["super", "shop", "other"] {
        services.push(tokens.store.create_service(name).await.expect("made"));
    }
    let [all, shop, other] = &services[..] else { panic!("three") };
    let room = store::RoomRecord::new("r".parse().expect("valid"), "the shop's");
    tokens.store.create_room_of(Some(shop.id.clone()), room, 10).await.expect("made");
    let common = store::RoomRecord::new("common".parse().expect("valid"), "nobody's");
    tokens.store.create_room(common, 10).await.expect("made");

    for (service, room, admitted) in [
        (shop, "r", true),
        (all, "r", true),
        (other, "r", false),
        (other, "common", true),
        (other, "unkept", true),
    ] {
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(service.id.to_string());
        let mut claims = claims();
        claims["room"] = room.into();
        claims["jti"] = room.into();
        let token = signed(&claims, service.key.reveal(), &header);
        let outcome = tokens.admit_at(&token, now()).await;
        let name = &service.name;
        match outcome {
            Ok(admission) => assert!(admitted && admission.room.as_str() == room, "{name} {room}"),
            Err(TokenError::ForeignRoom(foreign)) => {
                assert!(!admitted && foreign.as_str() == room, "{name} {room}");
            }
            Err(error) => panic!("{name} {room}: {error:?}"),
        }
        assert_eq!(refusal(&tokens, &token).await, "Unknown", "it is used up in any case");
    }
}

#[tokio::test]
async fn only_hs256_counts() {
    let (_directory, tokens) = opened();
    let key = tokens.store.token_key().reveal().to_owned();
    let hs512 = signed(&claims(), &key, &Header::new(Algorithm::HS512));
    assert_eq!(refusal(&tokens, &hs512).await, "Invalid token signature");

    let part = |json: Value| URL_SAFE_NO_PAD.encode(json.to_string());
    for alg in ["none", "None", "HS257"] {
        let header = part(json!({"alg": alg, "typ": "JWT"}));
        let unsigned = format!("{header}.{}.", part(claims()));
        assert_eq!(refusal(&tokens, &unsigned).await, "Invalid token signature", "{alg}");
    }
    let good = signed(&claims(), &key, &Header::new(Algorithm::HS256));
    let signature = good.rsplit('.').next().expect("a signature");
    let mut boss = claims();
    boss["role"] = "presenter".into();
    let head = good.split('.').next().expect("a header");
    let changed = format!("{head}.{}.{signature}", part(boss));
    assert_eq!(refusal(&tokens, &changed).await, "Invalid token signature");
    tokens.admit_at(&good, now()).await.expect("admitted");
}

#[tokio::test]
async fn claims_are_required_and_bounded() {
    let (_directory, tokens) = opened();
    let key = tokens.store.token_key().reveal().to_owned();
    let header = Header::new(Algorithm::HS256);
    let with = |key: &str, value: Value| {
        let mut claims = claims();
        claims[key] = value;
        claims
    };
    for claim in ["room", "user", "role", "exp", "jti"] {
        let mut lacking = claims();
        lacking.as_object_mut().expect("an object").remove(claim);
        let text = refusal(&tokens, &signed(&lacking, &key, &header)).await;
        assert!(text.starts_with("Invalid JWT: missing field"), "{claim}: {text}");
    }
    for (claims, expected) in [
        (with("exp", json!(1_700_000_000)), "Expired"),
        (with("exp", json!(-5)), "Expired"),
        (with("exp", json!("soon")), "Invalid JWT: invalid type"),
        (with("nbf", json!(1_700_000_001)), "Invalid JWT: not valid yet"),
        (with("user", json!("")), "Invalid JWT: user has 0 bytes"),
        (with("user", json!("x".repeat(513))), "Invalid JWT: user has 513 bytes"),
        (with("jti", json!("x".repeat(257))), "Invalid JWT: jti has 257 bytes"),
        (with("room", json!("a b")), "Invalid JWT: room: an id has"),
        (with("picture", json!("x".repeat(2049))), "Invalid JWT: picture has 2049 bytes"),
    ] {
        let text = refusal(&tokens, &signed(&claims, &key, &header)).await;
        assert!(text.starts_with(expected), "{text}");
    }
    for broken in ["..", "a.b", "a.b.c", ".", "e30.e30.e30"] {
        let text = refusal(&tokens, broken).await;
        assert!(text.starts_with("Invalid JWT: "), "{broken}: {text}");
    }
    let far = signed(&with("exp", json!(1e300)), &key, &header);
    tokens.admit_at(&far, now()).await.expect("admitted");
    assert_eq!(refusal(&tokens, &far).await, "Unknown");
}

#[tokio::test]
async fn nobody_is_issued_a_token_without_a_name() {
    let (_directory, tokens) = opened();
    let room = for_ann().room;
    let nobody = tokens.issue(&room, "", "viewer", None).await;
    assert!(matches!(nobody, Err(IssueError::Empty { what: "user" })));
    let long = tokens.issue_jwt(&room, "ann", &"x".repeat(MAX_NAME_BYTES + 1));
    assert!(matches!(long, Err(IssueError::TooLong { what: "role" })));
}

#[tokio::test]
async fn tokens_are_granted_for_rooms_that_are_or_can_be() {
    let (_directory, tokens) = opened();
    let grant = |room: &str, role: &str| Grant {
        room: room.into(),
        user: "ann".into(),
        role: role.into(),
        jwt: false,
    };
    let mut config = Config::default();
    let grants = Grants::new(tokens.clone(), &config);
    let room = store::RoomRecord::new("r1".parse().expect("valid"), "Our room");
    tokens.store.create_room(room, 10).await.expect("made");
    let same_name = store::RoomRecord::new("r2".parse().expect("valid"), "twins");
    tokens.store.create_room(same_name.clone(), 10).await.expect("made");
    let twin = store::RoomRecord { id: "r3".parse().expect("valid"), ..same_name };
    tokens.store.create_room(twin, 10).await.expect("made");

    for (room, id) in [("r1", "r1"), ("Our room", "r1"), ("demo", "demo")] {
        let token = grants.grant(grant(room, "viewer")).await.expect("granted");
        let admission = tokens.admit(token.reveal()).await.expect("admitted");
        assert_eq!(admission.room.as_str(), id);
    }
    for (asked, text) in [
        (grant("nowhere", "viewer"), "there is no room \"nowhere\""),
        (grant("twins", "viewer"), "2 rooms are called \"twins\""),
        (grant("r1", "boss"), "the room r1 has no role \"boss\"; it has presenter, viewer, "),
    ] {
        let error = grants.grant(asked).await.expect_err("refused").to_string();
        assert!(error.starts_with(text), "{error}");
    }

    config.rooms.create_on_join = true;
    config.demo.enabled = false;
    let grants = Grants::new(tokens.clone(), &config);
    grants.grant(grant("nowhere", "viewer")).await.expect("granted");
    let error = grants.grant(grant("a b", "viewer")).await.expect_err("refused");
    assert!(matches!(error, GrantError::BadId { .. }), "{error:?}");
}

#[tokio::test]
async fn no_error_shows_a_token() {
    let (_directory, tokens) = opened();
    let token = tokens.issue_at(for_ann(), now()).await.expect("issued");
    assert!(!format!("{token:?} {tokens:?}").contains(token.reveal()));
    let key = tokens.store.token_key().reveal();
    assert!(!format!("{tokens:?}").contains(key));
    tokens.admit_at(token.reveal(), now()).await.expect("admitted");
    let error = tokens.admit_at(token.reveal(), now()).await.expect_err("used");
    assert!(!format!("{error:?} {error}").contains(token.reveal()));
}

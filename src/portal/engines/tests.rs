use std::io::Read as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::read::ZlibDecoder;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde_json::{Value, json};

use super::{
    agora::{Token, service},
    *,
};

const SECRET: &str = "a secret of at least thirty-two bytes";
const APP_ID: &str = "970CA35de60c44645bbae8a215061b33";
const CERTIFICATE: &str = "5CFd2fd1755d40ecb72977518be15d3b";

fn settings() -> config::Engines {
    let mut settings = config::Config::default().engines;
    settings.livekit = config::LiveKit {
        url: "wss://livekit.example".into(),
        api_key: "APIkey".into(),
        api_secret: SECRET.to_owned().into(),
    };
    settings.hundredms = config::HundredMs {
        access_key: "access".into(),
        secret: SECRET.to_owned().into(),
        rooms: vec![("lounge".into(), "64f1".into())],
    };
    settings.agora =
        config::Agora { app_id: APP_ID.into(), app_certificate: CERTIFICATE.to_owned().into() };
    settings
}

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

fn ask(
    settings: config::Engines,
    asked: Engine,
    room: &str,
    user: &str,
    publishes: bool,
) -> Admission {
    let room: RoomId = room.parse().expect("an id");
    Engines::new(settings).answer(asked, Guest { room: &room, user, publishes }, now())
}

/// The claims of a JWT with this key; anybody else's does not open it.
fn claims(token: &str) -> Value {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.validate_exp = false;
    validation.required_spec_claims.clear();
    let other = decode::<Value>(token, &DecodingKey::from_secret(b"other"), &validation);
    assert!(other.is_err());
    let key = DecodingKey::from_secret(SECRET.as_bytes());
    decode::<Value>(token, &key, &validation).expect("a JWT").claims
}

#[test]
fn without_settings_this_server_serves() {
    let none = config::Config::default().engines;
    for engine in [Engine::Native, Engine::LiveKit, Engine::HundredMs, Engine::Agora] {
        let admission = ask(none.clone(), engine, "lounge", "ann", true);
        assert_eq!(admission.engine(), Engine::Native);
        assert_eq!(json!(admission), json!({}));
    }
    assert_eq!(ask(settings(), Engine::Native, "lounge", "ann", true), Admission::Native {});
}

#[test]
fn engines_have_the_words_of_the_wire() {
    for word in ["native", "agora", "hundredms", "livekit"] {
        assert_eq!(json!(Engine::parse(word)), json!(word));
    }
    assert_eq!(Engine::parse("Native"), None);
}

#[test]
fn livekit_gets_a_grant() {
    for publishes in [true, false] {
        let admission = ask(settings(), Engine::LiveKit, "lounge", "ann", publishes);
        assert_eq!(admission.engine(), Engine::LiveKit);
        let es = json!(admission);
        assert_eq!(es["url"], "wss://livekit.example");
        assert_eq!(
            claims(es["token"].as_str().expect("a token")),
            json!({
                "iss": "APIkey", "sub": "ann", "nbf": 1_700_000_000_u64,
                "exp": 1_700_086_400_u64,
                "video": {
                    "room": "lounge", "roomJoin": true, "canPublish": publishes,
                    "canSubscribe": true,
                },
            })
        );
    }
}

#[test]
fn hundredms_knows_rooms_by_ids_of_its_own() {
    let admission = ask(settings(), Engine::HundredMs, "lounge", "ann", true);
    let es = json!(admission);
    assert_eq!((&es["roomId"], &es["role"]), (&json!("64f1"), &json!("host")));
    let mut claims = claims(es["token"].as_str().expect("a token"));
    let jti = claims["jti"].take();
    assert!(jti.as_str().is_some_and(|jti| !jti.is_empty()), "{jti}");
    assert_eq!(
        claims,
        json!({
            "access_key": "access", "room_id": "64f1", "user_id": "ann", "role": "host",
            "type": "app", "version": 2, "jti": null, "iat": 1_700_000_000_u64,
            "nbf": 1_700_000_000_u64, "exp": 1_700_086_400_u64,
        })
    );
    let viewer = ask(settings(), Engine::HundredMs, "lounge", "ann", false);
    assert_eq!(json!(viewer)["role"], "guest");
    let unknown = ask(settings(), Engine::HundredMs, "cellar", "ann", true);
    assert_eq!(unknown, Admission::Native {});
}

#[test]
fn secrets_of_services_are_not_shown() {
    let shown = format!("{:?}", Engines::new(settings()));
    assert!(!shown.contains(SECRET) && !shown.contains(CERTIFICATE), "{shown}");
    let admission = ask(settings(), Engine::LiveKit, "lounge", "ann", true);
    let es = json!(admission);
    assert!(!format!("{admission:?}").contains(es["token"].as_str().expect("a token")));
}

fn inflated(token: &str) -> Vec<u8> {
    let deflated = STANDARD.decode(token.strip_prefix("007").expect("version 007"));
    let deflated = deflated.expect("base64");
    let mut content = Vec::new();
    let mut inflater = ZlibDecoder::new(&deflated[..]);
    inflater.read_to_end(&mut content).expect("deflated");
    content
}

/// The test vectors that Agora publishes for its own token builders: what they sign and their
/// signatures, whichever way it is deflated.
#[test]
fn agora_tokens_are_those_of_the_published_vectors() {
    const CHANNEL: &str = "7d72365eb983485397e3e3f9d460bdda";
    const UID: &str = "2882341273";
    let certificate = Secret::from(CERTIFICATE.to_owned());
    let token = Token {
        app_id: APP_ID,
        app_certificate: &certificate,
        issued_secs: 1_111_111,
        expire_secs: 600,
        salt: 1,
    };
    let join = [(1, 600)];
    let mut education = service(7, &[(2, 600)], &["", UID]);
    education.extend((-1_i16).to_le_bytes());
    let all = [
        service(1, &[(1, 600), (2, 600), (3, 600), (4, 600)], &[CHANNEL, UID]),
        service(2, &join, &["test_user"]),
        service(5, &join, &[UID]),
        education,
    ];
    for (services, expected) in [
        (
            vec![service(1, &join, &[CHANNEL, UID])],
            "007eJxTYBBbsMMnKq7p9Hf/HcIX5kce9b518kCiQgSr5Zrp4X1Tu6UUGCzNDZwdjU1TUs0Mkk1MzExMk\
             5ISUy0SjQxNDcwMk4yN3b8IMEQwMTAwMoAwBIL4CgzmKeZGxmamqUmWFsYmFqbGluapxqnGaZYpJmYGS\
             SkpiVwMRhYWRsYmhkbmxgDCaiTj",
        ),
        (
            vec![service(1, &join, &[CHANNEL, ""])],
            "007eJxTYLhzZP08Lxa1Pg57+TcXb/3cZ3wi4V6kbpbOog0G2dOYk20UGCzNDZwdjU1TUs0Mkk1MzExMk\
             5ISUy0SjQxNDcwMk4yN3b8IMEQwMTAwMoAwBIL4CgzmKeZGxmamqUmWFsYmFqbGluapxqnGaZYpJmYGS\
             SkpiQwMADacImo=",
        ),
        (
            vec![service(5, &join, &[UID])],
            "007eJxTYNAIsnbS3v/A5t2TC6feR15r+6cq8bqAvfaW+tk/Vzz+p6xTYLA0N3B2NDZNSTUzSDYxMTMxT\
             UpKTLVINDI0NTAzTDI2dv8iwBDBxMDAyADCrEDMCOZzMRhZWBgZmxgamRsDAB+lHrg=",
        ),
        (
            all.to_vec(),
            "007eJxTYPhwIyX+i9+qlu/37Lum6OY/e/d3Uu3HbnWtw2trr6m4cHMpMFiaGzg7GpumpJoZJJuYmJmYJ\
             iUlplokGhmaGpgZJhkbu38RYIhgYmBgZGBgYAGSIAziM4FJZjDJAiYVGMxTzI2MzUxTkywtjE0sTI0tz\
             VONU43TLFNMzAySUlISuRiMLCyMjE0MjcyNmYDmQEziZChJLS6JLy1OLWKFCyIrZQeKQaxDFf//HwBHL\
             TNe",
        ),
    ] {
        let written = token.write(&services);
        assert_eq!(inflated(written.reveal()), inflated(expected));
    }
}

#[test]
fn agora_lets_in_whom_it_can_name() {
    let admission = ask(settings(), Engine::Agora, "lounge", "ann", false);
    let es = json!(admission);
    assert_eq!((&es["appId"], &es["channel"]), (&json!(APP_ID), &json!("lounge")));
    let content = inflated(es["token"].as_str().expect("a token"));
    // Type 1, one privilege: to join, for a day.
    let join = service(1, &[(1, 86_400)], &["lounge", "ann"]);
    assert!(content.ends_with(&join), "{content:?}");
    let es = json!(ask(settings(), Engine::Agora, "lounge", "ann", true));
    let content = inflated(es["token"].as_str().expect("a token"));
    let all = [1, 2, 3, 4].map(|privilege| (privilege, 86_400));
    assert!(content.ends_with(&service(1, &all, &["lounge", "ann"])), "{content:?}");
    for (room, user) in [("a".repeat(65).as_str(), "ann"), ("a", "é")] {
        let admission = ask(settings(), Engine::Agora, room, user, true);
        assert_eq!(admission, Admission::Native {});
    }
    let long = "u".repeat(256);
    assert_eq!(ask(settings(), Engine::Agora, "a", &long, true), Admission::Native {});
}

//! Reads signals.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{
    message::Kind,
    refusal::{Refusal, SESSION_ID},
};
use crate::{
    ids::{MAX_ID_LEN, ParticipantId, RoomId},
    portal::{engines::Engine, token::MAX_NAME_BYTES},
    room::{Device, RoomKind, Sending, Whom},
};

/// The longest device id, in bytes.
const MAX_DEVICE_BYTES: usize = 256;

const HOSTS: [&str; 6] = ["iOS", "iOS_EX", "Android", "Web", "Web_Studio", "Server"];
const CATEGORIES: [&str; 2] = ["stream", SCREEN];

/// The category of sessions that show a screen.
pub(super) const SCREEN: &str = "screenshare";

const CHANNELS: [(&str, RoomKind); 4] = [
    ("m2m", RoomKind::Meeting),
    ("a2m", RoomKind::AudioMeeting),
    ("p2p", RoomKind::Call),
    ("p2m", RoomKind::Broadcast),
];

/// A signal.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Signal {
    /// What its client takes the room for.
    pub(super) channel: RoomKind,
    /// Whose it says it is.
    pub(super) session: Session,
    /// The room.
    pub(super) room: RoomId,
    /// What it is for.
    pub(super) wish: Wish,
}

/// The `ss` of a signal.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Session {
    /// The session's own id, which is the participant's.
    pub(super) id: ParticipantId,
    /// The user.
    pub(super) user: Arc<str>,
    /// By what.
    pub(super) device: Device,
}

/// What a signal is for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Wish {
    Join { sending: Sending, engine: Engine, founding: bool },
    Leave,
    Update { sending: Sending },
    Heartbeat { id: String, ack: bool },
    Kick { whom: Whom },
    Request { sending: Sending },
    Accept { to: Whom },
    Reject { to: Whom },
    Offer { to: Option<Whom>, sdp: Arc<str>, live: bool },
    Answer { to: Whom, sdp: Arc<str> },
    Ice { to: Whom, candidate: Arc<str> },
    Watch { whom: Whom },
}

/// Reads a signal of a kind.
pub(super) fn signal(kind: Kind, data: &Value) -> Result<Signal, Refusal> {
    let data = data.as_object().ok_or_else(|| Refusal::invalid("data is no object"))?;
    if data.get("s").and_then(Value::as_str) != Some(kind.name()) {
        return Err(Refusal::invalid("s is not that of the action"));
    }
    Ok(Signal {
        channel: channel(data)?,
        session: session(data)?,
        room: id(data.get("rid")).ok_or_else(|| Refusal::invalid("rid cannot be a room's"))?,
        wish: wish(kind, data)?,
    })
}

fn wish(kind: Kind, data: &Map<String, Value>) -> Result<Wish, Refusal> {
    Ok(match kind {
        Kind::Join => join(data)?,
        Kind::Leave => Wish::Leave,
        Kind::Update => Wish::Update { sending: sending(data)? },
        Kind::Heartbeat => {
            Wish::Heartbeat { id: text(data, "bid")?.into(), ack: flag(data, "send_ack")? }
        }
        Kind::Kick => Wish::Kick { whom: whom(data)? },
        Kind::PublishRequest => {
            if data.get("msg").is_some_and(|msg| !msg.is_string() && !msg.is_null()) {
                return Err(Refusal::invalid("msg is no text"));
            }
            Wish::Request { sending: sending(data)? }
        }
        Kind::PublishAccept => Wish::Accept { to: whom(data)? },
        Kind::PublishReject => Wish::Reject { to: whom(data)? },
        Kind::Offer => offer(data)?,
        Kind::Answer => Wish::Answer { to: whom(data)?, sdp: text(data, "sdp")?.into() },
        Kind::Ice => Wish::Ice { to: whom(data)?, candidate: text(data, "sdp")?.into() },
        Kind::Watch => Wish::Watch { whom: whom(data)? },
    })
}

fn join(data: &Map<String, Value>) -> Result<Wish, Refusal> {
    let engine = match data.get("eg") {
        None | Some(Value::Null) => Some(Engine::Native),
        Some(name) => name.as_str().and_then(Engine::parse),
    };
    let engine = engine.ok_or_else(|| Refusal::invalid("eg is no engine"))?;
    let options = options(data)?;
    // It allows any user id where that is not checked anyway.
    flag(options, "userFaking")?;
    let founding = flag(options, "roomCreating")?;
    Ok(Wish::Join { sending: sending(data)?, engine, founding })
}

fn offer(data: &Map<String, Value>) -> Result<Wish, Refusal> {
    let to = match data.get("to") {
        None | Some(Value::Null) => None,
        Some(_) => Some(whom(data)?),
    };
    let options = options(data)?;
    let sdp = text(data, "sdp")?.into();
    // The offer itself says whether it restarts.
    flag(options, "restarting")?;
    Ok(Wish::Offer { to, sdp, live: flag(options, "hlsForwarding")? })
}

fn channel(data: &Map<String, Value>) -> Result<RoomKind, Refusal> {
    let named = data.get("ch").and_then(Value::as_str);
    let found = CHANNELS.iter().find(|(name, _)| Some(*name) == named);
    found.map(|(_, kind)| *kind).ok_or_else(|| Refusal::invalid("ch is no room type"))
}

fn session(data: &Map<String, Value>) -> Result<Session, Refusal> {
    let session = data.get("ss").and_then(Value::as_object);
    let session = session.ok_or_else(|| Refusal::invalid("ss is missing"))?;
    let known = |key, words: &[&str]| {
        let word = session.get(key).and_then(Value::as_str).filter(|word| words.contains(word));
        word.map(Arc::from).ok_or_else(|| Refusal::invalid(format!("ss.{key} is none")))
    };
    let device = session.get("deviceId").and_then(Value::as_str);
    let device = device.filter(|id| id.len() <= MAX_DEVICE_BYTES);
    Ok(Session {
        id: session_id(session.get("sessionId")).ok_or_else(|| Refusal::invalid(SESSION_ID))?,
        user: user(session.get("userId"))
            .ok_or_else(|| Refusal::invalid("ss.userId cannot be a user's"))?,
        device: Device {
            id: device.ok_or_else(|| Refusal::invalid("ss.deviceId is none"))?.into(),
            host: known("host", &HOSTS)?,
            category: known("category", &CATEGORIES)?,
        },
    })
}

/// The `to` of a signal: a user with all sessions, or one session.
fn whom(data: &Map<String, Value>) -> Result<Whom, Refusal> {
    let whom = match data.get("to") {
        Some(user_id @ Value::String(_)) => user(Some(user_id)).map(Whom::User),
        Some(Value::Object(one)) => id(one.get("sessionId")).map(Whom::One),
        _ => None,
    };
    whom.ok_or_else(|| Refusal::invalid("to names nobody"))
}

/// A client's own choice of an id; the other doors' ids are made here and may have more letters.
fn session_id(value: Option<&Value>) -> Option<ParticipantId> {
    let clean = |text: &&str| text.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-');
    let text = value?.as_str().filter(|text| text.len() <= MAX_ID_LEN)?;
    Some(text).filter(clean)?.parse().ok()
}

fn id<T: std::str::FromStr>(value: Option<&Value>) -> Option<T> {
    value?.as_str()?.parse().ok()
}

fn user(value: Option<&Value>) -> Option<Arc<str>> {
    let user = value?.as_str().filter(|user| (1..=MAX_NAME_BYTES).contains(&user.len()))?;
    (!user.contains(char::is_control)).then(|| user.into())
}

fn sending(data: &Map<String, Value>) -> Result<Sending, Refusal> {
    let flag = |key| data.get(key).and_then(Value::as_bool);
    let both = flag("ae").zip(flag("ve")).map(|(audio, video)| Sending { audio, video });
    both.ok_or_else(|| Refusal::invalid("ve and ae are true or false"))
}

fn text<'d>(data: &'d Map<String, Value>, key: &str) -> Result<&'d str, Refusal> {
    let text = data.get(key).and_then(Value::as_str);
    text.ok_or_else(|| Refusal::invalid(format!("{key} is no text")))
}

/// A flag that may be left out.
fn flag(data: &Map<String, Value>, key: &str) -> Result<bool, Refusal> {
    match data.get(key) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(Refusal::invalid(format!("{key} is neither true nor false"))),
    }
}

fn options(data: &Map<String, Value>) -> Result<&Map<String, Value>, Refusal> {
    static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    match data.get("op") {
        None | Some(Value::Null) => Ok(&NONE),
        Some(options) => options.as_object().ok_or_else(|| Refusal::invalid("op is no object")),
    }
}

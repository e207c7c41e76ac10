//! Frames of this dialect, member for member.

use serde::Serialize;
use serde_json::Value;

use crate::portal::engines::{Admission, Engine};

/// What a signal is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Join,
    Leave,
    Update,
    Heartbeat,
    Kick,
    PublishRequest,
    PublishAccept,
    PublishReject,
    Offer,
    Answer,
    Ice,
    Watch,
}

impl Kind {
    /// Every kind with its `action`, its `s`, and the `s` of its errors.
    const WORDS: [(Self, &'static str, &'static str, &'static str); 12] = [
        (Self::Join, "join", "JOIN", "JOIN"),
        // Errors of this one alone are spelt in small letters.
        (Self::Leave, "leave", "LEAVE", "leave"),
        (Self::Update, "updateVideo", "UPDATE", "UPDATE"),
        (Self::Heartbeat, "heartbeat", "HEARTBEAT", "HEARTBEAT"),
        (Self::Kick, "kick", "KICK", "KICK"),
        (Self::PublishRequest, "publishRequest", "PUBLISH_REQUEST", "PUBLISH_REQUEST"),
        (Self::PublishAccept, "publishAccept", "PUBLISH_ACCEPT", "PUBLISH_ACCEPT"),
        (Self::PublishReject, "publishReject", "PUBLISH_REJECT", "PUBLISH_REJECT"),
        (Self::Offer, "offer", "OFFER", "OFFER"),
        (Self::Answer, "answer", "ANSWER", "ANSWER"),
        (Self::Ice, "iceCandidate", "ICE", "ICE"),
        (Self::Watch, "watch", "WATCH", "WATCH"),
    ];

    /// The kind of that `action`.
    pub(super) fn of_action(action: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, word, _, _)| *word == action).map(|(kind, ..)| *kind)
    }

    /// The `s` of its signals and acks.
    pub(super) fn name(self) -> &'static str {
        self.words().2
    }

    /// The `s` of its errors.
    pub(super) fn error_name(self) -> &'static str {
        self.words().3
    }

    fn words(self) -> (Self, &'static str, &'static str, &'static str) {
        let words = Self::WORDS.iter().find(|(kind, ..)| *kind == self);
        *words.expect("the table has every kind")
    }
}

/// A frame as it came.
#[derive(Debug, PartialEq)]
pub(super) struct Frame {
    /// What it is for, if its `action` is known.
    pub(super) kind: Option<Kind>,
    /// Its `data`, [`Value::Null`] if there is none: the signal.
    pub(super) data: Value,
}

impl Frame {
    /// Reads a frame, whatever it is.
    pub(super) fn read(frame: &str) -> Self {
        let Ok(Value::Object(mut members)) = serde_json::from_str(frame) else {
            return Self { kind: None, data: Value::Null };
        };
        let kind = members.get("action").and_then(Value::as_str).and_then(Kind::of_action);
        Self { kind, data: members.get_mut("data").map(Value::take).unwrap_or_default() }
    }
}

/// What the server says: `c`, `s` and `b`.
#[derive(Debug, Serialize)]
pub(super) struct Ack<'a, T> {
    pub(super) c: u16,
    pub(super) s: &'a str,
    pub(super) b: T,
}

/// The body of an error.
#[derive(Debug, Serialize)]
pub(super) struct ErrorBody<'a> {
    pub(super) req: &'a Value,
    pub(super) msg: &'a str,
}

/// The body of a `JOIN` ack.
#[derive(Debug, Serialize)]
pub(super) struct JoinBody<'a> {
    pub(super) pps: Vec<Publisher<'a>>,
    pub(super) rid: &'a str,
    pub(super) pt: &'static str,
    pub(super) eg: Engine,
    pub(super) es: EngineSpecific<'a>,
}

/// What a client needs of the engine that serves it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum EngineSpecific<'a> {
    /// Of this server.
    Native(Native<'a>),
    /// Of a service of others.
    Service(&'a Admission),
}

/// What a client of this server's own engine needs.
#[derive(Debug, Serialize)]
pub(super) struct Native<'a> {
    pub(super) icfg: IceConfiguration<'a>,
    pub(super) sdps: Vec<Downlink<'a>>,
}

/// The STUN servers to use.
#[derive(Debug, Serialize)]
pub(super) struct IceConfiguration<'a> {
    pub(super) is: &'a [String],
}

/// An offer to be answered.
#[derive(Debug, Serialize)]
pub(super) struct Downlink<'a> {
    pub(super) id: &'a str,
    pub(super) sdp: &'a str,
}

/// The body of `PUBLISH_LIST_CHANGED` and of `HEARTBEAT` acks.
#[derive(Debug, Serialize)]
pub(super) struct ListBody<'a> {
    pub(super) pps: Vec<Publisher<'a>>,
    pub(super) rid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bid: Option<&'a str>,
}

/// The body of an `OFFER` ack.
#[derive(Debug, Serialize)]
pub(super) struct OfferBody<'a> {
    pub(super) rid: &'a str,
    pub(super) sdp: &'a str,
}

/// Somebody who publishes. The lists of the dialect want different ones of these members; each gets
/// all of them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Publisher<'a> {
    pub(super) id: &'a str,
    pub(super) session_id: &'a str,
    pub(super) role: &'static str,
    pub(super) video: bool,
    pub(super) audio: bool,
    pub(super) publish: bool,
    pub(super) user_id: &'a str,
    pub(super) username: &'a str,
    pub(super) fullname: &'a str,
    pub(super) avatar: &'a str,
    pub(super) host: &'a str,
    pub(super) category: &'a str,
    pub(super) device_id: &'a str,
    /// Only in `WATCH` acks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sdp: Option<&'a str>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_frame_has_an_action_and_data() {
        let frame = Frame::read(r#"{"action":"updateVideo","data":{"s":"UPDATE"}}"#);
        assert_eq!(frame, Frame { kind: Some(Kind::Update), data: json!({"s": "UPDATE"}) });
        assert_eq!(Kind::Leave.error_name(), "leave");
        assert_eq!(Kind::Leave.name(), "LEAVE");
    }

    #[test]
    fn anything_else_is_read_as_nothing() {
        let deep = format!(r#"{{"action":"join","data":{}"#, "[".repeat(100_000));
        for text in ["", "null", "[]", "7", r#""join""#, r#"{"action":"join""#, &deep] {
            assert_eq!(Frame::read(text), Frame { kind: None, data: Value::Null }, "{text:.40}");
        }
        for text in [r#"{"action":7}"#, r#"{"action":"JOIN"}"#, r#"{"action":"dance"}"#, "{}"] {
            assert_eq!(Frame::read(text).kind, None, "{text}");
        }
        let bare = Frame::read(r#"{"action":"join"}"#);
        assert_eq!(bare, Frame { kind: Some(Kind::Join), data: Value::Null });
    }
}

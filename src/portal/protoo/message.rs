//! Frames of the protoo framing and what this dialect puts into them, member for member.

use serde::Serialize;
use serde_json::{Number, Value, value::RawValue};

/// A request as it came.
#[derive(Debug, PartialEq)]
pub(super) struct Request {
    /// Returned with the answer as it is; clients choose it and may choose any number.
    pub(super) id: Number,
    /// Empty when it was no text.
    pub(super) method: String,
    /// An object, or [`Value::Null`] when there is none.
    pub(super) data: Value,
}

impl Request {
    /// Reads a frame. `None` for all that cannot be answered: what is no request, which this side
    /// never waits for, and requests without a number.
    pub(super) fn read(frame: &str) -> Option<Self> {
        let Value::Object(mut members) = serde_json::from_str(frame).ok()? else { return None };
        if members.get("request") != Some(&Value::Bool(true)) {
            return None;
        }
        let Value::Number(id) = members.get_mut("id")?.take() else { return None };
        let mut taken = |key| members.get_mut(key).map(Value::take).unwrap_or_default();
        let Value::String(method) = taken("method") else {
            return Some(Self { id, method: String::new(), data: Value::Null });
        };
        Some(Self { id, method, data: taken("data") })
    }
}

/// A request that is granted.
#[derive(Debug, Serialize)]
pub(super) struct Granted<'a, T> {
    pub(super) response: bool,
    pub(super) id: &'a Number,
    pub(super) ok: bool,
    pub(super) data: T,
}

/// A request that is refused.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Refused<'a> {
    pub(super) response: bool,
    pub(super) id: &'a Number,
    pub(super) ok: bool,
    pub(super) error_code: i8,
    pub(super) error_reason: &'a str,
}

/// Something that was not asked for.
#[derive(Debug, Serialize)]
pub(super) struct Told<T> {
    pub(super) notification: bool,
    pub(super) method: &'static str,
    pub(super) data: T,
}

/// `{}`, the data of most answers.
#[derive(Debug, Serialize)]
pub(super) struct Nothing {}

/// A room's participants and streams; an answer has one or both.
#[derive(Debug, Default, Serialize)]
pub(super) struct Lists<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pubs: Option<Vec<Pub<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) users: Option<Vec<User<'a>>>,
}

/// A participant; also the data of `peer-join`.
#[derive(Debug, Serialize)]
pub(super) struct User<'a> {
    pub(super) rid: &'a str,
    pub(super) uid: &'a str,
    pub(super) bizid: &'a str,
}

/// The data of `peer-leave`.
#[derive(Debug, Serialize)]
pub(super) struct Leaver<'a> {
    pub(super) rid: &'a str,
    pub(super) uid: &'a str,
}

/// A stream; also the data of `stream-add`.
#[derive(Debug, Serialize)]
pub(super) struct Pub<'a> {
    pub(super) rid: &'a str,
    pub(super) uid: &'a str,
    pub(super) mid: String,
    pub(super) sfuid: &'a str,
    pub(super) minfo: MediaInfo,
}

/// What a stream carries: `audiotype` 0 is a microphone, 1 anything else; `videotype` 0 is a
/// camera, 1 a screen, 2 anything else.
#[derive(Debug, Serialize)]
pub(super) struct MediaInfo {
    pub(super) audio: bool,
    pub(super) video: bool,
    pub(super) audiotype: u8,
    pub(super) videotype: u8,
}

/// The data of `stream-remove`.
#[derive(Debug, Serialize)]
pub(super) struct Removed<'a> {
    pub(super) rid: &'a str,
    pub(super) uid: &'a str,
    pub(super) mid: String,
}

/// The data of `broadcast`.
#[derive(Debug, Serialize)]
pub(super) struct Broadcast<'a> {
    pub(super) rid: &'a str,
    pub(super) uid: &'a str,
    pub(super) data: &'a RawValue,
}

/// A server's SDP.
#[derive(Debug, Serialize)]
pub(super) struct Jsep<'a> {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) sdp: &'a str,
}

/// The answer to `publish`.
#[derive(Debug, Serialize)]
pub(super) struct Published<'a> {
    pub(super) jsep: Jsep<'a>,
    pub(super) mid: String,
    pub(super) sfuid: &'a str,
}

/// The answer to `subscribe`.
#[derive(Debug, Serialize)]
pub(super) struct Subscribed<'a> {
    pub(super) jsep: Jsep<'a>,
    pub(super) sid: String,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn requests_are_read_with_whatever_number_they_have() {
        for id in [json!(0), json!(1_928_012), json!(-7), json!(1.5), json!(u64::MAX)] {
            let frame = json!({"request": true, "id": id, "method": "join", "data": {"rid": "a"}});
            let request = Request::read(&frame.to_string()).expect("a request");
            assert_eq!(Value::Number(request.id), id);
            assert_eq!((request.method.as_str(), request.data), ("join", json!({"rid": "a"})));
        }
        let bare = Request::read(r#"{"request":true,"id":1}"#).expect("it can be answered");
        assert_eq!((bare.method.as_str(), bare.data), ("", Value::Null));
    }

    #[test]
    fn what_cannot_be_answered_is_no_request() {
        let frames = [
            r"",
            r"null",
            r"[]",
            r#""join""#,
            r#"{"request":true}"#,
            r#"{"request":true,"id":"1","method":"join"}"#,
            r#"{"request":true,"id":null,"method":"join"}"#,
            r#"{"request":1,"id":1,"method":"join"}"#,
            r#"{"response":true,"id":1,"ok":true,"data":{}}"#,
            r#"{"notification":true,"method":"join","data":{}}"#,
            r#"{"request":true,"id":1"#,
            &format!(r#"{{"request":true,"id":1,"data":{}"#, "[".repeat(100_000)),
        ];
        for frame in frames {
            assert_eq!(Request::read(frame), None, "{frame:.60}");
        }
    }
}

//! Reads `login`: who is asking, in which protocol version, with which token.

use std::time::Duration;

use serde_json::Value;

use super::{protocol::Protocol, refusal::Refusal};
use crate::{config::Secret, portal::DoorwaySettings};

/// A well-formed login.
#[derive(Debug)]
pub(super) struct Login {
    /// The token as it came; never printed.
    pub(super) token: Secret,
    /// The protocol's version.
    pub(super) protocol: Protocol,
    /// How long the client's place is to be kept when its connection is lost; `None` when it does
    /// not want to come back.
    pub(super) reconnection: Option<KeepTime>,
}

/// How long a client wants its place to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeepTime {
    /// As long as the server says.
    Server,
    /// So long.
    Of(Duration),
}

impl KeepTime {
    /// The time, which never exceeds a ticket's: nobody can come back after that.
    pub(super) fn within(self, settings: &DoorwaySettings) -> Duration {
        let wanted = match self {
            Self::Server => settings.reconnection_timeout,
            Self::Of(wanted) => wanted,
        };
        wanted.min(settings.ticket_lifetime)
    }
}

/// How a client wants its errors: as the document says, or as OWT's own server writes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ErrorForm {
    /// `{code, description}`.
    Object,
    /// The bare description.
    Text,
}

/// The form that `[portal] error_format = "auto"` gives a client: OWT's native SDKs read a text.
pub(super) fn error_form_for(login: &Value) -> ErrorForm {
    match login.pointer("/userAgent/sdk/type").and_then(Value::as_str) {
        Some("C++" | "Objective-C" | "Android") => ErrorForm::Text,
        _ => ErrorForm::Object,
    }
}

/// Checks a login in the order in which OWT's portal does, so that a client with several faults
/// hears the same one.
pub(super) fn login(data: &Value) -> Result<Login, Refusal> {
    if !data.is_object() {
        return Err(Refusal::illegal());
    }
    let protocol = protocol(data)?;
    check_user_agent(data)?;
    let token = data.get("token").and_then(Value::as_str);
    let token = token.ok_or_else(|| Refusal::not_accepted("Invalid token"))?;
    Ok(Login { token: token.to_owned().into(), protocol, reconnection: reconnection(data) })
}

/// Absent means `{keepTime: -1}`, for every kind of client: the SDKs send nothing and need a
/// ticket. OWT never looks at it, so what makes no sense is taken for absent, too.
fn reconnection(login: &Value) -> Option<KeepTime> {
    let wish = login.get("reconnection");
    if wish == Some(&Value::Bool(false)) {
        return None;
    }
    let seconds = wish.and_then(|wish| wish.get("keepTime")).and_then(Value::as_f64);
    let keep = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    Some(keep.map_or(KeepTime::Server, KeepTime::Of))
}

/// The version that a client speaks; absent is served as 1.1, because the older dialect that OWT
/// assumes then is specified nowhere.
fn protocol(data: &Value) -> Result<Protocol, Refusal> {
    let unknown = || Refusal::not_accepted("Unknown client protocol");
    match data.get("protocol") {
        None | Some(Value::Null) => Ok(Protocol::default()),
        Some(version) => {
            let known = version.as_str().and_then(Protocol::named).ok_or_else(unknown)?;
            if known == Protocol::V11
                && data.pointer("/userAgent/sdk/version").and_then(Value::as_str) == Some("3.5")
            {
                return Err(Refusal::not_accepted("Deprecated client version"));
            }
            Ok(known)
        }
    }
}

/// Asks for no more than OWT 5 does: its Android SDK names neither runtime nor system, and writes
/// its version as a number.
fn check_user_agent(data: &Value) -> Result<(), Refusal> {
    let named = |pointer: &str| match data.pointer(pointer) {
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Number(_)) => true,
        _ => false,
    };
    if named("/userAgent/sdk/type") && named("/userAgent/sdk/version") {
        Ok(())
    } else {
        Err(Refusal::not_accepted("User agent info is incorrect"))
    }
}

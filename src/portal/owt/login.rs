//! Reads `login`: who is asking, in which protocol version, with which token.

use serde_json::Value;

use super::refusal::Refusal;
use crate::config::Secret;

/// A well-formed login.
#[derive(Debug)]
pub(super) struct Login {
    /// The token as it came; never printed.
    pub(super) token: Secret,
    /// Whether the client wants a ticket to come back with. Absent means yes, for every kind of
    /// client: the SDKs send nothing and need one.
    pub(super) reconnection: bool,
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
    check_protocol(data)?;
    check_user_agent(data)?;
    let token = data.get("token").and_then(Value::as_str);
    let token = token.ok_or_else(|| Refusal::not_accepted("Invalid token"))?;
    let reconnection = data.get("reconnection") != Some(&Value::Bool(false));
    Ok(Login { token: token.to_owned().into(), reconnection })
}

/// The version that a client speaks; absent is served as 1.1, because the older dialect that OWT
/// assumes then is specified nowhere.
fn check_protocol(data: &Value) -> Result<(), Refusal> {
    match data.get("protocol") {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(version)) if version == "1.1" => {
            if data.pointer("/userAgent/sdk/version").and_then(Value::as_str) == Some("3.5") {
                return Err(Refusal::not_accepted("Deprecated client version"));
            }
            Ok(())
        }
        Some(_) => Err(Refusal::not_accepted("Unknown client protocol")),
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

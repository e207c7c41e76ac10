//! OWT's token: base64 of a JSON object that names a record in the store, and where to connect.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Serialize;
use serde_json::Value;

use super::{TokenError, parse_base64_json};
use crate::{config::Secret, ids::TokenId, store::SigningKey};

/// The object, its keys in OWT's order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'t> {
    token_id: &'t str,
    host: &'t str,
    secure: bool,
    signature: String,
}

/// The token's text.
pub(super) fn write(key: &SigningKey, id: &str, host: &str, secure: bool) -> Secret {
    let signature = key.sign(&format!("{id},{host}"));
    let wire = Wire { token_id: id, host, secure, signature };
    let json = serde_json::to_string(&wire).expect("texts and a flag are JSON");
    STANDARD.encode(json).into()
}

/// The id in a token that is signed.
pub(super) fn read(key: &SigningKey, token: &str) -> Result<TokenId, TokenError> {
    let json = parse_base64_json(token).map_err(TokenError::Malformed)?;
    let text = |name: &str| json.get(name).and_then(Value::as_str);
    let (Some(id), Some(host), Some(signature)) =
        (text("tokenId"), text("host"), text("signature"))
    else {
        return Err(TokenError::Signature);
    };
    // OWT 4.3 signs id and host; 5.x also the URL for WebTransport, where JavaScript writes
    // `undefined` for none.
    let older = format!("{id},{host}");
    let later = format!("{older},{}", text("webTransportUrl").unwrap_or("undefined"));
    let signed = key.verify(&older, signature) | key.verify(&later, signature);
    if !signed {
        return Err(TokenError::Signature);
    }
    id.parse().map_err(|_| TokenError::Unknown)
}

//! Base64 JSON texts as OWT reads them.

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde_json::{Value, error::Category};

/// Reads base64 JSON as Node does, which OWT's server runs on: what is not base64 is skipped, the
/// URL-safe alphabet is read too, and padding may be missing. The error is the parser's text in
/// Node's form, which clients of OWT show to people.
pub(crate) fn parse_base64_json(text: &str) -> Result<Value, String> {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::RequireNone)
            .with_decode_allow_trailing_bits(true),
    );
    let mut symbols: Vec<u8> = text
        .bytes()
        .take_while(|byte| *byte != b'=')
        .filter_map(|byte| match byte {
            b'-' => Some(b'+'),
            b'_' => Some(b'/'),
            byte if byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/') => Some(byte),
            _ => None,
        })
        .collect();
    if symbols.len() % 4 == 1 {
        // Six bits are no byte.
        symbols.pop();
    }
    let bytes = LENIENT.decode(&symbols).map_err(|error| error.to_string())?;
    let json = String::from_utf8_lossy(&bytes);
    serde_json::from_str(&json).map_err(|error| match error.classify() {
        Category::Eof => "Unexpected end of JSON input".to_owned(),
        Category::Syntax | Category::Data | Category::Io => unexpected_token(&json, &error),
    })
}

fn unexpected_token(json: &str, error: &serde_json::Error) -> String {
    let before = json.split_inclusive('\n').take(error.line().saturating_sub(1));
    let line_start: usize = before.map(str::len).sum();
    let mut offset = (line_start + error.column().saturating_sub(1)).min(json.len());
    while !json.is_char_boundary(offset) {
        offset -= 1;
    }
    let position = json[..offset].encode_utf16().count();
    match json[offset..].chars().next() {
        Some(token) => format!("Unexpected token {token} in JSON at position {position}"),
        None => "Unexpected end of JSON input".to_owned(),
    }
}

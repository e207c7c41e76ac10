//! Keys that sign tokens and tickets, made once and kept.

use std::fmt;

use aws_lc_rs::hmac;
use redb::{ReadableTable as _, WriteTransaction};

use super::{StoreError, schema};

/// Random bytes in a signing key, as in OWT.
const KEY_BYTES: usize = 64;

/// A key that signs with HMAC-SHA256. Its text is lower-case hex; like OWT, it is that text's bytes
/// that sign.
#[derive(Clone)]
pub struct SigningKey {
    text: Box<str>,
    key: hmac::Key,
}

impl SigningKey {
    /// A key of this text.
    pub fn from_text(text: &str) -> Self {
        Self { text: text.into(), key: hmac::Key::new(hmac::HMAC_SHA256, text.as_bytes()) }
    }

    /// The key's text, for libraries that sign themselves.
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// The signature as OWT writes it: base64 of the lower-case hex of the HMAC.
    pub fn sign(&self, message: &str) -> String {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        STANDARD.encode(hex(hmac::sign(&self.key, message.as_bytes()).as_ref()))
    }

    /// Whether the signature is the message's, in a time that does not depend on where they differ.
    pub fn verify(&self, message: &str, signature: &str) -> bool {
        let expected = self.sign(message);
        aws_lc_rs::constant_time::verify_slices_are_equal(expected.as_bytes(), signature.as_bytes())
            .is_ok()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(..)")
    }
}

/// The key of this name, made at the first call.
pub(super) fn key(transaction: &WriteTransaction, name: &str) -> Result<SigningKey, StoreError> {
    let mut keys = transaction.open_table(schema::KEYS)?;
    if let Some(bytes) = keys.get(name)? {
        return Ok(SigningKey::from_text(&hex(bytes.value())));
    }
    let bytes: [u8; KEY_BYTES] = random();
    keys.insert(name, bytes.as_slice())?;
    Ok(SigningKey::from_text(&hex(&bytes)))
}

/// Random bytes from the system.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system has randomness");
    bytes
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble & 0xf)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

/// A fresh id of 24 hex digits: like OWT's, the first eight are the time in seconds.
pub(crate) fn object_id(now: std::time::SystemTime) -> String {
    let seconds = schema::since_epoch(now).as_secs().to_be_bytes();
    let noise: [u8; 8] = random();
    hex(&seconds[4..]) + &hex(&noise)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_hex_in_base64() {
        // RFC 4231, test case 2, in OWT's double encoding.
        let key = SigningKey::from_text("Jefe");
        let signature = key.sign("what do ya want for nothing?");
        assert_eq!(
            signature,
            "NWJkY2MxNDZiZjYwNzU0ZTZhMDQyNDI2MDg5NTc1Yzc1YTAwM2YwODlkMjczOTgzOWRlYzU4Yjk2NGVjMzg0\
             Mw=="
        );
        assert!(key.verify("what do ya want for nothing?", &signature));
        assert!(!key.verify("what do ya want for nothing!", &signature));
        assert!(!key.verify("what do ya want for nothing?", ""));
    }

    #[test]
    fn a_key_does_not_print() {
        assert_eq!(format!("{:?}", SigningKey::from_text("secret")), "SigningKey(..)");
    }

    #[test]
    fn object_ids_are_24_hex_digits_that_begin_with_the_time() {
        let now = std::time::UNIX_EPOCH + std::time::Duration::from_secs(0x6543_2100);
        let id = object_id(now);
        assert_eq!(id.len(), 24);
        assert!(id.starts_with("65432100"), "{id}");
        assert_ne!(id, object_id(now));
    }
}

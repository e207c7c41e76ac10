//! The controlling side of ICE towards one ICE-lite server: binding requests that nominate, then
//! the same as consent checks (RFC 8445, RFC 7675).

use std::time::{Duration, Instant};

use rtc_stun::{
    attributes::{
        ATTR_ICE_CONTROLLING, ATTR_PRIORITY, ATTR_USE_CANDIDATE, ATTR_USERNAME, RawAttribute,
    },
    fingerprint::FINGERPRINT,
    integrity::MessageIntegrity,
    message::{BINDING_REQUEST, BINDING_SUCCESS, Message, Setter, TransactionId},
    textattrs::TextAttribute,
};

use super::crypto;
use crate::support::Result;

/// Between requests until the first answer.
const RETRY: Duration = Duration::from_millis(100);

/// Between consent checks, as Chromium.
const CONSENT: Duration = Duration::from_millis(2500);

/// The priority of a peer-reflexive candidate (RFC 8445, 5.1.2.1); with one pair it decides nothing.
const PRIORITY: u32 = (110 << 24) | (65535 << 8) | 255;

/// What one end is known by.
#[derive(Debug, Clone)]
pub(crate) struct Credentials {
    pub(crate) ufrag: String,
    pub(crate) password: String,
}

impl Credentials {
    /// Fresh ones.
    pub(crate) fn random() -> Result<Self> {
        let mut bytes = [0; 16];
        crypto().random().fill(&mut bytes)?;
        let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { ufrag: text[..8].to_owned(), password: text[8..].to_owned() })
    }
}

/// The state towards the server.
pub(crate) struct Ice {
    user_name: String,
    password: String,
    next_request: Instant,
    confirmed: bool,
}

impl Ice {
    /// Begins to ask.
    pub(crate) fn new(local: &Credentials, remote: Credentials, now: Instant) -> Self {
        let user_name = format!("{}:{}", remote.ufrag, local.ufrag);
        Self { user_name, password: remote.password, next_request: now, confirmed: false }
    }

    /// A request, if one is due.
    pub(crate) fn request(&mut self, now: Instant) -> Result<Option<Vec<u8>>> {
        if now < self.next_request {
            return Ok(None);
        }
        self.next_request = now + if self.confirmed { CONSENT } else { RETRY };
        let provider = crypto();
        let raw = |typ, value: Vec<u8>| RawAttribute { typ, length: value.len() as u16, value };
        let key = MessageIntegrity::new_short_term_integrity_with_provider(
            self.password.clone(),
            provider.crypto(),
        );
        let setters: [Box<dyn Setter + '_>; 8] = [
            Box::new(TransactionId::new()),
            Box::new(BINDING_REQUEST),
            Box::new(TextAttribute::new(ATTR_USERNAME, self.user_name.clone())),
            Box::new(raw(ATTR_PRIORITY, PRIORITY.to_be_bytes().to_vec())),
            Box::new(raw(ATTR_ICE_CONTROLLING, vec![1; 8])),
            Box::new(raw(ATTR_USE_CANDIDATE, Vec::new())),
            Box::new(key),
            Box::new(FINGERPRINT),
        ];
        let mut message = Message::new();
        message.build(&setters)?;
        Ok(Some(message.raw))
    }

    /// Takes an answer; whether it is the first authentic one.
    pub(crate) fn answer(&mut self, datagram: &[u8], now: Instant) -> bool {
        let mut message = Message::new();
        let provider = crypto();
        let authentic = message.unmarshal_binary(datagram).is_ok()
            && message.typ == BINDING_SUCCESS
            && MessageIntegrity::check(&mut message, self.password.as_bytes(), provider.crypto())
                .is_ok();
        if !authentic || self.confirmed {
            return false;
        }
        self.confirmed = true;
        self.next_request = now + CONSENT;
        true
    }
}

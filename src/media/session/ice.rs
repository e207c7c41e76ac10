//! ICE-lite (RFC 8445, 2.5): this end only answers connectivity checks, by which it learns where
//! the peer is and that it still wants to be sent to (RFC 7675).

use std::{net::SocketAddr, sync::Arc};

use rtc_crypto::{CryptoError, RTCCryptoProvider};
use rtc_stun::{
    attributes::{ATTR_ICE_CONTROLLED, ATTR_USE_CANDIDATE, ATTR_USERNAME},
    error_code::CODE_ROLE_CONFLICT,
    fingerprint::FINGERPRINT,
    integrity::MessageIntegrity,
    message::{BINDING_ERROR, BINDING_REQUEST, BINDING_SUCCESS, Message, Setter, is_stun_message},
    xoraddr::XorMappedAddress,
};

/// The longest check that is read, in bytes. Those of browsers have about 120.
const MAX_CHECK: usize = 1024;

/// Characters of credentials: 6 random bits each (RFC 8445, 5.3, asks for 24 and 128 bits).
const UFRAG_LEN: usize = 12;
const PASSWORD_LEN: usize = 24;

/// `ice-char` of RFC 8839, 5.4, of which there are 64.
const ICE_CHARS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// One end's name and secret.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) ufrag: Arc<str>,
    pub(crate) password: Arc<str>,
}

impl Credentials {
    /// Draws new ones.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub(crate) fn draw(provider: &dyn RTCCryptoProvider) -> Result<Self, CryptoError> {
        Ok(Self { ufrag: draw(provider, UFRAG_LEN)?, password: draw(provider, PASSWORD_LEN)? })
    }
}

fn draw(provider: &dyn RTCCryptoProvider, len: usize) -> Result<Arc<str>, CryptoError> {
    let mut bytes = vec![0; len];
    provider.random().fill(&mut bytes)?;
    let character = |byte: &u8| char::from(ICE_CHARS[usize::from(byte % 64)]);
    Ok(bytes.iter().map(character).collect::<String>().into())
}

/// A binding request whose sender is not yet proved.
pub(crate) struct Check {
    message: Message,
    user_name: String,
}

impl Check {
    /// Reads a datagram; `None` when it is no well-formed binding request with a user name.
    pub(crate) fn read(datagram: &[u8]) -> Option<Self> {
        let is_request = datagram.first_chunk() == Some(&[0, 1]);
        if !is_request || !is_stun_message(datagram) || datagram.len() > MAX_CHECK {
            return None;
        }
        let body = usize::from(u16::from_be_bytes([datagram[2], datagram[3]]));
        if body + 20 != datagram.len() || !body.is_multiple_of(4) {
            return None;
        }
        let mut message = Message::new();
        message.unmarshal_binary(datagram).ok()?;
        if message.typ != BINDING_REQUEST || FINGERPRINT.check(&message).is_err() {
            return None;
        }
        let user_name = String::from_utf8(message.get(ATTR_USERNAME).ok()?).ok()?;
        Some(Self { message, user_name })
    }

    /// The name of the end that is asked, as the sender believes.
    pub(crate) fn local_ufrag(&self) -> &str {
        self.user_name.split_once(':').map_or("", |(local, _)| local)
    }

    fn remote_ufrag(&self) -> &str {
        self.user_name.split_once(':').map_or("", |(_, remote)| remote)
    }
}

/// What to answer to a check.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// It is good. The peer may be sent to at its address.
    Valid {
        /// The answer.
        datagram: Vec<u8>,
        /// Whether the peer wants this path to be used.
        nominated: bool,
    },
    /// It is the peer's, but the peer is mistaken about the roles.
    Refused {
        /// The answer.
        datagram: Vec<u8>,
    },
}

/// Answers a check that came from `from`; `None` when it is not authentic.
pub(crate) fn answer(
    mut check: Check,
    from: SocketAddr,
    local: &Credentials,
    remote_ufrag: &str,
    provider: &dyn RTCCryptoProvider,
) -> Option<Reply> {
    let crypto = provider.crypto();
    if check.local_ufrag() != &*local.ufrag || check.remote_ufrag() != remote_ufrag {
        return None;
    }
    MessageIntegrity::check(&mut check.message, local.password.as_bytes(), crypto).ok()?;
    let integrity = || {
        let password = local.password.to_string();
        Box::new(MessageIntegrity::new_short_term_integrity_with_provider(password, crypto))
    };
    let id = Box::new(check.message.transaction_id);
    if check.message.contains(ATTR_ICE_CONTROLLED) {
        let setters: [Box<dyn Setter + '_>; 5] = [
            id,
            Box::new(BINDING_ERROR),
            Box::new(CODE_ROLE_CONFLICT),
            integrity(),
            Box::new(FINGERPRINT),
        ];
        return Some(Reply::Refused { datagram: build(&setters)? });
    }
    let mapped = XorMappedAddress { ip: from.ip(), port: from.port() };
    let setters: [Box<dyn Setter + '_>; 5] =
        [id, Box::new(BINDING_SUCCESS), Box::new(mapped), integrity(), Box::new(FINGERPRINT)];
    let nominated = check.message.contains(ATTR_USE_CANDIDATE);
    Some(Reply::Valid { datagram: build(&setters)?, nominated })
}

fn build(setters: &[Box<dyn Setter + '_>]) -> Option<Vec<u8>> {
    let mut message = Message::new();
    message.build(setters).ok()?;
    Some(message.raw)
}

#[cfg(test)]
mod tests;

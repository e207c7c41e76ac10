//! Agora: an access token of version 007 lists services with privileges, signed by HMAC-SHA256
//! and deflated. The format is published with test vectors in `AgoraIO/Tools` (AccessToken2).

use std::{io::Write as _, time::SystemTime};

use aws_lc_rs::hmac::{self, HMAC_SHA256};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::{Compression, write::ZlibEncoder};

use super::{Admission, Guest, TOKEN_LIFETIME, seconds};
use crate::{
    config::{Agora, Secret},
    store::random,
};

/// What every token of this version starts with.
const VERSION: &str = "007";

/// The longest name of a channel, in bytes.
const MAX_CHANNEL_BYTES: usize = 64;

/// The longest user account, in bytes.
const MAX_ACCOUNT_BYTES: usize = 255;

/// The service of real-time media, and what may be done there.
const RTC: u16 = 1;
const JOIN: u16 = 1;
const PUBLISH_AUDIO: u16 = 2;
const PUBLISH_VIDEO: u16 = 3;
const PUBLISH_DATA: u16 = 4;

pub(super) fn admit(agora: &Agora, guest: Guest<'_>, now: SystemTime) -> Option<Admission> {
    let (channel, account) = (guest.room.as_str(), guest.user);
    let fits = channel.len() <= MAX_CHANNEL_BYTES
        && account.len() <= MAX_ACCOUNT_BYTES
        && account.is_ascii();
    if agora.app_id.is_empty() || !fits {
        return None;
    }
    let publishing = [PUBLISH_AUDIO, PUBLISH_VIDEO, PUBLISH_DATA];
    let publishing = if guest.publishes { &publishing[..] } else { &[] };
    let expire_secs = u32::try_from(TOKEN_LIFETIME.as_secs()).expect("a day has few seconds");
    let privileges = [JOIN].iter().chain(publishing);
    let privileges: Vec<_> = privileges.map(|privilege| (*privilege, expire_secs)).collect();
    let service = service(RTC, &privileges, &[channel, account]);
    let token = Token {
        app_id: &agora.app_id,
        app_certificate: &agora.app_certificate,
        issued_secs: u32::try_from(seconds(now)).unwrap_or(u32::MAX),
        expire_secs,
        salt: u32::from_le_bytes(random()),
    };
    Some(Admission::Agora {
        app_id: agora.app_id.clone(),
        channel: channel.to_owned(),
        token: token.write(&[service]),
    })
}

/// What a token says beside its services.
pub(super) struct Token<'t> {
    pub(super) app_id: &'t str,
    pub(super) app_certificate: &'t Secret,
    pub(super) issued_secs: u32,
    /// How long after that it is valid.
    pub(super) expire_secs: u32,
    /// Makes two tokens of one second differ.
    pub(super) salt: u32,
}

impl Token<'_> {
    pub(super) fn write(&self, services: &[Vec<u8>]) -> Secret {
        let mut signed = Vec::new();
        push_text(&mut signed, self.app_id.as_bytes());
        for number in [self.issued_secs, self.expire_secs, self.salt] {
            signed.extend(number.to_le_bytes());
        }
        push_count(&mut signed, services.len());
        signed.extend(services.concat());

        let certificate = self.app_certificate.reveal().as_bytes();
        let key = hmac(&self.issued_secs.to_le_bytes(), certificate);
        let key = hmac(&self.salt.to_le_bytes(), &key);
        let mut content = Vec::new();
        push_text(&mut content, &hmac(&key, &signed));
        content.extend(signed);

        let mut deflater = ZlibEncoder::new(Vec::new(), Compression::default());
        deflater.write_all(&content).expect("memory takes all bytes");
        let deflated = deflater.finish().expect("memory takes all bytes");
        format!("{VERSION}{}", STANDARD.encode(deflated)).into()
    }
}

/// A service with privileges, each with the seconds for which it holds, in the order of their
/// numbers.
pub(super) fn service(kind: u16, privileges: &[(u16, u32)], texts: &[&str]) -> Vec<u8> {
    let mut packed = kind.to_le_bytes().to_vec();
    push_count(&mut packed, privileges.len());
    for (privilege, expire_secs) in privileges {
        packed.extend(privilege.to_le_bytes());
        packed.extend(expire_secs.to_le_bytes());
    }
    for text in texts {
        push_text(&mut packed, text.as_bytes());
    }
    packed
}

fn push_text(packed: &mut Vec<u8>, text: &[u8]) {
    push_count(packed, text.len());
    packed.extend(text);
}

fn push_count(packed: &mut Vec<u8>, count: usize) {
    let count = u16::try_from(count).expect("names are checked, and services are few");
    packed.extend(count.to_le_bytes());
}

fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(HMAC_SHA256, key), text).as_ref().to_vec()
}

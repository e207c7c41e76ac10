//! Makes the ids that rooms are handed, since a room itself knows no randomness.

use crate::ids::{ParticipantId, SessionId};

/// Letters and digits only: OWT's portals check stream ids against `[0-9a-zA-Z-]`.
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// As long as the socket ids that OWT uses for participants; 119 bits.
const PARTICIPANT_ID_LEN: usize = 20;

/// As long as the last part of the protoo dialect's `mid` and `sid`.
const SHORT_SESSION_ID_LEN: usize = 6;

/// Random bytes behind a session id, which is their hexadecimal text as in OWT 5.
const SESSION_ID_BYTES: usize = 16;

/// A participant id that nobody has.
pub fn fresh_participant() -> ParticipantId {
    letters(PARTICIPANT_ID_LEN).parse().expect("letters and digits make an id")
}

/// A session id that no publication and no subscription has.
pub fn fresh_session() -> SessionId {
    let hex: String =
        random::<SESSION_ID_BYTES>().iter().map(|byte| format!("{byte:02x}")).collect();
    hex.parse().expect("hexadecimal digits make an id")
}

/// A session id as short as the protoo dialect writes them. There are 5.7e10, so that a room's
/// sessions hardly ever share one; it refuses the second.
pub fn fresh_short_session() -> SessionId {
    letters(SHORT_SESSION_ID_LEN).parse().expect("letters and digits make an id")
}

fn letters(count: usize) -> String {
    let mut text = String::with_capacity(count);
    while text.len() < count {
        // Six bits each; values beyond the alphabet are drawn again so that all are as likely.
        let drawn = random::<PARTICIPANT_ID_LEN>().map(|byte| usize::from(byte & 0x3f));
        let letters = drawn.iter().filter_map(|&index| ALPHABET.get(index));
        text.extend(letters.take(count - text.len()).map(|&byte| char::from(byte)));
    }
    text
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system has randomness");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_owts_form() {
        let participant = fresh_participant();
        assert_eq!(participant.as_str().len(), 20);
        assert!(participant.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric()));
        let session = fresh_session();
        assert_eq!(session.as_str().len(), 32);
        assert_ne!(session, fresh_session());
        let short = fresh_short_session();
        assert_eq!(short.as_str().len(), 6);
        assert!(short.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric()));
    }
}

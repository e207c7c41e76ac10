//! A look into the client's first message (RFC 6347, 4.2; RFC 5246, 7.4.1.2).

/// The longest message that is put together, in bytes. Post-quantum key shares make 1.4 KB.
const MAX_MESSAGE: usize = 16 * 1024;

/// Datagrams that are held until the message is complete.
const MAX_HELD: usize = 8;

const RECORD_HEADER: usize = 13;
const HANDSHAKE: u8 = 22;
const FRAGMENT_HEADER: usize = 12;
const CLIENT_HELLO: u8 = 1;
const USE_SRTP: u16 = 14;

/// What the peek shows.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ClientHello {
    /// Fragments are missing.
    Incomplete,
    /// The client offers these SRTP ciphers.
    Complete { srtp_profiles: Vec<u16> },
}

/// Datagrams held while the message is put together.
#[derive(Debug, Default)]
pub(super) struct Peek {
    held: Vec<Vec<u8>>,
    message: Vec<u8>,
    /// Byte ranges that are there, merged and in order.
    present: Vec<(usize, usize)>,
}

impl Peek {
    /// Takes a datagram of whole records. When too many are held, they are let go: the client
    /// repeats what it said.
    pub(super) fn push(&mut self, datagram: &[u8]) -> ClientHello {
        if self.held.len() == MAX_HELD {
            *self = Self::default();
        }
        self.held.push(datagram.to_vec());
        let mut rest = datagram;
        while let Some(header) = rest.first_chunk::<RECORD_HEADER>() {
            let end = RECORD_HEADER + usize::from(u16::from_be_bytes([header[11], header[12]]));
            let Some(record) = rest.get(RECORD_HEADER..end) else { break };
            let is_plain = header[3..5] == [0, 0];
            if header[0] == HANDSHAKE && is_plain {
                self.add_fragments(record);
            }
            rest = &rest[end..];
        }
        let complete = !self.message.is_empty() && self.present == [(0, self.message.len())];
        if !complete {
            return ClientHello::Incomplete;
        }
        let srtp_profiles = srtp_profiles(&self.message).unwrap_or_default();
        ClientHello::Complete { srtp_profiles }
    }

    /// The datagrams, to be read by whom they were meant for.
    pub(super) fn take_held(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.held)
    }

    fn add_fragments(&mut self, mut record: &[u8]) {
        while let Some(header) = record.first_chunk::<FRAGMENT_HEADER>() {
            let number = |at: usize| {
                usize::from(header[at]) << 16
                    | usize::from(header[at + 1]) << 8
                    | usize::from(header[at + 2])
            };
            let (total, offset, len) = (number(1), number(6), number(9));
            let Some(body) = record.get(FRAGMENT_HEADER..FRAGMENT_HEADER + len) else { return };
            record = &record[FRAGMENT_HEADER + len..];
            let is_first_message = header[4..6] == [0, 0];
            if header[0] != CLIENT_HELLO || !is_first_message || total > MAX_MESSAGE {
                continue;
            }
            if self.message.len() != total {
                self.message = vec![0; total];
                self.present.clear();
            }
            if let Some(place) = self.message.get_mut(offset..offset + len) {
                place.copy_from_slice(body);
                self.note(offset, offset + len);
            }
        }
    }

    fn note(&mut self, start: usize, end: usize) {
        self.present.push((start, end));
        self.present.sort_unstable();
        let mut merged: Vec<(usize, usize)> = Vec::with_capacity(self.present.len());
        for &(start, end) in &self.present {
            match merged.last_mut() {
                Some(last) if start <= last.1 => last.1 = last.1.max(end),
                _ => merged.push((start, end)),
            }
        }
        self.present = merged;
    }
}

/// The ciphers in the `use_srtp` extension (RFC 5764, 4.1.1).
fn srtp_profiles(message: &[u8]) -> Option<Vec<u16>> {
    let mut rest = message.get(2 + 32..)?;
    for width in [1, 1, 2, 1] {
        // Session id, cookie, cipher suites, compression methods.
        rest = vector(rest, width)?.1;
    }
    let (mut extensions, _) = vector(rest, 2)?;
    while let Some((kind, behind)) = extensions.split_first_chunk::<2>() {
        let (body, behind) = vector(behind, 2)?;
        if u16::from_be_bytes(*kind) == USE_SRTP {
            let (profiles, _) = vector(body, 2)?;
            let pair = |pair: &[u8]| u16::from_be_bytes([pair[0], pair[1]]);
            return Some(profiles.chunks_exact(2).map(pair).collect());
        }
        extensions = behind;
    }
    None
}

/// A vector with a length of `width` bytes before it, and what is behind it.
fn vector(bytes: &[u8], width: usize) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_at_checked(width)?;
    let length = length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(profiles: &[u16]) -> Vec<u8> {
        let mut out = vec![0xFE, 0xFD];
        out.extend([7; 32]);
        out.extend([0, 0]);
        out.extend([0, 2, 0xC0, 0x2B]);
        out.extend([1, 0]);
        let list: Vec<u8> = profiles.iter().flat_map(|profile| profile.to_be_bytes()).collect();
        let mut extensions = vec![0, 23, 0, 0];
        extensions.extend(USE_SRTP.to_be_bytes());
        extensions.extend((list.len() as u16 + 3).to_be_bytes());
        extensions.extend((list.len() as u16).to_be_bytes());
        extensions.extend(list);
        extensions.push(0);
        out.extend((extensions.len() as u16).to_be_bytes());
        out.extend(extensions);
        out
    }

    fn record(message: &[u8], from: usize, to: usize) -> Vec<u8> {
        let three = |value: usize| [(value >> 16) as u8, (value >> 8) as u8, value as u8];
        let mut fragment = vec![CLIENT_HELLO];
        fragment.extend(three(message.len()));
        fragment.extend([0, 0]);
        fragment.extend(three(from));
        fragment.extend(three(to - from));
        fragment.extend(&message[from..to]);
        let mut out = vec![HANDSHAKE, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 0];
        out.extend((fragment.len() as u16).to_be_bytes());
        out.extend(fragment);
        out
    }

    #[test]
    fn fragments_come_in_any_order_and_overlap() {
        let whole = message(&[1, 8, 7]);
        let (end, middle) = (whole.len(), whole.len() / 2);
        let mut peek = Peek::default();
        assert_eq!(peek.push(&record(&whole, middle, end)), ClientHello::Incomplete);
        let done = peek.push(&record(&whole, 0, middle + 3));
        assert_eq!(done, ClientHello::Complete { srtp_profiles: vec![1, 8, 7] });
        assert_eq!(peek.take_held().len(), 2);
    }

    #[test]
    fn what_is_held_is_bounded() {
        let whole = message(&[7]);
        let mut peek = Peek::default();
        for _ in 0..100 {
            peek.push(&record(&whole, 0, 5));
            assert!(peek.held.len() <= MAX_HELD);
        }
    }

    #[test]
    fn broken_messages_offer_nothing() {
        let whole = message(&[7]);
        for len in 1..whole.len() {
            let mut peek = Peek::default();
            let offered = peek.push(&record(&whole[..len], 0, len));
            assert_eq!(offered, ClientHello::Complete { srtp_profiles: Vec::new() }, "{len}");
        }
    }
}

//! What a client's offer is about, as far as a dialect leaves it to the offer to say.

use crate::{
    formats::VideoParameters,
    ids::StreamId,
    room::{Rejection, SubscribeAudio, SubscribeMedia, SubscribeVideo, Unsatisfied},
};

/// The longest offer, in bytes: Chromium's own, with every codec and twelve media sections, stay
/// below 80 KB.
const MAX_OFFER_BYTES: usize = 128 * 1024;

/// Why an offer is not looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum OfferError {
    /// It is longer than any real one.
    #[error("the SDP is too long")]
    TooLong,
    /// It is no SDP.
    #[error("the SDP cannot be read")]
    Unreadable,
}

/// Sound, picture, or both.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Kinds {
    /// Sound.
    pub(super) audio: bool,
    /// Picture.
    pub(super) video: bool,
}

impl Kinds {
    /// The wish for these of a stream, as they are.
    pub(super) fn wanted(self, from: &StreamId) -> SubscribeMedia {
        let audio = self.audio.then(|| SubscribeAudio { from: from.clone(), format: None });
        let video = self.video.then(|| SubscribeVideo {
            from: from.clone(),
            format: None,
            parameters: VideoParameters::default(),
            simulcast_rid: None,
        });
        SubscribeMedia { audio, video }
    }

    /// What is left to wish for when a wish for these was refused because the stream has the other
    /// kind only; `None` if it was refused for anything else, or nothing is left.
    pub(super) fn less(self, rejection: &Rejection) -> Option<Self> {
        if self.video && *rejection == Rejection::AudioUnsatisfied(Unsatisfied::Stream) {
            return Some(Self { audio: false, ..self });
        }
        if self.audio && *rejection == Rejection::VideoUnsatisfied(Unsatisfied::Stream) {
            return Some(Self { video: false, ..self });
        }
        None
    }
}

/// Which kinds of track a client's offer sends and receives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Directions {
    /// From the client.
    pub(super) sends: Kinds,
    /// To the client.
    pub(super) receives: Kinds,
}

/// Reads the media sections of an offer (RFC 8866, 5.14; RFC 3264, 5.1). Everything else in it is
/// the media plane's to judge.
pub(super) fn directions(sdp: &str) -> Result<Directions, OfferError> {
    if sdp.len() > MAX_OFFER_BYTES {
        return Err(OfferError::TooLong);
    }
    if !sdp.starts_with("v=0") {
        return Err(OfferError::Unreadable);
    }
    let mut sections = sdp.split("\nm=");
    let session = direction(sections.next().unwrap_or_default());
    let mut found = Directions::default();
    for section in sections {
        let (sends, receives) = direction(section).or(session).unwrap_or((true, true));
        let mut words = section.split_ascii_whitespace();
        let (kind, port) = (words.next(), words.next());
        // A section of a bundle may have no port of its own (RFC 8843, 6).
        if port == Some("0") && !lines(section).any(|line| line == "a=bundle-only") {
            continue;
        }
        let (sent, received) = match kind {
            Some("audio") => (&mut found.sends.audio, &mut found.receives.audio),
            Some("video") => (&mut found.sends.video, &mut found.receives.video),
            _ => continue,
        };
        *sent |= sends;
        *received |= receives;
    }
    Ok(found)
}

/// An offer without its pictures, so that their m-lines are rejected: with port 0, unless one is
/// the first of all. A rejected first one would take a browser's whole bundle with it, so that one
/// sends nothing instead.
pub(super) fn without_video(sdp: &str) -> String {
    let mut kept = String::with_capacity(sdp.len());
    let mut sections = 0;
    let mut video = false;
    for line in sdp.lines() {
        if let Some(section) = line.strip_prefix("m=") {
            sections += 1;
            video = section.starts_with("video ");
            if video && sections > 1 {
                let mut words = line.splitn(3, ' ');
                let (name, _port) = (words.next(), words.next());
                let rest = words.next().unwrap_or_default();
                kept.push_str(&format!("{} 0 {rest}\r\n", name.unwrap_or_default()));
                continue;
            }
        }
        match line.trim_end() {
            "a=bundle-only" if video => {}
            "a=sendrecv" | "a=sendonly" | "a=recvonly" if video => kept.push_str("a=inactive\r\n"),
            line => {
                kept.push_str(line);
                kept.push_str("\r\n");
            }
        }
    }
    kept
}

/// Whether media flows from and to the client, where a part says so.
fn direction(part: &str) -> Option<(bool, bool)> {
    lines(part).find_map(|line| match line {
        "a=sendrecv" => Some((true, true)),
        "a=sendonly" => Some((true, false)),
        "a=recvonly" => Some((false, true)),
        "a=inactive" => Some((false, false)),
        _ => None,
    })
}

fn lines(part: &str) -> impl Iterator<Item = &str> {
    part.lines().map(str::trim_end)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEITHER: Kinds = Kinds { audio: false, video: false };
    const AUDIO: Kinds = Kinds { audio: true, video: false };
    const VIDEO: Kinds = Kinds { audio: false, video: true };
    const BOTH: Kinds = Kinds { audio: true, video: true };

    fn read(rest: &str) -> (Kinds, Kinds) {
        let sdp = format!("v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\n{rest}");
        let Directions { sends, receives } = directions(&sdp).expect("an SDP");
        (sends, receives)
    }

    #[test]
    fn sections_say_what_is_sent_and_received() {
        let audio = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n";
        let video = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n";
        assert_eq!(read(""), (NEITHER, NEITHER));
        assert_eq!(read(audio), (AUDIO, AUDIO), "sendrecv where nothing is said");
        assert_eq!(read(&format!("{audio}a=sendonly\r\n{video}a=recvonly\r\n")), (AUDIO, VIDEO));
        assert_eq!(read(&format!("a=recvonly\r\n{audio}{video}a=inactive\r\n")), (NEITHER, AUDIO));
        assert_eq!(read(&format!("{audio}{video}").replace(' ', " 0 ")).0, NEITHER);
        assert_eq!(read("m=video 0 RTP 96\r\na=bundle-only\r\nm=audio 9 RTP 0\r\n").0, BOTH);
        assert_eq!(read("m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n").0, NEITHER);
    }

    #[test]
    fn without_one_kind_the_other_is_left() {
        let no_sound = Rejection::AudioUnsatisfied(Unsatisfied::Stream);
        let no_picture = Rejection::VideoUnsatisfied(Unsatisfied::Stream);
        assert_eq!(BOTH.less(&no_sound), Some(VIDEO));
        assert_eq!(BOTH.less(&no_picture), Some(AUDIO));
        assert_eq!(AUDIO.less(&no_sound), None);
        assert_eq!(VIDEO.less(&no_picture), None);
        assert_eq!(BOTH.less(&Rejection::AudioUnsatisfied(Unsatisfied::Format)), None);
        assert_eq!(BOTH.less(&Rejection::NoSuchStream), None);
    }

    #[test]
    fn pictures_are_taken_out_of_an_offer() {
        let head = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\n";
        let audio = "m=audio 9 RTP 111\r\na=sendonly\r\n";
        let video = "m=video 9 RTP 96 97\r\na=bundle-only\r\na=sendrecv\r\na=mid:1\r\n";
        let left_out = "m=video 0 RTP 96 97\r\na=inactive\r\na=mid:1\r\n";
        let kept = without_video(&format!("{head}{audio}{video}"));
        assert_eq!(kept, format!("{head}{audio}{left_out}"));
        let silent = "m=video 9 RTP 96 97\r\na=inactive\r\na=mid:1\r\n";
        let kept = without_video(&format!("{head}{video}{audio}"));
        assert_eq!(kept, format!("{head}{silent}{audio}"));
    }

    #[test]
    fn what_is_no_sdp_or_too_long_is_refused() {
        let error = |sdp: &str| directions(sdp).expect_err("no SDP");
        assert_eq!(error(""), OfferError::Unreadable);
        assert_eq!(error("hello\nm=audio 9"), OfferError::Unreadable);
        assert_eq!(error(&format!("v=0{}", "\n".repeat(MAX_OFFER_BYTES))), OfferError::TooLong);
    }
}

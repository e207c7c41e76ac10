//! Offers as Chromium 156 makes them, edited per test, and what comes of them.

mod formats;
mod hostile;
mod offering;
mod publish;
mod subscribe;

use std::{net::SocketAddr, sync::Arc};

use super::*;
use crate::formats::{
    AudioFormat, H264Profile, TrackKind,
    TrackKind::{Audio, Video},
    VideoCodec, VideoFormat,
};

/// Camera and microphone, `sendonly`.
const PUBLISH: &str = include_str!("offers/chromium-156-publish.sdp");
/// One audio and one video m-line, `recvonly`.
const SUBSCRIBE: &str = include_str!("offers/chromium-156-subscribe.sdp");
/// A camera in three layers, and a data channel.
const SIMULCAST: &str = include_str!("offers/chromium-156-simulcast.sdp");

const FINGERPRINT: &str = "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:\
                           00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF";

fn answered(offer: &str, wants: &[Want]) -> Result<Agreement, NegotiationError> {
    at_home(|local| answer(offer, local, wants, &[]))
}

/// Does something as a server with two addresses.
fn at_home<T>(act: impl FnOnce(&Local<'_>) -> T) -> T {
    let candidates: [SocketAddr; 2] =
        ["192.0.2.7:7000".parse().unwrap(), "[2001:db8::7]:7001".parse().unwrap()];
    act(&Local {
        ufrag: "serv",
        password: "a-password-of-the-server",
        fingerprint: FINGERPRINT,
        candidates: &candidates,
        cname: "portico",
    })
}

fn h264(profile: H264Profile) -> Codec {
    Codec::Video(VideoFormat { codec: VideoCodec::H264, profile: Some(profile) })
}

fn video(codec: VideoCodec) -> Codec {
    Codec::Video(VideoFormat::of(codec))
}

const OPUS: Codec = Codec::Audio(AudioFormat::OPUS);

fn receive(kind: TrackKind, formats: &[Codec]) -> Want {
    Want { kind, mid: None, flow: Flow::Receive { formats: formats.to_vec() } }
}

fn send(kind: TrackKind, codec: Codec, fmtp: &str) -> Want {
    let clock_rate = if codec == OPUS { 48_000 } else { 90_000 };
    let source = AgreedCodec { codec, clock_rate, fmtp: fmtp.into() };
    let (ssrc, rtx_ssrc) = if kind == Audio { (1000, 1001) } else { (2000, 2001) };
    let stream_label = Arc::from("label");
    let sources = vec![source];
    Want { kind, mid: None, flow: Flow::Send { sources, ssrc, rtx_ssrc, stream_label } }
}

fn named(mid: &str, want: Want) -> Want {
    Want { mid: Some(mid.into()), ..want }
}

/// The lines of one m-line of an answer, without line ends.
fn section(sdp: &str, index: usize) -> Vec<&str> {
    let start = sdp.match_indices("m=").nth(index).unwrap().0;
    let rest = &sdp[start..];
    let end = rest.match_indices("\r\nm=").next().map_or(rest.len(), |(end, _)| end);
    rest[..end].lines().collect()
}

/// An offer without the lines that start so.
fn without(offer: &str, prefix: &str) -> String {
    offer.lines().filter(|line| !line.starts_with(prefix)).map(|line| format!("{line}\n")).collect()
}

/// Equal numbers from equal seeds (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        let Self(state) = self;
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        usize::try_from(*state % bound as u64).unwrap()
    }

    /// A text of which a few lines are cut, doubled or overwritten in a place.
    fn damage(&mut self, text: &str) -> String {
        let mut lines = text.lines().map(|line| line.as_bytes().to_vec()).collect::<Vec<_>>();
        for _ in 0..=self.below(3) {
            let at = self.below(lines.len());
            match self.below(4) {
                0 => drop(lines.remove(at)),
                1 => lines.insert(at, lines[self.below(lines.len())].clone()),
                _ => {
                    let byte = self.below(lines[at].len());
                    lines[at][byte] = u8::try_from(self.below(256)).unwrap();
                }
            }
        }
        String::from_utf8_lossy(&lines.join(&b'\n')).into_owned()
    }
}

//! The offers of the load, and the little of an answer that it needs.

use std::net::SocketAddr;

use super::ice::Credentials;
use crate::support::Result;

/// The payload type of VP8.
pub(crate) const VP8: u8 = 96;

/// The payload type of its retransmissions.
pub(crate) const RTX: u8 = 97;

/// The number of the `abs-send-time` header extension.
pub(crate) const ABS_SEND_TIME: u8 = 3;

/// Which way an offer's video goes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Direction {
    /// From the client, under these SSRCs.
    Publish { ssrc: u32, rtx_ssrc: u32 },
    /// To the client.
    Subscribe,
}

/// One VP8 video with the feedback and the header extension that browsers offer.
pub(crate) fn offer(local: &Credentials, fingerprint: &str, direction: Direction) -> String {
    let mut lines = vec![
        "v=0".to_owned(),
        "o=- 1 1 IN IP4 127.0.0.1".to_owned(),
        "s=-".to_owned(),
        "t=0 0".to_owned(),
        "a=group:BUNDLE 0".to_owned(),
        format!("m=video 9 UDP/TLS/RTP/SAVPF {VP8} {RTX}"),
        "c=IN IP4 0.0.0.0".to_owned(),
        "a=mid:0".to_owned(),
        format!("a=ice-ufrag:{}", local.ufrag),
        format!("a=ice-pwd:{}", local.password),
        format!("a=fingerprint:sha-256 {fingerprint}"),
        "a=setup:actpass".to_owned(),
        "a=rtcp-mux".to_owned(),
        "a=rtcp-rsize".to_owned(),
        format!("a=rtpmap:{VP8} VP8/90000"),
        format!("a=rtcp-fb:{VP8} goog-remb"),
        format!("a=rtcp-fb:{VP8} ccm fir"),
        format!("a=rtcp-fb:{VP8} nack"),
        format!("a=rtcp-fb:{VP8} nack pli"),
        format!("a=rtpmap:{RTX} rtx/90000"),
        format!("a=fmtp:{RTX} apt={VP8}"),
        format!(
            "a=extmap:{ABS_SEND_TIME} \
             http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
        ),
    ];
    match direction {
        Direction::Publish { ssrc, rtx_ssrc } => lines.extend([
            "a=sendonly".to_owned(),
            format!("a=ssrc-group:FID {ssrc} {rtx_ssrc}"),
            format!("a=ssrc:{ssrc} cname:bench"),
            format!("a=ssrc:{rtx_ssrc} cname:bench"),
        ]),
        Direction::Subscribe => lines.push("a=recvonly".to_owned()),
    }
    lines.join("\r\n") + "\r\n"
}

/// The server's end, as an answer describes it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) credentials: Credentials,
    pub(crate) address: SocketAddr,
}

impl Answer {
    /// Reads the credentials and the first candidate.
    pub(crate) fn read(sdp: &str) -> Result<Self> {
        let value = |key: &str| {
            sdp.lines()
                .find_map(|line| line.trim_end().strip_prefix("a=")?.strip_prefix(key))
                .ok_or_else(|| format!("the answer has no {key}"))
        };
        let credentials = Credentials {
            ufrag: value("ice-ufrag:")?.to_owned(),
            password: value("ice-pwd:")?.to_owned(),
        };
        // foundation component transport priority address port "typ" ...
        let words: Vec<&str> = value("candidate:")?.split_ascii_whitespace().collect();
        let [_, _, _, _, ip, port, ..] = words.as_slice() else {
            return Err("the answer's candidate is short".into());
        };
        Ok(Self { credentials, address: SocketAddr::new(ip.parse()?, port.parse()?) })
    }
}

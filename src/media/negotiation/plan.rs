//! What a negotiation starts from and what it ends in.

use std::{net::SocketAddr, sync::Arc};

use crate::formats::{AudioCodec, AudioFormat, H264Profile, TrackKind, VideoCodec, VideoFormat};

/// This end of a transport, as the answer describes it.
#[derive(Debug, Clone)]
pub(crate) struct Local<'a> {
    /// ICE user name fragment.
    pub(crate) ufrag: &'a str,
    /// ICE password.
    pub(crate) password: &'a str,
    /// SHA-256 of the DTLS certificate, as SDP writes it (`AB:CD:...`).
    pub(crate) fingerprint: &'a str,
    /// UDP host candidates, best first, as they are announced.
    pub(crate) candidates: &'a [SocketAddr],
    /// The `cname` of everything this end sends.
    pub(crate) cname: &'a str,
}

/// A track that the room has agreed to and the offer must contain.
#[derive(Debug, Clone)]
pub(crate) struct Want {
    /// Audio or video.
    pub(crate) kind: TrackKind,
    /// The m-line's `mid`; absent means the first m-line of this kind that no other want names, and
    /// that did not carry what has ended if there is another.
    pub(crate) mid: Option<Arc<str>>,
    /// Which way the media goes.
    pub(crate) flow: Flow,
}

/// The direction of a track, seen from the server.
#[derive(Debug, Clone)]
pub(crate) enum Flow {
    /// The client publishes.
    Receive {
        /// What the room takes; the client's own order of preference decides among these.
        formats: Vec<Codec>,
    },
    /// The client subscribes.
    Send {
        /// What there is to be sent, at least one codec, the preferred one first: one that a
        /// publisher sends, those that a mixer can encode, or both. The client must be able to
        /// decode one of them exactly.
        sources: Vec<AgreedCodec>,
        /// The SSRC that this server sends under.
        ssrc: u32,
        /// The SSRC of its retransmissions.
        rtx_ssrc: u32,
        /// The first half of the track's `msid`; tracks of one subscription share it, so that they
        /// arrive in one `MediaStream`.
        stream_label: Arc<str>,
    },
}

/// A codec of either kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Codec {
    /// Sound.
    Audio(AudioFormat),
    /// Picture.
    Video(VideoFormat),
}

/// A codec as a publisher and this server agreed on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AgreedCodec {
    /// Which.
    pub(crate) codec: Codec,
    /// The RTP clock in Hz.
    pub(crate) clock_rate: u32,
    /// The publisher's format parameters (`a=fmtp`), empty when it sent none.
    pub(crate) fmtp: Arc<str>,
}

impl AgreedCodec {
    /// A codec with the parameters that encoders of a mixing agent keep to.
    pub(crate) fn usual(codec: Codec) -> Self {
        let h264 = |level_id: &str| {
            format!("level-asymmetry-allowed=1;packetization-mode=1;profile-level-id={level_id}")
        };
        let (clock_rate, fmtp) = match codec {
            Codec::Audio(AudioFormat { codec: AudioCodec::Opus, .. }) => (48_000, String::new()),
            Codec::Audio(_) => (8000, String::new()),
            Codec::Video(VideoFormat { codec: VideoCodec::H264, profile }) => {
                let level_id = match profile {
                    None | Some(H264Profile::ConstrainedBaseline) => "42e01f",
                    Some(H264Profile::Baseline) => "42001f",
                    Some(H264Profile::Main) => "4d001f",
                    Some(H264Profile::High) => "64001f",
                };
                (90_000, h264(level_id))
            }
            Codec::Video(_) => (90_000, String::new()),
        };
        Self { codec, clock_rate, fmtp: fmtp.into() }
    }
}

/// A finished negotiation.
#[derive(Debug, Clone)]
pub(crate) struct Agreement {
    /// The complete answer.
    pub(crate) sdp: String,
    /// The client's ICE user name fragment.
    pub(crate) remote_ufrag: Arc<str>,
    /// The client's ICE password.
    pub(crate) remote_password: Arc<str>,
    /// SHA-256 of the client's DTLS certificate.
    pub(crate) remote_fingerprint: [u8; 32],
    /// One per [`Want`], in the order of the wants.
    pub(crate) tracks: Vec<AgreedTrack>,
}

/// A track that both ends agreed on.
#[derive(Debug, Clone)]
pub(crate) struct AgreedTrack {
    /// Audio or video.
    pub(crate) kind: TrackKind,
    /// The m-line's `mid`.
    pub(crate) mid: Arc<str>,
    /// The codec.
    pub(crate) codec: AgreedCodec,
    /// The payload type for it, which whoever offered chose.
    pub(crate) payload_type: u8,
    /// The client's payload type for its retransmissions (RFC 4588), if it does these.
    pub(crate) rtx_payload_type: Option<u8>,
    /// The client's numbers of the header extensions that both ends use.
    pub(crate) extensions: ExtensionIds,
    /// The feedback that both ends use.
    pub(crate) feedback: Feedback,
    /// The SSRC that a publisher announced (`a=ssrc`), if it did.
    pub(crate) remote_ssrc: Option<u32>,
    /// The SSRC of its retransmissions (`a=ssrc-group:FID`), if it announced one.
    pub(crate) remote_rtx_ssrc: Option<u32>,
    /// The simulcast layers that a publisher announced (`a=rid`), in its order.
    pub(crate) rids: Vec<Arc<str>>,
}

/// Numbers of RTP header extensions (RFC 8285, one-byte form: 1 to 14); absent is not used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ExtensionIds {
    /// `urn:ietf:params:rtp-hdrext:ssrc-audio-level` (RFC 6464).
    pub(crate) audio_level: Option<u8>,
    /// `urn:ietf:params:rtp-hdrext:sdes:mid` (RFC 8843); from publishers only, since its value
    /// would have to change for each subscriber.
    pub(crate) mid: Option<u8>,
    /// `urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id` (RFC 8852).
    pub(crate) rid: Option<u8>,
    /// `urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id` (RFC 8852).
    pub(crate) repaired_rid: Option<u8>,
    /// `http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time`.
    pub(crate) abs_send_time: Option<u8>,
    /// `urn:3gpp:video-orientation` (3GPP TS 26.114, 7.4.5).
    pub(crate) video_orientation: Option<u8>,
}

/// Who a client is in the DTLS handshake (RFC 8842).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DtlsRole {
    /// It begins: `a=setup:active`.
    Client,
    /// It waits: `a=setup:passive`.
    Server,
}

/// RTCP feedback of a track (RFC 4585, 5104).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Feedback {
    /// Generic NACK.
    pub(crate) nack: bool,
    /// Picture loss indication.
    pub(crate) pli: bool,
    /// Full intra request.
    pub(crate) fir: bool,
    /// Receiver estimated maximum bitrate.
    pub(crate) remb: bool,
}

/// Why an offer cannot be answered, or an answer not be used. The texts of OWT's own agent where it has one
/// (seen in `progress` errors by its clients).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NegotiationError {
    /// The text is longer than [`MAX_SDP_BYTES`].
    #[error("SDP is too long")]
    TooLong,
    /// More than [`MAX_M_LINES`].
    #[error("SDP has too many media sections")]
    TooManyMediaSections,
    /// It is not an SDP.
    #[error("SDP cannot be read: {0}")]
    Unreadable(String),
    /// No ICE user name fragment or password.
    #[error("SDP has no ICE credentials")]
    NoIceCredentials,
    /// No SHA-256 fingerprint.
    #[error("SDP has no sha-256 fingerprint")]
    NoFingerprint,
    /// The client insists on being the DTLS server.
    #[error("SDP offers setup:passive; the server only accepts DTLS")]
    WrongSetup,
    /// The tracks are not in one bundle with multiplexed RTCP.
    #[error("SDP must bundle its media sections and multiplex RTCP")]
    NotBundled,
    /// A wanted track is not in the offer.
    #[error("{} is required but not contained by offer sdp", kind_name(*.kind))]
    Missing {
        /// Audio or video.
        kind: TrackKind,
        /// Its place among the wants.
        want: usize,
    },
    /// The offer has a track that was not announced.
    #[error("{} is not required but contained by offer sdp", kind_name(*.0))]
    Unwanted(TrackKind),
    /// The answer has other m-lines than the offer.
    #[error("SDP answer does not fit the offer")]
    Mismatch,
    /// The client answers that it sends a track that it is to receive.
    #[error("SDP answer must be recvonly or inactive for {}", kind_name(*.0))]
    Sends(TrackKind),
    /// The answer has a payload type that the offer does not have.
    #[error("SDP answer has a payload type for {} that was not offered", kind_name(*.0))]
    UnknownPayloadType(TrackKind),
    /// The client answers with no DTLS role.
    #[error("SDP must answer setup:active or setup:passive")]
    NoRole,
    /// The client wants none of the tracks.
    #[error("SDP answer accepts none of the offered tracks")]
    NothingAccepted,
    /// None of the offered codecs is acceptable.
    #[error("No proper {} codec", kind_name(*.0))]
    NoCodec(TrackKind),
}

/// The longest description that is read, in bytes. Chromium's own, with every codec and twelve m-lines,
/// stay below 80 KB.
pub(crate) const MAX_SDP_BYTES: usize = 128 * 1024;

/// The most m-lines a description may have.
pub(crate) const MAX_M_LINES: usize = 64;

fn kind_name(kind: TrackKind) -> &'static str {
    match kind {
        TrackKind::Audio => "audio",
        TrackKind::Video => "video",
    }
}

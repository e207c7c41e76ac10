//! The codecs that test clients speak, numbered as Chromium numbers them.

use rtc::{
    peer_connection::configuration::media_engine::MediaEngine,
    rtp_transceiver::rtp_sender::{
        RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpHeaderExtensionCapability,
        RtpCodecKind,
    },
};

/// A codec as it stands in an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Codec {
    /// As in `video/VP8`.
    pub(crate) mime_type: &'static str,
    /// The RTP clock in Hz.
    pub(crate) clock_rate: u32,
    /// 0 where the map does not say it.
    pub(crate) channels: u16,
    /// The format parameters.
    pub(crate) fmtp: &'static str,
    /// The payload type.
    pub(crate) payload_type: u8,
    /// The payload type of its retransmissions.
    pub(crate) rtx: Option<u8>,
}

impl Codec {
    /// Opus.
    pub(crate) const OPUS: Self = Self {
        mime_type: "audio/opus",
        clock_rate: 48_000,
        channels: 2,
        fmtp: "minptime=10;useinbandfec=1",
        payload_type: 111,
        rtx: None,
    };
    /// G.711 mu-law.
    pub(crate) const PCMU: Self = Self {
        mime_type: "audio/PCMU",
        clock_rate: 8000,
        channels: 0,
        fmtp: "",
        payload_type: 0,
        rtx: None,
    };
    /// G.711 A-law.
    pub(crate) const PCMA: Self = Self { mime_type: "audio/PCMA", payload_type: 8, ..Self::PCMU };
    /// VP8.
    pub(crate) const VP8: Self = Self::video("video/VP8", "", 96);
    /// VP9 in profile 0.
    pub(crate) const VP9: Self = Self::video("video/VP9", "profile-id=0", 98);
    /// H.264 in constrained baseline, packetization mode 1.
    pub(crate) const H264: Self = Self::video(
        "video/H264",
        "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
        108,
    );
    /// H.264 in high profile, packetization mode 1.
    pub(crate) const H264_HIGH: Self = Self::video(
        "video/H264",
        "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=64001f",
        123,
    );
    /// H.265 in main profile.
    pub(crate) const H265: Self =
        Self::video("video/H265", "level-id=93;profile-id=1;tier-flag=0;tx-mode=SRST", 116);
    /// AV1 in main profile.
    pub(crate) const AV1: Self = Self::video("video/AV1", "level-idx=5;profile=0;tier=0", 45);

    const fn video(mime_type: &'static str, fmtp: &'static str, payload_type: u8) -> Self {
        Self {
            mime_type,
            clock_rate: 90_000,
            channels: 0,
            fmtp,
            payload_type,
            rtx: Some(payload_type + 1),
        }
    }

    /// The codec without retransmission.
    pub(crate) const fn without_rtx(self) -> Self {
        Self { rtx: None, ..self }
    }

    /// Sound or picture.
    pub(crate) fn kind(&self) -> RtpCodecKind {
        if self.is_audio() { RtpCodecKind::Audio } else { RtpCodecKind::Video }
    }

    /// Whether it is of sound.
    pub(crate) fn is_audio(&self) -> bool {
        self.mime_type.starts_with("audio/")
    }

    /// The codec as `rtc` describes it.
    pub(super) fn described(&self) -> RTCRtpCodec {
        let feedback = |typ: &str, parameter: &str| RTCPFeedback {
            typ: typ.to_owned(),
            parameter: parameter.to_owned(),
        };
        let rtcp_feedback = match self.kind() {
            RtpCodecKind::Video => vec![
                feedback("goog-remb", ""),
                feedback("ccm", "fir"),
                feedback("nack", ""),
                feedback("nack", "pli"),
            ],
            _ => Vec::new(),
        };
        RTCRtpCodec {
            mime_type: self.mime_type.to_owned(),
            clock_rate: self.clock_rate,
            channels: self.channels,
            sdp_fmtp_line: self.fmtp.to_owned(),
            rtcp_feedback,
        }
    }
}

/// Header extensions that test clients offer, by kind.
const EXTENSIONS: [(RtpCodecKind, &str); 8] = [
    (RtpCodecKind::Audio, "urn:ietf:params:rtp-hdrext:ssrc-audio-level"),
    (RtpCodecKind::Audio, "urn:ietf:params:rtp-hdrext:sdes:mid"),
    (RtpCodecKind::Audio, "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"),
    (RtpCodecKind::Video, "urn:ietf:params:rtp-hdrext:sdes:mid"),
    (RtpCodecKind::Video, "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"),
    (RtpCodecKind::Video, "urn:3gpp:video-orientation"),
    (RtpCodecKind::Video, "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"),
    (RtpCodecKind::Video, "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"),
];

/// All that a peer with these codecs knows.
pub(super) fn media_engine(codecs: &[Codec]) -> MediaEngine {
    let mut engine = MediaEngine::default();
    for kind in [RtpCodecKind::Audio, RtpCodecKind::Video] {
        for codec in parameters(codecs, kind) {
            engine.register_codec(codec, kind).expect("audio and video are known kinds");
        }
    }
    for (kind, uri) in EXTENSIONS {
        let extension = RTCRtpHeaderExtensionCapability { uri: uri.to_owned() };
        engine.register_header_extension(extension, kind, None).expect("fewer than 14");
    }
    engine
}

/// The codecs of one kind as an m-line lists them, each followed by its retransmissions.
pub(super) fn parameters(codecs: &[Codec], kind: RtpCodecKind) -> Vec<RTCRtpCodecParameters> {
    let mut list = Vec::new();
    for codec in codecs.iter().filter(|codec| codec.kind() == kind) {
        let payload_type = codec.payload_type;
        list.push(RTCRtpCodecParameters { rtp_codec: codec.described(), payload_type });
        list.extend(codec.rtx.map(|payload_type| RTCRtpCodecParameters {
            rtp_codec: RTCRtpCodec {
                mime_type: "video/rtx".to_owned(),
                clock_rate: codec.clock_rate,
                channels: 0,
                sdp_fmtp_line: format!("apt={}", codec.payload_type),
                rtcp_feedback: Vec::new(),
            },
            payload_type,
        }));
    }
    list
}

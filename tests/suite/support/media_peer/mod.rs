//! A WebRTC client for tests, built on the `webrtc` crate: it offers or answers, sends packets or
//! synthetic frames, and reports every RTP and RTCP packet that reaches it.
//!
//! ```ignore
//! let mut peer = MediaPeer::builder().codecs(&[Codec::OPUS, Codec::VP8]).build().await;
//! let mut video = peer.add_source(Codec::VP8).await;
//! let answer = server.answer(peer.offer().await);
//! peer.accept(&answer).await;
//! peer.connected().await;
//! let running = video.run(Pace::VIDEO);
//! ```
//!
//! All waits are for events and end in a panic after [`PATIENCE`].

// Each test uses a part of it.
#![allow(dead_code, unused_imports)]

mod bits;
mod codec;
mod frames;
mod source;
#[cfg(test)]
mod tests;
mod wire;

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use rtc::{
    ice::mdns::MulticastDnsMode,
    interceptor::{
        NackResponderBuilder, ReceiverReportBuilder, Registry, SenderReportBuilder, Slot,
    },
    rtcp::{
        self,
        payload_feedbacks::picture_loss_indication::PictureLossIndication,
        transport_feedbacks::transport_layer_nack::{
            TransportLayerNack, nack_pairs_from_sequence_numbers,
        },
    },
    rtp_transceiver::{
        RTCRtpTransceiverDirection, RTCRtpTransceiverInit, rtp_sender::RtpCodecKind,
    },
};
use tokio::sync::{mpsc, watch};
use webrtc::{
    media_stream::{track_local::TrackLocal, track_remote::TrackRemote},
    peer_connection::{
        PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCIceGatheringState,
        RTCPeerConnectionState, RTCSessionDescription, SettingEngineBuilder,
    },
};

pub(crate) use self::{
    codec::Codec,
    frames::{Mark, Picture},
    source::{Outgoing, Pace, Running, Sent, Source},
    wire::{Control, KeyFrameRequests, Received},
};
use self::{
    source::Negotiated,
    wire::{Loss, WIRE_SLOT, Wire},
};

pub(crate) use webrtc::peer_connection::{
    RTCPeerConnectionState as ConnectionState, SrtpProtectionProfile,
};

/// How long a test waits for what has to happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// From one ICE check to the next; browsers begin at 50 ms, and tests are in a hurry.
const ICE_CHECK_INTERVAL: Duration = Duration::from_millis(20);

/// Checks of a candidate pair before it is given up: 10 s of them.
const ICE_CHECKS: u16 = 500;

/// SSRCs of this process; each source takes one for itself and the next for retransmissions.
static NEXT_SSRC: AtomicU32 = AtomicU32::new(0x5000_0000);

/// How a [`MediaPeer`] is to behave.
#[derive(Default)]
pub(crate) struct Builder {
    codecs: Vec<Codec>,
    srtp_profiles: Vec<SrtpProtectionProfile>,
    wrong_fingerprint: bool,
    loss: Option<Loss>,
}

impl Builder {
    /// What the peer can send and receive, best first.
    pub(crate) fn codecs(mut self, codecs: &[Codec]) -> Self {
        self.codecs = codecs.to_vec();
        self
    }

    /// Offers only these SRTP profiles in the DTLS handshake.
    pub(crate) fn srtp_profiles(mut self, profiles: &[SrtpProtectionProfile]) -> Self {
        self.srtp_profiles = profiles.to_vec();
        self
    }

    /// Puts a fingerprint into the SDP that is not the certificate's.
    pub(crate) fn wrong_fingerprint(mut self) -> Self {
        self.wrong_fingerprint = true;
        self
    }

    /// Loses the outgoing RTP packets that the function picks. They stay in the retransmission
    /// buffer.
    pub(crate) fn lose(
        mut self,
        loss: impl FnMut(&rtc::rtp::Header) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.loss = Some(Box::new(loss));
        self
    }

    /// Loses every n-th outgoing RTP packet.
    pub(crate) fn lose_every(self, n: u32) -> Self {
        let mut count = 0;
        self.lose(move |_| {
            count += 1;
            count % n == 0
        })
    }

    /// Makes the peer, bound to a port of 127.0.0.1.
    pub(crate) async fn build(self) -> MediaPeer {
        let (packets_to, packets) = mpsc::unbounded_channel();
        let (controls_to, controls) = mpsc::unbounded_channel();
        let (requests_to, key_frame_requests) = watch::channel(KeyFrameRequests::default());
        let (lost_to, lost) = watch::channel(Vec::new());
        let wire = Wire {
            packets: packets_to,
            controls: controls_to,
            key_frame_requests: requests_to,
            loss: self.loss,
            lost: lost_to,
            inbound: VecDeque::new(),
            outbound: VecDeque::new(),
        };
        let (tracks_to, tracks) = watch::channel(Vec::new());
        let (state_to, state) = watch::channel(RTCPeerConnectionState::New);
        let (gathered_to, gathered) = watch::channel(false);
        let events = Events { tracks: tracks_to, state: state_to, gathered: gathered_to };
        let mut settings = SettingEngineBuilder::new()
            .with_multicast_dns_mode(MulticastDnsMode::Disabled)
            .with_ice_connection_attempts(Some(ICE_CHECK_INTERVAL), Some(ICE_CHECKS));
        if !self.srtp_profiles.is_empty() {
            settings = settings.with_srtp_protection_profiles(self.srtp_profiles);
        }
        let registry = Registry::new()
            .with(Slot::from(WIRE_SLOT), wire)
            .with(Slot::NackResponder, NackResponderBuilder::new().build())
            .with(Slot::ReceiverReport, ReceiverReportBuilder::new().build())
            .with(Slot::SenderReport, SenderReportBuilder::new().build());
        let connection = PeerConnectionBuilder::new()
            .with_media_engine(codec::media_engine(&self.codecs))
            .with_setting_engine(settings.build())
            .with_interceptor_registry(registry)
            .with_handler(Arc::new(events))
            .with_udp_addrs(vec!["127.0.0.1:0".to_owned()])
            .build()
            .await
            .expect("loopback can be bound");
        MediaPeer {
            connection: Arc::new(connection),
            codecs: self.codecs,
            wrong_fingerprint: self.wrong_fingerprint,
            m_lines: Vec::new(),
            packets,
            controls,
            key_frame_requests,
            lost,
            tracks,
            state,
            gathered,
        }
    }
}

/// A WebRTC client.
pub(crate) struct MediaPeer {
    connection: Arc<dyn PeerConnection>,
    codecs: Vec<Codec>,
    wrong_fingerprint: bool,
    /// What was negotiated, one per m-line.
    m_lines: Vec<Arc<Mutex<Negotiated>>>,
    /// Every RTP packet that arrives.
    pub(crate) packets: mpsc::UnboundedReceiver<Received>,
    /// Every RTCP packet that arrives.
    pub(crate) controls: mpsc::UnboundedReceiver<(Instant, Control)>,
    /// How often key frames were asked of this peer.
    pub(crate) key_frame_requests: watch::Receiver<KeyFrameRequests>,
    /// The sequence numbers of the packets that were lost on purpose.
    pub(crate) lost: watch::Receiver<Vec<u16>>,
    tracks: watch::Receiver<Vec<Arc<dyn TrackRemote>>>,
    state: watch::Receiver<RTCPeerConnectionState>,
    gathered: watch::Receiver<bool>,
}

impl MediaPeer {
    /// A peer to be described.
    pub(crate) fn builder() -> Builder {
        Builder::default()
    }

    /// Adds a `sendonly` m-line for a codec's kind. Whichever codec of that kind the answer
    /// chooses is sent. The source can send once [`Self::accept`] has seen the answer.
    pub(crate) async fn add_source(&mut self, codec: Codec) -> Source {
        let ssrc = NEXT_SSRC.fetch_add(2, Ordering::Relaxed);
        let track = Source::track(&codec, ssrc);
        let direction = RTCRtpTransceiverDirection::Sendonly;
        let init = RTCRtpTransceiverInit { direction, ..Default::default() };
        self.connection
            .add_transceiver_from_track(Arc::clone(&track) as Arc<dyn TrackLocal>, Some(init))
            .await
            .expect("a codec of the peer");
        let negotiated = Arc::new(Mutex::new(Negotiated::default()));
        self.m_lines.push(Arc::clone(&negotiated));
        Source {
            track,
            codecs: self.codecs.clone(),
            negotiated,
            key_frame_requests: self.key_frame_requests.clone(),
            ssrc,
            picture: Picture::default(),
            next_frame: 0,
            next_sequence: 100,
            next_timestamp: 1000,
        }
    }

    /// Adds a `recvonly` m-line.
    pub(crate) async fn add_receiver(&mut self, kind: RtpCodecKind) {
        let direction = RTCRtpTransceiverDirection::Recvonly;
        let init = RTCRtpTransceiverInit { direction, ..Default::default() };
        self.connection.add_transceiver_from_kind(kind, Some(init)).await.expect("a known kind");
        self.m_lines.push(Arc::default());
    }

    /// A complete offer of all m-lines so far.
    pub(crate) async fn offer(&mut self) -> String {
        let offer = self.connection.create_offer(None).await.expect("m-lines were added");
        self.describe(offer).await
    }

    /// The complete answer to another peer's offer; its m-lines become receivers.
    pub(crate) async fn answer(&mut self, offer: &str) -> String {
        let offer = RTCSessionDescription::offer(offer.to_owned()).expect("an SDP");
        self.connection.set_remote_description(offer).await.expect("an acceptable offer");
        let answer = self.connection.create_answer(None).await.expect("an offer was set");
        self.describe(answer).await
    }

    async fn describe(&mut self, description: RTCSessionDescription) -> String {
        self.connection.set_local_description(description).await.expect("its own description");
        self.gathered.wait_for(|gathered| *gathered).await.expect("the peer lives");
        let local = self.connection.local_description().await.expect("it was set");
        if self.wrong_fingerprint { with_wrong_fingerprint(&local.sdp) } else { local.sdp }
    }

    /// Takes the answer to the last offer.
    ///
    /// # Panics
    /// Panics when it is not acceptable.
    pub(crate) async fn accept(&mut self, answer: &str) {
        let description = RTCSessionDescription::answer(answer.to_owned()).expect("an SDP");
        self.connection.set_remote_description(description).await.expect("an acceptable answer");
        let sections = answer.split("\nm=").skip(1);
        for (m_line, section) in self.m_lines.iter().zip(sections) {
            *m_line.lock().unwrap() = negotiated(section);
        }
    }

    /// Waits until ICE and DTLS are up.
    pub(crate) async fn connected(&mut self) {
        self.reached(RTCPeerConnectionState::Connected).await;
    }

    /// Waits for a state of the connection.
    pub(crate) async fn reached(&mut self, wanted: RTCPeerConnectionState) {
        let state = tokio::time::timeout(PATIENCE, self.state.wait_for(|state| *state == wanted));
        let reached = state.await.map(|state| state.is_ok());
        assert_eq!(reached, Ok(true), "{wanted} in time, not {}", *self.state.borrow());
    }

    /// The state of the connection.
    pub(crate) fn state(&self) -> RTCPeerConnectionState {
        *self.state.borrow()
    }

    /// The next RTP packet that arrives.
    pub(crate) async fn packet(&mut self) -> Received {
        let packet = tokio::time::timeout(PATIENCE, self.packets.recv()).await;
        packet.expect("a packet in time").expect("the peer lives")
    }

    /// Passes over RTP packets until one is found.
    pub(crate) async fn packet_that<T>(&mut self, find: impl Fn(&Received) -> Option<T>) -> T {
        let search = async {
            loop {
                if let Some(found) = find(&self.packets.recv().await.expect("the peer lives")) {
                    return found;
                }
            }
        };
        tokio::time::timeout(PATIENCE, search).await.expect("such a packet in time")
    }

    /// Passes over RTCP packets until one is found.
    pub(crate) async fn control_that<T>(&mut self, find: impl Fn(&Control) -> Option<T>) -> T {
        let search = async {
            loop {
                let (_, control) = self.controls.recv().await.expect("the peer lives");
                if let Some(found) = find(&control) {
                    return found;
                }
            }
        };
        tokio::time::timeout(PATIENCE, search).await.expect("such a packet in time")
    }

    /// Waits until a key frame of a stream was asked for so often.
    pub(crate) async fn asked_for_key_frame(&mut self, ssrc: u32, times: u32) {
        let asked = self
            .key_frame_requests
            .wait_for(|requests| requests.get(&ssrc).is_some_and(|count| *count >= times));
        let _ = tokio::time::timeout(PATIENCE, asked).await.expect("a request in time");
    }

    /// Asks for a key frame of a stream that this peer receives.
    pub(crate) async fn request_key_frame(&mut self, ssrc: u32) {
        let pli = PictureLossIndication { sender_ssrc: 1, media_ssrc: ssrc };
        self.send_control(ssrc, vec![Box::new(pli)]).await;
    }

    /// Asks for packets of a stream again.
    pub(crate) async fn request_retransmission(&mut self, ssrc: u32, sequences: &[u16]) {
        let nacks = nack_pairs_from_sequence_numbers(sequences);
        let nack = TransportLayerNack { sender_ssrc: 1, media_ssrc: ssrc, nacks };
        self.send_control(ssrc, vec![Box::new(nack)]).await;
    }

    /// Sends RTCP about a stream that this peer receives, once its first packet is there.
    pub(crate) async fn send_control(&mut self, ssrc: u32, packets: Vec<Box<dyn rtcp::Packet>>) {
        let send = async {
            loop {
                let tracks = self.tracks.borrow_and_update().clone();
                for track in tracks {
                    if track.ssrcs().await.contains(&ssrc) {
                        return track.write_rtcp(packets).await.expect("the peer lives");
                    }
                }
                self.tracks.changed().await.expect("the peer lives");
            }
        };
        tokio::time::timeout(PATIENCE, send).await.expect("a packet of the stream in time");
    }

    /// Closes the connection, as a browser tab does.
    pub(crate) async fn close(self) {
        self.connection.close().await.expect("it was open");
    }
}

/// Events of the connection, as values to wait for.
struct Events {
    tracks: watch::Sender<Vec<Arc<dyn TrackRemote>>>,
    state: watch::Sender<RTCPeerConnectionState>,
    gathered: watch::Sender<bool>,
}

#[async_trait]
impl PeerConnectionEventHandler for Events {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        self.gathered.send_replace(state == RTCIceGatheringState::Complete);
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        self.state.send_replace(state);
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        self.tracks.send_modify(|tracks| tracks.push(Arc::clone(&track)));
        // Its packets were reported at the wire; here they only have to be taken away.
        tokio::spawn(async move { while track.poll().await.is_some() {} });
    }
}

/// Reads the first payload type and the header extensions of an answer's m-line.
fn negotiated(section: &str) -> Negotiated {
    let mut words = section.lines().next().unwrap_or_default().split(' ').skip(1);
    let accepted = words.next().is_some_and(|port| port != "0");
    let payload_type = words.nth(1).filter(|_| accepted).and_then(|number| number.parse().ok());
    let extensions = section
        .lines()
        .filter_map(|line| line.strip_prefix("a=extmap:")?.split_once(' '))
        .filter_map(|(number, uri)| Some((number.parse().ok()?, uri.trim().to_owned())))
        .collect();
    Negotiated { payload_type, extensions }
}

/// The same SDP with the first byte of every fingerprint inverted.
fn with_wrong_fingerprint(sdp: &str) -> String {
    let wrong = |line: &str| {
        let Some(digest) = line.strip_prefix("a=fingerprint:sha-256 ") else {
            return line.to_owned();
        };
        let first = u8::from_str_radix(&digest[..2], 16).expect("hexadecimal");
        format!("a=fingerprint:sha-256 {:02X}{}", !first, &digest[2..])
    };
    sdp.split("\r\n").map(wrong).collect::<Vec<_>>().join("\r\n")
}

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
#![allow(dead_code)]

mod bits;
mod builder;
mod codec;
mod frames;
mod source;
#[cfg(test)]
mod tests;
mod wire;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use rtc::{
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
    peer_connection::{PeerConnection, RTCPeerConnectionState, RTCSessionDescription},
};

pub(crate) use self::{
    builder::Builder,
    codec::Codec,
    frames::{Mark, Picture},
    source::{AUDIO_LEVEL, Outgoing, Pace, Running, Source},
    wire::{Control, KeyFrameRequests, Received},
};
use self::{
    source::{Negotiated, REPAIRED_RID},
    wire::Repairs,
};

pub(crate) use webrtc::peer_connection::{
    RTCPeerConnectionState as ConnectionState, SrtpProtectionProfile,
};

/// How long a test waits for what has to happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// SSRCs of this process; each source takes one for itself and the next for retransmissions.
static NEXT_SSRC: AtomicU32 = AtomicU32::new(0x5000_0000);

/// A WebRTC client.
pub(crate) struct MediaPeer {
    connection: Arc<dyn PeerConnection>,
    wrong_fingerprint: bool,
    /// What was negotiated, one per m-line.
    m_lines: Vec<Arc<Mutex<Negotiated>>>,
    /// Layers that it sends: number of the m-line, SSRC of the retransmissions, name.
    layers: Vec<(usize, u32, Bytes)>,
    repairs: Repairs,
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

    /// Adds a `sendonly` m-line that offers one codec.
    pub(crate) async fn add_source(&mut self, codec: Codec) -> Source {
        self.add_source_offering(&[codec]).await
    }

    /// Adds a `sendonly` m-line that offers these codecs, all of one kind. The source sends what
    /// the answer chooses, from [`Self::accept`] on. `rtc` makes sender reports and
    /// retransmissions for the first codec only.
    pub(crate) async fn add_source_offering(&mut self, codecs: &[Codec]) -> Source {
        self.add_layers(codecs, &[""]).await.pop().expect("one source")
    }

    /// Adds a `sendonly` m-line that offers a simulcast of one codec, with these names of layers;
    /// one source for each.
    pub(crate) async fn add_simulcast(&mut self, codec: Codec, rids: &[&str]) -> Vec<Source> {
        let sources = self.add_layers(&[codec], rids).await;
        let m_line = self.m_lines.len() - 1;
        let named = |source: &Source| Some((m_line, source.ssrc + 1, source.rid.clone()?));
        self.layers.extend(sources.iter().filter_map(named));
        sources
    }

    async fn add_layers(&mut self, codecs: &[Codec], rids: &[&str]) -> Vec<Source> {
        let named = |rid| (NEXT_SSRC.fetch_add(2, Ordering::Relaxed), rid);
        let layers: Vec<(u32, &str)> = rids.iter().copied().map(named).collect();
        let first = codecs.first().expect("at least one codec");
        let track = Source::track(first, &layers);
        let direction = RTCRtpTransceiverDirection::Sendonly;
        let init = RTCRtpTransceiverInit { direction, ..Default::default() };
        let transceiver = self
            .connection
            .add_transceiver_from_track(Arc::clone(&track) as Arc<dyn TrackLocal>, Some(init))
            .await
            .expect("an open connection");
        let offered = codec::parameters(codecs, first.kind());
        transceiver.set_codec_preferences(offered).await.expect("codecs of the peer");
        let negotiated = Arc::new(Mutex::new(Negotiated::default()));
        self.m_lines.push(Arc::clone(&negotiated));
        let source = |(ssrc, rid): (u32, &str)| Source {
            track: Arc::clone(&track),
            codecs: codecs.to_vec(),
            negotiated: Arc::clone(&negotiated),
            key_frame_requests: self.key_frame_requests.clone(),
            rid: (!rid.is_empty()).then(|| Bytes::copy_from_slice(rid.as_bytes())),
            ssrc,
            picture: Picture::default(),
            level: None,
            next_frame: 0,
            next_sequence: 100,
            next_timestamp: 1000,
        };
        layers.into_iter().map(source).collect()
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
            *m_line.lock().expect("no holder panics") = negotiated(section);
        }
        let mut repairs = self.repairs.lock().expect("no holder panics");
        for (m_line, ssrc, rid) in &self.layers {
            let negotiated = self.m_lines[*m_line].lock().expect("no holder panics");
            let number = negotiated.extension(REPAIRED_RID);
            repairs.extend(number.map(|number| (*ssrc, (number, rid.clone()))));
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

/// A peer that is ready to offer to receive one track of each codec.
pub(crate) async fn receiver(codecs: &[Codec]) -> MediaPeer {
    let mut peer = MediaPeer::builder().codecs(codecs).build().await;
    for codec in codecs {
        peer.add_receiver(codec.kind()).await;
    }
    peer
}

/// The marked frame of a packet with this payload type.
pub(crate) fn mark(payload_type: u8) -> impl Fn(&Received) -> Option<Mark> {
    move |packet| (packet.payload_type == payload_type).then(|| Mark::of(&packet.payload)).flatten()
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

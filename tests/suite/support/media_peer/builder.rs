//! Making a [`MediaPeer`].

use std::{collections::VecDeque, sync::Arc, time::Duration};

use async_trait::async_trait;
use rtc::{
    ice::mdns::MulticastDnsMode,
    interceptor::{
        NackResponderBuilder, ReceiverReportBuilder, Registry, SenderReportBuilder, Slot,
    },
    peer_connection::transport::RTCDtlsRole,
};
use tokio::sync::{mpsc, watch};
use webrtc::{
    media_stream::track_remote::TrackRemote,
    peer_connection::{
        PeerConnectionBuilder, PeerConnectionEventHandler, RTCIceGatheringState,
        RTCPeerConnectionState, SettingEngineBuilder, SrtpProtectionProfile,
    },
};

use super::{
    MediaPeer,
    codec::{Codec, media_engine},
    wire::{KeyFrameRequests, Loss, Repairs, WIRE_SLOT, Wire},
};

/// From one ICE check to the next; browsers begin at 50 ms, and tests are in a hurry.
const ICE_CHECK_INTERVAL: Duration = Duration::from_millis(20);

/// Checks of a candidate pair before it is given up: 10 s of them.
const ICE_CHECKS: u16 = 500;

/// How a [`MediaPeer`] is to behave.
#[derive(Default)]
pub(crate) struct Builder {
    codecs: Vec<Codec>,
    srtp_profiles: Vec<SrtpProtectionProfile>,
    wrong_fingerprint: bool,
    dtls_client: bool,
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

    /// Begins the DTLS handshake when it answers; by itself it leaves that to an ICE-lite end.
    pub(crate) fn dtls_client(mut self) -> Self {
        self.dtls_client = true;
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
        let repairs = Repairs::default();
        let wire = Wire {
            packets: packets_to,
            controls: controls_to,
            key_frame_requests: requests_to,
            loss: self.loss,
            repairs: Repairs::clone(&repairs),
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
        if self.dtls_client {
            settings = settings.with_answering_dtls_role(RTCDtlsRole::Client);
        }
        if !self.srtp_profiles.is_empty() {
            settings = settings.with_srtp_protection_profiles(self.srtp_profiles);
        }
        let registry = Registry::new()
            .with(Slot::from(WIRE_SLOT), wire)
            .with(Slot::NackResponder, NackResponderBuilder::new().build())
            .with(Slot::ReceiverReport, ReceiverReportBuilder::new().build())
            .with(Slot::SenderReport, SenderReportBuilder::new().build());
        let connection = PeerConnectionBuilder::new()
            .with_media_engine(media_engine(&self.codecs))
            .with_setting_engine(settings.build())
            .with_interceptor_registry(registry)
            .with_handler(Arc::new(events))
            .with_udp_addrs(vec!["127.0.0.1:0".to_owned()])
            .build();
        // It is a future of 20 KB.
        let connection = Box::pin(connection).await.expect("loopback can be bound");
        MediaPeer {
            connection: Arc::new(connection),
            wrong_fingerprint: self.wrong_fingerprint,
            m_lines: Vec::new(),
            layers: Vec::new(),
            repairs,
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

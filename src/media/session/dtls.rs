//! DTLS 1.2 (RFC 6347), for the keys of SRTP (RFC 5764): as server, or as client where a peer's
//! answer insists on being the server.
//!
//! `rtc-dtls` does the protocol. Around it: the client's first message is looked into before, to
//! choose the best SRTP cipher instead of the client's first; and what a peer may make the
//! library keep or compute is bounded.

mod client_hello;

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::BytesMut;
use rtc_crypto::{HashAlgorithm, RTCCryptoProvider, SecretVec};
use rtc_dtls::{
    config::{ClientAuthType, ConfigBuilder, HandshakeConfig},
    crypto::Certificate,
    endpoint::{Endpoint, EndpointEvent},
    extension::extension_use_srtp::SrtpProtectionProfile,
};
use rtc_shared::TransportProtocol;
use rtc_srtp::{config::LABEL_EXTRACTOR_DTLS_SRTP, protection_profile::ProtectionProfile};

use self::client_hello::{ClientHello, Peek};
use super::srtp::keying_material_len;

/// The SRTP ciphers, best first: AES-128-GCM is the fastest, and everybody has the last.
const PROFILES: [(SrtpProtectionProfile, ProtectionProfile); 3] = [
    (SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm, ProtectionProfile::AeadAes128Gcm),
    (SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm, ProtectionProfile::AeadAes256Gcm),
    (SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80, ProtectionProfile::Aes128CmHmacSha1_80),
];

/// How long an answer is awaited before a flight is repeated. The library repeats it seven times.
const FLIGHT_INTERVAL: Duration = Duration::from_millis(350);

/// Handshake messages are cut to this, to pass every network.
const MTU: usize = 1200;

/// The longest datagram that is read, in bytes; clients keep theirs below 1500.
const MAX_DATAGRAM: usize = 4096;

/// Records that the library is shown in the life of an association, besides alerts. A handshake
/// takes about a dozen, and some repetitions; beyond that a client only wastes memory.
const MAX_RECORDS: u32 = 512;

const RECORD_HEADER: usize = 13;
const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;

/// The library tells associations apart by address, but a session has only one, wherever its
/// peer moves; so all of it is said to come from here.
const PEER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 1);

/// The server's certificate, and what follows from it.
pub(crate) struct Identity {
    /// SHA-256 of the certificate, as SDP writes it.
    pub(crate) fingerprint: String,
    /// What computes.
    pub(crate) provider: Arc<dyn RTCCryptoProvider>,
    /// For the server's part, by the cipher that is chosen.
    configs: Vec<Arc<HandshakeConfig>>,
    /// For the client's part.
    client: Arc<HandshakeConfig>,
}

/// The certificate could not be made, or the connection failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("DTLS: {0}")]
pub(crate) struct DtlsError(String);

impl DtlsError {
    fn of(error: impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}

impl Identity {
    /// Makes a new certificate.
    pub(crate) fn generate(provider: Arc<dyn RTCCryptoProvider>) -> Result<Self, DtlsError> {
        let names = vec!["portico".to_owned()];
        let certificate = Certificate::generate_self_signed(names, provider.crypto());
        let certificate = certificate.map_err(DtlsError::of)?;
        let der = certificate.certificate.first().ok_or_else(|| DtlsError::of("no certificate"))?;
        let hash = sha256(der, &*provider)?;
        let pairs: Vec<String> = hash.iter().map(|byte| format!("{byte:02X}")).collect();
        let config = |profiles: Vec<SrtpProtectionProfile>, role: Role| {
            let config = ConfigBuilder::default()
                .with_crypto_provider(provider.clone())
                .with_certificates(vec![certificate.clone()])
                .with_srtp_protection_profiles(profiles)
                // Authenticity rests on the fingerprint in the SDP, not on a chain of trust.
                .with_client_auth(ClientAuthType::RequireAnyClientCert)
                .with_insecure_skip_verify(true)
                .with_flight_interval(FLIGHT_INTERVAL)
                .with_mtu(MTU)
                .build(role == Role::Client, None);
            config.map(Arc::new).map_err(DtlsError::of)
        };
        let profiles = PROFILES.map(|(profile, _)| profile);
        let configs = profiles.map(|profile| config(vec![profile], Role::Server));
        let configs = configs.into_iter().collect::<Result<_, _>>()?;
        let client = config(profiles.to_vec(), Role::Client)?;
        Ok(Self { fingerprint: pairs.join(":"), provider, configs, client })
    }
}

fn sha256(data: &[u8], provider: &dyn RTCCryptoProvider) -> Result<[u8; 32], DtlsError> {
    let hash = provider.crypto().hash(HashAlgorithm::Sha256, data).map_err(DtlsError::of)?;
    hash.try_into().map_err(|_| DtlsError::of("SHA-256 of another length"))
}

/// The part of this end in a handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// It waits for the peer to begin.
    Server,
    /// It begins.
    Client,
}

/// What a finished handshake yields.
pub(crate) struct Keys {
    /// The part that this end had in it.
    pub(crate) role: Role,
    /// The SRTP cipher.
    pub(crate) profile: ProtectionProfile,
    /// The exporter's output for it.
    pub(crate) material: SecretVec,
    /// SHA-256 of the peer's certificate. The peer is nobody yet: compare it with the SDP.
    pub(crate) peer_fingerprint: [u8; 32],
}

/// What a datagram brought about.
pub(crate) enum DtlsEvent {
    /// The handshake is finished.
    Connected(Box<Keys>),
    /// The peer closed the connection.
    Closed,
}

enum Phase {
    /// This end is to begin, once there is a way to the peer.
    Waiting,
    /// The peer's first message is not complete.
    Peeking(Peek),
    /// A handshake runs or is finished.
    Running { endpoint: Box<Endpoint>, role: Role, connected: bool },
    /// Nothing more happens.
    Over,
}

/// One association.
pub(crate) struct Dtls {
    identity: Arc<Identity>,
    phase: Phase,
    records: u32,
}

impl Dtls {
    pub(crate) fn new(identity: Arc<Identity>) -> Self {
        Self { identity, phase: Phase::Peeking(Peek::default()), records: 0 }
    }

    /// Takes the client's part instead of the server's. Nothing may have come yet.
    pub(crate) fn be_client(&mut self) {
        self.phase = Phase::Waiting;
    }

    /// Begins the handshake if that is this end's part and it has not begun yet; says whether it
    /// did. Call it when there is a way to the peer.
    ///
    /// # Errors
    /// When nothing can be said; the connection is over then.
    pub(crate) fn begin(&mut self, now: Instant) -> Result<bool, DtlsError> {
        if !matches!(self.phase, Phase::Waiting) {
            return Ok(false);
        }
        let mut endpoint = Endpoint::new(PEER, TransportProtocol::UDP, None);
        let begun = endpoint.connect(now, PEER, self.identity.client.clone(), None);
        self.phase = match begun {
            Ok(_) => Phase::Running {
                endpoint: Box::new(endpoint),
                role: Role::Client,
                connected: false,
            },
            Err(_) => Phase::Over,
        };
        begun.map(|_| true).map_err(DtlsError::of)
    }

    /// Takes a datagram of the peer.
    ///
    /// # Errors
    /// When the connection cannot go on; it is over then.
    pub(crate) fn handle(
        &mut self,
        datagram: &[u8],
        now: Instant,
    ) -> Result<Vec<DtlsEvent>, DtlsError> {
        if !self.admit(datagram) {
            return Ok(Vec::new());
        }
        let held = match &mut self.phase {
            Phase::Waiting | Phase::Over => return Ok(Vec::new()),
            Phase::Running { .. } => return self.read(datagram, now),
            Phase::Peeking(peek) => match peek.push(datagram) {
                ClientHello::Incomplete => return Ok(Vec::new()),
                ClientHello::Complete { srtp_profiles } => {
                    let held = peek.take_held();
                    self.start(&srtp_profiles)?;
                    held
                }
            },
        };
        let mut events = Vec::new();
        for datagram in held {
            events.extend(self.read(&datagram, now)?);
        }
        Ok(events)
    }

    /// Repeats what is due.
    ///
    /// # Errors
    /// When it was repeated often enough; the connection is over then.
    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsError> {
        let Phase::Running { endpoint, .. } = &mut self.phase else { return Ok(()) };
        endpoint.handle_timeout(PEER, now).map_err(DtlsError::of)
    }

    /// When [`Self::handle_timeout`] is due.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        match &self.phase {
            Phase::Running { endpoint, .. } => endpoint.poll_timeout(&PEER),
            Phase::Waiting | Phase::Peeking(_) | Phase::Over => None,
        }
    }

    /// The next datagram to send. Drain it also after an error: the alert is in there.
    pub(crate) fn poll_transmit(&mut self) -> Option<BytesMut> {
        match &mut self.phase {
            Phase::Running { endpoint, .. } => Some(endpoint.poll_transmit()?.message),
            Phase::Waiting | Phase::Peeking(_) | Phase::Over => None,
        }
    }

    /// Tells the peer that this is the end; [`Self::poll_transmit`] has the words.
    pub(crate) fn close(&mut self, now: Instant) {
        if let Phase::Running { endpoint, .. } = &mut self.phase {
            // It reports no error of its own.
            let _ = endpoint.close(now);
        }
    }

    /// Forgets the association.
    pub(crate) fn end(&mut self) {
        self.phase = Phase::Over;
    }

    /// Whether the library may see the datagram: it is of a kind that is used here, and the
    /// client has not shown too many.
    fn admit(&mut self, datagram: &[u8]) -> bool {
        if datagram.len() > MAX_DATAGRAM {
            return false;
        }
        let connected = matches!(self.phase, Phase::Running { connected: true, .. });
        let mut rest = datagram;
        let before = self.records;
        while let Some(header) = rest.first_chunk::<RECORD_HEADER>() {
            let body = usize::from(u16::from_be_bytes([header[11], header[12]]));
            let Some(behind) = rest.get(RECORD_HEADER + body..) else { return false };
            match header[0] {
                ALERT => {}
                HANDSHAKE => self.records = self.records.saturating_add(1),
                CHANGE_CIPHER_SPEC if !connected => self.records = self.records.saturating_add(1),
                _ => return false,
            }
            rest = behind;
        }
        rest.is_empty() && (self.records == before || self.records <= MAX_RECORDS)
    }

    fn start(&mut self, offered: &[u16]) -> Result<(), DtlsError> {
        let best = PROFILES.iter().position(|(profile, _)| offered.contains(&(*profile as u16)));
        let Some(best) = best else {
            self.phase = Phase::Over;
            return Err(DtlsError::of("the client offers no SRTP cipher that is known here"));
        };
        let config = self.identity.configs[best].clone();
        let endpoint = Endpoint::new(PEER, TransportProtocol::UDP, Some(config));
        self.phase =
            Phase::Running { endpoint: Box::new(endpoint), role: Role::Server, connected: false };
        Ok(())
    }

    fn read(&mut self, datagram: &[u8], now: Instant) -> Result<Vec<DtlsEvent>, DtlsError> {
        let Phase::Running { endpoint, role, connected } = &mut self.phase else {
            return Ok(Vec::new());
        };
        let seen = endpoint.read(now, PEER, None, BytesMut::from(datagram));
        let mut events = Vec::new();
        for event in seen.map_err(DtlsError::of)? {
            if matches!(event, EndpointEvent::HandshakeComplete) {
                *connected = true;
                let keys = export(endpoint, *role, &*self.identity.provider)?;
                events.push(DtlsEvent::Connected(Box::new(keys)));
            } else if matches!(event, EndpointEvent::PeerClosed) {
                events.push(DtlsEvent::Closed);
            }
        }
        Ok(events)
    }
}

fn export(
    endpoint: &Endpoint,
    role: Role,
    provider: &dyn RTCCryptoProvider,
) -> Result<Keys, DtlsError> {
    let state = endpoint.get_connection_state(PEER);
    let state = state.ok_or_else(|| DtlsError::of("the association is gone"))?;
    let agreed = PROFILES.iter().find(|(name, _)| *name == state.srtp_protection_profile());
    let agreed = agreed.ok_or_else(|| DtlsError::of("no SRTP cipher was agreed on"));
    let (_, profile) = *agreed?;
    let certificate = state.peer_certificates.first();
    let certificate = certificate.ok_or_else(|| DtlsError::of("the peer has no certificate"))?;
    let len = keying_material_len(profile);
    let material = state.export_keying_material(LABEL_EXTRACTOR_DTLS_SRTP, &[], len);
    Ok(Keys {
        role,
        profile,
        material: material.map_err(DtlsError::of)?,
        peer_fingerprint: sha256(certificate, provider)?,
    })
}

#[cfg(test)]
mod tests;

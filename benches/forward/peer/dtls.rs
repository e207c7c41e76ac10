//! The client's side of DTLS-SRTP: a handshake, then keys.

use std::{
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use bytes::BytesMut;
use rtc_crypto::HashAlgorithm;
use rtc_dtls::{
    config::{ConfigBuilder, HandshakeConfig},
    crypto::Certificate,
    endpoint::{Endpoint, EndpointEvent},
    extension::extension_use_srtp::SrtpProtectionProfile,
};
use rtc_shared::TransportProtocol;
use rtc_srtp::{
    config::{Config, LABEL_EXTRACTOR_DTLS_SRTP},
    context::Context,
    protection_profile::ProtectionProfile,
};

use super::crypto;
use crate::support::Result;

/// Handshakes are told apart by their endpoints, so the address says nothing.
const ANY: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::new(192, 0, 2, 1), 1));

/// Between retransmissions; longer than 200 handshakes at once keep a core busy.
const FLIGHT_INTERVAL: Duration = Duration::from_millis(1000);

/// What all peers of this process share, since the server does not mind one certificate for all.
struct Identity {
    config: Arc<HandshakeConfig>,
    fingerprint: String,
}

impl Identity {
    fn new() -> Result<Self> {
        let provider = crypto();
        let certificate =
            Certificate::generate_self_signed(vec!["bench".to_owned()], provider.crypto())?;
        let encoded = certificate.certificate.first().ok_or("no certificate")?;
        let digest = provider.crypto().hash(HashAlgorithm::Sha256, encoded)?;
        let pairs: Vec<String> = digest.iter().map(|byte| format!("{byte:02X}")).collect();
        let config = ConfigBuilder::default()
            .with_crypto_provider(provider)
            .with_certificates(vec![certificate])
            .with_srtp_protection_profiles(vec![
                SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm,
                SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm,
                SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80,
            ])
            .with_insecure_skip_verify(true)
            .with_flight_interval(FLIGHT_INTERVAL)
            .build(true, None)?;
        Ok(Self { config: Arc::new(config), fingerprint: pairs.join(":") })
    }

    fn shared() -> Result<&'static Self> {
        static IDENTITY: OnceLock<std::result::Result<Identity, String>> = OnceLock::new();
        let made = IDENTITY.get_or_init(|| Self::new().map_err(|error| error.to_string()));
        made.as_ref().map_err(|error| error.clone().into())
    }
}

/// The SHA-256 of the certificate, as SDP writes it.
pub(crate) fn fingerprint() -> Result<&'static str> {
    Ok(&Identity::shared()?.fingerprint)
}

/// Both ways of SRTP.
pub(crate) struct Srtp {
    pub(crate) incoming: Context,
    pub(crate) outgoing: Context,
}

/// A handshake under way, or done.
pub(crate) struct Handshake {
    endpoint: Endpoint,
}

impl Handshake {
    /// Says hello.
    pub(crate) fn start(now: Instant) -> Result<Self> {
        let mut endpoint = Endpoint::new(ANY, TransportProtocol::UDP, None);
        endpoint.connect(now, ANY, Arc::clone(&Identity::shared()?.config), None)?;
        Ok(Self { endpoint })
    }

    /// Takes a datagram; the keys once both sides are done.
    pub(crate) fn read(&mut self, datagram: &[u8], now: Instant) -> Result<Option<Srtp>> {
        let events = self.endpoint.read(now, ANY, None, BytesMut::from(datagram))?;
        if events.iter().any(|event| matches!(event, EndpointEvent::PeerClosed)) {
            return Err("the server closed a session".into());
        }
        let done = events.iter().any(|event| matches!(event, EndpointEvent::HandshakeComplete));
        if done { self.keys().map(Some) } else { Ok(None) }
    }

    /// Retransmits what is due.
    pub(crate) fn on_time(&mut self, now: Instant) -> Result<()> {
        Ok(self.endpoint.handle_timeout(ANY, now)?)
    }

    /// The next datagram to send.
    pub(crate) fn datagram(&mut self) -> Option<BytesMut> {
        self.endpoint.poll_transmit().map(|transmit| transmit.message)
    }

    fn keys(&self) -> Result<Srtp> {
        let state = self.endpoint.get_connection_state(ANY).ok_or("no DTLS state")?;
        // What the figures are about; a server that prefers another cipher would not be comparable.
        if state.srtp_protection_profile() != SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm {
            return Err("the server did not choose AES-128-GCM".into());
        }
        let profile = ProtectionProfile::AeadAes128Gcm;
        let mut config = Config { profile, ..Config::default() };
        let length = config.keying_material_len();
        let material = state.export_keying_material(LABEL_EXTRACTOR_DTLS_SRTP, &[], length)?;
        config.set_session_keys_from_keying_material(material.as_ref(), true)?;
        let (provider, keys) = (crypto(), &config.keys);
        let context = |key: &[u8], salt: &[u8]| {
            Context::new(key, salt, profile, None, None, provider.crypto())
        };
        Ok(Srtp {
            incoming: context(&keys.remote_master_key, &keys.remote_master_salt)?,
            outgoing: context(&keys.local_master_key, &keys.local_master_salt)?,
        })
    }
}

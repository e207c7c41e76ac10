//! The exchange with a hand-made peer, so that time can be chosen.

use std::{
    net::{IpAddr, Ipv4Addr, UdpSocket},
    sync::Mutex,
    time::Duration,
};

use bytes::BytesMut;
use rtc_crypto::{HashAlgorithm, RTCCryptoProvider, providers::AwsLcRsProvider};
use rtc_dtls::{
    config::{ConfigBuilder, HandshakeConfig},
    crypto::Certificate,
    endpoint::Endpoint,
    extension::extension_use_srtp::SrtpProtectionProfile,
};
use rtc_shared::TransportProtocol;
use rtc_srtp::{
    config::{Config, LABEL_EXTRACTOR_DTLS_SRTP, SessionKeys},
    context::Context,
    protection_profile::ProtectionProfile,
};
use rtc_stun::{
    attributes::{ATTR_USE_CANDIDATE, ATTR_USERNAME, AttrType},
    fingerprint::FINGERPRINT,
    integrity::MessageIntegrity,
    message::{BINDING_REQUEST, BINDING_SUCCESS, Message, Setter, TransactionId},
    textattrs::TextAttribute,
};

use super::{transport::MAX_PATHS, *};
use crate::{
    formats::{AudioFormat, Offerer},
    media::{Choice, Command, ListenAddress, Source},
};

const ROOM: RoomKey = RoomKey(1);
const REMOTE_UFRAG: &str = "peer";

struct Bench {
    exchange: Exchange,
    events: Arc<Mutex<Vec<Event>>>,
    provider: Arc<dyn RTCCryptoProvider>,
    certificate: Certificate,
    now: Instant,
}

impl Bench {
    fn new() -> Self {
        let provider: Arc<dyn RTCCryptoProvider> = Arc::new(AwsLcRsProvider::new());
        let certificate = Certificate::generate_self_signed(vec!["peer".into()], provider.crypto());
        let identity = Arc::new(Identity::generate(provider.clone()).expect("made"));
        let address = ListenAddress { bind: IpAddr::V4(Ipv4Addr::LOCALHOST), announce: None };
        let socket = Socket::bind(address, 0).expect("bound");
        let mut exchange = Exchange::new(vec![socket], identity);
        let events = Arc::new(Mutex::new(Vec::new()));
        let heard = events.clone();
        let sink: EventSink = Arc::new(move |event| heard.lock().unwrap().push(event));
        exchange.open_room(ROOM, "room".parse().expect("valid"), sink);
        let now = Instant::now();
        Self { exchange, events, provider, certificate: certificate.expect("made"), now }
    }

    fn events(&self) -> Vec<Event> {
        std::mem::take(&mut self.events.lock().unwrap())
    }

    fn open(&mut self) {
        let session: SessionId = "session".parse().expect("valid");
        let transport = (&session).into();
        let audio = Some([AudioFormat::OPUS].into());
        let command = Command::OpenPublication { session, transport, audio, video: None };
        self.exchange.obey(ROOM, command, self.now);
    }

    fn offer(&mut self, password: &str, payload_type: u8) {
        let hash = self
            .provider
            .crypto()
            .hash(HashAlgorithm::Sha256, &self.certificate.certificate[0])
            .expect("hashed");
        let hash: Vec<String> = hash.iter().map(|byte| format!("{byte:02X}")).collect();
        let sdp = format!(
            "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
             m=audio 9 UDP/TLS/RTP/SAVPF {payload_type}\r\nc=IN IP4 0.0.0.0\r\n\
             a=ice-ufrag:{REMOTE_UFRAG}\r\na=ice-pwd:{password}\r\n\
             a=fingerprint:sha-256 {}\r\na=setup:actpass\r\na=mid:0\r\na=sendonly\r\n\
             a=rtcp-mux\r\na=rtpmap:{payload_type} opus/48000/2\r\n\
             a=ssrc:77 cname:peer\r\n",
            hash.join(":")
        );
        let transport = "session".parse().expect("valid");
        self.exchange.obey(ROOM, Command::Offer { transport, sdp: sdp.into() }, self.now);
    }

    /// The answer's user name and password.
    fn answer(&mut self) -> (String, String) {
        let events = self.events();
        let [Event::Answered { sdp, .. }] = events.as_slice() else {
            panic!("not answered: {events:?}");
        };
        Self::credentials(sdp)
    }

    /// The offer's user name and password.
    fn offered(&mut self) -> (String, String) {
        let events = self.events();
        let [Event::Offered { sdp, .. }] = events.as_slice() else {
            panic!("not offered: {events:?}");
        };
        Self::credentials(sdp)
    }

    fn credentials(sdp: &str) -> (String, String) {
        let value = |name: &str| {
            let line = sdp.lines().find_map(|line| line.strip_prefix(name));
            line.expect("in the description").trim().to_owned()
        };
        (value("a=ice-ufrag:"), value("a=ice-pwd:"))
    }

    fn failure(&mut self) -> Option<String> {
        self.exchange.handle_deadlines(self.now);
        self.events().into_iter().find_map(|event| {
            let Event::SessionFailed { reason, .. } = event else { return None };
            Some(reason.to_string())
        })
    }

    fn check(&mut self, path: Path, (ufrag, password): &(String, String), nominate: bool) {
        let crypto = self.provider.crypto();
        let user = format!("{ufrag}:{REMOTE_UFRAG}");
        let mut setters: Vec<Box<dyn Setter + '_>> = vec![
            Box::new(TransactionId::new()),
            Box::new(BINDING_REQUEST),
            Box::new(TextAttribute::new(ATTR_USERNAME, user)),
        ];
        if nominate {
            setters.push(Box::new(Flag(ATTR_USE_CANDIDATE)));
        }
        let password = password.clone();
        setters.push(Box::new(MessageIntegrity::new_short_term_integrity_with_provider(
            password, crypto,
        )));
        setters.push(Box::new(FINGERPRINT));
        let mut message = Message::new();
        message.build(&setters).expect("well formed");
        self.exchange.handle_datagram(path, &mut message.raw, self.now);
    }

    fn path_in_use(&self) -> Option<Path> {
        self.exchange.transports.iter().next().and_then(|(_, transport)| transport.path)
    }

    fn client(&self) -> Arc<HandshakeConfig> {
        let config = ConfigBuilder::default()
            .with_crypto_provider(self.provider.clone())
            .with_certificates(vec![self.certificate.clone()])
            .with_srtp_protection_profiles(vec![SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm])
            .with_insecure_skip_verify(true)
            .build(true, None);
        Arc::new(config.expect("good"))
    }

    /// Shakes hands from a real socket.
    fn connect(&mut self, credentials: &(String, String)) -> Path {
        self.connect_with_keys(credentials).0
    }

    /// The same; also gives what the peer encrypts with.
    fn connect_with_keys(&mut self, credentials: &(String, String)) -> (Path, Context) {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("bound");
        socket.set_read_timeout(Some(Duration::from_secs(5))).expect("set");
        let path = Path { socket: 0, remote: socket.local_addr().expect("bound") };
        let server = self.exchange.candidates[0];
        let mut client = Endpoint::new(path.remote, TransportProtocol::UDP, None);
        client.connect(self.now, server, self.client(), None).expect("started");
        self.check(path, credentials, true);
        let counters = Counters::default();
        loop {
            while let Some(mut transmit) = client.poll_transmit() {
                self.exchange.handle_datagram(path, &mut transmit.message, self.now);
            }
            self.exchange.finish_round(&counters);
            let is_ready = |event: &Event| matches!(event, Event::SessionReady { .. });
            if self.events.lock().unwrap().iter().any(is_ready) {
                return (path, self.sending_context(&client, server));
            }
            let mut buffer = [0; 2048];
            let len = socket.recv(&mut buffer).expect("the server answers");
            if buffer[0] >= 20 {
                let datagram = BytesMut::from(&buffer[..len]);
                client.read(self.now, server, None, datagram).expect("good");
            } else {
                let mut reply = Message::new();
                reply.unmarshal_binary(&buffer[..len]).expect("well formed");
                assert_eq!(reply.typ, BINDING_SUCCESS);
            }
        }
    }

    fn sending_context(&self, client: &Endpoint, server: SocketAddr) -> Context {
        let profile = ProtectionProfile::AeadAes128Gcm;
        let mut config = Config { profile, ..Config::default() };
        let state = client.get_connection_state(server).expect("connected");
        let len = config.keying_material_len();
        let material = state.export_keying_material(LABEL_EXTRACTOR_DTLS_SRTP, &[], len);
        let material = material.expect("connected");
        config.set_session_keys_from_keying_material(material.as_ref(), true).expect("right");
        let SessionKeys { local_master_key: key, local_master_salt: salt, .. } = &config.keys;
        let crypto = self.provider.crypto();
        Context::new(key, salt, profile, None, None, crypto).expect("good keys")
    }
}

struct Flag(AttrType);

impl Setter for Flag {
    fn add_to(&self, message: &mut Message) -> Result<(), rtc_shared::error::Error> {
        message.add(self.0, &[]);
        Ok(())
    }
}

const PASSWORD: &str = "a-password-of-the-peer";

fn path(port: u16) -> Path {
    Path { socket: 0, remote: SocketAddr::from(([127, 0, 0, 1], port)) }
}

#[test]
fn a_session_without_an_offer_is_given_up() {
    let mut bench = Bench::new();
    bench.open();
    bench.now += Duration::from_secs(59);
    assert_eq!(bench.failure(), None);
    bench.now += Duration::from_secs(2);
    assert_eq!(bench.failure().as_deref(), Some("Ice procedure failed."));
    assert!(bench.exchange.transports.is_empty() && bench.exchange.by_ufrag.is_empty());
}

#[test]
fn nothing_comes_through_before_an_offer_is_answered_and_the_wait_ends() {
    let mut bench = Bench::new();
    let session: SessionId = "session".parse().expect("valid");
    let choice = Choice { output: OutputId(1), format: AudioFormat::OPUS };
    bench.exchange.obey(
        ROOM,
        Command::OpenSubscription {
            transport: (&session).into(),
            session,
            offerer: Offerer::Server,
            audio: Some(Source::Injected([choice].into())),
            video: None,
        },
        bench.now,
    );
    let credentials = bench.offered();
    bench.check(path(1), &credentials, true);
    assert_eq!(bench.path_in_use(), None, "nobody is known yet");
    // An offer is no answer.
    bench.offer(PASSWORD, 111);
    bench.now += Duration::from_secs(59);
    assert_eq!(bench.failure(), None);
    bench.now += Duration::from_secs(1);
    assert_eq!(bench.failure().as_deref(), Some("Ice procedure failed."));
    assert!(bench.exchange.transports.is_empty() && bench.exchange.by_ufrag.is_empty());
}

#[test]
fn a_peer_that_never_comes_is_given_up() {
    let mut bench = Bench::new();
    bench.open();
    bench.now += Duration::from_secs(10);
    bench.offer(PASSWORD, 111);
    let credentials = bench.answer();
    bench.now += Duration::from_secs(29);
    // Checks alone do not connect.
    bench.check(path(1), &credentials, true);
    assert_eq!(bench.failure(), None);
    bench.now += Duration::from_secs(2);
    assert_eq!(bench.failure().as_deref(), Some("Ice procedure failed."));
    let exchange = &bench.exchange;
    assert!(exchange.by_path.is_empty() && exchange.incoming.is_empty());
}

#[test]
fn a_connected_peer_lives_as_long_as_it_checks() {
    let mut bench = Bench::new();
    bench.open();
    bench.offer(PASSWORD, 111);
    let credentials = bench.answer();
    let path = bench.connect(&credentials);
    for _ in 0..10 {
        bench.now += Duration::from_secs(20);
        assert_eq!(bench.failure(), None);
        bench.check(path, &credentials, false);
    }
    bench.now += Duration::from_secs(29);
    assert_eq!(bench.failure(), None);
    bench.now += Duration::from_secs(2);
    assert_eq!(bench.failure().as_deref(), Some("Ice procedure failed."));
}

#[test]
fn nomination_and_silence_change_the_path() {
    let mut bench = Bench::new();
    bench.open();
    bench.offer(PASSWORD, 111);
    let credentials = bench.answer();
    bench.check(path(1), &credentials, false);
    assert_eq!(bench.path_in_use(), Some(path(1)), "any is better than none");
    bench.check(path(2), &credentials, false);
    assert_eq!(bench.path_in_use(), Some(path(1)));
    bench.check(path(3), &credentials, true);
    assert_eq!(bench.path_in_use(), Some(path(3)));
    bench.now += Duration::from_secs(4);
    bench.check(path(2), &credentials, false);
    assert_eq!(bench.path_in_use(), Some(path(2)));
}

#[test]
fn paths_are_bounded_and_the_one_in_use_stays() {
    let mut bench = Bench::new();
    bench.open();
    bench.offer(PASSWORD, 111);
    let credentials = bench.answer();
    for port in 1..100 {
        bench.check(path(port), &credentials, port == 1);
        assert!(bench.exchange.by_path.len() <= MAX_PATHS);
    }
    assert!(bench.exchange.by_path.contains_key(&path(1)));
    let stranger = ("nobody".to_owned(), credentials.1.clone());
    bench.check(path(200), &stranger, true);
    assert!(!bench.exchange.by_path.contains_key(&path(200)));
}

#[test]
fn an_ice_restart_gets_new_credentials_and_the_old_ones_end() {
    let mut bench = Bench::new();
    bench.open();
    bench.offer(PASSWORD, 111);
    let before = bench.answer();
    let in_use = bench.connect(&before);
    bench.events();
    bench.offer("another-password-of-the-peer", 111);
    let after = bench.answer();
    assert_ne!(before.0, after.0);
    assert_ne!(before.1, after.1);
    bench.check(path(2), &before, true);
    assert_eq!(bench.path_in_use(), Some(in_use), "the old name is unknown");
    bench.check(path(2), &after, true);
    assert_eq!(bench.path_in_use(), Some(path(2)));
}

#[test]
fn the_same_offer_again_gets_the_same_credentials() {
    let mut bench = Bench::new();
    bench.open();
    bench.offer(PASSWORD, 111);
    let before = bench.answer();
    bench.offer(PASSWORD, 111);
    assert_eq!(bench.answer(), before);
}

#[test]
fn an_offer_that_changes_the_agreement_is_not_answered_and_harms_nothing() {
    let mut bench = Bench::new();
    bench.open();
    bench.offer(PASSWORD, 111);
    let credentials = bench.answer();
    bench.offer(PASSWORD, 109);
    assert_eq!(bench.events(), []);
    bench.check(path(1), &credentials, true);
    assert_eq!(bench.path_in_use(), Some(path(1)));
}

#[test]
fn a_defect_ends_the_session_that_it_shows_in() {
    let mut bench = Bench::new();
    bench.open();
    bench.offer(PASSWORD, 111);
    let credentials = bench.answer();
    bench.check(path(1), &credentials, true);
    bench.exchange.blame("a test", bench.now);
    assert_eq!(bench.failure().as_deref(), Some("Internal error."));
    assert!(bench.exchange.transports.is_empty());
    bench.exchange.blame("a test", bench.now);
}

#[test]
fn a_peer_that_encrypts_nonsense_harms_nobody() {
    let mut bench = Bench::new();
    bench.open();
    bench.offer(PASSWORD, 111);
    let credentials = bench.answer();
    let (path, mut context) = bench.connect_with_keys(&credentials);
    bench.events();
    let mut state = 17_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let mut sealed = 0;
    for round in 0..30_000_usize {
        let mut plain: Vec<u8> = (0..12 + round % 90).map(|_| next()).collect();
        let is_report = round % 3 == 0;
        plain[0] = 0x80 | plain[0] & 0x3F;
        plain[1] = if is_report { 200 + plain[1] % 7 } else { [111, 112, plain[1]][round % 3] };
        if round % 2 == 0 {
            plain[4..12].copy_from_slice(&[0, 0, 0, 7, 0, 0, 0, 77]);
        }
        if is_report {
            // A length that fits now and then, so that the inside is read.
            let words = (plain.len() / 4 - 1) as u8;
            plain[2..4].copy_from_slice(&[0, if round % 5 == 0 { words } else { words / 2 }]);
        }
        let packet =
            if is_report { context.encrypt_rtcp(&plain) } else { context.encrypt_rtp(&plain) };
        let Ok(mut packet) = packet else { continue };
        sealed += 1;
        bench.exchange.handle_datagram(path, &mut packet, bench.now);
        if round % 50 == 0 {
            bench.now += Duration::from_millis(20);
            bench.exchange.forward_pending();
            bench.exchange.handle_deadlines(bench.now);
            bench.check(path, &credentials, false);
            bench.exchange.finish_round(&Counters::default());
        }
    }
    assert!(sealed > 10_000);
    assert_eq!(bench.exchange.transports.len(), 1);
    assert!(bench.failure().is_none());
}

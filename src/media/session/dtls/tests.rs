use rtc_crypto::providers::AwsLcRsProvider;

use super::*;

/// A client as `rtc-dtls` does it, offering `profiles` in this order.
fn client(provider: &Arc<dyn RTCCryptoProvider>, profiles: &[SrtpProtectionProfile]) -> Endpoint {
    let certificate = Certificate::generate_self_signed(vec!["peer".into()], provider.crypto());
    let config = ConfigBuilder::default()
        .with_crypto_provider(provider.clone())
        .with_certificates(vec![certificate.expect("made")])
        .with_srtp_protection_profiles(profiles.to_vec())
        .with_insecure_skip_verify(true)
        .build(true, None)
        .expect("good");
    let mut endpoint = Endpoint::new(PEER, TransportProtocol::UDP, None);
    endpoint.connect(Instant::now(), PEER, Arc::new(config), None).expect("started");
    endpoint
}

struct Pair {
    server: Dtls,
    client: Endpoint,
}

impl Pair {
    fn new(profiles: &[SrtpProtectionProfile]) -> Self {
        let provider: Arc<dyn RTCCryptoProvider> = Arc::new(AwsLcRsProvider::new());
        let identity = Identity::generate(provider.clone()).expect("made");
        Self { server: Dtls::new(Arc::new(identity)), client: client(&provider, profiles) }
    }

    /// Lets them talk until nobody has anything to say.
    fn run(&mut self) -> Result<Vec<DtlsEvent>, DtlsError> {
        let now = Instant::now();
        let mut events = Vec::new();
        loop {
            let mut quiet = true;
            while let Some(transmit) = self.client.poll_transmit() {
                quiet = false;
                events.extend(self.server.handle(&transmit.message, now)?);
            }
            while let Some(datagram) = self.server.poll_transmit() {
                quiet = false;
                // A client that has closed no longer understands; what counts is the server.
                let _ = self.client.read(now, PEER, None, datagram);
            }
            if quiet {
                return Ok(events);
            }
        }
    }

    fn connect(&mut self) -> Box<Keys> {
        match self.run().expect("a handshake").pop() {
            Some(DtlsEvent::Connected(keys)) => keys,
            _ => panic!("not connected"),
        }
    }
}

#[test]
fn the_best_cipher_is_chosen_whatever_the_order_of_the_client() {
    let [gcm128, gcm256, cm] = PROFILES.map(|(profile, _)| profile);
    for (offer, best) in [
        (vec![cm, gcm256, gcm128], ProtectionProfile::AeadAes128Gcm),
        (vec![cm, gcm256], ProtectionProfile::AeadAes256Gcm),
        (vec![cm], ProtectionProfile::Aes128CmHmacSha1_80),
    ] {
        let mut pair = Pair::new(&offer);
        let keys = pair.connect();
        assert_eq!(keys.profile as u8, best as u8);
        let state = pair.client.get_connection_state(PEER).expect("connected");
        let len = keying_material_len(best);
        let theirs = state.export_keying_material(LABEL_EXTRACTOR_DTLS_SRTP, &[], len);
        assert_eq!(theirs.expect("exported").as_ref(), keys.material.as_ref());
    }
}

/// A server as `rtc-dtls` does it, taking one of `profiles`.
fn server(provider: &Arc<dyn RTCCryptoProvider>, profiles: &[SrtpProtectionProfile]) -> Endpoint {
    let certificate = Certificate::generate_self_signed(vec!["peer".into()], provider.crypto());
    let config = ConfigBuilder::default()
        .with_crypto_provider(provider.clone())
        .with_certificates(vec![certificate.expect("made")])
        .with_srtp_protection_profiles(profiles.to_vec())
        .with_client_auth(ClientAuthType::RequireAnyClientCert)
        .with_insecure_skip_verify(true)
        .build(false, None)
        .expect("good");
    Endpoint::new(PEER, TransportProtocol::UDP, Some(Arc::new(config)))
}

#[test]
fn the_clients_part_is_taken_where_the_peer_waits() {
    for (profile, expected) in PROFILES {
        let provider: Arc<dyn RTCCryptoProvider> = Arc::new(AwsLcRsProvider::new());
        let identity = Identity::generate(provider.clone()).expect("made");
        let mut dtls = Dtls::new(Arc::new(identity));
        dtls.be_client();
        assert!(dtls.poll_transmit().is_none() && dtls.next_due().is_none(), "no way yet");
        let now = Instant::now();
        assert_eq!(dtls.begin(now), Ok(true));
        assert_eq!(dtls.begin(now), Ok(false));
        let mut pair = Pair { server: dtls, client: server(&provider, &[profile]) };
        let keys = pair.connect();
        assert_eq!((keys.role, keys.profile as u8), (Role::Client, expected as u8));
        let state = pair.client.get_connection_state(PEER).expect("connected");
        let len = keying_material_len(expected);
        let theirs = state.export_keying_material(LABEL_EXTRACTOR_DTLS_SRTP, &[], len);
        assert_eq!(theirs.expect("exported").as_ref(), keys.material.as_ref());
    }
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let provider: Arc<dyn RTCCryptoProvider> = Arc::new(AwsLcRsProvider::new());
    let identity = Identity::generate(provider).expect("made");
    let mut dtls = Dtls::new(Arc::new(identity));
    dtls.be_client();
    dtls.begin(Instant::now()).expect("begun");
    let mut flights = 0;
    while let Some(due) = dtls.next_due() {
        flights += usize::from(dtls.poll_transmit().is_some());
        assert!(flights < 20, "it ends some time");
        if dtls.handle_timeout(due).is_err() {
            break;
        }
    }
    assert!(flights > 3, "{flights} tries");
}

#[test]
fn either_end_may_close() {
    let [gcm128, ..] = PROFILES.map(|(profile, _)| profile);
    let mut pair = Pair::new(&[gcm128]);
    pair.connect();
    pair.client.close(Instant::now()).expect("closing");
    assert!(matches!(pair.run().expect("no error").pop(), Some(DtlsEvent::Closed)));

    let mut pair = Pair::new(&[gcm128]);
    pair.connect();
    pair.server.close(Instant::now());
    let mut closed = false;
    while let Some(datagram) = pair.server.poll_transmit() {
        let events = pair.client.read(Instant::now(), PEER, None, datagram).expect("no error");
        closed |= events.iter().any(|event| matches!(event, EndpointEvent::PeerClosed));
    }
    assert!(closed);
}

#[test]
fn a_client_without_a_known_cipher_is_refused() {
    let mut pair = Pair::new(&[SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_32]);
    assert!(pair.run().is_err());
}

#[test]
fn lost_flights_are_repeated_in_time() {
    let [gcm128, ..] = PROFILES.map(|(profile, _)| profile);
    let mut pair = Pair::new(&[gcm128]);
    let now = Instant::now();
    // The verify request arrives, the server's whole next flight is lost.
    for arrives in [true, false] {
        while let Some(transmit) = pair.client.poll_transmit() {
            pair.server.handle(&transmit.message, now).expect("good");
        }
        while let Some(datagram) = pair.server.poll_transmit() {
            if arrives {
                pair.client.read(now, PEER, None, datagram).expect("good");
            }
        }
    }
    let due = pair.server.next_due().expect("a flight is out");
    assert!(due <= now + FLIGHT_INTERVAL);
    pair.server.handle_timeout(due).expect("repeated");
    assert!(matches!(pair.run().expect("good").pop(), Some(DtlsEvent::Connected(_))));
}

#[test]
fn a_flood_of_fragments_is_bounded_and_harmless() {
    let [gcm128, ..] = PROFILES.map(|(profile, _)| profile);
    let mut pair = Pair::new(&[gcm128]);
    pair.connect();
    let now = Instant::now();
    for count in 0..100_000_u32 {
        // One byte each of a message of a million, in plain text.
        let [_, a, b, c] = count.to_be_bytes();
        let mut record = vec![HANDSHAKE, 0xFE, 0xFD, 0, 0, 0, 0];
        record.extend((1000 + count).to_be_bytes());
        record.extend([0, 13, 11, 0x0F, 0xFF, 0xFF, 0, 9, a, b, c, 0, 0, 1, 0]);
        let _ = pair.server.handle(&record, now);
    }
    assert!(pair.server.records > MAX_RECORDS, "counted");
    pair.client.close(now).expect("closing");
    assert!(matches!(pair.run().expect("alive").pop(), Some(DtlsEvent::Closed)));
}

#[test]
fn random_datagrams_never_panic() {
    let provider: Arc<dyn RTCCryptoProvider> = Arc::new(AwsLcRsProvider::new());
    let identity = Arc::new(Identity::generate(provider).expect("made"));
    let mut state = 11_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    for round in 0..3000_usize {
        let mut server = Dtls::new(identity.clone());
        for _ in 0..4 {
            let body: Vec<u8> = (0..round % 200).map(|_| next()).collect();
            let mut record = vec![[20, 21, 22, 23, next()][round % 5], 0xFE, 0xFD];
            record.extend([0, next() & 1, 0, 0, 0, 0, 0, next()]);
            record.extend((body.len() as u16).to_be_bytes());
            record.extend(&body);
            let _ = server.handle(&record, Instant::now());
            while server.poll_transmit().is_some() {}
        }
    }
}

use rtc_crypto::{RTCCryptoProvider, providers::AwsLcRsProvider};
use rtc_srtp::{
    context::Context,
    option::{srtcp_replay_protection, srtp_replay_protection},
};

use super::*;
use crate::media::forward::rtp::tests::packet;

const PROFILES: [ProtectionProfile; 3] = [
    ProtectionProfile::AeadAes128Gcm,
    ProtectionProfile::AeadAes256Gcm,
    ProtectionProfile::Aes128CmHmacSha1_80,
];

/// A session of this server, and its peer as `rtc-srtp` does it.
struct Pair {
    sealer: Sealer,
    opener: Opener,
    peer_seals: Context,
    peer_opens: Context,
}

fn pair(profile: ProtectionProfile) -> Pair {
    let provider = AwsLcRsProvider::new();
    let crypto = provider.crypto();
    let material: Vec<u8> = (0..keying_material_len(profile)).map(|byte| byte as u8).collect();
    let (sealer, opener) = both_ways(Role::Server, profile, &material, crypto).expect("good keys");
    let mut peer = Config { profile, ..Config::default() };
    peer.set_session_keys_from_keying_material(&material, true).expect("right length");
    let keys = &peer.keys;
    let local =
        Context::new(&keys.local_master_key, &keys.local_master_salt, profile, None, None, crypto);
    let remote = Context::new(
        &keys.remote_master_key,
        &keys.remote_master_salt,
        profile,
        Some(srtp_replay_protection(64)),
        Some(srtcp_replay_protection(64)),
        crypto,
    );
    Pair { sealer, opener, peer_seals: local.expect("keys"), peer_opens: remote.expect("keys") }
}

const REPORT: [u8; 8] = [0x80, 201, 0, 1, 0, 0, 0, 9];

#[test]
fn the_peer_opens_what_is_sealed_over_two_wraps() {
    for profile in PROFILES {
        let mut pair = pair(profile);
        for index in (1..140_000_u64).step_by(97) {
            let plain = packet(index as u16, 1, &[(1, b"x")], b"payload");
            let mut buffer = b"before".to_vec();
            buffer.extend_from_slice(&plain);
            let header = Header::parse(&plain).expect("well formed");
            let written = Written { header_len: header.len, ssrc: header.ssrc, index };
            pair.sealer.seal_rtp(&mut buffer, 6, &written).expect("sealed");
            let opened = pair.peer_opens.decrypt_rtp(&buffer[6..]).expect("authentic");
            assert_eq!(opened, plain, "{profile:?} {index}");
        }
    }
}

#[test]
fn what_the_peer_seals_is_opened_once() {
    for profile in PROFILES {
        let mut pair = pair(profile);
        for sequence in (65_000..=65_535).chain(0..600_u16) {
            let plain = packet(sequence, 1, &[], b"payload");
            let header = Header::parse(&plain).expect("well formed");
            let sealed = pair.peer_seals.encrypt_rtp(&plain).expect("sealed");
            let mut bytes = sealed.to_vec();
            assert_eq!(pair.opener.open_rtp(&mut bytes, &header), Some(plain.as_slice()));
            let mut replayed = sealed.to_vec();
            assert_eq!(pair.opener.open_rtp(&mut replayed, &header), None, "{profile:?} replayed");
        }
    }
}

#[test]
fn reports_pass_both_ways_and_replays_do_not() {
    for profile in PROFILES {
        let mut pair = pair(profile);
        for _ in 0..3 {
            let mut buffer = REPORT.to_vec();
            pair.sealer.seal_rtcp(&mut buffer, 0).expect("sealed");
            assert_eq!(pair.peer_opens.decrypt_rtcp(&buffer).expect("authentic")[..], REPORT);
        }
        let sealed = pair.peer_seals.encrypt_rtcp(&REPORT).expect("sealed");
        assert_eq!(pair.opener.open_rtcp(&mut sealed.to_vec()), Some(&REPORT[..]));
        assert_eq!(pair.opener.open_rtcp(&mut sealed.to_vec()), None);
    }
}

#[test]
fn forged_and_truncated_packets_are_refused_and_leave_no_trace() {
    for profile in PROFILES {
        let mut pair = pair(profile);
        let plain = packet(5, 1, &[], b"payload");
        let header = Header::parse(&plain).expect("well formed");
        let sealed = pair.peer_seals.encrypt_rtp(&plain).expect("sealed").to_vec();
        let report = pair.peer_seals.encrypt_rtcp(&REPORT).expect("sealed").to_vec();
        for cut in header.len..sealed.len() {
            assert_eq!(pair.opener.open_rtp(&mut sealed[..cut].to_vec(), &header), None);
        }
        for cut in 0..report.len() {
            assert_eq!(pair.opener.open_rtcp(&mut report[..cut].to_vec()), None);
        }
        for at in 0..sealed.len() - header.len {
            let mut forged = sealed.clone();
            forged[header.len + at] ^= 1;
            assert_eq!(pair.opener.open_rtp(&mut forged, &header), None);
        }
        assert!(pair.opener.open_rtp(&mut sealed.clone(), &header).is_some());
        assert!(pair.opener.open_rtcp(&mut report.clone()).is_some());
    }
}

#[test]
fn sources_are_bounded() {
    for profile in PROFILES {
        let mut pair = pair(profile);
        let mut opened = 0;
        for ssrc in 0..2 * MAX_SOURCES as u32 {
            let mut plain = packet(5, 1, &[], b"payload");
            plain[8..12].copy_from_slice(&ssrc.to_be_bytes());
            let header = Header::parse(&plain).expect("well formed");
            let mut sealed = pair.peer_seals.encrypt_rtp(&plain).expect("sealed").to_vec();
            opened += usize::from(pair.opener.open_rtp(&mut sealed, &header).is_some());
        }
        assert_eq!(opened, MAX_SOURCES);
    }
}

use super::*;

fn both() -> [Want; 2] {
    [receive(Audio, &[OPUS]), receive(Video, &[video(VideoCodec::Vp8)])]
}

fn refused(offer: &str) -> NegotiationError {
    answered(offer, &both()).unwrap_err()
}

#[test]
fn sizes_are_checked_before_anything_is_parsed() {
    assert_eq!(refused(&"a".repeat(1 << 20)), NegotiationError::TooLong);
    let many = format!("{PUBLISH}{}", "m=audio 9 UDP/TLS/RTP/SAVPF 0\n".repeat(1000));
    assert_eq!(refused(&many), NegotiationError::TooManyMediaSections);
    let fits = format!("{PUBLISH}{}", "m=audio 0 UDP/TLS/RTP/SAVPF 0\n".repeat(MAX_M_LINES - 2));
    assert_eq!(answered(&fits, &both()).unwrap().sdp.matches("m=").count(), MAX_M_LINES);
}

#[test]
fn what_is_no_sdp_is_refused_with_a_short_reason() {
    for text in ["\u{0}", "hello", "v=0", "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns", "v=0\no=-\ns=-\n"] {
        assert!(matches!(refused(text), NegotiationError::Unreadable(_)), "{text:?}");
    }
    let long = refused(&format!("v=0\n{}", "é".repeat(10_000))).to_string();
    assert!(long.len() < 250, "{long}");
    // Nothing at all has nothing that is wanted.
    assert!(answered("", &both()).is_err());
    assert!(answered("", &[]).is_err());
}

#[test]
fn line_ends_cannot_be_smuggled_into_the_answer() {
    let offer = PUBLISH.replace("a=mid:0", "a=mid:0\ra=ice-lite");
    assert!(matches!(refused(&offer), NegotiationError::Unreadable(_)));
    let crlf = PUBLISH.replace('\n', "\r\n");
    assert!(answered(&crlf, &both()).is_ok());
}

#[test]
fn the_transport_must_be_described() {
    use NegotiationError::{NoFingerprint, NoIceCredentials, NotBundled, WrongSetup};
    let digest = "08:9E:68:33:55:1F:22:7B:B8:1A:01:4E:1E:B1:DC:E3:8E:11:A4:69:DD:B8:12:2D:36:8E:\
                  6B:7F:6B:D7:9A:7A";
    let cases = [
        (without(PUBLISH, "a=fingerprint"), NoFingerprint),
        (PUBLISH.replace("sha-256", "sha-1"), NoFingerprint),
        (PUBLISH.replace(digest, &digest[3..]), NoFingerprint),
        (PUBLISH.replace(digest, &format!("{digest}:00")), NoFingerprint),
        (PUBLISH.replace(digest, &digest.replace("08", "+8")), NoFingerprint),
        (without(PUBLISH, "a=ice-ufrag"), NoIceCredentials),
        (without(PUBLISH, "a=ice-pwd"), NoIceCredentials),
        (PUBLISH.replace("ice-ufrag:bKSb", "ice-ufrag:bKS"), NoIceCredentials),
        (PUBLISH.replace("ice-ufrag:bKSb", "ice-ufrag:b:Sb"), NoIceCredentials),
        (PUBLISH.replace("yrWRQik2", &"x".repeat(300)), NoIceCredentials),
        (PUBLISH.replace("yrWRQik2", ""), NoIceCredentials),
        (PUBLISH.replace("setup:actpass", "setup:passive"), WrongSetup),
        (PUBLISH.replace("setup:actpass", "setup:holdconn"), WrongSetup),
        (without(PUBLISH, "a=rtcp-mux"), NotBundled),
        (PUBLISH.replace("BUNDLE 0 1", "BUNDLE 0"), NotBundled),
        (PUBLISH.replace("BUNDLE 0 1", "LS 0 1"), NotBundled),
    ];
    for (offer, error) in cases {
        assert_eq!(refused(&offer), error);
    }
}

#[test]
fn the_transport_may_be_described_once_or_for_the_session() {
    let once = |offer: &str, key: &str| {
        let line = offer.lines().find(|line| line.starts_with(key)).unwrap();
        without(offer, key).replace("m=audio", &format!("{line}\nm=audio"))
    };
    let session = ["a=fingerprint", "a=ice-ufrag", "a=ice-pwd", "a=setup"]
        .iter()
        .fold(PUBLISH.to_owned(), |offer, key| once(&offer, key));
    assert!(answered(&session, &both()).is_ok());
    let upper = PUBLISH.replace("sha-256 08:9E", "SHA-256 08:9e");
    assert!(answered(&upper, &both()).is_ok());
    let sha1_too = PUBLISH.replace("a=fingerprint", "a=fingerprint:sha-1 00:11\na=fingerprint");
    assert!(answered(&sha1_too, &both()).is_ok());
    assert!(answered(&PUBLISH.replace("setup:actpass", "setup:active"), &both()).is_ok());
    assert!(answered(&without(PUBLISH, "a=setup"), &both()).is_ok());
}

#[test]
fn ambiguous_names_are_refused() {
    let cases = [
        PUBLISH.replace("a=mid:1", "a=mid:0"),
        PUBLISH.replace("a=mid:1", "a=mid:1 2"),
        PUBLISH.replace("a=mid:1", "a=mid:"),
        PUBLISH.replace("a=mid:1", &format!("a=mid:{}", "1".repeat(100))),
        // One payload type for opus and VP8.
        PUBLISH.replace("SAVPF 96 ", "SAVPF 111 ").replace("rtpmap:96 ", "rtpmap:111 "),
    ];
    for offer in cases {
        assert!(matches!(refused(&offer), NegotiationError::Unreadable(_)), "{offer}");
    }
}

#[test]
fn payload_types_that_are_none_are_passed_over() {
    let odd = PUBLISH.replace("SAVPF 96 97 ", "SAVPF vp8 -1 300 72 96 96 97 96 ").replace(
        "a=rtpmap:96 VP8/90000",
        "a=rtpmap:72 VP8/90000\na=rtpmap:96 VP8/90000\na=rtpmap:96 H264/90000\na=rtpmap:x y",
    );
    let track = &answered(&odd, &both()).unwrap().tracks[1];
    assert_eq!((track.payload_type, track.rtx_payload_type), (96, Some(97)));
    let nonsense = PUBLISH.replace("rtpmap:96 VP8/90000", "rtpmap:96 VP8");
    assert_eq!(refused(&nonsense), NegotiationError::NoCodec(Video));
}

#[test]
fn extension_numbers_beyond_the_one_byte_form_are_not_used() {
    let offer = PUBLISH
        .replace("extmap:2 ", "extmap:15 ")
        .replace("extmap:13 ", "extmap:0 ")
        .replace("extmap:10 ", "extmap:4 ")
        .replace("extmap:11 ", "extmap:11/sendonly ");
    let extensions = answered(&offer, &both()).unwrap().tracks[1].extensions;
    let expected = ExtensionIds { mid: Some(4), repaired_rid: Some(11), ..Default::default() };
    assert_eq!(extensions, expected);
}

#[test]
fn other_protocols_are_rejected_line_by_line() {
    let offer = format!("{PUBLISH}m=audio 9 MAGIC/9 x\na=mid:2\nm=image 9 UDP/TLS/RTP/SAVPF 9\n");
    let sdp = answered(&offer, &both()).unwrap().sdp;
    assert_eq!(section(&sdp, 2)[0], "m=audio 0 MAGIC/9 x");
    assert_eq!(section(&sdp, 3)[0], "m=image 0 UDP/TLS/RTP/SAVPF 9");
    assert!(answered(&PUBLISH.replace("UDP/TLS/RTP/SAVPF", "RTP/SAVPF"), &both()).is_ok());
    let other = PUBLISH.replace("UDP/TLS/RTP/SAVPF", "UDP/BFCP");
    assert_eq!(refused(&other), NegotiationError::Missing { kind: Audio, want: 0 });
}

#[test]
fn layers_are_bounded() {
    let ids = (0..100).map(|id| format!("r{id}")).collect::<Vec<_>>();
    let rids = ids.iter().map(|id| format!("a=rid:{id} send\n")).collect::<String>();
    let offer = SIMULCAST.replace(
        "a=simulcast:send q;h;f\n",
        &format!("a=simulcast:send {}\n{rids}", ids.join(";")),
    );
    let agreement = answered(&offer, &[receive(Video, &[video(VideoCodec::Vp8)])]).unwrap();
    assert_eq!(agreement.tracks[0].rids.len(), 4);
}

#[test]
fn truncation_at_every_byte_is_survived() {
    for offer in [PUBLISH, SUBSCRIBE, SIMULCAST] {
        for end in (0..offer.len()).filter(|end| offer.is_char_boundary(*end)) {
            let _ = answered(&offer[..end], &both());
            let _ = answered(&offer[..end], &[]);
        }
    }
}

/// Overwrites a few bytes, cuts and doubles a few lines, 6 000 times over, from a fixed seed.
#[test]
fn damage_is_survived_and_never_echoed_as_a_new_line() {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let wants = [
        both().to_vec(),
        vec![receive(Video, &[video(VideoCodec::Vp9), video(VideoCodec::H264)])],
        vec![send(Audio, OPUS, ""), send(Video, h264(H264Profile::Main), "profile-level-id=4d00")],
    ];
    let mut accepted = 0;
    for _ in 0..6_000 {
        let which = dice.below(3);
        let offer = [PUBLISH, SIMULCAST, SUBSCRIBE][which];
        let text = dice.damage(offer);
        if let Ok(agreement) = answered(&text, &wants[which]) {
            accepted += 1;
            assert_eq!(agreement.tracks.len(), wants[which].len());
            for line in agreement.sdp.split_terminator("\r\n") {
                assert!(!line.contains(char::is_control), "{line:?}");
                assert_eq!(line.as_bytes()[1], b'=', "{line:?}");
            }
        }
    }
    assert!(accepted > 300, "the damage is too great to test anything: {accepted}");
}

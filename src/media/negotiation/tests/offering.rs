//! Offers of this end, and answers to them: good, bad and hostile.

use super::*;

/// Chromium's answer to the offer of [`view`].
const CHROMIUM: &str = include_str!("offers/chromium-156-answer.sdp");
const UFRAG: &str = "QamO";

const SOUND: &str = "minptime=10;useinbandfec=1";

fn both() -> [Want; 2] {
    [send(Audio, OPUS, SOUND), send(Video, video(VideoCodec::Vp8), "")]
}

fn offered(wants: &[Want]) -> String {
    at_home(|local| offer(local, wants))
}

/// What a client answers that takes everything.
fn answer_to(offer: &str) -> String {
    let credentials = format!(
        "a=ice-ufrag:peer\r\na=ice-pwd:a-password-of-the-client\r\n\
         a=fingerprint:sha-256 {FINGERPRINT}"
    );
    let ours = ["a=ice-lite", "a=candidate", "a=end-of", "a=ssrc", "a=msid", "a=ice-", "a=finger"];
    let lines = offer.lines().filter(|line| !ours.iter().any(|prefix| line.starts_with(prefix)));
    let lines = lines.map(|line| match line {
        "a=setup:actpass" => format!("{credentials}\r\na=setup:active\r\n"),
        "a=sendonly" => "a=recvonly\r\n".to_owned(),
        line => format!("{line}\r\n"),
    });
    lines.collect()
}

fn accepted(edit: impl Fn(String) -> String) -> Result<[Option<AgreedTrack>; 2], NegotiationError> {
    let wants = both();
    let answer = edit(answer_to(&offered(&wants)));
    Ok(accept(&answer, &wants)?.tracks.try_into().expect("one per want"))
}

fn refused(edit: impl Fn(String) -> String) -> NegotiationError {
    accepted(edit).expect_err("a bad answer")
}

/// A sound, and a view in every codec that a mixer may encode.
fn view() -> [Want; 2] {
    use VideoCodec::{Av1, Vp8, Vp9};
    let codecs = [h264(H264Profile::ConstrainedBaseline), video(Vp8), video(Vp9), video(Av1)];
    let codecs = codecs.into_iter().map(AgreedCodec::usual);
    [send(Audio, OPUS, SOUND), one_of(Video, codecs.collect())]
}

/// The video m-line of an answer, changed.
fn in_video(answer: &str, edit: impl Fn(&str) -> String) -> String {
    let at = answer.find("m=video").expect("video was offered");
    format!("{}{}", &answer[..at], edit(&answer[at..]))
}

#[test]
fn an_offer_has_all_that_the_client_needs() {
    let sdp = offered(&both());
    let head: Vec<&str> = sdp.lines().take_while(|line| !line.starts_with("m=")).collect();
    assert_eq!(
        head,
        [
            "v=0",
            "o=- 0 0 IN IP4 127.0.0.1",
            "s=-",
            "t=0 0",
            "a=group:BUNDLE 0 1",
            "a=ice-lite",
            "a=msid-semantic:WMS *",
        ]
    );
    assert_eq!(
        section(&sdp, 0)[12..],
        [
            "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level",
            "a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
            "a=sendonly",
            "a=rtpmap:96 opus/48000/2",
            "a=fmtp:96 minptime=10;useinbandfec=1",
            "a=msid:label a0",
            "a=ssrc:1000 cname:portico",
            "a=ssrc:1000 msid:label a0",
        ]
    );
    assert_eq!(
        section(&sdp, 1),
        [
            "m=video 7000 UDP/TLS/RTP/SAVPF 97 98",
            "c=IN IP4 192.0.2.7",
            "a=mid:1",
            "a=ice-ufrag:serv",
            "a=ice-pwd:a-password-of-the-server",
            &format!("a=fingerprint:sha-256 {FINGERPRINT}"),
            "a=setup:actpass",
            "a=rtcp-mux",
            "a=rtcp-rsize",
            "a=candidate:1 1 udp 2130706431 192.0.2.7 7000 typ host",
            "a=candidate:2 1 udp 2130706175 2001:db8::7 7001 typ host",
            "a=end-of-candidates",
            "a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
            "a=extmap:3 urn:3gpp:video-orientation",
            "a=sendonly",
            "a=rtpmap:97 VP8/90000",
            "a=rtcp-fb:97 ccm fir",
            "a=rtcp-fb:97 nack",
            "a=rtcp-fb:97 nack pli",
            "a=rtpmap:98 rtx/90000",
            "a=fmtp:98 apt=97",
            "a=msid:label v0",
            "a=ssrc-group:FID 2000 2001",
            "a=ssrc:2000 cname:portico",
            "a=ssrc:2000 msid:label v0",
            "a=ssrc:2001 cname:portico",
            "a=ssrc:2001 msid:label v0",
        ]
    );
}

#[test]
fn it_names_the_publishers_codec_and_parameters() {
    let fmtp = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f";
    let sdp = offered(&[send(Video, h264(H264Profile::Baseline), fmtp)]);
    assert!(sdp.contains("m=video 7000 UDP/TLS/RTP/SAVPF 96 97\r\n"), "{sdp}");
    assert!(sdp.contains(&format!("a=rtpmap:96 H264/90000\r\na=fmtp:96 {fmtp}\r\n")), "{sdp}");
    for (format, expected) in [
        (AudioFormat::PCMU, "m=audio 7000 UDP/TLS/RTP/SAVPF 0\r\n"),
        (AudioFormat::PCMA, "m=audio 7000 UDP/TLS/RTP/SAVPF 8\r\n"),
        (AudioFormat::G722, "m=audio 7000 UDP/TLS/RTP/SAVPF 9\r\n"),
    ] {
        let codec = AgreedCodec::usual(Codec::Audio(format));
        let sdp = offered(&[one_of(Audio, vec![codec])]);
        assert!(sdp.contains(expected) && sdp.contains("/8000\r\n"), "{sdp}");
    }
}

fn one_of(kind: TrackKind, sources: Vec<AgreedCodec>) -> Want {
    let flow = Flow::Send { sources, ssrc: 1, rtx_ssrc: 2, stream_label: "label".into() };
    Want { kind, mid: None, flow }
}

#[test]
fn of_several_codecs_the_first_that_the_client_keeps_is_sent() {
    use VideoCodec::{Vp8, Vp9};
    let codecs = [video(Vp9), h264(H264Profile::ConstrainedBaseline), video(Vp8)];
    let wants = [one_of(Video, codecs.into_iter().map(AgreedCodec::usual).collect())];
    let answer = answer_to(&offered(&wants));
    assert!(answer.contains("SAVPF 96 97 98 99 100 101\r\n"), "{answer}");
    let chosen = |answer: &str| {
        let track = accept(answer, &wants)?.tracks.remove(0).expect("kept");
        Ok((track.codec.codec, track.payload_type, track.rtx_payload_type))
    };
    assert_eq!(chosen(&answer), Ok((codecs[0], 96, Some(97))));
    let without_first = answer.replace("SAVPF 96 97 98", "SAVPF 98");
    assert_eq!(chosen(&without_first), Ok((codecs[1], 98, Some(99))));
    // The order of the answer is not asked for, so that many clients share one encoder.
    let reversed = answer.replace("96 97 98 99 100 101", "100 98 96");
    assert_eq!(chosen(&reversed), Ok((codecs[0], 96, None)));
    let none = answer.replace("SAVPF 96 97 98 99 100 101", "SAVPF 97");
    assert_eq!(chosen(&none), Err(NegotiationError::NoCodec(Video)));
}

/// Chromium's own answer to this offer.
#[test]
fn chromium_takes_everything_in_one_transport() {
    let acceptance = accept(CHROMIUM, &view()).expect("a good answer");
    assert_eq!((&*acceptance.remote_ufrag, acceptance.peer_role), (UFRAG, DtlsRole::Client));
    let [audio, video] = acceptance.tracks.try_into().expect("two tracks");
    let (audio, video) = (audio.expect("sound"), video.expect("a picture"));
    assert_eq!((audio.payload_type, audio.extensions.audio_level), (96, Some(1)));
    assert_eq!((video.payload_type, video.rtx_payload_type), (97, Some(98)));
    assert_eq!(video.codec.codec, h264(H264Profile::ConstrainedBaseline));
    assert!(video.feedback.nack && video.feedback.pli && video.feedback.fir);
    let other = [send(Audio, OPUS, SOUND), send(Video, super::video(VideoCodec::Vp8), "")];
    let refusal = accept(CHROMIUM, &other).map(|it| it.tracks.len());
    assert_eq!(refusal, Err(NegotiationError::UnknownPayloadType(Video)), "not to this offer");
}

#[test]
fn payload_types_do_not_run_out() {
    let codec = AgreedCodec::usual(video(VideoCodec::Vp8));
    let sdp = offered(&[one_of(Video, vec![codec; 50])]);
    let numbers: Vec<u8> = (96..=127).collect();
    let listed = numbers.iter().map(|number| format!(" {number}")).collect::<String>();
    assert!(sdp.contains(&format!("SAVPF{listed}\r\n")), "{sdp}");
}

#[test]
fn a_publishers_parameters_are_passed_on_within_bounds() {
    let long = format!("profile-id=0;{}", "x=y;".repeat(10_000));
    let sdp = offered(&[send(Video, video(VideoCodec::Vp9), &long)]);
    let line = sdp.lines().find(|line| line.starts_with("a=fmtp:96")).expect("parameters");
    assert!(line.starts_with("a=fmtp:96 profile-id=0;x=y;") && line.ends_with("x=y"), "{line}");
    assert!(line.len() < 1100, "{} bytes", line.len());
    let endless = offered(&[send(Video, video(VideoCodec::Vp9), &"é".repeat(1000))]);
    assert!(!endless.contains("a=fmtp:96 "), "{endless}");
}

#[test]
fn an_answer_that_takes_everything_gets_everything() {
    let [audio, video] = accepted(|answer| answer).expect("a good answer").map(Option::unwrap);
    assert_eq!((audio.payload_type, audio.rtx_payload_type), (96, None));
    assert_eq!(audio.feedback, Feedback::default());
    assert_eq!((audio.extensions.audio_level, audio.extensions.abs_send_time), (Some(1), Some(2)));
    assert_eq!((&*audio.mid, &*audio.codec.fmtp), ("0", SOUND));
    assert_eq!((video.payload_type, video.rtx_payload_type), (97, Some(98)));
    let feedback = Feedback { nack: true, pli: true, fir: true, remb: false };
    assert_eq!(video.feedback, feedback);
    assert_eq!(video.extensions.video_orientation, Some(3));
    let wants = both();
    let acceptance = accept(&answer_to(&offered(&wants)), &wants).expect("good");
    assert_eq!(&*acceptance.remote_ufrag, "peer");
    assert_eq!(&*acceptance.remote_password, "a-password-of-the-client");
    assert_eq!(acceptance.remote_fingerprint[..3], [0x00, 0x11, 0x22]);
}

#[test]
fn what_an_answer_leaves_out_is_not_used() {
    let video = |edit: fn(String) -> String| {
        accepted(edit).expect("a good answer")[1].clone().expect("a picture")
    };
    assert_eq!(video(|it| without(&it, "a=rtcp-fb:97 nack")).rtx_payload_type, None);
    assert_eq!(video(|it| it.replace("SAVPF 97 98", "SAVPF 97")).rtx_payload_type, None);
    assert_eq!(video(|it| it.replace("apt=97", "apt=99")).rtx_payload_type, None);
    assert!(!video(|it| without(&it, "a=rtcp-fb:97 ccm fir")).feedback.fir);
    let more = video(|it| it.replace("a=rtcp-fb:97 nack pli", "a=rtcp-fb:* goog-remb"));
    assert!(!more.feedback.remb && !more.feedback.pli);
    let extensions = video(|it| it.replace("extmap:2 http", "extmap:7 http")).extensions;
    assert_eq!((extensions.abs_send_time, extensions.video_orientation), (None, Some(3)));
    let strange = video(|it| {
        it.replace(
            "a=extmap:3 ",
            "a=extmap:4 urn:ietf:params:rtp-hdrext:\
        sdes:mid\r\na=extmap:3 ",
        )
    });
    assert_eq!(strange.extensions.mid, None);
}

#[test]
fn a_track_may_be_rejected_or_left_inactive_but_not_all() {
    let reject = |answer: String| answer.replace("m=video 7000", "m=video 0");
    let [audio, video] = accepted(reject).expect("sound is enough");
    assert!(audio.is_some() && video.is_none());
    let first = |answer: String| {
        answer.replace("m=audio 7000", "m=audio 0").replace("BUNDLE 0 1", "BUNDLE 1")
    };
    let [audio, video] = accepted(first).expect("a picture is enough");
    assert!(audio.is_none() && video.is_some());
    let nameless = |answer: String| without(&reject(answer), "a=mid:1");
    assert!(accepted(nameless).expect("sound is enough")[1].is_none());
    let idle =
        |answer: String| in_video(&answer, |video| video.replace("a=recvonly", "a=inactive"));
    assert!(accepted(idle).expect("sound is enough")[1].is_none());
    let nothing = |answer: String| first(reject(answer));
    assert_eq!(refused(nothing), NegotiationError::NothingAccepted);
    let all_idle = |answer: String| answer.replace("a=recvonly", "a=inactive");
    assert_eq!(refused(all_idle), NegotiationError::NothingAccepted);
    let bundle_only =
        |answer: String| reject(answer).replace("a=mid:1", "a=mid:1\r\na=bundle-only");
    assert!(accepted(bundle_only).expect("sound is enough")[1].is_none());
}

#[test]
fn an_answer_must_fit_the_offer() {
    use NegotiationError::{Mismatch, NoCodec, Sends, UnknownPayloadType};
    type Edit = fn(String) -> String;
    let cases: [(Edit, NegotiationError); 15] = [
        (|it| format!("{it}m=audio 0 UDP/TLS/RTP/SAVPF 0\r\n"), Mismatch),
        (|it| it[..it.find("m=video").expect("a picture")].to_owned(), Mismatch),
        (|it| it.replace("a=mid:1", "a=mid:2"), Mismatch),
        (|it| it.replace("m=video", "m=application"), Mismatch),
        (|it| it.replace("m=audio", "m=video"), Mismatch),
        (|it| it.replace("a=mid:0", "a=mid:x").replace("a=mid:1", "a=mid:0"), Mismatch),
        (|it| it.replace("a=recvonly", "a=sendonly"), Sends(Audio)),
        (|it| in_video(&it, |video| video.replace("a=recvonly", "a=sendrecv")), Sends(Video)),
        (|it| without(&it, "a=recvonly"), Sends(Audio)),
        (|it| it.replace("SAVPF 97 98", "SAVPF 97 98 99"), UnknownPayloadType(Video)),
        (|it| it.replace("SAVPF 97 98", "SAVPF 96"), UnknownPayloadType(Video)),
        (|it| it.replace("SAVPF 97 98", "SAVPF VP8"), UnknownPayloadType(Video)),
        (|it| it.replace("rtpmap:97 VP8", "rtpmap:97 VP9"), NoCodec(Video)),
        (|it| without(&it, "a=rtpmap:97"), NoCodec(Video)),
        (|it| it.replace("opus/48000/2", "opus/48000"), NoCodec(Audio)),
    ];
    for (number, (edit, error)) in cases.into_iter().enumerate() {
        assert_eq!(refused(edit), error, "case {number}");
    }
}

#[test]
fn an_h264_answer_keeps_the_mode_and_profile() {
    let fmtp = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f";
    let wants = [send(Video, h264(H264Profile::ConstrainedBaseline), fmtp)];
    let answer = answer_to(&offered(&wants));
    let of = |id: &str| accept(&answer.replace("profile-level-id=42e01f", id), &wants);
    // Only the level differs, or the profile contains the other.
    assert!(of("profile-level-id=42e034").is_ok() && of("profile-level-id=64001f").is_ok());
    assert!(of("profile-level-id=nonsense").is_err());
    let mode_0 = answer.replace("packetization-mode=1", "packetization-mode=0");
    let refusal = accept(&mode_0, &wants).map(|it| it.tracks.len());
    assert_eq!(refusal, Err(NegotiationError::NoCodec(Video)));
}

#[test]
fn an_answer_must_describe_its_transport() {
    use NegotiationError::{NoFingerprint, NoIceCredentials, NoRole, NotBundled};
    type Edit = fn(String) -> String;
    let cases: [(Edit, NegotiationError); 10] = [
        (|it| it.replace("setup:active", "setup:holdconn"), NoRole),
        (|it| it.replace("setup:active", "setup:actpass"), NoRole),
        (|it| without(&it, "a=setup"), NoRole),
        (|it| without(&it, "a=fingerprint"), NoFingerprint),
        (|it| it.replace("sha-256", "sha-1"), NoFingerprint),
        (|it| without(&it, "a=ice-ufrag"), NoIceCredentials),
        (|it| it.replace("a-password-of-the-client", "short"), NoIceCredentials),
        (|it| without(&it, "a=group"), NotBundled),
        (|it| it.replace("BUNDLE 0 1", "BUNDLE 0"), NotBundled),
        (|it| without(&it, "a=rtcp-mux"), NotBundled),
    ];
    for (number, (edit, error)) in cases.into_iter().enumerate() {
        assert_eq!(refused(edit), error, "case {number}");
    }
}

#[test]
fn the_client_chooses_its_role() {
    let wants = both();
    let answer = answer_to(&offered(&wants));
    assert_eq!(accept(&answer, &wants).expect("good").peer_role, DtlsRole::Client);
    let passive = answer.replace("setup:active", "setup:passive");
    assert_eq!(accept(&passive, &wants).expect("good").peer_role, DtlsRole::Server);
}

#[test]
fn what_is_no_answer_is_refused() {
    let wants = both();
    let offer = offered(&wants);
    assert!(accept(&offer, &wants).is_err(), "the offer itself");
    for text in ["", "v=0", "hello", "\u{0}", &"a".repeat(1 << 20)] {
        assert!(accept(text, &wants).is_err());
    }
    let answer = answer_to(&offer);
    for end in 0..answer.len() {
        let _ = accept(&answer[..end], &wants);
    }
    let many = format!("{answer}{}", "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n".repeat(1000));
    let refusal = accept(&many, &wants).map(|it| it.tracks.len());
    assert_eq!(refusal, Err(NegotiationError::TooManyMediaSections));
}

/// Cuts, doubles and overwrites lines, 3 000 times over, from a fixed seed.
#[test]
fn damage_is_survived_and_agrees_on_nothing_that_was_not_offered() {
    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    let wants = both();
    let answer = answer_to(&offered(&wants));
    let mut kept = 0;
    for _ in 0..3_000 {
        let text = dice.damage(&answer);
        let Ok(acceptance) = accept(&text, &wants) else { continue };
        kept += 1;
        for (track, expected) in acceptance.tracks.iter().zip([(96, None), (97, Some(98))]) {
            let Some(track) = track else { continue };
            assert_eq!(track.payload_type, expected.0);
            assert!(track.rtx_payload_type.is_none() || track.rtx_payload_type == expected.1);
        }
    }
    assert!(kept > 300, "the damage is too great to test anything: {kept}");
}

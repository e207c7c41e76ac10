use std::sync::Arc;

use super::*;

#[test]
fn the_answer_is_complete() {
    let agreement =
        answered(PUBLISH, &[receive(Audio, &[OPUS]), receive(Video, &[video(VideoCodec::Vp8)])])
            .unwrap();
    let expected = format!(
        "v=0\n\
         o=- 0 0 IN IP4 127.0.0.1\n\
         s=-\n\
         t=0 0\n\
         a=group:BUNDLE 0 1\n\
         a=ice-lite\n\
         a=msid-semantic:WMS *\n\
         m=audio 7000 UDP/TLS/RTP/SAVPF 111\n\
         c=IN IP4 192.0.2.7\n\
         a=mid:0\n\
         a=ice-ufrag:serv\n\
         a=ice-pwd:a-password-of-the-server\n\
         a=fingerprint:sha-256 {FINGERPRINT}\n\
         a=setup:passive\n\
         a=rtcp-mux\n\
         a=rtcp-rsize\n\
         a=candidate:1 1 udp 2130706431 192.0.2.7 7000 typ host\n\
         a=candidate:2 1 udp 2130706175 2001:db8::7 7001 typ host\n\
         a=end-of-candidates\n\
         a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\n\
         a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\n\
         a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\n\
         a=recvonly\n\
         a=rtpmap:111 opus/48000/2\n\
         a=fmtp:111 minptime=10;useinbandfec=1\n\
         m=video 7000 UDP/TLS/RTP/SAVPF 96 97\n\
         c=IN IP4 192.0.2.7\n\
         a=mid:1\n\
         a=ice-ufrag:serv\n\
         a=ice-pwd:a-password-of-the-server\n\
         a=fingerprint:sha-256 {FINGERPRINT}\n\
         a=setup:passive\n\
         a=rtcp-mux\n\
         a=rtcp-rsize\n\
         a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\n\
         a=extmap:13 urn:3gpp:video-orientation\n\
         a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\n\
         a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\n\
         a=extmap:11 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id\n\
         a=recvonly\n\
         a=rtpmap:96 VP8/90000\n\
         a=rtcp-fb:96 goog-remb\n\
         a=rtcp-fb:96 ccm fir\n\
         a=rtcp-fb:96 nack\n\
         a=rtcp-fb:96 nack pli\n\
         a=rtpmap:97 rtx/90000\n\
         a=fmtp:97 apt=96\n"
    );
    assert_eq!(agreement.sdp, expected.replace('\n', "\r\n"));
}

#[test]
fn the_agreement_tells_the_session_what_it_needs() {
    let agreement =
        answered(PUBLISH, &[receive(Video, &[video(VideoCodec::Vp8)]), receive(Audio, &[OPUS])])
            .unwrap();
    assert_eq!(&*agreement.remote_ufrag, "bKSb");
    assert_eq!(&*agreement.remote_password, "yrWRQik27BjRY/YSMaxl1h9n");
    assert_eq!(agreement.remote_fingerprint[..4], [0x08, 0x9e, 0x68, 0x33]);
    let [video, audio] = agreement.tracks.as_slice() else { panic!("two tracks") };
    assert_eq!((video.kind, &*video.mid), (Video, "1"));
    assert_eq!((video.payload_type, video.rtx_payload_type), (96, Some(97)));
    assert_eq!(video.feedback, Feedback { nack: true, pli: true, fir: true, remb: true });
    assert_eq!(
        (video.remote_ssrc, video.remote_rtx_ssrc),
        (Some(3_848_273_643), Some(1_430_532_314))
    );
    assert_eq!((audio.kind, &*audio.mid, audio.payload_type), (Audio, "0", 111));
    assert_eq!((audio.codec.codec, audio.codec.clock_rate), (OPUS, 48_000));
    assert_eq!(&*audio.codec.fmtp, "minptime=10;useinbandfec=1");
    assert_eq!(audio.feedback, Feedback::default());
    assert_eq!((audio.remote_ssrc, audio.remote_rtx_ssrc), (Some(3_943_737_567), None));
    assert_eq!(audio.extensions.audio_level, Some(1));
    assert_eq!(audio.extensions.video_orientation, None);
}

#[test]
fn the_client_orders_what_the_room_takes() {
    let taken = |formats: &[Codec]| {
        let wants = [receive(Audio, &[OPUS]), receive(Video, formats)];
        answered(PUBLISH, &wants).map(|agreement| agreement.tracks[1].payload_type)
    };
    use VideoCodec::{Av1, Vp8, Vp9};
    assert_eq!(taken(&[video(Av1), video(Vp9), video(Vp8)]), Ok(96));
    assert_eq!(taken(&[video(Vp9), video(Av1)]), Ok(45));
    assert_eq!(taken(&[video(Vp9)]), Ok(98));
    // Any profile, then one that only a lower or equal profile satisfies.
    assert_eq!(taken(&[video(VideoCodec::H264)]), Ok(102));
    assert_eq!(taken(&[h264(H264Profile::ConstrainedBaseline)]), Ok(108));
    assert_eq!(taken(&[h264(H264Profile::High)]), Ok(102));
    assert_eq!(taken(&[video(VideoCodec::H265)]), Err(NegotiationError::NoCodec(Video)));
    assert_eq!(taken(&[]).unwrap_err().to_string(), "No proper video codec");
}

#[test]
fn packetization_mode_1_is_preferred_within_a_profile() {
    let offer = PUBLISH.replace("96 97 102 103 104 107", "104 107 102 103 96 97");
    let wants = [receive(Audio, &[OPUS]), receive(Video, &[video(VideoCodec::H264)])];
    assert_eq!(answered(&offer, &wants).unwrap().tracks[1].payload_type, 102);
    let only_mode_0 = without(&offer, "a=rtpmap:102");
    assert_eq!(answered(&only_mode_0, &wants).unwrap().tracks[1].payload_type, 104);
}

#[test]
fn tracks_that_do_not_match_the_announcement_are_refused_in_the_words_of_owt() {
    let audio = receive(Audio, &[OPUS]);
    let video = receive(Video, &[video(VideoCodec::Vp8)]);
    let refusal = |offer: &str, wants: &[Want]| answered(offer, wants).unwrap_err().to_string();
    assert_eq!(
        refusal(PUBLISH, std::slice::from_ref(&audio)),
        "video is not required but contained by offer sdp"
    );
    assert_eq!(
        refusal(SIMULCAST, &[audio.clone(), video.clone()]),
        "audio is required but not contained by offer sdp"
    );
    // The right kind but the wrong direction.
    assert_eq!(
        refusal(SUBSCRIBE, &[audio.clone(), video.clone()]),
        "audio is required but not contained by offer sdp"
    );
    // Named m-lines.
    let both =
        |audio_mid, video_mid| [named(audio_mid, audio.clone()), named(video_mid, video.clone())];
    assert!(answered(PUBLISH, &both("0", "1")).is_ok());
    let missing = |kind, want| NegotiationError::Missing { kind, want };
    assert_eq!(answered(PUBLISH, &both("1", "0")).unwrap_err(), missing(Audio, 0));
    assert_eq!(answered(PUBLISH, &both("0", "7")).unwrap_err(), missing(Video, 1));
}

#[test]
fn m_lines_without_media_are_kept_and_refused_ones_rejected() {
    let inactive = PUBLISH.replacen("a=sendonly", "a=inactive", 1);
    let wants = [receive(Video, &[video(VideoCodec::Vp8)])];
    let agreement = answered(&inactive, &wants).unwrap();
    let audio = section(&agreement.sdp, 0);
    assert_eq!(audio[0], "m=audio 7000 UDP/TLS/RTP/SAVPF 111");
    assert!(audio.contains(&"a=inactive"));
    assert!(agreement.sdp.contains("a=group:BUNDLE 0 1\r\n"));

    let refused = PUBLISH.replace("m=audio 44484", "m=audio 0");
    let agreement = answered(&refused, &wants).unwrap();
    assert_eq!(
        section(&agreement.sdp, 0),
        [
            "m=audio 0 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126",
            "c=IN IP4 0.0.0.0",
            "a=mid:0",
            "a=inactive"
        ]
    );
    assert!(agreement.sdp.contains("a=group:BUNDLE 1\r\n"));
}

#[test]
fn a_bundle_only_m_line_is_offered_although_its_port_is_0() {
    let offer =
        PUBLISH.replace("m=video 9", "m=video 0").replace("a=mid:1\n", "a=mid:1\na=bundle-only\n");
    let wants = [receive(Audio, &[OPUS]), receive(Video, &[video(VideoCodec::Vp8)])];
    assert_eq!(answered(&offer, &wants).unwrap().tracks.len(), 2);
}

#[test]
fn simulcast_layers_are_taken_and_the_data_channel_is_not() {
    let wants = [receive(Video, &[video(VideoCodec::Vp8)])];
    let agreement = answered(SIMULCAST, &wants).unwrap();
    let rids = agreement.tracks[0].rids.iter().map(|rid| &**rid).collect::<Vec<_>>();
    assert_eq!(rids, ["q", "h", "f"]);
    assert_eq!(agreement.tracks[0].remote_ssrc, None);
    assert!(agreement.sdp.contains("a=group:BUNDLE 0\r\n"));
    let video = section(&agreement.sdp, 0);
    for line in ["a=rid:q recv", "a=rid:h recv", "a=rid:f recv", "a=simulcast:recv q;h;f"] {
        assert!(video.contains(&line), "{line} in {video:?}");
    }
    let data = section(&agreement.sdp, 1);
    assert_eq!(data[0], "m=application 0 UDP/DTLS/SCTP webrtc-datachannel");
    assert!(data.contains(&"a=mid:1"));
}

#[test]
fn layers_keep_their_restrictions_and_must_allow_the_codec() {
    let offer = SIMULCAST
        .replace("a=rid:h send", "a=rid:h send pt=96,98;max-width=640")
        .replace("a=rid:q send", "a=rid:q send pt=98")
        .replace("send q;h;f", "send q;~h,f;f;f;missing");
    let agreement = answered(&offer, &[receive(Video, &[video(VideoCodec::Vp8)])]).unwrap();
    assert!(agreement.sdp.contains("a=rid:h recv pt=96,98;max-width=640\r\na=rid:f recv\r\n"));
    assert!(agreement.sdp.contains("a=simulcast:recv h;f\r\n"));
}

#[test]
fn retransmission_needs_nack() {
    let offer = PUBLISH.replace("a=rtcp-fb:96 nack\n", "");
    let wants = [receive(Audio, &[OPUS]), receive(Video, &[video(VideoCodec::Vp8)])];
    let track = &answered(&offer, &wants).unwrap().tracks[1];
    assert_eq!(track.rtx_payload_type, None);
    assert!(track.feedback.pli && !track.feedback.nack);
}

#[test]
fn static_payload_types_need_no_map() {
    let offer = without(&without(PUBLISH, "a=rtpmap:0 "), "a=rtpmap:9 ");
    let taken = |format| {
        let wants =
            [receive(Audio, &[Codec::Audio(format)]), receive(Video, &[video(VideoCodec::Vp8)])];
        answered(&offer, &wants).map(|agreement| agreement.tracks[0].payload_type)
    };
    assert_eq!(taken(AudioFormat::PCMU), Ok(0));
    assert_eq!(taken(AudioFormat::PCMA), Ok(8));
    assert_eq!(taken(AudioFormat::G722), Ok(9));
}

#[test]
fn a_stereo_publisher_is_asked_for_stereo() {
    let offer = PUBLISH.replace(
        "minptime=10;useinbandfec=1",
        "sprop-stereo=1;stereo=1;sprop-maxcapturerate=48000;usedtx=1",
    );
    let wants = [receive(Audio, &[OPUS]), receive(Video, &[video(VideoCodec::Vp8)])];
    let agreement = answered(&offer, &wants).unwrap();
    assert!(agreement.sdp.contains("a=fmtp:111 stereo=1;usedtx=1;useinbandfec=1\r\n"));
}

#[test]
fn one_m_line_needs_neither_bundle_nor_mid() {
    let offer = without(&without(PUBLISH, "a=group"), "a=mid");
    let audio = offer.split("m=video").next().unwrap();
    let agreement = answered(audio, &[receive(Audio, &[OPUS])]).unwrap();
    assert_eq!(&*agreement.tracks[0].mid, "");
    assert!(!agreement.sdp.contains("BUNDLE") && !agreement.sdp.contains("a=mid"));
    let wants = [receive(Audio, &[OPUS]), receive(Video, &[video(VideoCodec::Vp8)])];
    assert_eq!(answered(&offer, &wants).unwrap_err(), NegotiationError::NotBundled);
}

/// An offer with several pictures, each named.
fn pictures(directions: &[(&str, &str)]) -> String {
    let start = SUBSCRIBE.find("m=").expect("an m-line");
    let video = SUBSCRIBE.find("m=video").expect("a picture");
    let (session, video) = (&SUBSCRIBE[..start], &SUBSCRIBE[video..]);
    let mids: Vec<&str> = directions.iter().map(|(mid, _)| *mid).collect();
    let session =
        session.replace("a=group:BUNDLE 0 1", &format!("a=group:BUNDLE {}", mids.join(" ")));
    let sections = directions.iter().map(|(mid, direction)| {
        video.replace("a=mid:1", &format!("a=mid:{mid}")).replace("a=recvonly", direction)
    });
    sections.fold(session, |offer, section| offer + &section)
}

#[test]
fn a_track_is_taken_from_the_m_line_that_it_names_and_else_from_a_fresh_one() {
    let offer = pictures(&[("a", "a=recvonly"), ("b", "a=recvonly"), ("c", "a=recvonly")]);
    let picture = send(Video, video(VideoCodec::Vp8), "");
    let mids = |wants: &[Want], retired: &[&str]| -> Vec<String> {
        let retired: Vec<_> = retired.iter().map(|mid| Arc::from(*mid)).collect();
        let agreement = at_home(|local| answer(&offer, local, wants, &retired)).expect("agreed");
        agreement.tracks.iter().map(|track| track.mid.to_string()).collect()
    };
    let anywhere = || picture.clone();
    let at = |mid| named(mid, picture.clone());
    assert_eq!(mids(&[anywhere(), anywhere()], &[]), ["a", "b"]);
    assert_eq!(mids(&[at("c"), at("a")], &[]), ["c", "a"], "whatever their order");
    assert_eq!(mids(&[anywhere(), at("a")], &[]), ["b", "a"], "a name is not taken away");
    assert_eq!(mids(&[anywhere()], &["a"]), ["b"], "what carried an ended track comes last");
    assert_eq!(mids(&[anywhere()], &["a", "b", "c"]), ["a"], "but it comes");
    assert_eq!(mids(&[at("a")], &["a"]), ["a"], "and a name counts in any case");
}

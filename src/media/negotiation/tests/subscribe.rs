use super::*;

fn opus() -> Want {
    send(Audio, OPUS, "minptime=10;useinbandfec=1")
}

/// The payload type under which a subscriber gets a publisher's video.
fn sent(offer: &str, codec: Codec, fmtp: &str) -> Result<u8, NegotiationError> {
    answered(offer, &[opus(), send(Video, codec, fmtp)])
        .map(|agreement| agreement.tracks[1].payload_type)
}

#[test]
fn outgoing_tracks_are_announced_with_their_ssrcs_in_one_media_stream() {
    let agreement =
        answered(SUBSCRIBE, &[opus(), send(Video, video(VideoCodec::Vp8), "")]).unwrap();
    let audio = section(&agreement.sdp, 0);
    let tail = audio.iter().position(|line| *line == "a=sendonly").unwrap();
    assert_eq!(
        audio[tail..],
        [
            "a=sendonly",
            "a=rtpmap:111 opus/48000/2",
            "a=fmtp:111 minptime=10;useinbandfec=1",
            "a=msid:label a0",
            "a=ssrc:1000 cname:portico",
            "a=ssrc:1000 msid:label a0",
        ]
    );
    let video = section(&agreement.sdp, 1);
    let tail = video.iter().position(|line| line.starts_with("a=msid")).unwrap();
    assert_eq!(
        video[tail..],
        [
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
fn extensions_that_name_the_m_line_go_to_no_subscriber() {
    let agreement =
        answered(SUBSCRIBE, &[opus(), send(Video, video(VideoCodec::Vp8), "")]).unwrap();
    for track in &agreement.tracks {
        let ExtensionIds { mid, rid, repaired_rid, abs_send_time, .. } = track.extensions;
        assert_eq!((mid, rid, repaired_rid, abs_send_time), (None, None, None, Some(2)));
    }
    assert_eq!(agreement.tracks[0].extensions.audio_level, Some(1));
    assert_eq!(agreement.tracks[1].extensions.video_orientation, Some(13));
    assert!(!agreement.sdp.contains("sdes:") && !agreement.sdp.contains("extmap-allow-mixed"));
}

#[test]
fn the_client_names_the_payload_type_of_the_publishers_codec() {
    use VideoCodec::{Av1, H265, Vp8, Vp9};
    assert_eq!(sent(SUBSCRIBE, video(Vp8), ""), Ok(96));
    assert_eq!(sent(SUBSCRIBE, video(Vp9), ""), Ok(98));
    assert_eq!(sent(SUBSCRIBE, video(Vp9), "profile-id=2"), Ok(100));
    assert_eq!(sent(SUBSCRIBE, video(Av1), "level-idx=8;profile=1;tier=0"), Ok(47));
    assert_eq!(sent(SUBSCRIBE, video(H265), ""), Err(NegotiationError::NoCodec(Video)));
    let h265 = SUBSCRIBE
        .replace("rtpmap:96 VP8", "rtpmap:96 H265")
        .replace("a=rtcp-fb:96 goog", "a=fmtp:96 level-id=180;tier-flag=0\na=rtcp-fb:96 goog");
    assert_eq!(sent(&h265, video(H265), "level-id=93;profile-id=1"), Ok(96));
    assert_eq!(
        sent(&h265, video(H265), "level-id=93;profile-id=2"),
        Err(NegotiationError::NoCodec(Video))
    );
}

#[test]
fn h264_matches_by_profile_and_packetization_mode() {
    use H264Profile::{Baseline, ConstrainedBaseline, High, Main};
    let fmtp = |mode: u8, id: &str| format!("packetization-mode={mode};profile-level-id={id}");
    let sent_h264 = |offer: &str, profile, fmtp: &str| sent(offer, h264(profile), fmtp);
    // Levels differ: the client allows that.
    assert_eq!(sent_h264(SUBSCRIBE, Baseline, &fmtp(1, "420028")), Ok(102));
    assert_eq!(sent_h264(SUBSCRIBE, Baseline, &fmtp(0, "420028")), Ok(104));
    assert_eq!(sent_h264(SUBSCRIBE, ConstrainedBaseline, &fmtp(1, "42e034")), Ok(108));
    assert_eq!(sent_h264(SUBSCRIBE, Main, &fmtp(1, "4d001f")), Ok(116));
    assert_eq!(
        sent_h264(SUBSCRIBE, High, &fmtp(1, "64001f")),
        Err(NegotiationError::NoCodec(Video))
    );
    // A richer profile and mode stand in for what is not there.
    let main_only = SUBSCRIBE
        .lines()
        .filter(|line| !line.contains("H264") || line.contains(":116 "))
        .map(|line| format!("{line}\n"))
        .collect::<String>();
    assert_eq!(sent_h264(&main_only, ConstrainedBaseline, &fmtp(0, "42e01f")), Ok(116));
    assert_eq!(
        sent_h264(&main_only, Baseline, &fmtp(1, "42001f")),
        Err(NegotiationError::NoCodec(Video))
    );
    let no_asymmetry = main_only.replace("level-asymmetry-allowed=1;", "");
    assert_eq!(sent_h264(&no_asymmetry, Main, &fmtp(1, "4d001f")), Ok(116));
    assert_eq!(
        sent_h264(&no_asymmetry, Main, &fmtp(1, "4d0028")),
        Err(NegotiationError::NoCodec(Video))
    );
}

#[test]
fn the_source_stays_what_the_publisher_agreed_to() {
    let codec = h264(H264Profile::Baseline);
    let fmtp = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=420028";
    let agreement = answered(SUBSCRIBE, &[opus(), send(Video, codec, fmtp)]).unwrap();
    assert_eq!(&*agreement.tracks[1].codec.fmtp, fmtp);
    // The answer repeats the client's own parameters.
    assert!(agreement.sdp.contains(
        "a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f\r\n"
    ));
}

#[test]
fn what_a_client_could_also_receive_stays_without_media() {
    let agreement = answered(SUBSCRIBE, &[opus()]).unwrap();
    assert_eq!(agreement.tracks.len(), 1);
    assert!(section(&agreement.sdp, 0).contains(&"a=sendonly"));
    assert!(section(&agreement.sdp, 1).contains(&"a=inactive"));
}

#[test]
fn several_sessions_share_a_transport_by_mid() {
    // The SDK's second offer: the first publication is still there, a subscription joins it.
    let video_section = &SUBSCRIBE[SUBSCRIBE.find("m=video").unwrap()..];
    let offer = PUBLISH.replace("BUNDLE 0 1", "BUNDLE 0 1 2")
        + &video_section.replace("a=mid:1", "a=mid:2");
    let wants = [
        named("2", send(Video, video(VideoCodec::Vp9), "profile-id=0")),
        receive(Audio, &[OPUS]),
        receive(Video, &[video(VideoCodec::Vp8)]),
    ];
    let agreement = answered(&offer, &wants).unwrap();
    let mids = agreement.tracks.iter().map(|track| &*track.mid).collect::<Vec<_>>();
    assert_eq!(mids, ["2", "0", "1"]);
    assert_eq!(agreement.sdp.matches("a=candidate:1 ").count(), 1);
    assert!(section(&agreement.sdp, 1).contains(&"a=recvonly"));
    assert!(section(&agreement.sdp, 2).contains(&"a=sendonly"));
}

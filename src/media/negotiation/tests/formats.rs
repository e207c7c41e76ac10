use super::{
    super::codec::{Payload, satisfies},
    *,
};

fn understood(fmtp: &str) -> Option<H264Profile> {
    let payload = Payload { number: 100, name: "h264", clock_rate: 90_000, channels: None, fmtp };
    match payload.codec(Video)? {
        Codec::Video(format) => format.profile,
        Codec::Audio(_) => None,
    }
}

#[test]
fn profile_level_ids_have_the_letters_of_owt() {
    use H264Profile::{Baseline, ConstrainedBaseline, High, Main};
    let cases = [
        ("42e01f", Some(ConstrainedBaseline)),
        ("42C01F", Some(ConstrainedBaseline)),
        ("42001f", Some(Baseline)),
        ("4d001f", Some(Main)),
        ("4d801f", Some(ConstrainedBaseline)),
        ("58c01f", Some(ConstrainedBaseline)),
        ("58801f", Some(Baseline)),
        ("58001f", None),
        ("64001f", Some(High)),
        ("640c1f", Some(High)),
        ("f4001f", None),
        ("64001", None),
        ("+4001f", None),
        ("", None),
    ];
    for (id, profile) in cases {
        assert_eq!(understood(&format!("profile-level-id={id}")), profile, "{id}");
    }
    assert_eq!(understood("packetization-mode=1"), Some(ConstrainedBaseline));
}

#[test]
fn a_lower_profile_satisfies_a_wish_for_a_higher_one() {
    use H264Profile::{ConstrainedBaseline, High, Main};
    assert!(satisfies(h264(ConstrainedBaseline), h264(High)));
    assert!(satisfies(h264(Main), h264(Main)));
    assert!(!satisfies(h264(High), h264(Main)));
    assert!(satisfies(h264(High), video(VideoCodec::H264)));
    assert!(!satisfies(video(VideoCodec::Vp8), video(VideoCodec::Vp9)));
    let stereo = AudioFormat { channels: Some(2), ..AudioFormat::G722 };
    assert!(!satisfies(Codec::Audio(AudioFormat::G722), Codec::Audio(stereo)));
    assert!(!satisfies(OPUS, video(VideoCodec::Vp8)));
}

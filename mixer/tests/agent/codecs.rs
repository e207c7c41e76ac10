//! Every codec that the agent says it has, in and out.

use portico_mixer_protocol::{AudioCodec, Codec, Encoding, ToAgent, VideoCodec};

use crate::harness::{Agent, grid, picture, video};
use crate::media::{add_solid_as, add_tone_as, colour, tone};
use crate::probe::{Listener, Watcher};

/// Debian's packages that `scripts/setup.sh` installs have at least these.
const EXPECTED: [Codec; 7] = [
    Codec::Video(VideoCodec::Vp8),
    Codec::Video(VideoCodec::Vp9),
    Codec::Video(VideoCodec::H264ConstrainedBaseline),
    Codec::Audio(AudioCodec::Opus),
    Codec::Audio(AudioCodec::Pcmu),
    Codec::Audio(AudioCodec::Pcma),
    Codec::Audio(AudioCodec::G722),
];

#[test]
fn what_is_expected_is_there() {
    let agent = Agent::start();
    for codec in EXPECTED {
        assert!(agent.capabilities.decoders.contains(&codec), "no decoder for {codec:?}");
        assert!(agent.capabilities.encoders.contains(&codec), "no encoder for {codec:?}");
    }
}

#[test]
fn pictures_come_in_and_go_out_in_every_codec() {
    let agent = Agent::start();
    let view = picture(320, 180);
    agent.create_view(1, view);
    let mut sources = Vec::new();
    let mut inputs = Vec::new();
    let families =
        [VideoCodec::Vp8, VideoCodec::Vp9, VideoCodec::H264ConstrainedBaseline, VideoCodec::H265];
    for (input, codec) in (1..).zip(families) {
        if agent.capabilities.decoders.contains(&Codec::Video(codec)) {
            sources.push(add_solid_as(&agent, input, codec, 160, 90));
            inputs.push(input);
        }
    }
    let regions = grid(&inputs);
    agent.send(ToAgent::SetLayout { view: 1, sequence: 1, regions: regions.clone() });
    let encoders = agent.capabilities.encoders.clone();
    for (output, codec) in (1..).zip(encoders) {
        let Codec::Video(codec) = codec else { continue };
        let format = agent.open(output, 1, video(codec, 320, 180, 30));
        assert_eq!(format.codec, Codec::Video(codec));
        let watcher = Watcher::start(&agent, output, &format);
        agent.send(ToAgent::RequestKeyFrame { output });
        watcher.wait(&format!("the grid in {codec:?}"), |frame| {
            regions.iter().zip(&inputs).all(|(region, input)| frame.shows(region, colour(*input)))
        });
        if let Some(profile) = profile(codec) {
            assert!(format.fmtp.contains(profile), "{codec:?} is {}", format.fmtp);
        }
        agent.send(ToAgent::CloseOutput { output });
    }
}

/// How `profile-level-id` starts.
fn profile(codec: VideoCodec) -> Option<&'static str> {
    match codec {
        VideoCodec::H264ConstrainedBaseline | VideoCodec::H264Baseline => {
            Some("profile-level-id=42")
        }
        VideoCodec::H264Main => Some("profile-level-id=4d"),
        VideoCodec::H264High => Some("profile-level-id=64"),
        VideoCodec::Vp8 | VideoCodec::Vp9 | VideoCodec::H265 | VideoCodec::Av1 => None,
    }
}

#[test]
fn sounds_come_in_and_go_out_in_every_codec() {
    let agent = Agent::start();
    agent.send(ToAgent::CreateView { view: 1, picture: None });
    let codecs =
        [AudioCodec::Opus, AudioCodec::Pcmu, AudioCodec::Pcma, AudioCodec::G722, AudioCodec::Aac];
    let mut sources = Vec::new();
    let mut inputs = Vec::new();
    for (input, codec) in (1..).zip(codecs) {
        if agent.capabilities.decoders.contains(&Codec::Audio(codec)) {
            sources.push(add_tone_as(&agent, input, codec, 0.15));
            inputs.push(input);
        }
    }
    agent.send(ToAgent::SetSound { view: 1, inputs: inputs.clone(), loudest: 0 });
    let tones: Vec<f64> = inputs.iter().map(|n| tone(*n)).collect();
    let listeners: Vec<_> = (10..)
        .zip(agent.capabilities.encoders.clone())
        .filter_map(|(output, codec)| {
            let Codec::Audio(codec) = codec else { return None };
            let format = agent.open(output, 1, Encoding::Audio { codec, without: Vec::new() });
            assert_eq!(format.codec, Codec::Audio(codec));
            Some(Listener::start(&agent, output, &format))
        })
        .collect();
    assert!(listeners.len() >= 4);
    for listener in listeners {
        listener.wait(&tones, &[300.0, 3000.0]);
    }
}

//! What is mixed: inputs in a grid, or sounds, and what comes out.

use portico_mixer_protocol::{
    AudioCodec, Codec, Encoding, Fit, Fraction, FromAgent, Picture, Region, RtpFormat, Shape,
    ToAgent, VideoCodec,
};

use super::{agent::Agent, clip::FRAMERATE};
use crate::support::Result;

/// The mixed picture.
pub(super) const WIDTH: usize = 1280;
pub(super) const HEIGHT: usize = 720;

/// Its bit rate.
pub(super) const KBPS: u32 = 1500;

/// The number of the one view.
const VIEW: u32 = 1;

/// Cells in a row of the smallest square grid with so many cells.
pub(super) fn side(inputs: usize) -> usize {
    (1..).find(|side| side * side >= inputs).expect("some side is large enough")
}

/// Column and row of a cell.
pub(super) fn place(input: usize, side: usize) -> (usize, usize) {
    (input % side, input / side)
}

/// Has the agent show so many inputs in a grid, encoded once.
pub(super) fn show(agent: &mut Agent, inputs: usize) -> Result<()> {
    let number = |number: usize| u32::try_from(number).expect("small");
    agent.tell(&ToAgent::CreateView {
        view: VIEW,
        picture: Some(Picture {
            width: number(WIDTH),
            height: number(HEIGHT),
            framerate: FRAMERATE,
            background: [0; 3],
            fit: Fit::Letterbox,
            labels: false,
            avatars: false,
        }),
    })?;
    let side = side(inputs);
    let share =
        |numerator: usize| Fraction { numerator: number(numerator), denominator: number(side) };
    let mut regions = Vec::new();
    for input in 0..inputs {
        let format = RtpFormat {
            codec: Codec::Video(VideoCodec::Vp8),
            payload_type: 96,
            clock_rate: 90_000,
            channels: 0,
            fmtp: String::new(),
        };
        let added = number(input + 1);
        agent.tell(&ToAgent::AddInput { input: added, source: None, format, label: None })?;
        let (left, top) = place(input, side);
        let (left, top, width, height) = (share(left), share(top), share(1), share(1));
        let shape = Shape::Rectangle { left, top, width, height };
        regions.push(Region { shape, input: Some(added), highlighted: false });
    }
    agent.tell(&ToAgent::SetLayout { view: VIEW, sequence: 1, regions })?;
    let encoding = Encoding::Video {
        codec: VideoCodec::Vp8,
        width: number(WIDTH),
        height: number(HEIGHT),
        framerate: FRAMERATE,
        kbps: KBPS,
        key_frame_interval_secs: 100,
    };
    open(agent, 1, encoding)
}

/// Has the agent mix so many sounds: once for everybody, or for each one without themselves.
pub(super) fn play(agent: &mut Agent, inputs: usize, personal: bool) -> Result<()> {
    agent.tell(&ToAgent::CreateView { view: VIEW, picture: None })?;
    let numbers: Vec<u32> = (1_u32..).take(inputs).collect();
    for input in &numbers {
        let format = RtpFormat {
            codec: Codec::Audio(AudioCodec::Opus),
            payload_type: 111,
            clock_rate: 48_000,
            channels: 2,
            fmtp: String::new(),
        };
        agent.tell(&ToAgent::AddInput { input: *input, source: None, format, label: None })?;
    }
    agent.tell(&ToAgent::SetSound { view: VIEW, inputs: numbers.clone(), loudest: 0 })?;
    let codec = AudioCodec::Opus;
    if !personal {
        return open(agent, 1, Encoding::Audio { codec, without: Vec::new() });
    }
    for input in numbers {
        open(agent, input, Encoding::Audio { codec, without: vec![input] })?;
    }
    Ok(())
}

fn open(agent: &mut Agent, output: u32, encoding: Encoding) -> Result<()> {
    agent.tell(&ToAgent::OpenOutput { output, view: VIEW, encoding })?;
    agent.wait(
        |message| matches!(message, FromAgent::OutputReady { output: of, .. } if *of == output),
    )
}

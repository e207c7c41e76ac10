//! Control messages, one JSON object a frame.

use serde::{Deserialize, Serialize};

use crate::{AudioCodec, Capabilities, Codec, Fit, Packaging, Region, VideoCodec};

/// From the server to the agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "message", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ToAgent {
    /// The first message.
    Hello {
        /// The server's [`VERSION`](crate::VERSION).
        version: u32,
    },
    /// Make a view.
    CreateView {
        /// Its number.
        view: u32,
        /// Its picture; `None` for a view of sound alone.
        picture: Option<Picture>,
    },
    /// End a view and its outputs.
    RemoveView {
        /// Its number.
        view: u32,
    },
    /// An input whose packets follow; it is decoded as long as a view that somebody watches or
    /// hears uses it.
    AddInput {
        /// Its number, which its media frames bear.
        input: u32,
        /// Inputs of one source are played together (lip sync); `None` for one that stands alone.
        source: Option<u32>,
        /// What its packets hold.
        format: RtpFormat,
        /// A name to write into its region, if names are shown.
        label: Option<String>,
    },
    /// End an input.
    RemoveInput {
        /// Its number.
        input: u32,
    },
    /// Whether an input's media flows; a paused one shows its avatar, or sounds like nothing.
    SetInputActive {
        /// Its number.
        input: u32,
        /// Whether it flows.
        active: bool,
    },
    /// What an input's RTP time means, from its sender's report, so that sound and picture of one
    /// source are played together.
    MapClock {
        /// Its number.
        input: u32,
        /// An RTP time.
        rtp: u32,
        /// The same moment on the sender's clock, in microseconds. Clocks of one source agree.
        source_us: u64,
    },
    /// Replace a view's layout at once. Regions of inputs that do not exist (yet) show the
    /// background.
    SetLayout {
        /// The view.
        view: u32,
        /// Returned when it is shown.
        sequence: u64,
        /// Its regions, the lowest first; at most [`MAX_REGIONS`](crate::MAX_REGIONS).
        regions: Vec<Region>,
    },
    /// Replace the inputs that a view's sound is mixed of.
    SetSound {
        /// The view.
        view: u32,
        /// Audio inputs.
        inputs: Vec<u32>,
        /// Only the loudest so many are heard; 0 is everyone.
        loudest: u32,
    },
    /// Start encoding; answered by [`FromAgent::OutputReady`], or by [`FromAgent::PackageReady`]
    /// if it is packaged.
    OpenOutput {
        /// Its number, which its media frames bear.
        output: u32,
        /// The view.
        view: u32,
        /// What to encode.
        encoding: Encoding,
    },
    /// Leave other inputs out of an audio output than before.
    SetWithout {
        /// The output.
        output: u32,
        /// Inputs that are left out: the listener's own.
        without: Vec<u32>,
    },
    /// Stop encoding.
    CloseOutput {
        /// Its number.
        output: u32,
    },
    /// Encode a key frame soon.
    RequestKeyFrame {
        /// The output.
        output: u32,
    },
    /// Take a view's present picture; answered by a frame of kind
    /// [`Kind::Snapshot`](crate::Kind::Snapshot) that bears `request`, empty when there is none.
    /// A view that nobody watches is woken, which takes up to a second.
    TakeSnapshot {
        /// Returned with the picture.
        request: u32,
        /// The view.
        view: u32,
    },
    /// Answer with [`FromAgent::Pong`].
    Ping {
        /// Returned.
        number: u64,
    },
    /// Finish and exit.
    Shutdown,
}

/// A view's picture.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Picture {
    /// Pixels per line; even.
    pub width: u32,
    /// Lines; even.
    pub height: u32,
    /// Pictures per second.
    pub framerate: u32,
    /// Where no input is: red, green, blue.
    pub background: [u8; 3],
    /// How inputs are fitted into their regions.
    pub fit: Fit,
    /// Whether inputs' names are written into their regions.
    pub labels: bool,
    /// Whether an inactive input's avatar bears the initial of its label; else it is a plain
    /// figure, as OWT shows.
    pub avatars: bool,
}

/// What RTP packets hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RtpFormat {
    /// The codec.
    pub codec: Codec,
    /// The payload type.
    pub payload_type: u8,
    /// The RTP clock in Hz.
    pub clock_rate: u32,
    /// Audio channels; 0 for video.
    pub channels: u8,
    /// Format parameters (`a=fmtp`), empty for none.
    pub fmtp: String,
}

/// What an output encodes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Encoding {
    /// The view's picture.
    Video {
        /// The codec.
        codec: VideoCodec,
        /// Pixels per line; even.
        width: u32,
        /// Lines; even.
        height: u32,
        /// Pictures per second.
        framerate: u32,
        /// Bit rate in kbit/s.
        kbps: u32,
        /// Seconds between key frames.
        key_frame_interval_secs: u32,
    },
    /// The view's sound.
    Audio {
        /// The codec.
        codec: AudioCodec,
        /// Inputs that are left out: the listener's own.
        without: Vec<u32>,
    },
    /// The view's picture and sound as fragmented MP4.
    Package(Packaging),
}

/// From the agent to the server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "message", rename_all = "kebab-case", deny_unknown_fields)]
pub enum FromAgent {
    /// The first message, in answer to [`ToAgent::Hello`].
    Ready {
        /// The agent's [`VERSION`](crate::VERSION).
        version: u32,
        /// What it can do.
        capabilities: Capabilities,
    },
    /// An output's packets follow.
    OutputReady {
        /// Its number.
        output: u32,
        /// What its packets hold.
        format: RtpFormat,
    },
    /// A packaged output's pieces follow.
    PackageReady {
        /// Its number.
        output: u32,
        /// What they hold, in RFC 6381's names, for example `avc1.42c01f,mp4a.40.2`.
        codecs: String,
    },
    /// An input cannot be shown before its next key frame; asked for at most every 500 ms.
    KeyFrameWanted {
        /// The input.
        input: u32,
    },
    /// The largest size in which an input is shown, in pixels; `0` by `0` when nowhere.
    Shown {
        /// The input.
        input: u32,
        /// Pixels per line.
        width: u32,
        /// Lines.
        height: u32,
    },
    /// A layout is in the picture.
    LayoutShown {
        /// The view.
        view: u32,
        /// As in [`ToAgent::SetLayout`].
        sequence: u64,
    },
    /// Another input is the loudest of a view; told at most once a second, never in silence.
    Loudest {
        /// The view.
        view: u32,
        /// The audio input.
        input: u32,
    },
    /// Something went wrong that the rest survives.
    Failed {
        /// What it concerns.
        scope: Scope,
        /// What happened, for a log.
        reason: String,
    },
    /// Once a second.
    Statistics {
        /// Processor time used so far, in milliseconds.
        cpu_ms: u64,
        /// Pictures composed so far, over all views.
        pictures: u64,
        /// Packets dropped so far because a queue was full.
        dropped: u64,
    },
    /// The answer to [`ToAgent::Ping`].
    Pong {
        /// As it was asked.
        number: u64,
    },
}

/// What a failure concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// One input, which is not shown or heard until it can be decoded again; that is tried less
    /// and less often. Told once for each such time.
    Input(u32),
    /// One output, which has ended.
    Output(u32),
    /// One view, which has ended.
    View(u32),
    /// One message that could not be obeyed and changed nothing.
    Message,
}

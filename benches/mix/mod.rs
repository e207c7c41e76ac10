//! Mixing: what it costs and how late it is, beside the same job done by a plain pipeline.

mod agent;
mod clip;
mod content;
mod feeder;
mod latency;
mod meeting;
mod peer;

use std::{sync::Arc, thread, time::Duration};

use self::{
    agent::Agent,
    clip::{Clip, FRAMERATE, Quality},
    feeder::{Feeder, Sink},
    peer::Peer,
};
use crate::support::{
    Result,
    report::{self, Table},
    usage::Cpu,
};

const SMALL: Quality = Quality { width: 320, height: 180, kbps: 140 };
const MEDIUM: Quality = Quality { width: 640, height: 360, kbps: 550 };

/// Inputs, their quality, and how many cores the agent may take for them.
const PICTURES: [(usize, &str, Quality, Option<f64>); 4] = [
    (4, "360p", MEDIUM, None),
    (9, "360p", MEDIUM, None),
    (16, "360p", MEDIUM, Some(0.5)),
    (100, "180p", SMALL, Some(0.8)),
];

/// Voices at once.
const VOICES: usize = 50;

/// Packets of sound a second.
const BLOCKS: u32 = 50;

/// Different people; each is seen more than once in a large meeting.
const PEOPLE: u32 = 4;

const SETTLING: Duration = Duration::from_secs(4);
const MEASURED: Duration = Duration::from_secs(8);

/// What a job took and gave.
struct Measurement {
    cores: f64,
    /// Pictures, or packets of sound, that came out each second.
    rate: f64,
}

/// Measures and prints everything.
pub(crate) fn run() -> Result<()> {
    report::heading("Mixing");
    let people = |quality| (0..PEOPLE).map(move |seed| Clip::talking_head(quality, seed));
    let small = people(SMALL).map(|clip| clip.map(Arc::new)).collect::<Result<Vec<_>>>()?;
    let medium = people(MEDIUM).map(|clip| clip.map(Arc::new)).collect::<Result<Vec<_>>>()?;
    let mut table = Table::new(&[
        "pictures to 1280x720 at 30 per second",
        "agent: cores",
        "goal",
        "pictures/s",
        "compositor: cores",
        "pictures/s",
        "agent / compositor",
    ]);
    for (inputs, name, quality, goal) in PICTURES {
        let clips = if quality.width == SMALL.width { &small } else { &medium };
        let own = agent_pictures(inputs, clips)?;
        let peer = Peer::compositor(inputs)?;
        let other =
            measure(clips, inputs, FRAMERATE, peer.sink()?, peer.id(), || peer.count().frames)?;
        let goal = goal.map_or_else(|| "-".to_owned(), |goal| format!("{goal:.2}"));
        table.row(row(format!("{inputs} x {name}"), Some(goal), &own, &other));
    }
    table.print();
    println!();
    sounds()?;
    latency::run(MEDIUM, &medium)?;
    println!("\nLoad average afterwards: {}.", report::load_average());
    Ok(())
}

fn agent_pictures(inputs: usize, clips: &[Arc<Clip>]) -> Result<Measurement> {
    let mut agent = Agent::start(None)?;
    meeting::show(&mut agent, inputs)?;
    measure(clips, inputs, FRAMERATE, agent.sink()?, agent.id(), || agent.count().frames)
}

fn sounds() -> Result<()> {
    let tones = (0..PEOPLE).map(|number| Clip::tone(300 + 100 * number).map(Arc::new));
    let tones = tones.collect::<Result<Vec<_>>>()?;
    let mut table = Table::new(&[
        "voices",
        "agent: cores",
        "packets/s",
        "audiomixer: cores",
        "packets/s",
        "agent / audiomixer",
    ]);
    let peer = Peer::audiomixer(VOICES)?;
    let other = measure(&tones, VOICES, BLOCKS, peer.sink()?, peer.id(), || peer.count().packets)?;
    drop(peer);
    for (name, personal) in [("one mix for all", false), ("each without the own voice", true)] {
        let mut agent = Agent::start(None)?;
        meeting::play(&mut agent, VOICES, personal)?;
        let count = || agent.count().packets;
        let own = measure(&tones, VOICES, BLOCKS, agent.sink()?, agent.id(), count)?;
        table.row(row(format!("{VOICES}, {name}"), None, &own, &other));
    }
    table.print();
    Ok(())
}

/// Feeds a process and looks at it for a while.
fn measure(
    clips: &[Arc<Clip>],
    inputs: usize,
    per_second: u32,
    sink: impl Sink,
    process: u32,
    count: impl Fn() -> u64,
) -> Result<Measurement> {
    let _feeder = Feeder::start(clips.to_vec(), inputs, per_second, sink);
    thread::sleep(SETTLING);
    let (before, cpu) = (count(), Cpu::of(process)?);
    thread::sleep(MEASURED);
    let (after, cpu) = (count(), Cpu::of(process)? - cpu);
    let seconds = MEASURED.as_secs_f64();
    if after == before {
        return Err("nothing comes out".into());
    }
    Ok(Measurement { cores: cpu.total / seconds, rate: (after - before) as f64 / seconds })
}

fn row(name: String, goal: Option<String>, own: &Measurement, other: &Measurement) -> Vec<String> {
    let cores = |measured: &Measurement| format!("{:.3}", measured.cores);
    let rate = |measured: &Measurement| format!("{:.1}", measured.rate);
    let ratio = format!("{:.2}", own.cores / other.cores);
    let own = [Some(name), Some(cores(own)), goal, Some(rate(own))];
    own.into_iter().flatten().chain([cores(other), rate(other), ratio]).collect()
}

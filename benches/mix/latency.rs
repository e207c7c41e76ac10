//! How much later a change is in the mixed packets than in an input's, with all inputs flowing and
//! with one that has stalled.

use std::{
    io::{Read, Write},
    process::Child,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use super::{
    agent::{Agent, Socket},
    clip::{Clip, FRAMERATE, Quality, launch},
    feeder::{Feeder, Sink, stamp},
    meeting::show,
};
use crate::support::{Result, report::Table};

/// The goal for 95 of 100 changes.
const GOAL: Duration = Duration::from_millis(80);

const INPUTS: usize = 4;

/// Changes that are measured.
const FLIPS: usize = 100;

/// From one picture of the changing input to the next: not a multiple of the view's, so that
/// changes come at all moments.
const INTERVAL: Duration = Duration::from_millis(31);

/// Pictures from one change to the next.
const PICTURES: u64 = 5;

/// What the changing input shows in turn, and what lies between.
const GREYS: [u8; 2] = [40, 200];
const BETWEEN: u8 = 120;

/// How large the mix is decoded: four cells.
const SMALL: (usize, usize) = (32, 18);

/// Measures both and fails when a goal is missed.
pub(super) fn run(quality: Quality, heads: &[Arc<Clip>]) -> Result<()> {
    println!();
    let mut table =
        Table::new(&["latency that mixing adds", "changes", "p50 ms", "p95 ms", "most ms"]);
    let mut missed = Vec::new();
    for (what, stalls) in [("all inputs flow", false), ("one of four has stalled", true)] {
        let mut times = measure(quality, heads, stalls)?;
        times.sort();
        let share = |percent: usize| times[(times.len() - 1) * percent / 100];
        let millis = |time: Duration| format!("{:.1}", time.as_secs_f64() * 1e3);
        let figures = [share(50), share(95), share(100)].map(millis);
        let cells = [what.to_owned(), times.len().to_string()].into_iter().chain(figures);
        table.row(cells.collect());
        if share(95) > GOAL {
            missed.push(what);
        }
    }
    table.print();
    if missed.is_empty() { Ok(()) } else { Err(format!("later than {GOAL:?}: {missed:?}").into()) }
}

/// What is known of the mix, picture by picture.
#[derive(Default)]
struct Mix {
    /// When the last packet of each came.
    arrivals: Vec<Instant>,
    /// The brightness of the changing input in each.
    levels: Vec<u8>,
}

fn measure(quality: Quality, heads: &[Arc<Clip>], stalls: bool) -> Result<Vec<Duration>> {
    let mix: Arc<Mutex<Mix>> = Arc::default();
    let (mut decoder, mut input) = decoder(&mix)?;
    let noted = Arc::clone(&mix);
    let mut agent = Agent::start(Some(Box::new(move |packet, came| {
        if packet[1] & 0x80 != 0 {
            noted.lock().expect("no holder panics").arrivals.push(came);
        }
        let length = u16::try_from(packet.len()).expect("a packet").to_be_bytes();
        // A decoder that is gone is noticed by what it does not give out.
        drop(input.write_all(&[&length[..], packet].concat()));
    })))?;
    show(&mut agent, INPUTS)?;
    // Input 1 changes; the others are people.
    let stalled = Arc::new(AtomicBool::new(false));
    let others = Others { socket: agent.sink()?, stalled: Arc::clone(&stalled) };
    let _feeder = Feeder::start(heads.to_vec(), INPUTS, FRAMERATE, others);
    thread::sleep(Duration::from_secs(3));
    stalled.store(stalls, Ordering::Relaxed);
    let flips = flip(&agent, quality)?;
    // What came last is still being decoded.
    thread::sleep(Duration::from_secs(1));
    drop(agent);
    drop(decoder.kill());
    drop(decoder.wait());
    let mix = mix.lock().expect("no holder panics");
    let late = |(shown, sent): &(usize, Instant)| {
        let pictures = mix.arrivals.iter().zip(&mix.levels);
        let is_shown = |level: u8| if *shown == 0 { level < BETWEEN } else { level > BETWEEN };
        let mut after = pictures.filter(|(came, level)| *came > sent && is_shown(**level));
        after.next().map(|(came, _)| *came - *sent).ok_or_else(|| "a change is never seen".into())
    };
    flips.iter().map(late).collect()
}

/// Changes the first input again and again; what was shown from when on.
fn flip(agent: &Agent, quality: Quality) -> Result<Vec<(usize, Instant)>> {
    let mut clips = Vec::new();
    for grey in GREYS {
        clips.push(Clip::grey(quality.width, quality.height, grey)?);
    }
    let mut socket = agent.sink()?;
    let (start, mut sequence) = (Instant::now(), 0_u16);
    let mut flips = Vec::new();
    for number in 0_u64.. {
        let due = INTERVAL * u32::try_from(number)?;
        thread::sleep(due.saturating_sub(start.elapsed()));
        let shown = (number / PICTURES) as usize;
        if shown > FLIPS {
            break;
        }
        // The first one is no change.
        if number % PICTURES == 0 && shown > 0 {
            flips.push((shown % 2, Instant::now()));
        }
        let timestamp = u32::try_from(due.as_millis())? * 90;
        for packet in clips[shown % 2].frames.iter().flatten() {
            let mut packet = packet.clone();
            stamp(&mut packet, sequence, timestamp);
            sequence = sequence.wrapping_add(1);
            socket.packet(0, &packet);
        }
        socket.flush();
    }
    Ok(flips)
}

/// All inputs but the first, of which the second may stall.
struct Others {
    socket: Socket,
    stalled: Arc<AtomicBool>,
}

impl Sink for Others {
    fn packet(&mut self, input: usize, packet: &[u8]) {
        let is_still = input == 1 && self.stalled.load(Ordering::Relaxed);
        if input > 0 && !is_still {
            self.socket.packet(input, packet);
        }
    }

    fn flush(&mut self) {
        self.socket.flush();
    }
}

/// Decodes the mix, a byte for each of few pixels.
fn decoder(mix: &Arc<Mutex<Mix>>) -> Result<(Child, impl Write + Send + use<>)> {
    let (width, height) = SMALL;
    let pipeline = format!(
        "fdsrc fd=0 ! application/x-rtp-stream,media=video,encoding-name=VP8,clock-rate=90000,\
         payload=96 ! rtpstreamdepay ! rtpvp8depay ! vp8dec ! videoscale ! videoconvert \
         ! video/x-raw,format=GRAY8,width={width},height={height} ! fdsink fd=1"
    );
    let mut child = launch(&pipeline)?;
    let input = child.stdin.take().ok_or("no standard input")?;
    let mut output = child.stdout.take().ok_or("no standard output")?;
    let mix = Arc::clone(mix);
    thread::spawn(move || {
        let mut picture = vec![0; width * height];
        while output.read_exact(&mut picture).is_ok() {
            let level = picture[height / 4 * width + width / 4];
            mix.lock().expect("no holder panics").levels.push(level);
        }
    });
    Ok((child, input))
}

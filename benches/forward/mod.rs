//! Forwarding: one published video to many subscribers, on one busy core, beside the limit of
//! sealing and sending alone.

mod crowd;
mod floor;
mod peer;
mod publisher;
mod rtp;
mod server;
mod subscriber;

use std::time::Duration;

use self::{
    crowd::{Crowd, Measurement, Scrutiny},
    floor::{Cost, floor},
    publisher::Pace,
};
pub(crate) use self::{floor::measure as measure_floor, server::serve};
use crate::support::{
    Result, placement,
    report::{self, Table},
};

/// The argument that makes this program the measured server.
pub(crate) const SERVER_ROLE: &str = "forward-server";

/// The argument that makes this program measure the limit.
pub(crate) const FLOOR_ROLE: &str = "forward-floor";

/// Sizes of the meeting.
const SUBSCRIBERS: [usize; 2] = [50, 200];

/// What a publisher of 2.5 Mbit/s sends, in packets a second.
const NORMAL_RATE: f64 = 260.0;

/// The first step of saturation in packets a second to all subscribers together, and the factor to
/// the next one.
const FIRST_STEP: f64 = 400_000.0;
const STEP_FACTOR: f64 = 1.25;
const MAX_STEPS: usize = 9;

/// Where a core counts as busy, or its server as overloaded by what it does not forward, and how
/// much more a step must bring to be worth another one.
const BUSY: f64 = 0.97;
const OVERLOADED: f64 = 0.05;
const WORTHWHILE: f64 = 1.02;

/// Steps in a row without a gain that end the search; one may be somebody else's work.
const MAX_FRUITLESS_STEPS: usize = 2;

const SETTLING: Duration = Duration::from_secs(1);
const NORMAL: Duration = Duration::from_secs(6);
const STEP_SETTLING: Duration = Duration::from_millis(500);
const STEP: Duration = Duration::from_secs(2);

/// Memory of a meeting, in KiB per subscriber.
struct Memory {
    subscribers: usize,
    connected: f64,
    under_traffic: f64,
    connecting: Duration,
}

/// Measures and prints everything.
pub(crate) fn run() -> Result<()> {
    report::heading("Forwarding");
    placement::pin_this_process()?;
    let costs = floor()?;
    let mut forwarding = Table::new(&[
        "subscribers and load",
        "packets/s in",
        "packets/s out",
        "us/packet (user + kernel)",
        "packets/s per busy core",
        "core busy",
        "of the limit",
        "not forwarded",
        "missing",
    ]);
    let mut saved = Vec::new();
    for subscribers in SUBSCRIBERS {
        saved.push(meeting(subscribers, &costs, &mut forwarding)?);
    }
    forwarding.print();
    print_memory(&saved);
    print_floor(&costs);
    println!("\nLoad average afterwards: {}.", report::load_average());
    Ok(())
}

fn meeting(subscribers: usize, costs: &[Cost], table: &mut Table) -> Result<Memory> {
    let mut crowd = Crowd::start()?;
    crowd.run(SETTLING)?;
    let alone = crowd.server_kib()?;
    let per_subscriber = |kib: u64| kib.saturating_sub(alone) as f64 / subscribers as f64;
    let connecting = crowd.subscribe(subscribers)?;
    crowd.run(SETTLING)?;
    let connected = per_subscriber(crowd.server_kib()?);

    let limit = |train| costs.iter().find(|cost| cost.train == train).map(|cost| cost.microseconds);
    let loads = [
        ("pictures of 9 packets at once", true, limit(floor::PICTURE)),
        ("packets spread evenly", false, limit(floor::SINGLE)),
    ];
    for (name, at_once, limit) in loads {
        crowd.set_pace(Some(Pace { rate: NORMAL_RATE, at_once }), Scrutiny::Open);
        crowd.run(SETTLING)?;
        let measurement = crowd.measure(NORMAL)?;
        table.row(row(name, &measurement, limit));
    }
    let under_traffic = per_subscriber(crowd.server_kib()?);

    let best = saturate(&mut crowd, subscribers)?;
    table.row(row("saturated", &best, limit(floor::CROWDED)));
    Ok(Memory { subscribers, connected, under_traffic, connecting })
}

/// Raises the rate until the server's core is busy; the step with the most packets out.
fn saturate(crowd: &mut Crowd, subscribers: usize) -> Result<Measurement> {
    let mut rate = FIRST_STEP / subscribers as f64;
    let mut best: Option<Measurement> = None;
    let mut fruitless = 0;
    for _ in 0..MAX_STEPS {
        crowd.set_pace(Some(Pace { rate, at_once: true }), Scrutiny::Count);
        crowd.run(STEP_SETTLING)?;
        let step = crowd.measure(STEP)?;
        eprintln!(
            "bench: {:.0} packets/s wanted, {:.0} in, {:.0} out, {:.0} of these without room, \
             {:.1} % not forwarded, core {:.0} % busy",
            rate,
            step.sent as f64 / step.seconds,
            step.out(),
            step.overflowed as f64 / step.seconds,
            step.withheld() * 100.0,
            step.busy() * 100.0
        );
        let gain = best.map_or(f64::INFINITY, |best| step.out() / best.out());
        if gain > 1.0 {
            best = Some(step);
        }
        let saturated = step.busy() >= BUSY || step.withheld() >= OVERLOADED;
        fruitless = if saturated && gain < WORTHWHILE { fruitless + 1 } else { 0 };
        if fruitless == MAX_FRUITLESS_STEPS {
            break;
        }
        rate *= STEP_FACTOR;
    }
    best.ok_or_else(|| "nothing was forwarded".into())
}

impl Measurement {
    /// Packets a second to all subscribers.
    fn out(&self) -> f64 {
        self.forwarded as f64 / self.seconds
    }

    /// The part of what subscribers should have got that the server did not send: its socket had no
    /// room for the publisher's packet, or the packet still waits there.
    fn withheld(&self) -> f64 {
        let due = self.sent.max(1) as f64 * self.subscribers as f64;
        (1.0 - self.forwarded as f64 / due).max(0.0)
    }

    /// The part of the core's time that the server used.
    fn busy(&self) -> f64 {
        self.cpu.total / self.seconds
    }
}

/// A row; `limit` is the cost of sealing and sending alone, in microseconds.
fn row(load: &str, measured: &Measurement, limit: Option<f64>) -> Vec<String> {
    let each = measured.cpu.total * 1e6 / measured.forwarded as f64;
    let user = each * measured.cpu.user_share();
    vec![
        format!("{}, {load}", measured.subscribers),
        format!("{:.0}", measured.sent as f64 / measured.seconds),
        format!("{:.0}", measured.out()),
        format!("{each:.2} ({user:.2} + {:.2})", each - user),
        format!("{:.0} k", measured.forwarded as f64 / measured.cpu.total / 1e3),
        format!("{:.0} %", measured.busy() * 100.0),
        limit.map_or_else(String::new, |limit| format!("{:.0} %", limit / each * 100.0)),
        format!("{:.1} %", measured.withheld() * 100.0),
        measured.lost.map_or_else(|| "-".to_owned(), |lost| lost.to_string()),
    ]
}

fn print_memory(saved: &[Memory]) {
    println!();
    let mut table = Table::new(&[
        "subscribers",
        "KiB each, connected",
        "KiB each, after traffic",
        "all connected within",
    ]);
    for memory in saved {
        table.row(vec![
            memory.subscribers.to_string(),
            format!("{:.1}", memory.connected),
            format!("{:.1}", memory.under_traffic),
            format!("{} ms", memory.connecting.as_millis()),
        ]);
    }
    table.print();
}

fn print_floor(costs: &[Cost]) {
    println!();
    let mut table =
        Table::new(&["limit: seal and send, nothing else", "us/packet", "packets/s per busy core"]);
    for cost in costs {
        let name = match cost.train {
            0 => "seal (AES-128-GCM) only".to_owned(),
            1 => "a call for each packet".to_owned(),
            train => format!("a call for {train} packets (GSO)"),
        };
        table.row(vec![
            name,
            format!("{:.2}", cost.microseconds),
            format!("{:.0} k", 1e3 / cost.microseconds),
        ]);
    }
    table.print();
}

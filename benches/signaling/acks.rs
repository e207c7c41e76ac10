//! Acknowledged requests a second.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::time::sleep;

use super::{
    IN_FLIGHT, Server,
    client::{Client, Frame},
};
use crate::support::{Result, usage::Cpu};

const WARM_UP: Duration = Duration::from_secs(1);
const MEASURED: Duration = Duration::from_secs(5);

/// What the connections are to do.
const WARMING: u8 = 0;
const MEASURING: u8 = 1;
const ENDING: u8 = 2;

/// What a server managed.
pub(super) struct Load {
    name: &'static str,
    seconds: f64,
    cpu: Cpu,
    /// Sorted.
    latencies: Vec<Duration>,
}

/// Keeps requests under way on every connection for some seconds.
pub(super) async fn measure(
    name: &'static str,
    server: &Server,
    clients: Vec<(Client, String)>,
) -> Result<Load> {
    let phase = Arc::new(AtomicU8::new(WARMING));
    let tasks: Vec<_> = clients
        .into_iter()
        .map(|(client, request)| tokio::spawn(keep_asking(client, request, Arc::clone(&phase))))
        .collect();
    sleep(WARM_UP).await;
    let (before, start) = (Cpu::of(server.program.id())?, Instant::now());
    phase.store(MEASURING, Ordering::Relaxed);
    sleep(MEASURED).await;
    phase.store(ENDING, Ordering::Relaxed);
    let (cpu, seconds) = (Cpu::of(server.program.id())? - before, start.elapsed().as_secs_f64());
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.append(&mut task.await??);
    }
    if latencies.is_empty() {
        return Err(format!("{name}: no request was answered").into());
    }
    latencies.sort_unstable();
    Ok(Load { name, seconds, cpu, latencies })
}

async fn keep_asking(
    mut client: Client,
    request: String,
    phase: Arc<AtomicU8>,
) -> Result<Vec<Duration>> {
    let mut latencies = Vec::new();
    let mut under_way = VecDeque::new();
    for _ in 0..IN_FLIGHT {
        under_way.push_back((client.queue(&request).await?, Instant::now()));
    }
    while !under_way.is_empty() {
        let Frame::Ack { number, ok, text } = client.frame().await? else { continue };
        let at = under_way.iter().position(|(asked, _)| *asked == number);
        let (_, asked_at) =
            at.and_then(|at| under_way.remove(at)).ok_or("an answer to no request")?;
        if !ok {
            return Err(format!("a request was refused: {text}").into());
        }
        let phase = phase.load(Ordering::Relaxed);
        let now = Instant::now();
        if phase == MEASURING {
            latencies.push(now - asked_at);
        }
        if phase != ENDING {
            under_way.push_back((client.queue(&request).await?, now));
        }
    }
    Ok(latencies)
}

impl Load {
    /// A table's row, beside a peer where there is one.
    pub(super) fn row(&self, peer: Option<&Self>) -> Vec<String> {
        vec![
            self.name.to_owned(),
            format!("{:.0}", self.latencies.len() as f64 / self.seconds),
            format!("{:.0} %", self.cpu.total / self.seconds * 100.0),
            format!("{:.0}", self.per_busy_core()),
            peer.map_or_else(String::new, |peer| {
                format!("{:.2}", self.per_busy_core() / peer.per_busy_core())
            }),
            format!("{:.2}", self.percentile(50)),
            format!("{:.2}", self.percentile(99)),
        ]
    }

    fn per_busy_core(&self) -> f64 {
        self.latencies.len() as f64 / self.cpu.total
    }

    /// In milliseconds.
    fn percentile(&self, percent: usize) -> f64 {
        let at = (self.latencies.len() - 1) * percent / 100;
        self.latencies[at].as_secs_f64() * 1e3
    }
}

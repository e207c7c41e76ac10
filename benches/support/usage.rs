//! What a process costs, as the kernel counts it.

use std::{collections::HashMap, fs, ops::Sub, time::Duration};

use super::Result;

/// Ticks of `/proc/PID/stat` per second; a constant of Linux's user interface (`USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;

/// Processor time that a process has used. On loopback the kernel delivers a datagram within its
/// sending, so the receiver's share of that work counts as the sender's.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cpu {
    /// In seconds, to the nanosecond.
    pub(crate) total: f64,
    /// Of these, in seconds to the tick, outside the kernel.
    pub(crate) user: f64,
    /// And inside it.
    pub(crate) system: f64,
}

impl Cpu {
    /// Since the start of the process, over all threads that it still has.
    pub(crate) fn of(process: u32) -> Result<Self> {
        let mut nanoseconds = 0;
        for task in fs::read_dir(format!("/proc/{process}/task"))? {
            // A thread may end between the listing and the reading.
            let Ok(text) = fs::read_to_string(task?.path().join("schedstat")) else { continue };
            let first = text.split_ascii_whitespace().next().ok_or("empty schedstat")?;
            nanoseconds += first.parse::<u64>()?;
        }
        let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
        // The name in parentheses may have spaces; user and system time are the 12th and 13th
        // field behind it.
        let (_, fields) = stat.rsplit_once(')').ok_or("no name in stat")?;
        let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
        let ticks = |at: usize| -> Result<f64> {
            Ok(fields.get(at).ok_or("short stat")?.parse::<f64>()? / TICKS_PER_SECOND)
        };
        let total = Duration::from_nanos(nanoseconds).as_secs_f64();
        Ok(Self { total, user: ticks(11)?, system: ticks(12)? })
    }

    /// The part of the time that was spent outside the kernel, 0 to 1.
    pub(crate) fn user_share(&self) -> f64 {
        let both = self.user + self.system;
        if both > 0.0 { self.user / both } else { 0.0 }
    }
}

impl Sub for Cpu {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            total: self.total - earlier.total,
            user: self.user - earlier.user,
            system: self.system - earlier.system,
        }
    }
}

/// Resident memory of a process in KiB. `smaps_rollup` counts pages, where `VmRSS` is an estimate
/// on several cores.
pub(crate) fn resident_kib(process: u32) -> Result<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("Rss:")).ok_or("no Rss")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}

/// Datagrams that the kernel dropped at each IPv4 socket because its queue was full, by port.
pub(crate) fn udp_drops() -> Result<HashMap<u16, u64>> {
    let text = fs::read_to_string("/proc/net/udp")?;
    let mut drops = HashMap::new();
    for line in text.lines().skip(1) {
        let mut fields = line.split_ascii_whitespace();
        let local = fields.nth(1).and_then(|address| address.split(':').nth(1));
        if let (Some(port), Some(count)) = (local, fields.next_back()) {
            drops.insert(u16::from_str_radix(port, 16)?, count.parse()?);
        }
    }
    Ok(drops)
}

/// The most files that this process may have open.
pub(crate) fn max_open_files() -> Result<usize> {
    let text = fs::read_to_string("/proc/self/limits")?;
    let line = text.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_ascii_whitespace().next());
    match soft.ok_or("no limit of open files")? {
        "unlimited" => Ok(usize::MAX),
        number => Ok(number.parse()?),
    }
}

//! Which process runs on which core, by `taskset`.

use std::{
    ffi::OsStr,
    fs,
    process::{Command, Stdio},
};

use super::Result;

/// The core of what is measured. Nothing else of a benchmark runs there.
pub(crate) const SERVER_CORE: usize = 0;

/// The core of the load, where the machine has two.
const CLIENT_CORE: usize = 1;

/// Cores of the machine, wherever this process may run.
pub(crate) fn cores() -> usize {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    text.lines().filter(|line| line.starts_with("processor")).count()
}

/// Moves this process to the core of the load. To be called before it has other threads, which
/// inherit the placement.
pub(crate) fn pin_this_process() -> Result<()> {
    if cores() <= CLIENT_CORE {
        eprintln!("bench: one core only, so load and server share it");
        return Ok(());
    }
    let status = Command::new("taskset")
        .args(["--cpu-list", "--pid", &CLIENT_CORE.to_string(), &std::process::id().to_string()])
        .stdout(Stdio::null())
        .status()
        .map_err(|error| format!("taskset (of util-linux) cannot be run: {error}"))?;
    if status.success() { Ok(()) } else { Err("taskset cannot place this process".into()) }
}

/// A command that runs on the core of what is measured.
pub(crate) fn on_server_core(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("taskset");
    command.arg("--cpu-list").arg(SERVER_CORE.to_string()).arg(program);
    command
}

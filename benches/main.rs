//! Benchmarks that put a figure of Portico beside a peer or a limit, measured in the same run.
//!
//! `scripts/bench.sh` is the usual way in; `docs/benchmarks.md` tells what the figures mean. The
//! load runs in this process on one core; what is measured is a process of its own on another.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "figures go to standard output")]

mod forward;
mod mix;
mod signaling;
mod support;

use std::process::ExitCode;

use support::Result;

fn main() -> ExitCode {
    // `cargo bench` adds flags of its own.
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> Result<()> {
    match words {
        [] => {
            // First, as the others place this process on one core.
            mix::run()?;
            forward::run()?;
            signaling::run()
        }
        ["forward"] => forward::run(),
        ["signaling"] => signaling::run(),
        ["heartbeats"] => signaling::run_heartbeats(),
        ["mix"] => mix::run(),
        // What this program starts on the measured core.
        [forward::SERVER_ROLE] => forward::serve(),
        [forward::FLOOR_ROLE] => forward::measure_floor(),
        _ => Err("usage: bench [forward|signaling|heartbeats|mix]".into()),
    }
}

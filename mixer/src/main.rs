//! `portico-mixer`, the mixing agent: the only process that loads GStreamer.

use std::process::ExitCode;

use clap::Parser;
use portico_mixer_protocol::VERSION;

/// Portico's mixing agent. The server starts it; there is nothing to run by hand.
#[derive(Parser)]
#[command(name = "portico-mixer", version)]
struct Arguments {
    /// Print the protocol version and the GStreamer version found, then exit.
    #[arg(long)]
    probe: bool,
}

/// The exit code for work that this version refuses (sysexits' `EX_UNAVAILABLE`).
const UNAVAILABLE: u8 = 69;

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool speaks")]
fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if !arguments.probe {
        eprintln!("portico-mixer does not mix yet: views are not available in this version");
        return ExitCode::from(UNAVAILABLE);
    }
    match gstreamer::init() {
        Ok(()) => {
            println!("mixing protocol {VERSION}");
            println!("{}", gstreamer::version_string());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("GStreamer cannot be loaded: {error}");
            ExitCode::FAILURE
        }
    }
}

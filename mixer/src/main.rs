//! The program around the mixing agent: arguments, logs, the sandbox.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use portico_mixer::{canvas, sandbox};
use portico_mixer_protocol::VERSION;
use tracing_subscriber::EnvFilter;

/// Portico's mixing agent. The server starts it; there is nothing to run by hand.
///
/// The connection to the server is inherited as standard input, or made to --socket.
#[derive(Parser)]
#[command(name = "portico-mixer", version)]
struct Arguments {
    /// Print the protocol version, the GStreamer version and the codecs found, then exit. As this
    /// also writes GStreamer's registry ($GST_REGISTRY), a server runs it once for all its agents.
    #[arg(long)]
    probe: bool,
    /// Connect to this Unix socket instead of using standard input.
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// Draw names with this font (TrueType or OpenType) instead of the built-in one.
    #[arg(long, value_name = "PATH")]
    font: Option<PathBuf>,
    /// The most memory in MiB for data of all kinds; the process ends when it needs more.
    #[arg(long, value_name = "MIB", default_value_t = 4096)]
    memory: u64,
}

/// Why the program ends early.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("the sandbox cannot be set up: {0}")]
    Sandbox(#[from] sandbox::SandboxError),
    #[error("GStreamer cannot be loaded: {0}")]
    GStreamer(#[from] gstreamer::glib::Error),
    #[error("{0}: {1}")]
    File(PathBuf, std::io::Error),
    #[error("the font cannot be read: {0}")]
    Font(#[from] ab_glyph::InvalidFont),
    #[error("standard input is no socket: {0}")]
    Input(std::io::Error),
    #[error(transparent)]
    End(#[from] portico_mixer::End),
}

#[expect(clippy::print_stderr, reason = "a command-line tool speaks")]
fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_from_env("PORTICO_MIXER_LOG").unwrap_or_else(|_| "warn".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("portico-mixer: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<(), Failure> {
    sandbox::limit(arguments.memory)?;
    if arguments.probe {
        gstreamer::init()?;
        print_probe();
        return Ok(());
    }
    let socket = match arguments.socket {
        Some(path) => UnixStream::connect(&path).map_err(|error| Failure::File(path, error))?,
        None => sandbox::inherited_socket().map_err(Failure::Input)?,
    };
    let font = match arguments.font {
        Some(path) => Some(std::fs::read(&path).map_err(|error| Failure::File(path, error))?),
        None => None,
    };
    let font = canvas::font(font)?;
    gstreamer::init()?;
    // From here on, hostile bitstreams may be decoded.
    sandbox::enter()?;
    let capabilities = portico_mixer::probe();
    portico_mixer::serve(&socket, capabilities, font)?;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a command-line tool speaks")]
fn print_probe() {
    println!("mixing protocol {VERSION}");
    println!("{}", gstreamer::version_string());
    let capabilities = portico_mixer::probe();
    println!("decodes {:?}", capabilities.decoders);
    println!("encodes {:?}", capabilities.encoders);
}

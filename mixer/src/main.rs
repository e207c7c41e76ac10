//! The program around the mixing agent: arguments, logs, the sandbox.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser};
use portico_mixer::{canvas, listen, sandbox};
use portico_mixer_protocol::{VERSION, tls};
use tracing_subscriber::EnvFilter;

/// Portico's mixing agent: draws and mixes the views of one room.
///
/// On the server's own machine there is nothing to run by hand: the server starts an agent for each
/// room that somebody watches. On another machine, run it with --listen.
#[derive(Parser)]
#[command(name = "portico-mixer", version, after_help = AFTER_HELP)]
struct Arguments {
    /// Print the protocol version, the GStreamer version and the codecs found, then exit. As this
    /// also writes GStreamer's registry ($GST_REGISTRY), a server runs it once for all its agents.
    #[arg(long)]
    probe: bool,
    /// Connect to this Unix socket instead of using standard input.
    #[arg(long, value_name = "PATH", conflicts_with = "listen")]
    socket: Option<PathBuf>,
    /// Draw names with this font (TrueType or OpenType) instead of the built-in one.
    #[arg(long, value_name = "PATH")]
    font: Option<PathBuf>,
    /// The most memory in MiB for data of all kinds, of one agent; it ends when it needs more.
    #[arg(long, value_name = "MIB", default_value_t = 4096)]
    memory: u64,
    #[command(flatten)]
    remote: Remote,
}

const AFTER_HELP: &str = "\
Examples:
  portico-mixer --probe
  portico-mixer --listen 0.0.0.0:7070 --ca ca.pem --certificate mixer.pem --key mixer-key.pem

Variables:
  PORTICO_MIXER_LOG   what is logged, as \"info\" or \"portico_mixer=debug\"
                      [default: warn, with --listen info]
  GST_REGISTRY        where GStreamer keeps what it knows of its plugins
";

/// Serving servers on other machines.
#[derive(Args)]
#[command(next_help_heading = "On another machine than the server")]
struct Remote {
    /// Take servers' connections here and start an agent for each room. The servers name this
    /// machine in `[mixing] agents`.
    #[arg(long, value_name = "ADDR:PORT", requires_all = ["ca", "certificate", "key"])]
    listen: Option<SocketAddr>,
    /// The authority that has signed the servers' certificates, as a PEM file. Servers without such
    /// a certificate are refused.
    #[arg(long, value_name = "PATH", requires = "listen")]
    ca: Option<PathBuf>,
    /// This machine's certificate with its chain, as a PEM file. It must be for the name by which
    /// servers know this machine.
    #[arg(long, value_name = "PATH", requires = "listen")]
    certificate: Option<PathBuf>,
    /// The certificate's private key, as a PEM file.
    #[arg(long, value_name = "PATH", requires = "listen")]
    key: Option<PathBuf>,
    /// Rooms at once; further ones are sent away.
    #[arg(long, value_name = "NUMBER", default_value_t = 64, requires = "listen")]
    max_rooms: u32,
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
    #[error(transparent)]
    Listen(#[from] listen::ListenError),
}

#[expect(clippy::print_stderr, reason = "a command-line tool speaks")]
fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let usual = if arguments.remote.listen.is_some() { "info" } else { "warn" };
    let filter = EnvFilter::try_from_env("PORTICO_MIXER_LOG").unwrap_or_else(|_| usual.into());
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
    if let Some(options) = listening(&arguments) {
        sandbox::limit_parent()?;
        listen::listen(&options, print_address)?;
        return Ok(());
    }
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

/// How to serve other machines, if that is asked for.
fn listening(arguments: &Arguments) -> Option<listen::Options> {
    let Remote { listen, ca, certificate, key, max_rooms } = &arguments.remote;
    let files =
        tls::Files { ca: ca.clone()?, certificate: certificate.clone()?, key: key.clone()? };
    let mut passed = vec![OsString::from("--memory"), arguments.memory.to_string().into()];
    if let Some(font) = &arguments.font {
        passed.extend([OsString::from("--font"), font.into()]);
    }
    let max_rooms = usize::try_from(*max_rooms).unwrap_or(usize::MAX);
    Some(listen::Options { address: (*listen)?, files, max_rooms, arguments: passed })
}

#[expect(clippy::print_stdout, reason = "a command-line tool speaks")]
fn print_address(address: SocketAddr) {
    println!("portico-mixer listens on {address}");
}

#[expect(clippy::print_stdout, reason = "a command-line tool speaks")]
fn print_probe() {
    println!("mixing protocol {VERSION}");
    println!("{}", gstreamer::version_string());
    let capabilities = portico_mixer::probe();
    println!("decodes {:?}", capabilities.decoders);
    println!("encodes {:?}", capabilities.encoders);
}

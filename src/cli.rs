//! The command line.

mod commands;

use std::{
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Args, Parser, Subcommand};

use crate::config::Config;

/// Exit code for a failure while running.
const FAILED: u8 = 4;

/// Exit code for settings with problems. Wrong usage is 2, which is clap's.
const BAD_CONFIG: u8 = 3;

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  2  the command was not understood
  3  the configuration has problems
  4  something failed

Environment:
  PORTICO__<TABLE>__<KEY> overrides a key of the configuration:
  PORTICO__PORTAL__PORT=9000 is `port` of [portal].";

/// A conference server for the clients of Open WebRTC Toolkit, over Socket.io.
#[derive(Debug, Parser)]
#[command(name = "portico", version, after_help = EXIT_CODES)]
struct Cli {
    /// The configuration [default: portal.toml, if there is one in the working directory]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server until it is told to end (SIGTERM or SIGINT)
    Serve,
    /// Say everything that is wrong with the configuration
    Check,
    /// Print a token that lets a user join a room, once and within three minutes
    ///
    /// Works whether the server runs or not. The token alone is printed.
    Token(TokenArgs),
    /// Manage the credentials of back ends that use the management REST or sign JWTs
    ///
    /// Works whether the server runs or not.
    #[command(subcommand)]
    Service(ServiceCommand),
}

#[derive(Debug, Args)]
struct TokenArgs {
    /// The room, by its id or by a name that only one room has
    #[arg(long)]
    room: String,
    /// What the user is called
    #[arg(long)]
    user: String,
    /// One of the room's roles, such as presenter or viewer
    #[arg(long)]
    role: String,
    /// Make a JSON Web Token instead of OWT's kind of token
    #[arg(long)]
    jwt: bool,
}

#[derive(Debug, Subcommand)]
enum ServiceCommand {
    /// Make credentials for a new service, and print its id and its key
    Create {
        /// Whose credentials these are
        name: String,
    },
    /// Print the id and the name of every service
    List,
    /// End the credentials of a service
    Remove {
        /// The id that `create` and `list` print
        id: String,
    },
}

/// Why a command ends early: an exit code, and what to say on standard error.
struct Failure {
    code: u8,
    text: String,
}

impl Failure {
    fn of(error: &impl ToString) -> Self {
        Self { code: FAILED, text: error.to_string() }
    }

    fn of_config(problems: &impl ToString) -> Self {
        Self { code: BAD_CONFIG, text: problems.to_string() }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::of(&error)
    }
}

/// Does what the command line says.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let variables = std::env::vars_os().map(|(name, value)| {
        (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned())
    });
    let loaded = Config::load(cli.config.as_deref(), variables);
    let done =
        loaded.map_err(|problems| Failure::of_config(&problems)).and_then(|loaded| {
            match cli.command {
                Command::Serve => commands::serve(&loaded),
                Command::Check => commands::check(&loaded, cli.config.as_deref()),
                Command::Token(args) => commands::token(&loaded.config, args),
                Command::Service(command) => commands::service(&loaded.config, command),
            }
        });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { code, text }) => {
            // There is nobody left to tell if this fails.
            let _ = writeln!(io::stderr(), "{text}");
            code.into()
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}

//! What each command does.

use std::{
    io::{self, IsTerminal as _, Write as _},
    path::Path,
    time::{Duration, Instant, SystemTime},
};

use tracing::warn;
use tracing_subscriber::EnvFilter;

use super::{Failure, ServiceCommand, TokenArgs};
use crate::{
    admin::{
        desk::{Answer, Desk, Request},
        socket,
    },
    config::{Config, DEFAULT_FILE, Loaded},
    portal::{
        tls,
        token::{Grants, Tokens},
    },
    server,
    store::{Store, StoreError},
};

/// What other crates say too much of: rtc-dtls warns of every packet of a peer that has gone.
const QUIET: &str = "rtc_dtls=error";

/// How long to look for a server that has the store open but does not answer yet, because it is
/// just starting or ending.
const SEARCH: Duration = Duration::from_secs(5);

pub(super) fn serve(Loaded { config, warnings }: &Loaded) -> Result<(), Failure> {
    start_log(&config.log.level);
    for warning in &warnings.0 {
        warn!("{warning}");
    }
    server::run(config).map_err(|error| Failure::of(&error))
}

pub(super) fn check(
    Loaded { config, warnings }: &Loaded,
    named: Option<&Path>,
) -> Result<(), Failure> {
    for warning in &warnings.0 {
        writeln!(io::stderr(), "warning: {warning}")?;
    }
    let identity = tls::identity(&config.portal, SystemTime::now());
    let identity = identity.map_err(|error| Failure::of_config(&error))?;
    if let Some(untimely) = identity.and_then(|identity| identity.untimely) {
        return Err(Failure::of_config(&untimely));
    }
    let file = named.unwrap_or(Path::new(DEFAULT_FILE));
    if file.exists() {
        say(&format!("{} has no problems", file.display()))
    } else {
        say(&format!("there is no {} here, so the defaults hold", file.display()))
    }
}

pub(super) fn token(config: &Config, args: TokenArgs) -> Result<(), Failure> {
    let TokenArgs { room, user, role, jwt } = args;
    match ask(config, Request::IssueToken { room, user, role, jwt })? {
        Answer::Token(token) => say(&token),
        other @ (Answer::Service { .. }
        | Answer::Services(_)
        | Answer::Removed
        | Answer::Refused(_)) => Err(unexpected(other)),
    }
}

pub(super) fn service(config: &Config, command: ServiceCommand) -> Result<(), Failure> {
    let request = match command {
        ServiceCommand::Create { name } => Request::CreateService { name },
        ServiceCommand::List => Request::ListServices,
        ServiceCommand::Remove { id } => Request::RemoveService { id },
    };
    match ask(config, request)? {
        Answer::Service { id, key } => say(&format!("id: {id}\nkey: {key}")),
        Answer::Services(services) => {
            let mut out = io::stdout().lock();
            for service in services {
                writeln!(out, "{}\t{}", service.id, service.name)?;
            }
            Ok(())
        }
        Answer::Removed => Ok(()),
        other @ (Answer::Token(_) | Answer::Refused(_)) => Err(unexpected(other)),
    }
}

fn unexpected(answer: Answer) -> Failure {
    match answer {
        Answer::Refused(why) => Failure::of(&why),
        Answer::Token(_) | Answer::Service { .. } | Answer::Services(_) | Answer::Removed => {
            Failure::of(&"the running server is of another release; restart it")
        }
    }
}

/// Asks the running server; if there is none, does it here.
fn ask(config: &Config, request: Request) -> Result<Answer, Failure> {
    start_log("error");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let directory = &config.store.path;
    let deadline = Instant::now() + SEARCH;
    runtime.block_on(async {
        loop {
            let asked = socket::ask(directory, &request).await.map_err(|error| {
                let text = format!("the running server does not answer: {error}");
                Failure::of(&text)
            })?;
            if let Some(answer) = asked {
                return Ok(answer);
            }
            match Store::open(directory) {
                Ok(store) => return Ok(desk(store, config).answer(request).await),
                // Opening has waited a while already.
                Err(StoreError::InUse { .. }) if Instant::now() < deadline => {}
                Err(error) => return Err(Failure::of(&error)),
            }
        }
    })
}

fn desk(store: Store, config: &Config) -> Desk {
    let portal = &config.portal;
    let host = portal.public_host(portal.address());
    let tokens = Tokens::new(store.clone(), host, portal.public_secure());
    Desk::new(store, Grants::new(tokens, config))
}

fn start_log(level: &str) {
    let filter = EnvFilter::new(format!("{QUIET},{level}"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
}

fn say(text: &str) -> Result<(), Failure> {
    writeln!(io::stdout(), "{text}")?;
    Ok(())
}

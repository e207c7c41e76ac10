//! `[log]`: what is written about the server's doings.

use tracing_subscriber::EnvFilter;

use super::keys::{Keys, Section};

/// What is written about the server's doings, on standard error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// A level, or directives such as `info,portico::room=debug`.
    pub level: String,
}

impl Section for Log {
    const NAME: &'static str = "log";

    fn read(keys: &mut Keys<'_, '_>) -> Self {
        let wanted = "\"error\", \"warn\", \"info\", \"debug\" or \"trace\", or directives such as \
                      \"info,portico::room=debug\"";
        Self { level: keys.parsed("level", "info".into(), wanted, level) }
    }
}

fn level(text: &str) -> Result<String, String> {
    // A filter takes any lone word for a module's name, so a misspelt level would silence all.
    let lone_word = !text.contains(['=', ',', '[']);
    let levels = ["off", "error", "warn", "info", "debug", "trace"];
    if lone_word && !levels.contains(&text) {
        return Err(format!("{text:?} is not a level"));
    }
    match EnvFilter::builder().parse(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

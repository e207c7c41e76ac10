//! The server's binary; everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    portico::cli::run()
}

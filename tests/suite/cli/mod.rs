//! The real binary, in a directory of its own.

mod help;
mod limits;
mod settings;
mod tokens;

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, ChildStderr, Command, Output, Stdio},
};

/// A directory in which commands run, with its own `portal.toml` and store.
pub(crate) struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    /// A directory with these settings; ports of 0 let many servers run at once.
    pub(crate) fn with(settings: &str) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::write(directory.path().join("portal.toml"), settings).expect("written");
        Self { directory }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_portico"));
        command.args(args).current_dir(self.path()).env_clear();
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("it ran")
    }

    /// What a command that works prints, without the line's end.
    pub(crate) fn print(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {errors}");
        String::from_utf8(output.stdout).expect("text").trim_end().to_owned()
    }

    /// What a command that fails says, checking its exit code.
    pub(crate) fn refusal(&self, code: i32, args: &[&str]) -> String {
        let output = self.run(args);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {errors}");
        assert!(output.stdout.is_empty(), "{args:?} printed something");
        errors
    }

    /// A running server, once it listens.
    pub(crate) fn serve(&self) -> Server {
        self.start(self.command(&["serve"]))
    }

    /// A running server with limits that the shell's `ulimit` sets.
    fn serve_within(&self, limit: &str) -> Server {
        let mut command = Command::new("/bin/sh");
        let script = format!("ulimit {limit} && exec \"$0\" serve");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_portico")]);
        command.current_dir(self.path()).env_clear();
        self.start(command)
    }

    fn start(&self, mut command: Command) -> Server {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it started");
        let mut log = BufReader::new(child.stderr.take().expect("piped"));
        let mut said = String::new();
        while !said.contains("portal listens") {
            let read = log.read_line(&mut said).expect("a log");
            assert!(read > 0, "the server ended: {:?}\n{said}", child.wait());
        }
        let last = said.lines().next_back().unwrap_or_default();
        let address = last.split_whitespace().find_map(|word| word.strip_prefix("address="));
        let url = format!("http://{}", address.expect("the address"));
        Server { child, url, said, _log: log }
    }
}

/// A server, killed when it goes out of sight.
pub(crate) struct Server {
    child: Child,
    url: String,
    said: String,
    /// Open, or else the server could not write.
    _log: BufReader<ChildStderr>,
}

impl Server {
    /// Where clients go.
    pub(crate) fn http_url(&self) -> &str {
        &self.url
    }

    /// What it wrote into its log until it listened.
    pub(crate) fn said(&self) -> &str {
        &self.said
    }

    /// As `kill -9` does.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("ended");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

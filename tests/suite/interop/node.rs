//! Runs a script of `tests/interop` with Node.js.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    task::JoinHandle,
    time::timeout,
};

/// The scripts have shorter deadlines of their own, whose messages say more.
const PATIENCE: Duration = Duration::from_secs(150);

/// Where the scripts are.
pub(super) fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop")
}

/// Runs a script to its end and returns its last line, which is JSON.
///
/// # Panics
/// When the script fails; the message has all that it printed.
pub(crate) async fn run(script: &str, arguments: &[&str]) -> Value {
    Script::start(script, arguments).end().await
}

/// A script that runs, and waits for its test where the scenario says so.
pub(super) struct Script {
    name: String,
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    errors: JoinHandle<String>,
    said: Vec<String>,
}

impl Script {
    pub(super) fn start(script: &str, arguments: &[&str]) -> Self {
        assert!(
            scripts().join("node_modules/.package-lock.json").exists(),
            "the npm clients are not installed; run scripts/setup.sh --tests"
        );
        let mut child = Command::new("node")
            .current_dir(scripts())
            .arg(script)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("Node.js starts");
        let input = child.stdin.take().expect("piped");
        let output = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut stderr = child.stderr.take().expect("piped");
        let errors = tokio::spawn(async move {
            let mut text = Vec::new();
            // What was read until then is worth more than why it broke off.
            drop(stderr.read_to_end(&mut text).await);
            String::from_utf8_lossy(&text).into_owned()
        });
        let name = format!("{script} {arguments:?}");
        Self { name, child, input, output, errors, said: Vec::new() }
    }

    /// Waits until the script has come to a place where it waits.
    pub(super) async fn reached(&mut self, place: &str) {
        while let Some(line) = self.line().await {
            if line == place {
                return;
            }
        }
        let fate = self.fate().await;
        panic!("{} ended before {place}:\n{fate}", self.name);
    }

    /// Lets it go on.
    pub(super) async fn go_on(&mut self) {
        self.input.write_all(b"\n").await.expect("the script waits");
    }

    /// Waits for its end; yields its last line, which is JSON.
    pub(super) async fn end(mut self) -> Value {
        while self.line().await.is_some() {}
        let status = timeout(PATIENCE, self.child.wait()).await;
        let status = status.expect("the script ends in time").expect("it is a child");
        let fate = self.fate().await;
        assert!(status.success(), "{} ended with {status}:\n{fate}", self.name);
        let last = self.said.last().expect("a result line");
        serde_json::from_str(last).expect("the result is JSON")
    }

    async fn line(&mut self) -> Option<String> {
        let line = timeout(PATIENCE, self.output.next_line()).await;
        let line = line.unwrap_or_else(|_| panic!("{} says nothing: {:?}", self.name, self.said));
        let line = line.expect("its output can be read")?;
        self.said.push(line.clone());
        Some(line)
    }

    /// All that it printed; it must have ended.
    async fn fate(&mut self) -> String {
        let errors = (&mut self.errors).await.expect("they were read");
        format!("{}\n{errors}", self.said.join("\n"))
    }
}

//! Runs a script of `tests/interop` with Node.js.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use serde_json::Value;
use tokio::{process::Command, time::timeout};

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
pub(super) async fn run(script: &str, arguments: &[&str]) -> Value {
    assert!(
        scripts().join("node_modules/.package-lock.json").exists(),
        "the npm clients are not installed; run scripts/setup.sh --tests"
    );
    let child = Command::new("node")
        .current_dir(scripts())
        .arg(script)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("Node.js starts");
    let output = timeout(PATIENCE, child.wait_with_output()).await;
    let output = output.expect("the script ends in time").expect("its output can be read");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{script} {arguments:?} ended with {}:\n{said}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr),
    );
    let last = said.lines().last().expect("a result line");
    serde_json::from_str(last).expect("the result is JSON")
}

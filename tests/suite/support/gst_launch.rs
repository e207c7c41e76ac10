//! GStreamer's command-line tool.

use std::process::Stdio;

use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// Starts a pipeline, which ends with the child.
pub(crate) fn launch(pipeline: &str) -> (Child, ChildStdin, ChildStdout) {
    let mut command = Command::new("gst-launch-1.0");
    command.arg("-q").args(pipeline.split_ascii_whitespace());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().expect("GStreamer's tools are installed");
    let input = child.stdin.take().expect("piped");
    let output = child.stdout.take().expect("piped");
    (child, input, output)
}

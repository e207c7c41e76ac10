//! A process that is measured: started on its core, spoken to in lines, ended with its owner.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

use super::Result;

/// The process.
pub(crate) struct Program {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
}

impl Program {
    /// Starts it. `on_line` is called on another thread after each line that it has written.
    pub(crate) fn start(mut command: Command, on_line: impl Fn() + Send + 'static) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{command:?} does not start: {error}"))?;
        let input = child.stdin.take().ok_or("no standard input")?;
        let output = child.stdout.take().ok_or("no standard output")?;
        let (lines_in, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(std::io::Result::ok) {
                if lines_in.send(line).is_err() {
                    break;
                }
                on_line();
            }
        });
        Ok(Self { child, input, lines })
    }

    /// Its process id: `taskset` becomes the program that it places.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Writes a line to its standard input.
    pub(crate) fn tell(&mut self, line: &str) -> Result<()> {
        self.input.write_all(line.as_bytes())?;
        self.input.write_all(b"\n")?;
        self.input.flush()?;
        Ok(())
    }

    /// The next line that it has written, if there is one.
    pub(crate) fn line(&self) -> Option<String> {
        self.lines.try_recv().ok()
    }

    /// Waits for its next line.
    pub(crate) fn next_line(&self, patience: Duration) -> Result<String> {
        self.lines.recv_timeout(patience).map_err(|_| "a program is silent for too long".into())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

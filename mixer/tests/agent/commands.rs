//! The command line.

use std::process::{Command, Output, Stdio};

fn run(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portico-mixer"));
    command.args(args).stdin(Stdio::null()).output().expect("it runs")
}

#[test]
fn help_says_how_to_serve_other_machines() {
    let output = run(&["--help"]);
    assert!(output.status.success());
    let help = String::from_utf8(output.stdout).expect("text");
    for word in [
        "--probe",
        "On another machine than the server",
        "--listen <ADDR:PORT>",
        "--ca <PATH>",
        "--certificate <PATH>",
        "--key <PATH>",
        "--max-rooms <NUMBER>",
        "Examples:",
        "PORTICO_MIXER_LOG",
    ] {
        assert!(help.contains(word), "{word} is missing in:\n{help}");
    }
}

fn refusal(args: &[&str]) -> (Option<i32>, String) {
    let output = run(args);
    assert!(output.stdout.is_empty(), "{args:?} printed something");
    (output.status.code(), String::from_utf8(output.stderr).expect("text"))
}

#[test]
fn listening_needs_certificates() {
    let (code, error) = refusal(&["--listen", "127.0.0.1:0"]);
    assert_eq!(code, Some(2));
    for word in ["--ca <PATH>", "--certificate <PATH>", "--key <PATH>"] {
        assert!(error.contains(word), "{word} is missing in:\n{error}");
    }
    let (code, _) = refusal(&["--ca", "ca.pem"]);
    assert_eq!(code, Some(2), "certificates without --listen mean nothing");
    let missing = ["--ca", "/none/ca.pem", "--certificate", "/none/c.pem", "--key", "/none/k.pem"];
    let (code, error) = refusal(&[&["--listen", "127.0.0.1:0"], &missing[..]].concat());
    assert_eq!(code, Some(1));
    assert!(error.contains("portico-mixer: /none/ca.pem cannot be read"), "{error}");
}

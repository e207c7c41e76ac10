//! What the command line says of itself, and its exit codes.

use super::Place;

#[test]
fn help_tells_commands_exit_codes_and_variables() {
    let place = Place::with("");
    let help = place.print(&["--help"]);
    for word in
        ["serve", "check", "token", "service", "--config", "Exit codes", "PORTICO__PORTAL__PORT"]
    {
        assert!(help.contains(word), "{word} is missing in:\n{help}");
    }
    let help = place.print(&["token", "--help"]);
    for word in ["--room", "--user", "--role", "--jwt", "--config"] {
        assert!(help.contains(word), "{word} is missing in:\n{help}");
    }
}

#[test]
fn wrong_usage_is_2() {
    let place = Place::with("");
    place.refusal(2, &["token", "--room", "demo"]);
    place.refusal(2, &["dance"]);
    place.refusal(2, &[]);
    place.refusal(2, &["service"]);
}

#[test]
fn a_failure_is_4() {
    let place = Place::with("");
    std::fs::write(place.path().join("data"), "not a directory").expect("written");
    let error = place.refusal(4, &["service", "list"]);
    assert!(error.contains("cannot be opened"), "{error}");
}

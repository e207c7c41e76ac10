//! Settings as the binary finds them.

use super::Place;

#[test]
fn without_a_file_the_defaults_hold() {
    let place = Place::with("");
    std::fs::remove_file(place.path().join("portal.toml")).expect("removed");
    assert_eq!(place.print(&["check"]), "there is no portal.toml here, so the defaults hold");
    let error = place.refusal(3, &["check", "--config", "portal.toml"]);
    assert!(error.starts_with("portal.toml: this file cannot be read"), "{error}");
}

#[test]
fn every_command_takes_a_configuration_before_or_after_it() {
    let place = Place::with("");
    std::fs::write(place.path().join("bad.toml"), "[portal]\nport = \"x\"\n").expect("written");
    let commands: [&[&str]; 4] = [
        &["serve"],
        &["check"],
        &["token", "--room", "demo", "--user", "u", "--role", "viewer"],
        &["service", "list"],
    ];
    for command in commands {
        let before = [&["--config", "bad.toml"], command].concat();
        let after = [command, &["--config", "bad.toml"]].concat();
        for args in [before, after] {
            let error = place.refusal(3, &args);
            assert!(error.starts_with("bad.toml:2: portal.port: "), "{args:?}: {error}");
        }
    }
}

#[test]
fn check_tells_every_problem() {
    let place = Place::with("[portal]\nprot = 1\nssl = 3\n[nonsense]\n");
    let output = place.command(&["check"]).env("PORTICO__MEDIA__WORKERS", "-1").output();
    let output = output.expect("it ran");
    assert_eq!(output.status.code(), Some(3));
    let errors = String::from_utf8(output.stderr).expect("text");
    let starts = [
        "portal.toml:4: [nonsense]: ",
        "portal.toml:3: portal.ssl: ",
        "portal.toml:2: portal.prot: there is no such key; did you mean `port`?",
        "PORTICO__MEDIA__WORKERS: media.workers: -1 is out of range; ",
    ];
    for start in starts {
        assert!(errors.lines().any(|line| line.starts_with(start)), "{start} in:\n{errors}");
    }
    assert_eq!(errors.lines().count(), starts.len(), "{errors}");
}

#[test]
fn check_opens_the_certificate() {
    let place = Place::with("[portal]\nssl = true\nkeystorePath = \"c.pfx\"\n");
    let error = place.refusal(3, &["check"]);
    assert!(error.contains("there is no file"), "{error}");
    std::fs::write(place.path().join("c.pfx"), "no certificate").expect("written");
    let error = place.refusal(3, &["check"]);
    assert!(error.contains("c.pfx does not open as a PFX file"), "{error}");
}

#[test]
fn the_shipped_file_is_valid() {
    let place = Place::with(include_str!("../../../portal.toml"));
    assert_eq!(place.print(&["check"]), "portal.toml has no problems");
}

#[test]
fn what_only_owt_has_is_warned_of() {
    let place = Place::with("[portal]\nport = 0\n[rabbit]\nport = 1\n[media]\nudp_port = 0\n");
    let output = place.run(&["check"]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let expected = "warning: portal.toml:4: rabbit.port: this key is OWT's and has no effect; \
                    remove it: no message queue is needed\n";
    assert_eq!(errors, expected);
    let server = place.serve();
    assert!(server.said().contains("portal.toml:4: rabbit.port: "), "{}", server.said());
}

//! The connection's life, and the sandbox.

use std::time::Duration;

use portico_mixer_protocol::{
    Codec, Encoding, FromAgent, Kind, Scope, ToAgent, VERSION, VideoCodec,
};

use crate::harness::{Agent, format, picture, video};

#[test]
fn another_version_is_told_ours_and_left() {
    let agent = Agent::start_silent();
    agent.send(ToAgent::Hello { version: VERSION + 1 });
    agent.wait_for("our version", |m| matches!(m, FromAgent::Ready { version: VERSION, .. }));
    assert_eq!(agent.exit_code(), Some(1));
}

#[test]
fn the_agent_ends_when_told_to_or_left_alone() {
    let agent = Agent::start();
    agent.send(ToAgent::Shutdown);
    assert_eq!(agent.exit_code(), Some(0));
    let agent = Agent::start();
    agent.create_view(1, picture(640, 360));
    agent.open_video(1, 1, picture(640, 360));
    agent.hang_up();
    assert_eq!(agent.exit_code(), Some(0));
}

#[test]
fn what_is_no_message_is_refused_and_what_is_no_frame_ends_it() {
    let agent = Agent::start();
    for payload in [&b"{\"message\":\"dance\"}"[..], b"\xff\xfe", b"", b"{\"message\":\"ping\"}"] {
        agent.sender.raw(Kind::Control, 0, Duration::ZERO, payload);
    }
    agent.settle();
    let refused = agent.received(|received| {
        let refusal = |m: &&FromAgent| matches!(m, FromAgent::Failed { scope: Scope::Message, .. });
        received.messages.iter().filter(refusal).count()
    });
    assert_eq!(refused, 4);
    agent.sender.garbage(&[0xff; 64]);
    assert_eq!(agent.exit_code(), Some(1));
}

#[test]
fn an_output_that_cannot_be_is_refused() {
    let agent = Agent::start();
    agent.create_view(1, picture(640, 360));
    agent.send(ToAgent::CreateView { view: 2, picture: None });
    let good = video(VideoCodec::Vp8, 640, 360, 30);
    let outputs = [
        (1, 1, video(VideoCodec::Av1, 640, 360, 30)),
        (2, 1, video(VideoCodec::Vp8, 641, 360, 30)),
        (3, 1, video(VideoCodec::Vp8, 640, 1_000_000, 30)),
        (4, 2, good.clone()),
        (5, 7, good),
    ];
    for (output, view, encoding) in outputs {
        agent.send(ToAgent::OpenOutput { output, view, encoding });
        agent.wait_for(
            "the refusal",
            |m| matches!(m, FromAgent::Failed { scope: Scope::Output(of), .. } if *of == output),
        );
    }
    let encoding =
        Encoding::Audio { codec: portico_mixer_protocol::AudioCodec::Opus, without: Vec::new() };
    assert_eq!(agent.open(6, 2, encoding).clock_rate, 48_000);
}

#[test]
fn an_input_that_cannot_be_decoded_is_told_of() {
    let agent = Agent::start();
    let view = picture(640, 360);
    agent.create_view(1, view);
    let format = format(Codec::Video(VideoCodec::Av1));
    agent.send(ToAgent::AddInput { input: 1, source: None, format, label: None });
    let regions = crate::harness::grid(&[1]);
    agent.send(ToAgent::SetLayout { view: 1, sequence: 1, regions });
    agent.open_video(1, 1, view);
    agent
        .wait_for("the failure", |m| matches!(m, FromAgent::Failed { scope: Scope::Input(1), .. }));
}

#[test]
fn the_agent_has_no_more_rights_than_it_needs() {
    let agent = Agent::start();
    let read = |file: &str| {
        std::fs::read_to_string(format!("/proc/{}/{file}", agent.pid())).expect("the agent lives")
    };
    let status = read("status");
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a field");
        line.trim().to_owned()
    };
    assert_eq!(field("NoNewPrivs:"), "1");
    assert_eq!(field("Seccomp:"), "2");
    let limits = read("limits");
    let limit = |name: &str| {
        let line = limits.lines().find(|line| line.starts_with(name)).expect("a limit");
        line[26..].split_whitespace().next().expect("a number").to_owned()
    };
    assert_eq!(limit("Max core file size"), "0");
    assert_eq!(limit("Max data size"), (4096_u64 << 20).to_string());
    assert!(limit("Max open files").parse::<u64>().expect("a number") <= 4096);
}

//! Sound: who hears whom.

use portico_mixer_protocol::{AudioCodec, Encoding, FromAgent, Scope, ToAgent};

use crate::harness::{Agent, PATIENCE};
use crate::media::{add_tone, tone};
use crate::probe::Listener;

/// A view of sound alone with some inputs.
fn room(inputs: &[u32], loudest: u32) -> Agent {
    let agent = Agent::start();
    agent.send(ToAgent::CreateView { view: 1, picture: None });
    agent.send(ToAgent::SetSound { view: 1, inputs: inputs.to_vec(), loudest });
    agent
}

fn listen(agent: &Agent, output: u32, without: &[u32]) -> Listener {
    let encoding = Encoding::Audio { codec: AudioCodec::Opus, without: without.to_vec() };
    Listener::start(agent, output, &agent.open(output, 1, encoding))
}

#[test]
fn everyone_hears_all_others_and_not_themselves() {
    let inputs = [1, 2, 3, 4];
    let agent = room(&inputs, 0);
    let sources: Vec<_> = inputs.iter().map(|n| add_tone(&agent, *n, 0.2)).collect();
    let all = listen(&agent, 10, &[]);
    let tones: Vec<f64> = inputs.iter().map(|n| tone(*n)).collect();
    all.wait(&tones, &[300.0, 3000.0]);
    for own in inputs {
        let others: Vec<f64> = inputs.iter().filter(|n| **n != own).map(|n| tone(*n)).collect();
        listen(&agent, 20 + own, &[own]).wait(&others, &[tone(own), 300.0]);
    }
    // One falls silent without a word, one pauses, one leaves.
    sources[0].stall(true);
    all.wait(&[tone(2), tone(3), tone(4)], &[tone(1)]);
    agent.send(ToAgent::SetInputActive { input: 2, active: false });
    all.wait(&[tone(3), tone(4)], &[tone(1), tone(2)]);
    agent.send(ToAgent::SetInputActive { input: 2, active: true });
    agent.send(ToAgent::RemoveInput { input: 3 });
    all.wait(&[tone(2), tone(4)], &[tone(1), tone(3)]);
}

#[test]
fn whoever_has_two_sounds_hears_neither() {
    let agent = room(&[1, 2, 3], 0);
    let _sources = [1, 2, 3].map(|n| add_tone(&agent, n, 0.2));
    // Named twice, a voice is left out once.
    let own = listen(&agent, 10, &[2, 1, 2]);
    own.wait(&[tone(3)], &[tone(1), tone(2), 300.0]);
    // It gives one of them up to somebody else.
    agent.send(ToAgent::SetWithout { output: 10, without: vec![1] });
    own.wait(&[tone(2), tone(3)], &[tone(1)]);
    agent.send(ToAgent::SetWithout { output: 10, without: vec![1, 2, 3] });
    own.wait(&[], &[tone(1), tone(2), tone(3)]);
    agent.send(ToAgent::SetWithout { output: 11, without: vec![] });
    agent.wait_for("a refusal", |m| matches!(m, FromAgent::Failed { scope: Scope::Message, .. }));
}

#[test]
fn only_the_loudest_are_heard() {
    let agent = room(&[1, 2, 3], 2);
    let _sources = [(1, 0.3), (2, 0.3), (3, 0.07)].map(|(n, volume)| add_tone(&agent, n, volume));
    let all = listen(&agent, 10, &[]);
    all.wait(&[tone(1), tone(2)], &[tone(3)]);
    agent.send(ToAgent::SetInputActive { input: 1, active: false });
    all.wait(&[tone(3), tone(2)], &[tone(1)]);
    agent.send(ToAgent::SetSound { view: 1, inputs: vec![1, 2, 3], loudest: 0 });
    agent.send(ToAgent::SetInputActive { input: 1, active: true });
    all.wait(&[tone(1), tone(2), tone(3)], &[]);
}

#[test]
fn the_loudest_is_told_when_it_changes() {
    let agent = room(&[1, 2], 0);
    let loudest = |input| {
        agent.wait_for("the loudest", |m| *m == FromAgent::Loudest { view: 1, input });
    };
    let first = add_tone(&agent, 1, 0.1);
    loudest(1);
    let _second = add_tone(&agent, 2, 0.5);
    loudest(2);
    first.stall(true);
    agent.settle();
    let told = agent
        .received(|r| r.messages.iter().filter(|m| matches!(m, FromAgent::Loudest { .. })).count());
    assert_eq!(told, 2);
}

#[test]
fn sound_goes_on_when_nobody_speaks() {
    let agent = room(&[], 0);
    let all = listen(&agent, 10, &[]);
    let blocks = all.blocks(48_000);
    let (first, last) = (blocks[0].0, blocks[blocks.len() - 1].0);
    assert!((last - first).as_secs_f64() < 1.2, "a second of silence takes a second");
    assert!(blocks.iter().flat_map(|(_, samples)| samples).all(|sample| sample.abs() < 0.001));
    assert!(PATIENCE > last - first);
}

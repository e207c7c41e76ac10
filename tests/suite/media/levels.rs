//! How loud publishers say that they are.

use portico::media::Event;

use super::stage::{Stage, peer};
use crate::support::media_peer::{Codec, Pace};

/// The next level that a stream has and that is wanted.
async fn level(stage: &mut Stage, of: &str, wanted: impl Fn(i8) -> bool) -> i8 {
    stage
        .event_that(|_, event| {
            let Event::Level { stream, decibels } = event else { return None };
            (stream.as_str() == of && wanted(*decibels)).then_some(*decibels)
        })
        .await
}

#[tokio::test]
async fn levels_are_told_of_whoever_sends_them() {
    let mut stage = Stage::new();
    let (_silent, without) = stage.published(Codec::OPUS, "without").await;
    let _without = without.run(Pace::AUDIO);

    let mut publisher = peer(&[Codec::OPUS, Codec::VP8]).await;
    let mut sound = publisher.add_source(Codec::OPUS).await;
    let picture = publisher.add_source(Codec::VP8).await;
    stage.publish(&mut publisher, "pub").await;
    let _picture = picture.run(Pace::VIDEO);
    sound.level = Some(30);
    let running = sound.run(Pace::AUDIO);
    assert_eq!(level(&mut stage, "pub", |_| true).await, -30);
    // Steady sound is told again, so that its end can be noticed.
    assert_eq!(level(&mut stage, "pub", |_| true).await, -30);
    let mut sound = running.stop().await;
    sound.level = Some(10);
    let running = sound.run(Pace::AUDIO);
    level(&mut stage, "pub", |decibels| decibels >= -13).await;
    let mut sound = running.stop().await;
    sound.level = Some(127);
    let _sound = sound.run(Pace::AUDIO);
    level(&mut stage, "pub", |decibels| decibels < -50).await;

    let told = |event: &Event| {
        let Event::Level { stream, .. } = event else { return false };
        stream.as_str() == "without"
    };
    assert!(!stage.heard().any(told), "no level is made up");
}

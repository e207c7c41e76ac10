//! Pictures of the time, from which a player can tell how late they are.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::{io::AsyncWriteExt as _, process::ChildStdin};

/// The size of a picture in pixels, and how many there are.
pub(crate) const WIDTH: usize = 320;
pub(crate) const HEIGHT: usize = 240;
pub(crate) const FRAMES_PER_SECOND: u32 = 20;

/// Bars in the picture: a white one and a black one, then as many bits, the highest first, of the
/// time in milliseconds since 1970.
const GUARDS: usize = 2;
const BITS: usize = 18;
const BAR_WIDTH: usize = WIDTH / (GUARDS + BITS);

/// Feeds an encoder with pictures of the time.
pub(crate) async fn draw(mut encoder: ChildStdin) {
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / FRAMES_PER_SECOND);
    let mut frame = vec![128; WIDTH * HEIGHT * 3 / 2];
    loop {
        ticks.tick().await;
        let ms = now().as_millis();
        let row: Vec<u8> = (0..WIDTH)
            .map(|x| match x / BAR_WIDTH {
                0 => 235,
                1 => 16,
                bar if ms >> (GUARDS + BITS - 1 - bar) & 1 == 1 => 235,
                _ => 16,
            })
            .collect();
        for line in frame[..WIDTH * HEIGHT].chunks_mut(WIDTH) {
            line.copy_from_slice(&row);
        }
        if encoder.write_all(&frame).await.is_err() {
            return;
        }
    }
}

/// The time since 1970.
pub(crate) fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970")
}

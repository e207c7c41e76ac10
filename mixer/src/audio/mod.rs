//! Sound: a block of 20 ms at a time. Each input is a queue of samples; each listener hears the sum
//! of the loudest without themselves.

mod level;
mod playout;
mod sum;
mod ticker;

pub use self::level::{Level, Selector};
pub use self::playout::Playout;
pub use self::sum::{Block, Sum};
pub(crate) use self::ticker::{SoundInput, SoundPlan, SoundTicker, SoundView};

use std::time::Duration;

/// Samples per second and channel.
pub const RATE: u32 = 48_000;

/// Channels, interleaved.
pub const CHANNELS: usize = 2;

/// How long a block sounds.
pub const BLOCK: Duration = Duration::from_millis(20);

/// Samples of both channels in a block.
pub const BLOCK_SAMPLES: usize = 960 * CHANNELS;

//! The load: clips that play as many inputs at once, each in real time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::clip::Clip;

/// Where packets of inputs go. Nothing stops the load when it fails: a measured process that has
/// gone shows by what it does not give out.
pub(super) trait Sink: Send + 'static {
    /// Takes a packet of an input.
    fn packet(&mut self, input: usize, packet: &[u8]);
    /// All of a moment were given.
    fn flush(&mut self);
}

/// Inputs that play until this is dropped.
pub(super) struct Feeder {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Feeder {
    /// Plays clips in turn as so many inputs, `per_second` frames each. Inputs are spread evenly
    /// over the time of a frame.
    pub(super) fn start(
        clips: Vec<Arc<Clip>>,
        inputs: usize,
        per_second: u32,
        mut sink: impl Sink,
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let slots = u64::try_from(inputs).expect("some inputs");
        let thread = thread::spawn(move || {
            let start = Instant::now();
            let mut sequences = vec![0_u16; inputs];
            for slot in 0_u64.. {
                let due =
                    Duration::from_nanos(slot * 1_000_000_000 / (slots * u64::from(per_second)));
                thread::sleep(due.saturating_sub(start.elapsed()));
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                let (input, number) = ((slot % slots) as usize, slot / slots);
                let clip = &clips[input % clips.len()];
                let frame = &clip.frames[number as usize % clip.frames.len()];
                let timestamp = (number as u32).wrapping_mul(clip.ticks);
                for packet in frame {
                    let mut packet = packet.clone();
                    stamp(&mut packet, sequences[input], timestamp);
                    sequences[input] = sequences[input].wrapping_add(1);
                    sink.packet(input, &packet);
                }
                sink.flush();
            }
        });
        Self { stop, thread: Some(thread) }
    }
}

/// Writes sequence number and RTP time into a packet.
pub(super) fn stamp(packet: &mut [u8], sequence: u16, timestamp: u32) {
    packet[2..4].copy_from_slice(&sequence.to_be_bytes());
    packet[4..8].copy_from_slice(&timestamp.to_be_bytes());
}

impl Drop for Feeder {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // A panic of the load has been printed.
        drop(self.thread.take().map(JoinHandle::join));
    }
}

//! Movie fragments.

use super::boxes::{put, put_full, u32, u32s};

/// A sample of a fragment.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    /// In units of its track's time.
    pub(super) duration: u32,
    /// Whether it can be decoded alone.
    pub(super) key: bool,
    pub(super) bytes: Vec<u8>,
}

/// A track's share of a fragment.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) track: u32,
    /// When its first sample is decoded, in units of its track's time.
    pub(super) time: u64,
    pub(super) samples: Vec<Sample>,
}

/// Sample flags (ISO/IEC 14496-12, 8.8.3.1): depends on no other sample.
const KEY: u32 = 0x0200_0000;
/// Sample flags: depends on others, and is none to begin with.
const DELTA: u32 = 0x0101_0000;

/// `tfhd`: offsets count from the fragment's begin.
const BASE_IS_MOOF: u32 = 0x02_0000;
/// `trun`: data offset, and each sample's duration, size and flags.
const RUN_FLAGS: u32 = 0x01 | 0x100 | 0x200 | 0x400;

/// Writes a fragment of the tracks that have samples.
pub(super) fn write(sequence: u32, runs: &[Run]) -> Vec<u8> {
    let runs = || runs.iter().filter(|run| !run.samples.is_empty());
    let bytes_of = |run: &Run| run.samples.iter().map(|sample| sample.bytes.len()).sum::<usize>();
    let media: usize = runs().map(bytes_of).sum();
    let mut out = Vec::with_capacity(media + 4096);
    let mut offsets = Vec::new();
    put(&mut out, b"moof", |out| {
        put_full(out, b"mfhd", 0, 0, |out| u32(out, sequence));
        for run in runs() {
            put(out, b"traf", |out| {
                put_full(out, b"tfhd", 0, BASE_IS_MOOF, |out| u32(out, run.track));
                put_full(out, b"tfdt", 1, 0, |out| out.extend(run.time.to_be_bytes()));
                put_full(out, b"trun", 0, RUN_FLAGS, |out| {
                    u32(out, number(run.samples.len()));
                    offsets.push(out.len());
                    u32(out, 0);
                    for Sample { duration, key, bytes } in &run.samples {
                        u32s(
                            out,
                            &[*duration, number(bytes.len()), if *key { KEY } else { DELTA }],
                        );
                    }
                });
            });
        }
    });
    let mut data = out.len() + 8;
    for (run, at) in runs().zip(offsets) {
        out[at..at + 4].copy_from_slice(&number(data).to_be_bytes());
        data += bytes_of(run);
    }
    put(&mut out, b"mdat", |out| {
        for sample in runs().flat_map(|run| &run.samples) {
            out.extend_from_slice(&sample.bytes);
        }
    });
    out
}

fn number(count: usize) -> u32 {
    u32::try_from(count).expect("fragments are bounded far below 4 GiB")
}

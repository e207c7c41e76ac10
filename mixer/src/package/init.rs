//! Initialization sections: what the fragments that follow hold.

use super::boxes::{put, put_full, u16, u32, u32s};
use super::{SOUND_TRACK, SoundSetup, VIDEO_TRACK, VideoSetup};
use crate::audio::CHANNELS;

/// The unity matrix of a picture that is shown as it is.
const MATRIX: [u32; 9] = [0x0001_0000, 0, 0, 0, 0x0001_0000, 0, 0, 0, 0x4000_0000];

/// Track flags: enabled, and in the presentation.
const SHOWN: u32 = 3;

/// The initialization section of a movie of these tracks.
pub(super) fn write(video: Option<&VideoSetup>, sound: Option<&SoundSetup>) -> Vec<u8> {
    let mut out = Vec::with_capacity(1024);
    put(&mut out, b"ftyp", |out| {
        out.extend(b"iso6");
        u32(out, 0);
        out.extend(b"iso6cmfcmp41");
    });
    put(&mut out, b"moov", |out| {
        put_full(out, b"mvhd", 0, 0, |out| {
            u32s(out, &[0, 0, 1000, 0, 0x0001_0000]);
            u16(out, 0x0100);
            u16(out, 0);
            u32s(out, &[0, 0]);
            u32s(out, &MATRIX);
            u32s(out, &[0; 6]);
            u32(out, SOUND_TRACK + 1);
        });
        if let Some(video) = video {
            write_video(out, video);
        }
        if let Some(sound) = sound {
            write_sound(out, sound);
        }
        put(out, b"mvex", |out| {
            let tracks = [video.map(|_| VIDEO_TRACK), sound.map(|_| SOUND_TRACK)];
            for track in tracks.into_iter().flatten() {
                put_full(out, b"trex", 0, 0, |out| u32s(out, &[track, 1, 0, 0, 0]));
            }
        });
    });
    out
}

fn write_video(out: &mut Vec<u8>, video: &VideoSetup) {
    let (width, height) = (video.width, video.height);
    let track = Track { id: VIDEO_TRACK, timescale: super::VIDEO_TIMESCALE, handler: *b"vide" };
    let size = [u32::from(width) << 16, u32::from(height) << 16];
    track.write(
        out,
        0,
        size,
        |out| put_full(out, b"vmhd", 0, 1, |out| u32s(out, &[0, 0])),
        |out| {
            put(out, b"avc1", |out| {
                u32s(out, &[0, 1, 0, 0, 0, 0]);
                u16(out, width);
                u16(out, height);
                u32s(out, &[0x0048_0000, 0x0048_0000, 0]);
                u16(out, 1);
                out.extend([0; 32]);
                u16(out, 24);
                u16(out, u16::MAX);
                put(out, b"avcC", |out| out.extend(&video.avc_config));
            });
        },
    );
}

fn write_sound(out: &mut Vec<u8>, sound: &SoundSetup) {
    let track = Track { id: SOUND_TRACK, timescale: sound.rate, handler: *b"soun" };
    let media = |out: &mut Vec<u8>| put_full(out, b"smhd", 0, 0, |out| u32(out, 0));
    track.write(out, 0x0100, [0, 0], media, |out| {
        put(out, b"mp4a", |out| {
            u32s(out, &[0, 1, 0, 0]);
            u16(out, u16::try_from(CHANNELS).unwrap_or(2));
            u16(out, 16);
            u32(out, 0);
            u32(out, sound.rate << 16);
            put_full(out, b"esds", 0, 0, |out| descriptor(out, &sound.aac_config));
        });
    });
}

/// The elementary stream descriptor of ISO/IEC 14496-1: AAC, of which `config` is the specific
/// part.
fn descriptor(out: &mut Vec<u8>, config: &[u8]) {
    const ES: u8 = 3;
    const DECODER_CONFIG: u8 = 4;
    const DECODER_SPECIFIC: u8 = 5;
    const SYNC_LAYER: u8 = 6;
    const MPEG4_AUDIO: u8 = 0x40;
    const AUDIO_STREAM: u8 = 5 << 2 | 1;
    let length = |bytes: usize| u8::try_from(bytes).expect("AAC's configuration has a few bytes");
    let config_bytes = length(config.len());
    let decoder_bytes = 13 + 2 + config_bytes;
    out.extend([ES, 3 + 2 + decoder_bytes + 3, 0, 0, 0]);
    out.extend([DECODER_CONFIG, decoder_bytes, MPEG4_AUDIO, AUDIO_STREAM, 0, 0, 0]);
    u32s(out, &[0, 0]);
    out.extend([DECODER_SPECIFIC, config_bytes]);
    out.extend(config);
    out.extend([SYNC_LAYER, 1, 2]);
}

/// What the boxes of every track say.
struct Track {
    id: u32,
    timescale: u32,
    handler: [u8; 4],
}

impl Track {
    fn write(
        &self,
        out: &mut Vec<u8>,
        volume: u16,
        size: [u32; 2],
        media: impl FnOnce(&mut Vec<u8>),
        sample_entry: impl FnOnce(&mut Vec<u8>),
    ) {
        put(out, b"trak", |out| {
            put_full(out, b"tkhd", 0, SHOWN, |out| {
                u32s(out, &[0, 0, self.id, 0, 0, 0, 0, 0]);
                u16(out, volume);
                u16(out, 0);
                u32s(out, &MATRIX);
                u32s(out, &size);
            });
            put(out, b"mdia", |out| {
                put_full(out, b"mdhd", 0, 0, |out| {
                    u32s(out, &[0, 0, self.timescale, 0]);
                    // "und", in three letters of five bits.
                    u16(out, 0x55c4);
                    u16(out, 0);
                });
                put_full(out, b"hdlr", 0, 0, |out| {
                    u32(out, 0);
                    out.extend(self.handler);
                    u32s(out, &[0; 3]);
                    out.push(0);
                });
                put(out, b"minf", |out| {
                    media(out);
                    put(out, b"dinf", |out| {
                        put_full(out, b"dref", 0, 0, |out| {
                            u32(out, 1);
                            put_full(out, b"url ", 0, 1, |_| {});
                        });
                    });
                    put(out, b"stbl", |out| {
                        put_full(out, b"stsd", 0, 0, |out| {
                            u32(out, 1);
                            sample_entry(out);
                        });
                        put_full(out, b"stts", 0, 0, |out| u32(out, 0));
                        put_full(out, b"stsc", 0, 0, |out| u32(out, 0));
                        put_full(out, b"stsz", 0, 0, |out| u32s(out, &[0, 0]));
                        put_full(out, b"stco", 0, 0, |out| u32(out, 0));
                    });
                });
            });
        });
    }
}

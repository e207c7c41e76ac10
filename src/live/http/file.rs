//! The names of files below a track.
//!
//! | who | playlist | initialization | segment 7 | its third part |
//! |---|---|---|---|---|
//! | packagers put | | `init.mp4` | `7.m4s` | `7.2.m4s` |
//! | players get | `playlist.m3u8` | `E-0.mp4` | `E-7.m4s` | `E-7.2.m4s` |
//!
//! `E` tells a broadcast's files from those of earlier ones at the same address.

use crate::live::origin::Piece;

/// What a packager puts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Put {
    Init,
    Segment { msn: u64 },
    Part { msn: u64, index: u32 },
}

/// What a player gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Get {
    Playlist,
    Piece { epoch: u64, piece: Piece },
}

pub(super) fn put(file: &str) -> Option<Put> {
    if file == "init.mp4" {
        return Some(Put::Init);
    }
    let stem = file.strip_suffix(".m4s")?;
    match stem.split_once('.') {
        Some((msn, index)) => Some(Put::Part { msn: number(msn)?, index: number(index)? }),
        None => Some(Put::Segment { msn: number(stem)? }),
    }
}

pub(super) fn get(file: &str) -> Option<Get> {
    if file == "playlist.m3u8" {
        return Some(Get::Playlist);
    }
    let (epoch, rest) = file.split_once('-')?;
    let epoch = u64::from_str_radix(epoch, 16).ok()?;
    let piece = match (rest.strip_suffix(".mp4"), rest.strip_suffix(".m4s")) {
        (Some(map), _) => Piece::Map(number(map)?),
        (None, Some(stem)) => match stem.split_once('.') {
            Some((msn, index)) => Piece::Part(number(msn)?, number(index)?),
            None => Piece::Segment(number(stem)?),
        },
        (None, None) => return None,
    };
    Some(Get::Piece { epoch, piece })
}

/// Digits only, so that each file has one name.
fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_files_are() {
        assert_eq!(put("init.mp4"), Some(Put::Init));
        assert_eq!(put("7.m4s"), Some(Put::Segment { msn: 7 }));
        assert_eq!(put("7.2.m4s"), Some(Put::Part { msn: 7, index: 2 }));
        let piece = |piece| Some(Get::Piece { epoch: 0x1f, piece });
        assert_eq!(get("1f-0.mp4"), piece(Piece::Map(0)));
        assert_eq!(get("1f-7.m4s"), piece(Piece::Segment(7)));
        assert_eq!(get("1f-7.2.m4s"), piece(Piece::Part(7, 2)));
        for other in ["", "7", "7.ts", "+7.m4s", "7.2.1.m4s", "7..m4s", ".m4s", "é.m4s"] {
            assert_eq!(put(other), None, "{other}");
            assert_eq!(get(other), None, "{other}");
        }
        for other in ["x-7.m4s", "-7.m4s", "1f-.mp4", "1f--1.m4s", "99999999999999999-1.m4s"] {
            assert_eq!(get(other), None, "{other}");
        }
    }
}

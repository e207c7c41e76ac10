//! Names of a stream's tracks in protocol 1.2: `<stream>:<kind>`, with `:<rid>` for a simulcast
//! layer. No stream's id has a colon, so a name says by itself which of the two it is of.

use std::sync::Arc;

use crate::{formats::TrackKind, ids::StreamId};

/// The name of a track.
pub(super) fn track_id(stream: &str, kind: TrackKind, rid: Option<&str>) -> String {
    let kind = word(kind);
    match rid {
        None => format!("{stream}:{kind}"),
        Some(rid) => format!("{stream}:{kind}:{rid}"),
    }
}

/// A stream, and one of its simulcast layers if that is named.
pub(super) type TrackSource = (StreamId, Option<Arc<str>>);

/// What a subscription may take a track from: a stream, or one of its tracks. `None` for a text
/// that names nothing here, or a track of another kind.
pub(super) fn source(name: &str, wanted: TrackKind) -> Option<TrackSource> {
    let mut parts = name.splitn(3, ':');
    let stream = parts.next()?.parse().ok()?;
    let kind = parts.next();
    let rid = parts.next().map(Arc::from);
    kind.is_none_or(|kind| kind == word(wanted)).then_some((stream, rid))
}

/// The kind, as the protocol writes it.
pub(super) fn word(kind: TrackKind) -> &'static str {
    match kind {
        TrackKind::Audio => "audio",
        TrackKind::Video => "video",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        let stream: StreamId = "room-1_x".parse().expect("valid");
        for (kind, rid) in
            [(TrackKind::Audio, None), (TrackKind::Video, None), (TrackKind::Video, Some("q:1"))]
        {
            let name = track_id(stream.as_str(), kind, rid);
            assert_eq!(source(&name, kind), Some((stream.clone(), rid.map(Arc::from))));
        }
        assert_eq!(source("room-1_x", TrackKind::Audio), Some((stream, None)));
        assert_eq!(source("room-1_x:audio", TrackKind::Video), None);
        assert_eq!(source("room-1_x:smell", TrackKind::Video), None);
        assert_eq!(source(":audio", TrackKind::Audio), None);
    }
}

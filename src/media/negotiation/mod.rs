//! SDP: reads a client's offer, picks codecs and header extensions, writes the complete answer.
//!
//! Pure: text in, text and an [`Agreement`] out. The rest of the media plane knows no SDP.

mod plan;

pub(crate) use self::plan::*;

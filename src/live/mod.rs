//! Live broadcasts: an origin for low-latency HLS (RFC 8216bis).
//!
//! A packager uploads initialization sections, segments and parts of fragmented MP4, by data
//! signals or by plain `PUT`; players fetch playlists, which the origin writes, and the pieces.
//! [`Broadcast`](broadcast::Broadcast) and what it is made of are pure: uploads in, playlists and
//! pieces out. [`Live`] keeps all of them, bounded as `[live]` says, and wakes players that wait;
//! [`router`] is the way in by HTTP. `docs/protocols/live.md` is its description.

mod access;
mod address;
mod broadcast;
mod date;
mod decode;
mod fault;
mod http;
mod message;
mod origin;
mod playlist;
mod reload;
mod segment;
mod stage;
#[cfg(test)]
mod tests;
mod timeline;
mod upload;

pub(crate) use self::date::iso_8601;
pub use self::{
    access::{Authorizer, Denial, Verdict},
    address::Address,
    fault::Fault,
    http::router,
    origin::Live,
    stage::{Miss, Written},
    upload::{
        About, Init, Media, PartUpload, Place, SegmentUpload, TrackKind, TrackName, TrackUpdate,
        Upload, What,
    },
};

//! Playback: playlists, and the pieces that they name.

use std::collections::HashMap;

use axum::{
    body::Body,
    extract::{Path, Query, State},
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use bytes::Bytes;

use super::{
    Http, Members, credential,
    file::{self, Get},
    reply::Refusal,
    uploading::kind_of,
};
use crate::{
    config::Playback,
    live::{
        access::Denial, address::Address, decode, reload::Awaited, stage::Written,
        upload::TrackName,
    },
};

/// How long a piece may be cached, in seconds: its name is never given to other bytes.
const PIECE_SECS: u32 = 3600;

/// How long a playlist may be cached that a player has waited for, in seconds: enough for a cache
/// to ask once for all of its players.
const PLAYLIST_SECS: u32 = 1;

const PLAYLIST_TYPE: HeaderValue = HeaderValue::from_static("application/vnd.apple.mpegurl");
const PIECE_TYPE: HeaderValue = HeaderValue::from_static("video/mp4");

/// `GET /live/<user>/<stream>/playlist.m3u8`.
pub(super) async fn multivariant(
    State(http): State<Http>,
    Path((user, stream)): Path<(String, String)>,
    Query(members): Members,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let address = Address::parse(&user, &stream).ok_or(Refusal::NowhereAtAll)?;
    if !may_play(&http, &address, &members) {
        http.authorizer.play(&address, credential(&headers, &members)).await?;
    }
    let written = http.live.multivariant(&address)?;
    Ok(playlist(&http, written, &headers, false))
}

/// `GET /live/<user>/<stream>/<kind>/<track>/<file>`.
pub(super) async fn file(
    State(http): State<Http>,
    Path((user, stream, kind, track, file)): Path<(String, String, String, String, String)>,
    Query(members): Members,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let address = Address::parse(&user, &stream).ok_or(Refusal::NowhereAtAll)?;
    let kind = kind_of(&kind).ok_or(Refusal::NowhereAtAll)?;
    let track = decode::track(kind, &track).map_err(|_| Refusal::NowhereAtAll)?;
    let file = file::get(&file).ok_or(Refusal::NowhereAtAll)?;
    if !may_play(&http, &address, &members) {
        let what = "use the addresses in the playlists, which have the key";
        return Err(Denial::Unknown(what.into()).into());
    }
    match file {
        Get::Playlist => track_playlist(&http, &address, &track, &members, &headers).await,
        Get::Piece { epoch, piece } => {
            let data = http.live.piece(&address, &track, epoch, piece).await?;
            Ok(bytes(&http, data))
        }
    }
}

async fn track_playlist(
    http: &Http,
    address: &Address,
    track: &TrackName,
    members: &HashMap<String, String>,
    headers: &HeaderMap,
) -> Result<Response, Refusal> {
    let msn = number(members, "_HLS_msn")?;
    let part = number(members, "_HLS_part")?;
    if part.is_some() && msn.is_none() {
        return Err(Refusal::Malformed("_HLS_part needs _HLS_msn".into()));
    }
    let skip = matches!(members.get("_HLS_skip").map(String::as_str), Some("YES" | "v2"));
    let written = http.live.playlist(address, track, Awaited { msn, part }, skip).await?;
    Ok(playlist(http, written, headers, msn.is_some()))
}

fn may_play(http: &Http, address: &Address, members: &HashMap<String, String>) -> bool {
    match http.live.settings().playback {
        Playback::Public => true,
        Playback::Token => members.get("key").is_some_and(|key| http.live.is_key(address, key)),
    }
}

fn number(members: &HashMap<String, String>, name: &str) -> Result<Option<u64>, Refusal> {
    let number = members.get(name).map(|text| {
        text.parse().map_err(|_| Refusal::Malformed(format!("{name} is not a whole number")))
    });
    number.transpose()
}

fn playlist(http: &Http, written: Written, headers: &HeaderMap, waited: bool) -> Response {
    let gzip = takes_gzip(headers);
    let mut response = Response::new(Body::from(if gzip { written.gzip } else { written.plain }));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, PLAYLIST_TYPE);
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if gzip {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    let caching = if waited { cacheable(http, PLAYLIST_SECS, "") } else { no_cache() };
    headers.insert(header::CACHE_CONTROL, caching);
    response
}

fn bytes(http: &Http, data: Bytes) -> Response {
    let mut response = Response::new(Body::from(data));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, PIECE_TYPE);
    headers.insert(header::CACHE_CONTROL, cacheable(http, PIECE_SECS, ", immutable"));
    response
}

fn no_cache() -> HeaderValue {
    HeaderValue::from_static("no-cache")
}

fn cacheable(http: &Http, seconds: u32, more: &str) -> HeaderValue {
    let whose = match http.live.settings().playback {
        Playback::Public => "public",
        Playback::Token => "private",
    };
    let text = format!("{whose}, max-age={seconds}{more}");
    HeaderValue::from_str(&text).unwrap_or_else(|_| no_cache())
}

/// Whether `Accept-Encoding` has gzip, and not with `q=0` (RFC 9110, 12.5.3).
fn takes_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter();
    let codings = values.filter_map(|value| value.to_str().ok()).flat_map(|list| list.split(','));
    codings.into_iter().any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let weight = parts.find_map(|part| part.strip_prefix("q=")?.trim().parse::<f32>().ok());
        named && weight.is_none_or(|weight| weight > 0.0)
    })
}

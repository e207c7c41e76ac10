//! Uploads: data signals by `POST`, plain pieces by `PUT`, and the end by `DELETE`.

use std::{
    collections::HashMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{
    Json,
    body::{Body, to_bytes},
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header},
};
use bytes::Bytes;

use super::{
    Http, Members, credential,
    file::{self, Put},
    reply::{Refusal, Taken},
};
use crate::live::{
    address::Address,
    decode,
    fault::Fault,
    message::{
        Data, MapPayload, Number, PartPayload, Payload, Query as Described, RenditionPayload,
        SegmentPayload, TextOrNumber, VariantPayload,
    },
    upload::{TrackKind, Upload},
};

/// How long the body of an upload may take. A segment that takes longer is not live.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// What a data signal has beside a piece, in bytes: an initialization section, names, numbers.
const MAX_BESIDE_BYTES: usize = 256 * 1024;

/// `POST /live/<user>/<stream>`: a data signal.
pub(super) async fn signal(
    State(http): State<Http>,
    Path((user, stream)): Path<(String, String)>,
    Query(members): Members,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Taken>, Refusal> {
    let address = admitted(&http, &user, &stream, &headers, &members).await?;
    // Base64 has four letters for three bytes.
    let most = http.live.settings().max_piece_bytes / 3 * 4 + MAX_BESIDE_BYTES;
    let body = read(&http, &headers, body, most).await?;
    let signal = decode::signal(&body)?;
    http.live.upload(&address, signal.upload)?;
    Ok(Json(Taken { delay: delay_ms(signal.sent_ms) }))
}

/// `PUT /live/<user>/<stream>/<kind>/<track>/<file>`: a piece as it is.
pub(super) async fn file(
    State(http): State<Http>,
    Path((user, stream, kind, track, file)): Path<(String, String, String, String, String)>,
    Query(members): Members,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Taken>, Refusal> {
    let address = admitted(&http, &user, &stream, &headers, &members).await?;
    let kind = kind_of(&kind).ok_or(Refusal::NowhereAtAll)?;
    let file = file::put(&file).ok_or(Refusal::NowhereAtAll)?;
    let most = http.live.settings().max_piece_bytes;
    let body = read(&http, &headers, body, most).await?;
    let mut described = Described::from(members);
    let sent = described.number("timestamp").map_err(Refusal::Malformed)?;
    let upload = put(kind, track, file, described, body)?;
    http.live.upload(&address, upload)?;
    Ok(Json(Taken { delay: delay_ms(sent.map(|Number(sent)| sent)) }))
}

/// `DELETE /live/<user>/<stream>`: nothing will follow.
pub(super) async fn end(
    State(http): State<Http>,
    Path((user, stream)): Path<(String, String)>,
    Query(members): Members,
    headers: HeaderMap,
) -> Result<StatusCode, Refusal> {
    let address = admitted(&http, &user, &stream, &headers, &members).await?;
    if http.live.end(&address) {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(Fault::Unknown("there is no broadcast here".into()).into())
}

pub(super) fn kind_of(word: &str) -> Option<TrackKind> {
    [TrackKind::Variant, TrackKind::Rendition].into_iter().find(|kind| kind.word() == word)
}

async fn admitted(
    http: &Http,
    user: &str,
    stream: &str,
    headers: &HeaderMap,
    members: &HashMap<String, String>,
) -> Result<Address, Refusal> {
    let address = Address::parse(user, stream).ok_or(Refusal::NowhereAtAll)?;
    http.authorizer.upload(&address, credential(headers, members)).await?;
    Ok(address)
}

async fn read(http: &Http, headers: &HeaderMap, body: Body, most: usize) -> Result<Bytes, Refusal> {
    let too_large = || Refusal::TooLarge(format!("this upload has more than {most} bytes"));
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let declared = declared.and_then(|length| length.parse::<usize>().ok());
    if declared.is_some_and(|length| length > most) {
        return Err(too_large());
    }
    let reading = async {
        // Nobody closes the semaphore.
        let _place = http.uploads.acquire().await;
        to_bytes(body, most).await
    };
    match tokio::time::timeout(BODY_TIMEOUT, reading).await {
        Ok(Ok(body)) => Ok(body),
        // Either it is longer than the limit, or nobody is left to be told.
        Ok(Err(_)) => Err(too_large()),
        Err(_) => Err(Refusal::Slow),
    }
}

fn put(
    kind: TrackKind,
    track: String,
    file: Put,
    query: Described,
    body: Bytes,
) -> Result<Upload, Refusal> {
    let payload = described(kind, track, file, query, Data(body)).map_err(Refusal::Malformed)?;
    let read = match (file, kind) {
        (Put::Init, TrackKind::Variant) => decode::variant(payload),
        (Put::Init, TrackKind::Rendition) => decode::rendition(payload),
        (Put::Segment { .. }, _) => decode::segment(payload),
        (Put::Part { .. }, _) => decode::part(payload),
    };
    Ok(read?)
}

fn described(
    kind: TrackKind,
    track: String,
    file: Put,
    mut query: Described,
    body: Data,
) -> Result<Payload, String> {
    let mut payload = Payload::default();
    let mut segment = SegmentPayload::default();
    let msn = |msn: u64| Some(Number(msn as f64));
    match file {
        Put::Init => segment.map = Some(MapPayload { id: None, data: Some(body) }),
        Put::Segment { msn: sequence } => {
            segment.sequence = msn(sequence);
            segment.duration = query.number("duration")?;
            segment.data = Some(body);
        }
        Put::Part { msn: sequence, index } => {
            segment.sequence = msn(sequence);
            let gap = query.flag("gap")?;
            payload.part = Some(PartPayload {
                sequence: Number(index.into()),
                duration: query.number("duration")?,
                independent: query.flag("independent")?,
                gap,
                data: (gap != Some(true)).then_some(body),
            });
        }
    }
    segment.discontinuity = query.flag("discontinuity")?;
    segment.program_date_time = query.text("programDateTime").map(TextOrNumber::Text);
    payload.segment = Some(segment);
    match kind {
        TrackKind::Variant => payload.variant = Some(variant(track, &mut query)?),
        TrackKind::Rendition => payload.rendition = Some(rendition(track, &mut query)?),
    }
    Ok(payload)
}

fn variant(id: String, query: &mut Described) -> Result<VariantPayload, String> {
    Ok(VariantPayload {
        id,
        codecs: query.text("codecs"),
        bandwidth: query.number("bandwidth")?,
        audio: query.text("audio"),
        version: None,
        target_duration: query.number("targetDuration")?,
        target_part_duration: query.number("targetPartDuration")?,
    })
}

fn rendition(id: String, query: &mut Described) -> Result<RenditionPayload, String> {
    Ok(RenditionPayload {
        id,
        kind: query.text("type"),
        group_id: query.text("groupId"),
        name: query.text("name"),
        language: query.text("language"),
        is_default: query.flag("isDefault")?,
        auto_select: query.flag("autoSelect")?,
        version: None,
        target_duration: query.number("targetDuration")?,
        target_part_duration: query.number("targetPartDuration")?,
    })
}

/// From when an upload was sent to now; 0 if it does not say, or the clocks disagree.
fn delay_ms(sent_ms: Option<f64>) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    sent_ms.map_or(0, |sent| (now.as_secs_f64() * 1000.0 - sent).max(0.0).round() as u64)
}

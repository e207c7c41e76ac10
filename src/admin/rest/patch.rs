//! PATCH bodies of participants and streams: arrays of JSON patch operations, of which OWT knows
//! these and no others, without any further member.

use axum::{Extension, Json, extract::State};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    Management, Version,
    problem::Problem,
    reading::{Body, Named},
    streams::find,
};
use crate::{
    admin::auth::Caller,
    formats::{TrackKind, TrackSelection},
    ids::{ParticipantId, StreamId},
    room::{Action, LayoutFault, Order, PlacedRegion, Rejection, TrackStatus},
    store::room_record::{Area, LayoutRegion},
};

/// Operations in one request.
const MAX_OPERATIONS: usize = 64;

/// The longest label and id in an operation, in bytes.
const MAX_NAME_BYTES: usize = 128;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Operation {
    op: String,
    path: String,
    value: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Permission {
    audio: Option<bool>,
    video: Option<bool>,
}

/// What an operation on a stream wants.
#[derive(Debug, PartialEq)]
enum StreamChange {
    /// Flowing or paused.
    Status(TrackSelection, TrackStatus),
    /// Into a view, or out of it.
    Mix { view: String, mixed: bool },
    /// The whole layout of a mixed stream.
    Layout(Vec<Seat>),
    /// Who sits in one region of a mixed stream, by its place in the layout.
    Seat { index: usize, stream: StreamId },
}

/// A region of a layout, and who is shown in it.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seat {
    stream: Option<String>,
    region: Region,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Region {
    id: String,
    shape: String,
    area: Area,
}

/// What a PATCH of a participant wants.
pub(super) fn permissions(participant: &ParticipantId, body: Body) -> Result<Vec<Order>, Problem> {
    let mut orders = Vec::new();
    for operation in operations(body)? {
        let (action, rest) = match operation.path.split_at_checked("/permission/".len()) {
            Some(("/permission/", rest)) => match rest.split_once('/').unwrap_or((rest, "")) {
                ("publish", kind) => (Action::Publish, kind.to_owned()),
                ("subscribe", kind) => (Action::Subscribe, kind.to_owned()),
                _ => return Err(bad(&operation)),
            },
            _ => return Err(bad(&operation)),
        };
        if operation.op != "replace" {
            return Err(bad(&operation));
        }
        let Permission { audio, video } = match rest.as_str() {
            "" if operation.path.ends_with('/') => return Err(bad(&operation)),
            "" => value(&operation)?,
            "audio" => Permission { audio: Some(value(&operation)?), video: None },
            "video" => Permission { audio: None, video: Some(value(&operation)?) },
            _ => return Err(bad(&operation)),
        };
        for (kind, allowed) in [(TrackKind::Audio, audio), (TrackKind::Video, video)] {
            if let Some(allowed) = allowed {
                let participant = participant.clone();
                orders.push(Order::SetPermission { participant, action, kind, allowed });
            }
        }
    }
    Ok(orders)
}

/// Changes a stream. All operations are understood before the first is carried out.
pub(super) async fn streams_patch(
    State(management): State<Management>,
    Extension(caller): Extension<Caller>,
    Extension(version): Extension<Version>,
    named: Named,
    body: Body,
) -> Result<Json<Value>, Problem> {
    let room = named.room()?;
    let stream = named.stream()?;
    let present = management.manage(&caller, &room, Vec::new()).await?;
    drop(find(present, &stream, version)?);
    let changes = operations(body)?;
    let changes = changes.iter().map(stream_change).collect::<Result<Vec<_>, _>>()?;
    let orders = changes.iter().map(|change| order(&stream, change));
    let orders = orders.collect::<Result<Vec<_>, _>>()?;
    let report = management.manage(&caller, &room, orders).await?;
    find(report, &stream, version)
}

/// The order to the room that a change is.
fn order(stream: &StreamId, change: &StreamChange) -> Result<Order, Problem> {
    match change {
        StreamChange::Status(tracks, status) => {
            Ok(Order::SetStatus { stream: stream.clone(), tracks: *tracks, status: *status })
        }
        StreamChange::Mix { view, mixed } => {
            let (stream, view) = (stream.clone(), view.as_str().into());
            Ok(if *mixed { Order::Mix { stream, view } } else { Order::Unmix { stream, view } })
        }
        StreamChange::Layout(seats) => {
            let layout = seats.iter().map(place).collect::<Result<_, _>>()?;
            Ok(Order::SetLayout { view: stream.clone(), layout })
        }
        StreamChange::Seat { index, stream: input } => {
            let (view, stream) = (stream.clone(), input.clone());
            Ok(Order::SetRegion { view, index: *index, stream })
        }
    }
}

fn place(Seat { stream, region }: &Seat) -> Result<PlacedRegion, Problem> {
    let Region { id, shape, area } = region.clone();
    let region = LayoutRegion { id, shape, area }.to_region().map_err(Rejection::InvalidLayout)?;
    let stream = stream.as_deref().map(str::parse).transpose();
    let stream = stream.map_err(|_| Rejection::InvalidLayout(LayoutFault::InputStream))?;
    Ok(PlacedRegion { region, stream })
}

fn stream_change(operation: &Operation) -> Result<StreamChange, Problem> {
    match (operation.op.as_str(), operation.path.as_str()) {
        (op @ ("add" | "remove"), "/info/inViews") => {
            Ok(StreamChange::Mix { view: name(operation)?, mixed: op == "add" })
        }
        ("replace", "/media/audio/status") => status(operation, TrackSelection::Audio),
        ("replace", "/media/video/status") => status(operation, TrackSelection::Video),
        ("replace", "/info/layout") => Ok(StreamChange::Layout(value(operation)?)),
        ("replace", path) => {
            let index = path.strip_prefix("/info/layout/");
            let index = index.and_then(|rest| rest.strip_suffix("/stream"));
            let index = index.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
            let index = index.and_then(|text| text.parse().ok()).ok_or_else(|| bad(operation))?;
            let stream = name(operation)?.parse().map_err(|_| bad(operation))?;
            Ok(StreamChange::Seat { index, stream })
        }
        _ => Err(bad(operation)),
    }
}

fn status(operation: &Operation, tracks: TrackSelection) -> Result<StreamChange, Problem> {
    let status = match operation.value.as_str() {
        Some("active") => TrackStatus::Active,
        Some("inactive") => TrackStatus::Inactive,
        _ => return Err(bad(operation)),
    };
    Ok(StreamChange::Status(tracks, status))
}

fn operations(body: Body) -> Result<Vec<Operation>, Problem> {
    let operations: Vec<Operation> = body.read()?;
    if operations.len() > MAX_OPERATIONS {
        let message = format!("Invalid request body: more than {MAX_OPERATIONS} operations");
        return Err(Problem::bad_request(message));
    }
    Ok(operations)
}

fn name(operation: &Operation) -> Result<String, Problem> {
    let name = operation.value.as_str().filter(|name| (1..=MAX_NAME_BYTES).contains(&name.len()));
    name.map(str::to_owned).ok_or_else(|| bad(operation))
}

fn value<T: DeserializeOwned>(operation: &Operation) -> Result<T, Problem> {
    T::deserialize(&operation.value).map_err(|error| {
        Problem::bad_request(format!("Invalid request body: {}: {error}", operation.path))
    })
}

fn bad(operation: &Operation) -> Problem {
    let Operation { op, path, .. } = operation;
    Problem::bad_request(format!("Invalid request body: cannot {op} {path} with this value"))
}

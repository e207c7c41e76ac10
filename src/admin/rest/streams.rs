//! `/rooms/{room}/streams`: what can be subscribed to in a room.

use axum::{Extension, Json, extract::State};
use serde_json::Value;

use super::{Management, Version, problem::Problem, reading::Named};
use crate::{
    admin::auth::Caller,
    ids::StreamId,
    portal::owt,
    room::{Order, RoomReport, StreamInfo},
};

pub(super) async fn list(
    State(management): State<Management>,
    Extension(caller): Extension<Caller>,
    Extension(version): Extension<Version>,
    named: Named,
) -> Result<Json<Vec<Value>>, Problem> {
    let report = management.manage(&caller, &named.room()?, Vec::new()).await?;
    let streams = report.map(|report| report.room.streams).unwrap_or_default();
    Ok(Json(streams.iter().map(|stream| describe(stream, version)).collect()))
}

pub(super) async fn show(
    State(management): State<Management>,
    Extension(caller): Extension<Caller>,
    Extension(version): Extension<Version>,
    named: Named,
) -> Result<Json<Value>, Problem> {
    let room = named.room()?;
    let report = management.manage(&caller, &room, Vec::new()).await?;
    find(report, &named.stream()?, version)
}

pub(super) async fn remove(
    State(management): State<Management>,
    Extension(caller): Extension<Caller>,
    named: Named,
) -> Result<(), Problem> {
    let room = named.room()?;
    management.room(&caller, &room).await?;
    let order = Order::EndStream { stream: named.stream()? };
    let report = management.manage(&caller, &room, vec![order]).await?;
    report.map(|_| ()).ok_or_else(Problem::no_stream)
}

/// One stream of a room.
pub(super) fn find(
    report: Option<RoomReport>,
    wanted: &StreamId,
    version: Version,
) -> Result<Json<Value>, Problem> {
    let streams = report.map(|report| report.room.streams).unwrap_or_default();
    let found = streams.iter().find(|stream| stream.id == *wanted);
    found.map(|found| Json(describe(found, version))).ok_or_else(Problem::no_stream)
}

/// A stream in the words of one version. In v1 a picture has one format and its parameters beside
/// what is optional; v1.1 lists every encoding.
fn describe(stream: &StreamInfo, version: Version) -> Value {
    let mut described = owt::stream_value(stream);
    if version == Version::V1
        && let Some(Value::Object(video)) = described.pointer_mut("/media/video")
        && let Some(Value::Array(mut original)) = video.remove("original")
        && let Some(Value::Object(first)) = original.first_mut()
    {
        for key in ["format", "parameters"] {
            if let Some(value) = first.remove(key) {
                video.insert(key.into(), value);
            }
        }
    }
    described
}

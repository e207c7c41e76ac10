//! What the dashboard at `/admin` shows. Its pages are open; these numbers are signed for, as the
//! management REST is, and show a service the rooms that it may see.

use std::{sync::Arc, time::Instant};

use axum::{Extension, Json, Router, extract::State, middleware, routing::get};
use serde_json::{Value, json};

use super::{
    auth::Caller,
    rest::{Management, Named, Problem, describe_participants, dress, signed},
};
use crate::{
    portal::owt,
    room::{RoomReport, SubscriptionReport, ViewStatus},
    store::{RoomRecord, room_record::ViewRecord},
};

#[derive(Clone)]
struct Dashboard {
    management: Management,
    started: Arc<Instant>,
}

/// `GET /admin/data/overview` and `GET /admin/data/rooms/{room}`.
pub fn router(management: &Management) -> Router {
    let started = Arc::new(Instant::now());
    let dashboard = Dashboard { management: management.clone(), started };
    let routes = Router::new()
        .route("/admin/data/overview", get(overview))
        .route("/admin/data/rooms/{room}", get(room))
        .with_state(dashboard);
    signed(management, routes).layer(middleware::from_fn(dress))
}

/// All rooms, and what the server does.
async fn overview(
    State(dashboard): State<Dashboard>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Value>, Problem> {
    let registry = dashboard.management.registry();
    let loads = registry.loads();
    let records = dashboard.management.visible_rooms(&caller).await?;
    let rooms: Vec<Value> = records
        .iter()
        .map(|record| {
            let running = loads.get(&record.id);
            let load = running.copied().unwrap_or_default();
            json!({
                "id": record.id.as_str(),
                "name": record.name,
                "running": running.is_some(),
                "participants": load.participants,
                "streams": load.streams,
                "subscriptions": load.subscriptions,
                "views": record.views.len(),
            })
        })
        .collect();
    let media = registry.media_statistics();
    Ok(Json(json!({
        "server": {
            "version": env!("CARGO_PKG_VERSION"),
            "uptimeSeconds": dashboard.started.elapsed().as_secs(),
            "transports": media.transports,
            "bytesIn": media.bytes_in,
            "bytesOut": media.bytes_out,
            "packetsIn": media.packets_in,
            "packetsOut": media.packets_out,
            "dropped": media.dropped_in + media.dropped_out,
        },
        "rooms": rooms,
    })))
}

/// One room with everything in it.
async fn room(
    State(dashboard): State<Dashboard>,
    Extension(caller): Extension<Caller>,
    named: Named,
) -> Result<Json<Value>, Problem> {
    let id = named.room()?;
    let record = dashboard.management.room(&caller, &id).await?;
    let report = dashboard.management.manage(&caller, &id, Vec::new()).await?;
    let running = report.is_some();
    let views = views(&record, report.as_ref());
    let (participants, streams, subscriptions) = match report {
        Some(report) => (
            describe_participants(&report),
            report.room.streams.iter().map(|stream| owt::stream_value(stream)).collect(),
            report.subscriptions.iter().map(subscription).collect(),
        ),
        None => (Vec::new(), Vec::new(), Vec::new()),
    };
    Ok(Json(json!({
        "id": record.id.as_str(),
        "name": record.name,
        "running": running,
        "participantLimit": record.participant_limit,
        "inputLimit": record.input_limit,
        "participants": participants,
        "streams": streams,
        "subscriptions": subscriptions,
        "views": views,
    })))
}

fn subscription(report: &SubscriptionReport) -> Value {
    let SubscriptionReport { id, owner, audio, video, ready } = report;
    json!({
        "id": id.as_str(),
        "owner": owner.as_str(),
        "audio": audio.as_ref().map(|stream| stream.as_str()),
        "video": video.as_ref().map(|stream| stream.as_str()),
        "ready": ready,
    })
}

/// A room's views as they are configured, and how they stand if it runs.
fn views(record: &RoomRecord, report: Option<&RoomReport>) -> Vec<Value> {
    let status = |label: &str| {
        let views = report.map(|report| report.views.as_slice()).unwrap_or_default();
        let view = views.iter().find(|view| *view.label == *label)?;
        Some(match &view.status {
            ViewStatus::Unavailable => "unavailable: nobody mixes here".to_owned(),
            ViewStatus::Starting => "starting".to_owned(),
            ViewStatus::Up => "up".to_owned(),
            ViewStatus::Failed(reason) => format!("failed: {reason}"),
        })
    };
    let describe = |view: &ViewRecord| {
        let video = view.video.as_option();
        json!({
            "label": view.label,
            "stream": format!("{}-{}", record.id, view.label),
            "status": status(&view.label),
            "resolution": video.map(|video| video.parameters.resolution),
            "background": video.map(|video| video.bg_color),
        })
    };
    record.views.iter().map(describe).collect()
}

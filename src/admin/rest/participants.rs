//! `/rooms/{room}/participants`: who is in a room.

use axum::{Extension, Json, extract::State};
use serde_json::{Value, json};

use super::{
    Management, patch,
    problem::Problem,
    reading::{Body, Named},
};
use crate::{
    admin::auth::Caller,
    ids::{ParticipantId, RoomId},
    room::{Managed, MediaPermission, Order, ParticipantInfo, Permission, RoomReport},
};

impl Management {
    /// Gives orders to a room that the caller may see, up to the first that it refuses, and has it
    /// report; nothing if it does not run.
    pub(in crate::admin) async fn manage(
        &self,
        caller: &Caller,
        room: &RoomId,
        orders: Vec<Order>,
    ) -> Result<Option<RoomReport>, Problem> {
        self.room(caller, room).await?;
        let Some(running) = self.0.registry.running(room) else { return Ok(None) };
        for order in orders.into_iter().chain([Order::Report]) {
            // No answer is that the room ended meanwhile.
            let answer = running.manage(order).await.ok_or_else(Problem::no_room)?;
            if let Managed::Room(report) = answer? {
                return Ok(Some(*report));
            }
        }
        Ok(None)
    }
}

pub(super) async fn list(
    State(management): State<Management>,
    Extension(caller): Extension<Caller>,
    named: Named,
) -> Result<Json<Vec<Value>>, Problem> {
    let report = management.manage(&caller, &named.room()?, Vec::new()).await?;
    Ok(Json(report.as_ref().map(describe_all).unwrap_or_default()))
}

pub(super) async fn show(
    State(management): State<Management>,
    Extension(caller): Extension<Caller>,
    named: Named,
) -> Result<Json<Value>, Problem> {
    let room = named.room()?;
    let report = management.manage(&caller, &room, Vec::new()).await?;
    find(report.as_ref(), &named.participant()?)
}

pub(super) async fn change(
    State(management): State<Management>,
    Extension(caller): Extension<Caller>,
    named: Named,
    body: Body,
) -> Result<Json<Value>, Problem> {
    let room = named.room()?;
    management.room(&caller, &room).await?;
    let participant = named.participant()?;
    let orders = patch::permissions(&participant, body)?;
    let report = management.manage(&caller, &room, orders).await?;
    find(report.as_ref(), &participant)
}

pub(super) async fn remove(
    State(management): State<Management>,
    Extension(caller): Extension<Caller>,
    named: Named,
) -> Result<(), Problem> {
    let room = named.room()?;
    management.room(&caller, &room).await?;
    let participant = named.participant()?;
    let order = Order::DropParticipant { participant };
    let report = management.manage(&caller, &room, vec![order]).await?;
    report.map(|_| ()).ok_or_else(Problem::no_participant)
}

fn find(report: Option<&RoomReport>, wanted: &ParticipantId) -> Result<Json<Value>, Problem> {
    let everybody = report.map(describe_all).unwrap_or_default();
    let found = everybody.into_iter().find(|one| one["id"] == wanted.as_str());
    found.map(Json).ok_or_else(Problem::no_participant)
}

/// Everybody in a room, in OWT's words.
pub(in crate::admin) fn describe_all(report: &RoomReport) -> Vec<Value> {
    let everybody = report.room.participants.iter().zip(&report.permissions);
    everybody.map(|(info, permission)| describe(info, *permission)).collect()
}

fn describe(info: &ParticipantInfo, permission: Permission) -> Value {
    json!({
        "id": info.id.as_str(),
        "user": &*info.user,
        "role": &*info.role,
        "permission": {
            "publish": media(permission.publish),
            "subscribe": media(permission.subscribe),
        },
    })
}

fn media(permission: MediaPermission) -> Value {
    json!({"audio": permission.audio, "video": permission.video})
}

//! `/rooms`: rooms as they are configured.

use std::time::SystemTime;

use axum::{
    Extension, Json,
    extract::{Query, State},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Management, edit,
    problem::Problem,
    reading::{Body, Named},
};
use crate::{
    admin::auth::Caller,
    config,
    ids::RoomId,
    room::Order,
    store::{RoomRecord, object_id},
};

/// Which part of a list: pages are counted from 1, and there is one only where its size is said.
#[derive(Deserialize)]
pub(super) struct Page {
    page: Option<usize>,
    per_page: Option<usize>,
}

pub(super) async fn create(
    State(management): State<Management>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<Value>, Problem> {
    let id = object_id(SystemTime::now()).parse::<RoomId>();
    let id = id.expect("hex digits are an id");
    let defaults = &management.0.rooms;
    let record = edit::create(id, body.into_value(), defaults)?;
    let owner = Some(caller.service);
    management.0.store.create_room_of(owner, record.clone(), defaults.max_rooms).await?;
    Ok(Json(describe(&record)))
}

pub(super) async fn list(
    State(management): State<Management>,
    Extension(caller): Extension<Caller>,
    page: Result<Query<Page>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Vec<Value>>, Problem> {
    let bad = || Problem::bad_request("page and per_page must be whole numbers from 1");
    let Query(Page { page, per_page }) = page.map_err(|_| bad())?;
    let page = page.unwrap_or(1);
    if page == 0 || per_page == Some(0) {
        return Err(bad());
    }
    let rooms = management.visible_rooms(&caller).await?;
    let (skipped, shown) = match per_page {
        Some(size) => ((page - 1).saturating_mul(size), size),
        None => (0, rooms.len()),
    };
    Ok(Json(rooms.iter().skip(skipped).take(shown).map(describe).collect()))
}

pub(super) async fn show(
    State(management): State<Management>,
    Extension(caller): Extension<Caller>,
    named: Named,
) -> Result<Json<Value>, Problem> {
    let record = management.room(&caller, &named.room()?).await?;
    Ok(Json(describe(&record)))
}

pub(super) async fn replace(
    State(management): State<Management>,
    Extension(caller): Extension<Caller>,
    named: Named,
    body: Body,
) -> Result<Json<Value>, Problem> {
    change(&management, &caller, &named.room()?, body.into_value(), edit::replace).await
}

pub(super) async fn patch(
    State(management): State<Management>,
    Extension(caller): Extension<Caller>,
    named: Named,
    body: Body,
) -> Result<Json<Value>, Problem> {
    change(&management, &caller, &named.room()?, body.into_value(), edit::patch).await
}

type Edit = fn(&RoomRecord, Value, &config::Rooms) -> Result<RoomRecord, Problem>;

/// Changes a room's record, and the room if it runs. A room that is not kept is kept from now on.
async fn change(
    management: &Management,
    caller: &Caller,
    id: &RoomId,
    body: Value,
    edit: Edit,
) -> Result<Json<Value>, Problem> {
    let present = management.room(caller, id).await?;
    let store = &management.0.store;
    let max_rooms = management.0.rooms.max_rooms;
    store.room_or_create(present, max_rooms).await?;
    let parts = std::sync::Arc::clone(&management.0);
    let edit = move |present: RoomRecord| edit(&present, body, &parts.rooms);
    let changed = store.change_room(id, edit).await?;
    let record = changed.ok_or_else(Problem::no_room)??;

    if let Some(running) = management.0.registry.running(id) {
        let settings = Box::new(management.0.registry.settings(&record));
        // A room that ends meanwhile starts with the new settings.
        drop(running.manage(Order::Reconfigure { settings }).await);
    }
    Ok(Json(describe(&record)))
}

pub(super) async fn delete(
    State(management): State<Management>,
    Extension(caller): Extension<Caller>,
    named: Named,
) -> Result<&'static str, Problem> {
    let id = named.room()?;
    management.room(&caller, &id).await?;
    management.0.store.delete_room(&id).await?;
    management.0.registry.close(&id).await;
    Ok("Room deleted")
}

/// A room's record; like OWT's, it says its id twice.
fn describe(record: &RoomRecord) -> Value {
    let mut room = json!(record);
    room["id"] = record.id.as_str().into();
    room
}

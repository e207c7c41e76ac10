//! `/rooms/{room}/views/{view}`: what is mixed.

use axum::{
    Extension,
    extract::State,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    response::IntoResponse,
};

use super::{Management, problem::Problem, reading::Named};
use crate::{admin::auth::Caller, driver::RoomHandle, ids::StreamId, live::Address};

/// The picture that a view shows at this moment.
pub(super) async fn snapshot(
    State(management): State<Management>,
    Extension(caller): Extension<Caller>,
    named: Named,
) -> Result<impl IntoResponse, Problem> {
    let (running, view) = running_view(&management, &caller, &named).await?;
    let picture = running.snapshot(view).await.ok_or_else(nobody)?;
    let picture = picture.map_err(|error| Problem::unavailable(error.to_string()))?;
    Ok(([(CONTENT_TYPE, "image/jpeg"), (CACHE_CONTROL, "no-store")], picture))
}

/// Has a view broadcast live for as long as its room runs, and says where.
pub(super) async fn broadcast(
    State(management): State<Management>,
    Extension(caller): Extension<Caller>,
    named: Named,
) -> Result<String, Problem> {
    let (running, view) = running_view(&management, &caller, &named).await?;
    let (room, label) = (named.room()?, named.view()?);
    let no_address = || Problem::bad_request("The view's label cannot stand in a broadcast's path");
    let address = Address::parse(room.as_str(), label).ok_or_else(no_address)?;
    let path = address.playlist_path();
    running.broadcast(view, address).await;
    Ok(path)
}

/// Has a view broadcast no longer.
pub(super) async fn end_broadcast(
    State(management): State<Management>,
    Extension(caller): Extension<Caller>,
    named: Named,
) -> Result<(), Problem> {
    let (running, view) = running_view(&management, &caller, &named).await?;
    running.end_broadcast(view).await;
    Ok(())
}

/// A view of a room in which somebody is.
async fn running_view(
    management: &Management,
    caller: &Caller,
    named: &Named,
) -> Result<(RoomHandle, StreamId), Problem> {
    let id = named.room()?;
    let record = management.room(caller, &id).await?;
    let label = named.view()?;
    if !record.views.iter().any(|view| view.label == label) {
        return Err(Problem::no_view());
    }
    let view = StreamId::of_view(&id, label).map_err(|_| Problem::no_view())?;
    let running = management.registry().running(&id).ok_or_else(nobody)?;
    Ok((running, view))
}

fn nobody() -> Problem {
    Problem::unavailable("Nobody is in the room")
}

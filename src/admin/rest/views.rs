//! `/rooms/{room}/views/{view}`: what is mixed.

use axum::{
    Extension,
    extract::State,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    response::IntoResponse,
};

use super::{Management, problem::Problem, reading::Named};
use crate::{admin::auth::Caller, ids::StreamId};

/// The picture that a view shows at this moment.
pub(super) async fn snapshot(
    State(management): State<Management>,
    Extension(caller): Extension<Caller>,
    named: Named,
) -> Result<impl IntoResponse, Problem> {
    let id = named.room()?;
    let record = management.room(&caller, &id).await?;
    let label = named.view()?;
    if !record.views.iter().any(|view| view.label == label) {
        return Err(Problem::no_view());
    }
    let view = StreamId::of_view(&id, label).map_err(|_| Problem::no_view())?;
    let nobody = || Problem::unavailable("Nobody is in the room");
    let running = management.registry().running(&id).ok_or_else(nobody)?;
    let picture = running.snapshot(view).await.ok_or_else(nobody)?;
    let picture = picture.map_err(|error| Problem::unavailable(error.to_string()))?;
    Ok(([(CONTENT_TYPE, "image/jpeg"), (CACHE_CONTROL, "no-store")], picture))
}

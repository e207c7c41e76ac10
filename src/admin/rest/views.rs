//! `/rooms/{room}/views/{view}`: what is mixed.

use axum::{Extension, extract::State};

use super::{Management, problem::Problem, reading::Named};
use crate::admin::auth::Caller;

/// The picture that a view shows at this moment.
pub(super) async fn snapshot(
    State(management): State<Management>,
    Extension(caller): Extension<Caller>,
    named: Named,
) -> Result<(), Problem> {
    let record = management.room(&caller, &named.room()?).await?;
    let label = named.view()?;
    if !record.views.iter().any(|view| view.label == label) {
        return Err(Problem::no_view());
    }
    Err(Problem::unavailable("views are not mixed yet"))
}

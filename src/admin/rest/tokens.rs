//! `/rooms/{room}/tokens`: lets one participant in.

use axum::{Extension, extract::State};
use serde::Deserialize;
use serde_json::Value;

use super::{
    Management,
    problem::Problem,
    reading::{Body, Named},
};
use crate::{admin::auth::Caller, driver::JoinError, ids::RoomId, store::RoomRecord};

#[derive(Deserialize)]
pub(super) struct NewToken {
    #[serde(default)]
    user: Value,
    #[serde(default)]
    role: Value,
}

/// Issues a token, which is the whole answer. Whom a signed header speaks for wins over the body.
/// `preference` (which portal) means nothing on one server.
pub(super) async fn create(
    State(management): State<Management>,
    Extension(caller): Extension<Caller>,
    named: Named,
    body: Body,
) -> Result<String, Problem> {
    let id = named.room()?;
    let record = joinable(&management, &caller, &id).await?;
    let NewToken { user, role } = body.read()?;
    let (user, role) = match caller.speaks_for {
        Some(speaks_for) => speaks_for,
        None => (text(user)?, text(role)?),
    };
    if user.is_empty() || !record.has_role(&role) {
        return Err(Problem::bad_request("Name or role not valid"));
    }
    let token = management.0.tokens.issue(&id, &user, &role, Some(caller.service)).await?;
    Ok(token.reveal().to_owned())
}

/// A room that the caller may see, or that joining would make.
async fn joinable(
    management: &Management,
    caller: &Caller,
    id: &RoomId,
) -> Result<RoomRecord, Problem> {
    if let Some(kept) = management.0.store.kept_room(id).await? {
        let visible = super::may_see(caller, &kept);
        return if visible { Ok(kept.record) } else { Err(Problem::no_room()) };
    }
    match management.0.registry.record(id).await {
        Ok(record) => Ok(record),
        Err(JoinError::UnknownRoom(_)) => Err(Problem::no_room()),
        Err(error) => Err(error.into()),
    }
}

fn text(value: Value) -> Result<String, Problem> {
    let Value::String(text) = value else {
        return Err(Problem::bad_request("Name or role not valid"));
    };
    Ok(text)
}

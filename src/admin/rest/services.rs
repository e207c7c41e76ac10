//! `/services`: who may use the REST. The super service alone manages them.

use axum::{Extension, Json, extract::State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Management,
    problem::Problem,
    reading::{Body, Named},
};
use crate::{
    admin::auth::Caller,
    config::Secret,
    store::{MAX_SERVICE_NAME_CHARS, ServiceKey},
};

/// What a key that a service chose may be long, in bytes. A shorter one can be guessed.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 32..=1024;

#[derive(Deserialize)]
pub(super) struct NewService {
    name: String,
    key: Option<String>,
}

/// Makes a service. A key that was not given is made, and shown this once.
pub(super) async fn create(
    State(management): State<Management>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<Value>, Problem> {
    require_super(&caller)?;
    let NewService { name, key } = body.read()?;
    let name = name.trim();
    if name.is_empty() || name.chars().count() > MAX_SERVICE_NAME_CHARS {
        let message = format!("Invalid request body: name has 1 to {MAX_SERVICE_NAME_CHARS}");
        return Err(Problem::bad_request(message + " characters"));
    }
    let store = &management.0.store;
    let Some(key) = key else {
        let made = store.create_service(name).await?;
        let mut shown = describe(&made);
        shown["key"] = made.key.reveal().into();
        return Ok(Json(shown));
    };
    if !KEY_BYTES.contains(&key.len()) {
        return Err(Problem::bad_request("Invalid request body: key has 32 to 1024 bytes"));
    }
    let made = store.create_service_with(name, Secret::from(key)).await?;
    Ok(Json(describe(&made)))
}

pub(super) async fn list(
    State(management): State<Management>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Vec<Value>>, Problem> {
    require_super(&caller)?;
    let services = management.0.store.services().await?;
    Ok(Json(services.iter().map(describe).collect()))
}

pub(super) async fn show(
    State(management): State<Management>,
    Extension(caller): Extension<Caller>,
    named: Named,
) -> Result<Json<Value>, Problem> {
    let id = named.service();
    if id.as_ref().ok() != Some(&caller.service) {
        require_super(&caller)?;
    }
    let service = management.0.store.service(&id?).await?;
    service.map(|service| Json(describe(&service))).ok_or_else(Problem::no_service)
}

pub(super) async fn delete(
    State(management): State<Management>,
    Extension(caller): Extension<Caller>,
    named: Named,
) -> Result<&'static str, Problem> {
    require_super(&caller)?;
    let id = named.service()?;
    if id == caller.service {
        let message = "The super service cannot be deleted by itself; use the command line";
        return Err(Problem::not_permitted(message));
    }
    let removed = management.0.store.remove_service(&id).await?;
    if removed { Ok("Service deleted") } else { Err(Problem::no_service()) }
}

fn require_super(caller: &Caller) -> Result<(), Problem> {
    if caller.is_super { Ok(()) } else { Err(Problem::not_permitted("Permission denied")) }
}

/// A service without its key.
fn describe(service: &ServiceKey) -> Value {
    let id = service.id.as_str();
    json!({"_id": id, "id": id, "name": service.name, "super": service.is_super})
}

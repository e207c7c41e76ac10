//! Room records as clients write them: parts of one, completed and checked.
//!
//! | request | what a key does | what is left out | `null` |
//! |---|---|---|---|
//! | POST | is merged into the default | is the default | is the default |
//! | PUT | replaces the whole key | stays | is ignored |
//! | PATCH | is merged into what there is (RFC 7396) | stays | back to the default |
//!
//! In all three, arrays are replaced whole; views, and parts of a replaced key that are missing,
//! are completed from the defaults; keys that no record has are ignored, as OWT does, because
//! clients send back whole records that they were given.

use serde_json::{Map, Value, json};

use super::problem::Problem;
use crate::{config, ids::RoomId, store::RoomRecord};

type Object = Map<String, Value>;

/// A new room: `{name, options?}`.
pub(super) fn create(
    id: RoomId,
    body: Value,
    defaults: &config::Rooms,
) -> Result<RoomRecord, Problem> {
    let mut body = object(body)?;
    let name = match body.remove("name") {
        Some(Value::String(name)) => name,
        Some(_) | None => return Err(Problem::bad_request("Invalid request body: name")),
    };
    let mut options = match body.remove("options") {
        None | Some(Value::Null) => Object::new(),
        Some(Value::Object(options)) => options,
        Some(_) => return Err(Problem::bad_request("Invalid room option: not an object")),
    };
    options.insert("name".into(), name.clone().into());
    complete(&RoomRecord::with_defaults(id, &name, defaults), options)
}

/// A room with some keys replaced.
pub(super) fn replace(
    present: &RoomRecord,
    body: Value,
    defaults: &config::Rooms,
) -> Result<RoomRecord, Problem> {
    let mut written = to_object(present);
    written.extend(object(body)?.into_iter().filter(|(_, value)| !value.is_null()));
    complete(&default_of(present, defaults), written)
}

/// A room with a merge patch applied.
pub(super) fn patch(
    present: &RoomRecord,
    body: Value,
    defaults: &config::Rooms,
) -> Result<RoomRecord, Problem> {
    let mut written = Value::Object(to_object(present));
    merge(&mut written, Value::Object(object(body)?), &Nulls::Remove);
    complete(&default_of(present, defaults), object(written)?)
}

fn default_of(present: &RoomRecord, defaults: &config::Rooms) -> RoomRecord {
    RoomRecord::with_defaults(present.id.clone(), &present.name, defaults)
}

/// The record that says what is written, and the default where nothing is.
fn complete(default: &RoomRecord, written: Object) -> Result<RoomRecord, Problem> {
    let default_view = default.views.first().map(|view| json!(view)).unwrap_or_default();
    let mut whole = Value::Object(to_object(default));
    merge(&mut whole, Value::Object(written), &Nulls::Ignore);
    if let Some(Value::Array(views)) = whole.get_mut("views") {
        for view in views {
            let mut completed = default_view.clone();
            merge(&mut completed, view.take(), &Nulls::Ignore);
            *view = completed;
        }
    }
    whole["_id"] = default.id.as_str().into();
    let record: RoomRecord = serde_json::from_value(whole)
        .map_err(|error| Problem::bad_request(format!("Invalid room option: {error}")))?;
    record.check()?;
    Ok(record)
}

enum Nulls {
    Ignore,
    Remove,
}

/// Merges objects key by key; anything else is replaced. Formats (which have a `codec`) are
/// replaced whole, because one codec's parameters mean nothing to another. JSON that was parsed is
/// no deeper than the parser allows, which bounds the recursion.
fn merge(target: &mut Value, source: Value, nulls: &Nulls) {
    let source = match source {
        Value::Object(source) if target.is_object() && !source.contains_key("codec") => source,
        Value::Object(_)
        | Value::Array(_)
        | Value::String(_)
        | Value::Number(_)
        | Value::Bool(_)
        | Value::Null => {
            *target = source;
            return;
        }
    };
    for (key, value) in source {
        match (&value, nulls) {
            (Value::Null, Nulls::Ignore) => {}
            (Value::Null, Nulls::Remove) => {
                if let Some(object) = target.as_object_mut() {
                    object.remove(&key);
                }
            }
            _ => merge(&mut target[key], value, nulls),
        }
    }
}

fn object(value: Value) -> Result<Object, Problem> {
    let Value::Object(object) = value else {
        return Err(Problem::bad_request("Invalid request body: not an object"));
    };
    Ok(object)
}

fn to_object(record: &RoomRecord) -> Object {
    let Value::Object(object) = json!(record) else { unreachable!("a record is an object") };
    object
}

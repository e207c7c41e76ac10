//! Wrong values in all places of a request.

use serde_json::{Value, json};

/// Every pointer into a JSON value, the whole included.
pub(crate) fn places(value: &Value) -> Vec<String> {
    let mut found = vec![String::new()];
    let inside: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(k, v)| (k.clone(), v)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(i, v)| (i.to_string(), v)).collect(),
        _ => Vec::new(),
    };
    for (key, value) in inside {
        found.extend(places(value).into_iter().map(|place| format!("/{key}{place}")));
    }
    found
}

/// What no member of any request is meant to be.
pub(crate) fn wrong_values() -> Vec<Value> {
    let text = "\u{1f600}".repeat(1000);
    vec![
        json!(null),
        json!(true),
        json!(-1),
        json!(1e308),
        json!(18_446_744_073_709_551_615_u64),
        json!(""),
        json!(text),
        json!("../../etc"),
        json!([]),
        json!([[[[1]]]]),
        json!({}),
        json!({"__proto__": {"a": 1}}),
    ]
}

//! The types that client developers import, against what the server says.

use serde_json::{Value, json};

use super::node;
use crate::support::samples::{self, Sample};

/// The sample for the compiler, unless it is an answer with nothing in it.
fn typed(sample: Sample) -> Option<Value> {
    let Sample { protocol, name, status, data } = sample;
    let kind = match status.as_deref() {
        Some("ok") => format!("portico.Requests[{name:?}][\"result\"]"),
        Some(_) => "portico.RequestError".into(),
        None => format!("portico.Notifications[{name:?}]"),
    };
    let name = format!("{name} {} in {protocol}", status.unwrap_or_default());
    data.map(|value| json!({"name": name, "type": kind, "value": value}))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_types_fit_what_the_server_says_and_the_demo_page_uses_them() {
    let mut samples: Vec<Value> = samples::all().await.into_iter().filter_map(typed).collect();
    let data = json!({"host": "example.org", "file": "/tmp/record.mp4"});
    for (name, message) in [
        (
            "stream",
            json!({"id": "v", "status": "update", "data": {"field": "activeInput", "value": "s"}}),
        ),
        ("progress", json!({"id": "r", "status": "ready", "data": data})),
    ] {
        let kind = format!("portico.Notifications[{name:?}]");
        samples.push(json!({"name": name, "type": kind, "value": message}));
    }
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), json!(samples).to_string()).expect("written");
    let path = file.path().to_str().expect("a plain path");
    let result = node::run("types.mjs", &[path]).await;
    assert_eq!(result["samples"], samples.len());
}

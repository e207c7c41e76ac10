//! ICE candidates as clients of every dialect write them.

use std::sync::Arc;

use serde_json::Value;

/// The longest candidate line, in bytes. Real ones stay below 200.
const MAX_CANDIDATE_BYTES: usize = 1024;

/// The line of a candidate, which is an object as browsers make it, or the bare line. OWT's SDKs
/// put `a=` before it. `None` when it is neither, or too long.
pub(super) fn line(candidate: Option<&Value>) -> Option<Arc<str>> {
    let candidate = candidate?;
    let line = candidate.as_str().or_else(|| candidate.get("candidate")?.as_str())?;
    let line = line.strip_prefix("a=").unwrap_or(line);
    (line.len() <= MAX_CANDIDATE_BYTES).then(|| line.into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn objects_and_lines_are_read_with_and_without_prefix() {
        let bare = json!("candidate:1");
        let prefixed = json!({"candidate": "a=candidate:1", "sdpMid": "0"});
        for candidate in [&bare, &prefixed] {
            assert_eq!(line(Some(candidate)).as_deref(), Some("candidate:1"));
        }
        let long = json!("c".repeat(MAX_CANDIDATE_BYTES + 1));
        for wrong in [&long, &json!(1), &json!({}), &json!({"candidate": 1}), &json!(null)] {
            assert_eq!(line(Some(wrong)), None, "{wrong:.40}");
        }
        assert_eq!(line(None), None);
    }
}

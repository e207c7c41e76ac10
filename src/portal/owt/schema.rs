//! Checks of request members whose complaints read like those of OWT's JSON-schema validator:
//! `request<path> <what is wrong> <parameters as JSON>`. Applications show them to their users.

use serde_json::{Map, Value, json};

/// A JSON object with its path, for example `request.media.audio`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Object<'v, 'p> {
    members: &'v Map<String, Value>,
    path: &'p str,
}

/// Reads an object.
pub(super) fn object<'v, 'p>(value: &'v Value, path: &'p str) -> Result<Object<'v, 'p>, String> {
    let members = value.as_object().ok_or_else(|| wrong_type(path, "object"))?;
    Ok(Object { members, path })
}

impl<'v> Object<'v, '_> {
    /// Refuses members beyond those listed.
    pub(super) fn only(self, known: &[&str]) -> Result<Self, String> {
        match self.members.keys().find(|key| !known.contains(&key.as_str())) {
            None => Ok(self),
            Some(extra) => {
                Err(format!("{} should NOT have additional properties {}", self.path, json!(extra)))
            }
        }
    }

    /// A member that must be there.
    pub(super) fn required(self, key: &str) -> Result<&'v Value, String> {
        self.members.get(key).ok_or_else(|| {
            format!("{} should have required property '{key}' {}", self.path, json!(key))
        })
    }

    /// A member that may be absent.
    pub(super) fn optional(self, key: &str) -> Option<&'v Value> {
        self.members.get(key)
    }

    /// The path of a member.
    pub(super) fn path_of(self, key: &str) -> String {
        format!("{}.{key}", self.path)
    }

    /// A text that must be there.
    pub(super) fn required_text(self, key: &str) -> Result<&'v str, String> {
        text(self.required(key)?, &self.path_of(key))
    }

    /// A non-negative number that may be absent.
    pub(super) fn optional_number(self, key: &str) -> Result<Option<f64>, String> {
        let Some(value) = self.optional(key) else { return Ok(None) };
        let path = self.path_of(key);
        let number = value.as_f64().ok_or_else(|| wrong_type(&path, "number"))?;
        if number < 0.0 {
            return Err(format!("{path} should be >= 0 {}", json!(">=")));
        }
        Ok(Some(number))
    }
}

/// Reads a text.
pub(super) fn text<'v>(value: &'v Value, path: &str) -> Result<&'v str, String> {
    value.as_str().ok_or_else(|| wrong_type(path, "string"))
}

/// Reads one of a set of words.
pub(super) fn one_of<T: Copy>(value: &Value, path: &str, words: &[(&str, T)]) -> Result<T, String> {
    let chosen = value.as_str().and_then(|word| words.iter().find(|(name, _)| *name == word));
    chosen.map(|(_, meaning)| *meaning).ok_or_else(|| {
        let names: Vec<&str> = words.iter().map(|(name, _)| *name).collect();
        format!("{path} should be equal to one of the allowed values {}", json!(names))
    })
}

/// Reads a member that is `false` when the thing is not wanted. Both ways in which it failed are
/// told, as the validator tells every branch of an alternative.
pub(super) fn or_false<T>(
    value: &Value,
    path: &str,
    read: impl FnOnce(Object<'_, '_>) -> Result<T, String>,
) -> Result<Option<T>, String> {
    if *value == Value::Bool(false) {
        return Ok(None);
    }
    let wanted = object(value, path).and_then(read);
    wanted.map(Some).map_err(|error| format!("{error},{path} should be equal to constant"))
}

/// The complaint about a wrong JSON type.
pub(super) fn wrong_type(path: &str, expected: &str) -> String {
    format!("{path} should be {expected} {}", json!(expected))
}

//! Shapes of JSON: tables of paths and what must stand there.
//!
//! A path's steps are members; `*` is each item of a list or member of an object, and a step with a
//! `?` may be absent with all behind it. The empty path is the value itself.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

/// A path and what stands there.
pub(crate) type Rule = (&'static str, Is);

/// What stands at a path.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Is {
    /// Any text.
    Text,
    /// A text that is one of these.
    OneOf(&'static [&'static str]),
    /// A number that is written without a fraction.
    Whole,
    /// `true` or `false`.
    Flag,
    /// A list.
    List,
    /// A list with something in it.
    Filled,
    /// An object.
    Object,
    /// A fraction as a text, always with its denominator.
    Share,
    /// A multiple as a text, such as `"x0.8"`.
    Multiple,
    /// Base64 of a ticket with a time at which it ends.
    Ticket,
    /// `null`.
    Null,
    /// Nothing: there is no such member.
    Absent,
}

impl fmt::Display for Is {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl Is {
    fn holds(self, value: &Value) -> bool {
        let text = value.as_str();
        match self {
            Self::Text => text.is_some(),
            Self::OneOf(words) => text.is_some_and(|text| words.contains(&text)),
            Self::Whole => value.is_u64(),
            Self::Flag => value.is_boolean(),
            Self::List => value.is_array(),
            Self::Filled => value.as_array().is_some_and(|list| !list.is_empty()),
            Self::Object => value.is_object(),
            Self::Share => text.is_some_and(is_share),
            Self::Multiple => text
                .and_then(|text| text.strip_prefix('x'))
                .is_some_and(|factor| factor.parse::<f64>().is_ok()),
            Self::Ticket => text.is_some_and(is_ticket),
            Self::Null => value.is_null(),
            Self::Absent => false,
        }
    }
}

fn is_share(text: &str) -> bool {
    text.split_once('/').is_some_and(|(numerator, denominator)| {
        numerator.parse::<u32>().is_ok() && denominator.parse::<u32>().is_ok_and(|it| it > 0)
    })
}

fn is_ticket(text: &str) -> bool {
    let json = STANDARD.decode(text).ok();
    let ticket = json.and_then(|json| serde_json::from_slice::<Value>(&json).ok());
    ticket.is_some_and(|ticket| ticket["notAfter"].is_u64() && ticket["participantId"].is_string())
}

/// Insists on a table.
pub(crate) fn check(value: &Value, rules: &[Rule], what: &str) {
    for (path, is) in rules {
        let steps: Vec<&str> = path.split('/').filter(|step| !step.is_empty()).collect();
        follow(value, &steps, *is).unwrap_or_else(|found| {
            panic!("{what}: {path} is {found} instead of {is} in\n{value}")
        });
    }
}

fn follow(value: &Value, steps: &[&str], is: Is) -> Result<(), String> {
    let Some((step, rest)) = steps.split_first() else {
        return if is.holds(value) { Ok(()) } else { Err(value.to_string()) };
    };
    if *step == "*" {
        return match value {
            Value::Array(items) => items.iter().try_for_each(|item| follow(item, rest, is)),
            Value::Object(members) => members.values().try_for_each(|it| follow(it, rest, is)),
            other => Err(format!("behind {other}")),
        };
    }
    let name = step.strip_suffix('?');
    match value.get(name.unwrap_or(step)) {
        Some(member) => follow(member, rest, is),
        None if name.is_some() || matches!(is, Is::Absent) => Ok(()),
        None => Err("nothing".into()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn holds(value: &Value, path: &str, is: Is) -> bool {
        let steps: Vec<&str> = path.split('/').filter(|step| !step.is_empty()).collect();
        follow(value, &steps, is).is_ok()
    }

    #[test]
    fn tables_find_what_is_wrong() {
        let value = json!({"a": [{"b": 1}, {"b": 2, "c": "x0.5"}], "d": null, "e": 1.5});
        for (path, is, expected) in [
            ("a/*/b", Is::Whole, true),
            ("a/*/b", Is::Text, false),
            ("a/*/c", Is::Multiple, false),
            ("a/*/c?", Is::Multiple, true),
            ("d", Is::Null, true),
            ("d", Is::Absent, false),
            ("f", Is::Absent, true),
            ("f", Is::Null, false),
            ("e", Is::Whole, false),
            ("a", Is::Filled, true),
            ("d/*", Is::Text, false),
            ("", Is::Object, true),
        ] {
            assert_eq!(holds(&value, path, is), expected, "{path} {is}");
        }
        for (text, expected) in [("0/1", true), ("2/4", true), ("0", false), ("1/0", false)] {
            assert_eq!(Is::Share.holds(&json!(text)), expected, "{text}");
        }
    }
}

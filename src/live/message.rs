//! The data signals of broadcasting clients, as they are on the wire: JSON with base64. The same
//! members come as a query beside the bytes of a `PUT`.

use std::{collections::HashMap, fmt};

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use bytes::Bytes;
use serde::{Deserialize, Deserializer, de};

/// Base64 with or without its padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A data signal.
#[derive(Deserialize)]
pub(super) struct Message {
    pub(super) action: String,
    /// When it was sent, by its sender's clock, in milliseconds since 1970.
    pub(super) timestamp: Option<Number>,
    pub(super) payload: Payload,
}

#[derive(Deserialize, Default)]
pub(super) struct Payload {
    pub(super) playlist: Option<PlaylistPayload>,
    pub(super) variant: Option<VariantPayload>,
    pub(super) rendition: Option<RenditionPayload>,
    pub(super) segment: Option<SegmentPayload>,
    pub(super) part: Option<PartPayload>,
}

#[derive(Deserialize)]
pub(super) struct PlaylistPayload {
    pub(super) id: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct VariantPayload {
    pub(super) id: String,
    pub(super) codecs: Option<String>,
    pub(super) bandwidth: Option<Number>,
    pub(super) audio: Option<String>,
    pub(super) version: Option<Number>,
    pub(super) target_duration: Option<Number>,
    pub(super) target_part_duration: Option<Number>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct RenditionPayload {
    pub(super) id: String,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) group_id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) language: Option<String>,
    pub(super) is_default: Option<bool>,
    pub(super) auto_select: Option<bool>,
    pub(super) version: Option<Number>,
    pub(super) target_duration: Option<Number>,
    pub(super) target_part_duration: Option<Number>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct SegmentPayload {
    pub(super) sequence: Option<Number>,
    pub(super) duration: Option<Number>,
    pub(super) discontinuity: Option<bool>,
    pub(super) program_date_time: Option<TextOrNumber>,
    pub(super) map: Option<MapPayload>,
    pub(super) data: Option<Data>,
}

#[derive(Deserialize, Default)]
pub(super) struct MapPayload {
    pub(super) id: Option<String>,
    pub(super) data: Option<Data>,
}

#[derive(Deserialize)]
pub(super) struct PartPayload {
    pub(super) sequence: Number,
    pub(super) duration: Option<Number>,
    pub(super) independent: Option<bool>,
    pub(super) gap: Option<bool>,
    pub(super) data: Option<Data>,
}

/// A number from 0 on, or a text that is one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Number(pub(super) f64);

#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum TextOrNumber {
    Number(f64),
    Text(String),
}

/// Bytes; in JSON, base64.
pub(super) struct Data(pub(super) Bytes);

impl Number {
    fn from_text(text: &str) -> Result<Self, &'static str> {
        let number = text.trim().parse().map_err(|_| NO_NUMBER)?;
        Self::checked(number)
    }

    fn checked(number: f64) -> Result<Self, &'static str> {
        let fits = number.is_finite() && number >= 0.0;
        fits.then_some(Self(number)).ok_or(NO_NUMBER)
    }
}

const NO_NUMBER: &str = "not a number from 0 on";

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = match TextOrNumber::deserialize(deserializer)? {
            TextOrNumber::Number(number) => Self::checked(number),
            TextOrNumber::Text(text) => Self::from_text(&text),
        };
        number.map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Base64)
    }
}

struct Base64;

impl de::Visitor<'_> for Base64 {
    type Value = Data;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("base64")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Data, E> {
        let decoded = BASE64.decode(text);
        let decoded = decoded.map_err(|error| E::custom(format_args!("not base64: {error}")))?;
        Ok(Data(decoded.into()))
    }
}

/// The members of a signal that stand in a query.
pub(super) struct Query(HashMap<String, String>);

impl From<HashMap<String, String>> for Query {
    fn from(members: HashMap<String, String>) -> Self {
        Self(members)
    }
}

impl Query {
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    pub(super) fn number(&mut self, name: &str) -> Result<Option<Number>, String> {
        let number = self.0.remove(name).map(|text| Number::from_text(&text));
        number.transpose().map_err(|error| format!("{name}: {error}"))
    }

    pub(super) fn flag(&mut self, name: &str) -> Result<Option<bool>, String> {
        match self.0.remove(name).as_deref() {
            None => Ok(None),
            Some("1" | "true" | "yes" | "YES") => Ok(Some(true)),
            Some("0" | "false" | "no" | "NO") => Ok(Some(false)),
            Some(other) => Err(format!("{name}: {other:?} is neither 1 nor 0")),
        }
    }
}

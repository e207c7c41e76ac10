//! Writes the room's neutral words in those of this dialect.

use std::sync::Arc;

use serde::Serialize;

use super::{
    decode::SCREEN,
    message::{
        Ack, Downlink, EngineSpecific, IceConfiguration, JoinBody, ListBody, Native, OfferBody,
        Publisher,
    },
};
use crate::{
    ids::RoomId,
    portal::{engines::Admission, signals::message::Kind},
    room::{FloorView, PublisherInfo, Standing},
};

/// What participants of other doors are said to come in by.
const HOST: &str = "Web";
const CATEGORY: &str = "stream";

/// The code of everything that is no error.
const OK: u16 = 200;

/// A frame's text.
pub(super) fn frame(message: &impl Serialize) -> String {
    serde_json::to_string(message).expect("texts, numbers and flags are JSON")
}

/// The id by which a publisher is known: the session's, or, for a further stream of somebody of
/// another door, the stream's.
pub(super) fn wire_id(info: &PublisherInfo) -> &str {
    match (&info.stream, info.further) {
        (Some(stream), true) => stream.as_str(),
        _ => info.participant.id.as_str(),
    }
}

/// The answer to `JOIN`; `sdps` are ids and offers, for whom this server serves itself.
pub(super) fn joined(
    room: &RoomId,
    view: &FloorView,
    engine: &Admission,
    ice_servers: &[String],
    sdps: &[(String, Arc<str>)],
) -> String {
    let sdps = sdps.iter().map(|(id, sdp)| Downlink { id, sdp }).collect();
    let es = match engine {
        Admission::Native {} => {
            EngineSpecific::Native(Native { icfg: IceConfiguration { is: ice_servers }, sdps })
        }
        Admission::LiveKit { .. } | Admission::HundredMs { .. } | Admission::Agora { .. } => {
            EngineSpecific::Service(engine)
        }
    };
    ok(
        Kind::Join.name(),
        JoinBody {
            pps: publishers(&view.publishers),
            rid: room.as_str(),
            pt: role(view.standing),
            eg: engine.engine(),
            es,
        },
    )
}

/// `PUBLISH_LIST_CHANGED`.
pub(super) fn list_changed(room: &RoomId, list: &[PublisherInfo]) -> String {
    let body = ListBody { pps: publishers(list), rid: room.as_str(), bid: None };
    ok("PUBLISH_LIST_CHANGED", body)
}

/// The answer to `HEARTBEAT`.
pub(super) fn heartbeat(room: &RoomId, list: &[PublisherInfo], bid: &str) -> String {
    let body = ListBody { pps: publishers(list), rid: room.as_str(), bid: Some(bid) };
    ok(Kind::Heartbeat.name(), body)
}

/// The answer to `OFFER`.
pub(super) fn answered(room: &RoomId, sdp: &str) -> String {
    ok(Kind::Offer.name(), OfferBody { rid: room.as_str(), sdp })
}

/// The answer to `WATCH`: one publisher with an offer, or, for a mixed stream, which is nobody's,
/// the offer alone.
pub(super) fn watched(room: &RoomId, info: Option<&PublisherInfo>, id: &str, sdp: &str) -> String {
    let entry = match info {
        Some(info) => publisher(info, Some(sdp)),
        None => mixed(id, sdp),
    };
    let body = ListBody { pps: vec![entry], rid: room.as_str(), bid: None };
    ok(Kind::Watch.name(), body)
}

fn ok(s: &str, body: impl Serialize) -> String {
    frame(&Ack { c: OK, s, b: body })
}

fn publishers(list: &[PublisherInfo]) -> Vec<Publisher<'_>> {
    list.iter().map(|info| publisher(info, None)).collect()
}

fn publisher<'a>(info: &'a PublisherInfo, sdp: Option<&'a str>) -> Publisher<'a> {
    let PublisherInfo { participant, profile, .. } = info;
    let id = wire_id(info);
    let device = profile.device.as_ref();
    let category = if info.screen { SCREEN } else { CATEGORY };
    Publisher {
        id,
        session_id: id,
        role: role(info.standing),
        video: info.sending.video,
        audio: info.sending.audio,
        publish: info.stream.is_some(),
        user_id: &participant.user,
        username: &participant.user,
        fullname: profile.name.as_deref().unwrap_or_default(),
        avatar: profile.picture.as_deref().unwrap_or_default(),
        host: device.map_or(HOST, |device| &device.host),
        category: device.map_or(category, |device| &device.category),
        device_id: device.map_or(participant.id.as_str(), |device| &device.id),
        sdp,
    }
}

fn mixed<'a>(id: &'a str, sdp: &'a str) -> Publisher<'a> {
    let has = |kind| sdp.contains(kind);
    Publisher {
        id,
        session_id: id,
        role: role(Standing::Publisher),
        video: has("m=video"),
        audio: has("m=audio"),
        publish: true,
        user_id: "",
        username: "",
        fullname: "",
        avatar: "",
        host: "Server",
        category: CATEGORY,
        device_id: id,
        sdp: Some(sdp),
    }
}

fn role(standing: Standing) -> &'static str {
    match standing {
        Standing::Owner => "admin",
        Standing::Publisher => "publisher",
        Standing::Viewer => "viewer",
    }
}

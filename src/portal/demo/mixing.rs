//! What visitors of the demo room may do to the mix: choose its layouts, and put streams into it or
//! take them out, also those of others. Elsewhere this is for administrators, by the management
//! REST; but whoever gets into the demo room needs no token, so there is nothing more to ask for.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use super::Demo;
use crate::{
    ids::StreamId,
    room::{Order, Rejection},
    store::room_record::Templates,
};

/// Other layouts for a view, as a room's record has them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LayoutWish {
    room: String,
    view: String,
    templates: Templates,
}

/// A stream that is to be in a view, or not.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MixWish {
    room: String,
    view: String,
    stream: String,
    mixed: bool,
}

/// `POST /demo/layout`: 204 once the view goes by the layouts.
pub(super) async fn layout(
    State(demo): State<Arc<Demo>>,
    Json(wish): Json<LayoutWish>,
) -> Result<StatusCode, Response> {
    let room = demo.open_room(&wish.room).map_err(IntoResponse::into_response)?;
    let view = StreamId::of_view(room, &wish.view).map_err(|_| refused(&Rejection::NoSuchView))?;
    let layouts = wish.templates.to_layouts();
    let layouts = layouts.map_err(|fault| refused(&Rejection::InvalidLayout(fault)))?;
    demo.order(Order::SetTemplates { view, layouts }).await
}

/// `POST /demo/mix`: 204 once the stream is in the view, or out of it.
pub(super) async fn mix(
    State(demo): State<Arc<Demo>>,
    Json(wish): Json<MixWish>,
) -> Result<StatusCode, Response> {
    demo.open_room(&wish.room).map_err(IntoResponse::into_response)?;
    let stream = wish.stream.parse().map_err(|_| refused(&Rejection::NoSuchStream))?;
    let view = wish.view.into();
    let order =
        if wish.mixed { Order::Mix { stream, view } } else { Order::Unmix { stream, view } };
    demo.order(order).await
}

impl Demo {
    /// Has the demo room do something; it is not started for that.
    async fn order(&self, order: Order) -> Result<StatusCode, Response> {
        let nobody = || (StatusCode::CONFLICT, "nobody is in the demo room\n").into_response();
        let room = self.room.as_ref().and_then(|room| self.registry.running(room));
        let managed = room.ok_or_else(nobody)?.manage(order).await.ok_or_else(nobody)?;
        managed.map(|_| StatusCode::NO_CONTENT).map_err(|rejection| refused(&rejection))
    }
}

fn refused(rejection: &Rejection) -> Response {
    (StatusCode::BAD_REQUEST, format!("{rejection}\n")).into_response()
}

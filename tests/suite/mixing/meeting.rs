//! A room with one view, made by REST, and actors who each play a colour and a tone in it.

use serde_json::{Value, json};

use super::{
    clip::{Clip, Player},
    stage::server,
    watcher::{Listener, Watcher},
};
use crate::{
    admin::client::BackEnd,
    support::{
        guest::{Guest, Session},
        media_peer::Codec,
        server::TestServer,
    },
};

/// The size of views here, and of the pictures that are mixed, which have its shape.
pub(super) const VIEW: (usize, usize) = (640, 360);
pub(super) const PICTURE: (u32, u32) = (160, 90);

/// Pictures a second of views here.
pub(super) const FRAMERATE: u32 = 24;

pub(super) const BACKGROUND: [u8; 3] = [0, 0, 0];

/// The colour of an actor. Any two differ by more than any codec's error, also from black.
pub(super) fn colour(number: usize) -> [u8; 3] {
    const LEVELS: [u8; 3] = [20, 128, 235];
    // The first would be nearly black.
    let number = number + 1;
    assert!(number < 27, "there are no more colours");
    [LEVELS[number % 3], LEVELS[number / 3 % 3], LEVELS[number / 9]]
}

/// The tone of an actor, in Hz.
pub(super) fn tone(number: usize) -> f64 {
    300.0 + 100.0 * number as f64
}

/// A server with a room.
pub(super) struct Meeting {
    pub(super) server: TestServer,
    pub(super) back_end: BackEnd,
    pub(super) room: String,
}

impl Meeting {
    /// A room whose view has these layouts at first and so many places.
    pub(super) async fn with(layout: Value, max_input: u32) -> Self {
        Self::on(server().await, layout, max_input).await
    }

    /// The same on a given server.
    pub(super) async fn on(server: TestServer, layout: Value, max_input: u32) -> Self {
        let back_end = BackEnd::of(&server).await;
        let (width, height) = VIEW;
        let room = back_end.room(json!({"views": [{"label": "common", "video": {
            "parameters": {
                "resolution": {"width": width, "height": height}, "framerate": FRAMERATE,
            },
            "maxInput": max_input,
            "layout": layout,
        }}]}));
        let room = room.await;
        Self { server, back_end, room }
    }

    /// The mixed stream.
    pub(super) fn view(&self) -> String {
        format!("{}-common", self.room)
    }

    /// Somebody who comes in and does nothing.
    pub(super) async fn guest(&self, user: &str) -> Guest {
        Guest::join(&self.server, &self.room, user).await
    }

    /// Somebody who watches the view.
    pub(super) async fn watcher(&self, guest: &mut Guest) -> Watcher {
        Watcher::of(guest, &self.view(), VIEW, FRAMERATE.into()).await
    }

    /// Somebody who listens to the view.
    pub(super) async fn listener(&self, guest: &mut Guest) -> Listener {
        Listener::of(guest, &self.view()).await
    }

    /// The path of a stream in the management interface.
    pub(super) fn stream(&self, id: &str) -> String {
        format!("/v1.1/rooms/{}/streams/{id}", self.room)
    }

    /// Makes a layout the view's only one.
    pub(super) async fn lay_out(&self, layout: Value) {
        let patch = json!([{"op": "replace", "path": "/info/layout", "value": layout}]);
        self.back_end.patch(&self.stream(&self.view()), patch).await.granted();
    }
}

/// Somebody who is seen and heard.
pub(super) struct Actor {
    pub(super) guest: Guest,
    pub(super) session: Session,
    pub(super) picture: Player,
    pub(super) sound: Player,
}

impl Actor {
    /// Comes in and is mixed, with the colour and tone of its number.
    pub(super) async fn join(meeting: &Meeting, number: usize) -> Self {
        let mut actor = Self::publish(meeting, number).await;
        actor.control("mix", json!("common")).await;
        actor
    }

    /// Comes in and publishes.
    async fn publish(meeting: &Meeting, number: usize) -> Self {
        let mut guest = meeting.guest(&format!("actor-{number}")).await;
        let picture = Clip::colour(colour(number), PICTURE).await;
        let sound = Clip::tone(tone(number)).await;
        let (session, mut sources) = guest.publish(&[Codec::OPUS, Codec::VP8]).await;
        let picture = Player::start(sources.pop().expect("video"), picture);
        let sound = Player::start(sources.pop().expect("audio"), sound);
        Self { guest, session, picture, sound }
    }

    /// The stream's id.
    pub(super) fn id(&self) -> &str {
        &self.session.id
    }

    /// Asks for something about its stream.
    pub(super) async fn control(&mut self, operation: &str, data: Value) {
        let request = json!({"id": self.session.id, "operation": operation, "data": data});
        self.guest.client.granted("stream-control", &request).await;
    }

    /// Changes places with what a region shows.
    pub(super) async fn move_to(&mut self, region: &str) {
        self.control("set-region", json!({"view": "common", "region": region})).await;
    }

    /// Stops sending, unpublishes and leaves.
    pub(super) async fn leave(mut self) {
        drop((self.picture, self.sound));
        self.guest.client.granted("logout", &Value::Null).await;
        self.session.peer.close().await;
    }
}

//! Chromium answers the offer that the media plane makes, without a room or a door between.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use axum::{
    Router,
    extract::State,
    response::Html,
    routing::{get, post},
};
use portico::{
    formats::{AudioFormat, LayerChoice, Offerer, VideoCodec, VideoFormat},
    ids::{SessionId, TransportId},
    media::{Command, Event, EventSink, ListenAddress, Media, Options, RoomMedia, Source},
};
use serde_json::json;
use tokio::{
    net::TcpListener,
    sync::{Mutex, mpsc},
};

use super::node;

/// A room of a media plane.
struct Plane {
    room: RoomMedia,
    events: Mutex<mpsc::UnboundedReceiver<Event>>,
}

impl Plane {
    /// Passes over events until one is found. Whoever waits in vain is ended by the script.
    async fn event_that<T>(&self, find: impl Fn(Event) -> Option<T>) -> T {
        let mut events = self.events.lock().await;
        loop {
            let event = events.recv().await.expect("the plane lives");
            assert!(!matches!(event, Event::SessionFailed { .. }), "{event:?}");
            if let Some(found) = find(event) {
                return found;
            }
        }
    }
}

fn named(name: &str) -> (SessionId, TransportId) {
    let session: SessionId = name.parse().expect("an id");
    (session.clone(), (&session).into())
}

async fn publish(State(plane): State<Arc<Plane>>, sdp: String) -> String {
    let (session, transport) = named("camera");
    let audio = Some([AudioFormat::OPUS].into());
    let video = Some([VideoFormat::of(VideoCodec::Vp8)].into());
    let offered = transport.clone();
    plane.room.send(Command::OpenPublication { session, transport, audio, video });
    plane.room.send(Command::Offer { transport: offered, sdp: sdp.into() });
    let answer = |event| match event {
        Event::Answered { sdp, .. } => Some(sdp.to_string()),
        _ => None,
    };
    plane.event_that(answer).await
}

async fn published(State(plane): State<Arc<Plane>>) {
    plane.event_that(|event| matches!(event, Event::SessionReady { .. }).then_some(())).await;
}

async fn subscribe(State(plane): State<Arc<Plane>>) -> String {
    let (session, transport) = named("screen");
    let (camera, _) = named("camera");
    plane.room.send(Command::OpenSubscription {
        session,
        transport,
        offerer: Offerer::Server,
        audio: Some(Source::Published((&camera).into(), LayerChoice::Largest)),
        video: Some(Source::Published((&camera).into(), LayerChoice::Largest)),
    });
    let offer = |event| match event {
        Event::Offered { sdp, .. } => Some(sdp.to_string()),
        _ => None,
    };
    plane.event_that(offer).await
}

async fn answer(State(plane): State<Arc<Plane>>, sdp: String) {
    let (_, transport) = named("screen");
    plane.room.send(Command::Answer { transport, sdp: sdp.into() });
    plane.event_that(|event| matches!(event, Event::SessionReady { .. }).then_some(())).await;
}

#[tokio::test]
async fn chromium_answers_an_offer_and_sees_and_hears_the_other_page() {
    let addresses = vec![ListenAddress { bind: IpAddr::V4(Ipv4Addr::LOCALHOST), announce: None }];
    let media = Media::start(Options { addresses, udp_port: 0, workers: 1 });
    let media = media.expect("loopback can be bound");
    let (events_to, events) = mpsc::unbounded_channel();
    let sink: EventSink = Arc::new(move |event| {
        // The test may be over.
        let _ = events_to.send(event);
    });
    let room = media.open_room(&"offered".parse().expect("an id"), sink);
    let pages = Router::new()
        .route("/", get(|| async { Html("<!doctype html><link rel=icon href=data:,>") }))
        .route("/publish", post(publish))
        .route("/published", post(published))
        .route("/subscribe", post(subscribe))
        .route("/answer", post(answer))
        .with_state(Arc::new(Plane { room, events: Mutex::new(events) }));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback can be bound");
    let url = format!("http://{}/", listener.local_addr().expect("bound"));
    let server = tokio::spawn(async move { axum::serve(listener, pages).await });
    let result = node::run("chromium.mjs", &["offered", &url]).await;
    assert_eq!((&result["streams"], &result["tracks"]), (&json!(["camera"]), &json!(2)));
    server.abort();
}

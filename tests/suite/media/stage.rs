//! A running media plane with one room, and the steps that every test takes on it.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Instant,
};

use portico::{
    formats::{AudioFormat, LayerChoice, Offerer, TrackKind, VideoCodec, VideoFormat},
    ids::{RoomId, SessionId, StreamId},
    media::{Command, Event, EventSink, ListenAddress, Media, Options, RoomMedia, Source},
};
use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;
use tokio::sync::mpsc;

use crate::support::media_peer::{self, Codec, MediaPeer, PATIENCE};

/// The plane and its room.
pub(super) struct Stage {
    pub(super) media: Media,
    pub(super) room: RoomMedia,
    events: mpsc::UnboundedReceiver<(Instant, Event)>,
    /// Events that no test has asked for yet.
    heard: Vec<(Instant, Event)>,
}

/// A session that is up.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ready {
    pub(super) at: Instant,
    pub(super) audio: Option<AudioFormat>,
    pub(super) video: Option<VideoFormat>,
}

const VIDEO_FORMATS: [VideoFormat; 5] = [
    VideoFormat::of(VideoCodec::Vp8),
    VideoFormat::of(VideoCodec::H264),
    VideoFormat::of(VideoCodec::Vp9),
    VideoFormat::of(VideoCodec::Av1),
    VideoFormat::of(VideoCodec::H265),
];

const AUDIO_FORMATS: [AudioFormat; 3] = [AudioFormat::OPUS, AudioFormat::PCMU, AudioFormat::PCMA];

impl Stage {
    pub(super) fn new() -> Self {
        let bind = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let addresses = vec![ListenAddress { bind, announce: None }];
        let media = Media::start(Options { addresses, udp_port: 0, workers: 1 });
        let media = media.expect("loopback can be bound");
        let (events_to, events) = mpsc::unbounded_channel();
        let sink: EventSink = Arc::new(move |event| {
            // The test may be over.
            let _ = events_to.send((Instant::now(), event));
        });
        let room: RoomId = "stage".parse().expect("valid");
        let room = media.open_room(&room, sink);
        Self { media, room, events, heard: Vec::new() }
    }

    /// Waits for an event; others are kept for later.
    pub(super) async fn event_that<T>(
        &mut self,
        mut find: impl FnMut(Instant, &Event) -> Option<T>,
    ) -> T {
        for (index, (at, event)) in self.heard.iter().enumerate() {
            if let Some(found) = find(*at, event) {
                self.heard.remove(index);
                return found;
            }
        }
        let search = async {
            loop {
                let (at, event) = self.events.recv().await.expect("the plane lives");
                if let Some(found) = find(at, &event) {
                    return found;
                }
                self.heard.push((at, event));
            }
        };
        tokio::time::timeout(PATIENCE, search).await.expect("such an event in time")
    }

    /// A peer that publishes one source, and the source.
    pub(super) async fn published(
        &mut self,
        codec: Codec,
        name: &str,
    ) -> (MediaPeer, media_peer::Source) {
        let mut publisher = peer(&[codec]).await;
        let source = publisher.add_source(codec).await;
        self.publish(&mut publisher, name).await;
        (publisher, source)
    }

    /// Opens a publication of what the peer has added and hands over its offer.
    pub(super) async fn offer_publication(&mut self, peer: &mut MediaPeer, name: &str) {
        let offer = peer.offer().await;
        let audio = offer.contains("m=audio").then(|| AUDIO_FORMATS.into());
        let video = offer.contains("m=video").then(|| VIDEO_FORMATS.into());
        let (session, transport) = (id(name), (&id(name)).into());
        self.room.send(Command::OpenPublication { session, transport, audio, video });
        self.offer(name, &offer);
    }

    /// Opens a subscription and hands over the peer's offer.
    pub(super) async fn offer_subscription(
        &mut self,
        peer: &mut MediaPeer,
        name: &str,
        audio: Option<&str>,
        video: Option<&str>,
    ) {
        let stream = |name: &str| -> StreamId { (&id(name)).into() };
        let (audio, video) = (audio.map(stream), video.map(stream));
        let (audio, video) = (audio.map(largest), video.map(largest));
        self.offer_subscription_to(peer, name, audio, video).await;
    }

    /// Opens a subscription to any sources and hands over the peer's offer.
    pub(super) async fn offer_subscription_to(
        &mut self,
        peer: &mut MediaPeer,
        name: &str,
        audio: Option<Source<AudioFormat>>,
        video: Option<Source<VideoFormat>>,
    ) {
        if audio.is_some() {
            peer.add_receiver(RtpCodecKind::Audio).await;
        }
        if video.is_some() {
            peer.add_receiver(RtpCodecKind::Video).await;
        }
        let offer = peer.offer().await;
        let (session, transport) = (id(name), (&id(name)).into());
        self.room.send(Command::OpenSubscription {
            session,
            transport,
            offerer: Offerer::Client,
            audio,
            video,
        });
        self.offer(name, &offer);
    }

    /// Connects a subscriber to any sources.
    pub(super) async fn subscribe_to(
        &mut self,
        peer: &mut MediaPeer,
        name: &str,
        audio: Option<Source<AudioFormat>>,
        video: Option<Source<VideoFormat>>,
    ) -> Ready {
        self.offer_subscription_to(peer, name, audio, video).await;
        peer.accept(&self.answer(name).await).await;
        let ready = self.ready(name).await;
        peer.connected().await;
        ready
    }

    /// Opens a subscription whose offer the plane makes; the offer.
    pub(super) async fn open_offered(
        &mut self,
        name: &str,
        audio: Option<&str>,
        video: Option<&str>,
    ) -> Arc<str> {
        let stream = |name: &str| -> StreamId { (&id(name)).into() };
        let (session, transport) = (id(name), (&id(name)).into());
        self.room.send(Command::OpenSubscription {
            session,
            transport,
            offerer: Offerer::Server,
            audio: audio.map(stream).map(largest),
            video: video.map(stream).map(largest),
        });
        self.event_that(|_, event| {
            let Event::Offered { transport, sdp } = event else { return None };
            (transport.as_str() == name).then(|| sdp.clone())
        })
        .await
    }

    /// Connects a subscriber that answers the plane's offer.
    pub(super) async fn subscribe_offered(
        &mut self,
        peer: &mut MediaPeer,
        name: &str,
        audio: Option<&str>,
        video: Option<&str>,
    ) -> Ready {
        let offer = self.open_offered(name, audio, video).await;
        let answer = peer.answer(&offer).await;
        self.send_answer(name, &answer);
        let ready = self.ready(name).await;
        peer.connected().await;
        ready
    }

    pub(super) fn send_answer(&self, name: &str, sdp: &str) {
        self.room.send(Command::Answer { transport: (&id(name)).into(), sdp: sdp.into() });
    }

    pub(super) fn offer(&self, name: &str, sdp: &str) {
        self.room.send(Command::Offer { transport: (&id(name)).into(), sdp: sdp.into() });
    }

    /// Waits for the answer to a session's offer.
    pub(super) async fn answer(&mut self, name: &str) -> Arc<str> {
        self.event_that(|_, event| {
            let Event::Answered { transport, sdp } = event else { return None };
            (transport.as_str() == name).then(|| sdp.clone())
        })
        .await
    }

    /// Waits until a session is up.
    pub(super) async fn ready(&mut self, name: &str) -> Ready {
        self.event_that(|at, event| {
            let Event::SessionReady { session, audio, video } = event else { return None };
            (session.as_str() == name).then_some(Ready { at, audio: *audio, video: *video })
        })
        .await
    }

    /// Waits until a session has failed; why.
    pub(super) async fn failure(&mut self, name: &str) -> String {
        self.event_that(|_, event| {
            let Event::SessionFailed { session, reason } = event else { return None };
            (session.as_str() == name).then(|| reason.to_string())
        })
        .await
    }

    /// Connects a publisher.
    pub(super) async fn publish(&mut self, peer: &mut MediaPeer, name: &str) -> Ready {
        self.offer_publication(peer, name).await;
        peer.accept(&self.answer(name).await).await;
        peer.connected().await;
        self.ready(name).await
    }

    /// Connects a subscriber.
    pub(super) async fn subscribe(
        &mut self,
        peer: &mut MediaPeer,
        name: &str,
        audio: Option<&str>,
        video: Option<&str>,
    ) -> Ready {
        self.offer_subscription(peer, name, audio, video).await;
        peer.accept(&self.answer(name).await).await;
        let ready = self.ready(name).await;
        peer.connected().await;
        ready
    }

    /// The events that no test step has asked for.
    pub(super) fn heard(&self) -> impl Iterator<Item = &Event> {
        self.heard.iter().map(|(_, event)| event)
    }

    pub(super) fn set_active(&self, stream: &str, kind: TrackKind, active: bool) {
        let stream = (&id(stream)).into();
        self.room.send(Command::SetTrackActive { stream, kind, active });
    }

    pub(super) fn close(&self, name: &str) {
        self.room.send(Command::CloseSession { session: id(name) });
    }
}

pub(super) fn id(text: &str) -> SessionId {
    text.parse().expect("valid")
}

/// A published stream, the largest layer of one that has layers.
fn largest<F>(stream: StreamId) -> Source<F> {
    Source::Published(stream, LayerChoice::Largest)
}

/// A peer that speaks these codecs.
pub(super) async fn peer(codecs: &[Codec]) -> MediaPeer {
    MediaPeer::builder().codecs(codecs).build().await
}

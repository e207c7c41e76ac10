#![allow(clippy::wildcard_enum_match_arm, reason = "whatever else comes is passed on")]

use std::sync::Arc;

use portico_mixer_protocol::{Codec, Scope, VideoCodec};
use tokio::{
    io::{DuplexStream, duplex},
    time::Instant,
};

use super::*;
use crate::media::{ListenAddress, Media, Options, RoomMedia};

/// The agent's end of a link, played by the test.
pub(in crate::mixing) struct Peer<S> {
    stream: S,
    incoming: BytesMut,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Peer<S> {
    pub(in crate::mixing) fn new(stream: S) -> Self {
        Self { stream, incoming: BytesMut::new() }
    }

    pub(in crate::mixing) async fn frame(&mut self) -> Option<(Header, Bytes)> {
        loop {
            if let Some(frame) = next_frame(&mut self.incoming).expect("well formed") {
                return Some(frame);
            }
            fill(&mut self.stream, &mut self.incoming).await.ok()?;
        }
    }

    /// The next message that is no question about the pulse; `None` at the end.
    pub(in crate::mixing) async fn message(&mut self) -> Option<ToAgent> {
        loop {
            let (header, payload) = self.frame().await?;
            assert_eq!(header.kind, Kind::Control);
            let message = serde_json::from_slice(&payload).expect("a message");
            let ToAgent::Ping { number } = message else { return Some(message) };
            self.say(&FromAgent::Pong { number }).await;
        }
    }

    pub(in crate::mixing) async fn say(&mut self, message: &FromAgent) {
        let payload = serde_json::to_vec(message).expect("serializes");
        self.send(Kind::Control, 0, &payload).await;
    }

    pub(in crate::mixing) async fn send(&mut self, kind: Kind, number: u32, payload: &[u8]) {
        let time = Duration::from_millis(5);
        let header = Header { kind, number, time, payload_bytes: payload.len() };
        self.raw(&[&header.write(), payload].concat()).await;
    }

    pub(in crate::mixing) async fn raw(&mut self, bytes: &[u8]) {
        // The other end may have given up.
        self.stream.write_all(bytes).await.ok();
    }

    pub(in crate::mixing) async fn greet(&mut self, version: u32) {
        assert_eq!(self.message().await, Some(ToAgent::Hello { version: VERSION }));
        let encoders = vec![Codec::Video(VideoCodec::Vp8)];
        let capabilities = Capabilities { decoders: Vec::new(), encoders };
        self.say(&FromAgent::Ready { version, capabilities }).await;
    }
}

/// A room's media, for its injectors.
pub(in crate::mixing) fn media() -> (Media, Arc<RoomMedia>) {
    let bind = std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    let addresses = vec![ListenAddress { bind, announce: None }];
    let media = Media::start(Options { addresses, udp_port: 0, workers: 1 }).expect("loopback");
    let room = media.open_room(&"room".parse().expect("valid"), Arc::new(|_| {}));
    (media, Arc::new(room))
}

struct Stage {
    peer: Peer<DuplexStream>,
    commands: mpsc::Sender<ToAgent>,
    feed: Feed,
    reports: mpsc::Receiver<Report>,
    carried: tokio::task::JoinHandle<LinkError>,
    _media: Media,
}

/// A link that was greeted and carries.
async fn stage() -> Stage {
    let (own, other) = duplex(READ_BYTES);
    let mut peer = Peer::new(other);
    let (link, ()) = tokio::join!(Link::greet(own), peer.greet(VERSION));
    let (link, capabilities) = link.expect("greeted");
    assert_eq!(capabilities.encoders.len(), 1);
    let (commands, received) = mpsc::channel(MAX_COMMANDS);
    let (report, reports) = mpsc::channel(8);
    let feed = Feed::default();
    let (plane, room) = media();
    let injector = room.injector();
    let ends = Ends { commands: received, feed: feed.clone(), injector, reports: report };
    let carried = tokio::spawn(link.carry(ends));
    Stage { peer, commands, feed, reports, carried, _media: plane }
}

#[tokio::test(start_paused = true)]
async fn messages_are_written_before_the_packets_that_need_them() {
    let mut stage = stage().await;
    stage.commands.send(ToAgent::RemoveInput { input: 1 }).await.expect("carried");
    stage.commands.send(ToAgent::RemoveInput { input: 2 }).await.expect("carried");
    let header =
        Header { kind: Kind::Rtp, number: 7, time: Duration::from_secs(1), payload_bytes: 3 };
    let packets = [&header.write()[..], b"rtp"].concat();
    let claim =
        crate::media::ClockClaim { input: 7, rtp: 90, sender_time: Duration::from_micros(8) };
    stage.feed.give(&mut Fed { packets, claims: vec![claim] });
    assert_eq!(stage.peer.message().await, Some(ToAgent::RemoveInput { input: 1 }));
    assert_eq!(stage.peer.message().await, Some(ToAgent::RemoveInput { input: 2 }));
    let clock = ToAgent::MapClock { input: 7, rtp: 90, source_us: 8 };
    assert_eq!(stage.peer.message().await, Some(clock));
    assert_eq!(stage.peer.frame().await, Some((header, Bytes::from_static(b"rtp"))));
}

#[tokio::test(start_paused = true)]
async fn what_the_agent_says_is_reported_in_its_order() {
    let mut stage = stage().await;
    let failed = FromAgent::Failed { scope: Scope::View(3), reason: "codec".into() };
    stage.peer.say(&failed).await;
    stage.peer.send(Kind::Snapshot, 9, b"jpeg").await;
    let Some(Report::Said(Said::Message(message))) = stage.reports.recv().await else {
        panic!("no message")
    };
    assert_eq!(message, failed);
    let Some(Report::Said(Said::Snapshot { request, picture })) = stage.reports.recv().await else {
        panic!("no snapshot")
    };
    assert_eq!((request, &picture[..]), (9, &b"jpeg"[..]));
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_answers_lives_and_one_that_does_not_is_hung() {
    let mut stage = stage().await;
    let before = Instant::now();
    let answering = async { while stage.peer.message().await.is_some() {} };
    assert!(timeout(PULSE * 20, answering).await.is_err(), "still running");
    assert!(!stage.carried.is_finished());
    let asked = before.elapsed();
    let error = stage.carried.await.expect("ended");
    assert!(matches!(error, LinkError::Hung), "{error}");
    let silent = before.elapsed() - asked;
    assert!(silent >= PULSE * 2 && silent <= PULSE * 4, "{silent:?}");
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_reads_nothing_is_hung_and_blocks_nobody() {
    let stage = stage().await;
    let header =
        Header { kind: Kind::Rtp, number: 7, time: Duration::ZERO, payload_bytes: READ_BYTES * 4 };
    let packets = [&header.write()[..], &vec![0; READ_BYTES * 4]].concat();
    assert!(stage.feed.give(&mut Fed { packets, claims: Vec::new() }));
    let error = stage.carried.await.expect("ended");
    assert!(matches!(error, LinkError::Hung), "{error}");
}

#[tokio::test(start_paused = true)]
async fn garbage_ends_the_link_with_its_kind() {
    for (bytes, wanted) in [
        (vec![0xff; 40], "frame"),
        (vec![0, 0, 0, 13, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "frame"),
    ] {
        let mut stage = stage().await;
        stage.peer.raw(&bytes).await;
        let error = stage.carried.await.expect("ended");
        assert!(matches!(error, LinkError::Frame(_)), "{wanted}: {error}");
    }
    let mut stage = stage().await;
    stage.peer.send(Kind::Control, 0, b"{\"message\":\"dance\"}").await;
    let error = stage.carried.await.expect("ended");
    assert!(matches!(error, LinkError::Message(_)), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_end_in_the_midst_of_a_frame_is_an_end() {
    let mut stage = stage().await;
    stage.peer.raw(&[0, 0, 0]).await;
    drop(stage.peer);
    assert!(matches!(stage.carried.await.expect("ended"), LinkError::Closed));
}

#[tokio::test(start_paused = true)]
async fn greetings_that_are_none_are_refused() {
    let (own, other) = duplex(READ_BYTES);
    let mut peer = Peer::new(other);
    let (link, ()) = tokio::join!(Link::greet(own), peer.greet(VERSION + 1));
    assert!(matches!(link.err(), Some(LinkError::Version(_))));

    let (own, other) = duplex(READ_BYTES);
    let mut peer = Peer::new(other);
    let pong = FromAgent::Pong { number: 1 };
    let (link, ()) = tokio::join!(Link::greet(own), peer.say(&pong));
    assert!(matches!(link.err(), Some(LinkError::NoGreeting)));

    let (own, other) = duplex(READ_BYTES);
    let before = Instant::now();
    assert!(matches!(Link::greet(own).await.err(), Some(LinkError::Hung)));
    assert_eq!(before.elapsed(), GREETING);
    drop(other);
}

#[tokio::test]
async fn a_socket_pair_carries_a_large_burst_whole() {
    let (own, other) = tokio::net::UnixStream::pair().expect("a pair");
    let mut peer = Peer::new(other);
    let (link, ()) = tokio::join!(Link::greet(own), peer.greet(VERSION));
    let (link, _) = link.expect("greeted");
    let (commands, received) = mpsc::channel(MAX_COMMANDS);
    let (report, _reports) = mpsc::channel(8);
    let (feed, (_plane, room)) = (Feed::default(), media());
    let injector = room.injector();
    let ends = Ends { commands: received, feed: feed.clone(), injector, reports: report };
    let carried = tokio::spawn(link.carry(ends));
    let mut packets = Vec::new();
    for number in 0..1000 {
        let payload_bytes = 1200;
        let header = Header { kind: Kind::Rtp, number, time: Duration::ZERO, payload_bytes };
        packets.extend_from_slice(&header.write());
        packets.resize(packets.len() + payload_bytes, number as u8);
    }
    assert!(feed.give(&mut Fed { packets, claims: Vec::new() }));
    for number in 0..1000 {
        let (header, payload) = loop {
            let (header, payload) = peer.frame().await.expect("a frame");
            if header.kind == Kind::Rtp {
                break (header, payload);
            }
        };
        assert_eq!(header.number, number);
        assert!(payload.iter().all(|byte| *byte == number as u8));
    }
    drop(commands);
    let error = timeout(PULSE, carried).await.expect("in time").expect("ended");
    assert!(matches!(error, LinkError::Overrun), "{error}");
}

//! The measured process: a media plane with one worker, told what to do in lines of JSON.

use std::{
    io::{BufRead, Write},
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, mpsc},
    thread,
};

use portico::{
    formats::{LayerChoice, Offerer, VideoCodec, VideoFormat},
    ids::{RoomId, SessionId, StreamId},
    media::{Command, Event, ListenAddress, Media, Options, Source},
};
use serde::{Deserialize, Serialize};

use crate::support::Result;

/// An order to the server.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Order {
    /// Open a publication and answer its offer.
    Publish { session: String, sdp: String },
    /// Open a subscription to a publication and answer its offer.
    Subscribe { session: String, stream: String, sdp: String },
}

/// What the server says.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Report {
    /// It takes orders.
    Started,
    /// The answer to a session's offer.
    Answered { session: String, sdp: String },
    /// A session's media can flow.
    Ready { session: String },
    /// A session is gone.
    Failed { session: String, reason: String },
}

impl Report {
    fn of(event: Event) -> Option<Self> {
        match event {
            Event::Answered { transport, sdp } => {
                Some(Self::Answered { session: transport.to_string(), sdp: sdp.to_string() })
            }
            Event::SessionReady { session, .. } => {
                Some(Self::Ready { session: session.to_string() })
            }
            Event::SessionFailed { session, reason } => {
                Some(Self::Failed { session: session.to_string(), reason: reason.to_string() })
            }
            Event::Offered { .. }
            | Event::Layered { .. }
            | Event::Measured { .. }
            | Event::Level { .. }
            | Event::Chosen { .. }
            | Event::KeyFrameWanted { .. } => None,
        }
    }
}

/// Serves until standard input ends.
pub(crate) fn serve() -> Result<()> {
    let media = Media::start(Options {
        addresses: vec![ListenAddress { bind: IpAddr::V4(Ipv4Addr::LOCALHOST), announce: None }],
        udp_port: 0,
        workers: 1,
    })?;
    let (reports, to_write) = mpsc::channel();
    let writer = thread::spawn(move || {
        let mut output = std::io::stdout();
        for report in to_write {
            let line = serde_json::to_string(&report).expect("reports are JSON");
            if writeln!(output, "{line}").and_then(|()| output.flush()).is_err() {
                break;
            }
        }
    });
    reports.send(Report::Started)?;
    let sink = Arc::new(move |event| {
        if let Some(report) = Report::of(event) {
            // The writer ends before only when nobody reads.
            drop(reports.send(report));
        }
    });
    let room_id: RoomId = "bench".parse()?;
    let room = media.open_room(&room_id, sink);
    for line in std::io::stdin().lock().lines() {
        for command in commands(serde_json::from_str(&line?)?)? {
            room.send(command);
        }
    }
    drop(room);
    media.shutdown();
    drop(media);
    writer.join().map_err(|_| "the writer panicked")?;
    Ok(())
}

fn commands(order: Order) -> Result<[Command; 2]> {
    let offer = |session: &SessionId, sdp: String| Command::Offer {
        transport: session.into(),
        sdp: sdp.into(),
    };
    Ok(match order {
        Order::Publish { session, sdp } => {
            let session: SessionId = session.parse()?;
            let offer = offer(&session, sdp);
            let vp8 = VideoFormat::of(VideoCodec::Vp8);
            let transport = (&session).into();
            let video = Some(Arc::from([vp8]));
            [Command::OpenPublication { session, transport, audio: None, video }, offer]
        }
        Order::Subscribe { session, stream, sdp } => {
            let session: SessionId = session.parse()?;
            let stream: StreamId = stream.parse()?;
            let offer = offer(&session, sdp);
            let transport = (&session).into();
            let video = Some(Source::Published(stream, LayerChoice::Largest));
            [
                Command::OpenSubscription {
                    session,
                    transport,
                    offerer: Offerer::Client,
                    audio: None,
                    video,
                },
                offer,
            ]
        }
    })
}

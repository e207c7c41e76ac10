//! Sessions of the room-signal dialect that do nothing but send heartbeats.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    net::TcpStream,
    task::JoinSet,
    time::{interval_at, sleep, timeout},
};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

use super::{ROOM_SIZE, portico::Portico};
use crate::support::{
    Result,
    usage::{self, Cpu},
};

/// How often a client sends one.
const INTERVAL: Duration = Duration::from_secs(3);

/// How long they are watched: some heartbeats of each.
const MEASURED: Duration = Duration::from_secs(12);

/// How long the server has to come to rest.
const SETTLING: Duration = Duration::from_secs(2);

const PATIENCE: Duration = Duration::from_secs(30);

/// What sessions cost.
pub(super) struct Cost {
    sessions: usize,
    acks: usize,
    seconds: f64,
    cpu: Cpu,
    kib_each: f64,
}

impl Cost {
    /// A table's row.
    pub(super) fn row(&self) -> Vec<String> {
        let busy = self.cpu.total / self.seconds;
        vec![
            self.sessions.to_string(),
            format!("{:.0}", self.acks as f64 / self.seconds),
            format!("{:.2} %", busy * 100.0),
            format!("{:.1}", busy / self.sessions as f64 * 1e6),
            format!("{:.0}", self.sessions as f64 / busy),
            format!("{:.1}", self.kib_each),
        ]
    }
}

/// Has sessions in meetings of [`ROOM_SIZE`] beat for some seconds.
pub(super) async fn measure(count: usize) -> Result<Cost> {
    let mut portico = Portico::prepare()?;
    let tokens = portico.tokens(count)?;
    let server = portico.start().await?;
    let before = usage::resident_kib(server.program.id())?;
    let mut sessions = Vec::with_capacity(count);
    for (number, token) in tokens.iter().enumerate() {
        sessions.push(Session::join(server.address, number, token).await?);
    }
    sleep(SETTLING).await;
    let kib = usage::resident_kib(server.program.id())?.saturating_sub(before);
    let (cpu, start) = (Cpu::of(server.program.id())?, Instant::now());
    let end = start + MEASURED;
    let mut beating = JoinSet::new();
    for session in sessions {
        beating.spawn(session.beat(count, end));
    }
    let mut acks = 0;
    while let Some(beaten) = beating.join_next().await {
        acks += beaten??;
    }
    let (cpu, seconds) = (Cpu::of(server.program.id())? - cpu, start.elapsed().as_secs_f64());
    Ok(Cost { sessions: count, acks, seconds, cpu, kib_each: kib as f64 / count as f64 })
}

struct Session {
    socket: WebSocketStream<TcpStream>,
    number: usize,
}

impl Session {
    async fn join(address: SocketAddr, number: usize, token: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let url = format!("ws://{address}/signals?token={token}");
        let (socket, _) = client_async(url, stream).await?;
        let mut session = Self { socket, number };
        let founding = number.is_multiple_of(ROOM_SIZE);
        let options = json!({"roomCreating": founding});
        session
            .ask("join", "JOIN", json!({"ve": true, "ae": true, "eg": "native", "op": options}))
            .await?;
        Ok(session)
    }

    /// Sends heartbeats until the end, the sessions one after the other within an interval; yields
    /// how many were answered.
    async fn beat(mut self, of: usize, end: Instant) -> Result<usize> {
        let share = INTERVAL.mul_f64(self.number as f64 / of as f64);
        let mut ticks = interval_at(tokio::time::Instant::now() + share, INTERVAL);
        let mut acks = 0;
        loop {
            let next = ticks.tick().await;
            if next.into_std() >= end {
                return Ok(acks);
            }
            let members = json!({"bid": "03DE2F3D-C710-4201-81A3-33AED4080B51", "send_ack": true});
            self.ask("heartbeat", "HEARTBEAT", members).await?;
            acks += 1;
        }
    }

    async fn ask(&mut self, action: &str, s: &str, members: Value) -> Result<()> {
        let mut data = json!({
            "s": s, "ch": "m2m", "rid": format!("room-{}", self.number / ROOM_SIZE),
            "ss": {
                "userId": format!("user-{}", self.number), "host": "iOS", "category": "stream",
                "sessionId": format!("22718907-D43A-46DA-95A1-{:012}", self.number),
                "deviceId": "B2DC9D27-93BC-45E9-A2A9-4C3B60FCC9F6",
            },
        });
        if let (Some(data), Value::Object(members)) = (data.as_object_mut(), members) {
            data.extend(members);
        }
        let frame = json!({"action": action, "data": data}).to_string();
        self.socket.send(Message::text(frame)).await?;
        loop {
            let next = timeout(PATIENCE, self.socket.next()).await.map_err(|_| "no answer")?;
            let Message::Text(text) = next.ok_or("the server closed")?? else { continue };
            let answer: Value = serde_json::from_str(&text)?;
            if answer["s"] == s {
                return match answer["c"].as_u64() {
                    Some(200) => Ok(()),
                    _ => Err(format!("refused: {text}").into()),
                };
            }
        }
    }
}

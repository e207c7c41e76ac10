//! Signaling: acknowledged requests a second and memory of idle connections, beside a plain
//! socket.io 4 echo server on Node.js under the same load in the same run.

mod acks;
mod client;
mod heartbeats;
mod idle;
mod node;
mod portico;

use std::{net::SocketAddr, time::Duration};

use self::{acks::Load, client::Client};
use crate::support::{
    Result, placement,
    program::Program,
    report::{self, Table},
    usage,
};

/// Connections under load, and the requests that each has under way.
const LOADED_CONNECTIONS: usize = 50;
const IN_FLIGHT: usize = 4;

/// Idle connections.
const IDLE_CONNECTIONS: usize = 2000;

/// Sessions that send heartbeats.
const BEATING_SESSIONS: usize = 500;

/// Participants of a room, so that nobody hears of everybody.
const ROOM_SIZE: usize = 20;

/// Files that this process opens beside one for each connection.
const OTHER_FILES: usize = 100;

/// How long a server may take to start.
const START_PATIENCE: Duration = Duration::from_secs(20);

/// A server under load.
struct Server {
    program: Program,
    address: SocketAddr,
}

/// Runs both servers through both benchmarks.
pub(crate) fn run() -> Result<()> {
    report::heading("Signaling");
    placement::pin_this_process()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(compare())
}

/// Runs heartbeating sessions alone.
pub(crate) fn run_heartbeats() -> Result<()> {
    report::heading("Heartbeats");
    placement::pin_this_process()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(measure_heartbeats())
}

async fn measure_heartbeats() -> Result<()> {
    println!("Sessions of the room-signal dialect, a heartbeat every 3 seconds each.\n");
    let mut table = Table::new(&[
        "sessions",
        "acks/s",
        "core busy",
        "us/s each",
        "sessions per core",
        "KiB each",
    ]);
    table.row(heartbeats::measure(BEATING_SESSIONS).await?.row());
    table.print();
    Ok(())
}

async fn compare() -> Result<()> {
    println!("{LOADED_CONNECTIONS} connections with {IN_FLIGHT} requests under way each.\n");
    let node = measure_node_acks().await?;
    let portico = measure_portico_acks().await?;
    let mut table = Table::new(&[
        "request",
        "acks/s",
        "core busy",
        "acks/s per busy core",
        "of node's",
        "p50 ms",
        "p99 ms",
    ]);
    for (ours, theirs) in portico.iter().zip(&node) {
        table.row(ours.row(Some(theirs)));
        table.row(theirs.row(None));
    }
    table.print();

    let limit = usage::max_open_files()?.saturating_sub(OTHER_FILES);
    let count = IDLE_CONNECTIONS.min(limit);
    println!("\n{count} idle connections.\n");
    let mut table = Table::new(&["server", "KiB each"]);
    for (name, each) in idle::of_portico(count).await? {
        table.row(vec![name.to_owned(), format!("{each:.1}")]);
    }
    table.row(vec![
        "node socket.io 4, connected".to_owned(),
        format!("{:.1}", idle::of_node(count).await?),
    ]);
    table.print();

    println!();
    measure_heartbeats().await?;
    println!("\nLoad average afterwards: {}.", report::load_average());
    Ok(())
}

async fn measure_node_acks() -> Result<Vec<Load>> {
    let server = node::start()?;
    let mut loads = Vec::new();
    for (name, request) in node::requests() {
        let mut clients = Vec::new();
        for _ in 0..LOADED_CONNECTIONS {
            clients.push((Client::connect(server.address).await?, request.clone()));
        }
        loads.push(acks::measure(name, &server, clients).await?);
    }
    Ok(loads)
}

async fn measure_portico_acks() -> Result<Vec<Load>> {
    let mut portico = portico::Portico::prepare()?;
    let tokens = portico.tokens(2 * LOADED_CONNECTIONS)?;
    let server = portico.start().await?;
    let mut loads = Vec::new();
    for (case, tokens) in portico::CASES.iter().zip(tokens.chunks(LOADED_CONNECTIONS)) {
        let mut clients = Vec::new();
        for token in tokens {
            let mut client = Client::connect(server.address).await?;
            let id = client.log_in(token).await?;
            clients.push((client, (case.request)(&id)));
        }
        loads.push(acks::measure(case.name, server, clients).await?);
    }
    Ok(loads)
}

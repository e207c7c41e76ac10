//! Memory of connections that do nothing.

use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::time::sleep;

use super::{ROOM_SIZE, Server, client::Client, node, portico::Portico};
use crate::support::{Result, usage};

/// Connections that come and go before, so that what a server makes once counts for nobody.
const WARM_UP_CONNECTIONS: usize = 2 * ROOM_SIZE;

/// How long a server has to come to rest.
const SETTLING: Duration = Duration::from_secs(2);

/// Connections and logins under way at once.
const AT_ONCE: usize = 40;

/// KiB for each connection of Portico: connected, then in a room.
pub(super) async fn of_portico(count: usize) -> Result<[(&'static str, f64); 2]> {
    let mut portico = Portico::prepare()?;
    let mut tokens = portico.tokens(WARM_UP_CONNECTIONS + count)?;
    let rest = tokens.split_off(WARM_UP_CONNECTIONS);
    let server = portico.start().await?;
    let mut warm = connect(server, WARM_UP_CONNECTIONS).await?;
    log_in(&mut warm, &tokens).await?;
    drop(warm);
    sleep(SETTLING).await;

    let before = usage::resident_kib(server.program.id())?;
    let mut clients = connect(server, count).await?;
    sleep(SETTLING).await;
    let connected = usage::resident_kib(server.program.id())?;
    log_in(&mut clients, &rest).await?;
    sleep(SETTLING).await;
    let in_rooms = usage::resident_kib(server.program.id())?;
    let each = |after: u64| after.saturating_sub(before) as f64 / count as f64;
    Ok([
        ("portico, connected", each(connected)),
        ("portico, logged in to rooms of 20", each(in_rooms)),
    ])
}

/// KiB for each connection of the peer.
pub(super) async fn of_node(count: usize) -> Result<f64> {
    let mut server = node::start()?;
    drop(connect(&server, WARM_UP_CONNECTIONS).await?);
    sleep(SETTLING).await;
    node::collect_garbage(&mut server)?;
    let before = usage::resident_kib(server.program.id())?;
    let clients = connect(&server, count).await?;
    sleep(SETTLING).await;
    node::collect_garbage(&mut server)?;
    let after = usage::resident_kib(server.program.id())?;
    drop(clients);
    Ok(after.saturating_sub(before) as f64 / count as f64)
}

async fn connect(server: &Server, count: usize) -> Result<Vec<Client>> {
    let address = server.address;
    stream::iter(0..count)
        .map(|_| Client::connect(address))
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}

async fn log_in(clients: &mut [Client], tokens: &[String]) -> Result<()> {
    stream::iter(clients.iter_mut().zip(tokens))
        .map(|(client, token)| client.log_in(token))
        .buffer_unordered(AT_ONCE)
        .try_for_each(|_| async { Ok(()) })
        .await
}

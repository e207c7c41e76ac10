//! The peer: a socket.io 4 server on Node.js that echoes.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
};

use serde_json::json;

use super::{START_PATIENCE, Server};
use crate::support::{Result, placement, program::Program};

/// As long as a reconnection ticket, so that answers of both servers are of one size.
const ECHOED_BYTES: usize = 300;

/// Starts it, on a port of the system's choice.
pub(super) fn start() -> Result<Server> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/signaling/peer");
    if !folder.join("node_modules/socket.io").is_dir() {
        let prefix = folder.display();
        return Err(format!("the peer is not installed: npm ci --prefix {prefix}").into());
    }
    let mut command = placement::on_server_core("node");
    command.arg("--expose-gc").arg(folder.join("echo.mjs"));
    let program = Program::start(command, || {})?;
    let port: u16 = program.next_line(START_PATIENCE)?.parse()?;
    Ok(Server { program, address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)) })
}

/// Makes it give up garbage, so that memory is what connections hold.
pub(super) fn collect_garbage(server: &mut Server) -> Result<()> {
    server.program.tell("gc")?;
    server.program.next_line(START_PATIENCE)?;
    Ok(())
}

/// What is asked, in the order of Portico's cases.
pub(super) fn requests() -> [(&'static str, String); 2] {
    let text = "x".repeat(ECHOED_BYTES);
    let message = json!(["text", {"to": "me", "message": "hello"}]);
    [
        ("node: echo of 300 bytes", json!(["echo", text]).to_string()),
        ("node: event to oneself and ack", message.to_string()),
    ]
}

//! The limit: what it costs on this machine, in this minute, to seal packets of the same size and
//! hand them to the kernel for as many sockets, with nothing else done.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    thread,
    time::{Duration, Instant},
};

use quinn_udp::{Transmit, UdpSocketState};
use rtc_crypto::{AeadAlgorithm, AeadCipher};
use serde::{Deserialize, Serialize};

use super::{
    FLOOR_ROLE,
    peer::{Peer, crypto},
    rtp::{HEADER_BYTES, PAYLOAD_BYTES},
};
use crate::support::{Result, placement, program::Program, usage::Cpu};

/// Packets for one destination in one call: one, a picture, what piles up under load.
pub(crate) const SINGLE: usize = 1;
pub(crate) const PICTURE: usize = 9;
pub(crate) const CROWDED: usize = 36;
const TRAINS: [usize; 3] = [SINGLE, PICTURE, CROWDED];

/// Destinations, as in the larger meeting.
const SINKS: usize = 200;

const WARM_UP: Duration = Duration::from_millis(200);
const MEASURED: Duration = Duration::from_millis(1500);

/// Between emptyings of the sinks, whose buffers hold what comes meanwhile.
const EMPTYING: Duration = Duration::from_millis(1);

/// Longer than all cases take.
const PATIENCE: Duration = Duration::from_secs(30);

const TAG_BYTES: usize = 16;

/// Where packets go and which cipher a destination has.
type Sink = (SocketAddr, Box<dyn AeadCipher>);

/// What a packet costs in one case.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Cost {
    /// Packets in one call; 0 is sealing alone.
    pub(crate) train: usize,
    /// Processor time in microseconds.
    pub(crate) microseconds: f64,
}

/// Runs every case on the measured core, receiving on this one.
pub(crate) fn floor() -> Result<Vec<Cost>> {
    let mut sinks = Vec::new();
    let mut ports = Vec::new();
    for _ in 0..SINKS {
        let sink = Peer::new()?.socket;
        ports.push(sink.local_addr()?.port());
        sinks.push(sink);
    }
    let mut command = placement::on_server_core(std::env::current_exe()?);
    command.arg(FLOOR_ROLE);
    let mut program = Program::start(command, || {})?;
    program.tell(&serde_json::to_string(&ports)?)?;

    let end = Instant::now() + PATIENCE;
    let mut buffer = [0; 64];
    let mut costs = Vec::new();
    while costs.len() <= TRAINS.len() {
        if Instant::now() > end {
            return Err("the limit was not measured in time".into());
        }
        // Not woken by arrivals: waking a receiver costs the sender more than the sending.
        thread::sleep(EMPTYING);
        for sink in &sinks {
            while sink.recv(&mut buffer).is_ok() {}
        }
        if let Some(line) = program.line() {
            costs.push(serde_json::from_str(&line)?);
        }
    }
    Ok(costs)
}

/// The measured process: reads the ports of the destinations, writes a cost for each case.
pub(crate) fn measure() -> Result<()> {
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    let ports: Vec<u16> = serde_json::from_str(&line)?;
    let provider = crypto();
    let mut sinks = Vec::new();
    for (index, port) in ports.iter().enumerate() {
        let key = [index as u8; 16];
        let cipher = provider.crypto().new_aead(AeadAlgorithm::Aes128Gcm, &key)?;
        sinks.push((SocketAddr::from((Ipv4Addr::LOCALHOST, *port)), cipher));
    }
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    let state = UdpSocketState::new((&socket).into())?;
    state.set_send_buffer_size((&socket).into(), 4 << 20)?;
    let mut bench = Bench { socket, state, sinks, arena: Vec::new(), sealed: 0 };
    for train in [0].into_iter().chain(TRAINS) {
        bench.run(train, WARM_UP)?;
        let microseconds = bench.run(train, MEASURED)?;
        println!("{}", serde_json::to_string(&Cost { train, microseconds })?);
    }
    Ok(())
}

struct Bench {
    socket: UdpSocket,
    state: UdpSocketState,
    sinks: Vec<Sink>,
    arena: Vec<u8>,
    sealed: u64,
}

impl Bench {
    /// Serves every destination again and again; processor time per packet in microseconds.
    fn run(&mut self, train: usize, duration: Duration) -> Result<f64> {
        let process = std::process::id();
        let (before, start, first) = (Cpu::of(process)?, Instant::now(), self.sealed);
        while start.elapsed() < duration {
            for index in 0..self.sinks.len() {
                self.serve(index, train)?;
            }
        }
        let spent = Cpu::of(process)? - before;
        Ok(spent.total * 1e6 / (self.sealed - first) as f64)
    }

    fn serve(&mut self, index: usize, train: usize) -> Result<()> {
        const PACKET: [u8; HEADER_BYTES + PAYLOAD_BYTES] = [0x5a; HEADER_BYTES + PAYLOAD_BYTES];
        self.arena.clear();
        for _ in 0..train.max(1) {
            let start = self.arena.len();
            self.arena.extend_from_slice(&PACKET);
            self.sealed += 1;
            let mut nonce = [0; 12];
            nonce[4..].copy_from_slice(&self.sealed.to_be_bytes());
            let mut tag = [0; TAG_BYTES];
            let (header, payload) = self.arena[start..].split_at_mut(HEADER_BYTES);
            self.sinks[index].1.seal_in_place(&nonce, header, payload, &mut tag)?;
            self.arena.extend_from_slice(&tag);
        }
        if train == 0 {
            return Ok(());
        }
        let transmit = Transmit {
            destination: self.sinks[index].0,
            ecn: None,
            contents: &self.arena,
            segment_size: (train > 1).then_some(PACKET.len() + TAG_BYTES),
            src_ip: None,
        };
        Ok(self.state.try_send((&self.socket).into(), &transmit)?)
    }
}

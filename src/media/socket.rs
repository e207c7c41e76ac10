//! UDP sockets that read and write many datagrams at once.

use std::{
    io::{self, IoSliceMut},
    net::{IpAddr, SocketAddr},
};

use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSocketState};
use socket2::{Domain, Protocol, Type};

use super::ListenAddress;

/// What the system is asked to hold of each socket and way, in bytes: 100 ms of 300 Mbit/s. It
/// grants what `net.core.rmem_max` and `wmem_max` allow.
const SYSTEM_BUFFER: usize = 4 << 20;

/// One read may yield this much: the system joins datagrams of one sender (GRO).
const READ_BUFFER: usize = 64 * 1024;

/// A socket of a worker.
#[derive(Debug)]
pub(crate) struct Socket {
    io: mio::net::UdpSocket,
    state: UdpSocketState,
    /// What candidates say.
    announced: SocketAddr,
    /// Whether the system said that there is something to read, and it was not all read yet.
    pub(crate) readable: bool,
}

impl Socket {
    /// Binds to `address`; port 0 lets the system choose.
    pub(crate) fn bind(address: ListenAddress, port: u16) -> io::Result<Self> {
        let bind = SocketAddr::new(address.bind, port);
        let socket =
            socket2::Socket::new(Domain::for_address(bind), Type::DGRAM, Some(Protocol::UDP))?;
        if bind.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        socket.bind(&bind.into())?;
        socket.set_nonblocking(true)?;
        let io = mio::net::UdpSocket::from_std(socket.into());
        let state = UdpSocketState::new((&io).into())?;
        for granted in [
            state.set_recv_buffer_size((&io).into(), SYSTEM_BUFFER),
            state.set_send_buffer_size((&io).into(), SYSTEM_BUFFER),
        ] {
            if let Err(error) = granted {
                tracing::debug!(%bind, %error, "the system refuses larger UDP buffers");
            }
        }
        let announced =
            SocketAddr::new(address.announce.unwrap_or(address.bind), io.local_addr()?.port());
        Ok(Self { io, state, announced, readable: true })
    }

    /// What candidates say.
    pub(crate) fn announced(&self) -> SocketAddr {
        self.announced
    }

    /// For the poll.
    pub(crate) fn io(&mut self) -> &mut mio::net::UdpSocket {
        &mut self.io
    }

    /// How many datagrams one send may hold at present.
    pub(crate) fn max_segments(&self) -> usize {
        self.state.max_gso_segments().max(1)
    }

    /// Sends one datagram, or several of `segment` bytes each, of which the last may be shorter.
    pub(crate) fn send(
        &self,
        destination: SocketAddr,
        contents: &[u8],
        segment: Option<usize>,
    ) -> io::Result<()> {
        let transmit =
            Transmit { destination, ecn: None, contents, segment_size: segment, src_ip: None };
        self.state.try_send((&self.io).into(), &transmit)
    }

    /// Reads what there is, up to a batch. How many buffers were filled.
    pub(crate) fn receive(&self, batch: &mut Batch) -> io::Result<usize> {
        let Batch { buffers, metas } = batch;
        let mut slices: [IoSliceMut<'_>; BATCH_SIZE] = {
            let mut rest = buffers.chunks_exact_mut(READ_BUFFER);
            std::array::from_fn(|_| IoSliceMut::new(rest.next().unwrap_or_default()))
        };
        self.state.recv((&self.io).into(), &mut slices, metas)
    }
}

/// Whether an address can be told to clients.
pub(crate) fn is_concrete(address: ListenAddress) -> bool {
    let told: IpAddr = address.announce.unwrap_or(address.bind);
    !told.is_unspecified()
}

/// The buffers of a worker's reads.
pub(crate) struct Batch {
    buffers: Vec<u8>,
    metas: [RecvMeta; BATCH_SIZE],
}

impl Batch {
    pub(crate) fn new() -> Self {
        Self {
            buffers: vec![0; READ_BUFFER * BATCH_SIZE],
            metas: [RecvMeta::default(); BATCH_SIZE],
        }
    }

    /// The datagrams in the buffer numbered `at`, and who sent them.
    pub(crate) fn datagrams(&mut self, at: usize) -> (SocketAddr, impl Iterator<Item = &mut [u8]>) {
        let meta = self.metas[at];
        let start = at * READ_BUFFER;
        let filled = &mut self.buffers[start..start + meta.len.min(READ_BUFFER)];
        (meta.addr, filled.chunks_mut(meta.stride.max(1)))
    }
}

/// Asks the system how much it grants.
#[cfg(test)]
pub(crate) fn granted_receive_buffer(socket: &Socket) -> io::Result<usize> {
    socket2::SockRef::from(&socket.io).recv_buffer_size()
}

#[cfg(test)]
mod tests {
    use std::{
        net::Ipv4Addr,
        time::{Duration, Instant},
    };

    use super::*;

    const LOOPBACK: ListenAddress =
        ListenAddress { bind: IpAddr::V4(Ipv4Addr::LOCALHOST), announce: None };

    #[test]
    fn trains_arrive_as_single_datagrams() {
        let sender = Socket::bind(LOOPBACK, 0).expect("bound");
        let receiver = Socket::bind(LOOPBACK, 0).expect("bound");
        assert!(granted_receive_buffer(&receiver).expect("told") > 0);
        let train: Vec<u8> = (0..250).map(|byte| byte as u8).collect();
        sender.send(receiver.announced(), &train, Some(100)).expect("sent");
        sender.send(receiver.announced(), b"alone", None).expect("sent");
        let mut batch = Batch::new();
        let mut seen: Vec<Vec<u8>> = Vec::new();
        let end = Instant::now() + Duration::from_secs(5);
        while seen.len() < 4 && Instant::now() < end {
            let Ok(count) = receiver.receive(&mut batch) else { continue };
            for at in 0..count {
                let (from, datagrams) = batch.datagrams(at);
                assert_eq!(from, sender.announced());
                seen.extend(datagrams.map(|datagram| datagram.to_vec()));
            }
        }
        let expected = [&train[..100], &train[100..200], &train[200..], b"alone"];
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_network_translation_is_announced() {
        let announce = Some("192.0.2.1".parse().expect("an address"));
        let socket = Socket::bind(ListenAddress { announce, ..LOOPBACK }, 0).expect("bound");
        assert_eq!(Some(socket.announced().ip()), announce);
        assert_ne!(socket.announced().port(), 0);
        let anywhere = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        assert!(!is_concrete(ListenAddress { bind: anywhere, announce: None }));
        assert!(is_concrete(ListenAddress { bind: anywhere, announce }));
    }
}

//! A light WebRTC peer: ICE, DTLS and SRTP on a socket of its own, without any media logic.

pub(crate) mod dtls;
pub(crate) mod ice;
pub(crate) mod sdp;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Instant,
};

use mio::net::UdpSocket;
use rtc_crypto::{RTCCryptoProvider, providers::AwsLcRsProvider};
use socket2::{Domain, Protocol, Socket, Type};

use self::{
    dtls::{Handshake, Srtp, fingerprint},
    ice::{Credentials, Ice},
    sdp::{Answer, Direction},
};
use crate::support::Result;

/// Room in the kernel for what arrives while the load does something else, in bytes.
const SOCKET_BUFFER: usize = 4 << 20;

/// The provider of cryptography, the same that the server uses.
pub(crate) fn crypto() -> Arc<dyn RTCCryptoProvider> {
    Arc::new(AwsLcRsProvider::new())
}

/// What a datagram turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Datagram {
    /// Part of connecting or staying connected; the peer has dealt with it.
    Transport,
    /// Protected RTP.
    Rtp,
    /// Protected RTCP.
    Rtcp,
}

/// The peer.
pub(crate) struct Peer {
    pub(crate) socket: UdpSocket,
    local: Credentials,
    server: Option<SocketAddr>,
    ice: Option<Ice>,
    handshake: Option<Handshake>,
    pub(crate) srtp: Option<Srtp>,
}

impl Peer {
    /// A peer that has a socket and says nothing yet.
    pub(crate) fn new() -> Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_recv_buffer_size(SOCKET_BUFFER)?;
        socket.set_nonblocking(true)?;
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
        Ok(Self {
            socket: UdpSocket::from_std(socket.into()),
            local: Credentials::random()?,
            server: None,
            ice: None,
            handshake: None,
            srtp: None,
        })
    }

    /// Its offer.
    pub(crate) fn offer(&self, direction: Direction) -> Result<String> {
        Ok(sdp::offer(&self.local, fingerprint()?, direction))
    }

    /// Takes the answer and begins to connect.
    pub(crate) fn accept(&mut self, answer: &str, now: Instant) -> Result<()> {
        let answer = Answer::read(answer)?;
        self.server = Some(answer.address);
        self.ice = Some(Ice::new(&self.local, answer.credentials, now));
        self.on_time(now)
    }

    /// Whether media can flow.
    pub(crate) fn is_connected(&self) -> bool {
        self.srtp.is_some()
    }

    /// Sends what is due.
    pub(crate) fn on_time(&mut self, now: Instant) -> Result<()> {
        if let Some(request) = self.ice.as_mut().map(|ice| ice.request(now)).transpose()?.flatten()
        {
            self.send(&request)?;
        }
        if let Some(handshake) = self.handshake.as_mut().filter(|_| self.srtp.is_none()) {
            handshake.on_time(now)?;
        }
        self.send_handshake()
    }

    /// Sorts a datagram (RFC 7983) and takes what belongs to the transport.
    pub(crate) fn receive(&mut self, datagram: &[u8], now: Instant) -> Result<Datagram> {
        match datagram {
            [0..=3, ..] => {
                let first = self.ice.as_mut().is_some_and(|ice| ice.answer(datagram, now));
                if first {
                    self.handshake = Some(Handshake::start(now)?);
                }
            }
            [20..=63, ..] => {
                if let Some(handshake) = &mut self.handshake
                    && let Some(srtp) = handshake.read(datagram, now)?
                {
                    self.srtp = Some(srtp);
                }
            }
            [128..=191, 192..=223, ..] => return Ok(Datagram::Rtcp),
            [128..=191, ..] => return Ok(Datagram::Rtp),
            _ => return Err("the server sent something unknown".into()),
        }
        self.send_handshake()?;
        Ok(Datagram::Transport)
    }

    /// Sends a datagram to the server. One that finds the queue full is lost, as on any network.
    pub(crate) fn send(&self, datagram: &[u8]) -> Result<()> {
        let server = self.server.ok_or("the peer has no answer yet")?;
        match self.socket.send_to(datagram, server) {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn send_handshake(&mut self) -> Result<()> {
        while let Some(datagram) = self.handshake.as_mut().and_then(Handshake::datagram) {
            self.send(&datagram)?;
        }
        Ok(())
    }
}

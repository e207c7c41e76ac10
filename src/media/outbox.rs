//! Datagrams that wait to be sent, in one buffer, joined into trains.
//!
//! A train is what one system call sends: datagrams to one address that are equally long, except
//! that the last may be shorter. The kernel, or the network card, cuts it.

use std::{io, net::SocketAddr};

use super::{counters::Tally, socket::Socket};

/// Bytes after which the outbox wants to be emptied.
const FULL_BYTES: usize = 512 * 1024;

/// Trains after which the outbox wants to be emptied.
const FULL_TRAINS: usize = 256;

/// Datagrams of a train at most, whatever the system says.
const MAX_SEGMENTS: usize = 64;

/// Bytes of a train at most: below what an IP packet may have.
const MAX_TRAIN_BYTES: usize = 64_000;

/// One of the worker's sockets, and an address at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Path {
    pub(crate) socket: usize,
    pub(crate) remote: SocketAddr,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Train {
    path: Path,
    start: usize,
    end: usize,
    segment: usize,
    count: usize,
    closed: bool,
}

/// The outbox.
#[derive(Debug)]
pub(crate) struct Outbox {
    buffer: Vec<u8>,
    trains: Vec<Train>,
    /// How many datagrams a train may have, by socket.
    limits: Vec<usize>,
}

impl Outbox {
    pub(crate) fn new(limits: Vec<usize>) -> Self {
        Self {
            buffer: Vec::with_capacity(FULL_BYTES + MAX_TRAIN_BYTES * 2),
            trains: Vec::with_capacity(FULL_TRAINS + MAX_SEGMENTS),
            limits,
        }
    }

    /// Where the next datagram starts; write it at the end of [`Self::buffer`], then call
    /// [`Self::commit`] or [`Self::abandon`].
    pub(crate) fn begin(&self) -> usize {
        self.buffer.len()
    }

    /// The buffer that datagrams are written to.
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// The datagram that begins at `start` is to be sent.
    pub(crate) fn commit(&mut self, path: Path, start: usize) {
        let end = self.buffer.len();
        let len = end - start;
        let limit = self.limits[path.socket].min(MAX_SEGMENTS);
        if let Some(train) = self.trains.last_mut() {
            let joins = !train.closed
                && train.path == path
                && train.end == start
                && len <= train.segment
                && train.count < limit
                && end - train.start <= MAX_TRAIN_BYTES;
            if joins {
                train.end = end;
                train.count += 1;
                train.closed = len < train.segment;
                return;
            }
        }
        self.trains.push(Train { path, start, end, segment: len, count: 1, closed: false });
    }

    /// The datagram that begins at `start` is not to be sent.
    pub(crate) fn abandon(&mut self, start: usize) {
        self.buffer.truncate(start);
    }

    /// A datagram that is there already.
    pub(crate) fn push(&mut self, path: Path, datagram: &[u8]) {
        let start = self.begin();
        self.buffer.extend_from_slice(datagram);
        self.commit(path, start);
    }

    /// Whether it should be emptied now.
    pub(crate) fn is_full(&self) -> bool {
        self.buffer.len() >= FULL_BYTES || self.trains.len() >= FULL_TRAINS
    }

    /// Sends everything. What the system does not take at once is lost, as UDP is: packets that
    /// wait are late, and late media is worth less than what comes behind it.
    pub(crate) fn flush(&mut self, sockets: &[Socket], tally: &mut Tally) {
        for train in &self.trains {
            let contents = &self.buffer[train.start..train.end];
            let socket = &sockets[train.path.socket];
            let sent = send(socket, train, contents);
            tally.packets_out += sent as u64;
            // The last of a train may be shorter, which only matters when some did not go.
            tally.bytes_out += contents.len().min(sent * train.segment) as u64;
            tally.dropped_out += (train.count - sent) as u64;
        }
        self.trains.clear();
        self.buffer.clear();
        for (limit, socket) in self.limits.iter_mut().zip(sockets) {
            *limit = socket.max_segments();
        }
    }
}

/// Sends a train; how many of its datagrams went.
fn send(socket: &Socket, train: &Train, contents: &[u8]) -> usize {
    let segment = (train.count > 1).then_some(train.segment);
    match socket.send(train.path.remote, contents, segment) {
        Ok(()) => train.count,
        Err(error) if train.count == 1 || error.kind() == io::ErrorKind::WouldBlock => {
            tracing::trace!(remote = %train.path.remote, %error, "datagrams dropped");
            0
        }
        // Some drivers take no trains; then their carriages go one by one.
        Err(_) => contents
            .chunks(train.segment)
            .filter(|datagram| socket.send(train.path.remote, datagram, None).is_ok())
            .count(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(socket: usize, port: u16) -> Path {
        Path { socket, remote: SocketAddr::from(([127, 0, 0, 1], port)) }
    }

    /// Sizes of datagrams to trains of (count, bytes).
    fn trains(limits: &[usize], datagrams: &[(usize, u16, usize)]) -> Vec<(usize, usize)> {
        let mut outbox = Outbox::new(limits.to_vec());
        for &(socket, port, len) in datagrams {
            outbox.push(path(socket, port), &vec![0; len]);
        }
        outbox.trains.iter().map(|train| (train.count, train.end - train.start)).collect()
    }

    #[test]
    fn equal_neighbours_join_and_a_shorter_one_ends_the_train() {
        let sent = [(0, 1, 100), (0, 1, 100), (0, 1, 60), (0, 1, 60), (0, 1, 100)];
        assert_eq!(trains(&[64], &sent), [(3, 260), (1, 60), (1, 100)]);
    }

    #[test]
    fn other_addresses_and_sockets_are_other_trains() {
        let sent = [(0, 1, 10), (0, 2, 10), (1, 2, 10), (1, 2, 10)];
        assert_eq!(trains(&[64, 64], &sent), [(1, 10), (1, 10), (2, 20)]);
    }

    #[test]
    fn trains_are_bounded_in_count_and_bytes() {
        assert_eq!(trains(&[3], &[(0, 1, 9); 7]), [(3, 27), (3, 27), (1, 9)]);
        assert_eq!(trains(&[1], &[(0, 1, 9); 2]), [(1, 9), (1, 9)]);
        let long = trains(&[64], &[(0, 1, 1400); 64]);
        assert_eq!(long[0], (45, 63_000));
    }

    #[test]
    fn an_abandoned_datagram_leaves_no_trace() {
        let mut outbox = Outbox::new(vec![64]);
        outbox.push(path(0, 1), b"one");
        let start = outbox.begin();
        outbox.buffer().extend_from_slice(b"not this");
        outbox.abandon(start);
        outbox.push(path(0, 1), b"two");
        assert_eq!(outbox.buffer, b"onetwo");
        assert_eq!(outbox.trains.len(), 1);
    }
}

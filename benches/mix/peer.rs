//! The peer: the same job by a plain pipeline of GStreamer's `compositor` or `audiomixer`, fed by
//! UDP.

use std::{
    fmt::Write as _,
    net::UdpSocket,
    process::Child,
    sync::{Arc, Mutex},
    thread,
};

use super::{
    agent::Count,
    clip::{FRAMERATE, launch, read_packet},
    feeder::Sink,
    meeting::{HEIGHT, KBPS, WIDTH, place, side},
};
use crate::support::Result;

/// A running pipeline.
pub(super) struct Peer {
    child: Child,
    ports: Vec<u16>,
    count: Arc<Mutex<Count>>,
}

impl Peer {
    /// Composes so many pictures into one and encodes it, as the agent does.
    pub(super) fn compositor(inputs: usize) -> Result<Self> {
        let side = side(inputs);
        let (width, height) = (WIDTH / side, HEIGHT / side);
        let mut mixer = String::from("compositor name=mix background=black");
        for input in 0..inputs {
            let (left, top) = place(input, side);
            write!(
                mixer,
                " sink_{input}::xpos={} sink_{input}::ypos={} sink_{input}::width={width} \
                 sink_{input}::height={height}",
                left * width,
                top * height
            )?;
        }
        let mixed = format!(
            "{mixer} ! video/x-raw,format=I420,width={WIDTH},height={HEIGHT},\
             framerate={FRAMERATE}/1 ! vp8enc deadline=1 cpu-used=-6 threads=1 end-usage=cbr \
             target-bitrate={} keyframe-max-dist=3000 max-intra-bitrate=300 undershoot=95 \
             overshoot=30 min-quantizer=4 max-quantizer=56 buffer-initial-size=400 \
             buffer-optimal-size=500 buffer-size=1000 ! rtpvp8pay mtu=1200",
            KBPS * 1000
        );
        let caps = "application/x-rtp,media=video,encoding-name=VP8,clock-rate=90000,payload=96";
        Self::start(inputs, &mixed, caps, "rtpvp8depay ! vp8dec threads=1")
    }

    /// Mixes so many sounds into one and encodes it.
    pub(super) fn audiomixer(inputs: usize) -> Result<Self> {
        let mixed = "audiomixer name=mix ! audio/x-raw,rate=48000,channels=2 \
                     ! opusenc bitrate=64000 complexity=5 frame-size=20 inband-fec=true \
                     packet-loss-percentage=5 ! rtpopuspay";
        let caps = "application/x-rtp,media=audio,encoding-name=OPUS,clock-rate=48000,payload=111";
        Self::start(inputs, mixed, caps, "rtpopusdepay ! opusdec plc=true ! audioconvert")
    }

    fn start(inputs: usize, mixed: &str, caps: &str, decoder: &str) -> Result<Self> {
        // Found free, and given up again for the pipeline.
        let sockets = (0..inputs).map(|_| UdpSocket::bind("127.0.0.1:0"));
        let sockets = sockets.collect::<std::io::Result<Vec<_>>>()?;
        let ports = sockets.iter().map(|socket| Ok(socket.local_addr()?.port()));
        let ports = ports.collect::<std::io::Result<Vec<u16>>>()?;
        drop(sockets);
        let mut pipeline = format!("{mixed} ! rtpstreampay ! fdsink fd=1");
        for (input, port) in ports.iter().enumerate() {
            write!(
                pipeline,
                " udpsrc address=127.0.0.1 port={port} caps={caps} \
                 ! rtpjitterbuffer latency=40 ! {decoder} ! mix.sink_{input}"
            )?;
        }
        let mut child = launch(&pipeline)?;
        let mut output = child.stdout.take().ok_or("no standard output")?;
        let count: Arc<Mutex<Count>> = Arc::default();
        let counted = Arc::clone(&count);
        thread::spawn(move || {
            while let Some(packet) = read_packet(&mut output) {
                let mut count = counted.lock().expect("no holder panics");
                count.packets += 1;
                count.frames += u64::from(packet[1] >> 7);
            }
        });
        Ok(Self { child, ports, count })
    }

    /// Its process.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What came from it so far.
    pub(super) fn count(&self) -> Count {
        *self.count.lock().expect("no holder panics")
    }

    /// Where the packets of inputs go.
    pub(super) fn sink(&self) -> Result<Datagrams> {
        Ok(Datagrams { socket: UdpSocket::bind("127.0.0.1:0")?, ports: self.ports.clone() })
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A datagram for each packet.
pub(super) struct Datagrams {
    socket: UdpSocket,
    ports: Vec<u16>,
}

impl Sink for Datagrams {
    fn packet(&mut self, input: usize, packet: &[u8]) {
        // A pipeline that is gone is noticed by what it does not give out.
        drop(self.socket.send_to(packet, ("127.0.0.1", self.ports[input])));
    }

    fn flush(&mut self) {}
}

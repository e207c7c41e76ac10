//! What a test client sees and does at the wire, next to the encryption.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
    time::Instant,
};

use bytes::Bytes;
use rtc::{
    interceptor::{Interceptor, Packet, StreamInfo, TaggedPacket},
    rtcp::{
        self,
        goodbye::Goodbye,
        payload_feedbacks::{
            full_intra_request::FullIntraRequest, picture_loss_indication::PictureLossIndication,
            receiver_estimated_maximum_bitrate::ReceiverEstimatedMaximumBitrate,
        },
        receiver_report::ReceiverReport,
        reception_report::ReceptionReport,
        sender_report::SenderReport,
        transport_feedbacks::transport_layer_nack::TransportLayerNack,
    },
    rtp, sansio,
    shared::error::Error,
};
use tokio::sync::{mpsc, watch};

/// An RTP packet that arrived, decrypted but otherwise as it was on the wire: retransmissions come
/// in their own format, under their own SSRC.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    /// When the datagram was read.
    pub(crate) arrival: Instant,
    /// The payload type.
    pub(crate) payload_type: u8,
    /// The sequence number.
    pub(crate) sequence: u16,
    /// The RTP time.
    pub(crate) timestamp: u32,
    /// The SSRC.
    pub(crate) ssrc: u32,
    /// The marker bit.
    pub(crate) marker: bool,
    /// The header extensions by number.
    pub(crate) extensions: Vec<(u8, Bytes)>,
    /// The payload.
    pub(crate) payload: Bytes,
}

/// An RTCP packet that arrived.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Control {
    /// A sender report.
    SenderReport(SenderReport),
    /// What the far end says of a stream that this peer sends.
    ReceptionReport(ReceptionReport),
    /// A picture loss indication.
    Pli {
        /// The stream that is meant.
        ssrc: u32,
    },
    /// A full intra request.
    Fir {
        /// The stream that is meant.
        ssrc: u32,
    },
    /// A request for retransmission.
    Nack {
        /// The stream that is meant.
        ssrc: u32,
        /// What is missing.
        sequences: Vec<u16>,
    },
    /// A bandwidth estimate.
    Remb {
        /// The estimate.
        bits_per_second: f32,
        /// The streams that share it.
        ssrcs: Vec<u32>,
    },
    /// The end of streams.
    Goodbye {
        /// Which.
        ssrcs: Vec<u32>,
    },
}

/// How often a key frame of each stream was asked for, by SSRC.
pub(crate) type KeyFrameRequests = BTreeMap<u32, u32>;

/// The header extension that the retransmissions of each SSRC need to be known by.
pub(super) type Repairs = Arc<Mutex<BTreeMap<u32, (u8, Bytes)>>>;

/// Says whether an outgoing packet gets lost.
pub(crate) type Loss = Box<dyn FnMut(&rtp::Header) -> bool + Send + Sync>;

/// The interceptor that sits next to the wire: it reports all that comes in and loses some of what
/// goes out.
pub(super) struct Wire {
    pub(super) packets: mpsc::UnboundedSender<Received>,
    pub(super) controls: mpsc::UnboundedSender<(Instant, Control)>,
    pub(super) key_frame_requests: watch::Sender<KeyFrameRequests>,
    pub(super) loss: Option<Loss>,
    pub(super) repairs: Repairs,
    pub(super) lost: watch::Sender<Vec<u16>>,
    pub(super) inbound: VecDeque<TaggedPacket>,
    pub(super) outbound: VecDeque<TaggedPacket>,
}

/// The slot of [`Wire`]: closer to the network than the one that answers NACKs, so that a lost
/// packet can be asked for again.
pub(super) const WIRE_SLOT: usize = 100;

impl Wire {
    fn hear(&self, now: Instant, packet: &dyn rtcp::Packet) {
        for control in controls(packet) {
            if let Control::Pli { ssrc } | Control::Fir { ssrc } = control {
                self.key_frame_requests.send_modify(|counts| *counts.entry(ssrc).or_default() += 1);
            }
            // The test may have stopped listening.
            let _ = self.controls.send((now, control));
        }
    }
}

fn controls(packet: &dyn rtcp::Packet) -> Vec<Control> {
    let any = packet.as_any();
    if let Some(report) = any.downcast_ref::<SenderReport>() {
        let about_us = report.reports.iter().cloned().map(Control::ReceptionReport);
        std::iter::once(Control::SenderReport(report.clone())).chain(about_us).collect()
    } else if let Some(report) = any.downcast_ref::<ReceiverReport>() {
        report.reports.iter().cloned().map(Control::ReceptionReport).collect()
    } else if let Some(pli) = any.downcast_ref::<PictureLossIndication>() {
        vec![Control::Pli { ssrc: pli.media_ssrc }]
    } else if let Some(request) = any.downcast_ref::<FullIntraRequest>() {
        request.fir.iter().map(|entry| Control::Fir { ssrc: entry.ssrc }).collect()
    } else if let Some(nack) = any.downcast_ref::<TransportLayerNack>() {
        let sequences = nack.nacks.iter().flat_map(|pair| pair.packet_list()).collect();
        vec![Control::Nack { ssrc: nack.media_ssrc, sequences }]
    } else if let Some(remb) = any.downcast_ref::<ReceiverEstimatedMaximumBitrate>() {
        vec![Control::Remb { bits_per_second: remb.bitrate, ssrcs: remb.ssrcs.clone() }]
    } else if let Some(goodbye) = any.downcast_ref::<Goodbye>() {
        vec![Control::Goodbye { ssrcs: goodbye.sources.clone() }]
    } else {
        Vec::new()
    }
}

impl sansio::Protocol<TaggedPacket, TaggedPacket, ()> for Wire {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, tagged: TaggedPacket) -> Result<(), Error> {
        match &tagged.message.packet {
            Packet::Rtp(packet) => {
                let header = &packet.header;
                let extension =
                    |extension: &rtp::header::Extension| (extension.id, extension.payload.clone());
                let _ = self.packets.send(Received {
                    arrival: tagged.now,
                    payload_type: header.payload_type,
                    sequence: header.sequence_number,
                    timestamp: header.timestamp,
                    ssrc: header.ssrc,
                    marker: header.marker,
                    extensions: header.extensions.iter().map(extension).collect(),
                    payload: packet.payload.clone(),
                });
            }
            Packet::Rtcp(packets) => {
                packets.iter().for_each(|packet| self.hear(tagged.now, packet.as_ref()));
            }
            _ => {}
        }
        self.inbound.push_back(tagged);
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.inbound.pop_front()
    }

    fn handle_write(&mut self, mut tagged: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtp(packet) = &mut tagged.message.packet {
            let repairs = self.repairs.lock().expect("no holder panics");
            if let Some((number, rid)) = repairs.get(&packet.header.ssrc) {
                packet.header.set_extension(*number, rid.clone())?;
            }
        }
        if let (Packet::Rtp(packet), Some(loss)) = (&tagged.message.packet, &mut self.loss)
            && loss(&packet.header)
        {
            self.lost.send_modify(|lost| lost.push(packet.header.sequence_number));
            return Ok(());
        }
        self.outbound.push_back(tagged);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.outbound.pop_front()
    }
}

impl Interceptor for Wire {
    fn bind_local_stream(&mut self, _: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}
}

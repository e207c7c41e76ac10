//! A WebRTC client that shares no code with the server: GStreamer's `webrtcbin`, with libnice,
//! OpenSSL and libsrtp below. The server's tests start it as a program of its own, so that they
//! need not be linked against GStreamer, and do the signaling for it.
//!
//! `webrtcbin send RRGGBB HZ` sends a picture of a colour and a tone; `webrtcbin receive CODEC`
//! receives both. On standard output come frames: a letter, four bytes of length (big-endian), and
//! a body. `j` is a JSON message (`offer`, `candidate`, `gathered`), `p` a decoded picture (RGB,
//! 320x240), `s` a tenth of a second of decoded sound (16 bits little-endian, mono, 48 kHz). On
//! standard input come lines of JSON (`answer`); their end is the program's.

use std::{
    env,
    error::Error,
    io::{self, BufRead as _, Write as _},
    thread,
};

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;
use gstreamer_sdp as gst_sdp;
use gstreamer_webrtc as gst_webrtc;
use serde_json::{Value, json};

type Failure = Box<dyn Error + Send + Sync>;

/// Where tests are at home.
const LOOPBACK: &str = "127.0.0.1";

/// Bytes of a tenth of a second of sound.
const PIECE: usize = 4800 * 2;

const DECODE_OPUS: &str = "rtpopusdepay ! opusdec ! audioconvert ! audioresample \
    ! audio/x-raw,format=S16LE,channels=1,rate=48000 ! appsink name=decoded sync=false";

const TO_RGB: &str = "videoconvert ! videoscale \
    ! video/x-raw,format=RGB,width=320,height=240,pixel-aspect-ratio=1/1 \
    ! appsink name=decoded sync=false";

fn main() -> Result<(), Failure> {
    gst::init()?;
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let pipeline = gst::Pipeline::new();
    let peer = gst::ElementFactory::make("webrtcbin")
        .property_from_str("bundle-policy", "max-bundle")
        .build()?;
    pipeline.add(&peer)?;
    let ice: gst::glib::Object = peer.property("ice-agent");
    if !ice.emit_by_name::<bool>("add-local-ip-address", &[&LOOPBACK]) {
        return Err("ICE does not take the address".into());
    }
    match arguments[..] {
        ["send", colour, frequency] => send(&pipeline, &peer, colour, frequency)?,
        ["receive", codec] => receive(&pipeline, &peer, codec)?,
        _ => return Err("send RRGGBB HZ, or receive vp8|h264".into()),
    }
    signal(&peer);
    watch(&pipeline)?;
    pipeline.set_state(gst::State::Playing)?;
    for line in io::stdin().lock().lines() {
        listen(&peer, &serde_json::from_str(&line?)?)?;
    }
    pipeline.set_state(gst::State::Null)?;
    Ok(())
}

fn send(
    pipeline: &gst::Pipeline,
    peer: &gst::Element,
    colour: &str,
    frequency: &str,
) -> Result<(), Failure> {
    let colour = 0xff00_0000 | u32::from_str_radix(colour, 16)?;
    let frequency: f64 = frequency.parse()?;
    let sound = format!(
        "audiotestsrc is-live=true volume=0.2 freq={frequency} ! audio/x-raw,rate=48000,channels=2 \
         ! opusenc ! rtpopuspay ! capsfilter caps=application/x-rtp,media=audio,encoding-name=OPUS,payload=111"
    );
    let picture = format!(
        "videotestsrc is-live=true pattern=solid-color foreground-color={colour} \
         ! video/x-raw,format=I420,width=320,height=240,framerate=24/1 \
         ! vp8enc deadline=1 cpu-used=-6 keyframe-max-dist=48 ! rtpvp8pay mtu=1100 \
         ! capsfilter caps=application/x-rtp,media=video,encoding-name=VP8,payload=96,\
         rtcp-fb-nack-pli=true"
    );
    for description in [sound, picture] {
        let source = gst::parse::bin_from_description(&description, true)?;
        pipeline.add(&source)?;
        source.link(peer)?;
    }
    for index in 0..2_i32 {
        let transceiver =
            peer.emit_by_name::<gst_webrtc::WebRTCRTPTransceiver>("get-transceiver", &[&index]);
        let direction = gst_webrtc::WebRTCRTPTransceiverDirection::Sendonly;
        transceiver.set_property("direction", direction);
    }
    Ok(())
}

fn receive(pipeline: &gst::Pipeline, peer: &gst::Element, codec: &str) -> Result<(), Failure> {
    let (picture, decoder) = match codec {
        "vp8" => ("encoding-name=VP8,payload=96", "rtpvp8depay request-keyframe=true ! vp8dec"),
        "h264" => (
            "encoding-name=H264,payload=97,packetization-mode=(string)1,\
             profile-level-id=(string)42e01f",
            "rtph264depay request-keyframe=true ! avdec_h264",
        ),
        other => return Err(format!("no codec {other}").into()),
    };
    // RFC 7587, 7: opus is always announced with two channels.
    let sound = "application/x-rtp,media=audio,encoding-name=OPUS,payload=111,clock-rate=48000,\
                 encoding-params=(string)2";
    let picture = format!(
        "application/x-rtp,media=video,clock-rate=90000,rtcp-fb-nack-pli=(boolean)true,{picture}"
    );
    let direction = gst_webrtc::WebRTCRTPTransceiverDirection::Recvonly;
    for caps in [sound, &picture] {
        peer.emit_by_name::<gst_webrtc::WebRTCRTPTransceiver>(
            "add-transceiver",
            &[&direction, &caps.parse::<gst::Caps>()?],
        );
    }
    let (pipeline, decode) = (pipeline.downgrade(), format!("{decoder} ! {TO_RGB}"));
    peer.connect_pad_added(move |_, pad| {
        let Some(pipeline) = pipeline.upgrade() else { return };
        if pad.direction() == gst::PadDirection::Src
            && let Err(error) = show(&pipeline, pad, &decode)
        {
            give_up(&error);
        }
    });
    Ok(())
}

/// Decodes what comes, and tells it.
fn show(pipeline: &gst::Pipeline, pad: &gst::Pad, decode_video: &str) -> Result<(), Failure> {
    let caps = pad.current_caps().ok_or("a pad without caps")?;
    let media = caps.structure(0).and_then(|it| it.get::<String>("media").ok());
    let is_sound = media.as_deref() == Some("audio");
    let decode = if is_sound { DECODE_OPUS } else { decode_video };
    let decoder = gst::parse::bin_from_description(&format!("queue ! {decode}"), true)?;
    let sink = decoder.by_name("decoded").and_downcast::<gst_app::AppSink>();
    let mut waiting = Vec::new();
    let callbacks = gst_app::AppSinkCallbacks::builder().new_sample(move |sink| {
        let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
        let buffer = sample.buffer().ok_or(gst::FlowError::Error)?;
        let bytes = buffer.map_readable().map_err(|_| gst::FlowError::Error)?;
        if !is_sound {
            return tell(b'p', &bytes)
                .map_err(|_| gst::FlowError::Eos)
                .map(|()| gst::FlowSuccess::Ok);
        }
        waiting.extend_from_slice(&bytes);
        while waiting.len() >= PIECE {
            let rest = waiting.split_off(PIECE);
            tell(b's', &std::mem::replace(&mut waiting, rest)).map_err(|_| gst::FlowError::Eos)?;
        }
        Ok(gst::FlowSuccess::Ok)
    });
    sink.ok_or("no sink")?.set_callbacks(callbacks.build());
    pipeline.add(&decoder)?;
    decoder.sync_state_with_parent()?;
    let input = decoder.static_pad("sink").ok_or("no input")?;
    pad.link(&input)?;
    Ok(())
}

/// Offers once there is something to offer, and tells candidates as they come.
fn signal(peer: &gst::Element) {
    peer.connect("on-negotiation-needed", false, |values| {
        let peer = values.first()?.get::<gst::Element>().ok()?;
        let offering = peer.clone();
        let promise = gst::Promise::with_change_func(move |reply| {
            let offer = reply.ok().flatten().and_then(|reply| reply.value("offer").ok());
            let offer = offer.and_then(|it| it.get::<gst_webrtc::WebRTCSessionDescription>().ok());
            let told = offer.ok_or_else(|| "no offer".into()).and_then(|offer| {
                let unheard = None::<gst::Promise>;
                offering.emit_by_name::<()>("set-local-description", &[&offer, &unheard]);
                say(&json!({"type": "offer", "sdp": offer.sdp().as_text()?}))
            });
            if let Err(error) = told {
                give_up(&error);
            }
        });
        peer.emit_by_name::<()>("create-offer", &[&None::<gst::Structure>, &promise]);
        None
    });
    peer.connect("on-ice-candidate", false, |values| {
        let index: u32 = values.get(1)?.get().ok()?;
        let candidate: String = values.get(2)?.get().ok()?;
        let message = json!({
            "type": "candidate", "candidate": candidate, "sdpMLineIndex": index,
        });
        if let Err(error) = say(&message) {
            give_up(&error);
        }
        None
    });
    peer.connect_notify(Some("ice-gathering-state"), |peer, _| {
        let complete = gst_webrtc::WebRTCICEGatheringState::Complete;
        let state: gst_webrtc::WebRTCICEGatheringState = peer.property("ice-gathering-state");
        if state == complete
            && let Err(error) = say(&json!({"type": "gathered"}))
        {
            give_up(&error);
        }
    });
}

fn listen(peer: &gst::Element, message: &Value) -> Result<(), Failure> {
    if message["type"] != "answer" {
        return Err(format!("cannot take {message}").into());
    }
    let sdp = message["sdp"].as_str().ok_or("an answer without an SDP")?;
    let sdp = gst_sdp::SDPMessage::parse_buffer(sdp.as_bytes())?;
    let kind = gst_webrtc::WebRTCSDPType::Answer;
    let answer = gst_webrtc::WebRTCSessionDescription::new(kind, sdp);
    peer.emit_by_name::<()>("set-remote-description", &[&answer, &None::<gst::Promise>]);
    Ok(())
}

/// Ends the program when the pipeline fails.
fn watch(pipeline: &gst::Pipeline) -> Result<(), Failure> {
    let bus = pipeline.bus().ok_or("a pipeline without a bus")?;
    thread::spawn(move || {
        for message in bus.iter_timed(gst::ClockTime::NONE) {
            if let gst::MessageView::Error(error) = message.view() {
                give_up(&format!("{} {:?}", error.error(), error.debug()).into());
            }
        }
    });
    Ok(())
}

fn say(message: &Value) -> Result<(), Failure> {
    Ok(tell(b'j', message.to_string().as_bytes())?)
}

fn tell(kind: u8, body: &[u8]) -> io::Result<()> {
    let length = u32::try_from(body.len()).map_err(io::Error::other)?;
    let mut output = io::stdout().lock();
    output.write_all(&[kind])?;
    output.write_all(&length.to_be_bytes())?;
    output.write_all(body)?;
    output.flush()
}

/// Nothing that goes wrong in a thread of GStreamer's is worth going on.
fn give_up(error: &Failure) {
    // Nobody reads it if even this fails.
    drop(writeln!(io::stderr(), "webrtcbin: {error}"));
    std::process::exit(1);
}

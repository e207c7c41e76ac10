//! A server that mixes, speakers who show a colour and sound a tone, and viewers of the mix.

use std::time::Duration;

use portico::config::Config;
use serde_json::json;
use tokio::time::{Instant, timeout};

use super::gst::{self, Decoder, Playing};
use crate::support::{
    guest::{Guest, Session},
    media_peer::{Codec, Received, receiver},
    protoo::ProtooGuest,
    server::{TestServer, mixer},
    signals::{SOUND, SignalsGuest},
};

/// Within this, what is waited for must happen: an agent starts, plugins load, codecs warm up, on a
/// machine that runs other tests, too.
pub(super) const PATIENCE: Duration = Duration::from_secs(40);

pub(super) const RED: [u8; 3] = [200, 30, 30];
pub(super) const BLUE: [u8; 3] = [30, 30, 200];
pub(super) const BLACK: [u8; 3] = [0, 0, 0];

/// Tones, in Hz.
pub(super) const LOW: f64 = 500.0;
pub(super) const HIGH: f64 = 1200.0;

/// Centres of the regions of a grid of four.
pub(super) const FIRST: (f64, f64) = (0.25, 0.25);
pub(super) const SECOND: (f64, f64) = (0.75, 0.25);
pub(super) const THIRD: (f64, f64) = (0.25, 0.75);

/// A server with the agent that was built beside it.
pub(super) async fn server() -> TestServer {
    server_with(|_| {}).await
}

/// The same with some settings changed.
pub(super) async fn server_with(change: impl FnOnce(&mut Config)) -> TestServer {
    TestServer::with(|config| {
        config.rooms.create_on_join = true;
        config.mixing.program = Some(mixer());
        change(config);
    })
    .await
}

/// Somebody whose stream is mixed.
pub(super) struct Speaker {
    pub(super) guest: Guest,
    pub(super) camera: Session,
    _playing: [Playing; 2],
}

impl Speaker {
    pub(super) async fn join(server: &TestServer, user: &str, colour: [u8; 3], tone: f64) -> Self {
        let mut guest = Guest::join(server, "lobby", user).await;
        let (camera, mut sources) = guest.publish(&[Codec::OPUS, Codec::VP8]).await;
        let video = gst::colour(sources.pop().expect("video"), colour);
        let audio = gst::tone(sources.pop().expect("audio"), tone);
        Self { guest, camera, _playing: [video, audio] }
    }

    pub(super) async fn control(&mut self, operation: &str, data: serde_json::Value) {
        let request = json!({"id": self.camera.id, "operation": operation, "data": data});
        self.guest.client.granted("stream-control", &request).await;
    }
}

/// Somebody who decodes the mix.
pub(super) struct Viewer {
    pub(super) session: Session,
    video: Option<Decoder>,
    audio: Option<Decoder>,
    /// The payload type of the sound.
    sound_type: u8,
    /// That of the picture's repairs, where one is to be told from the picture.
    repair_type: Option<u8>,
    /// The last of each kind.
    pub(super) picture: Option<Vec<u8>>,
    pub(super) sound: Option<Vec<u8>>,
    /// The SSRC and sequence number of the last packet of the picture.
    pub(super) last: Option<(u32, u16)>,
}

impl Viewer {
    /// Subscribes to the common view with these codecs.
    pub(super) async fn of(guest: &mut Guest, codecs: &[Codec]) -> Self {
        let mut media = json!({"audio": false, "video": false});
        for codec in codecs {
            let kind = if codec.is_audio() { "audio" } else { "video" };
            media[kind] = json!({"from": "lobby-common"});
        }
        Self::new(guest.subscribe(media, receiver(codecs).await).await, codecs)
    }

    /// Subscribes through the `protoo` door, by the view's `mid`.
    pub(super) async fn by_protoo(guest: &mut ProtooGuest, mid: &str, codecs: &[Codec]) -> Self {
        let mut peer = receiver(codecs).await;
        let id = guest.subscribe(mid, &mut peer).await;
        Self::new(Session { id, peer }, codecs)
    }

    /// Watches through the `signals` door.
    pub(super) async fn by_signals(guest: &mut SignalsGuest, codecs: &[Codec]) -> Self {
        let peer = guest.watch("lobby-common", codecs).await;
        let mut viewer = Self::new(Session { id: "lobby-common".into(), peer }, codecs);
        viewer.sound_type = SOUND;
        viewer.repair_type = None;
        viewer
    }

    fn new(session: Session, codecs: &[Codec]) -> Self {
        let (mut video, mut audio) = (None, None);
        for codec in codecs {
            if codec.is_audio() {
                audio = Some(Decoder::opus());
            } else {
                let is_vp8 = codec.payload_type == Codec::VP8.payload_type;
                video = Some(if is_vp8 { Decoder::vp8() } else { Decoder::h264() });
            }
        }
        let sound_type = Codec::OPUS.payload_type;
        let repair_type = Some(Codec::VP8.payload_type + 1);
        Self {
            session,
            video,
            audio,
            sound_type,
            repair_type,
            picture: None,
            sound: None,
            last: None,
        }
    }

    /// Watches and listens until what is seen or heard meets a condition.
    pub(super) async fn until(&mut self, what: &str, meets: impl Fn(&Self) -> bool) {
        let start = Instant::now();
        while !meets(self) {
            let left = PATIENCE.saturating_sub(start.elapsed());
            assert!(left > Duration::ZERO, "not in time: {what}; {}", self.describe());
            let packet = timeout(left, self.session.peer.packets.recv()).await;
            let packet = packet.unwrap_or_else(|_| panic!("no packet: {what}"));
            self.take(&packet.expect("the peer lives")).await;
        }
    }

    async fn take(&mut self, packet: &Received) {
        if packet.payload_type == self.sound_type {
            if let Some(decoder) = &mut self.audio {
                decoder.feed(packet).await;
                self.sound = decoder.piece().or(self.sound.take());
            }
        } else if let Some(decoder) =
            self.video.as_mut().filter(|_| self.repair_type != Some(packet.payload_type))
        {
            self.last = Some((packet.ssrc, packet.sequence));
            decoder.feed(packet).await;
            self.picture = decoder.piece().or(self.picture.take());
        }
    }

    /// Whether the picture has this colour there.
    pub(super) fn sees(&self, colour: [u8; 3], at: (f64, f64)) -> bool {
        let picture = self.picture.as_ref();
        picture.is_some_and(|picture| gst::alike(gst::probe(picture, at), colour))
    }

    /// Whether a tone is heard.
    pub(super) fn hears(&self, tone: f64) -> bool {
        self.sound.as_ref().is_some_and(|sound| gst::loudness(sound, tone) > 0.08)
    }

    /// Whether sound is heard in which a tone is not.
    pub(super) fn misses(&self, tone: f64) -> bool {
        self.sound.as_ref().is_some_and(|sound| gst::loudness(sound, tone) < 0.02)
    }

    fn describe(&self) -> String {
        let places = [(0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)];
        let picture = self.picture.as_ref();
        let colours = picture.map(|picture| places.map(|place| gst::probe(picture, place)));
        let loud = |tone| self.sound.as_ref().map(|sound| gst::loudness(sound, tone));
        format!("sees {colours:?}, hears {:?}", [500.0, 1200.0].map(loud))
    }
}

/// The mixing agents that this process started.
pub(super) fn agents() -> Vec<u32> {
    agents_of(std::process::id())
}

/// The mixing agents that a process started; what only finds out what the machine can do is none.
pub(super) fn agents_of(starter: u32) -> Vec<u32> {
    let folders = std::fs::read_dir("/proc").expect("a Linux system").flatten();
    let pids = folders.filter_map(|folder| folder.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let mut words = stat.rsplit(')').next().unwrap_or_default().split_ascii_whitespace();
        let is_dead = words.next() == Some("Z");
        let parent = words.next().and_then(|word| word.parse::<u32>().ok());
        let started = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let is_probe = started.split('\0').any(|argument| argument == "--probe");
        let is_agent = stat.contains("(portico-mixer)") && !is_dead && !is_probe;
        is_agent && parent == Some(starter)
    })
    .collect()
}

/// Sends a signal to the one agent that runs.
pub(super) async fn signal(name: &str) {
    let [agent] = *agents() else { panic!("not one agent: {:?}", agents()) };
    let mut kill = tokio::process::Command::new("kill");
    let status = kill.args(["-s", name, &agent.to_string()]).status().await;
    assert!(status.expect("kill exists").success());
}

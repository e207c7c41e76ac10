//! A second, independent WebRTC stack: GStreamer's `webrtcbin`, in a process of its own
//! (`mixer/examples/webrtcbin.rs`), publishes, and subscribes to the mix, through the `owt` door.

use std::{path::PathBuf, process::Stdio};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::{Child, ChildStdin, ChildStdout, Command},
    sync::mpsc,
    time::{Instant, timeout},
};

use super::{
    gst,
    stage::{BLACK, BLUE, FIRST, HIGH, LOW, PATIENCE, RED, SECOND, Speaker, THIRD, Viewer, server},
};
use crate::support::{guest::Guest, media_peer::Codec, socketio::RawClient};

/// What the program tells.
enum Told {
    Message(Value),
    Picture(Vec<u8>),
    Sound(Vec<u8>),
}

/// The program, as one end of a session.
struct Webrtcbin {
    _child: Child,
    input: ChildStdin,
    told: mpsc::UnboundedReceiver<Told>,
    picture: Vec<u8>,
    sound: Vec<u8>,
}

impl Webrtcbin {
    fn start(arguments: &[&str]) -> Self {
        let program = PathBuf::from(env!("CARGO_BIN_EXE_portico"));
        let program = program.with_file_name("examples").join("webrtcbin");
        assert!(
            program.is_file(),
            "{} is not built: cargo build -p portico-mixer --examples",
            program.display()
        );
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("it starts");
        let input = child.stdin.take().expect("piped");
        let output = child.stdout.take().expect("piped");
        let (tell, told) = mpsc::unbounded_channel();
        tokio::spawn(read(output, tell));
        Self { _child: child, input, told, picture: Vec::new(), sound: Vec::new() }
    }

    /// Opens a session by a request; yields its id once it is ready.
    async fn negotiate(&mut self, client: &mut RawClient, name: &str, media: Value) -> String {
        let opened = client.granted(name, &json!({"media": media})).await;
        let id = opened["id"].as_str().expect("a session id").to_owned();
        let mut signal = async |signaling: Value| {
            client.granted("soac", &json!({"id": id, "signaling": signaling})).await;
        };
        // The offer comes first; candidates follow by themselves.
        loop {
            let message = self.message().await;
            match message["type"].as_str() {
                Some("gathered") => break,
                Some("offer") => signal(message).await,
                Some("candidate") => {
                    let (candidate, index) = (&message["candidate"], &message["sdpMLineIndex"]);
                    let candidate = format!("a={}", candidate.as_str().expect("a line"));
                    let candidate = json!({"candidate": candidate, "sdpMLineIndex": index});
                    signal(json!({"type": "candidate", "candidate": candidate})).await;
                }
                _ => panic!("{message}"),
            }
        }
        let progress = client.await_event("progress").await;
        assert_eq!((&progress["id"], &progress["status"]), (&json!(id), &json!("soac")));
        let line = format!("{}\n", progress["data"]);
        self.input.write_all(line.as_bytes()).await.expect("it runs");
        let progress = client.await_event("progress").await;
        assert_eq!(progress, json!({"id": id, "status": "ready"}));
        id
    }

    async fn message(&mut self) -> Value {
        match self.next().await {
            Told::Message(message) => message,
            Told::Picture(_) | Told::Sound(_) => panic!("media before it is negotiated"),
        }
    }

    /// Watches and listens until what is seen or heard meets a condition.
    async fn until(&mut self, what: &str, meets: impl Fn(&Self) -> bool) {
        let start = Instant::now();
        while !meets(self) {
            assert!(start.elapsed() < PATIENCE, "not in time: {what}");
            match self.next().await {
                Told::Picture(picture) => self.picture = picture,
                Told::Sound(sound) => self.sound = sound,
                Told::Message(message) => assert_eq!(message["type"], "candidate", "{message}"),
            }
        }
    }

    async fn next(&mut self) -> Told {
        let told = timeout(PATIENCE, self.told.recv()).await;
        told.expect("it tells something in time").expect("it runs")
    }

    fn sees(&self, colour: [u8; 3], at: (f64, f64)) -> bool {
        !self.picture.is_empty() && gst::alike(gst::probe(&self.picture, at), colour)
    }

    fn hears(&self, tone: f64) -> bool {
        gst::loudness(&self.sound, tone) > 0.08
    }
}

async fn read(mut output: ChildStdout, tell: mpsc::UnboundedSender<Told>) {
    while let Ok(kind) = output.read_u8().await {
        let length = output.read_u32().await.expect("a length");
        let mut body = vec![0; length as usize];
        output.read_exact(&mut body).await.expect("a body");
        let told = match kind {
            b'j' => Told::Message(serde_json::from_slice(&body).expect("JSON")),
            b'p' => Told::Picture(body),
            b's' => Told::Sound(body),
            other => panic!("no kind {other}"),
        };
        // The test has ended when nobody takes it.
        tell.send(told).ok();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn webrtcbin_publishes_into_the_mix_and_subscribes_to_it() {
    let server = server().await;
    let mut ann = Speaker::join(&server, "ann", RED, LOW).await;
    ann.control("mix", json!("common")).await;

    let mut wim = Guest::join(&server, "lobby", "wim").await;
    let mut camera = Webrtcbin::start(&["send", "1e1ec8", "1200"]);
    let media = json!({"audio": {"source": "mic"}, "video": {"source": "camera"}});
    let stream = camera.negotiate(&mut wim.client, "publish", media).await;
    let mix = json!({"id": stream, "operation": "mix", "data": "common"});
    wim.client.granted("stream-control", &mix).await;

    // Its own stack shows it what everybody's does, in both codecs.
    let common = json!({"from": "lobby-common"});
    let whole =
        |it: &Webrtcbin| it.sees(RED, FIRST) && it.sees(BLUE, SECOND) && it.sees(BLACK, THIRD);
    let mut listener = Guest::join(&server, "lobby", "lea").await;
    let media = json!({"audio": common, "video": common});
    for codec in ["vp8", "h264"] {
        let mut screen = Webrtcbin::start(&["receive", codec]);
        screen.negotiate(&mut listener.client, "subscribe", media.clone()).await;
        screen.until(&format!("both colours by {codec}"), whole).await;
        screen.until("both tones", |it| it.hears(LOW) && it.hears(HIGH)).await;
    }

    // And the other stack is shown what webrtcbin sends.
    let mut viewer = Viewer::of(&mut ann.guest, &[Codec::OPUS, Codec::VP8]).await;
    viewer.until("webrtcbin's colour", |it| it.sees(BLUE, SECOND)).await;
    viewer.until("webrtcbin's tone alone", |it| it.hears(HIGH) && it.misses(LOW)).await;

    // One forward stream goes from webrtcbin to webrtcbin through the server.
    let mut screen = Webrtcbin::start(&["receive", "vp8"]);
    let media = json!({"audio": {"from": stream}, "video": {"from": stream}});
    screen.negotiate(&mut listener.client, "subscribe", media).await;
    screen.until("its picture as it is", |it| it.sees(BLUE, FIRST) && it.sees(BLUE, THIRD)).await;
    screen.until("its tone", |it| it.hears(HIGH) && !it.hears(LOW)).await;
    wim.client.granted("unpublish", &json!({"id": stream})).await;
    let ended = listener.client.await_event("progress").await;
    assert_eq!((&ended["status"], &ended["data"]), (&json!("error"), &json!("Source stream loss")));
}

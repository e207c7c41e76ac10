//! A packager with real media: a picture of the time and a tone, encoded and muxed by GStreamer's
//! command-line tool, cut into parts here, and uploaded by data signals.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    process::{Child, ChildStdout},
    sync::watch,
    task::JoinHandle,
};

use super::{
    client::Show,
    clock::{FRAMES_PER_SECOND, HEIGHT, WIDTH, draw, now},
    mp4,
};
use crate::support::gst_launch::launch;

const PATIENCE: Duration = Duration::from_secs(60);

/// Uploads until it is dropped.
pub(super) struct Packager {
    tasks: Vec<JoinHandle<()>>,
    uploaded: [watch::Receiver<u64>; 2],
    _children: [Child; 2],
}

impl Drop for Packager {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Packager {
    /// Starts with one-second segments of four parts of picture, and sound as a rendition.
    pub(super) fn start(show: Show) -> Self {
        let show = Arc::new(show);
        let (video, input, picture) = launch(&format!(
            "fdsrc fd=0 ! rawvideoparse width={WIDTH} height={HEIGHT} format=i420 \
             framerate={FRAMES_PER_SECOND}/1 ! x264enc tune=zerolatency speed-preset=ultrafast \
             key-int-max={FRAMES_PER_SECOND} bitrate=600 ! video/x-h264,profile=baseline \
             ! h264parse ! mp4mux fragment-duration=250 ! fdsink fd=1"
        ));
        let (audio, _, sound) = launch(
            "audiotestsrc is-live=true freq=440 volume=0.2 ! audio/x-raw,rate=48000,channels=2 \
             ! avenc_aac ! aacparse ! mp4mux fragment-duration=250 ! fdsink fd=1",
        );
        let (seen, pictures) = watch::channel(0);
        let (heard, sounds) = watch::channel(0);
        let tasks = vec![
            tokio::spawn(draw(input)),
            tokio::spawn(upload(Arc::clone(&show), Track::Variant, picture, seen)),
            tokio::spawn(upload(show, Track::Rendition, sound, heard)),
        ];
        Self { tasks, uploaded: [pictures, sounds], _children: [video, audio] }
    }

    /// Waits until the segments before this one are uploaded, of picture and sound.
    pub(super) async fn until(&mut self, msn: u64) {
        for uploaded in &mut self.uploaded {
            let reached = uploaded.wait_for(|reached| *reached >= msn);
            let reached = tokio::time::timeout(PATIENCE, reached).await;
            reached.expect("the packager is quick enough").expect("the packager runs");
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Track {
    Variant,
    Rendition,
}

impl Track {
    fn name(self) -> Value {
        match self {
            Self::Variant => json!({"variant": {"id": "v"}}),
            Self::Rendition => json!({"rendition": {"id": "a"}}),
        }
    }

    fn description(self, init: &[u8]) -> (&'static str, Value) {
        let targets = json!({"targetDuration": 1, "targetPartDuration": 0.25});
        let (action, member, mut about) = match self {
            Self::Variant => {
                let codecs = format!("{},mp4a.40.2", mp4::h264_codec(init).expect("H.264"));
                let about = json!({
                    "id": "v", "codecs": codecs, "bandwidth": 800_000, "audio": "sound",
                });
                ("updateVariant", "variant", about)
            }
            Self::Rendition => {
                let about = json!({
                    "id": "a", "type": "AUDIO", "groupId": "sound", "name": "tone",
                    "isDefault": true, "autoSelect": true,
                });
                ("updateRendition", "rendition", about)
            }
        };
        for (name, value) in targets.as_object().expect("an object") {
            about[name] = value.clone();
        }
        let map = json!({"map": {"id": "m", "data": STANDARD.encode(init)}});
        (action, json!({member: about, "segment": map}))
    }
}

/// Uploads a track; a segment starts with the first part of each second that players can start
/// with.
async fn upload(show: Arc<Show>, track: Track, mut muxed: ChildStdout, done: watch::Sender<u64>) {
    let init = read_init(&mut muxed).await;
    let timescale = mp4::timescale(&init).expect("a timescale");
    let (action, description) = track.description(&init);
    show.signal(action, description).await.text();
    let mut started = None;
    let (mut msn, mut index) = (0, 0);
    loop {
        let Some(data) = read_fragment(&mut muxed).await else { return };
        let fragment = mp4::fragment(&data).expect("a fragment");
        let seconds = |ticks: u64| ticks as f64 / f64::from(timescale);
        let (start, duration) = (seconds(fragment.start), seconds(fragment.duration));
        let started = *started.get_or_insert_with(|| now().as_secs_f64() - duration);
        if fragment.independent && start + 1e-3 >= (msn + 1) as f64 {
            (msn, index) = (msn + 1, 0);
            done.send_replace(msn);
        }
        let mut payload = track.name();
        payload["segment"] = json!({
            "id": format!("s{msn}"), "sequence": msn,
            "programDateTime": ((started + start) * 1000.0).round(),
        });
        payload["part"] = json!({
            "id": format!("p{msn}.{index}"), "sequence": index, "duration": duration,
            "independent": fragment.independent, "data": STANDARD.encode(&data),
        });
        show.signal("updatePart", payload).await.text();
        index += 1;
    }
}

async fn read_init(muxed: &mut ChildStdout) -> Vec<u8> {
    let mut init = Vec::new();
    loop {
        let (kind, data) = read_box(muxed).await.expect("the muxer starts");
        init.extend(data);
        if &kind == b"moov" {
            return init;
        }
    }
}

async fn read_fragment(muxed: &mut ChildStdout) -> Option<Vec<u8>> {
    let mut fragment = Vec::new();
    loop {
        let (kind, data) = read_box(muxed).await?;
        fragment.extend(data);
        if &kind == b"mdat" {
            return Some(fragment);
        }
    }
}

async fn read_box(muxed: &mut (impl AsyncRead + Unpin)) -> Option<([u8; 4], Vec<u8>)> {
    let mut data = vec![0; 8];
    muxed.read_exact(&mut data).await.ok()?;
    let size = u32::from_be_bytes([data[0], data[1], data[2], data[3]]) as usize;
    let kind = [data[4], data[5], data[6], data[7]];
    data.resize(size.max(8), 0);
    muxed.read_exact(&mut data[8..]).await.ok()?;
    Some((kind, data))
}

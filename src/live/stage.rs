//! A broadcast that players watch: wakes them when something is new, and writes each playlist
//! once for all of them.

use std::{
    collections::HashMap,
    io::Write as _,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use tokio::sync::watch;

use super::{
    broadcast::Broadcast,
    playlist::{self, Style},
    reload::{Awaited, Reload, reload},
    timeline::Found,
    upload::TrackName,
};

/// Why a player does not get what it asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Miss {
    /// It is not there.
    #[error("there is no such thing")]
    Absent,
    /// It cannot come soon.
    #[error("this is further ahead than a player may ask for")]
    TooFar,
    /// It should have come.
    #[error("what should have come did not; try again")]
    Overdue,
}

/// A playlist, as it goes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The text.
    pub plain: Bytes,
    /// The text by gzip (RFC 1952).
    pub gzip: Bytes,
}

/// How many target durations a request may wait (RFC 8216bis, 6.2.5.2).
const PATIENCE_TARGETS: u32 = 3;

/// Which playlist: a track's, with or without what can be skipped, or the multivariant one.
pub(super) type Page = Option<(TrackName, bool)>;

/// A broadcast with its audience.
pub(super) struct Stage {
    scene: Mutex<Scene>,
    changed: watch::Sender<()>,
}

/// What is on the stage.
pub(super) struct Scene {
    pub(super) broadcast: Broadcast,
    pub(super) epoch: u64,
    /// Proves that its bearer may play; empty where everybody may.
    pub(super) key: String,
    pub(super) last_upload: Instant,
    /// What the server's books say that it takes, in bytes.
    pub(super) booked: usize,
    /// Whether it was taken down; whoever still has it looks for another.
    pub(super) gone: bool,
    pages: HashMap<Page, Written>,
}

impl Scene {
    pub(super) fn new(broadcast: Broadcast, epoch: u64, key: String, now: Instant) -> Self {
        Self {
            broadcast,
            epoch,
            key,
            last_upload: now,
            booked: 0,
            gone: false,
            pages: HashMap::new(),
        }
    }

    /// What addresses end in, so that their bearers may play.
    pub(super) fn suffix(&self) -> String {
        if self.key.is_empty() { String::new() } else { format!("?key={}", self.key) }
    }

    fn page(&mut self, page: Page) -> Result<Written, Miss> {
        if let Some(written) = self.pages.get(&page) {
            return Ok(written.clone());
        }
        let suffix = self.suffix();
        let style = Style { epoch: self.epoch, suffix: &suffix };
        let text = match &page {
            None => playlist::multivariant(&self.broadcast, style),
            Some((track, skip)) => playlist::media(&self.broadcast, track, *skip, style),
        };
        let written = Written::from(text.ok_or(Miss::Absent)?);
        self.pages.insert(page, written.clone());
        Ok(written)
    }
}

impl From<String> for Written {
    fn from(text: String) -> Self {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text.as_bytes()).expect("memory takes all bytes");
        let gzip = encoder.finish().expect("memory takes all bytes");
        Self { plain: text.into(), gzip: gzip.into() }
    }
}

/// What a look at the scene yields.
enum Look<T> {
    Seen(T),
    Wait { target_secs: u32 },
}

impl Stage {
    pub(super) fn new(scene: Scene) -> Self {
        Self { scene: Mutex::new(scene), changed: watch::Sender::new(()) }
    }

    /// The scene, for a moment. It is changed only as a whole, so a panic elsewhere broke nothing.
    pub(super) fn scene(&self) -> MutexGuard<'_, Scene> {
        self.scene.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the audience to look again.
    pub(super) fn tell(&self, scene: &mut Scene) {
        scene.pages.clear();
        self.changed.send_replace(());
    }

    pub(super) fn multivariant(&self) -> Result<Written, Miss> {
        self.scene().page(None)
    }

    /// A track's playlist once it has what is asked for.
    pub(super) async fn playlist(
        &self,
        track: &TrackName,
        awaited: Awaited,
        skip: bool,
    ) -> Result<Written, Miss> {
        self.look_for(|scene| {
            let timeline = scene.broadcast.timeline(track).ok_or(Miss::Absent)?;
            let target_secs = timeline.target_secs;
            match reload(timeline, awaited) {
                Reload::TooFar if !scene.broadcast.has_ended() => Err(Miss::TooFar),
                Reload::Wait if !scene.broadcast.has_ended() => Ok(Look::Wait { target_secs }),
                Reload::Now | Reload::Wait | Reload::TooFar => {
                    scene.page(Some((track.clone(), skip))).map(Look::Seen)
                }
            }
        })
        .await
    }

    /// A part, once it is there.
    pub(super) async fn part(
        &self,
        track: &TrackName,
        epoch: u64,
        msn: u64,
        index: usize,
    ) -> Result<Bytes, Miss> {
        self.look_for(|scene| {
            let timeline = scene.broadcast.timeline(track).ok_or(Miss::Absent)?;
            if scene.epoch != epoch {
                return Err(Miss::Absent);
            }
            match timeline.find_part(msn, index) {
                Found::Ready(data) => Ok(Look::Seen(data)),
                Found::Coming if !scene.broadcast.has_ended() => {
                    Ok(Look::Wait { target_secs: timeline.target_secs })
                }
                Found::Coming | Found::Absent => Err(Miss::Absent),
            }
        })
        .await
    }

    async fn look_for<T>(
        &self,
        mut look: impl FnMut(&mut Scene) -> Result<Look<T>, Miss>,
    ) -> Result<T, Miss> {
        let start = Instant::now();
        let mut changed = self.changed.subscribe();
        loop {
            let looked = {
                let mut scene = self.scene();
                if scene.gone {
                    return Err(Miss::Absent);
                }
                look(&mut scene)?
            };
            let patience = match looked {
                Look::Seen(seen) => return Ok(seen),
                Look::Wait { target_secs } => {
                    Duration::from_secs(u64::from(target_secs * PATIENCE_TARGETS))
                }
            };
            let left = patience.saturating_sub(start.elapsed());
            match tokio::time::timeout(left, changed.changed()).await {
                Ok(Ok(())) => {}
                // The sender lives as long as the stage.
                Ok(Err(_)) => return Err(Miss::Absent),
                Err(_) => return Err(Miss::Overdue),
            }
        }
    }
}

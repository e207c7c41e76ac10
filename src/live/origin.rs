//! All broadcasts of the server: takes uploads in, hands playlists and pieces out.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use bytes::Bytes;
use tokio::sync::watch;
use tracing::{debug, info};

use super::{
    address::Address,
    broadcast::{Bounds, Broadcast},
    fault::Fault,
    reload::Awaited,
    stage::{Miss, Scene, Stage, Written},
    upload::{TrackName, Upload, What},
};
use crate::config;

/// How often broadcasts that nobody feeds are looked for.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// Bytes of a playback key, too many to be guessed.
const KEY_BYTES: usize = 16;

/// The live origin. Cheap to clone.
#[derive(Clone)]
pub struct Live(Arc<Inner>);

struct Inner {
    settings: config::Live,
    /// Locked before a scene, never while one is locked.
    stages: Mutex<HashMap<Address, Arc<Stage>>>,
    /// Bytes that all broadcasts take. Locked after a scene, for as long as an upload is taken in.
    books: Mutex<usize>,
}

/// What of a track a player asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    /// An initialization section.
    Map(u64),
    /// A segment.
    Segment(u64),
    /// A part of a segment.
    Part(u64, usize),
}

impl Live {
    /// An origin with no broadcasts.
    pub fn new(settings: config::Live) -> Self {
        let (stages, books) = (Mutex::default(), Mutex::default());
        Self(Arc::new(Inner { settings, stages, books }))
    }

    /// The settings it goes by.
    pub fn settings(&self) -> &config::Live {
        &self.0.settings
    }

    /// Takes an upload in and tells whoever waits for it.
    ///
    /// # Errors
    /// When it cannot be taken; then nothing has changed.
    pub fn upload(&self, address: &Address, upload: Upload) -> Result<(), Fault> {
        let most = self.0.settings.max_piece_bytes;
        if upload.size() > most {
            return Err(Fault::TooLarge(format!("a piece has at most {most} bytes")));
        }
        loop {
            let mut stages = self.stages();
            let Some(stage) = stages.get(address).cloned() else {
                return self.begin(&mut stages, address, upload);
            };
            drop(stages);
            let mut scene = stage.scene();
            if scene.gone {
                // The next look finds another one, or none.
                continue;
            }
            let done = self.take_in(&mut scene, upload);
            if done.is_ok() {
                stage.tell(&mut scene);
            }
            return done;
        }
    }

    fn begin(
        &self,
        stages: &mut HashMap<Address, Arc<Stage>>,
        address: &Address,
        upload: Upload,
    ) -> Result<(), Fault> {
        if !matches!(upload.what, What::Track(_)) {
            return Err(Fault::Unknown("there is no broadcast here; see updateVariant".into()));
        }
        let most = self.0.settings.max_streams;
        if stages.len() >= most {
            return Err(Fault::Full(format!("there are {most} broadcasts already; try later")));
        }
        let broadcast = Broadcast::new(self.bounds(), upload.playlist.clone());
        let mut scene = Scene::new(broadcast, epoch(), self.key(), Instant::now());
        self.take_in(&mut scene, upload)?;
        stages.insert(address.clone(), Arc::new(Stage::new(scene)));
        info!(%address, "a broadcast begins");
        Ok(())
    }

    fn take_in(&self, scene: &mut Scene, upload: Upload) -> Result<(), Fault> {
        let mut books = self.books();
        let settings = &self.0.settings;
        let others = *books - scene.booked;
        let allowed = settings.max_stream_bytes.min(settings.max_bytes.saturating_sub(others));
        let done = if scene.broadcast.is_succeeded_by(&upload) {
            let mut next = Broadcast::new(self.bounds(), upload.playlist.clone());
            next.apply(upload, allowed).map(|()| {
                scene.broadcast = next;
                scene.epoch = epoch().max(scene.epoch + 1);
            })
        } else {
            scene.broadcast.apply(upload, allowed)
        };
        scene.booked = scene.broadcast.size();
        *books = others + scene.booked;
        done.map(|()| scene.last_upload = Instant::now())
    }

    /// Ends a broadcast: players are told that nothing follows. `false` if there is none.
    pub fn end(&self, address: &Address) -> bool {
        let Some(stage) = self.stage(address) else { return false };
        let mut scene = stage.scene();
        scene.broadcast.end();
        scene.last_upload = Instant::now();
        stage.tell(&mut scene);
        info!(%address, "a broadcast ends");
        true
    }

    /// The path under which players find a broadcast; with a key where one is needed. `None` if
    /// there is none.
    pub fn playback_path(&self, address: &Address) -> Option<String> {
        let stage = self.stage(address)?;
        let suffix = stage.scene().suffix();
        Some(address.playlist_path() + &suffix)
    }

    /// Whether this key lets its bearer play this broadcast.
    pub(super) fn is_key(&self, address: &Address, key: &str) -> bool {
        let stage = self.stage(address);
        stage.is_some_and(|stage| {
            let scene = stage.scene();
            let same = verify_slices_are_equal(scene.key.as_bytes(), key.as_bytes());
            !scene.key.is_empty() && same.is_ok()
        })
    }

    pub(super) fn multivariant(&self, address: &Address) -> Result<Written, Miss> {
        self.stage(address).ok_or(Miss::Absent)?.multivariant()
    }

    pub(super) async fn playlist(
        &self,
        address: &Address,
        track: &TrackName,
        awaited: Awaited,
        skip: bool,
    ) -> Result<Written, Miss> {
        let stage = self.stage(address).ok_or(Miss::Absent)?;
        stage.playlist(track, awaited, skip).await
    }

    pub(super) async fn piece(
        &self,
        address: &Address,
        track: &TrackName,
        epoch: u64,
        piece: Piece,
    ) -> Result<Bytes, Miss> {
        let stage = self.stage(address).ok_or(Miss::Absent)?;
        if let Piece::Part(msn, index) = piece {
            return stage.part(track, epoch, msn, index).await;
        }
        let scene = stage.scene();
        let timeline = scene.broadcast.timeline(track).filter(|_| scene.epoch == epoch);
        let timeline = timeline.ok_or(Miss::Absent)?;
        let found = match piece {
            Piece::Map(number) => timeline.find_map(number),
            Piece::Segment(msn) => timeline.find_segment(msn),
            Piece::Part(..) => None,
        };
        found.ok_or(Miss::Absent)
    }

    /// How many broadcasts there are, and how many bytes they take.
    pub fn count(&self) -> (usize, usize) {
        (self.stages().len(), *self.books())
    }

    /// Forgets the broadcasts that nobody feeds, until `shutdown` turns true.
    pub async fn sweep(self, mut shutdown: watch::Receiver<bool>) {
        let mut ticks = tokio::time::interval(SWEEP_INTERVAL);
        loop {
            tokio::select! {
                _ = ticks.tick() => self.forget_idle(Instant::now()),
                _ = shutdown.wait_for(|down| *down) => return self.end_all(),
            }
        }
    }

    fn forget_idle(&self, now: Instant) {
        let idle = self.0.settings.idle;
        self.stages().retain(|address, stage| {
            let mut scene = stage.scene();
            if now.saturating_duration_since(scene.last_upload) < idle {
                return true;
            }
            debug!(%address, "nobody feeds a broadcast");
            scene.gone = true;
            *self.books() -= scene.booked;
            stage.tell(&mut scene);
            false
        });
    }

    fn end_all(&self) {
        for stage in self.stages().values() {
            let mut scene = stage.scene();
            scene.broadcast.end();
            stage.tell(&mut scene);
        }
    }

    fn bounds(&self) -> Bounds {
        Bounds { segments: self.0.settings.segments, tracks: self.0.settings.max_tracks }
    }

    fn key(&self) -> String {
        if self.0.settings.playback == config::Playback::Public {
            return String::new();
        }
        let mut random = [0; KEY_BYTES];
        getrandom::fill(&mut random).expect("the system has randomness");
        format!("{:032x}", u128::from_le_bytes(random))
    }

    fn stage(&self, address: &Address) -> Option<Arc<Stage>> {
        self.stages().get(address).cloned()
    }

    fn stages(&self) -> MutexGuard<'_, HashMap<Address, Arc<Stage>>> {
        self.0.stages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn books(&self) -> MutexGuard<'_, usize> {
        self.0.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells broadcasts under the same address apart, also across restarts of the server.
fn epoch() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

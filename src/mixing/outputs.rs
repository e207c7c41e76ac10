//! Which encodings of views and forward streams there are, and who gets which.
//!
//! Equal wishes share an encoder. Which of several acceptable codecs a subscriber gets is known
//! only once its offer was read, so every candidate has a number beforehand and is encoded when it
//! was chosen. What nobody gets any more is kept for a while, since people come back.

mod key;
mod subscriber;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

pub(super) use self::key::{Key, Transcoded};
use self::subscriber::{Candidates, Listening, Subscriber};

use crate::{
    formats::{AudioFormat, LayerChoice, TrackKind, VideoFormat},
    ids::{ParticipantId, SessionId, StreamId},
    media::{Choice, Encoded, OutputId, Source},
    room::{AudioFeed, AudioOutput, DesiredView, TrackStatus, VideoFeed},
};

/// How long an encoder runs after the last subscriber left.
pub(super) const LINGER: Duration = Duration::from_secs(5);

/// The views of a room as they should be.
pub(super) type Views = BTreeMap<StreamId, Arc<DesiredView>>;

/// An encoding that exists or may come to exist.
#[derive(Debug)]
struct Output {
    key: Key,
    /// Somebody chose it.
    is_open: bool,
    /// Since when nobody has it, or could choose it.
    unused_since: Option<Instant>,
}

/// The outputs of a room.
#[derive(Debug, Default)]
pub(super) struct Outputs {
    last: u32,
    outputs: BTreeMap<OutputId, Output>,
    by_key: BTreeMap<Key, OutputId>,
    subscribers: BTreeMap<SessionId, Subscriber>,
    transcoded: BTreeMap<StreamId, Transcoded>,
}

impl Outputs {
    /// Where a subscription's sound is to come from, whether it is new or changes.
    pub(super) fn listen(
        &mut self,
        session: &SessionId,
        feed: AudioFeed,
        views: &Views,
    ) -> Source<AudioFormat> {
        let AudioFeed { from, output } = feed;
        let Some(AudioOutput { formats, without: listener, original }) = output else {
            self.forget(session, |subscriber| subscriber.audio = None);
            return Source::Published(from, LayerChoice::Largest);
        };
        let without = own_inputs(views, &from, listener.as_ref());
        let choices = formats.iter().map(|&format| {
            let key = Key::Audio { of: from.clone(), format, without: without.clone() };
            Choice { output: self.number(key), format }
        });
        let choices: Arc<[Choice<AudioFormat>]> = choices.collect();
        let outputs = choices.iter().map(|choice| choice.output).collect();
        let spare = original.as_ref().is_some_and(|original| original.suffices);
        if let Some(original) = original {
            let transcoded = self.transcoded.entry(from.clone()).or_default();
            transcoded.user = original.user;
            transcoded.audio = Some(original.track);
        }
        let candidates = Candidates { outputs, spare };
        let listening = Listening { view: from.clone(), listener, candidates, chosen: None };
        self.subscribers.entry(session.clone()).or_default().audio = Some(listening);
        source(from, choices, spare)
    }

    /// Where a subscription's picture is to come from, whether it is new or changes.
    pub(super) fn watch(&mut self, session: &SessionId, feed: VideoFeed) -> Source<VideoFormat> {
        let VideoFeed { from, output, layer } = feed;
        let Some(output) = output else {
            self.forget(session, |subscriber| subscriber.video = None);
            return Source::Published(from, layer);
        };
        let choices = output.encodings.iter().map(|encoding| {
            let key = Key::Video {
                of: from.clone(),
                format: encoding.format,
                resolution: output.resolution,
                framerate: output.framerate,
                kbps: encoding.kbps,
                key_frame_interval_secs: output.key_frame_interval_secs,
            };
            Choice { output: self.number(key), format: encoding.format }
        });
        let choices: Arc<[Choice<VideoFormat>]> = choices.collect();
        let outputs = choices.iter().map(|choice| choice.output).collect();
        let spare = output.original.as_ref().is_some_and(|original| original.suffices);
        if let Some(original) = output.original {
            let transcoded = self.transcoded.entry(from.clone()).or_default();
            transcoded.user = original.user;
            transcoded.video = Some(original.track);
        }
        let candidates = Candidates { outputs, spare };
        self.subscribers.entry(session.clone()).or_default().video = Some(candidates);
        source(from, choices, spare)
    }

    /// Notes that a track of a forward stream was paused or resumed.
    pub(super) fn set_track_active(&mut self, stream: &StreamId, kind: TrackKind, active: bool) {
        let Some(transcoded) = self.transcoded.get_mut(stream) else { return };
        let status = if active { TrackStatus::Active } else { TrackStatus::Inactive };
        match kind {
            TrackKind::Audio => transcoded.audio.iter_mut().for_each(|it| it.status = status),
            TrackKind::Video => transcoded.video.iter_mut().for_each(|it| it.status = status),
        }
    }

    /// A forward stream of which encodings are made.
    pub(super) fn transcoded(&self, stream: &StreamId) -> Option<&Transcoded> {
        self.transcoded.get(stream)
    }

    /// The subscriptions that get something transcoded.
    pub(super) fn transcoded_subscribers(&self) -> Vec<SessionId> {
        let is_transcoded = |output: OutputId| {
            let key = self.outputs.get(&output).map(|output| output.key.of());
            key.is_some_and(|of| self.transcoded.contains_key(of))
        };
        self.who_gets(is_transcoded)
    }

    /// Notes what came of a subscription's offer.
    pub(super) fn choose(&mut self, session: &SessionId, chosen: Encoded, now: Instant) {
        let Some(subscriber) = self.subscribers.get_mut(session) else { return };
        match chosen {
            Encoded::Audio(choice) => {
                if let Some(listening) = &mut subscriber.audio {
                    listening.candidates = Candidates::chosen(choice.output);
                    listening.chosen = Some(choice.format);
                }
            }
            Encoded::Video(choice) => {
                if let Some(candidates) = &mut subscriber.video {
                    *candidates = Candidates::chosen(choice.output);
                }
            }
        }
        if let Some(output) = self.outputs.get_mut(&chosen.output()) {
            output.is_open = true;
        }
        self.note_use(now);
    }

    /// Forgets a subscription.
    pub(super) fn close(&mut self, session: &SessionId, now: Instant) {
        if self.subscribers.remove(session).is_some() {
            self.note_use(now);
        }
    }

    /// Notes what listeners hear themselves in, or no longer need to be left out of: which
    /// subscriptions are to get another encoding.
    pub(super) fn reroute(
        &mut self,
        views: &Views,
        now: Instant,
    ) -> Vec<(SessionId, Choice<AudioFormat>)> {
        let mut moves = Vec::new();
        for (session, subscriber) in &self.subscribers {
            let Some(listening) = &subscriber.audio else { continue };
            let (Some(format), [present]) = (listening.chosen, &*listening.candidates.outputs)
            else {
                continue;
            };
            let view = listening.view.clone();
            let without = own_inputs(views, &view, listening.listener.as_ref());
            let key = Key::Audio { of: view, format, without };
            if self.outputs.get(present).is_some_and(|output| output.key != key) {
                moves.push((session.clone(), key, format));
            }
        }
        let moved = moves.into_iter().map(|(session, key, format)| {
            let output = self.number(key);
            let to = Choice { output, format };
            self.choose(&session, Encoded::Audio(to), now);
            (session, to)
        });
        moved.collect()
    }

    /// Ends what nobody has got for a while, and forgets what nobody could choose.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<OutputId> {
        self.note_use(now);
        let is_over = |output: &Output| {
            let linger = if output.is_open { LINGER } else { Duration::ZERO };
            output.unused_since.is_some_and(|since| now >= since + linger)
        };
        let over = self.outputs.iter().filter(|(_, output)| is_over(output));
        let over: Vec<OutputId> = over.map(|(id, _)| *id).collect();
        for id in &over {
            if let Some(output) = self.outputs.get_mut(id) {
                output.is_open = false;
                output.unused_since = None;
            }
        }
        self.note_use(now);
        let is_idle = |output: &Output| !output.is_open && output.unused_since.is_some();
        for (_, output) in self.outputs.extract_if(.., |_, output| is_idle(output)) {
            self.by_key.remove(&output.key);
        }
        let outputs = &self.outputs;
        self.transcoded.retain(|stream, _| outputs.values().any(|it| it.key.of() == stream));
        over
    }

    /// When to call [`Self::expire`].
    pub(super) fn next_expiry(&self) -> Option<Instant> {
        self.outputs.values().filter_map(|output| Some(output.unused_since? + LINGER)).min()
    }

    /// Everything that is to be encoded.
    pub(super) fn open(&self) -> impl Iterator<Item = (OutputId, &Key)> {
        let open = self.outputs.iter().filter(|(_, output)| output.is_open);
        open.map(|(id, output)| (*id, &output.key))
    }

    /// Whether anybody needs something encoded, as far as is known.
    pub(super) fn has_subscribers(&self) -> bool {
        self.subscribers.values().any(|subscriber| subscriber.certain().next().is_some())
    }

    /// The subscriptions that an output feeds.
    pub(super) fn subscribers_of(&self, output: OutputId) -> Vec<SessionId> {
        self.who_gets(|other| other == output)
    }

    fn who_gets(&self, is_meant: impl Fn(OutputId) -> bool) -> Vec<SessionId> {
        let gets = |subscriber: &Subscriber| subscriber.certain().any(&is_meant);
        let all = self.subscribers.iter().filter(|(_, subscriber)| gets(subscriber));
        all.map(|(session, _)| session.clone()).collect()
    }

    /// Forgets a part of a subscription, and the whole with its last part.
    fn forget(&mut self, session: &SessionId, part: impl FnOnce(&mut Subscriber)) {
        let Some(subscriber) = self.subscribers.get_mut(session) else { return };
        part(subscriber);
        if subscriber.audio.is_none() && subscriber.video.is_none() {
            self.subscribers.remove(session);
        }
    }

    fn number(&mut self, key: Key) -> OutputId {
        if let Some(id) = self.by_key.get(&key) {
            return *id;
        }
        self.last += 1;
        let id = OutputId(self.last);
        let output = Output { key: key.clone(), is_open: false, unused_since: None };
        self.outputs.insert(id, output);
        self.by_key.insert(key, id);
        id
    }

    fn note_use(&mut self, now: Instant) {
        let subscribers = self.subscribers.values();
        let certain: BTreeSet<OutputId> =
            subscribers.clone().flat_map(Subscriber::certain).collect();
        let possible: BTreeSet<OutputId> = subscribers.flat_map(Subscriber::possible).collect();
        for (id, output) in &mut self.outputs {
            let used = if output.is_open { &certain } else { &possible };
            let since = output.unused_since.unwrap_or(now);
            output.unused_since = (!used.contains(id)).then_some(since);
        }
    }
}

/// Where a track comes from: one of the choices, or the stream as it is if that may do.
fn source<F>(stream: StreamId, choices: Arc<[Choice<F>]>, spare: bool) -> Source<F> {
    if spare { Source::Either(stream, choices) } else { Source::Injected(choices) }
}

/// The sounds of a listener in a view.
fn own_inputs(
    views: &Views,
    view: &StreamId,
    listener: Option<&ParticipantId>,
) -> BTreeSet<StreamId> {
    let Some((view, listener)) = views.get(view).zip(listener) else { return BTreeSet::new() };
    let inputs = view.inputs.iter();
    let own = inputs.filter(|input| input.owner == *listener && input.audio.is_some());
    own.map(|input| input.stream.clone()).collect()
}

#[cfg(test)]
mod tests;

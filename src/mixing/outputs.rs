//! Which encodings of the views there are, and who gets which.
//!
//! Equal wishes share an encoder. Which of several acceptable codecs a subscriber gets is known
//! only once its offer was read, so every candidate has a number beforehand and is encoded when it
//! was chosen. What nobody gets any more is kept for a while, since people come back.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    formats::{AudioFormat, Resolution, VideoFormat},
    ids::{ParticipantId, SessionId, StreamId},
    media::{Choice, Encoded, OutputId, Source},
    room::{AudioFeed, AudioOutput, DesiredView, VideoFeed, VideoOutput},
};

/// How long an encoder runs after the last subscriber left.
pub(super) const LINGER: Duration = Duration::from_secs(5);

/// The views of a room as they should be.
pub(super) type Views = BTreeMap<StreamId, Arc<DesiredView>>;

/// Everything that tells one encoding from another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    /// A view's sound.
    Audio {
        /// The view.
        view: StreamId,
        /// The codec.
        format: AudioFormat,
        /// The listener's own inputs, which are left out.
        without: BTreeSet<StreamId>,
    },
    /// A view's picture.
    Video {
        /// The view.
        view: StreamId,
        /// The codec.
        format: VideoFormat,
        /// The size.
        resolution: Resolution,
        /// Pictures per second.
        framerate: u32,
        /// kbit/s.
        kbps: u32,
        /// Seconds between key frames.
        key_frame_interval_secs: u32,
    },
}

impl Key {
    /// The view that is encoded.
    pub(super) fn view(&self) -> &StreamId {
        match self {
            Self::Audio { view, .. } | Self::Video { view, .. } => view,
        }
    }
}

/// An encoding that exists or may come to exist.
#[derive(Debug)]
struct Output {
    key: Key,
    /// Somebody chose it.
    is_open: bool,
    /// Since when nobody has it, or could choose it.
    unused_since: Option<Instant>,
}

/// What a subscription gets of a view.
#[derive(Debug, Default)]
struct Subscriber {
    audio: Option<Listening>,
    video: Option<Watching>,
}

#[derive(Debug)]
struct Listening {
    view: StreamId,
    listener: Option<ParticipantId>,
    /// What may be chosen, or what was.
    outputs: Vec<OutputId>,
    chosen: Option<AudioFormat>,
}

#[derive(Debug)]
struct Watching {
    outputs: Vec<OutputId>,
}

/// The outputs of a room.
#[derive(Debug, Default)]
pub(super) struct Outputs {
    last: u32,
    outputs: BTreeMap<OutputId, Output>,
    by_key: BTreeMap<Key, OutputId>,
    subscribers: BTreeMap<SessionId, Subscriber>,
}

impl Outputs {
    /// Where a subscription's sound is to come from, whether it is new or changes.
    pub(super) fn listen(
        &mut self,
        session: &SessionId,
        feed: AudioFeed,
        views: &Views,
    ) -> Source<AudioFormat> {
        let AudioFeed { from: view, output } = feed;
        let Some(AudioOutput { formats, without: listener }) = output else {
            self.forget(session, |subscriber| subscriber.audio = None);
            return Source::Published(view);
        };
        let without = own_inputs(views, &view, listener.as_ref());
        let choices = formats.iter().map(|&format| {
            let key = Key::Audio { view: view.clone(), format, without: without.clone() };
            Choice { output: self.number(key), format }
        });
        let choices: Arc<[Choice<AudioFormat>]> = choices.collect();
        let outputs = choices.iter().map(|choice| choice.output).collect();
        let listening = Listening { view, listener, outputs, chosen: None };
        self.subscribers.entry(session.clone()).or_default().audio = Some(listening);
        Source::Injected(choices)
    }

    /// Where a subscription's picture is to come from, whether it is new or changes.
    pub(super) fn watch(&mut self, session: &SessionId, feed: VideoFeed) -> Source<VideoFormat> {
        let VideoFeed { from: view, output } = feed;
        let Some(VideoOutput { encodings, resolution, framerate, key_frame_interval_secs }) =
            output
        else {
            self.forget(session, |subscriber| subscriber.video = None);
            return Source::Published(view);
        };
        let choices = encodings.iter().map(|encoding| {
            let key = Key::Video {
                view: view.clone(),
                format: encoding.format,
                resolution,
                framerate,
                kbps: encoding.kbps,
                key_frame_interval_secs,
            };
            Choice { output: self.number(key), format: encoding.format }
        });
        let choices: Arc<[Choice<VideoFormat>]> = choices.collect();
        let outputs = choices.iter().map(|choice| choice.output).collect();
        self.subscribers.entry(session.clone()).or_default().video = Some(Watching { outputs });
        Source::Injected(choices)
    }

    /// Notes what came of a subscription's offer.
    pub(super) fn choose(&mut self, session: &SessionId, chosen: Encoded, now: Instant) {
        let Some(subscriber) = self.subscribers.get_mut(session) else { return };
        match chosen {
            Encoded::Audio(choice) => {
                if let Some(listening) = &mut subscriber.audio {
                    listening.outputs = vec![choice.output];
                    listening.chosen = Some(choice.format);
                }
            }
            Encoded::Video(choice) => {
                if let Some(watching) = &mut subscriber.video {
                    watching.outputs = vec![choice.output];
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
            let (Some(format), [present]) = (listening.chosen, &*listening.outputs) else {
                continue;
            };
            let view = listening.view.clone();
            let without = own_inputs(views, &view, listening.listener.as_ref());
            let key = Key::Audio { view, format, without };
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

    /// Forgets what nobody has got for a while.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<OutputId> {
        self.note_use(now);
        let is_over = |output: &Output| {
            let linger = if output.is_open { LINGER } else { Duration::ZERO };
            output.unused_since.is_some_and(|since| now >= since + linger)
        };
        let over = self.outputs.iter().filter(|(_, output)| is_over(output));
        let over: Vec<OutputId> = over.map(|(id, _)| *id).collect();
        for id in &over {
            if let Some(output) = self.outputs.remove(id) {
                self.by_key.remove(&output.key);
            }
        }
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

    /// Whether anybody subscribes to a view.
    pub(super) fn has_subscribers(&self) -> bool {
        !self.subscribers.is_empty()
    }

    /// The subscriptions that an output feeds.
    pub(super) fn subscribers_of(&self, output: OutputId) -> Vec<SessionId> {
        let gets = |subscriber: &Subscriber| subscriber.outputs().any(|other| other == output);
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
        let used: BTreeSet<OutputId> =
            self.subscribers.values().flat_map(Subscriber::outputs).collect();
        for (id, output) in &mut self.outputs {
            let since = output.unused_since.unwrap_or(now);
            output.unused_since = (!used.contains(id)).then_some(since);
        }
    }
}

impl Subscriber {
    fn outputs(&self) -> impl Iterator<Item = OutputId> {
        let audio = self.audio.iter().flat_map(|listening| &listening.outputs);
        let video = self.video.iter().flat_map(|watching| &watching.outputs);
        audio.chain(video).copied()
    }
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

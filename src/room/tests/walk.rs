//! A long random walk with many inputs, sensible and not. Besides the room's own invariants, which
//! are checked after each input, what everybody was told must add up to the truth after each input.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use super::{mirror::Mirror, words::*};
use crate::{
    formats::{
        AudioCodec, AudioFormat, Offerer, Resolution, TrackSelection, VideoCodec, VideoFormat,
        VideoParameters,
    },
    ids::{ParticipantId, SessionId, StreamId, TransportId},
    room::{
        Command, Effect, Event, FloorSettings, Input, LayoutSettings, MixerCapabilities,
        Negotiation, Order, Output, PlacedRegion, RequestId, Room, RoomKind, SubscribeMedia,
        TemplateBase, TextTarget, TrackStatus, Transcoding, Whom,
    },
};

const SEEDS: u64 = 40;
const STEPS: u64 = 3_000;

/// Shorter than most pauses between two inputs, so that whoever is away for it is given up.
const MOMENT: Duration = Duration::from_millis(25);

/// Everything that the walks together must have met, lest they prove nothing.
const SIGHTS: [&str; 74] = [
    "ActiveInput",
    "AlreadyJoined",
    "Answer",
    "AudioForbidden",
    "AudioUnsatisfied",
    "Broadcast",
    "CloseRoom",
    "CloseSession",
    "Described",
    "Disconnect",
    "Done",
    "Dropped",
    "Expired",
    "FloorFull",
    "HasFloor",
    "InvalidLayout",
    "InvalidRole",
    "Joined",
    "Kicked",
    "Layout",
    "Negotiate",
    "NoAudioTrack",
    "NoBandwidthEstimate",
    "NoSuchMember",
    "NoSuchReceiver",
    "NoSuchRegion",
    "NoSuchRoom",
    "NoSuchSession",
    "NoSuchStream",
    "NoSuchSubscription",
    "NoSuchView",
    "NoVideoTrack",
    "NotInView",
    "NotJoined",
    "NotMixedStream",
    "NotSubscribed",
    "NothingRequested",
    "NothingToMix",
    "NothingToUpdate",
    "Offer",
    "OpenPublication",
    "OpenSubscription",
    "ParticipantJoined",
    "ParticipantLeft",
    "Publishers",
    "Region",
    "Relayed",
    "Room",
    "RoomExists",
    "RoomFull",
    "SessionExists",
    "SessionFailed",
    "SessionOpened",
    "SessionReady",
    "SetSubscriptionActive",
    "SetTrackActive",
    "Status",
    "Stream",
    "StreamAdded",
    "StreamIsMixed",
    "StreamNotReady",
    "StreamRemoved",
    "StreamUpdated",
    "SwitchSubscription",
    "Text",
    "TextTooLong",
    "TooManyInputs",
    "TooManySubscriptions",
    "TransportInUse",
    "UnexpectedNegotiation",
    "VideoUnsatisfied",
    "ViewChanged",
    "Whole",
    "WrongKind",
];

#[test]
fn whatever_happens_everybody_knows_the_truth() {
    let mut met = BTreeSet::new();
    for seed in 0..SEEDS {
        let mut walk = Walk::new(seed);
        for _ in 0..STEPS {
            walk.step();
        }
        walk.everybody_leaves();
        met.extend(walk.mirror.met);
    }
    let missed: Vec<_> = SIGHTS.into_iter().filter(|sight| !met.contains(*sight)).collect();
    assert!(missed.is_empty(), "the walks never met {missed:?}");
}

struct Walk {
    seed: u64,
    random: Random,
    room: Room,
    now: Instant,
    mirror: Mirror,
    requests: u64,
}

impl Walk {
    fn new(seed: u64) -> Self {
        let mut settings = settings();
        settings.participant_limit = Some(5);
        settings.input_limit = Some(6);
        settings.bounds.publications_per_participant = 3;
        settings.bounds.subscriptions_per_participant = 1 + u32::from(!seed.is_multiple_of(3));
        if seed % 8 == 7 {
            settings.audio_in = [].into();
        }
        let now = Instant::now();
        // A picture without sound, of few places, which shows whoever speaks first.
        let mut silent = view("silent");
        silent.audio = None;
        let picture = settings.views[0].video.as_mut().expect("a picture");
        picture.max_input = 3;
        picture.keep_active_input_primary = seed.is_multiple_of(2);
        settings.views.push(silent);
        if seed % 4 == 1 {
            settings.floor = FloorSettings { founded: seed % 8 == 1, limit: Some(2) };
        } else if seed % 8 == 6 {
            settings = settings.founded(RoomKind::Call, 3);
            settings.participant_limit = Some(5);
            settings.bounds.idle = IDLE;
        }
        settings.auto_mix = seed.is_multiple_of(3);
        if seed.is_multiple_of(2) {
            settings.transcoding = Transcoding::ALL;
        }
        let room = Room::new(now, id(ROOM), settings);
        let mirror = Mirror::default();
        let mut walk = Self { seed, random: Random(seed), room, now, mirror, requests: 0 };
        walk.notice(&Input::Event(Event::MixerDown));
        walk
    }

    fn step(&mut self) {
        self.requests += 1;
        let request = RequestId(self.requests);
        let owned = self.mirror.owned();
        let input = match self.random.below(10) {
            0..=2 => Input::Event(self.event()),
            3 => Input::Manage { request, order: self.order() },
            4 if !owned.is_empty() && self.random.one_in(2) => {
                let (from, session) = self.random.pick(&owned);
                let command = if self.random.one_in(4) {
                    let transport = self.mirror.transport(&session);
                    Command::Negotiate { transport, payload: self.negotiation() }
                } else {
                    self.subscription_control(&session)
                };
                Input::Command { from, request, command }
            }
            5 | 6 if self.seed % 4 == 1 => {
                let command = self.floor_command();
                Input::Command { from: self.participant(), request, command }
            }
            _ => Input::Command { from: self.participant(), request, command: self.command() },
        };
        self.take(&input);
        // Mostly short moments, so that empty rooms close only now and then.
        self.now += if self.random.one_in(50) { IDLE } else { Duration::from_millis(10) };
        if self.room.poll_timeout().is_some_and(|due| due <= self.now) {
            self.room.handle_timeout(self.now);
            self.notice(&input);
        }
    }

    fn take(&mut self, input: &Input) {
        self.mirror.before(input);
        self.room.handle(self.now, input.clone());
        self.notice(input);
        self.mirror.compare(&self.room);
    }

    fn notice(&mut self, input: &Input) {
        while let Some(output) = self.room.poll_output() {
            let Self { seed, requests, .. } = self;
            let context = format!("seed {seed}, request {requests}: {input:?} led to {output:?}");
            let noticed = std::panic::AssertUnwindSafe(|| self.mirror.notice(input, &output));
            if let Err(panic) = std::panic::catch_unwind(noticed) {
                println!("{context}");
                std::panic::resume_unwind(panic);
            }
        }
    }

    fn everybody_leaves(&mut self) {
        for participant in self.mirror.participants() {
            let keep = Duration::ZERO;
            self.take(&Input::Event(Event::ConnectionLost { participant, keep }));
        }
        assert!(self.mirror.sessions().is_empty(), "nothing outlives its owner");
        self.now += IDLE;
        self.room.handle_timeout(self.now);
        assert_eq!(self.room.poll_output(), Some(Output::Effect(Effect::CloseRoom)));
    }

    fn command(&mut self) -> Command {
        match self.random.below(30) {
            0..=2 => {
                let roles = ["presenter", "presenter", "presenter", "viewer", "caller", "king"];
                join(self.random.pick(&roles))
            }
            3 if self.random.one_in(3) => Command::Leave,
            3 | 4 => {
                let to = if self.random.one_in(2) {
                    TextTarget::All
                } else {
                    TextTarget::One(self.participant())
                };
                say(to, self.random.pick(&["hello", "", "far too long to be accepted"]))
            }
            5..=7 => {
                let session = self.session();
                let transport = self.transport(&session);
                publish_on(transport.as_str(), session.as_str(), self.kinds())
            }
            8 => unpublish(self.session().as_str()),
            9..=13 => self.subscription(),
            14 => unsubscribe(self.session().as_str()),
            15 | 16 => {
                let session = self.session();
                let transport = self.transport(&session);
                Command::Negotiate { transport, payload: self.negotiation() }
            }
            17 if self.random.one_in(3) => {
                let session = self.session();
                self.subscription_control(&session)
            }
            17 | 18 => pause(self.session().as_str(), self.tracks()),
            19 => play(self.session().as_str(), self.tracks()),
            20..=22 => mix(self.session().as_str(), self.label()),
            23 => unmix(self.session().as_str(), self.label()),
            24 => get_region(self.session().as_str(), self.label()),
            25 | 26 => set_region(self.session().as_str(), self.label(), self.region()),
            27 if self.random.one_in(2) => broadcast("{}"),
            27 if self.random.one_in(2) => Command::Describe,
            27 => self.floor_command(),
            _ => self.subscription(),
        }
    }

    /// Mostly what somebody does that is in the room and knows the floor.
    fn floor_command(&mut self) -> Command {
        let whom = match self.random.below(3) {
            0 => Whom::User(self.random.pick(&["alice", "bob", "carol"]).into()),
            _ => Whom::One(self.participant()),
        };
        match self.random.below(12) {
            0..=3 => {
                let kind = self.room.settings.kind;
                let user = self.random.pick(&["alice", "bob", "carol"]);
                let role = self.random.pick(&["presenter", "presenter", "viewer"]);
                entering(user, role, kind, self.random.one_in(2))
            }
            4 => Command::Heartbeat,
            5 => sending(self.random.one_in(2), self.random.one_in(2)),
            6 => ask_for_floor(),
            7 | 8 => grant_floor(whom),
            9 if self.random.one_in(2) => deny_floor(whom),
            9 | 10 => kick(whom),
            _ => relay(self.random.one_in(2).then_some(whom)),
        }
    }

    fn order(&mut self) -> Order {
        let stream = self.session().as_str().parse().expect("an id");
        let view = self.label().into();
        match self.random.below(9) {
            0 | 1 => Order::Mix { stream, view },
            2 => Order::Unmix { stream, view },
            3 => {
                let status = self.random.pick(&[TrackStatus::Active, TrackStatus::Inactive]);
                Order::SetStatus { stream, tracks: self.tracks(), status }
            }
            4 => Order::SetLayout { view: self.view(), layout: self.layout() },
            5 | 6 => Order::SetRegion { view: self.view(), index: self.random.below(5), stream },
            7 => Order::SetTemplates { view: self.view(), layouts: self.layouts() },
            _ => Order::Report,
        }
    }

    fn layouts(&mut self) -> LayoutSettings {
        let bases = [TemplateBase::Fluid, TemplateBase::Lecture, TemplateBase::Void];
        let custom = (0..self.random.below(2))
            .map(|_| self.layout().into_iter().map(|placed| placed.region).collect());
        let custom = custom.collect();
        LayoutSettings { base: self.random.pick(&bases), custom }
    }

    /// Some regions, mostly with streams in the first ones, mostly those that are there.
    fn layout(&mut self) -> Vec<PlacedRegion> {
        let side = self.random.pick(&[1, 2]);
        let streams: Vec<_> = (0..self.random.below(3)).map(|_| self.session()).collect();
        let streams: Vec<_> = streams.iter().map(SessionId::as_str).collect();
        let mut layout = grid(side, &streams).to_vec();
        if self.random.one_in(8) {
            layout.reverse();
        }
        layout
    }

    fn label(&mut self) -> &'static str {
        self.random.pick(&["common", "common", "silent", "nonsense"])
    }

    fn region(&mut self) -> &'static str {
        self.random.pick(&["1", "2", "3", "nonsense"])
    }

    /// A mixed stream, mostly.
    fn view(&mut self) -> StreamId {
        let views = [MIXED, MIXED, "room-silent"];
        if self.random.one_in(6) {
            self.session().as_str().parse().expect("an id")
        } else {
            id(self.random.pick(&views))
        }
    }

    fn subscription_control(&mut self, session: &SessionId) -> Command {
        let session = session.as_str();
        match self.random.below(6) {
            0 => pause_own(session, self.tracks()),
            1 => play_own(session, self.tracks()),
            2 => Command::EstimateBandwidth { session: id(session) },
            _ => {
                let (audio, video) = self.kinds();
                let audio = audio.then(|| self.session());
                let video = video.then(|| self.session());
                let text = |from: &Option<SessionId>| from.as_ref().map(ToString::to_string);
                update(session, text(&audio).as_deref(), text(&video).as_deref())
            }
        }
    }

    fn event(&mut self) -> Event {
        let session = self.session();
        match self.random.below(33) {
            0 | 1 => Event::Answered { transport: self.transport(&session), sdp: "v=0".into() },
            2..=4 => Event::Offered { transport: self.transport(&session), sdp: "v=0".into() },
            5..=13 => ready_with(session.as_str(), self.agreed()),
            14 => failed(session.as_str(), "Ice procedure failed."),
            15..=17 => {
                let width = self.random.pick(&[320, 640]);
                measured(session.as_str(), Resolution { width, height: 240 })
            }
            18 if self.random.one_in(3) => Event::Resumed { participant: self.participant() },
            18 => {
                let keep = self.random.pick(&[Duration::ZERO, MOMENT, IDLE]);
                Event::ConnectionLost { participant: self.participant(), keep }
            }
            19 => Event::Drop { participant: self.participant() },
            20 => {
                let encoders = [VP8, VideoFormat::of(VideoCodec::H264)];
                let video = encoders[..self.random.below(3)].to_vec();
                let audio = [AudioCodec::Opus, AudioCodec::Pcmu][..self.random.below(3)].to_vec();
                Event::MixerUp {
                    capabilities: MixerCapabilities {
                        audio_in: audio.clone(),
                        audio,
                        video_in: vec![VideoCodec::Vp8, VideoCodec::H264],
                        video,
                    },
                }
            }
            21 if self.random.one_in(3) => Event::MixerGone,
            21 => Event::MixerDown,
            22 if self.random.one_in(4) => view_failed(self.view().as_str(), "no encoder"),
            23 => Event::MixerListens { listens: self.random.one_in(2) },
            24..=27 => level(session.as_str(), self.random.pick(&[-10, -20, -45, -60, -127])),
            _ => loudest(self.view().as_str(), session.as_str()),
        }
    }

    fn subscription(&mut self) -> Command {
        let session = self.session();
        let transport = self.transport(&session);
        let (audio, video) = self.kinds();
        let audio = audio.then(|| {
            let mut wish = wanted_audio(self.session().as_str());
            if self.random.one_in(4) {
                wish.format = Some(self.random.pick(&[AudioFormat::PCMA, AudioFormat::PCMU]));
            }
            wish
        });
        let video = video.then(|| {
            let mut wish = wanted_video(self.session().as_str());
            if self.random.one_in(4) {
                wish.parameters = VideoParameters {
                    resolution: Some(self.random.pick(&[VGA, QVGA])),
                    ..VideoParameters::default()
                };
            }
            wish
        });
        let offerer = self.random.pick(&[Offerer::Client, Offerer::Client, Offerer::Server]);
        let media = SubscribeMedia { audio, video };
        Command::Subscribe { session, transport, offerer, media }
    }

    /// One of some more participants than the room admits.
    fn participant(&mut self) -> ParticipantId {
        let names = ["alice", "bob", "carol", "dave", "erin", "frank", "grace"];
        id(self.random.pick(&names))
    }

    /// One of those that exist, mostly; otherwise of a few others, or a view.
    fn session(&mut self) -> SessionId {
        let known = self.mirror.sessions();
        match self.random.below(12) {
            0..=6 if !known.is_empty() => self.random.pick(&known),
            0 => id(self.random.pick(&[MIXED, "room-silent"])),
            _ => id(&format!("s{}", self.random.below(30))),
        }
    }

    /// The session's own, mostly; otherwise one of a few that sessions come to share.
    fn transport(&mut self, session: &SessionId) -> TransportId {
        if self.random.one_in(3) {
            id(&format!("pc{}", self.random.below(5)))
        } else {
            session.into()
        }
    }

    fn kinds(&mut self) -> Kinds {
        self.random.pick(&[AUDIO_VIDEO, AUDIO_VIDEO, AUDIO_VIDEO, AUDIO, VIDEO, NEITHER])
    }

    /// What two ends agree on, which seldom is less than what was asked for.
    fn agreed(&mut self) -> Kinds {
        if self.random.one_in(8) { self.kinds() } else { AUDIO_VIDEO }
    }

    fn tracks(&mut self) -> TrackSelection {
        let all = [TrackSelection::Audio, TrackSelection::Video, TrackSelection::AudioAndVideo];
        self.random.pick(&all)
    }

    fn negotiation(&mut self) -> Negotiation {
        let gone = Negotiation::RemovedCandidates(Vec::new());
        let candidate = Negotiation::Candidate("candidate:1".into());
        self.random.pick(&[offer(), Negotiation::Answer("v=0".into()), candidate, gone])
    }
}

/// `SplitMix64`: small, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    fn pick<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }
}

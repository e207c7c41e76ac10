//! The floor: founding a room, coming onto the floor, owning it, being kicked, messages of a call.

use std::sync::Arc;

use super::{scenario::Scenario, words::*};
use crate::{
    formats::{TrackKind, VideoSource},
    room::{
        Command, Effect, FloorView, Joined, MediaPermission, Notification, OwnSession, Permission,
        Profile, PublisherInfo, Rejection, Reply, RoomKind, Sending, Settings, Standing,
        TrackStatus, Whom,
    },
};

const NOTHING: Sending = Sending { audio: false, video: false };
const VIEWER: MediaPermission = MediaPermission { audio: false, video: false };

fn founded(kind: RoomKind) -> impl FnOnce(&mut Settings) {
    founded_for(kind, 3)
}

fn founded_for(kind: RoomKind, publishers: u32) -> impl FnOnce(&mut Settings) {
    move |settings| {
        settings.views.clear();
        *settings = settings.clone().founded(kind, publishers);
    }
}

/// Alice has made a meeting.
fn meeting() -> Scenario {
    let mut room = Scenario::with(founded(RoomKind::Meeting));
    room.prepare("alice", &found("alice", RoomKind::Meeting));
    room
}

/// Alice has made a meeting, and these look on.
fn meeting_with(viewers: &[&str]) -> Scenario {
    let mut room = meeting();
    for who in viewers {
        room.prepare(who, &enter(who, RoomKind::Meeting));
    }
    room
}

fn publisher(who: &str, standing: Standing) -> PublisherInfo {
    PublisherInfo {
        participant: info(who, "presenter"),
        profile: Arc::default(),
        standing,
        sending: Sending::BOTH,
        stream: None,
        tracks: NOTHING,
        screen: false,
        further: false,
    }
}

fn live(who: &str, standing: Standing, stream: &str) -> PublisherInfo {
    PublisherInfo { stream: Some(id(stream)), tracks: Sending::BOTH, ..publisher(who, standing) }
}

fn publishers(list: &[PublisherInfo]) -> Notification {
    Notification::Publishers(list.into())
}

fn relayed(message: &str) -> Notification {
    Notification::Relayed { message: message.into() }
}

fn joined(
    room: &Scenario,
    who: &str,
    standing: Standing,
    publish: MediaPermission,
    list: &[PublisherInfo],
) -> Reply {
    let permission = Permission { publish, ..PRESENTER };
    let floor = FloorView { standing, publishers: list.into(), sessions: Vec::new() };
    let room = room.room.info();
    let participant = info(who, "presenter");
    Reply::Joined(Box::new(Joined { participant, permission, room, floor: Some(floor) }))
}

#[test]
fn whoever_makes_a_room_owns_it_and_others_look_on() {
    let mut room = Scenario::with(founded(RoomKind::Meeting));
    let mut after = Scenario::with(founded(RoomKind::Meeting));
    after.prepare("alice", &found("alice", RoomKind::Meeting));
    let owner = [publisher("alice", Standing::Owner)];
    let all = PRESENTER.publish;
    let welcome = joined(&after, "alice", Standing::Owner, all, &owner);
    room.asks("alice", found("alice", RoomKind::Meeting)).granted(welcome);

    after.prepare("bob", &enter("bob", RoomKind::Meeting));
    let welcome = joined(&after, "bob", Standing::Viewer, VIEWER, &owner);
    room.asks("bob", enter("bob", RoomKind::Meeting))
        .told(&["alice"], came("bob", "presenter"))
        .granted(welcome);
    room.asks("bob", publish("cam", AUDIO_VIDEO)).refused(Rejection::Unauthorized);
}

#[test]
fn a_room_is_made_once_and_not_entered_before() {
    let mut room = Scenario::with(founded(RoomKind::Meeting));
    room.asks("bob", enter("bob", RoomKind::Meeting)).refused(Rejection::NoSuchRoom);
    room.asks("bob", found("bob", RoomKind::Call)).refused(Rejection::RoomExists);
    let viewer = entering("bob", "viewer", RoomKind::Meeting, true);
    room.asks("bob", viewer).refused(Rejection::Unauthorized);
    room.prepare("alice", &found("alice", RoomKind::Meeting));
    room.asks("bob", found("bob", RoomKind::Meeting)).refused(Rejection::RoomExists);
    room.asks("bob", enter("bob", RoomKind::AudioMeeting)).refused(Rejection::WrongKind);
    // It ends with its last participant, and can be made again.
    room.asks("alice", Command::Leave).granted(Reply::Done);
    room.waits(std::time::Duration::ZERO).effect(Effect::CloseRoom);
    room.prepare("bob", &found("bob", RoomKind::Meeting));
}

#[test]
fn a_room_of_another_door_cannot_be_made_and_goes_by_roles() {
    let mut room = Scenario::new();
    room.asks("alice", found("alice", RoomKind::Meeting)).refused(Rejection::RoomExists);
    room.prepare("alice", &enter("alice", RoomKind::Meeting));
    room.prepare("bob", &entering("bob", "viewer", RoomKind::Meeting, false));
    room.prepare("carol", &enter("carol", RoomKind::Meeting));
    let all = [Standing::Owner, Standing::Viewer, Standing::Publisher];
    let standings = ["alice", "bob", "carol"].map(|who| room.room.standing(&id(who)));
    assert_eq!(standings, all);
    // What a role forbids is not the owner's to give.
    room.asks("alice", grant_floor(one("bob"))).refused(Rejection::Unauthorized);
}

#[test]
fn a_viewer_asks_the_owner_who_lets_it_onto_the_floor() {
    let mut room = meeting_with(&["bob", "carol"]);
    room.asks("bob", ask_for_floor()).granted(Reply::Done).told(&["alice"], relayed("please"));
    for who in ["bob", "carol"] {
        room.asks(who, grant_floor(one("bob"))).refused(Rejection::Unauthorized);
        room.asks(who, deny_floor(one("bob"))).refused(Rejection::Unauthorized);
    }
    room.asks("alice", grant_floor(one("nobody"))).refused(Rejection::NoSuchMember);
    room.asks("alice", deny_floor(one("nobody"))).refused(Rejection::NoSuchMember);
    room.asks("alice", deny_floor(one("bob"))).granted(Reply::Done).told(&["bob"], relayed("no"));
    let list = [publisher("alice", Standing::Owner), publisher("bob", Standing::Publisher)];
    room.asks("alice", grant_floor(one("bob")))
        .granted(Reply::Done)
        .told(&["bob"], relayed("come"))
        .told(&["alice", "bob", "carol"], publishers(&list));
    room.asks("bob", ask_for_floor()).refused(Rejection::HasFloor);
    // Said twice, it is heard twice and changes nothing.
    room.asks("alice", grant_floor(one("bob")))
        .granted(Reply::Done)
        .told(&["bob"], relayed("come"));
    room.published("bob", "cam");
}

#[test]
fn an_account_is_let_onto_the_floor_with_all_its_sessions_and_later_ones() {
    let mut room = meeting();
    for session in ["phone", "tablet"] {
        room.prepare(session, &enter("bob", RoomKind::Meeting));
    }
    room.prepare("alice", &grant_floor(Whom::User("bob".into())));
    assert_eq!(room.room.standing(&id("phone")), Standing::Publisher);
    assert_eq!(room.room.standing(&id("tablet")), Standing::Publisher);
    // The floor is full now.
    room.prepare("screen", &enter("bob", RoomKind::Meeting));
    assert_eq!(room.room.standing(&id("screen")), Standing::Viewer);
    room.asks("alice", grant_floor(one("screen"))).refused(Rejection::FloorFull);
    room.prepare("tablet", &Command::Leave);
    room.prepare("tablet", &enter("bob", RoomKind::Meeting));
    assert_eq!(room.room.standing(&id("tablet")), Standing::Publisher);
}

#[test]
fn the_next_oldest_publisher_owns_the_room() {
    let mut room = meeting_with(&["bob", "carol"]);
    room.prepare("alice", &grant_floor(one("carol")));
    room.prepare("alice", &grant_floor(one("bob")));
    let list = [publisher("carol", Standing::Owner), publisher("bob", Standing::Publisher)];
    room.asks("alice", Command::Leave)
        .granted(Reply::Done)
        .told(&["bob", "carol"], left("alice"))
        .told(&["bob", "carol"], publishers(&list));
    room.asks("bob", kick(one("carol"))).refused(Rejection::Unauthorized);
    room.prepare("carol", &Command::Leave);
    room.prepare("bob", &Command::Leave);
    room.prepare("dave", &found("dave", RoomKind::Meeting));
    assert_eq!(room.room.standing(&id("dave")), Standing::Owner);
}

#[test]
fn a_wish_for_the_floor_without_an_owner_is_heard_by_nobody() {
    let mut room = meeting_with(&["bob"]);
    room.prepare("alice", &Command::Leave);
    room.asks("bob", ask_for_floor()).granted(Reply::Done);
}

#[test]
fn the_list_says_what_flows() {
    let mut room = meeting_with(&["bob"]);
    room.publishing("alice", "cam");
    let up = live("alice", Standing::Owner, "cam");
    room.happens(ready("cam"))
        .told(&["alice"], session_ready("cam"))
        .told(&["alice", "bob"], added(stream("cam", "alice", AUDIO_VIDEO)))
        .told(&["alice", "bob"], publishers(std::slice::from_ref(&up)));
    let dark = Sending { audio: true, video: false };
    let muted = PublisherInfo { sending: dark, ..up.clone() };
    room.asks("alice", sending(true, false))
        .granted(Reply::Done)
        .effect(stops("cam", TrackKind::Video))
        .told(&["alice", "bob"], status("cam", TrackKind::Video, TrackStatus::Inactive))
        .told(&["alice", "bob"], publishers(&[muted]));
    room.asks("alice", sending(true, false)).granted(Reply::Done);
    room.asks("alice", sending(true, true))
        .granted(Reply::Done)
        .effect(resumes("cam", TrackKind::Video))
        .told(&["alice", "bob"], status("cam", TrackKind::Video, TrackStatus::Active))
        .told(&["alice", "bob"], publishers(&[up]));
    room.asks("bob", sending(true, true)).refused(Rejection::Unauthorized);
    room.asks("alice", unpublish("cam"))
        .granted(Reply::Done)
        .effect(closes("cam"))
        .told(&["alice", "bob"], removed("cam"))
        .told(&["alice", "bob"], publishers(&[publisher("alice", Standing::Owner)]));
}

#[test]
fn those_of_other_doors_have_the_floor_while_they_publish() {
    let mut room = Scenario::with(founded_for(RoomKind::Meeting, 2));
    room.prepare("alice", &found("alice", RoomKind::Meeting));
    room.joined(&["olga", "paul"]);
    room.publishing("olga", "o-cam");
    // The place is taken from when the publication starts.
    room.asks("paul", publish("p-cam", AUDIO)).refused(Rejection::TooManyInputs);
    let mine = publisher("alice", Standing::Owner);
    let hers = live("olga", Standing::Publisher, "o-cam");
    room.happens(ready("o-cam"))
        .told(&["olga"], session_ready("o-cam"))
        .told(&["alice", "olga", "paul"], added(stream("o-cam", "olga", AUDIO_VIDEO)))
        .told(&["alice"], publishers(&[mine.clone(), hers.clone()]));
    room.publishing("olga", "o-screen");
    let further = PublisherInfo { stream: Some(id("o-screen")), further: true, ..hers };
    room.happened(ready("o-screen"));
    let list = room.room.list_publishers();
    assert_eq!(list[2], further);
    room.prepare("olga", &unpublish("o-cam"));
    room.asks("paul", publish("p-cam", AUDIO)).refused(Rejection::TooManyInputs);
    room.prepare("olga", &unpublish("o-screen"));
    room.publishing("paul", "p-cam");
    assert!(!room.room.floor.has(&id("olga")));
}

#[test]
fn a_screen_is_listed_as_one() {
    let mut room = meeting();
    let Command::Publish { session, transport, mut media, attributes } = publish("cam", VIDEO)
    else {
        panic!("a publication");
    };
    media.video.as_mut().expect("a picture").source = Some(VideoSource::ScreenCast);
    room.prepare("alice", &Command::Publish { session, transport, media, attributes });
    room.happened(ready_with("cam", VIDEO));
    let list = room.room.list_publishers();
    assert!(list[0].screen);
    assert_eq!(list[0].sending, Sending { audio: false, video: true });
    assert_eq!(list[0].tracks, Sending { audio: false, video: true });
}

#[test]
fn kicks_spare_the_owner_and_need_the_floor() {
    let mut room = meeting_with(&["bob", "carol"]);
    room.joined(&["olga"]);
    room.asks("bob", kick(one("carol"))).refused(Rejection::Unauthorized);
    room.prepare("alice", &grant_floor(one("bob")));
    room.asks("bob", kick(one("alice"))).refused(Rejection::Unauthorized);
    room.asks("bob", kick(one("nobody"))).granted(Reply::Done);
    room.asks("bob", kick(one("carol")))
        .granted(Reply::Done)
        .told(&["carol"], Notification::Kicked { message: "out".into() })
        .effect(Effect::Disconnect { participant: id("carol") })
        .told(&["alice", "bob", "olga"], left("carol"));
    // Who came by another door is removed as by an administrator.
    room.asks("bob", kick(Whom::User("olga".into())))
        .granted(Reply::Done)
        .told(&["olga"], Notification::Dropped)
        .effect(Effect::Disconnect { participant: id("olga") })
        .told(&["alice", "bob"], left("olga"));
    room.publishing("bob", "cam");
    room.asks("alice", kick(one("bob")))
        .granted(Reply::Done)
        .told(&["bob"], Notification::Kicked { message: "out".into() })
        .effect(Effect::Disconnect { participant: id("bob") })
        .told(&["alice"], left("bob"))
        .effect(closes("cam"))
        .told(&["alice"], publishers(&[publisher("alice", Standing::Owner)]));
}

#[test]
fn a_call_is_between_two_who_send_each_other_messages() {
    let mut room = Scenario::with(founded(RoomKind::Call));
    room.prepare("alice", &found("alice", RoomKind::Call));
    room.asks("alice", relay(None)).refused(Rejection::NoSuchMember);
    room.asks("alice", relay(Some(one("alice")))).refused(Rejection::NoSuchMember);
    room.prepare("bob", &enter("bob", RoomKind::Call));
    assert_eq!(room.room.standing(&id("bob")), Standing::Publisher);
    for to in [None, Some(one("bob")), Some(Whom::User("bob".into()))] {
        room.asks("alice", relay(to)).granted(Reply::Done).told(&["bob"], relayed("hi"));
    }
    room.asks("carol", enter("carol", RoomKind::Call)).refused(Rejection::RoomFull);
    room.asks("alice", publish("cam", AUDIO)).refused(Rejection::AudioForbidden);
    room.asks("alice", kick(one("bob"))).refused(Rejection::WrongKind);
    room.asks("bob", ask_for_floor()).refused(Rejection::WrongKind);
    room.asks("alice", grant_floor(one("bob"))).refused(Rejection::WrongKind);
    let mut list = [publisher("alice", Standing::Owner), publisher("bob", Standing::Publisher)];
    list[1].sending.video = false;
    room.asks("bob", sending(true, false))
        .granted(Reply::Done)
        .told(&["alice", "bob"], publishers(&list));
}

#[test]
fn a_broadcast_has_one_publisher() {
    let mut room = Scenario::with(founded(RoomKind::Broadcast));
    room.prepare("alice", &found("alice", RoomKind::Broadcast));
    room.prepare("bob", &enter("bob", RoomKind::Broadcast));
    assert_eq!(room.room.standing(&id("bob")), Standing::Viewer);
    room.asks("bob", ask_for_floor()).refused(Rejection::WrongKind);
    room.asks("alice", relay(None)).refused(Rejection::WrongKind);
    room.asks("alice", publish("cam", VIDEO)).refused(Rejection::VideoForbidden);
    room.prepare("alice", &kick(one("bob")));
}

#[test]
fn an_audio_meeting_has_no_pictures() {
    let mut room = Scenario::with(founded(RoomKind::AudioMeeting));
    room.prepare("alice", &found("alice", RoomKind::AudioMeeting));
    let list = room.room.list_publishers();
    assert_eq!(list[0].sending, Sending { audio: true, video: false });
    room.asks("alice", publish("cam", AUDIO_VIDEO)).refused(Rejection::Unauthorized);
    room.prepare("alice", &publish("mic", AUDIO));
}

#[test]
fn whoever_knows_the_floor_takes_its_own_place_again() {
    let mut room = meeting_with(&["bob"]);
    room.published("alice", "cam");
    room.subscribing("bob", "sub", "cam");
    room.happened(ready("sub"));
    room.happened(lost_for("bob", HEARTBEAT));
    let list = [live("alice", Standing::Owner, "cam")];
    let mut welcome = joined(&room, "bob", Standing::Viewer, VIEWER, &list);
    let Reply::Joined(reply) = &mut welcome else { panic!("a welcome") };
    reply.floor.as_mut().expect("a view").sessions = vec![OwnSession {
        id: id("sub"),
        transport: id("sub"),
        from: Some(id("cam")),
        ready: true,
    }];
    room.asks("bob", enter("bob", RoomKind::Meeting)).granted(welcome);
    // Nobody else does, nor anybody in a place whose owner does not know the floor.
    room.asks("bob", enter("mallory", RoomKind::Meeting)).refused(Rejection::AlreadyJoined);
    room.asks("bob", join_as("bob", "presenter")).refused(Rejection::AlreadyJoined);
    room.asks("bob", enter("bob", RoomKind::Call)).refused(Rejection::WrongKind);
    room.joined(&["olga"]);
    room.asks("olga", enter("olga", RoomKind::Meeting)).refused(Rejection::AlreadyJoined);
    // The owner's second attempt to make the room is as good as coming again.
    let Command::Join { user, role, mut manner } = found("alice", RoomKind::Meeting) else {
        panic!("a join");
    };
    let name: Arc<str> = "Alice".into();
    manner.profile = Profile { name: Some(Arc::clone(&name)), ..Profile::default() };
    room.prepare("alice", &Command::Join { user, role, manner });
    assert_eq!(room.room.list_publishers()[0].profile.name, Some(name));
}

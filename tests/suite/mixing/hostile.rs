//! Whoever means no good: media that nobody can decode, and requests that make no sense. The others
//! see and hear each other as before, by the same agent.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};

use super::{
    changes::{circles, grid, watched},
    clip::{Clip, Player},
    meeting::{Actor, BACKGROUND, Meeting, PICTURE, colour, tone},
    scene::{Outline, Scene},
    stage::agents,
};
use crate::support::{
    guest::{Guest, Session},
    media_peer::Codec,
};

/// Reproducible nonsense.
struct Noise(u64);

impl Noise {
    fn byte(&mut self) -> u8 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 56) as u8
    }

    /// Something of any content and length instead of a payload.
    fn replace(&mut self) -> Vec<u8> {
        let length = 1 + usize::from(self.byte()) * 4;
        (0..length).map(|_| self.byte()).collect()
    }

    /// A payload with some bytes of its own and some that are not: it gets deeper into decoders.
    fn damage(&mut self, payload: &[u8]) -> Vec<u8> {
        let mut payload = payload.to_vec();
        for byte in &mut payload {
            if self.byte() < 12 {
                *byte = self.byte();
            }
        }
        payload
    }
}

/// Somebody who is mixed and sends what nobody can decode.
struct Attacker {
    guest: Guest,
    session: Session,
    _playing: [Player; 2],
}

impl Attacker {
    async fn join(meeting: &Meeting, codec: Codec, media: [Arc<Clip>; 2]) -> Self {
        let mut guest = meeting.guest("mallory").await;
        let (session, mut sources) = guest.publish(&[Codec::OPUS, codec]).await;
        let [sound, picture] = media;
        let picture = Player::start(sources.pop().expect("video"), picture);
        let sound = Player::start(sources.pop().expect("audio"), sound);
        let mix = json!({"id": session.id, "operation": "mix", "data": "common"});
        guest.client.granted("stream-control", &mix).await;
        Self { guest, session, _playing: [picture, sound] }
    }

    async fn leave(mut self) {
        drop(self._playing);
        self.guest.client.granted("logout", &Value::Null).await;
        self.session.peer.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn media_that_nobody_can_decode_hurt_nobody_else() {
    let (meeting, _actors, mut watcher) = watched(2).await;
    let mut ear = meeting.guest("ear").await;
    let mut listener = meeting.listener(&mut ear).await;
    let agent = agents();
    let vp8 = Clip::colour(colour(9), PICTURE).await;
    let h264 = Clip::colour_h264(colour(9), PICTURE).await;
    let opus = Clip::tone(tone(9)).await;
    let mut noise = Noise(7);
    let mut attackers = Vec::new();
    for (codec, picture) in [(Codec::VP8, &vp8), (Codec::H264, &h264)] {
        let nonsense = [&opus, picture].map(|clip| clip.edited(|_| noise.replace()));
        attackers.push(Attacker::join(&meeting, codec, nonsense).await);
        let damaged = [&opus, picture].map(|clip| clip.edited(|payload| noise.damage(payload)));
        attackers.push(Attacker::join(&meeting, codec, damaged).await);
    }
    // What the attackers' regions show is their matter.
    let all = grid(&[colour(0), colour(1), BACKGROUND, BACKGROUND, BACKGROUND, BACKGROUND]);
    let good = Scene::new(BACKGROUND, all.regions[..2].to_vec());
    watcher.until_shows("the others among attackers", &good).await;
    watcher.steady("the others among attackers", &good, Duration::from_secs(4)).await;
    listener.until("the listener among attackers", &[tone(0), tone(1)], &[]).await;
    for attacker in attackers {
        attacker.leave().await;
    }
    let alone = grid(&[colour(0), colour(1)]);
    watcher.until_shows("the others alone", &alone).await;
    listener.until("the listener", &[tone(0), tone(1)], &[tone(9)]).await;
    watcher.in_time_throughout().await;
    assert_eq!(agents(), agent, "it is still the same agent");
}

/// Requests about views and layouts, each with what is wrong with it.
async fn ask_for_nonsense(meeting: &Meeting, actor: &mut Actor) {
    let stream = actor.id().to_owned();
    let (forward, mixed) = (meeting.stream(&stream), meeting.stream(&meeting.view()));
    let area = |left: &str, top: &str, width: &str, height: &str| json!({"left": left, "top": top, "width": width, "height": height});
    let seat = |id: &str, area: &Value| json!({"stream": stream, "region": {"id": id, "shape": "rectangle", "area": area}});
    let whole = area("0", "0", "1", "1");
    let empty = |id: &str| json!({"region": {"id": id, "shape": "rectangle", "area": whole}});
    let layout = |seats: Value| json!([{"op": "replace", "path": "/info/layout", "value": seats}]);
    let round = |radius: &str| {
        let area = json!({"centerW": "1/2", "centerH": "1/2", "radius": radius});
        json!([{"region": {"id": "a", "shape": "circle", "area": area}}])
    };
    let mix = |view: &str| json!([{"op": "add", "path": "/info/inViews", "value": view}]);
    let many: Vec<Value> = (0..1000).map(|number| empty(&number.to_string())).collect();
    for (path, patch, code, message) in [
        (&mixed, layout(json!([empty("a"), empty("a")])), 1201, "Invalid region"),
        (&mixed, layout(json!([seat("a", &area("0", "0", "3/2", "1"))])), 1201, "Invalid region"),
        (&mixed, layout(json!([seat("a", &area("-1/2", "0", "1", "1"))])), 1201, "Invalid region"),
        (&mixed, layout(json!([seat("a", &area("0", "1.5", "1", "1"))])), 1201, "Invalid region"),
        (&mixed, layout(json!([seat("a", &area("0", "0", "1/0", "1"))])), 1201, "Invalid region"),
        (&mixed, layout(json!([seat("a", &area("0", "0", "1", "0/0"))])), 1201, "Invalid region"),
        (&mixed, layout(round("2/1")), 1201, "Invalid region"),
        (&mixed, layout(round("1/0")), 1201, "Invalid region"),
        (&mixed, layout(json!(many)), 1201, "Invalid region"),
        (&forward, mix("nowhere"), 1201, "Invalid view"),
    ] {
        let told = meeting.back_end.patch(path, patch.clone()).await.refused(400, code);
        assert_eq!(told, message, "{patch}");
    }
    let many: Vec<Value> = (0..10_000).map(|number| empty(&number.to_string())).collect();
    let patch = layout(json!(many));
    meeting.back_end.patch(&mixed, patch).await.refused(413, 1201);
    let nobodys = meeting.stream("nobodys");
    meeting.back_end.patch(&nobodys, mix("common")).await.refused(404, 1004);

    for (operation, id, data, message) in [
        ("mix", &*stream, json!("nowhere"), "Invalid view"),
        ("mix", "nobodys", json!("common"), "Stream does NOT exist"),
        ("unmix", &*stream, json!("nowhere"), "Invalid view"),
        ("get-region", &*stream, json!("nowhere"), "Invalid view"),
        ("set-region", &*stream, json!({"view": "nowhere", "region": "1"}), "Invalid view"),
        (
            "set-region",
            &*stream,
            json!({"view": "common", "region": "nowhere"}),
            "Invalid region_id.",
        ),
    ] {
        let request = json!({"id": id, "operation": operation, "data": data});
        let told = actor.guest.client.refused("stream-control", &request).await;
        assert_eq!(told, message, "{request}");
    }
}

/// Wishes for more than the room offers.
async fn wish_for_too_much(meeting: &Meeting, guest: &mut Guest) {
    let view = meeting.view();
    for (video, message) in [
        (json!({"parameters": {"resolution": {"width": 1920, "height": 1080}}}), "Resolution"),
        (json!({"parameters": {"resolution": {"width": 636, "height": 360}}}), "Resolution"),
        (json!({"parameters": {"framerate": 60}}), "Framerate"),
        (json!({"parameters": {"framerate": 13}}), "Framerate"),
        (json!({"parameters": {"bitrate": "x5.0"}}), "Bitrate"),
        (json!({"parameters": {"bitrate": 100_000}}), "Bitrate"),
        (json!({"parameters": {"keyFrameInterval": 3}}), "KeyFrameInterval"),
        (json!({"format": {"codec": "av1"}}), "Format"),
        (json!({"format": {"codec": "av2"}}), "Format"),
        (json!({"simulcastRid": "q"}), "Simulcast RID"),
    ] {
        let mut video = video;
        video["from"] = json!(view);
        let request = json!({"media": {"audio": false, "video": video}});
        let told = guest.client.refused("subscribe", &request).await;
        assert!(told.ends_with(&format!("{message} is not acceptable")), "{request}: {told}");
    }
    let audio = json!({"from": view, "format": {"codec": "isac"}});
    let request = json!({"media": {"audio": audio, "video": false}});
    let told = guest.client.refused("subscribe", &request).await;
    assert!(told.ends_with("Format is not acceptable"), "{told}");
    for from in [format!("{}-nowhere", meeting.room), "nobodys".into()] {
        let request = json!({"media": {"audio": false, "video": {"from": from}}});
        guest.client.refused("subscribe", &request).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_make_no_sense_change_no_picture() {
    let (meeting, mut actors, mut watcher) = watched(4).await;
    let agent = agents();
    let streams = [0, 1, 2, 3].map(|at: usize| actors[at].id().to_owned());
    meeting.lay_out(circles(streams.each_ref().map(String::as_str))).await;
    let outlines = super::changes::round([0, 1, 2, 3].map(colour));
    watcher.until_shows("circles", &outlines).await;
    let mark = watcher.mark();
    ask_for_nonsense(&meeting, &mut actors[0]).await;
    let mut guest = meeting.guest("wishes").await;
    wish_for_too_much(&meeting, &mut guest).await;
    watcher.steady("the same picture", &outlines, Duration::from_secs(2)).await;
    watcher.in_time("among nonsense", mark).await;
    assert_eq!(agents(), agent, "it is still the same agent");
    // What sticks out of the picture is cut off; that is no error.
    let area = json!({"left": "1/2", "top": "1/2", "width": "1", "height": "1"});
    let region = json!({"id": "a", "shape": "rectangle", "area": area});
    meeting.lay_out(json!([{"stream": streams[2], "region": region}])).await;
    let quarter = Outline::cell(1, 1, 1, 2);
    let scene = Scene::new(BACKGROUND, vec![(quarter, colour(2))]);
    watcher.until_shows("a region that sticks out", &scene).await;
}

//! What packagers upload is what players get, in time and in bounds.

use std::time::{Duration, Instant};

use portico::config::Playback;
use serde_json::json;

use super::{
    client::{Answer, PARTS, Show, bytes, part, send, signal, variant},
    conformance::{Multivariant, Playlist},
};
use crate::support::server::TestServer;

/// A player at the live edge: asks for part after part, each before it is there.
async fn follow(show: &Show, from: u64, until: u64) -> usize {
    let mut seen: Option<Playlist> = None;
    let mut parts = 0;
    for msn in from..until {
        for index in 0..PARTS {
            let answer = show.playlist(&format!("?_HLS_msn={msn}&_HLS_part={index}")).await;
            let playlist = Playlist::read(&answer.text());
            let reached = playlist.next() > msn || playlist.growing.len() as u64 > index;
            assert!(reached, "answered before part {index} of {msn} was there: {playlist:?}");
            if let Some(before) = &seen {
                before.precedes(&playlist);
            }
            let epoch = playlist.hint.as_deref().and_then(|hint| hint.split('-').next());
            let file = format!("variant/v/{}-{msn}.{index}.m4s", epoch.expect("a hint"));
            let got = show.get(&file).await;
            assert_eq!(got.text(), bytes(msn, index));
            parts += 1;
            seen = Some(playlist);
        }
    }
    parts
}

#[tokio::test]
async fn a_player_gets_each_part_as_it_comes() {
    let server = TestServer::start().await;
    let show = Show::begun(&server).await;
    show.segments(40..41).await;
    let (parts, ()) = tokio::join!(follow(&show, 40, 60), show.segments(41..61));
    assert_eq!(parts as u64, 20 * PARTS);

    let playlist = Playlist::read(&show.playlist("").await.text());
    let last = playlist.segments.last().expect("a segment");
    let got = show.get(&format!("variant/v/{}", last.uri)).await;
    let whole: String = (0..PARTS).map(|index| bytes(59, index)).collect();
    assert_eq!(got.text(), whole, "a segment is its parts");
    assert_eq!(got.header("content-type"), Some("video/mp4"));
    assert_eq!(got.header("cache-control"), Some("public, max-age=3600, immutable"));
    let map = last.map.as_deref().expect("a map");
    assert_eq!(show.get(&format!("variant/v/{map}")).await.text(), "init");
}

#[tokio::test]
async fn the_multivariant_playlist_leads_to_all_tracks() {
    let server = TestServer::start().await;
    let show = Show::begun(&server).await;
    show.get("playlist.m3u8").await.refused(404);
    show.segments(0..2).await;
    let rendition = json!({"rendition": {
        "id": "r", "type": "AUDIO", "groupId": "sound", "name": "main", "language": "en",
        "isDefault": true, "autoSelect": true, "targetDuration": "1", "targetPartDuration": "0.25",
    }, "segment": {"map": {"id": "a", "data": "aW5pdA=="}}});
    show.signal("updateRendition", rendition).await.text();
    let mut payload = variant("v");
    payload["variant"]["audio"] = json!("sound");
    show.signal("updateVariant", payload).await.text();
    let sound = json!({"rendition": {"id": "r"}});
    for msn in 0..2 {
        for index in 0..PARTS {
            show.signal("updatePart", part(sound.clone(), msn, index)).await.text();
        }
    }
    show.signal("updatePart", part(sound, 2, 0)).await.text();

    let answer = show.get("playlist.m3u8").await;
    assert_eq!(answer.header("content-type"), Some("application/vnd.apple.mpegurl"));
    assert_eq!(answer.header("cache-control"), Some("no-cache"));
    let master = Multivariant::read(&answer.text());
    let [(variant, uri)] = &master.variants[..] else { panic!("{master:?}") };
    assert_eq!(variant["CODECS"], "avc1.42c01f,mp4a.40.2");
    assert_eq!(uri, "variant/v/playlist.m3u8");
    let [rendition] = &master.renditions[..] else { panic!("{master:?}") };
    assert_eq!(rendition["URI"], "rendition/r/playlist.m3u8");
    assert_eq!((&*rendition["DEFAULT"], &*rendition["LANGUAGE"]), ("YES", "en"));

    let video = Playlist::read(&show.playlist("").await.text());
    let [report] = &video.reports[..] else { panic!("{video:?}") };
    assert_eq!(report["URI"], "../../rendition/r/playlist.m3u8");
    assert_eq!((&*report["LAST-MSN"], &*report["LAST-PART"]), ("2", "0"));
    let sound = Playlist::read(&show.get("rendition/r/playlist.m3u8").await.text());
    assert_eq!(sound.reports[0]["LAST-MSN"], "1");
}

#[tokio::test]
async fn queries_are_answered_at_once_later_or_not_at_all() {
    let server = TestServer::start().await;
    let show = Show::begun(&server).await;
    show.segments(0..20).await;
    for at_once in
        ["", "?_HLS_msn=3", "?_HLS_msn=19&_HLS_part=3", "?_HLS_part_x=1", "?_HLS_skip=NO"]
    {
        let playlist = Playlist::read(&show.playlist(at_once).await.text());
        assert_eq!((playlist.next(), playlist.skipped), (19, 0), "{at_once}");
    }
    for wrong in [
        "?_HLS_msn=22",
        "?_HLS_msn=22&_HLS_part=0",
        "?_HLS_msn=20&_HLS_part=40",
        "?_HLS_part=1",
        "?_HLS_msn=x",
        "?_HLS_msn=-1",
        "?_HLS_msn=1&_HLS_part=1.5",
        "?_HLS_msn=99999999999999999999",
    ] {
        show.playlist(wrong).await.refused(400);
    }
    show.get("variant/w/playlist.m3u8").await.refused(404);
    show.get("rendition/v/playlist.m3u8").await.refused(404);

    let full = Playlist::read(&show.playlist("").await.text());
    for skip in ["?_HLS_skip=YES", "?_HLS_skip=v2", "?_HLS_msn=19&_HLS_part=3&_HLS_skip=YES"] {
        let delta = Playlist::read(&show.playlist(skip).await.text());
        assert_eq!(delta.first, full.first, "{skip}");
        // One-second segments; beside the growing one, those are told that ended up to 6 s ago.
        assert_eq!(delta.segments.len() as u64 + delta.skipped, full.segments.len() as u64);
        assert_eq!(delta.skipped, 6, "{skip}");
        assert_eq!(delta.segments[..], full.segments[6..], "{skip}");
    }

    let start = Instant::now();
    let (whole, ()) = tokio::join!(show.playlist("?_HLS_msn=19"), async {
        show.part(20, 0).await.text();
    });
    assert_eq!(Playlist::read(&whole.text()).next(), 20);
    show.playlist("?_HLS_msn=21").await.refused(503);
    assert!(start.elapsed() >= Duration::from_secs(3), "three target durations are waited for");
}

#[tokio::test]
async fn a_hinted_part_is_sent_when_it_comes() {
    let server = TestServer::start().await;
    let show = Show::begun(&server).await;
    show.segments(0..2).await;
    let hint = Playlist::read(&show.playlist("").await.text()).hint.expect("a hint");
    assert!(hint.ends_with("-2.0.m4s"), "{hint}");
    let path = format!("variant/v/{hint}");
    let (hinted, ()) = tokio::join!(show.get(&path), async { drop(show.part(2, 0).await) });
    assert_eq!(hinted.text(), bytes(2, 0));
    // A fifth part of segment 1 will never be, since segment 2 has begun.
    show.get(&path.replace("-2.0.", "-1.4.")).await.refused(404);
    let hint = Playlist::read(&show.playlist("").await.text()).hint.expect("a hint");
    let wrong = format!("variant/v/{hint}");
    let (missed, ()) = tokio::join!(show.get(&wrong), async { drop(show.part(3, 0).await) });
    missed.refused(404);
    show.get(&path.replace("-2.0.", "-9.0.")).await.refused(404);
    let other_epoch = path.replace("variant/v/", "variant/v/1");
    show.get(&other_epoch).await.refused(404);
}

#[tokio::test]
async fn texts_are_small_and_open_to_pages_of_others() {
    let server = TestServer::start().await;
    let show = Show::begun(&server).await;
    show.segments(0..10).await;
    let path = "/live/ann/show/variant/v/playlist.m3u8";
    let ask = async |headers: &[(&str, &str)]| send(show.address, "GET", path, headers, b"").await;
    let plain = ask(&[]).await;
    assert_eq!(plain.header("content-encoding"), None);
    for accepts in ["gzip", "br;q=1.0, gzip;q=0.5", "deflate, GZIP"] {
        let packed = ask(&[("Accept-Encoding", accepts)]).await;
        assert_eq!(packed.header("content-encoding"), Some("gzip"), "{accepts}");
        assert!(packed.header("vary").is_some_and(|vary| vary.contains("accept-encoding")));
        assert!(packed.body.len() * 3 < plain.body.len(), "{} bytes", packed.body.len());
        assert_eq!(packed.text(), plain.text());
    }
    for refuses in ["gzip;q=0", "br", "gzipped"] {
        let answer = ask(&[("Accept-Encoding", refuses)]).await;
        assert_eq!(answer.header("content-encoding"), None, "{refuses}");
    }
    let origin = [("Origin", "https://example.org")];
    let answer = ask(&origin).await;
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://example.org"));
    let waited = format!("{path}?_HLS_msn=1");
    let waited = send(show.address, "GET", &waited, &origin, b"").await;
    assert_eq!(waited.header("cache-control"), Some("public, max-age=1"));
    let preflight = [
        ("Origin", "https://example.org"),
        ("Access-Control-Request-Method", "POST"),
        ("Access-Control-Request-Headers", "authorization,content-type"),
    ];
    let answer = send(show.address, "OPTIONS", "/live/ann/show", &preflight, b"").await;
    let allowed = answer.header("access-control-allow-headers").expect("headers");
    assert!(allowed.contains("authorization") && allowed.contains("content-type"), "{allowed}");
    assert!(answer.header("access-control-allow-methods").expect("methods").contains("POST"));
}

#[tokio::test]
async fn plain_packagers_put_files() {
    let server = TestServer::start().await;
    let show = Show::new(&server).await;
    show.put("variant/v/0.m4s?duration=1", b"x").await.refused(404);
    let described = "targetDuration=1&targetPartDuration=0.5&codecs=avc1.42c01f&bandwidth=1000";
    show.put(&format!("variant/v/init.mp4?{described}"), b"init").await.text();
    let time = "programDateTime=2026-01-02T03:04:05.678Z";
    show.put(&format!("variant/v/5.m4s?duration=0.96&{time}"), b"whole").await.text();
    show.put("variant/v/6.0.m4s?duration=0.5&independent=1", b"first").await.text();
    show.put("variant/v/6.1.m4s?duration=0.48", b"second").await.text();
    show.put("variant/v/7.0.m4s?duration=0.5&gap=1", b"").await.text();
    let playlist = Playlist::read(&show.playlist("").await.text());
    let [whole, parts] = &playlist.segments[..] else { panic!("{playlist:?}") };
    assert_eq!(whole.program_date_time.as_deref(), Some("2026-01-02T03:04:05.678Z"));
    assert_eq!(show.get(&format!("variant/v/{}", whole.uri)).await.text(), "whole");
    assert_eq!(show.get(&format!("variant/v/{}", parts.uri)).await.text(), "firstsecond");
    assert!(parts.parts[0].independent && !parts.parts[1].independent);
    assert!(playlist.growing[0].gap);
    let refused = show.put("variant/v/7.3.m4s?duration=0.5", b"x").await.refused(409);
    assert!(refused.contains("part 1 of segment 7"), "{refused}");
    for (wrong, status) in [
        ("variant/v/8.m4s", 400),
        ("variant/v/8.m4s?duration=long", 400),
        ("variant/v/8.m4s?duration=1&discontinuity=maybe", 400),
        ("variant/v/x.m4s?duration=1", 404),
        ("variants/v/8.m4s?duration=1", 404),
        ("variant/w/8.m4s?duration=1", 404),
    ] {
        show.put(wrong, b"x").await.refused(status);
    }

    let (waiting, ended) = tokio::join!(show.playlist("?_HLS_msn=8"), show.end());
    assert_eq!(ended.status, 204);
    assert!(Playlist::read(&waiting.text()).ended, "who waits is told");
    show.put("variant/v/8.m4s?duration=1", b"x").await.refused(409);
    show.put(&format!("variant/v/init.mp4?{described}"), b"init").await.text();
    show.put("variant/v/0.m4s?duration=1", b"again").await.text();
    let playlist = Playlist::read(&show.playlist("").await.text());
    assert_eq!((playlist.first, playlist.segments.len()), (0, 1), "a new broadcast");
    assert_ne!(playlist.segments[0].uri.split('-').next(), whole.uri.split('-').next());
}

#[tokio::test]
async fn memory_is_bounded_and_old_segments_go() {
    let server = TestServer::with(|config| {
        config.rooms.create_on_join = true;
        config.live.segments = 4;
        config.live.max_stream_bytes = 40_000;
        config.live.max_piece_bytes = 4096;
        config.live.max_bytes = 60_000;
        config.live.max_streams = 2;
    })
    .await;
    let show = Show::new(&server).await;
    let described = "targetDuration=1&codecs=avc1.42c01f";
    show.put(&format!("variant/v/init.mp4?{described}"), b"init").await.text();
    let segment = [7; 4000];
    let mut most = 0;
    for msn in 0..40 {
        show.put(&format!("variant/v/{msn}.m4s?duration=1"), &segment).await.text();
        most = most.max(server.server().live().count().1);
    }
    assert!((16_000..=40_000).contains(&most), "{most}");
    let playlist = Playlist::read(&show.playlist("").await.text());
    assert_eq!((playlist.first, playlist.segments.len()), (36, 4));
    let epoch = playlist.segments[0].uri.split('-').next().expect("an epoch");
    let status = async |msn| show.get(&format!("variant/v/{epoch}-{msn}.m4s")).await.status;
    assert_eq!((status(0).await, status(31).await, status(32).await), (404, 404, 200));
    let large = show.put("variant/v/40.m4s?duration=1", &[7; 5000]).await;
    assert!(large.refused(413).contains("4096"), "{large:?}");

    // The second broadcast has what the first leaves, and players of both keep three segments.
    let token = server.token("studio", "bob", "presenter").await;
    let bearer = format!("Bearer {token}");
    let put = async |stream: &str, file: &str, body: &[u8]| -> Answer {
        let path = format!("/live/bob/{stream}/variant/v/{file}");
        send(show.address, "PUT", &path, &[("Authorization", &bearer)], body).await
    };
    put("one", &format!("init.mp4?{described}"), b"init").await.text();
    for msn in 0..20 {
        put("one", &format!("{msn}.m4s?duration=1"), &segment).await.text();
        assert!(server.server().live().count().1 <= 60_000);
    }
    // A token serves one broadcast.
    put("two", &format!("init.mp4?{described}"), b"init").await.refused(401);
    let token = server.token("studio", "cy", "presenter").await;
    let path = format!("/live/cy/two/variant/v/init.mp4?{described}&token={token}");
    let third = send(show.address, "PUT", &path, &[], b"init").await;
    assert!(third.refused(503).contains("2 broadcasts"), "{third:?}");
}

#[tokio::test]
async fn only_publishers_upload_and_only_their_own() {
    let server = TestServer::start().await;
    let show = Show::new(&server).await;
    let begin = signal("updateVariant", variant("v")).to_string();
    for (user, role, status) in [("eve", "presenter", 403), ("ann", "audio_only_viewer", 403)] {
        let token = server.token("studio", user, role).await;
        show.post_as(&token, &begin).await.refused(status);
    }
    show.post_as("nonsense", &begin).await.refused(401);
    let answer = send(show.address, "POST", "/live/ann/show", &[], begin.as_bytes()).await;
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    answer.refused(401);
    show.get("playlist.m3u8").await.refused(404);

    let answer: serde_json::Value =
        serde_json::from_str(&show.post(&begin).await.text()).expect("JSON");
    assert!(answer["delay"].as_u64().is_some_and(|delay| delay > 0), "{answer}");
    show.part(0, 0).await.text();
    let jwt = server.server().tokens();
    let room = "studio".parse().expect("an id");
    let jwt = jwt.issue_jwt(&room, "ann", "presenter").expect("a token");
    let second = signal("updatePart", part(json!({"variant": {"id": "v"}}), 0, 1)).to_string();
    show.post_as(jwt.reveal(), &second).await.text();
    let stolen = format!("/live/ann/other?token={}", show.token);
    send(show.address, "POST", &stolen, &[], begin.as_bytes()).await.refused(401);
}

#[tokio::test]
async fn tokens_admit_players_of_the_same_room() {
    let server = TestServer::with(|config| {
        config.rooms.create_on_join = true;
        config.live.playback = Playback::Token;
    })
    .await;
    let show = Show::begun(&server).await;
    show.segments(0..2).await;
    show.get("playlist.m3u8").await.refused(401);
    show.playlist("").await.refused(401);
    show.playlist("?key=00000000000000000000000000000000").await.refused(401);
    let other = server.token("elsewhere", "vic", "viewer").await;
    show.get(&format!("playlist.m3u8?token={other}")).await.refused(403);
    let token = server.token("studio", "vic", "viewer").await;
    for _ in 0..2 {
        let answer = show.get(&format!("playlist.m3u8?token={token}")).await;
        let master = Multivariant::read(&answer.text());
        let (_, uri) = &master.variants[0];
        let answer = show.get(uri).await;
        let playlist = Playlist::read(&answer.text());
        let piece = show.get(&format!("variant/v/{}", playlist.segments[0].uri)).await;
        assert_eq!(piece.header("cache-control"), Some("private, max-age=3600, immutable"));
        assert!(piece.text().starts_with(&bytes(0, 0)));
        let part = &playlist.segments[0].parts[1];
        assert_eq!(show.get(&format!("variant/v/{}", part.uri)).await.text(), bytes(0, 1));
        let (bare, _) = part.uri.split_once('?').expect("a key");
        show.get(&format!("variant/v/{bare}")).await.refused(401);
    }
    let path = server
        .server()
        .live()
        .playback_path(&portico::live::Address::parse("ann", "show").expect("an address"));
    let answer = send(show.address, "GET", &path.expect("a broadcast"), &[], b"").await;
    Multivariant::read(&answer.text());
}

#[tokio::test]
async fn what_nobody_feeds_is_forgotten() {
    let server = TestServer::with(|config| {
        config.rooms.create_on_join = true;
        config.live.idle = Duration::from_secs(1);
    })
    .await;
    let show = Show::begun(&server).await;
    show.part(0, 0).await.text();
    assert_eq!(server.server().live().count().0, 1);
    let live = server.server().live();
    let gone = server.eventually("the broadcast is forgotten", || live.count() == (0, 0));
    // A player that waits meanwhile is told.
    let (waiting, ()) = tokio::join!(show.playlist("?_HLS_msn=0"), gone);
    assert!([404, 503].contains(&waiting.status), "{waiting:?}");
    show.playlist("").await.refused(404);
    show.part(0, 1).await.refused(404);
    show.signal("updateVariant", variant("v")).await.text();
}

//! A subscription that is taken from a view to a camera and back, without another negotiation.

use serde_json::{Value, json};

use super::{
    changes::grid,
    meeting::{Actor, Meeting, colour, tone},
};
use crate::support::guest::Guest;

/// Takes a subscription's track from another stream.
async fn switch(guest: &mut Guest, session: &str, kind: &str, from: &str) {
    let request = json!({"id": session, "operation": "update", "data": {kind: {"from": from}}});
    let answer = guest.client.granted("subscription-control", &request).await;
    assert_eq!(answer, Value::Null);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn picture_and_sound_go_from_a_view_to_cameras_and_back() {
    let layout = json!({"templates": {"base": "fluid"}, "fitPolicy": "crop"});
    let meeting = Meeting::with(layout, 16).await;
    let actors = [Actor::join(&meeting, 0).await, Actor::join(&meeting, 1).await];
    let [a, b] = [0, 1].map(colour);
    let [low, high] = [0, 1].map(tone);
    let mut viewer = meeting.guest("viewer").await;
    let mut watcher = meeting.watcher(&mut viewer).await;
    let mut listener = meeting.listener(&mut viewer).await;
    let (seen, heard) = (watcher.session().to_owned(), listener.session().to_owned());
    watcher.until_shows("everybody", &grid(&[a, b])).await;
    listener.until("the viewer", &[low, high], &[]).await;

    for round in ["once", "again"] {
        for (actor, shown, sounds, silent) in
            [(&actors[0], a, low, high), (&actors[1], b, high, low)]
        {
            switch(&mut viewer, &seen, "video", actor.id()).await;
            watcher.until_shows(&format!("one camera, {round}"), &grid(&[shown])).await;
            switch(&mut viewer, &heard, "audio", actor.id()).await;
            listener.until("the viewer", &[sounds], &[silent]).await;
        }
        // What cannot be had leaves all as it was.
        let nothing = json!({"id": seen, "operation": "update", "data": {"video": {"from": "x"}}});
        viewer.client.refused("subscription-control", &nothing).await;
        let too_large = json!({"resolution": {"width": 1920, "height": 1080}});
        let update = json!({"video": {"from": meeting.view(), "parameters": too_large}});
        let request = json!({"id": seen, "operation": "update", "data": update});
        viewer.client.refused("subscription-control", &request).await;
        watcher.until_shows("the same camera", &grid(&[b])).await;

        switch(&mut viewer, &seen, "video", &meeting.view()).await;
        watcher.until_shows(&format!("the view, {round}"), &grid(&[a, b])).await;
        switch(&mut viewer, &heard, "audio", &meeting.view()).await;
        listener.until("the viewer", &[low, high], &[]).await;
    }
    // It is one stream of packets all the time.
    assert_eq!(watcher.seen().ssrc_changes, 0);
}

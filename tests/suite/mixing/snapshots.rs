//! Pictures of a view for an administrator.

use std::{fs, path::Path, time::Instant};

use super::{
    changes::{circles, round, watched},
    gst,
    meeting::{VIEW, colour},
    scene::Image,
    stage::PATIENCE,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_by_http_shows_the_layout() {
    let (meeting, actors, mut watcher) = watched(4).await;
    let streams = [0, 1, 2, 3].map(|at: usize| actors[at].id());
    meeting.lay_out(circles(streams)).await;
    let scene = round([0, 1, 2, 3].map(colour));
    watcher.until_shows("circles", &scene).await;

    let path = |label: &str| format!("/v1.1/rooms/{}/views/{label}/snapshot.jpg", meeting.room);
    let start = Instant::now();
    let jpeg = loop {
        let (status, jpeg) = meeting.back_end.file(&path("common")).await;
        assert_eq!(status, 200);
        let image = Image::new(VIEW, gst::jpeg_as_it_is(&jpeg).await);
        let wrong = scene.differences(&image);
        if wrong.is_empty() {
            break jpeg;
        }
        assert!(start.elapsed() < PATIENCE, "{wrong:?}");
    };
    assert_eq!(&jpeg[..2], &[0xFF, 0xD8], "a JPEG file");
    meeting.back_end.get(&path("nowhere")).await.refused(404, 1001);

    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/screenshots");
    fs::create_dir_all(&folder).expect("a folder");
    let png = gst::png(&jpeg).await;
    assert_eq!(&png[1..4], b"PNG");
    fs::write(folder.join("snapshot-circles.png"), png).expect("written");
}

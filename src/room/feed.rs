//! What a subscription gets: a forward stream as it is, or it or a view encoded as it wishes.

use std::sync::Arc;

use super::{
    AudioFeed, AudioOutput, MediaOut, Participant, Room, StreamInfo, SubscribeAudio,
    SubscribeVideo, Unsatisfied, VideoFeed, VideoOutput, VideoRate, VideoTrack,
    bitrate::{default_kbps, pixels},
    publication::Publication,
    view::View,
    wish::{audio_matches, video_matches},
};
use crate::{
    formats::{Bitrate, LayerChoice, Resolution, TrackKind, VideoFormat},
    ids::StreamId,
};

impl Room {
    /// The sound that meets a wish.
    pub(super) fn audio_feed(
        &self,
        subscriber: &Participant,
        wish: &SubscribeAudio,
    ) -> Result<AudioFeed, Unsatisfied> {
        let source = self.source(&wish.from, TrackKind::Audio)?;
        let track = source.stream().audio.as_ref().ok_or(Unsatisfied::Stream)?;
        track.serves(wish)?;
        let output = match source {
            Source::Forward(publication, _) => self.transcoded_audio(publication, track, wish),
            Source::Mixed(_) => {
                let formats = track.offered();
                let wanted = |format: &_| wish.format.is_none_or(|it| audio_matches(*format, it));
                let speaks = subscriber.permission.publish.audio;
                Some(AudioOutput {
                    formats: formats.filter(wanted).collect(),
                    without: speaks.then(|| subscriber.info.id.clone()),
                    original: None,
                })
            }
        };
        Ok(AudioFeed { from: wish.from.clone(), output })
    }

    /// The picture that meets a wish.
    pub(super) fn video_feed(&self, wish: &SubscribeVideo) -> Result<VideoFeed, Unsatisfied> {
        let source = self.source(&wish.from, TrackKind::Video)?;
        let track = source.stream().video.as_ref().ok_or(Unsatisfied::Stream)?;
        track.serves(wish)?;
        let output = match source {
            Source::Forward(publication, _) => self.transcoded_video(publication, track, wish)?,
            Source::Mixed(view) => view.video_output(&self.settings.media_out, wish),
        };
        Ok(VideoFeed { from: wish.from.clone(), output, layer: track.layer(wish) })
    }

    /// A stream that a track can be taken from.
    fn source(&self, stream: &StreamId, kind: TrackKind) -> Result<Source<'_>, Unsatisfied> {
        if let Some(view) = self.view(stream) {
            let ready = view.is_available() || !view.stream.has(kind);
            return if ready { Ok(Source::Mixed(view)) } else { Err(Unsatisfied::MixerNotReady) };
        }
        let publication = self.publications.get(stream.as_str()).ok_or(Unsatisfied::Stream)?;
        let stream = publication.stream().ok_or(Unsatisfied::Stream)?;
        Ok(Source::Forward(publication, stream))
    }
}

enum Source<'r> {
    Forward(&'r Publication, &'r StreamInfo),
    Mixed(&'r View),
}

impl Source<'_> {
    fn stream(&self) -> &StreamInfo {
        match self {
            Self::Forward(_, stream) => stream,
            Self::Mixed(view) => &view.stream,
        }
    }
}

impl VideoTrack {
    /// The layer that meets a wish: the one that is named, one of about the size, or the largest.
    fn layer(&self, wish: &SubscribeVideo) -> LayerChoice {
        match (&wish.simulcast_rid, wish.parameters.resolution) {
            (Some(rid), _) => LayerChoice::Named(Arc::clone(rid)),
            (None, Some(size)) if self.is_simulcast() => LayerChoice::Covering(size),
            (None, _) => LayerChoice::Largest,
        }
    }
}

impl View {
    /// The encoding that meets a wish which the view serves; `None` without a picture.
    fn video_output(&self, out: &MediaOut, wish: &SubscribeVideo) -> Option<VideoOutput> {
        let own = self.settings().video.as_ref()?;
        let track = self.stream.video.as_ref()?;
        let wanted = &wish.parameters;
        let number = |own: u32, options: &[u32], wanted: Option<f64>| {
            let mut known = options.iter().copied();
            let wanted = wanted.and_then(|wanted| known.find(|it| f64::from(*it) == wanted));
            wanted.unwrap_or(own)
        };
        let framerate = number(own.framerate, &track.optional.framerates, wanted.framerate);
        let resolution = wanted.resolution.unwrap_or(own.resolution);
        let factor = bitrate_factor(out, wanted.bitrate.as_ref());
        let kbps = |format: VideoFormat| match own.kbps {
            Some(kbps) => kbps * share(own.resolution, own.framerate, resolution, framerate),
            None => default_kbps(format, resolution, framerate, own.motion_factor),
        };
        let formats = track.offered();
        let fits = |format: &VideoFormat| wish.format.is_none_or(|it| video_matches(*format, it));
        let rate = |format| VideoRate { format, kbps: whole_kbps(kbps(format) * factor) };
        Some(VideoOutput {
            encodings: formats.filter(fits).map(rate).collect(),
            resolution,
            framerate,
            key_frame_interval_secs: number(
                own.key_frame_interval_secs,
                &track.optional.key_frame_intervals_secs,
                wanted.key_frame_interval_secs,
            ),
            original: None,
        })
    }
}

/// The multiple of its bit rate that is wished for.
pub(super) fn bitrate_factor(out: &MediaOut, wanted: Option<&Bitrate>) -> f64 {
    match wanted {
        Some(Bitrate::Multiple(multiple)) => out.factor(multiple),
        Some(Bitrate::Kbps(_)) | None => 1.0,
    }
}

/// How much of a picture's pixels per second another one has.
pub(super) fn share(
    whole: Resolution,
    framerate: u32,
    part: Resolution,
    part_framerate: u32,
) -> f64 {
    let whole = pixels(whole) * f64::from(framerate);
    let part = pixels(part) * f64::from(part_framerate);
    if whole > 0.0 { part / whole } else { 1.0 }
}

/// A bit rate as encoders take it.
pub(super) fn whole_kbps(kbps: f64) -> u32 {
    // Rates stay far below the largest whole number: the table ends at 64 Mbit/s.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
    let whole = kbps.round() as u32;
    whole.max(1)
}

#[cfg(test)]
#[path = "tests/feed.rs"]
mod tests;

//! Outputs: encoders of a view's picture or sound.

use std::sync::Arc;

use portico_mixer_protocol::{Encoding, MIN_PART_MS, Packaging};

use super::{Agent, MAX_INPUTS, MAX_KBPS, MAX_OUTPUTS, Output, Refusal, check_picture};
use crate::canvas::Size;
use crate::input::Failure;
use crate::pipeline::{AudioOutput, PackagedOutput, VideoOutput, VideoSettings};

/// The longest segment in seconds: what a part and its segment hold waits in memory.
const MAX_SEGMENT_SECS: u32 = 10;

impl Agent {
    pub(super) fn open_output(
        &mut self,
        output: u32,
        view: u32,
        encoding: Encoding,
    ) -> Result<(), Refusal> {
        if self.outputs.contains_key(&output) {
            return Err(Refusal::Exists("output", output));
        }
        if self.outputs.len() >= MAX_OUTPUTS {
            return Err(Refusal::TooMany("outputs"));
        }
        let of = self.views.get(&view).ok_or(Refusal::Unknown("view", view))?;
        let failures = Arc::clone(&self.around.failures);
        let failed = move |reason| failures.report(Failure::Output { output, reason });
        let outbox = Arc::clone(&self.around.outbox);
        let opened = match encoding {
            Encoding::Video { codec, width, height, framerate, kbps, key_frame_interval_secs } => {
                let (picture, _) = of.picture.as_ref().ok_or(Refusal::NoPicture(view))?;
                check_picture(width, height, framerate)?;
                let settings = VideoSettings {
                    codec,
                    size: Size::new(width, height),
                    framerate: framerate.min(picture.framerate),
                    kbps: kbps.clamp(1, MAX_KBPS),
                    key_frame_interval_secs,
                };
                let from = Size::new(picture.width, picture.height);
                let encoder = VideoOutput::start(output, from, settings, outbox, failed)?;
                Output::Video { view, encoder: Arc::new(encoder) }
            }
            Encoding::Audio { codec, without } => {
                let encoder = AudioOutput::start(output, codec, outbox, failed)?;
                Output::Audio { view, without: own_inputs(without), encoder: Arc::new(encoder) }
            }
            Encoding::Package(packaging) => {
                let from = match (packaging.picture, of.picture.as_ref()) {
                    (None, _) => Size::new(0, 0),
                    (Some(_), None) => return Err(Refusal::NoPicture(view)),
                    (Some(_), Some((picture, _))) => Size::new(picture.width, picture.height),
                };
                let packaging = check_packaging(packaging)?;
                let encoders = PackagedOutput::start(output, from, packaging, outbox, failed)?;
                Output::Package { view, encoders }
            }
        };
        self.outputs.insert(output, opened);
        self.follow_outputs(view);
        Ok(())
    }

    pub(super) fn set_without(&mut self, output: u32, own: Vec<u32>) -> Result<(), Refusal> {
        match self.outputs.get_mut(&output).ok_or(Refusal::Unknown("output", output))? {
            Output::Audio { without, .. } => *without = own_inputs(own),
            Output::Video { .. } | Output::Package { .. } => {
                return Err(Refusal::NoSound(output));
            }
        }
        self.replan_sound();
        Ok(())
    }

    pub(super) fn close_output(&mut self, output: u32) -> Result<(), Refusal> {
        let closed = self.outputs.remove(&output).ok_or(Refusal::Unknown("output", output))?;
        self.follow_outputs(closed.view());
        Ok(())
    }

    pub(super) fn follow_outputs(&mut self, view: u32) {
        if let Some((_, drawing)) = self.views.get(&view).and_then(|of| of.picture.as_ref()) {
            let of_view = self.outputs.values().filter(|output| output.view() == view);
            drawing.set_outputs(of_view.filter_map(Output::picture).cloned().collect());
        }
        self.replan_sound();
        self.follow_wants();
    }
}

fn check_packaging(packaging: Packaging) -> Result<Packaging, Refusal> {
    let Packaging { picture, part_ms, segment_secs, .. } = packaging;
    let segments = 1..=MAX_SEGMENT_SECS;
    if !segments.contains(&segment_secs) || !(MIN_PART_MS..=segment_secs * 1000).contains(&part_ms)
    {
        return Err(Refusal::Packaging(part_ms, segment_secs));
    }
    let picture = picture.map(|mut picture| {
        check_picture(picture.width, picture.height, picture.framerate)?;
        picture.kbps = picture.kbps.clamp(1, MAX_KBPS);
        Ok::<_, Refusal>(picture)
    });
    Ok(Packaging { picture: picture.transpose()?, ..packaging })
}

/// The inputs that an output leaves out, each once: taking a voice out twice would add it upside
/// down.
fn own_inputs(mut without: Vec<u32>) -> Arc<[u32]> {
    without.sort_unstable();
    without.dedup();
    without.truncate(MAX_INPUTS);
    without.into()
}

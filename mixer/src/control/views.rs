//! Views: their layouts, and what of their inputs is decoded for them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use portico_mixer_protocol as protocol;
use portico_mixer_protocol::{FromAgent, Region};

use super::{Agent, MAX_VIEWS, Output, Refusal, View, check_picture};
use crate::audio::{SoundPlan, SoundView};
use crate::canvas::{Canvas, Colour, LayoutError, Plan, Size, Style, Texts, Want};
use crate::clock;
use crate::input::Input;
use crate::view::{Drawing, FacePlan};

/// How long a view that nobody watches stays awake after a snapshot: a page that shows one every
/// few seconds does not start all decoders each time.
const SNAPSHOT_AWAKE: Duration = Duration::from_secs(5);

impl Agent {
    pub(super) fn create_view(
        &mut self,
        view: u32,
        picture: Option<protocol::Picture>,
    ) -> Result<(), Refusal> {
        if self.views.contains_key(&view) {
            return Err(Refusal::Exists("view", view));
        }
        if self.views.len() >= MAX_VIEWS {
            return Err(Refusal::TooMany("views"));
        }
        let picture = picture.map(|picture| {
            let protocol::Picture { width, height, framerate, background, .. } = picture;
            check_picture(width, height, framerate)?;
            let style = Style {
                size: Size::new(width, height),
                background: Colour::from_rgb(background),
                labels: picture.labels,
                initials: picture.avatars,
            };
            let canvas = Canvas::new(style, Texts::new(self.font.clone()));
            let outbox = Arc::clone(&self.around.outbox);
            Ok::<_, Refusal>((picture, Drawing::start(view, canvas, framerate, outbox)?))
        });
        let made = View {
            picture: picture.transpose()?,
            sequence: 0,
            regions: Vec::new(),
            sound_inputs: Vec::new(),
            loudest: 0,
            awake_until: Duration::ZERO,
        };
        self.views.insert(view, made);
        Ok(())
    }

    pub(super) fn remove_view(&mut self, view: u32) -> Result<(), Refusal> {
        let removed = self.views.remove(&view).ok_or(Refusal::Unknown("view", view))?;
        self.outputs.retain(|_, output| output.view() != view);
        if let Some((_, drawing)) = &removed.picture {
            self.past_pictures += drawing.pictures();
        }
        drop(removed);
        self.replan_sound();
        self.follow_wants();
        Ok(())
    }

    pub(super) fn set_layout(
        &mut self,
        view: u32,
        sequence: u64,
        regions: Vec<Region>,
    ) -> Result<(), Refusal> {
        let of = self.views.get(&view).ok_or(Refusal::Unknown("view", view))?;
        let (picture, _) = of.picture.as_ref().ok_or(Refusal::NoPicture(view))?;
        // Refused before anything of the present layout is touched.
        plan(&self.inputs, picture, sequence, &regions)?;
        let of = self.views.get_mut(&view).expect("found above");
        of.sequence = sequence;
        of.regions = regions;
        self.replan(view)
    }

    /// Brings layouts in line with the inputs that there are.
    pub(super) fn replan_all(&mut self) -> Result<(), Refusal> {
        let views: Vec<u32> = self.views.keys().copied().collect();
        for view in views {
            self.replan(view)?;
        }
        self.replan_sound();
        Ok(())
    }

    /// Brings a view's layout into the picture. Inputs are scaled to their regions first, so that
    /// the first picture of the layout is whole.
    pub(super) fn replan(&mut self, view: u32) -> Result<(), Refusal> {
        self.follow_wants();
        let of = self.views.get(&view).ok_or(Refusal::Unknown("view", view))?;
        if let Some((picture, drawing)) = &of.picture {
            drawing.set_plan(plan(&self.inputs, picture, of.sequence, &of.regions)?);
        }
        Ok(())
    }

    /// Whether a view's picture is seen by anybody.
    pub(super) fn is_awake(&self, view: u32, of: &View) -> bool {
        let watches = |output: &Output| match output {
            Output::Video { view: of, .. } => *of == view,
            Output::Audio { .. } => false,
        };
        of.awake_until > clock::now() || self.outputs.values().any(watches)
    }

    /// Decodes what is seen, in the sizes in which it is seen, and tells the server the largest.
    pub(super) fn follow_wants(&mut self) {
        let mut wants: BTreeMap<u32, Vec<Want>> = BTreeMap::new();
        let mut largest: HashMap<u32, Size> = HashMap::new();
        for (view, of) in &self.views {
            let Some((picture, _)) = &of.picture else { continue };
            let size = Size::new(picture.width, picture.height);
            let Ok(plan) = Plan::new(0, &of.regions, size, picture.fit, Some) else { continue };
            let awake = self.is_awake(*view, of);
            for slot in plan.slots {
                let Some(input) = slot.input else { continue };
                let seen = slot.want.size;
                let most = largest.entry(input).or_insert(seen);
                if u64::from(seen.width) * u64::from(seen.height)
                    > u64::from(most.width) * u64::from(most.height)
                {
                    *most = seen;
                }
                let wants = wants.entry(input).or_default();
                if awake && !wants.contains(&slot.want) {
                    wants.push(slot.want);
                }
            }
        }
        for (number, input) in &mut self.inputs {
            let Some(face) = input.face().cloned() else { continue };
            let wants = wants.remove(number).unwrap_or_default();
            let wanted = !wants.is_empty();
            face.set_wants(wants);
            input.set_wanted(wanted, &self.around);
            let seen = largest.get(number).copied().unwrap_or(Size::new(0, 0));
            let told = self.shown.insert(*number, seen);
            if told.unwrap_or(Size::new(0, 0)) != seen {
                let Size { width, height } = seen;
                self.around.outbox.tell(&FromAgent::Shown { input: *number, width, height });
            }
        }
    }

    /// Mixes what is heard.
    pub(super) fn replan_sound(&mut self) {
        let mut heard: Vec<u32> = Vec::new();
        let views = self.views.iter().map(|(view, of)| {
            heard.extend(&of.sound_inputs);
            let sound = |number: &u32| self.inputs.get(number)?.sound().cloned();
            let outputs = self.outputs.values().filter_map(|output| match output {
                Output::Audio { view: of, without, encoder } if of == view => {
                    Some((Arc::clone(without), Arc::clone(encoder)))
                }
                Output::Audio { .. } | Output::Video { .. } => None,
            });
            SoundView {
                view: *view,
                inputs: of.sound_inputs.iter().filter_map(sound).collect(),
                loudest: of.loudest,
                outputs: outputs.collect(),
            }
        });
        self.sound.set_plan(SoundPlan { views: views.collect() });
        for (number, input) in &mut self.inputs {
            if input.sound().is_some() {
                input.set_wanted(heard.contains(number), &self.around);
            }
        }
    }

    pub(super) fn take_snapshot(&mut self, request: u32, view: u32) {
        let drawing = self.views.get_mut(&view).and_then(|of| {
            of.awake_until = clock::now() + SNAPSHOT_AWAKE;
            of.picture.as_ref()
        });
        let taken = drawing.is_some_and(|(_, drawing)| drawing.take_snapshot(request));
        if taken {
            self.follow_wants();
        } else {
            self.around.outbox.snapshot(request, Vec::new());
        }
    }
}

fn plan(
    inputs: &BTreeMap<u32, Input>,
    picture: &protocol::Picture,
    sequence: u64,
    regions: &[Region],
) -> Result<FacePlan, LayoutError> {
    let size = Size::new(picture.width, picture.height);
    let face = |number| inputs.get(&number).and_then(Input::face).cloned();
    Plan::new(sequence, regions, size, picture.fit, face)
}

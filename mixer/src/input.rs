//! An input of the agent: its decoder, and what happens when that fails.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use portico_mixer_protocol::{Codec, FromAgent, RtpFormat, Scope};

use crate::audio::SoundInput;
use crate::clock;
use crate::link::Outbox;
use crate::pipeline::{AudioDecoder, Face, PipelineError, VideoDecoder, rtp_time};
use crate::sync::Delay;

/// So often in a row a decoder may fail before the input has to rest.
const MAX_FAILURES: u32 = 5;

/// The wait after a first failure; it doubles with each.
const FIRST_WAIT: Duration = Duration::from_millis(100);

/// The first rest of an input whose decoders fail again and again. It doubles with each decoder
/// that fails after it: somebody who sends garbage for a moment returns soon, and somebody who
/// goes on with it costs a decoder's start now and then.
const FIRST_REST: Duration = Duration::from_secs(2);

/// The longest rest.
const MAX_REST: Duration = Duration::from_secs(60);

/// A decoder that worked so long has not failed in a row.
const PROVEN: Duration = Duration::from_secs(10);

/// What an input is.
#[derive(Debug)]
enum Media {
    Picture { face: Arc<Face>, decoder: Option<VideoDecoder> },
    Sound { sound: Arc<SoundInput>, decoder: Option<AudioDecoder> },
}

/// An input.
#[derive(Debug)]
pub(crate) struct Input {
    number: u32,
    format: RtpFormat,
    pub(crate) source: Option<u32>,
    media: Media,
    /// Its way from the sender; see [`crate::sync`].
    pub(crate) delay: Delay,
    hold: Duration,
    /// Whether any view needs it decoded.
    wanted: bool,
    /// Whether its media flows.
    active: bool,
    generation: u32,
    failures: u32,
    /// When it was started, or is started again after a failure.
    started: Duration,
    retry: Option<Duration>,
}

impl Input {
    pub(crate) fn new(
        number: u32,
        source: Option<u32>,
        format: RtpFormat,
        label: Option<String>,
    ) -> Self {
        let media = match format.codec {
            Codec::Video(_) => {
                Media::Picture { face: Arc::new(Face::new(number, label)), decoder: None }
            }
            Codec::Audio(_) => {
                Media::Sound { sound: Arc::new(SoundInput::new(number)), decoder: None }
            }
        };
        Self {
            number,
            delay: Delay::new(format.clock_rate),
            format,
            source,
            media,
            hold: Duration::ZERO,
            wanted: false,
            active: true,
            generation: 0,
            failures: 0,
            started: Duration::ZERO,
            retry: None,
        }
    }

    pub(crate) fn face(&self) -> Option<&Arc<Face>> {
        match &self.media {
            Media::Picture { face, .. } => Some(face),
            Media::Sound { .. } => None,
        }
    }

    pub(crate) fn sound(&self) -> Option<&Arc<SoundInput>> {
        match &self.media {
            Media::Sound { sound, .. } => Some(sound),
            Media::Picture { .. } => None,
        }
    }

    /// Decodes or does not, as somebody watches or hears it.
    pub(crate) fn set_wanted(&mut self, wanted: bool, agent: &Surroundings) {
        self.wanted = wanted;
        self.follow(agent);
    }

    /// Lets its media flow or not.
    pub(crate) fn set_active(&mut self, active: bool, agent: &Surroundings) {
        if self.active == active {
            return;
        }
        self.active = active;
        match &self.media {
            Media::Picture { face, .. } => face.set_active(active),
            Media::Sound { sound, .. } => sound.set_active(active),
        }
        self.follow(agent);
    }

    /// Takes a packet that came to the server at `arrival`. A decoder that does not keep up starts
    /// again with the next key frame.
    pub(crate) fn push(&mut self, arrival: Duration, packet: Vec<u8>, agent: &Surroundings) {
        let Some(rtp) = rtp_time(&packet) else { return };
        self.delay.packet(rtp, arrival);
        let source = match &self.media {
            Media::Picture { decoder, .. } => decoder.as_ref().map(VideoDecoder::source),
            Media::Sound { decoder, .. } => decoder.as_ref().map(AudioDecoder::source),
        };
        let Some(source) = source else { return };
        if source.is_behind() {
            agent.outbox.count_dropped();
            self.broken(self.generation, "it does not keep up".to_owned(), agent);
        } else if !source.push(arrival, packet) {
            agent.outbox.count_dropped();
        }
    }

    /// Microseconds from its sender to the picture or the mix, but for the hold; unknown before
    /// there was a sender's report and something to show.
    pub(crate) fn delay_us(&self) -> Option<i64> {
        let wait = match &self.media {
            Media::Picture { face, .. } => face.wait_us()?,
            Media::Sound { sound, .. } => sound.wait_us()?,
        };
        let hold = i64::try_from(self.hold.as_micros()).unwrap_or_default();
        Some(self.delay.average_us()?.saturating_add(wait).saturating_sub(hold))
    }

    /// Delays what it shows or says.
    pub(crate) fn set_hold(&mut self, hold: Duration) {
        self.hold = hold;
        match &self.media {
            Media::Picture { face, decoder } => {
                if let Some(decoder) = decoder {
                    decoder.set_hold(hold);
                }
                face.forget_wait();
            }
            Media::Sound { sound, .. } => sound.set_hold(hold),
        }
    }

    /// Takes the report that a pipeline of this input ended. What it showed last stays for the short
    /// waits and goes with the first rest.
    pub(crate) fn broken(&mut self, generation: u32, reason: String, agent: &Surroundings) {
        if generation != self.generation || !self.is_decoding() {
            return;
        }
        self.end();
        self.failed(reason, agent);
    }

    /// Starts it again when it is time to.
    pub(crate) fn retry(&mut self, agent: &Surroundings) {
        if self.retry.is_some_and(|at| at <= clock::now()) {
            self.retry = None;
            self.follow(agent);
        }
    }

    fn is_decoding(&self) -> bool {
        match &self.media {
            Media::Picture { decoder, .. } => decoder.is_some(),
            Media::Sound { decoder, .. } => decoder.is_some(),
        }
    }

    /// Starts or ends decoding as it should be.
    fn follow(&mut self, agent: &Surroundings) {
        let decode = self.wanted && self.active;
        if !decode {
            if self.is_decoding() {
                self.end();
                if let Media::Picture { face, .. } = &self.media {
                    face.forget();
                }
            }
            return;
        }
        if self.is_decoding() || self.retry.is_some() {
            return;
        }
        if let Err(error) = self.start(agent) {
            self.failed(error.to_string(), agent);
        }
    }

    fn start(&mut self, agent: &Surroundings) -> Result<(), PipelineError> {
        self.generation += 1;
        self.started = clock::now();
        let (input, generation) = (self.number, self.generation);
        let failures = Arc::clone(&agent.failures);
        let failed = move |reason| failures.report(Failure::Input { input, generation, reason });
        match &mut self.media {
            Media::Picture { face, decoder } => {
                let face = Arc::clone(face);
                let started =
                    VideoDecoder::start(input, &self.format, face, &agent.outbox, failed)?;
                started.set_hold(self.hold);
                *decoder = Some(started);
            }
            Media::Sound { sound, decoder } => {
                *decoder = Some(AudioDecoder::start(&self.format, Arc::clone(sound), failed)?);
            }
        }
        Ok(())
    }

    fn end(&mut self) {
        match &mut self.media {
            Media::Picture { decoder, .. } => *decoder = None,
            Media::Sound { decoder, .. } => *decoder = None,
        }
    }

    fn failed(&mut self, reason: String, agent: &Surroundings) {
        let now = clock::now();
        if now.saturating_sub(self.started) > PROVEN {
            self.failures = 0;
        }
        self.failures = self.failures.saturating_add(1);
        tracing::warn!(input = self.number, failures = self.failures, reason, "decoding failed");
        self.retry = Some(now + pause(self.failures));
        if self.failures == MAX_FAILURES {
            if let Media::Picture { face, .. } = &self.media {
                face.forget();
            }
            let scope = Scope::Input(self.number);
            agent.outbox.tell(&FromAgent::Failed { scope, reason });
        }
    }
}

/// How long an input does without a decoder after so many failures in a row.
fn pause(failures: u32) -> Duration {
    let doubled = |first: Duration, times: u32| first.saturating_mul(2_u32.saturating_pow(times));
    match failures.checked_sub(MAX_FAILURES) {
        None => doubled(FIRST_WAIT, failures.saturating_sub(1)),
        Some(rests) => doubled(FIRST_REST, rests).min(MAX_REST),
    }
}

/// What pipelines talk to.
#[derive(Debug, Clone)]
pub(crate) struct Surroundings {
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) failures: Arc<Failures>,
}

/// Pipelines that came to their end. They report from threads of their own, also while the agent is
/// busy with them, so that a report must neither wait nor get lost.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    reports: Mutex<Vec<Failure>>,
}

/// Reports that are kept until the agent looks: some for each pipeline. A pipeline may report more
/// than one error, of which only the first matters.
const MAX_REPORTS: usize = 4096;

/// The end of a pipeline.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Of an input.
    Input {
        input: u32,
        /// Which of its pipelines, since a report may come late.
        generation: u32,
        reason: String,
    },
    /// Of an output.
    Output { output: u32, reason: String },
}

impl Failures {
    /// Reports one.
    pub(crate) fn report(&self, failure: Failure) {
        let mut reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        if reports.len() < MAX_REPORTS {
            reports.push(failure);
        }
    }

    /// What was reported since the last time.
    pub(crate) fn take(&self) -> Vec<Failure> {
        std::mem::take(&mut self.reports.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_are_bounded() {
        let pauses = (1..=12).map(|failures| pause(failures).as_millis()).collect::<Vec<_>>();
        let quick = [100, 200, 400, 800];
        let rests = [2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000];
        assert_eq!(pauses, [&quick[..], &rests].concat());
        assert_eq!(pause(u32::MAX), MAX_REST);
    }
}

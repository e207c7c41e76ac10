//! What becomes of a room's views and their subscribers when something cannot be mixed.

use std::{sync::Arc, time::Instant};

use portico_mixer_protocol::Scope;
use tracing::warn;

use super::RoomMixing;
use crate::{
    ids::SessionId,
    media::{self, OutputId},
    mixing::plan::Program,
    room::Event,
};

impl RoomMixing {
    pub(super) fn fail_views(&mut self, reason: &Arc<str>) {
        let failed = self.views.keys().cloned();
        let failed = failed.map(|view| Event::ViewFailed { view, reason: Arc::clone(reason) });
        self.events.extend(failed);
        self.fail_sessions(self.outputs.transcoded_subscribers(), reason);
        self.events.push_back(Event::MixerGone);
        self.snapshots.fail(reason);
    }

    /// Ends subscriptions that the room knows no reason to end.
    pub(super) fn fail_sessions(&mut self, sessions: Vec<SessionId>, reason: &Arc<str>) {
        for session in sessions {
            self.media.send(media::Command::CloseSession { session: session.clone() });
            self.outputs.close(&session, Instant::now());
            self.events.push_back(Event::SessionFailed { session, reason: Arc::clone(reason) });
        }
    }

    pub(super) fn note_failure(&mut self, scope: Scope, reason: &str) {
        warn!(room = %self.id, ?scope, reason, "something could not be mixed");
        let reason: Arc<str> = format!("The mixer failed: {reason}.").into();
        match scope {
            Scope::View(view) => match self.plan.program(view) {
                Some(Program::View(view)) => {
                    let view = view.clone();
                    self.end_failed_view(&view);
                    // The room does not know the views that are of broadcasts alone.
                    self.events.push_back(Event::ViewFailed { view, reason });
                }
                Some(Program::Sound(_) | Program::Picture(..)) | None => {
                    let outputs = self.plan.outputs_of(view);
                    let sessions = outputs.flat_map(|output| self.outputs.subscribers_of(output));
                    self.fail_sessions(sessions.collect(), &reason);
                }
            },
            Scope::Output(output) if self.end_failed_package(output) => {}
            Scope::Output(output) => {
                let sessions = self.outputs.subscribers_of(OutputId(output));
                self.fail_sessions(sessions, &reason);
            }
            Scope::Input(_) | Scope::Message => {}
        }
    }
}

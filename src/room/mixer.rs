//! The mixer's life as the room sees it: it comes up, goes down, and fails.

use std::sync::Arc;

use super::{Effect, MixerCapabilities, Notification, Room, StreamUpdate, TrackStatus, ViewStatus};
use crate::{
    formats::TrackKind,
    ids::{SessionId, StreamId},
};

impl Room {
    /// The mixer runs: every view is mixed, and every stream offers what the mixer can encode.
    pub(super) fn mixer_up(&mut self, capabilities: MixerCapabilities) {
        for place in 0..self.views.len() {
            let view = &mut self.views[place];
            if view.set_capabilities(&self.settings.media_out, &capabilities) {
                let (stream, info) = (view.stream.id.clone(), Arc::clone(&view.stream));
                let update = StreamUpdate::Whole(info);
                self.announce_stream(Notification::StreamUpdated { stream, update });
            }
            self.set_view_status(place, ViewStatus::Up);
        }
        self.mixer = Some(capabilities);
        self.offer_all();
    }

    /// The mixer does not run. What is subscribed to waits; a view that failed stays so until a
    /// mixer runs.
    pub(super) fn mixer_down(&mut self) {
        for place in 0..self.views.len() {
            if !matches!(self.views[place].status, ViewStatus::Failed(_)) {
                self.set_view_status(place, ViewStatus::Starting);
            }
        }
    }

    /// There is no mixer and will be none for a while. Each view's failure, and that of each
    /// subscription to something transcoded, is told by itself.
    pub(super) fn mixer_gone(&mut self) {
        self.mixer = None;
        self.offer_all();
    }

    /// A view cannot be mixed: whoever subscribed to it loses the subscription.
    pub(super) fn view_failed(&mut self, view: &StreamId, reason: &Arc<str>) {
        let Some(place) = self.views.iter().position(|it| it.stream.id == *view) else { return };
        self.set_view_status(place, ViewStatus::Failed(Arc::clone(reason)));
        self.end_subscriptions_to(view, reason);
    }

    /// Notes how a view stands, and tells everybody when its media starts or stops, sound first.
    fn set_view_status(&mut self, place: usize, status: ViewStatus) {
        let flows =
            if status == ViewStatus::Up { TrackStatus::Active } else { TrackStatus::Inactive };
        let view = &mut self.views[place];
        view.status = status;
        let stream = view.stream.id.clone();
        for kind in [TrackKind::Audio, TrackKind::Video] {
            let view = &mut self.views[place];
            if view.stream.status(kind).is_none_or(|known| known == flows) {
                continue;
            }
            Arc::make_mut(&mut view.stream).set_status(kind, flows);
            let update = StreamUpdate::Status { kind, status: flows };
            self.announce_stream(Notification::StreamUpdated { stream: stream.clone(), update });
        }
    }

    /// Ends all subscriptions that take anything from a stream; their owners hear why.
    pub(super) fn end_subscriptions_to(&mut self, stream: &StreamId, reason: &Arc<str>) {
        let subscriptions = self.subscriptions.iter();
        let bereft: Vec<SessionId> = subscriptions
            .filter(|(_, subscription)| subscription.takes_from(stream))
            .map(|(subscription, _)| subscription.clone())
            .collect();
        for subscription in bereft {
            self.perform(Effect::CloseSession { session: subscription.clone() });
            self.subscription_failed(&subscription, Arc::clone(reason));
        }
    }
}

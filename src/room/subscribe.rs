//! Subscriptions: asked for, become ready, end.

use std::sync::Arc;

use super::{
    AgreedMedia, Effect, Notification, Participant, Rejection, Reply, Room, SessionKind,
    SubscribeMedia, offer::Negotiating, session::NO_VALID_TRACKS, subscription::Subscription,
    telling::Asker,
};
use crate::{
    formats::Offerer,
    ids::{ParticipantId, SessionId, TransportId},
};

impl Room {
    /// Starts a subscription. The checks have OWT's order.
    pub(super) fn subscribe(
        &mut self,
        asker: &Asker,
        session: SessionId,
        transport: TransportId,
        offerer: Offerer,
        media: SubscribeMedia,
    ) -> Result<(), Rejection> {
        let subscriber = self.check_subscriber(&asker.from, &media)?;
        self.check_new_session(&asker.from, &session, &transport, offerer)?;
        let audio = media.audio.as_ref().map(|wish| self.audio_feed(subscriber, wish));
        let audio = audio.transpose().map_err(Rejection::AudioUnsatisfied)?;
        let video = media.video.as_ref().map(|wish| self.video_feed(wish));
        let video = video.transpose().map_err(Rejection::VideoUnsatisfied)?;

        if let Some(owner) = self.participants.get_mut(&asker.from) {
            owner.subscriptions += 1;
        }
        self.attach(&transport, &asker.from, Negotiating::new(offerer, &session));
        self.record_session(&asker.from, &session, &transport, SessionKind::Subscription);
        let subscription = Subscription::new(asker.from.clone(), transport.clone(), media);
        self.subscriptions.insert(session.clone(), subscription);

        let opened =
            Reply::SessionOpened { session: session.clone(), transport: transport.clone() };
        self.grant(asker, opened);
        self.perform(Effect::OpenSubscription { session, transport, offerer, audio, video });
        Ok(())
    }

    /// Whether somebody may subscribe to these kinds, and once more.
    fn check_subscriber(
        &self,
        subscriber: &ParticipantId,
        media: &SubscribeMedia,
    ) -> Result<&Participant, Rejection> {
        let (audio, video) = (media.audio.is_some(), media.video.is_some());
        if !audio && !video {
            return Err(Rejection::NothingRequested);
        }
        let participant = self.participants.get(subscriber).ok_or(Rejection::NotJoined)?;
        participant.permission.subscribe.check(audio, video)?;
        if participant.subscriptions >= self.settings.bounds.subscriptions_per_participant {
            return Err(Rejection::TooManySubscriptions);
        }
        Ok(participant)
    }

    /// Ends a subscription on its owner's wish.
    pub(super) fn unsubscribe(
        &mut self,
        asker: &Asker,
        session: &SessionId,
    ) -> Result<(), Rejection> {
        let subscription = self.subscriptions.get(session);
        let subscription = subscription.ok_or(Rejection::NoSuchSubscription)?;
        if subscription.owner != asker.from {
            return Err(Rejection::Unauthorized);
        }
        self.grant(asker, Reply::Done);
        self.perform(Effect::CloseSession { session: session.clone() });
        self.end_subscription(session);
        Ok(())
    }

    /// Tells a subscription's owner that it is up, with those tracks that its ends agreed on.
    pub(super) fn subscription_ready(&mut self, session: &SessionId, agreed: AgreedMedia) {
        let Some(subscription) = self.subscriptions.get_mut(session) else { return };
        if subscription.agreed.is_some() {
            return;
        }
        subscription.agree(agreed);
        if subscription.sources().next().is_none() {
            self.perform(Effect::CloseSession { session: session.clone() });
            self.subscription_failed(session, NO_VALID_TRACKS.into());
            return;
        }
        let owner = subscription.owner.clone();
        let transport = subscription.transport.clone();
        self.tell(&owner, Notification::SessionReady { session: session.clone(), transport });
    }

    /// Ends a subscription that cannot go on, and tells its owner why.
    pub(super) fn subscription_failed(&mut self, session: &SessionId, reason: Arc<str>) {
        let Some(Subscription { owner, transport, .. }) = self.end_subscription(session) else {
            return;
        };
        let session = session.clone();
        self.tell(&owner, Notification::SessionFailed { session, transport, reason });
    }

    /// Forgets a subscription. Nobody is told.
    pub(super) fn end_subscription(&mut self, session: &SessionId) -> Option<Subscription> {
        let subscription = self.subscriptions.remove(session)?;
        self.detach(&subscription.transport);
        self.record_closed(&subscription.owner, session);
        if let Some(owner) = self.participants.get_mut(&subscription.owner) {
            owner.subscriptions -= 1;
        }
        Some(subscription)
    }
}

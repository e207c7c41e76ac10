//! Changes of one's own subscription: other streams, pauses. The media side needs no new
//! negotiation for any of them, so whatever it could not do is refused before anything changes.

use super::{
    Effect, Rejection, Reply, Room, SubscribeAudio, SubscribeMedia, SubscribeVideo,
    SubscriptionUpdate, subscription::Subscription, telling::Asker,
};
use crate::{
    formats::{TrackKind, TrackSelection},
    ids::{ParticipantId, SessionId},
};

impl Room {
    /// Has a subscription take its tracks from other streams, or with other parameters.
    pub(super) fn update_subscription(
        &mut self,
        asker: &Asker,
        session: &SessionId,
        update: SubscriptionUpdate,
    ) -> Result<(), Rejection> {
        let media = wishes(self.own_subscription(&asker.from, session)?, update)?;
        let owner = self.participants.get(&asker.from).ok_or(Rejection::NotJoined)?;
        let audio = media.audio.as_ref().map(|wish| self.audio_feed(owner, wish));
        let audio = audio.transpose().map_err(Rejection::AudioUnsatisfied)?;
        let video = media.video.as_ref().map(|wish| self.video_feed(wish));
        let video = video.transpose().map_err(Rejection::VideoUnsatisfied)?;

        if let Some(subscription) = self.subscriptions.get_mut(session) {
            if let Some(audio) = &audio {
                subscription.audio = Some(audio.from.clone());
            }
            if let Some(video) = &video {
                subscription.video = Some(video.from.clone());
                subscription.wish.clone_from(&media.video);
            }
        }
        self.grant(asker, Reply::Done);
        if audio.is_some() || video.is_some() {
            self.perform(Effect::SwitchSubscription { session: session.clone(), audio, video });
        }
        Ok(())
    }

    /// Stops or resumes the sending of a subscription's tracks.
    pub(super) fn set_subscription_active(
        &mut self,
        asker: &Asker,
        session: &SessionId,
        tracks: TrackSelection,
        active: bool,
    ) -> Result<(), Rejection> {
        let subscription = self.own_subscription(&asker.from, session)?;
        for &kind in tracks.kinds() {
            if subscription.from(kind).is_none() {
                return Err(Rejection::NotSubscribed(kind));
            }
        }
        self.grant(asker, Reply::Done);
        for &kind in tracks.kinds() {
            let session = session.clone();
            self.perform(Effect::SetSubscriptionActive { session, kind, active });
        }
        Ok(())
    }

    /// Says what bandwidth a subscription has. No estimate is made of it.
    pub(super) fn estimate_bandwidth(
        &self,
        asker: &Asker,
        session: &SessionId,
    ) -> Result<(), Rejection> {
        self.own_subscription(&asker.from, session)?;
        Err(Rejection::NoBandwidthEstimate)
    }

    fn own_subscription(
        &self,
        participant: &ParticipantId,
        session: &SessionId,
    ) -> Result<&Subscription, Rejection> {
        let subscription = self.subscriptions.get(session);
        let subscription = subscription.ok_or(Rejection::NoSuchSubscription)?;
        if subscription.owner != *participant {
            return Err(Rejection::Unauthorized);
        }
        Ok(subscription)
    }
}

/// What the update wishes, in the formats that were agreed on.
fn wishes(
    subscription: &Subscription,
    update: SubscriptionUpdate,
) -> Result<SubscribeMedia, Rejection> {
    let agreed = subscription.agreed.ok_or(Rejection::SubscriptionNotReady)?;
    let present = |kind| subscription.from(kind).ok_or(Rejection::NothingToUpdate(kind));
    let audio = update.audio.map(|from| {
        present(TrackKind::Audio)?;
        Ok(SubscribeAudio { from, format: agreed.audio })
    });
    let video = update.video.map(|video| {
        let from = present(TrackKind::Video)?;
        Ok(SubscribeVideo {
            from: video.from.unwrap_or_else(|| from.clone()),
            format: agreed.video,
            parameters: video.parameters,
            simulcast_rid: video.simulcast_rid,
        })
    });
    Ok(SubscribeMedia { audio: audio.transpose()?, video: video.transpose()? })
}

//! Translation between a room's effects and events and those of the mixing side and the media
//! plane.

use crate::{
    media,
    mixing::RoomMixing,
    room::{AgreedMedia, Effect, Event, Negotiation},
};

/// Tells the mixing side of an effect; what it then means for the media plane. Nothing for effects
/// on views, connections and rooms.
pub(super) fn media_command(effect: Effect, mixing: &mut RoomMixing) -> Option<media::Command> {
    Some(match effect {
        Effect::OpenPublication { session, transport, audio, video } => {
            media::Command::OpenPublication { session, transport, audio, video }
        }
        Effect::Negotiate { transport, payload } => match payload {
            Negotiation::Offer(sdp) => media::Command::Offer { transport, sdp },
            Negotiation::Candidate(candidate) => media::Command::Candidate { transport, candidate },
            Negotiation::Answer(sdp) => media::Command::Answer { transport, sdp },
            Negotiation::Names { session, mids } => {
                media::Command::NameTracks { transport, session, mids }
            }
            // An ICE-lite end forgets an address by itself when checks from it stop.
            Negotiation::RemovedCandidates(_) => return None,
        },
        Effect::SetSubscriptionActive { session, kind, active } => {
            media::Command::SetSubscriptionActive { session, kind, active }
        }
        Effect::CloseSession { session } => {
            mixing.session_closed(&session);
            media::Command::CloseSession { session }
        }
        Effect::SetTrackActive { stream, kind, active } => {
            mixing.set_track_active(&stream, kind, active);
            media::Command::SetTrackActive { stream, kind, active }
        }
        Effect::OpenSubscription { session, transport, offerer, audio, video } => {
            let (audio, video) = mixing.subscribe(&session, audio, video);
            media::Command::OpenSubscription { session, transport, offerer, audio, video }
        }
        Effect::SwitchSubscription { session, audio, video } => {
            let (audio, video) = mixing.subscribe(&session, audio, video);
            media::Command::SwitchSubscription { session, audio, video }
        }
        Effect::ViewChanged { view, desired } => {
            mixing.view_changed(view, desired);
            return None;
        }
        Effect::Disconnect { .. } | Effect::CloseRoom => return None,
    })
}

/// What a report of the media plane means to the room; nothing if it is about mixing.
pub(super) fn room_event(event: media::Event) -> Option<Event> {
    Some(match event {
        media::Event::Answered { transport, sdp } => Event::Answered { transport, sdp },
        media::Event::Offered { transport, sdp } => Event::Offered { transport, sdp },
        media::Event::SessionReady { session, audio, video } => {
            Event::SessionReady { session, media: AgreedMedia { audio, video } }
        }
        media::Event::SessionFailed { session, reason } => Event::SessionFailed { session, reason },
        media::Event::Layered { stream, rids } => Event::Layered { stream, rids },
        media::Event::Measured { stream, layer, resolution } => {
            Event::Measured { stream, layer, resolution }
        }
        media::Event::Level { stream, decibels } => Event::Level { stream, decibels },
        media::Event::Chosen { .. } | media::Event::KeyFrameWanted { .. } => return None,
    })
}

//! Translation between a room's effects and events and the media plane's.

use crate::{
    media,
    room::{AgreedMedia, Effect, Event, Negotiation},
};

/// What an effect means for the media plane; nothing for effects on views, connections and rooms,
/// nor for subscriptions, whose sources the mixing side knows.
pub(super) fn media_command(effect: Effect) -> Option<media::Command> {
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
        Effect::CloseSession { session } => media::Command::CloseSession { session },
        Effect::SetTrackActive { stream, kind, active } => {
            media::Command::SetTrackActive { stream, kind, active }
        }
        Effect::OpenSubscription { .. }
        | Effect::SwitchSubscription { .. }
        | Effect::ViewChanged { .. }
        | Effect::Disconnect { .. }
        | Effect::CloseRoom => return None,
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

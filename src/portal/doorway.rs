//! What every door needs of the house.

use std::{sync::Arc, time::Duration};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{ticket::Tickets, token::Tokens};
use crate::{config::ErrorFormat, driver::Registry};

/// The settings that doors go by.
#[derive(Debug, Clone)]
pub struct DoorwaySettings {
    /// Client connections at once, over all doors.
    pub max_connections: usize,
    /// In which form errors are told.
    pub error_format: ErrorFormat,
    /// How long a connection may be in no room.
    pub login_timeout: Duration,
    /// Requests of one connection that may wait for their turn; one more closes it.
    pub pending_requests: usize,
    /// Messages that may wait for a slow client; beyond, its connection is closed.
    pub outbox_length: usize,
    /// The largest message of a client, in bytes; a larger one closes its connection.
    pub max_message_bytes: usize,
    /// How long a reconnection ticket is good for.
    pub ticket_lifetime: Duration,
    /// How long the place of a participant is kept that leaves this to the server.
    pub reconnection_timeout: Duration,
}

/// The way from a door into the rooms. Cheap to clone.
#[derive(Clone)]
pub struct Doorway(Arc<Inner>);

struct Inner {
    registry: Registry,
    tokens: Tokens,
    tickets: Tickets,
    settings: DoorwaySettings,
    places: Arc<Semaphore>,
}

impl Doorway {
    /// Joins what a door needs.
    pub fn new(
        registry: Registry,
        tokens: Tokens,
        tickets: Tickets,
        settings: DoorwaySettings,
    ) -> Self {
        let places = Arc::new(Semaphore::new(settings.max_connections));
        Self(Arc::new(Inner { registry, tokens, tickets, settings, places }))
    }

    /// A place for one more client connection, to be kept as long as the connection; `None` when
    /// all are taken.
    pub fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0.places).try_acquire_owned().ok()
    }

    /// The running rooms.
    pub fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// Checks tokens.
    pub fn tokens(&self) -> &Tokens {
        &self.0.tokens
    }

    /// Issues and verifies reconnection tickets.
    pub fn tickets(&self) -> &Tickets {
        &self.0.tickets
    }

    /// The settings that doors go by.
    pub fn settings(&self) -> &DoorwaySettings {
        &self.0.settings
    }
}

//! Reconnection tickets.

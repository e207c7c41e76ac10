//! Tokens that admit participants.

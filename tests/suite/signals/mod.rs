//! The `signals` door from outside.

mod across;
mod connecting;
mod hostile;
mod media;
mod presence;
mod recovery;
mod transcript;

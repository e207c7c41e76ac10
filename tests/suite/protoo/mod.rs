//! The `protoo` door from outside.

mod across;
mod hostile;
mod media;
mod peers;
mod transcript;

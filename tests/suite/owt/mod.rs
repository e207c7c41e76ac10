//! The `owt` door from outside.

mod hostile;
mod media;
mod tokens;
mod transcript;

//! The `owt` door from outside.

mod media;
mod transcript;

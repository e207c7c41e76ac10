//! The `owt` door from outside.

mod transcript;

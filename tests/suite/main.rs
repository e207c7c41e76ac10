//! Everything that is tested from outside the crate, in one binary.

mod cli;
mod interop;
mod media;
mod owt;
mod store;
mod support;
mod tidy;

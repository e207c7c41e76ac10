//! Everything that is tested from outside the crate, in one binary.
#![allow(clippy::wildcard_enum_match_arm, reason = "whatever else comes fails the test")]

mod cli;
mod interop;
mod media;
mod owt;
mod store;
mod support;
mod tidy;

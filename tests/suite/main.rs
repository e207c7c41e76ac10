//! Everything that is tested from outside the crate, in one binary.
#![allow(clippy::wildcard_enum_match_arm, reason = "whatever else comes fails the test")]
#![allow(clippy::large_futures, reason = "a test has the stack to itself")]

mod admin;
mod cli;
mod interop;
mod live;
mod media;
mod mixing;
mod owt;
mod portal;
mod protoo;
mod signals;
mod store;
mod support;
mod tidy;

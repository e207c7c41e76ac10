//! The mixing agent.
fn main() {}

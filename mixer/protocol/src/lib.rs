//! The messages between the server and its mixing agent.

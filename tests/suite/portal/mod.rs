//! What holds at every door: whose pages may connect, and how TLS is spoken.

mod origins;
mod tls;

//! The door of `{action, data}` clients: WebSocket frames at `/signals`, in the words of the
//! room-signal dialect. `docs/protocols/signals.md` is its description.

mod connection;
mod decode;
mod downlinks;
mod encode;
mod message;
mod passes;
mod refusal;
mod seat;
mod socket;
mod stay;
mod uplink;

pub use self::{passes::Passes, socket::router};

//! The door of protoo clients: WebSocket frames at `/ws?peer=<uid>`, in the words of the "biz and
//! sfu" family of servers. `docs/protocols/protoo.md` is its description.

mod connection;
mod decode;
mod encode;
mod message;
mod peers;
mod refusal;
mod seat;
mod socket;
mod stay;

pub use self::socket::router;

//! The protocols of one peer connection: ICE, DTLS, SRTP, RTCP.

pub(crate) mod dtls;
pub(crate) mod ice;
pub(crate) mod rtcp;
pub(crate) mod srtp;

//! owt.

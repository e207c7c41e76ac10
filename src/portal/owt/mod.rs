//! The `owt` door.

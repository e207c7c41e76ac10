//! Runs rooms: one task each, between the doors and the media plane.

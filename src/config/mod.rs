//! The settings: `portal.toml`, its defaults and its checks.

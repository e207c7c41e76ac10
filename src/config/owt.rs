//! Keys of OWT's `portal.toml` that mean nothing here: taken with a warning that says what stands in
//! their place, so that the file of an OWT server works as it is.

/// A key that only OWT has.
pub(super) struct Foreign {
    table: &'static str,
    key: &'static str,
    /// What to do about it.
    pub(super) remedy: &'static str,
}

/// Tables that only OWT has.
pub(super) const TABLES: [&str; 4] = ["cluster", "capacity", "rabbit", "mongo"];

const ONE_PROCESS: &str = "remove it: the server is one process and joins no cluster";
const NO_PREFERENCE: &str = "remove it: a token leads to this server, whatever its `preference`";
const NO_QUEUE: &str = "remove it: no message queue is needed";

const KEYS: [Foreign; 16] = [
    foreign(
        "portal",
        "force_tls_v12",
        "remove it: nothing older than TLS 1.2 is spoken in any case",
    ),
    foreign(
        "portal",
        "networkInterface",
        "remove it: write the interface's address as `ip_address`, or a name as `hostname`",
    ),
    foreign("portal", "enable_grpc", ONE_PROCESS),
    foreign("portal", "stream_engine_name", ONE_PROCESS),
    foreign("portal", "customized_controller", ONE_PROCESS),
    foreign("cluster", "name", ONE_PROCESS),
    foreign("cluster", "join_retry", ONE_PROCESS),
    foreign("cluster", "report_load_interval", ONE_PROCESS),
    foreign("cluster", "max_load", "remove it: `max_connections` of [portal] bounds the load"),
    foreign("cluster", "grpc_host", ONE_PROCESS),
    foreign("cluster", "network_max_scale", ONE_PROCESS),
    foreign("capacity", "isps", NO_PREFERENCE),
    foreign("capacity", "regions", NO_PREFERENCE),
    foreign("rabbit", "host", NO_QUEUE),
    foreign("rabbit", "port", NO_QUEUE),
    foreign("mongo", "dataBaseURL", "remove it: `path` of [store] says where rooms are kept"),
];

const fn foreign(table: &'static str, key: &'static str, remedy: &'static str) -> Foreign {
    Foreign { table, key, remedy }
}

/// The key of this name, if it is one of OWT's.
pub(super) fn find(table: &str, key: &str) -> Option<&'static Foreign> {
    KEYS.iter().find(|known| known.table == table && known.key == key)
}

/// All keys that OWT has in a table and Portico has not.
pub(super) fn keys_of(table: &str) -> impl Iterator<Item = &'static str> + Clone {
    KEYS.iter().filter(move |known| known.table == table).map(|known| known.key)
}

//! `/healthz`: the process answers. `/readyz`: it serves logins.

use axum::{Router, http::StatusCode, routing::get};
use tokio::sync::watch;

/// Both probes; `shutdown` turns true when no more logins are served.
pub fn router(shutdown: watch::Receiver<bool>) -> Router {
    Router::new().route("/healthz", get(|| async { "ok\n" })).route(
        "/readyz",
        get(move || {
            let ready = !*shutdown.borrow();
            async move {
                if ready {
                    (StatusCode::OK, "ready\n")
                } else {
                    (StatusCode::SERVICE_UNAVAILABLE, "shutting down\n")
                }
            }
        }),
    )
}

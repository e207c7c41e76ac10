//! Which pages may speak to the doors (`[portal] cors`).
//!
//! Browsers ask about a page's origin (RFC 6454) before they let it read an answer, but never before
//! a WebSocket; so a request whose origin may not connect is refused here, whatever it wants. A
//! request without an origin comes from no page.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tower_http::cors::{AllowOrigin, CorsLayer};
use tracing::debug;

/// The origins whose pages may connect. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Origins(Arc<[String]>);

impl Origins {
    /// Those that are listed; `*` is any. The server's own pages may always.
    pub fn new(listed: &[String]) -> Self {
        Self(listed.into())
    }

    /// The answers to what browsers ask: as OWT's, with credentials.
    pub fn cors(&self) -> CorsLayer {
        let origins = self.clone();
        let allow = AllowOrigin::predicate(move |origin, _| origins.lists(origin.as_bytes()));
        CorsLayer::new().allow_origin(allow).allow_credentials(true)
    }

    fn lists(&self, origin: &[u8]) -> bool {
        self.0.iter().any(|listed| listed == "*" || listed.as_bytes() == origin)
    }

    fn allow(&self, headers: &HeaderMap) -> bool {
        let Some(origin) = headers.get(header::ORIGIN) else { return true };
        self.lists(origin.as_bytes()) || is_own(origin.as_bytes(), headers)
    }
}

/// Whether an origin is where the request went. What scheme is spoken there a proxy before the
/// server may have changed.
fn is_own(origin: &[u8], headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(header::HOST).map(|host| host.as_bytes()) else { return false };
    [&b"https://"[..], b"http://"].iter().any(|scheme| {
        origin.strip_prefix(*scheme).is_some_and(|origin| origin.eq_ignore_ascii_case(host))
    })
}

/// Refuses what comes from a page that may not connect.
pub async fn guard(State(origins): State<Origins>, request: Request, next: Next) -> Response {
    if origins.allow(request.headers()) {
        return next.run(request).await;
    }
    debug!("refused: [portal] cors does not list the page's origin");
    (StatusCode::FORBIDDEN, "this page may not connect here ([portal] cors)\n").into_response()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(origin: &'static str, host: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
        headers.insert(header::HOST, HeaderValue::from_static(host));
        headers
    }

    fn listing(listed: &[&str]) -> Origins {
        Origins(listed.iter().map(|origin| (*origin).to_owned()).collect())
    }

    #[test]
    fn a_star_is_everybody() {
        let any = listing(&["*"]);
        for origin in ["https://a.org", "null", "file://", ""] {
            assert!(any.allow(&headers(origin, "b.org")), "{origin}");
        }
    }

    #[test]
    fn the_listed_ones_and_the_servers_own_may_connect() {
        let some = listing(&["https://a.org", "http://b.org:8080"]);
        for (origin, host, allowed) in [
            ("https://a.org", "meet.org", true),
            ("http://a.org", "meet.org", false),
            ("https://a.org:8443", "meet.org", false),
            ("https://a.org.evil.org", "meet.org", false),
            ("http://b.org:8080", "meet.org", true),
            ("https://meet.org", "meet.org", true),
            ("http://meet.org:8080", "meet.org:8080", true),
            ("http://MEET.org:8080", "meet.org:8080", true),
            ("http://meet.org:8081", "meet.org:8080", false),
            ("wss://meet.org", "meet.org", false),
            ("null", "meet.org", false),
            ("", "", false),
        ] {
            assert_eq!(some.allow(&headers(origin, host)), allowed, "{origin} at {host}");
        }
        assert!(some.allow(&HeaderMap::new()), "no page at all");
    }
}

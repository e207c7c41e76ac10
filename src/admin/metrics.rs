//! `/metrics`: numbers about the server for Prometheus, in OpenMetrics text.
//!
//! Open to the machine itself; anybody else needs the super service's id and key, by HTTP basic
//! authentication, which Prometheus speaks. A request that a proxy passed on is anybody else's.

use std::{net::SocketAddr, time::SystemTime};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::ConstCounter, gauge::ConstGauge, info::Info},
    registry::Registry as Metrics,
};

use super::auth::{AuthError, Authenticator};
use crate::{config::Secret, driver::Registry, portal::listener::Peer};

/// What proxies add to what they pass on.
const PASSED_ON: [&str; 4] = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];

#[derive(Clone)]
struct Source {
    registry: Registry,
    authenticator: Authenticator,
    started: SystemTime,
}

/// `GET /metrics`.
pub fn router(registry: Registry, authenticator: Authenticator) -> Router {
    let source = Source { registry, authenticator, started: SystemTime::now() };
    Router::new().route("/metrics", get(metrics)).with_state(source)
}

async fn metrics(State(source): State<Source>, request: Request) -> Response {
    let peer = request.extensions().get::<Peer>().map(|Peer(peer)| *peer);
    if !is_local(peer, request.headers())
        && let Err(refused) = authenticate(&source.authenticator, request.headers()).await
    {
        return refused;
    }
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], source.text()).into_response()
}

fn is_local(peer: Option<SocketAddr>, headers: &HeaderMap) -> bool {
    let loopback = peer.is_some_and(|peer| peer.ip().to_canonical().is_loopback());
    loopback && !PASSED_ON.iter().any(|name| headers.contains_key(*name))
}

async fn authenticate(authenticator: &Authenticator, headers: &HeaderMap) -> Result<(), Response> {
    let refused = || {
        let challenge = HeaderValue::from_static(r#"Basic realm="portico", charset="UTF-8""#);
        let text = "the super service's id and key are needed from elsewhere\n";
        (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, challenge)], text).into_response()
    };
    let given = headers.get(header::AUTHORIZATION).and_then(|header| header.to_str().ok());
    let (id, key) = given.and_then(basic).ok_or_else(refused)?;
    match authenticator.verify_key(&id, &key).await {
        Ok(caller) if caller.is_super => Ok(()),
        Ok(_) | Err(AuthError::Refused | AuthError::Overrun) => Err(refused()),
        Err(AuthError::Store(error)) => {
            tracing::error!(%error, "cannot tell who wants metrics");
            Err(StatusCode::INTERNAL_SERVER_ERROR.into_response())
        }
    }
}

/// User and password of basic authentication (RFC 7617).
fn basic(header: &str) -> Option<(String, Secret)> {
    let decoded = STANDARD.decode(header.strip_prefix("Basic ")?).ok()?;
    let decoded = String::from_utf8(decoded).ok()?;
    let (user, password) = decoded.split_once(':')?;
    Some((user.to_owned(), password.to_owned().into()))
}

impl Source {
    fn text(&self) -> String {
        let mut metrics = Metrics::with_prefix("portico");
        let build = vec![("version", env!("CARGO_PKG_VERSION"))];
        metrics.register("build", "The running release", Info::new(build));
        let started = self.started.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        gauge(&mut metrics, "start_time_seconds", "When it started", started.as_secs());
        self.count_rooms(&mut metrics);
        self.count_packets(&mut metrics);
        let mut text = String::new();
        encode(&mut text, &metrics).expect("a String takes any text");
        text
    }

    fn count_rooms(&self, metrics: &mut Metrics) {
        let loads = self.registry.loads();
        let sum = |part: fn(&crate::room::RoomLoad) -> usize| -> u64 {
            loads.values().map(|load| part(load) as u64).sum()
        };
        gauge(metrics, "rooms", "Rooms that run", loads.len() as u64);
        gauge(metrics, "participants", "Participants in rooms", sum(|load| load.participants));
        gauge(metrics, "streams", "Forward streams", sum(|load| load.streams));
        gauge(metrics, "subscriptions", "Subscriptions", sum(|load| load.subscriptions));
    }

    fn count_packets(&self, metrics: &mut Metrics) {
        let media = self.registry.media_statistics();
        gauge(metrics, "transports", "Peer connections", media.transports);
        for (name, help, count) in [
            ("media_received_packets", "Datagrams that came", media.packets_in),
            ("media_sent_packets", "Datagrams that went", media.packets_out),
            ("media_received_bytes", "Bytes in datagrams that came", media.bytes_in),
            ("media_sent_bytes", "Bytes in datagrams that went", media.bytes_out),
            ("media_received_dropped_packets", "Datagrams of no use", media.dropped_in),
            ("media_sent_dropped_packets", "Datagrams not taken by the system", media.dropped_out),
        ] {
            metrics.register(name, help, ConstCounter::new(count));
        }
    }
}

fn gauge(metrics: &mut Metrics, name: &str, help: &str, value: u64) {
    let value = i64::try_from(value).unwrap_or(i64::MAX);
    metrics.register(name, help, ConstGauge::new(value));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_machine_itself_is_local() {
        let address = |text: &str| text.parse::<SocketAddr>().ok();
        let direct = HeaderMap::new();
        assert!(is_local(address("127.0.0.1:9"), &direct));
        assert!(is_local(address("[::1]:9"), &direct));
        assert!(is_local(address("[::ffff:127.0.0.1]:9"), &direct));
        assert!(!is_local(address("192.0.2.1:9"), &direct));
        assert!(!is_local(None, &direct));
        for name in PASSED_ON {
            let mut passed_on = HeaderMap::new();
            passed_on.insert(name, HeaderValue::from_static("192.0.2.1"));
            assert!(!is_local(address("127.0.0.1:9"), &passed_on), "{name}");
        }
    }

    #[test]
    fn basic_authentication_is_read() {
        let (user, password) = basic("Basic aWQ6YTpi").expect("read");
        assert_eq!((user.as_str(), password.reveal()), ("id", "a:b"));
        for bad in ["", "Basic", "Basic !", "Basic aWQ=", "Basic //8=", "MAuth aWQ6YTpi"] {
            assert!(basic(bad).is_none(), "{bad}");
        }
    }
}

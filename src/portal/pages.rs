//! The web pages, which are inside the executable.

use axum::{
    Router,
    body::Body,
    extract::Path,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{MethodRouter, get},
};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "web/"]
#[include = "admin/*"]
#[include = "demo/*"]
#[include = "shared/*"]
#[include = "vendor/*"]
struct Files;

/// Pages load nothing from elsewhere, except that the demo page may connect to any portal.
const CONTENT_POLICY: &str = "default-src 'self'; connect-src *; img-src 'self' data: blob:; \
                              media-src 'self' blob: mediastream:; frame-ancestors 'none'";

/// The dashboard at `/admin` and the files that it is made of, with those that all pages share.
/// What it shows it must ask for.
pub fn admin() -> Router {
    Router::new()
        .route("/admin", get(|| async { file("admin/index.html") }))
        .route("/admin/", get(|| async { file("admin/index.html") }))
        .route("/admin/{name}", folder("admin"))
        .route("/shared/{name}", folder("shared"))
}

/// The demo page at `/` and the files that it alone is made of.
pub fn router() -> Router {
    Router::new()
        .route("/", get(|| async { file("demo/index.html") }))
        .route("/demo/{name}", folder("demo"))
        .route("/vendor/{name}", folder("vendor"))
}

/// The files of a folder, by name.
fn folder(folder: &'static str) -> MethodRouter {
    get(move |Path(name): Path<String>| async move { file(&format!("{folder}/{name}")) })
}

fn file(path: &str) -> Response {
    let Some(file) = Files::get(path) else { return StatusCode::NOT_FOUND.into_response() };
    let mut response = Response::new(Body::from(file.data));
    let headers = response.headers_mut();
    let kind = content_type(path);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_POLICY));
    response
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        _ => "text/plain; charset=utf-8",
    }
}

//! The table of everything that the REST does, in the order of its document.

use axum::{
    Router,
    handler::Handler,
    http::Method,
    routing::{MethodFilter, MethodRouter, on},
};

use super::{
    Management, participants, patch::streams_patch, problem::Problem, rooms, services, streams,
    tokens, views,
};

/// One thing that can be asked for.
pub(super) struct Endpoint {
    pub(super) method: Method,
    /// Below `/v1` and `/v1.1` for rooms, below the root for services.
    pub(super) path: &'static str,
    pub(super) summary: &'static str,
    /// The name of the body's schema in the document, if there is a body.
    pub(super) body: Option<&'static str>,
    pub(super) answer: Answer,
    route: MethodRouter<Management>,
}

/// What a granted request is answered with.
#[derive(Clone, Copy)]
pub(super) enum Answer {
    /// JSON of the named schema.
    One(&'static str),
    /// A JSON array of the named schema.
    List(&'static str),
    /// Text.
    Text,
    /// Nothing.
    Empty,
    /// A JPEG picture.
    Picture,
    /// 501: it does not exist yet.
    Missing,
}

impl Endpoint {
    fn new<H, T>(
        method: Method,
        path: &'static str,
        summary: &'static str,
        body: Option<&'static str>,
        answer: Answer,
        handler: H,
    ) -> Self
    where
        H: Handler<T, Management>,
        T: 'static,
    {
        let filter = MethodFilter::try_from(method.clone()).expect("a method that axum routes");
        Self { method, path, summary, body, answer, route: on(filter, handler) }
    }
}

/// What concerns services.
pub(super) fn service_endpoints() -> Vec<Endpoint> {
    use Answer::{List, One, Text};
    let all = "/services";
    let one = "/services/{service}";
    vec![
        Endpoint::new(
            Method::POST,
            all,
            "Make a service (super service only)",
            Some("NewService"),
            One("Service"),
            services::create,
        ),
        Endpoint::new(
            Method::GET,
            all,
            "List services (super service only)",
            None,
            List("Service"),
            services::list,
        ),
        Endpoint::new(
            Method::GET,
            one,
            "Show a service (oneself, or super service)",
            None,
            One("Service"),
            services::show,
        ),
        Endpoint::new(
            Method::DELETE,
            one,
            "End a service's credentials (super service only)",
            None,
            Text,
            services::delete,
        ),
    ]
}

/// What concerns rooms.
pub(super) fn room_endpoints() -> Vec<Endpoint> {
    use Answer::{Empty, List, One, Picture, Text};
    let (get, post, put) = (Method::GET, Method::POST, Method::PUT);
    let (patch, delete) = (Method::PATCH, Method::DELETE);
    let mut endpoints = Vec::new();
    let mut add = |endpoint| endpoints.push(endpoint);
    let path = "/rooms";
    let made = "Make a room";
    add(Endpoint::new(post.clone(), path, made, Some("NewRoom"), One("Room"), rooms::create));
    add(Endpoint::new(get.clone(), path, "List rooms", None, List("Room"), rooms::list));
    let path = "/rooms/{room}";
    add(Endpoint::new(get.clone(), path, "Show a room", None, One("Room"), rooms::show));
    let what = "Replace parts of a room";
    add(Endpoint::new(put.clone(), path, what, Some("Room"), One("Room"), rooms::replace));
    let what = "Merge into a room (RFC 7396)";
    add(Endpoint::new(patch.clone(), path, what, Some("Room"), One("Room"), rooms::patch));
    let what = "Delete a room and drop everybody in it";
    add(Endpoint::new(delete.clone(), path, what, None, Text, rooms::delete));

    let path = "/rooms/{room}/participants";
    let (one, what) = ("Participant", "List participants");
    add(Endpoint::new(get.clone(), path, what, None, List(one), participants::list));
    let path = "/rooms/{room}/participants/{participant}";
    let what = "Show a participant";
    add(Endpoint::new(get.clone(), path, what, None, One(one), participants::show));
    let (what, body) = ("Change a participant's permission", Some("ParticipantPatch"));
    add(Endpoint::new(patch.clone(), path, what, body, One(one), participants::change));
    let what = "Drop a participant";
    add(Endpoint::new(delete.clone(), path, what, None, Empty, participants::remove));

    let path = "/rooms/{room}/streams";
    let (one, what) = ("Stream", "List streams");
    add(Endpoint::new(get.clone(), path, what, None, List(one), streams::list));
    let path = "/rooms/{room}/streams/{stream}";
    add(Endpoint::new(get.clone(), path, "Show a stream", None, One(one), streams::show));
    let (what, body) = ("Pause, resume, mix or lay out a stream", Some("StreamPatch"));
    add(Endpoint::new(patch, path, what, body, One(one), streams_patch));
    let what = "End a stream";
    add(Endpoint::new(delete.clone(), path, what, None, Empty, streams::remove));

    let path = "/rooms/{room}/tokens";
    let what = "Issue a token";
    add(Endpoint::new(post, path, what, Some("NewToken"), Text, tokens::create));
    let path = "/rooms/{room}/views/{view}/snapshot.jpg";
    add(Endpoint::new(get, path, "See a view", None, Picture, views::snapshot));
    let path = "/rooms/{room}/views/{view}/live";
    let what = "Broadcast a view live; the answer is the path of its playlist";
    add(Endpoint::new(put, path, what, None, Text, views::broadcast));
    let what = "Broadcast a view no longer";
    add(Endpoint::new(delete, path, what, None, Empty, views::end_broadcast));
    endpoints.extend(missing_endpoints());
    endpoints
}

/// What OWT has and Portico does not have yet.
fn missing_endpoints() -> Vec<Endpoint> {
    let collections: [(&str, &str, &[Method]); 9] = [
        ("/rooms/{room}/streaming-ins", "Streaming in", &[Method::GET, Method::POST]),
        ("/rooms/{room}/streaming-ins/{id}", "Streaming in", &[Method::DELETE]),
        ("/rooms/{room}/streaming-outs", "Streaming out", &[Method::GET, Method::POST]),
        ("/rooms/{room}/streaming-outs/{id}", "Streaming out", &[Method::PATCH, Method::DELETE]),
        ("/rooms/{room}/recordings", "Recording", &[Method::GET, Method::POST]),
        ("/rooms/{room}/recordings/{id}", "Recording", &[Method::PATCH, Method::DELETE]),
        ("/rooms/{room}/analytics", "Analytics", &[Method::GET, Method::POST]),
        ("/rooms/{room}/analytics/{id}", "Analytics", &[Method::DELETE]),
        ("/rooms/{room}/sipcalls", "SIP calls", &[Method::GET, Method::POST]),
    ];
    let calls = ("/rooms/{room}/sipcalls/{id}", "SIP calls", &[Method::PATCH, Method::DELETE][..]);
    let each = collections.into_iter().chain([calls]);
    each.flat_map(|(path, what, methods)| {
        methods.iter().map(move |method| {
            let answer = move || async move { Problem::not_implemented(what) };
            Endpoint::new(method.clone(), path, what, None, Answer::Missing, answer)
        })
    })
    .collect()
}

/// The routes for services.
pub(super) fn services(management: &Management) -> Router {
    routes(service_endpoints(), management)
}

/// The routes for rooms.
pub(super) fn rooms(management: &Management) -> Router {
    routes(room_endpoints(), management)
}

/// Routes with and without a slash at the end: OWT's own client writes both.
fn routes(endpoints: Vec<Endpoint>, management: &Management) -> Router {
    let all = endpoints.into_iter().fold(Router::new(), |router, endpoint| {
        let Endpoint { path, route, .. } = endpoint;
        router.route(path, route.clone()).route(&format!("{path}/"), route)
    });
    all.with_state(management.clone())
}

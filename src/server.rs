//! The composition root: makes the parts, joins them, and takes them down in order.

mod files;

use std::{
    io,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, SystemTime},
};

use axum::{
    Router,
    http::{Method, header},
    middleware,
};
use socketioxide::{ParserConfig, SocketIo};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
    task::JoinHandle,
};
use tokio_rustls::rustls;
use tracing::{error, info, warn};

use crate::{
    admin::{self, desk::Desk, health, socket::AdminSocket},
    config::{self, Config},
    driver::{Registry, RegistryOptions},
    ids::RoomId,
    live::{self, Live},
    media::{self, ListenAddress, Media},
    mixing::{self, Mixing},
    portal::{
        Doorway, DoorwaySettings,
        broadcasting::TokenAuthorizer,
        demo,
        engines::Engines,
        listener::Listener,
        origin::{self, Origins},
        owt, pages, protoo, signals,
        ticket::Tickets,
        tls::{self, TlsError},
        token::{Grants, Tokens},
    },
    store::{Store, StoreError},
};

/// How long a browser may remember that a page may upload.
const PREFLIGHT_LIFETIME: Duration = Duration::from_secs(600);

/// Why the server cannot run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The store does not open.
    #[error("the store does not open: {0}")]
    Store(#[from] StoreError),
    /// The certificate or key cannot be used.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] TlsError),
    /// The media plane does not start.
    #[error("the media plane does not start: {0}")]
    Media(#[from] media::StartError),
    /// Agents on other machines cannot be connected to.
    #[error("mixing cannot be set up: {0}")]
    Mixing(#[from] mixing::SetupError),
    /// A port cannot be bound.
    #[error("cannot listen on {address}: {error}; is another server running there? ({keys})")]
    Bind {
        /// The keys that name the port.
        keys: &'static str,
        /// The address.
        address: SocketAddr,
        /// The cause.
        error: io::Error,
    },
    /// The system refuses something basic.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// A running server.
pub struct Server {
    address: SocketAddr,
    rest_address: Option<SocketAddr>,
    registry: Registry,
    tokens: Tokens,
    store: Store,
    media: Media,
    live: Live,
    io: SocketIo,
    shutdown: watch::Sender<bool>,
    serving: Vec<JoinHandle<()>>,
}

impl Server {
    /// Starts everything; logins are served once this returns.
    ///
    /// # Errors
    /// When a part cannot start; what had started is taken down again.
    pub async fn start(config: &Config) -> Result<Self, RunError> {
        let tls = tls(&config.portal)?;
        files::allow(config.portal.max_connections);
        let store = Store::open(&config.store.path)?;
        let admin = AdminSocket::bind(store.directory())?;
        let media = Media::start(media_options(config)?)?;
        let most = config.portal.max_connections;
        let keys = "[portal] ip_address, port";
        let listener = bind(keys, config.portal.address(), tls.clone(), most).await?;
        let address = listener.address()?;
        let rest = match config.rest.listen {
            Some(address) => Some(bind("[rest] listen", address, tls, most).await?),
            None => None,
        };
        let rest_address = rest.as_ref().map(Listener::address).transpose()?;

        let demo_room = demo_room(&config.demo);
        let tokens = tokens(config, &store, address);
        let tickets = Tickets::new(&store);
        let options = registry_options(config, demo_room.clone());
        let live = Live::new(config.live.clone());
        let mixing = Mixing::start(&config.mixing, store.directory(), live.clone())?;
        let registry = Registry::new(options, store.clone(), media.clone(), mixing);
        let restored = registry.restore().await?;
        if restored.running > 0 {
            info!(rooms = restored.running, "participants of before may come back");
        }
        let doorway =
            Doorway::new(registry.clone(), tokens.clone(), tickets, doorway_settings(config));

        let (shutdown, down) = watch::channel(false);
        let (socket_io_layer, io) = socket_io(&config.portal);
        owt::open(&io, doorway.clone());
        let (rooms, issuer) = (registry.clone(), tokens.clone());
        let management = admin::router(config, store.clone(), rooms, issuer, demo_room.clone())
            .merge(health::router(down.clone()));
        let origins = Origins::new(&config.portal.cors);
        let passes = signals::Passes::default();
        let doors = Router::new()
            .merge(protoo::router(doorway.clone(), config.protoo.clone(), down.clone()))
            .merge(signals_door(config, doorway, passes.clone(), down.clone()))
            .merge(pages(&config.demo, demo_room, tokens.clone(), registry.clone()))
            .layer(socket_io_layer)
            .layer(origins.cors())
            .layer(middleware::from_fn_with_state(origins.clone(), origin::guard));
        let grants = Grants::new(tokens.clone(), config);
        let authorizer = TokenAuthorizer::new(tokens.clone(), grants.clone(), passes);
        let broadcasts = broadcasts(&origins, &live, authorizer);
        // In this order, whatever has no route falls through to the doors' layers.
        let router = management.clone().merge(broadcasts).merge(doors);
        let desk = Desk::new(store.clone(), grants);
        let mut serving = vec![
            tokio::spawn(admin.serve(desk, down.clone())),
            tokio::spawn(listener.serve(router, down.clone())),
            tokio::spawn(live.clone().sweep(down.clone())),
        ];
        serving.extend(rest.map(|rest| tokio::spawn(rest.serve(management, down))));
        info!(%address, rest = ?rest_address, tls = config.portal.ssl, "portal listens");
        Ok(Self {
            address,
            rest_address,
            registry,
            tokens,
            store,
            media,
            live,
            io,
            shutdown,
            serving,
        })
    }

    /// Where the portal listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the management REST listens on its own, if it does.
    pub fn rest_address(&self) -> Option<SocketAddr> {
        self.rest_address
    }

    /// The running rooms.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Issues tokens.
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// What outlives the process.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The media plane.
    pub fn media(&self) -> &Media {
        &self.media
    }

    /// The live broadcasts.
    pub fn live(&self) -> &Live {
        &self.live
    }

    /// Ends every connection and waits for the parts to end.
    pub async fn shut_down(self) {
        // Whoever watches has ended already when this fails.
        self.shutdown.send(true).ok();
        self.io.close().await;
        for task in self.serving {
            if let Err(error) = task.await {
                warn!(%error, "a listener did not end well");
            }
        }
        self.media.shutdown();
    }
}

/// Runs a server until the process is asked to end.
///
/// # Errors
/// When the server cannot start.
pub fn run(config: &Config) -> Result<(), RunError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let server = Server::start(config).await?;
        tokio::select! {
            _ = terminate.recv() => info!("asked to end (SIGTERM)"),
            _ = interrupt.recv() => info!("asked to end (SIGINT)"),
        }
        server.shut_down().await;
        Ok(())
    })
}

/// What TLS connections are served with. A certificate that counts no more is served all the same:
/// its clients may be told to look away, and a server that does not start serves nobody.
fn tls(portal: &config::Portal) -> Result<Option<Arc<rustls::ServerConfig>>, TlsError> {
    let Some(identity) = tls::identity(portal, SystemTime::now())? else { return Ok(None) };
    if let Some(untimely) = &identity.untimely {
        error!("{untimely}");
    }
    Ok(Some(Arc::new(identity.config)))
}

async fn bind(
    keys: &'static str,
    address: SocketAddr,
    tls: Option<Arc<rustls::ServerConfig>>,
    max_connections: usize,
) -> Result<Listener, RunError> {
    let bound = Listener::bind(address, tls, max_connections).await;
    bound.map_err(|error| RunError::Bind { keys, address, error })
}

fn media_options(config: &Config) -> io::Result<media::Options> {
    let media = &config.media;
    let listed = media.addresses.iter();
    let listed = listed.map(|entry| ListenAddress { bind: entry.bind, announce: entry.announce });
    let addresses = if !media.addresses.is_empty() {
        listed.collect()
    } else if config.portal.ip_address.is_loopback() {
        // Whoever reaches the portal over loopback reaches the media there, too.
        vec![ListenAddress { bind: config.portal.ip_address, announce: None }]
    } else {
        media::default_addresses()?
    };
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let workers = if media.workers == 0 { cores } else { media.workers.into() };
    Ok(media::Options { addresses, udp_port: media.udp_port, workers })
}

fn registry_options(config: &Config, demo_room: Option<RoomId>) -> RegistryOptions {
    RegistryOptions {
        demo_room,
        rooms: config.rooms.clone(),
        max_missed: config.portal.max_missed(),
    }
}

fn doorway_settings(config: &Config) -> DoorwaySettings {
    DoorwaySettings {
        max_connections: config.portal.max_connections,
        error_format: config.portal.error_format,
        login_timeout: config.portal.login_timeout,
        pending_requests: config.portal.pending_requests,
        outbox_length: config.portal.outbox_length,
        max_message_bytes: config.portal.max_message_bytes,
        ticket_lifetime: config.portal.reconnection_ticket_lifetime,
        reconnection_timeout: config.portal.reconnection_timeout,
    }
}

fn tokens(config: &Config, store: &Store, address: SocketAddr) -> Tokens {
    let portal = &config.portal;
    Tokens::new(store.clone(), portal.public_host(address), portal.public_secure())
}

fn demo_room(demo: &config::Demo) -> Option<RoomId> {
    demo.enabled.then(|| demo.room.clone())
}

fn signals_door(
    config: &Config,
    doorway: Doorway,
    passes: signals::Passes,
    down: watch::Receiver<bool>,
) -> Router {
    let engines = Engines::new(config.engines.clone());
    signals::router(doorway, config.signals.clone(), engines, passes, down)
}

fn pages(demo: &config::Demo, room: Option<RoomId>, tokens: Tokens, registry: Registry) -> Router {
    if demo.enabled {
        pages::router().merge(demo::router(room, tokens, registry))
    } else {
        Router::new()
    }
}

/// Players and packagers in pages of other origins, too, as `[portal] cors` says.
fn broadcasts(origins: &Origins, live: &Live, authorizer: TokenAuthorizer) -> Router {
    let cors = origins
        .cors()
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
        .max_age(PREFLIGHT_LIFETIME);
    live::router(live.clone(), Arc::new(authorizer)).layer(cors)
}

fn socket_io(portal: &config::Portal) -> (socketioxide::layer::SocketIoLayer, SocketIo) {
    // No dialect has binary packets, so a packet that declares attachments ends its connection.
    let parser = ParserConfig::common().max_incoming_binaries(0);
    SocketIo::builder()
        .with_parser(parser)
        .ping_interval(portal.ping_interval)
        .ping_timeout(portal.ping_timeout)
        .max_buffer_size(portal.outbox_length)
        .max_payload(portal.max_message_bytes as u64)
        .ws_max_message_size(portal.max_message_bytes)
        .ws_max_frame_size(portal.max_message_bytes)
        .build_layer()
}

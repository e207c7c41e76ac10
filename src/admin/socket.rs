//! The way to a running server's [`Desk`]: a Unix socket in the store's directory, which only its
//! owner can open. While a server runs, it alone has the store open.
//!
//! A connection carries one request and its answer, each a line of JSON.

use std::{
    fs::{self, File, Permissions},
    io,
    os::{fd::AsRawFd as _, unix::fs::PermissionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use serde::{Serialize, de::DeserializeOwned};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{UnixListener, UnixStream},
    sync::{Semaphore, watch},
    task::JoinSet,
    time::timeout,
};

use super::desk::{Answer, Desk, Request};

/// The socket's name in the store's directory.
const NAME: &str = "admin.sock";

/// The longest request, in bytes.
const MAX_REQUEST_BYTES: u64 = 64 * 1024;

/// The longest answer, in bytes: enough for a list of every service that there may be.
const MAX_ANSWER_BYTES: u64 = 16 * 1024 * 1024;

/// Connections at once; more wait.
const MAX_CONNECTIONS: usize = 16;

/// How long a request with its answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long to wait after a failed `accept`, for want of file descriptors for instance.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What a socket's path may be long (`sun_path` in unix(7) has 108 bytes with its end).
const MAX_PATH_BYTES: usize = 107;

/// A server's end.
#[derive(Debug)]
pub struct AdminSocket {
    listener: UnixListener,
    place: Place,
    patience: Duration,
}

impl AdminSocket {
    /// Listens in the store's directory. Call it only with the store open: a socket that is there
    /// already is then the leftover of a server that was killed, and is replaced.
    ///
    /// # Errors
    /// When the socket cannot be made.
    pub fn bind(directory: &Path) -> io::Result<Self> {
        Self::replace(directory).map_err(|error| {
            let what = format!("cannot make {}: {error}", directory.join(NAME).display());
            io::Error::new(error.kind(), what)
        })
    }

    fn replace(directory: &Path) -> io::Result<Self> {
        let place = Place::of(directory)?;
        // Restricted before it has its name, so that nobody comes in between.
        let fresh = place.path("admin.new");
        for leftover in [&fresh, &place.socket()] {
            match fs::remove_file(leftover) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        let listener = UnixListener::bind(&fresh)?;
        fs::set_permissions(&fresh, Permissions::from_mode(0o600))?;
        fs::rename(&fresh, place.socket())?;
        Ok(Self { listener, place, patience: PATIENCE })
    }

    /// Serves until `down` says `true` or its sender is gone.
    pub async fn serve(self, desk: Desk, mut down: watch::Receiver<bool>) {
        let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let mut serving = JoinSet::new();
        loop {
            while serving.try_join_next().is_some() {}
            let next = async {
                let place = places.clone().acquire_owned().await;
                (place, self.listener.accept().await)
            };
            let (place, accepted) = tokio::select! {
                _ = down.wait_for(|down| *down) => break,
                next = next => next,
            };
            match accepted {
                Ok((stream, _)) => {
                    let (desk, patience) = (desk.clone(), self.patience);
                    serving.spawn(async move {
                        let _place = place;
                        serve(stream, &desk, patience).await;
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "the admin socket does not accept");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        // Each is bounded by its own patience.
        while serving.join_next().await.is_some() {}
    }
}

impl Drop for AdminSocket {
    fn drop(&mut self) {
        // If it stays, the next server replaces it.
        let _ = fs::remove_file(self.place.socket());
    }
}

async fn serve(stream: UnixStream, desk: &Desk, patience: Duration) {
    match timeout(patience, converse(stream, desk)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a request on the admin socket failed"),
        Err(_) => tracing::debug!("a request on the admin socket took too long"),
    }
}

async fn converse(mut stream: UnixStream, desk: &Desk) -> io::Result<()> {
    let (reader, mut writer) = stream.split();
    let answer = match receive(reader, MAX_REQUEST_BYTES).await {
        Ok(request) => desk.answer(request).await,
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Answer::Refused(format!("the server does not understand the request: {error}"))
        }
        Err(error) => return Err(error),
    };
    writer.write_all(&line(&answer)?).await?;
    writer.shutdown().await
}

/// Asks the server that runs on the store in this directory; `None` if there is none.
///
/// # Errors
/// When there is one but it does not answer.
pub async fn ask(directory: &Path, request: &Request) -> io::Result<Option<Answer>> {
    use io::ErrorKind::{ConnectionRefused, NotADirectory, NotFound};
    let connected = match Place::of(directory) {
        Ok(place) => UnixStream::connect(place.socket()).await,
        Err(error) => Err(error),
    };
    let mut stream = match connected {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), ConnectionRefused | NotADirectory | NotFound) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let conversation = async {
        stream.write_all(&line(request)?).await?;
        receive(&mut stream, MAX_ANSWER_BYTES).await
    };
    let answer = timeout(PATIENCE, conversation).await.map_err(io::Error::from)??;
    Ok(Some(answer))
}

fn line(message: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    Ok(line)
}

async fn receive<T: DeserializeOwned>(reader: impl AsyncRead + Unpin, most: u64) -> io::Result<T> {
    let mut line = Vec::new();
    BufReader::new(reader.take(most)).read_until(b'\n', &mut line).await?;
    if line.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if line.last() != Some(&b'\n') {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is cut off or too long"));
    }
    serde_json::from_slice(&line).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// Where the socket is. A socket's path has a short bound, which a directory may exceed; it is then
/// reached by the number under which the directory is open.
#[derive(Debug)]
struct Place {
    reach: PathBuf,
    /// Kept open for as long as its number is used.
    _directory: Option<File>,
}

impl Place {
    fn of(directory: &Path) -> io::Result<Self> {
        if directory.join(NAME).as_os_str().len() <= MAX_PATH_BYTES {
            return Ok(Self { reach: directory.into(), _directory: None });
        }
        let open = File::open(directory)?;
        let reach = PathBuf::from(format!("/proc/self/fd/{}", open.as_raw_fd()));
        Ok(Self { reach, _directory: Some(open) })
    }

    fn socket(&self) -> PathBuf {
        self.path(NAME)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.reach.join(name)
    }
}

#[cfg(test)]
mod tests;

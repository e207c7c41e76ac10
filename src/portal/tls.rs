//! The certificate and private key of the portal, from a PFX file as OWT has it or from PEM files.

mod validity;

use std::{
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
    time::SystemTime,
};

use p12_keystore::Pkcs12Archive;
use rustls_pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem, pem::PemObject as _,
};
use tokio_rustls::rustls::{self, ServerConfig, crypto::aws_lc_rs};

pub use self::validity::Untimely;
use crate::config::{Portal, Secret};

/// The largest key or certificate file, in bytes.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// Why TLS cannot be set up; says what to do.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// No file is named.
    #[error("ssl = true needs a certificate; set [portal] keystorePath to a PFX or PEM file")]
    NoKeystore,
    /// A file cannot be read.
    #[error("{path} cannot be read: {error}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The cause.
        error: io::Error,
    },
    /// The PFX file does not open.
    #[error(
        "{path} does not open as a PFX file: {error}; is the password right? \
         ([portal] keystorePassword or PORTICO_KEYSTORE_PASSWORD)"
    )]
    Pfx {
        /// The file.
        path: PathBuf,
        /// The cause.
        error: p12_keystore::error::Error,
    },
    /// A PEM file is broken.
    #[error("{path} is not a PEM file: {error}")]
    Pem {
        /// The file.
        path: PathBuf,
        /// The cause.
        error: pem::Error,
    },
    /// The file holds no certificate.
    #[error("{path} has no certificate; name a PFX or PEM file with the certificate and its chain")]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// The file holds no private key.
    #[error(
        "{path} has no private key that is not encrypted; name the PEM file that has it \
         ([portal] keystoreKeyPath)"
    )]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// Certificate and key do not go together, or are of a kind that TLS does not have.
    #[error("{path} is of no use for TLS: {error}")]
    Unfit {
        /// The certificate's file.
        path: PathBuf,
        /// The cause.
        error: rustls::Error,
    },
}

/// Who the portal is in TLS connections.
#[derive(Debug)]
pub struct Identity {
    /// What the connections are served with.
    pub config: ServerConfig,
    /// What the time has done to the certificate, if clients refuse it for that.
    pub untimely: Option<Untimely>,
}

/// Who the portal is in TLS connections; `None` if the settings want none.
///
/// # Errors
/// When certificate or key cannot be read or used.
pub fn identity(portal: &Portal, now: SystemTime) -> Result<Option<Identity>, TlsError> {
    if !portal.ssl {
        return Ok(None);
    }
    let path = portal.keystore_path.as_deref().ok_or(TlsError::NoKeystore)?;
    let bytes = read(path)?;
    let is_pem = bytes.windows(PEM_START.len()).any(|window| window == PEM_START);
    let (chain, key) = if is_pem {
        from_pem(path, &bytes, portal.keystore_key_path.as_deref())?
    } else {
        from_pfx(path, &bytes, &portal.keystore_password)?
    };
    let untimely = validity::check(path, &chain, now);
    let unfit = |error| TlsError::Unfit { path: path.into(), error };
    let mut config = ServerConfig::builder_with_provider(aws_lc_rs::default_provider().into())
        .with_safe_default_protocol_versions()
        .map_err(unfit)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(unfit)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Some(Identity { config, untimely }))
}

const PEM_START: &[u8] = b"-----BEGIN ";

type ChainAndKey = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn from_pem(path: &Path, bytes: &[u8], key_path: Option<&Path>) -> Result<ChainAndKey, TlsError> {
    let chain = CertificateDer::pem_slice_iter(bytes)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| TlsError::Pem { path: path.into(), error })?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate { path: path.into() });
    }
    let key = match key_path {
        Some(key_path) => pem_key(key_path, &read(key_path)?)?,
        None => pem_key(path, bytes)?,
    };
    Ok((chain, key))
}

fn pem_key(path: &Path, bytes: &[u8]) -> Result<PrivateKeyDer<'static>, TlsError> {
    match PrivateKeyDer::from_pem_slice(bytes) {
        Ok(key) => Ok(key),
        Err(pem::Error::NoItemsFound) => Err(TlsError::NoKey { path: path.into() }),
        Err(error) => Err(TlsError::Pem { path: path.into(), error }),
    }
}

fn from_pfx(path: &Path, bytes: &[u8], password: &Secret) -> Result<ChainAndKey, TlsError> {
    let archive = Pkcs12Archive::from_pkcs12(bytes, password.reveal())
        .map_err(|error| TlsError::Pfx { path: path.into(), error })?;
    let key = archive.keys.first().ok_or_else(|| TlsError::NoKey { path: path.into() })?;
    let key_id = key.local_key_id.as_ref().map(AsRef::as_ref);
    // The key's own certificate comes first on the wire (RFC 8446, 4.4.2); where none is marked as
    // such, writers of PFX files put it first.
    let is_own = |id: &Option<Vec<u8>>| id.is_some() && id.as_deref() == key_id;
    let (own, others): (Vec<_>, Vec<_>) =
        archive.certs.iter().partition(|bag| is_own(&bag.local_key_id));
    let chain: Vec<_> = own
        .into_iter()
        .chain(others)
        .map(|bag| CertificateDer::from(bag.cert.as_der().to_vec()))
        .collect();
    if chain.is_empty() {
        return Err(TlsError::NoCertificate { path: path.into() });
    }
    Ok((chain, PrivatePkcs8KeyDer::from(key.key.as_der().to_vec()).into()))
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    let unreadable = |error| TlsError::Unreadable { path: path.into(), error };
    let mut bytes = Vec::new();
    let mut limited = fs::File::open(path).map_err(unreadable)?.take(MAX_FILE_BYTES + 1);
    limited.read_to_end(&mut bytes).map_err(unreadable)?;
    if limited.limit() == 0 {
        let what = format!("it is longer than {MAX_FILE_BYTES} bytes");
        return Err(unreadable(io::Error::new(io::ErrorKind::FileTooLarge, what)));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;

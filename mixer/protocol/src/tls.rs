//! TLS between servers and agents on other machines: each end shows a certificate and admits only
//! those that one authority has signed.

use std::{
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    AlertDescription, CertificateError, ClientConfig, RootCertStore, ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject as _},
    server::WebPkiClientVerifier,
    version::TLS13,
};

/// The largest file that is read, in bytes.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// The files of one end, all PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The authority that signed the other end's certificate.
    pub ca: PathBuf,
    /// This end's certificate with its chain.
    pub certificate: PathBuf,
    /// Its private key, not encrypted.
    pub key: PathBuf,
}

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{path} cannot be read: {error}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The cause.
        error: io::Error,
    },
    /// A file is broken.
    #[error("{path} is not a PEM file: {error}")]
    Pem {
        /// The file.
        path: PathBuf,
        /// The cause.
        error: pem::Error,
    },
    /// A file has no certificate.
    #[error("{0} has no certificate")]
    NoCertificate(PathBuf),
    /// A file has no private key.
    #[error("{0} has no private key that is not encrypted")]
    NoKey(PathBuf),
    /// Certificate and key do not go together, or are of a kind that TLS does not have.
    #[error("{path} is of no use for TLS: {error}")]
    Unfit {
        /// The certificate's file.
        path: PathBuf,
        /// The cause.
        error: rustls::Error,
    },
    /// The authority is of no use.
    #[error("{path} is of no use as an authority: {error}")]
    Authority {
        /// The file.
        path: PathBuf,
        /// The cause.
        error: rustls::server::VerifierBuilderError,
    },
}

impl Files {
    /// What a server connects to agents with.
    ///
    /// # Errors
    /// When a file cannot be read or used.
    pub fn client_config(&self) -> Result<ClientConfig, TlsError> {
        let roots = self.roots()?;
        let (chain, key) = self.identity()?;
        ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13])
            .and_then(|builder| {
                builder.with_root_certificates(roots).with_client_auth_cert(chain, key)
            })
            .map_err(|error| self.unfit(error))
    }

    /// What an agent takes servers' connections with.
    ///
    /// # Errors
    /// When a file cannot be read or used.
    pub fn server_config(&self) -> Result<ServerConfig, TlsError> {
        let roots = Arc::new(self.roots()?);
        let (chain, key) = self.identity()?;
        let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider()).build();
        let verifier =
            verifier.map_err(|error| TlsError::Authority { path: self.ca.clone(), error })?;
        ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13])
            .and_then(|builder| {
                builder.with_client_cert_verifier(verifier).with_single_cert(chain, key)
            })
            .map_err(|error| self.unfit(error))
    }

    fn unfit(&self, error: rustls::Error) -> TlsError {
        TlsError::Unfit { path: self.certificate.clone(), error }
    }

    fn roots(&self) -> Result<RootCertStore, TlsError> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(&self.ca)? {
            let added = roots.add(certificate);
            added.map_err(|error| TlsError::Unfit { path: self.ca.clone(), error })?;
        }
        Ok(roots)
    }

    fn identity(&self) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsError> {
        let chain = certificates(&self.certificate)?;
        let key = match PrivateKeyDer::from_pem_slice(&read(&self.key)?) {
            Ok(key) => key,
            Err(pem::Error::NoItemsFound) => return Err(TlsError::NoKey(self.key.clone())),
            Err(error) => return Err(TlsError::Pem { path: self.key.clone(), error }),
        };
        Ok((chain, key))
    }
}

/// What a connection's failure means, if it is about certificates: for an operator, about the other
/// end.
pub fn refusal(error: &io::Error) -> Option<&'static str> {
    let error = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    #[expect(clippy::wildcard_enum_match_arm, reason = "other failures speak for themselves")]
    match error {
        rustls::Error::InvalidCertificate(fault) => Some(match fault {
            // The second is an authority of the same name.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                "its certificate is not signed by our authority"
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "its certificate has expired"
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "its certificate is for another name"
            }
            _ => "its certificate is not valid",
        }),
        rustls::Error::NoCertificatesPresented => Some("it shows no certificate"),
        rustls::Error::AlertReceived(
            AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRequired
            | AlertDescription::CertificateRevoked
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::DecryptError
            | AlertDescription::AccessDenied,
        ) => Some("it refuses our certificate"),
        _ => None,
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let certificates = CertificateDer::pem_slice_iter(&read(path)?).collect::<Result<Vec<_>, _>>();
    let certificates =
        certificates.map_err(|error| TlsError::Pem { path: path.to_owned(), error })?;
    if certificates.is_empty() {
        return Err(TlsError::NoCertificate(path.to_owned()));
    }
    Ok(certificates)
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    let unreadable = |error| TlsError::Unreadable { path: path.to_owned(), error };
    let mut bytes = Vec::new();
    let mut limited = fs::File::open(path).map_err(unreadable)?.take(MAX_FILE_BYTES + 1);
    limited.read_to_end(&mut bytes).map_err(unreadable)?;
    if limited.limit() == 0 {
        let what = format!("it is longer than {MAX_FILE_BYTES} bytes");
        return Err(unreadable(io::Error::new(io::ErrorKind::FileTooLarge, what)));
    }
    Ok(bytes)
}

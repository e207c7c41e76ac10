//! Certificates for `localhost` from an authority of their own, in the forms in which files have
//! them.

use std::{path::Path, sync::Arc};

use p12_keystore::{Certificate, KeyStore, KeyStoreEntry, PrivateKey, PrivateKeyChain};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs},
};

/// A certificate with its authority's and its key.
pub(crate) struct Issued {
    authority: rcgen::Certificate,
    certificate: rcgen::Certificate,
    key: KeyPair,
}

impl Issued {
    /// One that counts until the end of a year.
    pub(crate) fn until(year: i32) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("valid");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, "authority");
        let authority = KeyPair::generate().expect("a key");
        let authority = CertifiedIssuer::self_signed(params, authority).expect("signed");
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(vec!["localhost".into()]).expect("valid");
        params.not_after = rcgen::date_time_ymd(year, 12, 31);
        let certificate = params.signed_by(&key, &authority).expect("signed");
        Self { authority: authority.as_ref().clone(), certificate, key }
    }

    /// One that counts.
    pub(crate) fn fresh() -> Self {
        Self::until(4000)
    }

    /// The chain as a PEM file.
    pub(crate) fn write_chain(&self, path: &Path) {
        let chain = self.certificate.pem() + &self.authority.pem();
        std::fs::write(path, chain).expect("written");
    }

    /// The key as a PEM file.
    pub(crate) fn write_key(&self, path: &Path) {
        std::fs::write(path, self.key.serialize_pem()).expect("written");
    }

    /// Everything as a PFX file.
    pub(crate) fn write_pfx(&self, path: &Path, password: &str) {
        let certificates = [&self.certificate, &self.authority]
            .map(|certificate| Certificate::from_der(certificate.der()).expect("a certificate"));
        let key = PrivateKey::from_der(&self.key.serialize_der()).expect("a key");
        let mut store = KeyStore::new();
        let chain = PrivateKeyChain::new("1", key, certificates);
        store.add_entry("portal", KeyStoreEntry::PrivateKeyChain(chain));
        std::fs::write(path, store.writer(password).write().expect("a store")).expect("written");
    }

    /// A client that trusts the authority and nobody else.
    pub(crate) fn connector(&self) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.der().clone()).expect("a root");
        let config = ClientConfig::builder_with_provider(aws_lc_rs::default_provider().into())
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        TlsConnector::from(Arc::new(config))
    }
}

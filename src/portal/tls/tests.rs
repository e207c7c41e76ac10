use std::{
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use p12_keystore::{Certificate, KeyStore, KeyStoreEntry, PrivateKey, PrivateKeyChain};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls_pki_types::ServerName;
use tokio_rustls::{TlsAcceptor, TlsConnector, rustls::RootCertStore};

use super::*;

/// An authority, and a certificate for `localhost` that it issued.
struct Issued {
    authority: rcgen::Certificate,
    certificate: rcgen::Certificate,
    key: KeyPair,
}

fn issued() -> Issued {
    let mut params = CertificateParams::new(Vec::new()).expect("valid");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, "authority");
    let authority =
        CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("signed");
    let key = KeyPair::generate().expect("a key");
    let certificate = CertificateParams::new(vec!["localhost".into()])
        .expect("valid")
        .signed_by(&key, &authority)
        .expect("signed");
    Issued { authority: authority.as_ref().clone(), certificate, key }
}

fn pfx(issued: &Issued, password: &str) -> Vec<u8> {
    let certs = [&issued.certificate, &issued.authority]
        .map(|certificate| Certificate::from_der(certificate.der()).expect("a certificate"));
    let key = PrivateKey::from_der(&issued.key.serialize_der()).expect("a key");
    let mut store = KeyStore::new();
    let chain = PrivateKeyChain::new("1", key, certs);
    store.add_entry("portal", KeyStoreEntry::PrivateKeyChain(chain));
    store.writer(password).write().expect("written")
}

struct Files {
    directory: tempfile::TempDir,
}

impl Files {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().expect("a directory") }
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.directory.path().join(name);
        fs::write(&path, content).expect("written");
        path
    }
}

fn portal(keystore: &Path, key: Option<&Path>, password: &str) -> Portal {
    let mut portal = crate::config::Config::default().portal;
    portal.ssl = true;
    portal.keystore_path = Some(keystore.into());
    portal.keystore_key_path = key.map(Into::into);
    portal.keystore_password = password.to_owned().into();
    portal
}

/// A client that trusts the authority shakes hands with a server of these settings.
async fn shake_hands(portal: &Portal, authority: &rcgen::Certificate) {
    let server = identity(portal, SystemTime::now()).expect("usable").expect("TLS is on");
    assert_eq!(server.untimely, None);
    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone()).expect("a root");
    let client = rustls::ClientConfig::builder_with_provider(aws_lc_rs::default_provider().into())
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let (near, far) = tokio::io::duplex(64 * 1024);
    let name = ServerName::try_from("localhost").expect("a name");
    let connecting = TlsConnector::from(Arc::new(client)).connect(name, near);
    let accepting = TlsAcceptor::from(Arc::new(server.config)).accept(far);
    let (connected, accepted) = tokio::join!(connecting, accepting);
    connected.expect("the client trusts the server");
    accepted.expect("the server accepts the client");
}

#[tokio::test]
async fn a_pfx_file_serves() {
    let (issued, files) = (issued(), Files::new());
    let path = files.write("certificate.pfx", pfx(&issued, "open sesame"));
    shake_hands(&portal(&path, None, "open sesame"), &issued.authority).await;
}

#[tokio::test]
async fn pem_files_serve_together_and_apart() {
    let (issued, files) = (issued(), Files::new());
    let chain = issued.certificate.pem() + &issued.authority.pem();
    let key = files.write("key.pem", issued.key.serialize_pem());
    let apart = files.write("chain.pem", &chain);
    shake_hands(&portal(&apart, Some(&key), ""), &issued.authority).await;
    let together = files.write("both.pem", chain + &issued.key.serialize_pem());
    shake_hands(&portal(&together, None, ""), &issued.authority).await;
}

#[test]
fn no_tls_is_wanted_by_default() {
    let portal = crate::config::Config::default().portal;
    assert!(identity(&portal, SystemTime::now()).expect("nothing to do").is_none());
}

#[test]
fn what_does_not_serve_is_told() {
    let (issued, files) = (issued(), Files::new());
    let refusal = |portal: &Portal| identity(portal, SystemTime::now()).expect_err("refused");
    let chain = files.write("chain.pem", issued.certificate.pem());
    let other_key = files.write("other.pem", KeyPair::generate().expect("a key").serialize_pem());
    let good = files.write("good.pfx", pfx(&issued, "right"));
    let empty = files.write("empty.pfx", "");

    let error = refusal(&portal(&good, None, "wrong"));
    assert!(matches!(error, TlsError::Pfx { .. }), "{error}");
    assert!(!error.to_string().contains("wrong"), "{error}");
    let error = refusal(&portal(&empty, None, ""));
    assert!(matches!(error, TlsError::Pfx { .. }), "{error}");
    let error = refusal(&portal(&chain, None, ""));
    assert!(matches!(error, TlsError::NoKey { .. }), "{error}");
    let error = refusal(&portal(&other_key, None, ""));
    assert!(matches!(error, TlsError::NoCertificate { .. }), "{error}");
    let error = refusal(&portal(&chain, Some(&other_key), ""));
    assert!(matches!(error, TlsError::Unfit { .. }), "{error}");
    let missing = files.directory.path().join("missing.pem");
    let error = refusal(&portal(&missing, None, ""));
    assert!(matches!(error, TlsError::Unreadable { .. }), "{error}");
    let mut nothing = portal(&missing, None, "");
    nothing.keystore_path = None;
    assert!(matches!(refusal(&nothing), TlsError::NoKeystore));
}

#[test]
fn a_certificate_out_of_its_time_is_told_but_serves() {
    let (issued, files) = (issued(), Files::new());
    let pem = files.write("both.pem", issued.certificate.pem() + &issued.key.serialize_pem());
    let store = files.write("store.pfx", pfx(&issued, "x"));
    // rcgen's certificates count from 1975 to 4096 unless it is told otherwise.
    const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
    for portal in [portal(&pem, None, ""), portal(&store, None, "x")] {
        let told = |now| {
            let identity = identity(&portal, now).expect("usable").expect("TLS is on");
            identity.untimely.map(|untimely| untimely.to_string())
        };
        assert_eq!(told(SystemTime::now()), None);
        let late = told(UNIX_EPOCH + 2200 * YEAR).expect("expired");
        assert!(late.contains("expired on 4096-01-01T00:00:00Z"), "{late}");
        let early = told(UNIX_EPOCH + 2 * YEAR).expect("not yet valid");
        assert!(early.contains("counts from 1975-01-01T00:00:00Z on"), "{early}");
    }
}

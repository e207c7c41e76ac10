use std::path::{Path, PathBuf};

use portico_mixer_protocol::VERSION;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::{io::AsyncReadExt as _, net::TcpListener, sync::mpsc};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::mixing::{link::tests::Peer, testing::look};

/// An authority and the certificates that it signs, as files.
struct Authority {
    folder: tempfile::TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("an authority");
        std::fs::write(folder.path().join("ca.pem"), issuer.pem()).expect("written");
        Self { folder, issuer }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Files of somebody known under a name.
    fn sign(&self, name: &str) -> Files {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        let certificate = params.signed_by(&key, &self.issuer).expect("signed");
        let path = |suffix: &str| self.path(&format!("{name}{suffix}"));
        std::fs::write(path(".pem"), certificate.pem()).expect("written");
        std::fs::write(path("-key.pem"), key.serialize_pem()).expect("written");
        Files { ca: self.path("ca.pem"), certificate: path(".pem"), key: path("-key.pem") }
    }
}

/// A machine whose agents greet and then say nothing.
struct Host {
    address: String,
    came: mpsc::UnboundedReceiver<()>,
}

async fn host(files: &Files) -> Host {
    let acceptor = TlsAcceptor::from(Arc::new(files.server_config().expect("good files")));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound").to_string();
    let (coming, came) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            let (acceptor, coming) = (acceptor.clone(), coming.clone());
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                coming.send(()).ok();
                let mut peer = Peer::new(&mut stream);
                peer.greet(VERSION).await;
                // Until the server has enough.
                stream.read_to_end(&mut Vec::new()).await.ok();
            });
        }
    });
    Host { address, came }
}

fn machines(addresses: &[&str], files: &Files) -> Machines {
    let Files { ca, certificate, key } = files.clone();
    let agents = addresses.iter().map(|address| (*address).to_owned()).collect();
    let config = config::Mixing {
        agents,
        ca: Some(ca),
        certificate: Some(certificate),
        key: Some(key),
        ..look()
    };
    Machines::new(&config).expect("good settings")
}

fn rooms(machines: &Machines) -> Vec<usize> {
    machines.machines.iter().map(|it| it.rooms.load(Ordering::Relaxed)).collect()
}

#[tokio::test]
async fn rooms_go_where_there_are_least_of_them() {
    let authority = Authority::new();
    let files = authority.sign("127.0.0.1");
    let (mut one, mut two) = (host(&files).await, host(&files).await);
    let mut machines = machines(&[&one.address, &two.address], &authority.sign("server"));
    let first = machines.start().await.expect("an agent");
    one.came.recv().await.expect("the first");
    let _second = machines.start().await.expect("an agent");
    two.came.recv().await.expect("the other one");
    let _third = machines.start().await.expect("an agent");
    assert_eq!(rooms(&machines), [2, 1]);
    drop(first);
    assert_eq!(rooms(&machines), [1, 1]);
}

#[tokio::test]
async fn a_machine_that_cannot_be_reached_is_asked_last() {
    let authority = Authority::new();
    let closed = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let nowhere = closed.local_addr().expect("bound").to_string();
    drop(closed);
    let there = host(&authority.sign("127.0.0.1")).await;
    let mut machines = machines(&[&nowhere, &there.address], &authority.sign("server"));
    let _room = machines.start().await.expect("the other one");
    assert_eq!(rooms(&machines), [0, 1]);
    let order = machines.by_preference();
    assert_eq!(order[0].address, there.address, "although it has more rooms");
    let (_, found) = machines.look(0).await;
    assert!(matches!(found, Err(NoAgent::Died(_))), "{found:?}");
}

#[tokio::test]
async fn without_any_machine_it_may_go_better_the_next_time() {
    let authority = Authority::new();
    let closed = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let nowhere = closed.local_addr().expect("bound").to_string();
    drop(closed);
    let mut machines = machines(&[&nowhere], &authority.sign("server"));
    let lost = machines.start().await.err();
    assert_eq!(lost, Some(NoAgent::Died("no mixing agent can be reached".into())));
    assert_eq!(rooms(&machines), [0]);
}

async fn refusal(machine: &Files, server: &Files) -> NoAgent {
    let host = host(machine).await;
    let mut machines = machines(&[&host.address], server);
    let lost = machines.look(0).await.1.expect_err("refused");
    let started = machines.start().await.err();
    assert_eq!(started, Some(NoAgent::Useless("no mixing agent can be used".into())));
    lost
}

#[tokio::test]
async fn both_ends_admit_only_whom_their_authority_has_signed() {
    let (authority, other) = (Authority::new(), Authority::new());
    let meaning = |meaning: &str| NoAgent::Useless(meaning.into());
    let strange = other.sign("127.0.0.1");
    let lost = refusal(&strange, &authority.sign("server")).await;
    assert_eq!(lost, meaning("its certificate is not signed by our authority"));

    // The server knows the agent's authority, and is itself of another one.
    let server = Files { ca: authority.path("ca.pem"), ..other.sign("server") };
    let lost = refusal(&authority.sign("127.0.0.1"), &server).await;
    assert_eq!(lost, meaning("it refuses our certificate"));

    let lost = refusal(&authority.sign("mixer.example.org"), &authority.sign("server")).await;
    assert_eq!(lost, meaning("its certificate is for another name"));
}

#[test]
fn settings_that_cannot_work_say_what_to_do() {
    let authority = Authority::new();
    let Files { ca, certificate, key } = authority.sign("server");
    let with = |ca: Option<&Path>, key: &Path, agents: &str| {
        let config = config::Mixing {
            agents: vec![agents.to_owned()],
            ca: ca.map(Path::to_owned),
            certificate: Some(certificate.clone()),
            key: Some(key.to_owned()),
            ..look()
        };
        Machines::new(&config).err().expect("refused").to_string()
    };
    let agents = "mixer.example.org:7070";
    assert!(with(None, &key, agents).contains("[mixing] agents needs ca"));
    let missing = authority.path("missing.pem");
    assert!(with(Some(&missing), &key, agents).contains("missing.pem cannot be read"));
    assert!(with(Some(&ca), &ca, agents).contains("ca.pem has no private key"));
    assert!(with(Some(&key), &key, agents).contains("has no certificate"));
    assert!(with(Some(&ca), &authority.sign("else").key, agents).contains("is of no use for TLS"));
    assert!(with(Some(&ca), &key, "a b:7070").contains("\"a b:7070\" has no host name"));
}

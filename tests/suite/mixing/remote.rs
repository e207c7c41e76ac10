//! Mixing agents on other machines, played by this one.

use std::{
    net::SocketAddr,
    path::PathBuf,
    process::Stdio,
    time::{Duration, Instant},
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStderr, Command},
    time::timeout,
};

use super::stage::{BLUE, PATIENCE, RED, Speaker, Viewer, agents_of};
use crate::support::{
    guest::Guest,
    media_peer::Codec,
    server::{TestServer, mixer},
};

const FIRST: (f64, f64) = (0.25, 0.25);
const SECOND: (f64, f64) = (0.75, 0.25);

/// An authority and what it has signed, as files.
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

    /// Writes a certificate and its key, and gives their paths.
    fn sign(&self, name: &str) -> [PathBuf; 2] {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        let certificate = params.signed_by(&key, &self.issuer).expect("signed");
        let paths = [self.path(&format!("{name}.pem")), self.path(&format!("{name}-key.pem"))];
        std::fs::write(&paths[0], certificate.pem()).expect("written");
        std::fs::write(&paths[1], key.serialize_pem()).expect("written");
        paths
    }
}

/// `portico-mixer --listen`. It ends with this.
struct Machine {
    process: Child,
    address: SocketAddr,
    log: Lines<BufReader<ChildStderr>>,
}

impl Machine {
    async fn start(authority: &Authority) -> Self {
        Self::start_at("127.0.0.1:0", authority).await
    }

    async fn start_at(address: &str, authority: &Authority) -> Self {
        let [certificate, key] = authority.sign("127.0.0.1");
        let mut command = Command::new(mixer());
        command.args(["--listen", address]).arg("--ca").arg(authority.path("ca.pem"));
        command.arg("--certificate").arg(certificate).arg("--key").arg(key);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.kill_on_drop(true).env("NO_COLOR", "1");
        let mut process = command.spawn().expect("it starts");
        let log = BufReader::new(process.stderr.take().expect("piped")).lines();
        let mut lines = BufReader::new(process.stdout.take().expect("piped")).lines();
        let line = timeout(PATIENCE, lines.next_line()).await.expect("in time");
        let line = line.expect("readable").expect("it says where it listens");
        let address = line.rsplit(' ').next().expect("a last word");
        Self { process, address: address.parse().expect("an address"), log }
    }

    fn pid(&self) -> u32 {
        self.process.id().expect("it runs")
    }

    /// Waits until it logs something with these words.
    async fn says(&mut self, words: &str) {
        let found = async {
            while let Some(line) = self.log.next_line().await.expect("readable") {
                if line.contains(words) {
                    return;
                }
            }
            panic!("it ended without a word of {words:?}");
        };
        timeout(PATIENCE, found).await.unwrap_or_else(|_| panic!("it never said {words:?}"));
    }
}

/// A server that has its agents there.
async fn server(
    agents: &[SocketAddr],
    ca: PathBuf,
    [certificate, key]: [PathBuf; 2],
) -> TestServer {
    TestServer::with(|config| {
        config.rooms.create_on_join = true;
        config.mixing.agents = agents.iter().map(ToString::to_string).collect();
        config.mixing.ca = Some(ca);
        config.mixing.certificate = Some(certificate);
        config.mixing.key = Some(key);
    })
    .await
}

/// Two speakers in the mix.
async fn two_speakers(server: &TestServer) -> (Speaker, Speaker) {
    let mut ann = Speaker::join(server, "ann", RED, 500.0).await;
    let mut bob = Speaker::join(server, "bob", BLUE, 1200.0).await;
    ann.control("mix", json!("common")).await;
    bob.control("mix", json!("common")).await;
    (ann, bob)
}

/// Subscribes to the mix as soon as that is possible.
async fn viewer(guest: &mut Guest, codecs: &[Codec]) -> Viewer {
    let mixed = json!({"media": {"video": {"from": "lobby-common"}, "audio": false}});
    let start = Instant::now();
    // What is refused leaves nothing behind; what is granted is given back.
    loop {
        let answer = guest.client.request("subscribe", Some(&mixed)).await;
        if answer[0] == "ok" {
            let session = json!({"id": answer[1]["id"]});
            guest.client.granted("unsubscribe", &session).await;
            return Viewer::of(guest, codecs).await;
        }
        assert!(start.elapsed() < PATIENCE, "never: {answer:?}");
        guest.client.await_event("stream").await;
    }
}

async fn signal(name: &str, pid: u32) {
    let status = Command::new("kill").args(["-s", name, &pid.to_string()]).status().await;
    assert!(status.expect("kill exists").success());
}

/// Waits until a machine has one agent and that is another than before.
async fn agent_of(machine: &Machine, before: Option<u32>) -> u32 {
    const STEP: Duration = Duration::from_millis(20);
    let start = Instant::now();
    loop {
        let agents = agents_of(machine.pid());
        match *agents {
            [agent] if Some(agent) != before => return agent,
            _ => assert!(start.elapsed() < PATIENCE, "not one other than {before:?}: {agents:?}"),
        }
        tokio::time::sleep(STEP).await;
    }
}

/// Waits until the room has lost its agent and has another one.
async fn replaced(guest: &mut Guest) {
    for status in ["inactive", "active"] {
        let flows = json!({"field": "video.status", "value": status});
        guest.client.skip_to_event("stream", |update| update["data"] == flows).await;
    }
}

fn whole(viewer: &Viewer) -> bool {
    viewer.sees(RED, FIRST) && viewer.sees(BLUE, SECOND)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_view_is_mixed_elsewhere_and_outlives_its_agent() {
    let authority = Authority::new();
    let machine = Machine::start(&authority).await;
    let server =
        server(&[machine.address], authority.path("ca.pem"), authority.sign("server")).await;
    let (mut ann, _bob) = two_speakers(&server).await;
    let mut cat = Guest::join(&server, "lobby", "cat").await;
    let mut viewer = viewer(&mut cat, &[Codec::OPUS, Codec::VP8]).await;
    viewer.until("the mix", whole).await;
    viewer.until("both tones", |it| it.hears(500.0) && it.hears(1200.0)).await;
    let mut own = Viewer::of(&mut ann.guest, &[Codec::OPUS]).await;
    own.until("the other tone alone", |it| it.hears(1200.0) && it.misses(500.0)).await;

    for (name, limit) in [("KILL", 5), ("STOP", 12)] {
        let agent = agent_of(&machine, None).await;
        let (ssrc, before) = viewer.last.expect("packets came");
        signal(name, agent).await;
        let hit = Instant::now();
        replaced(&mut cat).await;
        viewer.picture = None;
        viewer.until("the mix again", whole).await;
        let took = hit.elapsed();
        assert!(took < Duration::from_secs(limit), "{name}: back after {took:?}");
        let (after_ssrc, after) = viewer.last.expect("packets came");
        assert_eq!(after_ssrc, ssrc);
        assert!(after.wrapping_sub(before) < 2000, "{name}: numbers go on: {before}, {after}");
        agent_of(&machine, Some(agent)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_view_moves_to_another_machine_when_its_own_is_gone() {
    let authority = Authority::new();
    let (one, two) = (Machine::start(&authority).await, Machine::start(&authority).await);
    let ca = authority.path("ca.pem");
    let server = server(&[one.address, two.address], ca, authority.sign("server")).await;
    let (_ann, _bob) = two_speakers(&server).await;
    let mut cat = Guest::join(&server, "lobby", "cat").await;
    let mut viewer = viewer(&mut cat, &[Codec::VP8]).await;
    viewer.until("the mix", whole).await;
    let has_room = |machine: &Machine| !agents_of(machine.pid()).is_empty();
    let (here, there) = if has_room(&one) { (one, two) } else { (two, one) };
    assert!(has_room(&here) && !has_room(&there), "one agent for the room");
    let (ssrc, _) = viewer.last.expect("packets came");
    drop(here);
    replaced(&mut cat).await;
    viewer.picture = None;
    viewer.until("the mix again", whole).await;
    assert_eq!(viewer.last.expect("packets came").0, ssrc);
    assert!(has_room(&there));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_waits_for_a_machine_that_is_not_there_yet() {
    let authority = Authority::new();
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = free.local_addr().expect("bound");
    drop(free);
    let server = server(&[address], authority.path("ca.pem"), authority.sign("server")).await;
    let mut cat = Guest::join(&server, "lobby", "cat").await;
    let mixed = json!({"media": {"video": {"from": "lobby-common"}, "audio": false}});
    cat.client.refused("subscribe", &mixed).await;
    let machine = Machine::start_at(&address.to_string(), &authority).await;
    let mut viewer = viewer(&mut cat, &[Codec::VP8]).await;
    viewer.until("an empty picture", |it| it.sees([0, 0, 0], FIRST)).await;
    assert_eq!(agents_of(machine.pid()).len(), 1);
}

/// Views say that they cannot be mixed.
async fn assert_unavailable(server: &TestServer) {
    let _cat = Guest::join(server, "lobby", "cat").await;
    let room = "lobby".parse().expect("valid");
    let room = server.server().registry().room(&room).await.expect("it runs");
    let view = "lobby-common".parse().expect("valid");
    let error = room.snapshot(view).await.expect("the room runs").expect_err("nobody mixes");
    let expected = "Mixing is not available: no mixing agent can be reached.";
    assert_eq!(error.to_string(), expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_of_another_authority_is_refused() {
    let (authority, other) = (Authority::new(), Authority::new());
    let mut machine = Machine::start(&authority).await;
    let ca = authority.path("ca.pem");
    let server = server(&[machine.address], ca, other.sign("server")).await;
    machine.says("its certificate is not signed by our authority").await;
    assert_unavailable(&server).await;
    assert!(agents_of(machine.pid()).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_of_another_authority_is_not_trusted() {
    let (authority, other) = (Authority::new(), Authority::new());
    let mut machine = Machine::start(&other).await;
    let server =
        server(&[machine.address], authority.path("ca.pem"), authority.sign("server")).await;
    machine.says("it refuses our certificate").await;
    assert_unavailable(&server).await;
    assert!(agents_of(machine.pid()).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_no_server_costs_no_agent() {
    let authority = Authority::new();
    let mut machine = Machine::start(&authority).await;
    let garbage = b"GET / HTTP/1.1\r\n\r\n";
    let mut stranger = tokio::net::TcpStream::connect(machine.address).await.expect("it listens");
    tokio::io::AsyncWriteExt::write_all(&mut stranger, garbage).await.expect("connected");
    machine.says("a connection was refused").await;
    assert!(agents_of(machine.pid()).is_empty());
}

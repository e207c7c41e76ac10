//! The state machine that clients of this dialect implement, cut off in each of its states.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{
    server::TestServer,
    signals::{Frame, Head, SignalsClient, SignalsGuest},
};

/// Where a client stands, in the protocol's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    Initializing,
    Joined,
    Leaved,
    WaitingNetwork,
    Reinitializing,
    Failed,
}

/// A client that does as the protocol's state machine says.
struct Machine<'s> {
    server: &'s TestServer,
    head: Head,
    client: Option<SignalsClient>,
    state: State,
    creating: bool,
    role: String,
}

impl<'s> Machine<'s> {
    fn new(server: &'s TestServer, user: &str, creating: bool) -> Self {
        let head = Head::new("lobby", "m2m", user, user);
        let role = String::new();
        Self { server, head, client: None, state: State::Idle, creating, role }
    }

    async fn connect(&mut self) {
        let user = self.head.session["userId"].as_str().expect("a user").to_owned();
        self.client = Some(SignalsClient::connect(self.server, "lobby", &user).await);
    }

    fn client(&mut self) -> &mut SignalsClient {
        self.client.as_mut().expect("connected")
    }

    async fn send(&mut self, s: &str, members: Value) {
        let signal = self.head.signal(s, &members);
        self.client().send(&signal).await;
    }

    /// `idle`, `leaved` → `initializing`; `joined`, `waitingNetwork` → `reinitializing`.
    async fn send_join(&mut self) {
        let options = json!({"roomCreating": self.creating});
        self.send("JOIN", json!({"ve": true, "ae": true, "op": options})).await;
        self.state = match self.state {
            State::Idle | State::Leaved | State::Initializing => State::Initializing,
            State::Joined | State::WaitingNetwork | State::Reinitializing => State::Reinitializing,
            State::Failed => panic!("a failed client joins no more"),
        };
    }

    /// Waits for the ack of `JOIN`.
    async fn hear_ack(&mut self) {
        loop {
            let Frame::Message(message) = self.client().next().await else { panic!("closed") };
            if message["s"] != "JOIN" {
                continue;
            }
            if message["c"] == 200 {
                message["b"]["pt"].as_str().expect("a role").clone_into(&mut self.role);
                self.state = State::Joined;
            } else {
                self.state = State::Failed;
            }
            return;
        }
    }

    fn cut(&mut self) {
        self.client = None;
        if matches!(self.state, State::Joined | State::Reinitializing) {
            self.state = State::WaitingNetwork;
        }
    }

    async fn join(&mut self) {
        self.send_join().await;
        self.hear_ack().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_is_cut_off_in_any_state_recovers() {
    let server = TestServer::start().await;
    let mut ann = Machine::new(&server, "ann", true);

    // In `idle`: nothing was said.
    ann.connect().await;
    ann.cut();
    assert_eq!(ann.state, State::Idle);

    // In `initializing`: whether or not JOIN arrived, JOIN again is right.
    ann.connect().await;
    ann.send_join().await;
    ann.cut();
    assert_eq!(ann.state, State::Initializing);
    ann.connect().await;
    ann.join().await;
    assert_eq!((ann.state, ann.role.as_str()), (State::Joined, "admin"));

    // In `joined`, by a lost network and by the client's own doubt.
    ann.cut();
    assert_eq!(ann.state, State::WaitingNetwork);
    ann.connect().await;
    ann.join().await;
    assert_eq!((ann.state, ann.role.as_str()), (State::Joined, "admin"));
    ann.join().await;
    assert_eq!((ann.state, ann.role.as_str()), (State::Joined, "admin"));

    // In `waitingNetwork`, again and again, and in `reinitializing`.
    for _ in 0..3 {
        ann.cut();
        ann.connect().await;
    }
    ann.send_join().await;
    assert_eq!(ann.state, State::Reinitializing);
    ann.cut();
    assert_eq!(ann.state, State::WaitingNetwork);
    ann.connect().await;
    ann.join().await;
    assert_eq!((ann.state, ann.role.as_str()), (State::Joined, "admin"));

    // In `leaved`: it starts anew, and the room is made anew.
    ann.send("LEAVE", json!({})).await;
    ann.state = State::Leaved;
    ann.cut();
    assert_eq!(ann.state, State::Leaved);
    ann.connect().await;
    ann.join().await;
    assert_eq!((ann.state, ann.role.as_str()), (State::Joined, "admin"));

    // `failed` is reached by an error.
    let mut bob = Machine::new(&server, "bob", true);
    bob.connect().await;
    bob.join().await;
    assert_eq!(bob.state, State::Failed, "the room exists");
}

/// A client that takes the lost ack for a lost JOIN retries; every JOIN is answered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn join_may_be_said_three_times_at_once() {
    let server = TestServer::start().await;
    let mut ann = Machine::new(&server, "ann", true);
    ann.connect().await;
    for _ in 0..3 {
        ann.send_join().await;
    }
    for _ in 0..3 {
        ann.hear_ack().await;
        assert_eq!((ann.state, ann.role.as_str()), (State::Joined, "admin"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_recovers_too_late_starts_anew() {
    let server = TestServer::with(|config| {
        config.signals.heartbeat_timeout = Duration::from_secs(1);
    })
    .await;
    let (ann, _) = SignalsGuest::found(&server, "lobby", "m2m", "ann").await;
    let head = ann.head.clone();
    drop(ann);
    let registry = server.server().registry();
    server.eventually("a room ends with its last session", || registry.count().running == 0).await;
    let client = SignalsClient::connect(&server, "lobby", "ann").await;
    let mut ann = SignalsGuest { client, head };
    assert_eq!(ann.refused("JOIN", json!({"ve": true, "ae": true})).await, 4001);
    assert_eq!(ann.rejoin(true).await["pt"], "admin");
}

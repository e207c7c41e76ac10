use super::*;
use crate::{
    admin::desk::ListedService,
    config::Config,
    portal::token::{Grants, Tokens},
    store::Store,
};

struct Running {
    store: Store,
    tokens: Tokens,
    stop: watch::Sender<bool>,
    serving: tokio::task::JoinHandle<()>,
}

fn start(directory: &Path) -> Running {
    start_with(directory, PATIENCE)
}

fn start_with(directory: &Path, patience: Duration) -> Running {
    let store = Store::open(directory).expect("opened");
    let tokens = Tokens::new(store.clone(), "127.0.0.1:8080", false);
    let grants = Grants::new(tokens.clone(), &Config::default());
    let mut socket = AdminSocket::bind(directory).expect("bound");
    socket.patience = patience;
    let (stop, down) = watch::channel(false);
    let serving = tokio::spawn(socket.serve(Desk::new(store.clone(), grants), down));
    Running { store, tokens, stop, serving }
}

async fn answer(directory: &Path, request: Request) -> Answer {
    ask(directory, &request).await.expect("answered").expect("a server runs")
}

fn directory() -> tempfile::TempDir {
    tempfile::tempdir().expect("a directory")
}

#[tokio::test]
async fn operators_are_answered() {
    let directory = directory();
    let path = directory.path();
    let running = start(path);
    let (room, user, role) = ("demo".into(), "ann".into(), "presenter".into());
    let request = Request::IssueToken { room, user, role, jwt: false };
    let Answer::Token(token) = answer(path, request).await else { panic!("no token") };
    assert_eq!(&*running.tokens.admit(&token).await.expect("admitted").user, "ann");

    let request = Request::CreateService { name: "shop".into() };
    let Answer::Service { id, key } = answer(path, request).await else { panic!("no service") };
    let kept = running.store.services().await.expect("read");
    assert_eq!((kept[0].id.as_str(), kept[0].key.reveal()), (id.as_str(), key.as_str()));
    let Answer::Services(listed) = answer(path, Request::ListServices).await else {
        panic!("no list")
    };
    assert!(listed == [ListedService { id: id.clone(), name: "shop".into() }]);
    let remove = Request::RemoveService { id };
    assert!(answer(path, remove.clone()).await == Answer::Removed);
    let Answer::Refused(text) = answer(path, remove).await else { panic!("removed twice") };
    assert!(text.starts_with("there is no service"), "{text}");

    running.stop.send(true).expect("listening");
    running.serving.await.expect("ended");
    assert!(ask(path, &Request::ListServices).await.expect("asked").is_none());
    assert!(!path.join(NAME).exists());
}

#[tokio::test]
async fn only_the_owner_may_connect_and_leftovers_do_not_hinder() {
    let directory = directory();
    let path = directory.path();
    assert!(ask(path, &Request::ListServices).await.expect("asked").is_none());
    // What a killed server leaves: a socket file on which nobody listens.
    drop(std::os::unix::net::UnixListener::bind(path.join(NAME)).expect("bound"));
    assert!(ask(path, &Request::ListServices).await.expect("asked").is_none());
    let _running = start(path);
    let mode = fs::metadata(path.join(NAME)).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(matches!(answer(path, Request::ListServices).await, Answer::Services(_)));
}

#[tokio::test]
async fn a_directory_with_a_long_path_will_do() {
    let directory = directory();
    let path = directory.path().join("long".repeat(40));
    let running = start(&path);
    assert!(matches!(answer(&path, Request::ListServices).await, Answer::Services(_)));
    running.stop.send(true).expect("listening");
    running.serving.await.expect("ended");
    assert!(!path.join(NAME).exists());
}

#[tokio::test]
async fn bad_requests_are_refused_and_the_next_is_answered() {
    let directory = directory();
    let path = directory.path();
    let _running = start(path);
    let too_long = vec![b'x'; usize::try_from(MAX_REQUEST_BYTES).expect("small") + 1];
    for bad in [b"nonsense\n".as_slice(), b"{\"issue-token\":7}\n", &too_long] {
        let mut stream = UnixStream::connect(path.join(NAME)).await.expect("connected");
        stream.write_all(bad).await.expect("sent");
        let answer: Answer = receive(&mut stream, MAX_ANSWER_BYTES).await.expect("answered");
        let Answer::Refused(text) = answer else { panic!("not refused") };
        assert!(text.starts_with("the server does not understand"), "{text}");
    }
    drop(UnixStream::connect(path.join(NAME)).await.expect("connected"));
    assert!(matches!(answer(path, Request::ListServices).await, Answer::Services(_)));
}

#[tokio::test]
async fn silent_connections_do_not_keep_others_out_for_ever() {
    let directory = directory();
    let path = directory.path();
    let _running = start_with(path, Duration::from_millis(50));
    let mut silent = Vec::new();
    for _ in 0..MAX_CONNECTIONS {
        silent.push(UnixStream::connect(path.join(NAME)).await.expect("connected"));
    }
    let mut waiting = UnixStream::connect(path.join(NAME)).await.expect("connected");
    waiting.write_all(&line(&Request::ListServices).expect("JSON")).await.expect("sent");
    let answer: Answer = receive(&mut waiting, MAX_ANSWER_BYTES).await.expect("answered");
    assert!(matches!(answer, Answer::Services(_)));
}

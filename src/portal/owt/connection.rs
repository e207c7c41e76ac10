//! The life of a client connection: before login, in a room, after leaving it.

use std::time::SystemTime;

use serde_json::Value;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};
use tracing::{debug, info, warn};

use super::{
    decode, encode,
    login::{self, Login},
    message::{RegionResult, SessionResult},
    refusal::Refusal,
    socket::{Ack, Client, Request},
};
use crate::{
    config::Secret,
    driver::{JoinRequest, Member, Responder, fresh_participant},
    ids::{ParticipantId, TransportId},
    portal::{Doorway, flag::raised, token::Admission},
    room::{Command, Rejection, Reply},
};

/// A connection and where it stands. Requests are taken one at a time, in the order of the frames.
pub(super) struct Connection {
    client: Client,
    doorway: Doorway,
    inbox: mpsc::Receiver<Request>,
    closing: watch::Receiver<bool>,
    member: Option<Member>,
    /// Whether the login asked for a ticket to come back with.
    reconnection: bool,
    /// When a connection that is in no room is closed (OWT's portal: three minutes).
    login_deadline: Instant,
}

impl Connection {
    pub(super) fn new(
        client: Client,
        doorway: Doorway,
        inbox: mpsc::Receiver<Request>,
        closing: watch::Receiver<bool>,
    ) -> Self {
        let login_deadline = Instant::now() + doorway.settings().login_timeout;
        Self { client, doorway, inbox, closing, member: None, reconnection: false, login_deadline }
    }

    /// Serves the client until its socket is gone.
    pub(super) async fn run(mut self) {
        loop {
            tokio::select! {
                biased;
                () = raised(&mut self.closing) => break,
                request = self.inbox.recv() => match request {
                    Some(request) => self.take(request).await,
                    None => break,
                },
                () = sleep_until(self.login_deadline), if self.member.is_none() => {
                    debug!("connection closed: it was in no room for too long");
                    self.client.disconnect();
                    break;
                }
            }
        }
        if let Some(member) = self.member.take() {
            member.connection_lost().await;
        }
    }

    async fn take(&mut self, request: Request) {
        let Request { arguments, ack } = request;
        match arguments.event.as_str() {
            "login" => self.login(&arguments.data, ack).await,
            "refreshReconnectionTicket" => self.refresh_ticket(ack),
            "relogin" => self.refuse_relogin(ack),
            name => match decode::command(name, &arguments.data) {
                Some(command) => self.ask(command, ack).await,
                None => ack.error(&Refusal::illegal(), self.client.error_form()),
            },
        }
    }

    async fn login(&mut self, data: &Value, ack: Ack) {
        if self.member.is_some() {
            let refusal = Refusal::malformed("Connection is in service");
            return ack.error(&refusal, self.client.error_form());
        }
        self.client.prefer(login::error_form_for(data));
        let form = self.client.error_form();
        match self.admit(data).await {
            Ok((login, admission)) => self.join(login, admission, ack).await,
            Err(refusal) => {
                ack.error(&refusal, form);
                self.client.disconnect();
            }
        }
    }

    async fn admit(&self, data: &Value) -> Result<(Login, Admission), Refusal> {
        let login = login::login(data)?;
        match self.doorway.tokens().admit(login.token.reveal()).await {
            Ok(admission) => Ok((login, admission)),
            Err(error) => {
                info!(%error, "login refused");
                Err(Refusal::not_accepted(error.to_string()))
            }
        }
    }

    async fn join(&mut self, login: Login, admission: Admission, ack: Ack) {
        let form = self.client.error_form();
        let room = match self.doorway.registry().room(&admission.room).await {
            Ok(room) => room,
            Err(error) => {
                warn!(room = %admission.room, %error, "login refused");
                ack.error(&Refusal::from(&error), form);
                return self.client.disconnect();
            }
        };
        let participant = fresh_participant();
        let ticket = login.reconnection.then(|| self.ticket(&participant));
        let respond: Responder = Box::new(move |result| match result {
            Ok(Reply::Joined(joined)) => {
                let ticket = ticket.as_ref().map(Secret::reveal);
                ack.ok_with(&encode::login_result(&joined, ticket));
            }
            Ok(
                Reply::Done
                | Reply::SessionOpened { .. }
                | Reply::Region { .. }
                | Reply::Described(_),
            ) => ack.ok(),
            Err(rejection) => ack.error(&Refusal::from(&rejection), form),
        });
        let outbox = Box::new(self.client.clone());
        let Admission { user, role, .. } = admission;
        self.member = room.join(JoinRequest { participant, user, role, outbox, respond }).await;
        match &self.member {
            Some(_) => self.reconnection = login.reconnection,
            None => self.client.disconnect(),
        }
    }

    async fn ask(&mut self, command: Result<Command, Refusal>, ack: Ack) {
        let form = self.client.error_form();
        let Some(member) = &self.member else { return ack.error(&Refusal::illegal(), form) };
        let command = match command {
            Ok(command) => command,
            Err(refusal) => return ack.error(&refusal, form),
        };
        let leaves = matches!(command, Command::Leave);
        let about = About::of(&command);
        let respond: Responder = Box::new(move |result| match result {
            Ok(Reply::SessionOpened { session, .. }) => {
                ack.ok_with(&SessionResult { id: session.as_str() });
            }
            Ok(Reply::Region { region }) => ack.ok_with(&RegionResult { region: &region }),
            Ok(Reply::Done | Reply::Joined(_) | Reply::Described(_)) => ack.ok(),
            Err(rejection) => ack.error(&about.refusal(&rejection), form),
        });
        member.request(command, respond).await;
        if leaves {
            self.member = None;
            self.login_deadline = Instant::now() + self.doorway.settings().login_timeout;
        }
    }

    fn refresh_ticket(&self, ack: Ack) {
        let form = self.client.error_form();
        match &self.member {
            None => ack.error(&Refusal::illegal(), form),
            Some(_) if !self.reconnection => {
                ack.error(&Refusal::malformed("Reconnection is not enabled."), form);
            }
            Some(member) => ack.ok_with(self.ticket(member.participant()).reveal()),
        }
    }

    /// A participant leaves the moment its connection is lost, so there is nobody to come back as.
    fn refuse_relogin(&self, ack: Ack) {
        let form = self.client.error_form();
        if self.member.is_some() {
            return ack.error(&Refusal::malformed("Connection is in service"), form);
        }
        ack.error(&Refusal::not_accepted("Client does NOT exist"), form);
        self.client.disconnect();
    }

    fn ticket(&self, participant: &ParticipantId) -> Secret {
        let lifetime = self.doorway.settings().ticket_lifetime;
        self.doorway.tickets().issue(participant, lifetime, SystemTime::now()).1
    }
}

/// What a refusal's text depends on beside the room's reason.
enum About {
    Publish,
    Negotiate(TransportId),
    Else,
}

impl About {
    fn of(command: &Command) -> Self {
        match command {
            Command::Publish { .. } => Self::Publish,
            Command::Negotiate { transport, .. } => Self::Negotiate(transport.clone()),
            Command::Join { .. }
            | Command::Leave
            | Command::Text { .. }
            | Command::Broadcast { .. }
            | Command::Describe
            | Command::Unpublish { .. }
            | Command::Subscribe { .. }
            | Command::Unsubscribe { .. }
            | Command::PauseStream { .. }
            | Command::PlayStream { .. }
            | Command::Mix { .. }
            | Command::Unmix { .. }
            | Command::GetRegion { .. }
            | Command::SetRegion { .. } => Self::Else,
        }
    }

    fn refusal(&self, rejection: &Rejection) -> Refusal {
        match (self, rejection) {
            (Self::Publish, Rejection::NothingRequested) => {
                Refusal::malformed("Bad publication request")
            }
            (Self::Negotiate(transport), Rejection::NoSuchSession) => {
                Refusal::no_session(transport.as_str())
            }
            _ => Refusal::from(rejection),
        }
    }
}

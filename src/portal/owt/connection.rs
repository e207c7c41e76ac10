//! The life of a client connection: before login, in a room, after leaving it.

use serde_json::Value;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};
use tracing::{debug, info, warn};

use super::{
    client::Client,
    decode, encode,
    login::{self, Login},
    message::{RegionResult, SessionResult},
    protocol::Protocol,
    refusal::Refusal,
    socket::{Ack, Request},
};
use crate::{
    config::Secret,
    driver::{JoinError, JoinRequest, Member, Responder, RoomHandle, fresh_participant},
    ids::{ParticipantId, TransportId},
    portal::{ComeBack, ComeBackError, Doorway, flag::raised, token::Admission},
    room::{Command, Manner, Rejection, Reply},
    store::Seat,
};

/// A connection and where it stands. Requests are taken one at a time, in the order of the frames.
pub(super) struct Connection {
    client: Client,
    doorway: Doorway,
    inbox: mpsc::Receiver<Request>,
    closing: watch::Receiver<bool>,
    member: Option<Member>,
    /// The id of the ticket to come back with, if the login asked for one.
    ticket: Option<Box<str>>,
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
        Self { client, doorway, inbox, closing, member: None, ticket: None, login_deadline }
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
            "refreshReconnectionTicket" => self.refresh_ticket(ack).await,
            "relogin" => self.relogin(&arguments.data, ack).await,
            name => match decode::command(name, &arguments.data, self.client.protocol()) {
                Some(command) => self.ask(command, &arguments.data, ack).await,
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
            Ok((login, admission)) => {
                self.client.speak(login.protocol);
                self.join(login, admission, ack).await;
            }
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
                Err(Refusal::from(&error))
            }
        }
    }

    async fn join(&mut self, login: Login, admission: Admission, ack: Ack) {
        let form = self.client.error_form();
        let participant = fresh_participant();
        let (room, ticket) = match self.prepare(&login, &admission, &participant).await {
            Ok(prepared) => prepared,
            Err(error) => {
                warn!(room = %admission.room, %error, "login refused");
                ack.error(&Refusal::from(&error), form);
                return self.client.disconnect();
            }
        };
        let (id, text) = ticket.unzip();
        let protocol = login.protocol;
        let keep = login.reconnection.map(|keep| keep.within(self.doorway.settings()));
        let respond: Responder = Box::new(move |result| match result {
            Ok(Reply::Joined(joined)) => {
                let ticket = text.as_ref().map(Secret::reveal);
                ack.ok_with(&encode::login_result(&joined, ticket, protocol));
            }
            Ok(
                Reply::Done
                | Reply::SessionOpened { .. }
                | Reply::Region { .. }
                | Reply::Publishers(_)
                | Reply::Described(_),
            ) => ack.ok(),
            Err(rejection) => ack.error(&Refusal::from(&rejection), form),
        });
        let outbox = Box::new(self.client.clone());
        let Admission { user, role, .. } = admission;
        let (keep, manner) = (keep.unwrap_or_default(), Manner::default());
        let request = JoinRequest { participant, user, role, manner, keep, outbox, respond };
        self.member = room.join(request).await;
        match &self.member {
            Some(_) => self.ticket = id,
            None => self.client.disconnect(),
        }
    }

    /// Finds the room and, for a client that wants to come back, writes its seat down with its
    /// first ticket.
    async fn prepare(
        &self,
        login: &Login,
        admission: &Admission,
        participant: &ParticipantId,
    ) -> Result<(RoomHandle, Option<(Box<str>, Secret)>), JoinError> {
        let room = self.doorway.registry().room(&admission.room).await?;
        let Some(keep) = login.reconnection else { return Ok((room, None)) };
        let (ticket, text) = self.doorway.issue_ticket(participant);
        let seat = Seat {
            participant: participant.clone(),
            room: room.id().clone(),
            user: admission.user.to_string(),
            role: admission.role.to_string(),
            ticket: ticket.id.to_string(),
            expires: ticket.not_after,
            keep: keep.within(self.doorway.settings()),
            client: self.client.note(),
        };
        room.take_seat(seat).await?;
        Ok((room, Some((ticket.id, text))))
    }

    async fn ask(&mut self, command: Result<Command, Refusal>, data: &Value, ack: Ack) {
        let form = self.client.error_form();
        let Some(member) = &self.member else { return ack.error(&Refusal::illegal(), form) };
        let command = match command {
            Ok(command) => command,
            Err(refusal) => return ack.error(&refusal, form),
        };
        let leaves = matches!(command, Command::Leave);
        let protocol = self.client.protocol();
        let about = About::of(&command, protocol);
        let names = decode::track_names(&command, data, protocol);
        let respond: Responder = Box::new(move |result| match result {
            Ok(Reply::SessionOpened { session, transport }) => {
                let transport_id = (protocol == Protocol::V12).then(|| transport.as_str());
                ack.ok_with(&SessionResult { id: session.as_str(), transport_id });
            }
            Ok(Reply::Region { region }) => ack.ok_with(&RegionResult { region: &region }),
            Ok(Reply::Done | Reply::Joined(_) | Reply::Publishers(_) | Reply::Described(_)) => {
                ack.ok();
            }
            Err(rejection) => ack.error(&about.refusal(&rejection), form),
        });
        member.request(command, respond).await;
        if let Some(names) = names {
            // If the session was refused, there is nothing to be named.
            member.request(names, Box::new(drop)).await;
        }
        if leaves {
            self.member = None;
            self.ticket = None;
            self.login_deadline = Instant::now() + self.doorway.settings().login_timeout;
        }
    }

    /// Exchanges the connection's ticket for the next one.
    async fn refresh_ticket(&mut self, ack: Ack) {
        let form = self.client.error_form();
        let Some(member) = &self.member else { return ack.error(&Refusal::illegal(), form) };
        let Some(old) = &self.ticket else {
            return ack.error(&Refusal::malformed("Reconnection is not enabled."), form);
        };
        match self.doorway.exchange(member.participant(), old).await {
            Ok((_, id, text)) => {
                self.ticket = Some(id);
                ack.ok_with(text.reveal());
            }
            // Another connection has taken the place, or the participant is being dropped.
            Err(ComeBackError::NoSeat | ComeBackError::Retired) => {
                ack.error(&Refusal::illegal(), form);
            }
            Err(error) => ack.error(&Refusal::from(&error), form),
        }
    }

    async fn relogin(&mut self, data: &Value, ack: Ack) {
        let form = self.client.error_form();
        if self.member.is_some() {
            return ack.error(&Refusal::malformed("Connection is in service"), form);
        }
        match self.doorway.come_back(data).await {
            Ok(returned) => self.resume(returned, ack).await,
            Err(error) => {
                info!(%error, "relogin refused");
                ack.error(&Refusal::from(&error), form);
                self.client.disconnect();
            }
        }
    }

    /// Takes the place that a ticket was good for, unless its participant is gone meanwhile.
    async fn resume(&mut self, returned: ComeBack, ack: Ack) {
        let ComeBack { seat, room, id, text } = returned;
        self.client.recall(&seat.client);
        let form = self.client.error_form();
        let respond: Responder = Box::new(move |result| match result {
            Ok(_) => ack.ok_with(text.reveal()),
            Err(_) => ack.error(&Refusal::from(&ComeBackError::NoSeat), form),
        });
        let outbox = Box::new(self.client.clone());
        self.member = room.resume(seat.participant, outbox, respond).await;
        match &self.member {
            Some(_) => self.ticket = Some(id),
            None => self.client.disconnect(),
        }
    }
}

/// What a refusal's text depends on beside the room's reason.
enum About {
    Publish,
    Session(TransportId),
    Transport(TransportId),
    Else,
}

impl About {
    fn of(command: &Command, protocol: Protocol) -> Self {
        match command {
            Command::Publish { .. } => Self::Publish,
            Command::Negotiate { transport, .. } if protocol == Protocol::V12 => {
                Self::Transport(transport.clone())
            }
            Command::Negotiate { transport, .. } => Self::Session(transport.clone()),
            Command::Join { .. }
            | Command::Heartbeat
            | Command::SetSending { .. }
            | Command::AskForFloor { .. }
            | Command::GrantFloor { .. }
            | Command::DenyFloor { .. }
            | Command::Kick { .. }
            | Command::Relay { .. }
            | Command::Leave
            | Command::Text { .. }
            | Command::Broadcast { .. }
            | Command::Describe
            | Command::Unpublish { .. }
            | Command::Subscribe { .. }
            | Command::Unsubscribe { .. }
            | Command::UpdateSubscription { .. }
            | Command::PauseSubscription { .. }
            | Command::PlaySubscription { .. }
            | Command::EstimateBandwidth { .. }
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
            (Self::Session(transport), Rejection::NoSuchSession) => {
                Refusal::no_session(transport.as_str())
            }
            (Self::Transport(transport), Rejection::NoSuchSession) => {
                Refusal::no_transport(transport.as_str())
            }
            _ => Refusal::from(rejection),
        }
    }
}

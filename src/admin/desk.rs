//! What an operator asks for on the command line, and the answers. The same whether a server runs,
//! which then answers over its [`socket`](super::socket), or the command opens the store itself.

use serde::{Deserialize, Serialize};

use crate::{
    ids::ServiceId,
    portal::token::{Grant, Grants},
    store::{ServiceKey, Store, StoreError},
};

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// A token. Answered by [`Answer::Token`].
    IssueToken {
        /// A room's id, or a name that only one room has.
        room: String,
        /// The user's name.
        user: String,
        /// One of the room's roles.
        role: String,
        /// Whether it is to be a JWT.
        jwt: bool,
    },
    /// Credentials for a new service. Answered by [`Answer::Service`].
    CreateService {
        /// Whose they are.
        name: String,
    },
    /// All services. Answered by [`Answer::Services`].
    ListServices,
    /// The end of a service's credentials. Answered by [`Answer::Removed`].
    RemoveService {
        /// The service.
        id: String,
    },
}

/// The answer. It has no `Debug`, because it may hold secrets.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// The token.
    Token(String),
    /// The new service.
    Service {
        /// Its id.
        id: String,
        /// Its key.
        key: String,
    },
    /// The services, without their keys.
    Services(Vec<ListedService>),
    /// It is gone.
    Removed,
    /// It was not done: why, and what to do.
    Refused(String),
}

/// A service without its key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedService {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub name: String,
}

/// Answers what operators ask for.
#[derive(Debug, Clone)]
pub struct Desk {
    store: Store,
    grants: Grants,
}

impl Desk {
    /// A desk with access to the store.
    pub fn new(store: Store, grants: Grants) -> Self {
        Self { store, grants }
    }

    /// Does what is asked for.
    pub async fn answer(&self, request: Request) -> Answer {
        match request {
            Request::IssueToken { room, user, role, jwt } => {
                let grant = Grant { room, user, role, jwt };
                match self.grants.grant(grant).await {
                    Ok(token) => Answer::Token(token.reveal().to_owned()),
                    Err(error) => Answer::Refused(error.to_string()),
                }
            }
            Request::CreateService { name } if name.trim().is_empty() => {
                Answer::Refused("a service needs a name that is not empty".into())
            }
            Request::CreateService { name } => {
                let created = self.store.create_service(name.trim()).await;
                created.map_or_else(refused, |ServiceKey { id, key, .. }| Answer::Service {
                    id: id.to_string(),
                    key: key.reveal().to_owned(),
                })
            }
            Request::ListServices => {
                let services = self.store.services().await;
                services.map_or_else(refused, |services| {
                    let listed = services.into_iter().map(|service| ListedService {
                        id: service.id.to_string(),
                        name: service.name,
                    });
                    Answer::Services(listed.collect())
                })
            }
            Request::RemoveService { id } => self.remove(&id).await,
        }
    }

    async fn remove(&self, id: &str) -> Answer {
        let removed = match id.parse::<ServiceId>() {
            Ok(id) => self.store.remove_service(&id).await,
            Err(_) => Ok(false),
        };
        match removed {
            Ok(true) => Answer::Removed,
            Ok(false) => Answer::Refused(format!(
                "there is no service {id:?}; `portico service list` shows which there are"
            )),
            Err(error) => refused(error),
        }
    }
}

#[allow(clippy::needless_pass_by_value, reason = "the shape that `map_or_else` wants")]
fn refused(error: StoreError) -> Answer {
    Answer::Refused(error.to_string())
}

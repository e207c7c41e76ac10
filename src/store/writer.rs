//! The one thread that writes: many requests become one transaction, answered after its commit.

use std::{sync::Arc, thread};

use redb::{Database, WriteTransaction};
use tokio::sync::{mpsc, oneshot};

use super::StoreError;

/// Requests that wait for the writer; beyond, askers wait for room.
const QUEUE: usize = 1024;

/// Requests in one transaction. More makes a busy disk go further, less bounds what one answer
/// waits for.
const MAX_BATCH: usize = 256;

/// Hands work to the writer's thread.
pub(super) type Jobs = mpsc::Sender<Box<dyn Job>>;

/// One request.
pub(super) trait Job: Send {
    /// Does the work inside a transaction. Fails only if the transaction must not be committed.
    fn apply(&mut self, transaction: &WriteTransaction) -> Result<(), StoreError>;

    /// Answers, once the fate of the transaction is known.
    fn settle(self: Box<Self>, committed: Result<(), StoreError>);
}

/// Work whose refusals (bounds, damaged records) come before its first change, so that the
/// transaction around it can be committed all the same.
pub(super) struct Request<F, T> {
    work: Option<F>,
    outcome: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<F, T> Request<F, T> {
    /// The request, and where its answer arrives.
    pub(super) fn new(work: F) -> (Self, oneshot::Receiver<Result<T, StoreError>>) {
        let (reply, answer) = oneshot::channel();
        (Self { work: Some(work), outcome: None, reply }, answer)
    }
}

impl<F, T> Job for Request<F, T>
where
    F: FnOnce(&WriteTransaction) -> Result<T, StoreError> + Send,
    T: Send,
{
    fn apply(&mut self, transaction: &WriteTransaction) -> Result<(), StoreError> {
        let Some(work) = self.work.take() else { return Ok(()) };
        match work(transaction) {
            Err(StoreError::Database(error)) => Err(StoreError::Database(error)),
            outcome => {
                self.outcome = Some(outcome);
                Ok(())
            }
        }
    }

    fn settle(self: Box<Self>, committed: Result<(), StoreError>) {
        let outcome = self.outcome.unwrap_or(Err(StoreError::Closed));
        // Whoever asked may have gone meanwhile; what it asked for is done all the same.
        let _ = self.reply.send(committed.and(outcome));
    }
}

/// Starts the thread. It ends when every [`Jobs`] is gone and what they sent is done.
pub(super) fn start(database: Arc<Database>) -> std::io::Result<(Jobs, thread::JoinHandle<()>)> {
    let (jobs, mut queue) = mpsc::channel(QUEUE);
    let run = move || {
        let mut batch = Vec::with_capacity(MAX_BATCH);
        while let Some(first) = queue.blocking_recv() {
            batch.push(first);
            while batch.len() < MAX_BATCH {
                let Ok(next) = queue.try_recv() else { break };
                batch.push(next);
            }
            commit(&database, &mut batch);
        }
    };
    let thread = thread::Builder::new().name("store".into()).spawn(run)?;
    Ok((jobs, thread))
}

fn commit(database: &Database, batch: &mut Vec<Box<dyn Job>>) {
    let committed = transact(database, batch);
    if let Err(error) = &committed {
        tracing::error!(%error, requests = batch.len(), "nothing of these requests was kept");
    }
    for job in batch.drain(..) {
        job.settle(committed.clone());
    }
}

fn transact(database: &Database, batch: &mut [Box<dyn Job>]) -> Result<(), StoreError> {
    let transaction = database.begin_write()?;
    for job in batch {
        job.apply(&transaction)?;
    }
    transaction.commit()?;
    Ok(())
}

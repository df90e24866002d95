//! Who listens, and how far the logs they listen to have come.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use agentdrop_protocol::limits::MAX_EVENT_STREAMS;
use agentdrop_protocol::{AccountId, ErrorCode};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::api::error::{ApiError, Result};
use crate::app::App;

/// How long it gathers what is written, so that much of it is one look.
const GATHER: Duration = Duration::from_millis(10);

/// Who listens.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    accounts: Mutex<State>,
    /// Woken when the first one listens.
    joined: Notify,
}

/// Why no more comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    /// The account is gone.
    Gone,
    /// The server stops; another one may go on.
    Stops,
}

#[derive(Debug, Default)]
struct State {
    listening: HashMap<AccountId, Listened>,
    is_closed: bool,
}

#[derive(Debug)]
struct Listened {
    /// The number that the log ends with.
    seq: watch::Sender<u64>,
    streams: usize,
}

/// One that listens; dropping it ends that.
pub(crate) struct Subscription {
    app: App,
    account: AccountId,
    seq: watch::Receiver<u64>,
}

impl Hub {
    /// Begins to listen to an account.
    pub(crate) fn listen(app: &App, account: AccountId) -> Result<Subscription> {
        let mut state = app.events.state();
        if state.is_closed {
            let message = "the server stops; connect again";
            return Err(ApiError::refused(ErrorCode::Unavailable, message));
        }
        let listened = state.listening.entry(account).or_insert_with(|| Listened {
            seq: watch::Sender::new(0),
            streams: 0,
        });
        if listened.streams >= MAX_EVENT_STREAMS {
            let message = format!("an account has at most {MAX_EVENT_STREAMS} streams at a time");
            return Err(ApiError::refused(ErrorCode::RateLimited, message));
        }
        listened.streams += 1;
        let seq = listened.seq.subscribe();
        drop(state);
        app.events.joined.notify_one();
        Ok(Subscription {
            app: app.clone(),
            account,
            seq,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in between can leave it half done.
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many streams are open.
    pub(crate) fn streams(&self) -> usize {
        let state = self.state();
        state.listening.values().map(|it| it.streams).sum()
    }

    fn accounts(&self) -> Vec<AccountId> {
        self.state().listening.keys().copied().collect()
    }

    /// Tells those who listen how far their logs have come; of an account that is gone, that it is.
    fn tell(&self, seqs: &HashMap<AccountId, u64>, asked: &[AccountId]) {
        let mut state = self.state();
        for account in asked {
            match (seqs.get(account), state.listening.get(account)) {
                (Some(seq), Some(listened)) => {
                    listened.seq.send_if_modified(|it| {
                        let is_new = *it != *seq;
                        *it = *seq;
                        is_new
                    });
                }
                (None, Some(_)) => drop(state.listening.remove(account)),
                (_, None) => {}
            }
        }
    }

    fn close(&self) {
        let mut state = self.state();
        state.is_closed = true;
        // Whoever waits for a number hears that there will be none.
        state.listening.clear();
    }
}

impl Subscription {
    /// Waits until the log has come further, unless it never will.
    pub(crate) async fn changed(&mut self) -> Result<(), Over> {
        let changed = self.seq.changed().await;
        changed.map_err(|_| {
            if self.app.events.state().is_closed {
                Over::Stops
            } else {
                Over::Gone
            }
        })
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut state = self.app.events.state();
        if let Some(listened) = state.listening.get_mut(&self.account) {
            listened.streams = listened.streams.saturating_sub(1);
            if listened.streams == 0 {
                state.listening.remove(&self.account);
            }
        }
    }
}

/// Looks how far the logs have come that somebody listens to, until it is told to stop.
pub(crate) async fn run(app: App, stop: CancellationToken) {
    tokio::select! {
        () = look(&app, &stop) => {}
        never = app.store.keep_listening() => match never {},
    }
    app.events.close();
}

async fn look(app: &App, stop: &CancellationToken) {
    let mut written = app.store.written();
    while !stop.is_cancelled() {
        let accounts = app.events.accounts();
        if accounts.is_empty() {
            tokio::select! {
                () = stop.cancelled() => {}
                () = app.events.joined.notified() => {}
            }
            continue;
        }
        written.borrow_and_update();
        match seqs(app, &accounts).await {
            Ok(seqs) => app.events.tell(&seqs, &accounts),
            Err(error) => tracing::warn!(%error, "those who listen were not told"),
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = app.events.joined.notified() => {}
            () = tokio::time::sleep(app.limits.timeouts.unheard) => {}
            _ = written.changed() => tokio::time::sleep(GATHER).await,
        }
    }
}

async fn seqs(
    app: &App,
    accounts: &[AccountId],
) -> agentdrop_store::Result<HashMap<AccountId, u64>> {
    let mut reader = app.store.read().await?;
    Ok(reader.audit_seqs(accounts).await?.into_iter().collect())
}

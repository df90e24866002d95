//! Tells the other servers on one PostgreSQL, as it happens, that something was written to a log.
//!
//! A bell, and nothing more: whoever hears it looks. It is rung behind the commit and not in it,
//! where PostgreSQL would let one commit wait for the other; so it may be lost, and whoever must
//! not miss anything looks now and then all the same.

use std::convert::Infallible;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_postgres::{AsyncMessage, Config, Error, NoTls};

const LISTEN: &str = "LISTEN agentdrop_told";
const RING: &str = "NOTIFY agentdrop_told";
/// Once in so long it is rung at most.
const GATHER: Duration = Duration::from_millis(10);
/// How long it waits to connect again the first time; each further time twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// How long it waits at most.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A server that vanished is noticed in so long.
const SILENCE: Duration = Duration::from_secs(30);

/// What is to be told, and where what is heard is told.
pub(super) struct Bell {
    pub(super) config: Config,
    /// Changes when there is something to ring for.
    pub(super) told: watch::Receiver<()>,
    /// Changed when another one rang.
    pub(super) heard: watch::Sender<()>,
}

impl Bell {
    /// Rings and hears, for as long as it is polled; it connects again whenever it has to.
    pub(super) async fn keep(mut self) -> Infallible {
        self.config
            .connect_timeout(SILENCE)
            .keepalives_idle(SILENCE);
        let mut pause = FIRST_PAUSE;
        loop {
            let mut connected = false;
            let Err(_) = self.connected(&mut connected).await;
            if connected {
                pause = FIRST_PAUSE;
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Rings and hears until the connection ends.
    async fn connected(&mut self, connected: &mut bool) -> Result<Infallible, Option<Error>> {
        let (client, mut connection) = self.config.connect(NoTls).await?;
        let mine = Arc::new(AtomicI32::new(0));
        let (heard, own) = (self.heard.clone(), Arc::clone(&mine));
        // Ends with this function.
        let mut driving = JoinSet::new();
        driving.spawn(async move {
            while let Some(Ok(message)) = poll_fn(|cx| connection.poll_message(cx)).await {
                if let AsyncMessage::Notification(it) = message
                    && it.process_id() != own.load(Ordering::Relaxed)
                {
                    heard.send_replace(());
                }
            }
        });
        let row = client.query_one("SELECT pg_backend_pid()", &[]).await?;
        mine.store(row.try_get(0)?, Ordering::Relaxed);
        client.batch_execute(LISTEN).await?;
        *connected = true;
        // What was rung while nobody listened here.
        self.heard.send_replace(());
        loop {
            tokio::select! {
                told = self.told.changed() => {
                    if told.is_err() {
                        // The store is gone, and nothing will be told.
                        std::future::pending::<()>().await;
                    }
                    client.batch_execute(RING).await?;
                    sleep(GATHER).await;
                }
                _ = driving.join_next() => return Err(None),
            }
        }
    }
}

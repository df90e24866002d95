//! Who activates a transfer: one at a time claims it, and tries again later what fails.

use std::convert::Infallible;
use std::time::Duration;

use agentdrop_domain::transfers::Transfer;
use agentdrop_protocol::TransferId;
use agentdrop_store::Tx;
use tokio::time::sleep;

use super::activate;
use crate::api::error::Failure;
use crate::app::App;
use crate::metrics::ActivationOutcome;

/// Whoever has not said for so long that they are still at it has failed, and another may try.
const LEASE: Duration = Duration::from_secs(30);
/// How often they say so.
const RENEW: Duration = Duration::from_secs(10);
/// How long one that failed waits the first time; after each further one twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(30);
/// How long it waits at most.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// Activates a transfer, unless somebody else does.
pub(super) async fn attempt(app: &App, transfer: Transfer) -> agentdrop_store::Result<()> {
    let (id, now) = (transfer.id, app.clock.now());
    let claim = async move |tx: &mut Tx| tx.claim_activation(id, now, now.plus(LEASE)).await;
    let Some(number) = app.store.write(claim).await? else {
        return Ok(());
    };
    let activating = Box::pin(activate(app, transfer, number));
    let activated = tokio::select! {
        activated = activating => activated,
        never = keep_claim(app, id, number) => match never {},
    };
    // One that cannot be, a disk lost its bytes, keeps nobody else's from being activated.
    app.metrics.activation(match &activated {
        Ok(()) => ActivationOutcome::Done,
        Err(_) => ActivationOutcome::Failed,
    });
    let wait = match activated {
        Ok(()) => Duration::ZERO,
        Err(error) => {
            let (reason, wait) = (Failure::of(error).0, wait_after(number));
            let seconds = wait.as_secs();
            tracing::warn!(reason, seconds, transfer = %id, "a transfer was not activated");
            wait
        }
    };
    let due = app.clock.now().plus(wait);
    let put_off = async move |tx: &mut Tx| tx.put_activation_off(id, number, due).await;
    app.store.write(put_off).await.map(drop)
}

/// Says again and again that this server is still at it.
async fn keep_claim(app: &App, id: TransferId, number: u32) -> Infallible {
    loop {
        sleep(RENEW).await;
        let until = app.clock.now().plus(LEASE);
        let renew = async move |tx: &mut Tx| tx.put_activation_off(id, number, until).await;
        // That another one took it over is found where the row is switched.
        if let Err(error) = app.store.write(renew).await {
            tracing::warn!(%error, transfer = %id, "a claim was not renewed");
        }
    }
}

fn wait_after(tries: u32) -> Duration {
    let doubled = FIRST_WAIT.saturating_mul(1 << tries.saturating_sub(1).min(16));
    doubled.min(LONGEST_WAIT)
}

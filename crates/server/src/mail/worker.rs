//! Sends the mails that wait, until they are sent.

use std::time::Duration;

use agentdrop_protocol::MailId;
use agentdrop_store::{QueuedMail, Tx};
use tokio_util::sync::CancellationToken;

use super::Letter;
use super::mailer::Refusal;
use crate::app::App;
use crate::metrics::MailOutcome;

/// How often it looks without being told to.
const EVERY: Duration = Duration::from_secs(30);
/// Whoever has not sent a mail after so long has failed, and another may try. Longer than any mail
/// server is waited for.
const LEASE: Duration = Duration::from_mins(10);
/// How long a mail waits after it was tried the first time; after each further one twice as long.
const FIRST_WAIT: Duration = Duration::from_mins(1);
/// How long it waits at most.
const LONGEST_WAIT: Duration = Duration::from_hours(2);
/// What is not sent by then is given up.
const PATIENCE: Duration = Duration::from_hours(24);

/// Sends whenever there may be something to, until it is told to stop.
pub(crate) async fn run(app: App, stop: CancellationToken) {
    while !stop.is_cancelled() {
        if let Some(Err(error)) = stop.run_until_cancelled(once(&app)).await {
            tracing::warn!(%error, "mails that wait were not sent to the last");
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = app.mailer.wake.notified() => {}
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

/// Sends what is due.
pub(crate) async fn once(app: &App) -> agentdrop_store::Result<()> {
    loop {
        let now = app.clock.now();
        let due = app.store.read().await?.next_mail_due().await?;
        if due.is_none_or(|it| it > now) {
            return Ok(());
        }
        let claim = async move |tx: &mut Tx| tx.claim_mails(now, now.plus(LEASE), 1).await;
        // Outside of the unit of work: a mail server may take its time.
        for mail in app.store.write(claim).await? {
            attempt(app, &mail).await?;
        }
    }
}

async fn attempt(app: &App, mail: &QueuedMail) -> agentdrop_store::Result<()> {
    let (id, now) = (mail.id, app.clock.now());
    let letter = app.server_key.open_mail(id, &mail.content).ok();
    let letter = letter.and_then(|it| serde_json::from_slice::<Letter>(&it).ok());
    let message = letter.and_then(|it| {
        let message = it.to_message(
            id,
            &app.mailer.from,
            &app.public_url,
            mail.created_at,
            app.mailer.spelling(),
        );
        message.ok()
    });
    let Some(message) = message else {
        tracing::warn!(mail = %id, "a mail cannot be written, and is given up");
        app.metrics.mail(MailOutcome::GivenUp);
        return delete(app, id).await;
    };
    let refusal = match app.mailer.send(id, mail.created_at, &message).await {
        Ok(()) => {
            app.metrics.mail(MailOutcome::Sent);
            return delete(app, id).await;
        }
        Err(refusal) => refusal,
    };
    let waited = now.since(mail.created_at);
    if matches!(refusal, Refusal::Permanent(_)) || waited >= PATIENCE {
        tracing::warn!(mail = %id, %refusal, "a mail was not sent, and is given up");
        app.metrics.mail(MailOutcome::GivenUp);
        return delete(app, id).await;
    }
    let wait = wait_after(mail.attempts);
    app.metrics.mail(MailOutcome::PutOff);
    tracing::warn!(mail = %id, %refusal, seconds = wait.as_secs(), "a mail waits to be sent");
    let later = now.plus(wait);
    app.store
        .write(async move |tx: &mut Tx| tx.put_mail_off(id, later).await)
        .await
}

async fn delete(app: &App, id: MailId) -> agentdrop_store::Result<()> {
    app.store
        .write(async move |tx: &mut Tx| tx.delete_mail(id).await)
        .await
        .map(drop)
}

fn wait_after(attempts: u32) -> Duration {
    let doubled = FIRST_WAIT.saturating_mul(1 << attempts.saturating_sub(1).min(16));
    doubled.min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_waits_ever_longer_and_not_for_ever() {
        let minutes = |attempts| wait_after(attempts).as_secs() / 60;
        assert_eq!([1, 2, 3, 7, 8, 100].map(minutes), [1, 2, 4, 64, 120, 120]);
    }
}

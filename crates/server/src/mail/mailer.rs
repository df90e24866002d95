//! What carries mails away: a mail server, or a folder.

use std::io;
use std::path::Path;
use std::time::Duration;

use agentdrop_protocol::{MailId, Timestamp};
use lettre::address::Envelope;
use lettre::message::Mailbox;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use tokio::sync::Notify;

use super::message::Spelling;
use super::outbox::Outbox;
use crate::config::Smtp;

/// A mail server that says nothing for so long is down.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Carries mails away.
#[derive(Debug)]
pub(crate) struct Mailer {
    transport: Transport,
    /// Whom they are from.
    pub(super) from: Mailbox,
    /// Woken when a mail was written.
    pub(crate) wake: Notify,
}

#[derive(Debug)]
enum Transport {
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    Outbox(Outbox),
}

/// Why mails cannot be sent as the operator has it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MailerError {
    /// The outbox, or the certificate of the mail server, cannot be opened.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The settings do not hold together.
    #[error("{0}")]
    Settings(&'static str),
}

/// Why a mail was not taken. Nothing of what the other side says: it repeats addresses.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub(super) enum Refusal {
    /// It is never going to be, with this code of RFC 5321 §4.2.
    #[error("the mail server refuses it for good, with {0}")]
    Permanent(u16),
    /// It may be later; the mail server said this.
    #[error("the mail server answers {0}")]
    Answered(u16),
    /// It may be later; the mail server did not get to say anything.
    #[error("the mail server cannot be spoken to: {0}")]
    Unreachable(&'static str),
    /// It may be later; the folder cannot be written to.
    #[error("the outbox cannot be written to: {0}")]
    Outbox(io::ErrorKind),
}

impl Mailer {
    /// What sends by `smtp`, or else puts mails into `outbox`.
    pub(crate) fn open(
        smtp: Option<&Smtp>,
        from: &str,
        hello: &str,
        outbox: &Path,
    ) -> Result<Self, MailerError> {
        let wrong = "the sender of mails must be an address, like AgentDrop <drop@example.org>";
        let from = from.parse().map_err(|_| MailerError::Settings(wrong))?;
        let transport = match smtp {
            Some(smtp) => Transport::Smtp(connector(smtp, hello)?),
            None => Transport::Outbox(Outbox::open(outbox)?),
        };
        Ok(Self {
            transport,
            from,
            wake: Notify::new(),
        })
    }

    /// How mails are to be spelled for where they go.
    pub(super) const fn spelling(&self) -> Spelling {
        match self.transport {
            Transport::Smtp(_) => Spelling::Portable,
            Transport::Outbox(_) => Spelling::Plain,
        }
    }

    /// Carries a mail away.
    pub(super) async fn send(
        &self,
        id: MailId,
        written: Timestamp,
        message: &Message,
    ) -> Result<(), Refusal> {
        match &self.transport {
            Transport::Smtp(smtp) => {
                let envelope: &Envelope = message.envelope();
                let sent = smtp.send_raw(envelope, &message.formatted()).await;
                sent.map(drop).map_err(|error| refusal(&error))
            }
            Transport::Outbox(outbox) => {
                let put = outbox.put(id, written, message.formatted()).await;
                put.map_err(|error| Refusal::Outbox(error.kind()))
            }
        }
    }
}

fn refusal(error: &lettre::transport::smtp::Error) -> Refusal {
    match error.status().map(u16::from) {
        // About the mailbox or the mail. What is about us, a password for one, an operator mends.
        Some(code @ 550..=554) => Refusal::Permanent(code),
        Some(code) => Refusal::Answered(code),
        None if error.is_timeout() => Refusal::Unreachable("it takes too long"),
        None if error.is_tls() => Refusal::Unreachable("it does not show that it is the right one"),
        None if error.is_client() => Refusal::Unreachable("it does not do what is needed"),
        None => Refusal::Unreachable("there is no connection"),
    }
}

fn connector(smtp: &Smtp, hello: &str) -> Result<AsyncSmtpTransport<Tokio1Executor>, MailerError> {
    let wrong = MailerError::Settings(
        "the mail server must be like smtp://user:password@mail.example.org:587, or smtps://…",
    );
    let host = smtp.url.host().ok_or(wrong)?;
    let wrong = "the mail server's address cannot be read; write what is special in it as %40";
    let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(smtp.url.expose_secret())
        .map_err(|_| MailerError::Settings(wrong))?;
    let builder = builder
        .tls(encryption(smtp, &host)?)
        .hello_name(ClientId::Domain(hello.to_owned()))
        .timeout(Some(TIMEOUT));
    Ok(builder.build())
}

/// Never less than was asked for: whoever stands between could take the offer of STARTTLS out.
fn encryption(smtp: &Smtp, host: &str) -> Result<Tls, MailerError> {
    let is_wrapped = smtp.url.expose_secret().starts_with("smtps://");
    // Between two programs of one machine nobody stands.
    if !is_wrapped && smtp.ca_file.is_none() && is_loopback(host) {
        return Ok(Tls::None);
    }
    let unusable = "the certificate that vouches for the mail server cannot be used";
    let mut parameters = TlsParameters::builder(host.to_owned());
    if let Some(path) = &smtp.ca_file {
        let certificate = Certificate::from_pem(&std::fs::read(path)?);
        let certificate = certificate.map_err(|_| MailerError::Settings(unusable))?;
        parameters = parameters
            .certificate_store(CertificateStore::None)
            .add_root_certificate(certificate);
    }
    let parameters = parameters.build();
    let parameters = parameters.map_err(|_| MailerError::Settings(unusable))?;
    Ok(if is_wrapped {
        Tls::Wrapper(parameters)
    } else {
        Tls::Required(parameters)
    })
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|it| it.is_loopback())
}

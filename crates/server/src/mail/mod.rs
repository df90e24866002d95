//! Mails: written down with what causes them, and sent behind it.
//!
//! [`Stamp::seal`] makes of a [`Letter`] what `Tx::enqueue_mail` writes down, in the same unit of
//! work as the invitation or the password that it tells of: there is no mail about what did not
//! happen, and none is lost. What a mail says lies encrypted until it is sent, for it may have a
//! link in it that works.
//!
//! A further kind of mail is one file in `kinds/`.

pub(crate) mod kinds;
mod mailer;
mod message;
mod outbox;
mod worker;

pub(crate) use mailer::Mailer;
pub(crate) use worker::{once, run};

use agentdrop_protocol::text::{Email, Name};
use agentdrop_protocol::{AccountId, MailId, Timestamp};
use agentdrop_store::QueuedMail;
use serde::{Deserialize, Serialize};

use crate::at_rest::{MailNonce, ServerKey};
use crate::clock::{NoChance, random};

/// A mail, before it is laid out as text and as HTML.
#[derive(Serialize, Deserialize)]
pub(crate) struct Letter {
    /// Where it goes.
    pub(crate) to: Email,
    /// What the recipient is called, where it counts as known that they are whom they say: else
    /// whoever signs up with another's address could write to them by a name.
    pub(crate) to_name: Option<Name>,
    /// What it is about; never what a stranger wrote.
    pub(crate) subject: String,
    /// What it says.
    pub(crate) paragraphs: Vec<Paragraph>,
}

/// A part of a mail.
#[derive(Serialize, Deserialize)]
pub(crate) enum Paragraph {
    /// What we say.
    Text(String),
    /// What somebody else says; marked as such.
    Quote(String),
    /// A link, with what it does.
    Link {
        /// What it does.
        label: String,
        /// Where it leads.
        url: String,
    },
    /// A command line that does the same.
    Command(String),
}

impl Paragraph {
    fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }
}

/// The time and the chance that a mail takes; drawn before the unit of work it is written in.
pub(crate) struct Stamp {
    id: MailId,
    nonce: MailNonce,
    now: Timestamp,
}

impl Stamp {
    pub(crate) fn new(now: Timestamp) -> Result<Self, NoChance> {
        Ok(Self {
            id: MailId::new(now, random()?),
            nonce: MailNonce(random()?),
            now,
        })
    }

    /// The mail as it waits to be sent, caused by `account`.
    pub(crate) fn seal(self, key: &ServerKey, account: AccountId, letter: &Letter) -> QueuedMail {
        let text = serde_json::to_vec(letter).expect("texts are written as JSON");
        QueuedMail {
            id: self.id,
            account,
            content: key.seal_mail(self.id, self.nonce, &text),
            attempts: 0,
            created_at: self.now,
            due_at: self.now,
        }
    }
}

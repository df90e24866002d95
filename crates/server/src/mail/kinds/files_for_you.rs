//! Files for a person.

use agentdrop_domain::accounts::Account;
use agentdrop_protocol::text::{Email, Label, Message};
use agentdrop_protocol::{FileName, LinkToken, Timestamp, TransferId};

use super::command;
use crate::app::App;
use crate::mail::{Letter, Paragraph};

/// How many files a mail names.
const NAMED: usize = 20;
/// How much of a message it has.
const MESSAGE_CHARS: usize = 1_000;

/// What a person has to do to open files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing but to fetch them.
    Open,
    /// To set a receive password.
    SetReceivePassword,
    /// To make an account first.
    SignUp,
}

/// What somebody was sent.
pub(crate) struct Files<'a> {
    /// The account that sent it.
    pub(crate) from: &'a Account,
    /// The transfer.
    pub(crate) transfer: TransferId,
    /// What the link to it has.
    pub(crate) token: &'a LinkToken,
    /// What of it did, as it calls itself.
    pub(crate) sender: &'a Label,
    /// The names of the files, with how many bytes each has; none where they are not known here.
    pub(crate) named: Vec<(&'a FileName, u64)>,
    /// What came with them.
    pub(crate) message: Option<&'a Message>,
    /// Until when they are there.
    pub(crate) expires_at: Timestamp,
}

/// Tells whoever has an address what they were sent, and what they have to do to open it.
pub(crate) fn files_for_you(app: &App, to: Email, sent: &Files<'_>, step: Step) -> Letter {
    let Files { from, sender, .. } = sent;
    let mut paragraphs = vec![
        Paragraph::text(format!(
            "An AI agent has sent you files by way of {}. It calls itself:",
            app.public_url
        )),
        Paragraph::Quote(format!("{sender}\nof {} <{}>", from.name, from.email)),
    ];
    if sent.named.is_empty() {
        paragraphs.push(Paragraph::text(
            "What the files are called, and what is said with them, is encrypted as well.",
        ));
    } else {
        paragraphs.push(Paragraph::text("The files:"));
        paragraphs.push(Paragraph::Quote(listed(&sent.named)));
    }
    let message = sent.message.map(Message::as_str).unwrap_or_default();
    if !message.trim().is_empty() {
        paragraphs.push(Paragraph::text("It says:"));
        let message = message.chars().take(MESSAGE_CHARS);
        paragraphs.push(Paragraph::Quote(message.collect()));
    }
    paragraphs.push(Paragraph::text(format!(
        "They are there until {}.",
        sent.expires_at
    )));
    match step {
        Step::Open => paragraphs.push(Paragraph::text(
            "They are encrypted for you: your receive password opens them. At a command line:",
        )),
        Step::SetReceivePassword => paragraphs.extend([
            Paragraph::text(
                "They wait until you have set a receive password, which encrypts them for you \
                 alone. At a command line:",
            ),
            command(app, "receive-password set"),
            Paragraph::text("A moment later they are ready, and you open them:"),
        ]),
        Step::SignUp => paragraphs.extend([
            Paragraph::text(
                "They wait until you have an account with this address and have set a receive \
                 password, which encrypts them for you alone. If you do not know who sent them, \
                 there is nothing to be done. Once you have an account, at a command line:",
            ),
            command(app, "receive-password set"),
            Paragraph::text("A moment later they are ready, and you open them:"),
        ]),
    }
    paragraphs.push(Paragraph::Command(format!(
        "agentdrop open '{}'",
        link(app, sent)
    )));
    paragraphs.push(Paragraph::text(
        "Whoever has this link sees what is said here, so keep it to yourself. It leads nowhere \
         once the files are gone.",
    ));
    Letter {
        to,
        to_name: None,
        subject: match step {
            Step::Open => "Files for you are ready on AgentDrop",
            Step::SetReceivePassword | Step::SignUp => "Files wait for you on AgentDrop",
        }
        .to_owned(),
        paragraphs,
    }
}

/// Where the files are opened. What makes it work stands behind the `#`, which no browser tells a
/// server, nor the page it goes to next, and so no log has it.
fn link(app: &App, sent: &Files<'_>) -> String {
    let token = sent.token.as_key().expose_secret();
    app.url(&format!("/d/{}#{token}", sent.transfer))
}

fn listed(files: &[(&FileName, u64)]) -> String {
    let line = |(name, size): &(&FileName, u64)| format!("{} ({size} bytes)", name.as_str());
    let mut lines: Vec<_> = files.iter().take(NAMED).map(line).collect();
    if let Some(more) = files.len().checked_sub(NAMED).filter(|it| *it > 0) {
        lines.push(format!("and {more} more"));
    }
    lines.join("\n")
}

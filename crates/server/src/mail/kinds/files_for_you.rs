//! Files for a person.

use agentdrop_domain::accounts::Account;
use agentdrop_protocol::text::{Email, Label, Message};
use agentdrop_protocol::{FileName, LinkToken, Timestamp, TransferId};

use super::command;
use crate::app::App;
use crate::config::Signup;
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
    /// Whether an agent did; else somebody who signed in.
    pub(crate) is_from_agent: bool,
    /// Who of it did, as it calls itself.
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
    let (who, calls) = if sent.is_from_agent {
        ("An AI agent", "It calls itself:")
    } else {
        ("Somebody", "They call themselves:")
    };
    let mut paragraphs = vec![
        Paragraph::text(format!(
            "{who} has sent you files by way of {}. {calls}",
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
        paragraphs.push(Paragraph::text("With them came this message:"));
        let message = message.chars().take(MESSAGE_CHARS);
        paragraphs.push(Paragraph::Quote(message.collect()));
    }
    paragraphs.push(Paragraph::text(format!(
        "They are there until {}.",
        sent.expires_at
    )));
    paragraphs.extend(road(app, &to, &link(app, sent), step));
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

/// What has to be done before they are opened, in order.
fn road(app: &App, to: &Email, link: &str, step: Step) -> Vec<Paragraph> {
    let text = |it: &str| Paragraph::text(it);
    let to = quoted(to.as_str());
    let mut road = match step {
        Step::Open => {
            let how = "They are encrypted for you: your receive password opens them. At a command \
                       line:";
            return vec![text(how)];
        }
        Step::SetReceivePassword => vec![text(
            "They wait until you have set a receive password, which encrypts them for you alone. \
             At a command line, sign in:",
        )],
        Step::SignUp => vec![text(
            "They wait until you have an account with this address and have set a receive \
             password, which encrypts them for you alone. If you do not know who sent them, there \
             is nothing to be done.",
        )],
    };
    match (step, app.signup) {
        (Step::SignUp, Signup::Closed) => road.push(text(
            "The operator of this server makes its accounts: ask them for one with this address. \
             Then, at a command line, sign in:",
        )),
        (Step::SignUp, Signup::Open | Signup::Invite) => road.extend([
            text("At a command line, make the account, under a name of yours:"),
            command(
                app,
                &format!("account create --name NAME --invitation '{link}'"),
            ),
            text("Sign in:"),
        ]),
        _ => {}
    }
    let reset = format!(
        "agentdrop --server {} account reset-password {to}",
        app.public_url
    );
    road.extend([
        command(app, &format!("login {to}")),
        Paragraph::text(format!(
            "If you have no password to sign in with, or forgot it, `{reset}` has a link mailed to \
             set one."
        )),
        text("Set the receive password:"),
        command(app, "receive-password set"),
        text("A moment later they are ready, and you open them:"),
    ]);
    road
}

/// A word of a command line, as it is: whoever sends chooses the address, and it is pasted.
fn quoted(word: &str) -> String {
    let is_plain = |it: char| it.is_ascii_alphanumeric() || "@._+-".contains(it);
    if word.chars().all(is_plain) && !word.starts_with('-') {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
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

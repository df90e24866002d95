//! How a run ends: the exit status, and what is said when it was not done.

use std::error::Error;
use std::io::ErrorKind;
use std::process::ExitCode;

use agentdrop_client::error::ShieldError;
use agentdrop_client::shield::Held;
use agentdrop_protocol::ErrorCode;
use agentdrop_protocol::error_body::Candidate;
use serde::Serialize;

/// How a run ends. The worse of two is the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// It was done.
    Done = 0,
    /// It was refused, here or by the server: the same again is refused again.
    Refused = 1,
    /// Something is broken: the usage, the network, the disk, the server.
    Broken = 2,
    /// A signal ended it.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why something was not done: a code for programs, a sentence and a hint for people.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Failure {
    /// What kind of failure it is; a promise.
    pub(crate) code: &'static str,
    /// One sentence.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) hint: String,
    /// The accounts that may be meant, where that is what failed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) candidates: Vec<Candidate>,
    /// What the scanner keeps from the agent, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) quarantined: Option<Box<Held>>,
    #[serde(skip)]
    pub(crate) exit: Exit,
}

/// The result of whatever may be refused or break.
pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    /// It is not allowed, or there is no such thing.
    pub(crate) fn refused(
        code: &'static str,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self {
            code,
            message: message.into(),
            hint: hint.into(),
            candidates: Vec::new(),
            quarantined: None,
            exit: Exit::Refused,
        }
    }

    /// It does not work.
    pub(crate) fn broken(
        code: &'static str,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self {
            exit: Exit::Broken,
            ..Self::refused(code, message, hint)
        }
    }

    /// A signal came first.
    pub(crate) fn interrupted() -> Self {
        Self {
            exit: Exit::Interrupted,
            ..Self::refused("INTERRUPTED", "interrupted", "run it again")
        }
    }

    /// Reading or writing on this machine failed.
    pub(crate) fn io(doing: &str, error: &std::io::Error) -> Self {
        let hint = match error.kind() {
            ErrorKind::NotFound => "check the path",
            ErrorKind::PermissionDenied => "check who may read and write there",
            ErrorKind::StorageFull => "make room on the disk",
            _ => "check the disk",
        };
        Self::broken("IO", format!("cannot {doing}: {error}"), hint)
    }
}

impl From<agentdrop_client::Error> for Failure {
    fn from(error: agentdrop_client::Error) -> Self {
        let exit = if error.is_refusal() {
            Exit::Refused
        } else {
            Exit::Broken
        };
        let code = error.code();
        let hint = hint_for(code).map(str::to_owned).or_else(|| error.hint());
        let candidates = match &error {
            agentdrop_client::Error::Api(error) => error.candidates.clone(),
            _ => Vec::new(),
        };
        let quarantined = match &error {
            agentdrop_client::Error::Shield(ShieldError::Blocked(held)) => {
                // Whoever reads this may be whom it is kept from.
                Some(Box::new(held.without_message()))
            }
            _ => None,
        };
        Self {
            code,
            candidates,
            quarantined,
            message: chain(&error),
            hint: hint.unwrap_or_else(|| fallback(&error).to_owned()),
            exit,
        }
    }
}

/// What this command knows to be done and the library, which has no flags, does not.
fn hint_for(code: &str) -> Option<&'static str> {
    use ErrorCode as E;
    if code == "NOT_ONE_FILE" {
        return Some("receive them into a folder: `--to DIR`");
    }
    if code == "IS_A_LINK" {
        return Some(
            "leave out what is no file with `--skip-links`, or pack the folder yourself: `tar cz … | agentdrop send … -`",
        );
    }
    if code == "NOT_A_FILE" {
        return Some(
            "copy what it yields into a file first, and send that; in a folder, `--skip-links` leaves it out",
        );
    }
    if code == "NO_IDENTITY" {
        return Some(
            "make one with `agentdrop register`; a person opens what they were sent with `agentdrop open`, and sends after `agentdrop login`",
        );
    }
    if code == "PLAINTEXT" {
        return Some("the server can read it; take it all the same with `--accept-plaintext`");
    }
    if code == "RECIPIENT_HAS_NO_KEY" {
        return Some(
            "ask them to set one; or send it all the same with `--yes`: the server could read it until they have",
        );
    }
    let Ok(code) = code.parse::<ErrorCode>();
    Some(match code {
        E::AgentNotAvailable => {
            "its owner has to let it be paired; `agentdrop connections agents` lists those that can be"
        }
        E::AgentNotConnected | E::TargetNotConnected => {
            "it has to connect first, which gives it a key"
        }
        E::AgentNotFound => {
            "`agentdrop agents` lists your agents, and `agentdrop connections agents` theirs"
        }
        E::AccountExists => {
            "`agentdrop login` signs in to it, and `agentdrop account reset-password` sets its password anew"
        }
        E::FileTooLarge => {
            "`agentdrop account usage` shows what the plan allows; the operator can change it"
        }
        E::AlreadyRevoked => "it is over already; there is nothing to be done",
        E::AlreadyConnected | E::AlreadyProcessed | E::ConnectionNotActive | E::InvitePending => {
            "`agentdrop connections` lists what there is"
        }
        E::AmbiguousRecipient => {
            "say whose it is with `--account`: the whole e-mail address, the id or the name"
        }
        E::Blocked => "`agentdrop blocked` lists those that you have blocked",
        E::CannotConfirmOwn => "the other account does, with `agentdrop confirm`",
        E::InvalidStatus | E::PairingExists => "`agentdrop pairings` shows where it stands",
        E::ScopeMismatch => {
            "this is the key of one agent; set AGENTDROP_API_KEY to one of the account, `agd_live_...`"
        }
        E::SelfConnection => "agents of one account need no connection",
        E::TermsChanged => "`agentdrop pairings` shows what it is now; nothing was agreed to",
        E::ShareRequired => "check the name; `agentdrop agents` lists whom you can send to",
        _ => return None,
    })
}

fn fallback(error: &agentdrop_client::Error) -> &'static str {
    use agentdrop_client::Error as E;
    match error {
        E::Io { source, .. } if source.kind() == ErrorKind::NotFound => "check the path",
        E::Io { .. } => "check the disk",
        E::FileCount(_) => "name at least one file",
        E::Api(error) if error.code == ErrorCode::ValidationError => {
            "correct what it names; `--help` says what is expected"
        }
        _ => "`agentdrop doctor` looks for the cause",
    }
}

/// The error and its causes, as one sentence.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

//! How long is waited before something is tried again, and whether it is.

use std::time::Duration;

use agentdrop_protocol::ErrorCode;

use crate::error::{Error, TransportProblem};

/// How often a call is tried.
const MAX_TRIES: u32 = 3;
/// How often a part is tried: a server that is started anew is back within half a minute.
const MAX_PUT_TRIES: u32 = 8;
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// A server that asks for a longer pause than this is reported instead.
const MAX_PAUSE: Duration = Duration::from_secs(30);

/// Whether a call that may have arrived may be made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// It counts something or makes something each time.
    Never,
    /// Making it twice is as making it once.
    Safe,
}

/// How long to wait before try number `tries` + 1, or `None` if this error is to be reported.
pub(crate) fn pause(error: &Error, repeat: Repeat, tries: u32) -> Option<Duration> {
    let (again, asked) = match error {
        // The first try under this name has not ended yet.
        Error::Api(it) if it.code == ErrorCode::IdempotencyInProgress => (true, it.retry_after),
        // It was refused before it did anything.
        Error::Api(it) if it.status == 429 => (true, it.retry_after),
        Error::Api(it) if matches!(it.status, 502..=504) => {
            (repeat == Repeat::Safe, it.retry_after)
        }
        // Nothing was sent.
        Error::Transport(it) if it.problem == TransportProblem::Unreachable => (true, None),
        Error::Transport(it) if it.problem == TransportProblem::BrokenOff => {
            (repeat == Repeat::Safe, None)
        }
        _ => (false, None),
    };
    if !again || tries >= MAX_TRIES {
        return None;
    }
    pause_of(asked, tries)
}

/// The same for a part of a file, of which the last whole try counts: whatever is not a refusal may
/// go better the next time.
pub(crate) fn pause_of_part(error: &Error, tries: u32) -> Option<Duration> {
    let (again, asked) = match error {
        Error::Api(it) => (it.status == 429 || it.status >= 500, it.retry_after),
        Error::Transport(_) => (true, None),
        _ => (false, None),
    };
    if !again || tries >= MAX_PUT_TRIES {
        return None;
    }
    pause_of(asked, tries)
}

/// The same for bytes that are fetched on from where they broke off: it waits for a server that is
/// started anew, as [`pause_of_part`] does.
pub(crate) fn pause_of_range(error: &Error, tries: u32) -> Option<Duration> {
    let (is_away, asked) = match error {
        Error::Api(it) => (matches!(it.status, 502..=504), it.retry_after),
        Error::Transport(it) => (it.problem != TransportProblem::TimedOut, None),
        _ => (false, None),
    };
    if is_away && tries < MAX_PUT_TRIES {
        return pause_of(asked, tries);
    }
    pause(error, Repeat::Safe, tries)
}

fn pause_of(asked: Option<Duration>, tries: u32) -> Option<Duration> {
    let asked = asked.unwrap_or_default();
    if asked > MAX_PAUSE {
        return None;
    }
    let pause = FIRST_PAUSE * 2_u32.pow(tries - 1);
    // Many clients that were refused at once must not come back at once. Without chance they do.
    let [chance] = agentdrop_seal::random_bytes().unwrap_or([0]);
    Some(asked.max(pause / 2) + pause * u32::from(chance) / 510)
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;
    use crate::error::{ApiError, TransportError};

    fn refused(status: u16, retry_after: Option<u64>) -> Error {
        let status = StatusCode::from_u16(status).unwrap();
        ApiError::bare(status, retry_after.map(Duration::from_secs)).into()
    }

    #[test]
    fn only_what_did_nothing_is_tried_again() {
        assert!(pause(&refused(429, None), Repeat::Never, 1).is_some());
        for status in [502, 503, 504] {
            assert!(pause(&refused(status, None), Repeat::Safe, 1).is_some());
            assert!(pause(&refused(status, None), Repeat::Never, 1).is_none());
        }
        for status in [400, 401, 404, 410, 500] {
            assert!(pause(&refused(status, None), Repeat::Safe, 1).is_none());
        }
        assert!(pause(&refused(429, None), Repeat::Safe, MAX_TRIES).is_none());
    }

    #[test]
    fn a_pause_that_the_server_asks_for_is_kept_within_reason() {
        let asked = pause(&refused(503, Some(7)), Repeat::Safe, 1).unwrap();
        assert!((7..=8).contains(&asked.as_secs()), "{asked:?}");
        assert!(pause(&refused(429, Some(3600)), Repeat::Safe, 1).is_none());
        let unasked = pause(&refused(503, None), Repeat::Safe, 2).unwrap();
        assert!((250..=500).contains(&unasked.as_millis()), "{unasked:?}");
    }

    #[test]
    fn a_server_that_is_started_anew_is_waited_for() {
        let gone = |problem| {
            let (server, detail) = ("x".to_owned(), String::new());
            Error::Transport(TransportError {
                problem,
                server,
                detail,
            })
        };
        for tries in 1..MAX_PUT_TRIES {
            for problem in [TransportProblem::Unreachable, TransportProblem::BrokenOff] {
                assert!(pause_of_range(&gone(problem), tries).is_some());
            }
            assert!(pause_of_range(&refused(503, None), tries).is_some());
        }
        assert!(pause_of_range(&gone(TransportProblem::Unreachable), MAX_PUT_TRIES).is_none());
        for (status, tries) in [(403, 1), (404, 1), (410, 1), (500, 1), (429, MAX_TRIES)] {
            assert!(pause_of_range(&refused(status, None), tries).is_none());
        }
    }
}

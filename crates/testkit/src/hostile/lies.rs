//! Lies that are told again and again: of a transfer, of its bytes, of the keys of an agent.

use serde_json::Value;

use super::{Answered, Asked, Lie};

/// Changes what is said of the transfer, wherever it is said: in the listing, and in the grant.
pub fn said(change: impl FnMut(&mut Value) + Send + 'static) -> Lie {
    let is_it = |it: &Asked| it.path.starts_with("/v1/transfers/tr_") && !it.path.ends_with("/ack");
    whenever(is_it, change)
}

/// Changes the grant alone.
pub fn granted(change: impl FnMut(&mut Value) + Send + 'static) -> Lie {
    whenever(|it| it.path.ends_with("/download"), change)
}

/// Changes the bytes of a file, as it is fetched: 0 is the envelope.
pub fn bytes(n: usize, mut change: impl FnMut(&mut Vec<u8>) + Send + 'static) -> Lie {
    answer_of_file(n, move |answered| {
        let mut bytes = answered.body.to_vec();
        change(&mut bytes);
        answered.with(bytes)
    })
}

/// Changes the answer that a file is fetched with, its status and fields too: 0 is the envelope.
pub fn answer_of_file(
    n: usize,
    mut change: impl FnMut(Answered) -> Answered + Send + 'static,
) -> Lie {
    let mut path = None;
    Box::new(move |asked, answered| {
        if asked.path.ends_with("/download") && answered.status.is_success() {
            path = answered.json()["files"][n]["download_url"]
                .as_str()
                .map(path_of);
        } else if path.as_ref() == Some(&asked.path) {
            return change(answered);
        }
        answered
    })
}

/// Whether the keys of an agent are asked for, with a prekey or without.
pub fn asks_for_keys(asked: &Asked) -> bool {
    asks_for_bundle(asked) || asks_for_prekey(asked)
}

/// Whether the bundle of an agent is asked for, or brought.
pub fn asks_for_bundle(asked: &Asked) -> bool {
    asked.path.ends_with("/bundle")
}

/// Whether a prekey of an agent is taken.
pub fn asks_for_prekey(asked: &Asked) -> bool {
    asked.path.ends_with("/prekeys/claim")
}

/// Changes what is told of the keys of an agent, in each answer of its bundle, and with each prekey.
pub fn told(change: impl FnMut(&mut Value) + Send + 'static) -> Lie {
    whenever(asks_for_keys, change)
}

/// Changes what comes with a prekey alone.
pub fn claimed(change: impl FnMut(&mut Value) + Send + 'static) -> Lie {
    whenever(asks_for_prekey, change)
}

/// Changes the answer of a bundle alone.
pub fn bundled(change: impl FnMut(&mut Value) + Send + 'static) -> Lie {
    whenever(asks_for_bundle, change)
}

/// Changes the answer to whatever this is true of, if it is no error.
pub fn whenever(
    is_it: impl Fn(&Asked) -> bool + Send + 'static,
    mut change: impl FnMut(&mut Value) + Send + 'static,
) -> Lie {
    Box::new(move |asked, answered| {
        if is_it(asked) && answered.status.is_success() {
            return answered.change(&mut change);
        }
        answered
    })
}

/// Refuses whatever this is true of.
pub fn refusing(
    is_it: impl Fn(&Asked) -> bool + Send + 'static,
    status: u16,
    code: &'static str,
) -> Lie {
    Box::new(move |asked, answered| {
        if is_it(asked) {
            return Answered::refused(status, code);
        }
        answered
    })
}

/// The path of an address, without the query.
pub fn path_of(url: &str) -> String {
    let url: reqwest::Url = url.parse().expect("the server answered an address");
    url.path().to_owned()
}

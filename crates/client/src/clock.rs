//! What time it is, by this machine's clock.

use std::time::{SystemTime, UNIX_EPOCH};

use agentdrop_protocol::Timestamp;

#[expect(
    clippy::disallowed_methods,
    reason = "there is no other clock on this side"
)]
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let millis = since.unwrap_or_default().as_millis();
    Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
}

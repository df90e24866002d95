//! Links that are mailed: whoever follows one has read the mail.

use agentdrop_protocol::limits::MAILED_LINK_LIFETIME;
use agentdrop_protocol::{AccountId, ParseError, Timestamp};

/// What a mailed link is for, less its token, which nobody keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailedLink {
    /// SHA-256 of the token.
    pub digest: [u8; 32],
    /// What it does.
    pub purpose: LinkPurpose,
    /// The account that it does it for.
    pub account: AccountId,
    /// Until when it works.
    pub expires_at: Timestamp,
}

/// What a mailed link does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkPurpose {
    /// Shows that the address is its account's.
    VerifyEmail,
    /// Sets a password.
    ResetPassword,
}

impl MailedLink {
    /// A link that is about to be mailed.
    pub fn new(digest: [u8; 32], purpose: LinkPurpose, account: AccountId, now: Timestamp) -> Self {
        Self {
            digest,
            purpose,
            account,
            expires_at: now.plus(MAILED_LINK_LIFETIME),
        }
    }

    /// Whether it does this, now.
    pub fn is_for(&self, purpose: LinkPurpose, now: Timestamp) -> bool {
        self.purpose == purpose && now < self.expires_at
    }
}

impl LinkPurpose {
    /// How it is written down.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::ResetPassword => "reset_password",
        }
    }
}

impl std::str::FromStr for LinkPurpose {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let all = [Self::VerifyEmail, Self::ResetPassword];
        let found = all.into_iter().find(|it| it.as_str() == text);
        found.ok_or_else(|| ParseError::new("is not what a mailed link is for"))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_link_does_one_thing_for_an_hour() {
        let now = Timestamp::from_millis(1_790_000_000_000);
        let account = AccountId::new(now, [2; 10]);
        let link = MailedLink::new([1; 32], LinkPurpose::VerifyEmail, account, now);
        assert!(link.is_for(LinkPurpose::VerifyEmail, now));
        assert!(!link.is_for(LinkPurpose::ResetPassword, now));
        let later = now.plus(Duration::from_hours(1));
        assert!(!link.is_for(LinkPurpose::VerifyEmail, later));
    }

    #[test]
    fn a_purpose_is_read_back_as_it_is_written() {
        for it in [LinkPurpose::VerifyEmail, LinkPurpose::ResetPassword] {
            assert_eq!(it.as_str().parse(), Ok(it));
        }
        assert!("sign_in".parse::<LinkPurpose>().is_err());
    }
}

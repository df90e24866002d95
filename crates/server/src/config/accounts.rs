//! Who may make an account, and whether an address has to be shown to be theirs.

use std::str::FromStr;

/// Who may make an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signup {
    /// Whoever reaches the server.
    Open,
    /// Whoever was sent files, with the link that was mailed to them.
    Invite,
    /// The operator alone, with `agentdrop admin account create`.
    Closed,
}

impl FromStr for Signup {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "open" => Ok(Self::Open),
            "invite" => Ok(Self::Invite),
            "closed" => Ok(Self::Closed),
            _ => Err("must be open, invite or closed".to_owned()),
        }
    }
}

/// Whether the owner of an account has to show that its e-mail address is theirs, before they see
/// what others sent to that address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmailVerification {
    /// It has to be shown.
    Required,
    /// Every account is believed.
    Off,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_sign_up_is_one_of_three_words() {
        for (word, signup) in [
            ("open", Signup::Open),
            ("invite", Signup::Invite),
            ("closed", Signup::Closed),
        ] {
            assert_eq!(word.parse(), Ok(signup));
        }
        assert!("invited".parse::<Signup>().is_err());
    }
}

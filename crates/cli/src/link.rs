//! Links that were mailed to somebody who was sent files: `{server}/d/{transfer}#{token}`.

use std::fmt;
use std::str::FromStr;

use agentdrop_protocol::{LinkToken, TransferId};

/// A link. What stands behind its `#` opens the files, so it is not shown.
#[derive(Clone)]
pub(crate) struct Link {
    server: String,
    transfer: TransferId,
    token: String,
}

/// What is no link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoLink {
    /// It ends where the secret should begin.
    #[error("has nothing behind a `#`; put the whole link in quotes")]
    CutOff,
    /// It is something else.
    #[error(
        "is mistyped or cut off, or not a link like 'https://drop.example.org/d/tr_...#agl_...'"
    )]
    Other,
}

impl Link {
    /// The server that it is of.
    pub(crate) fn server(&self) -> &str {
        &self.server
    }

    /// The transfer that it leads to.
    pub(crate) const fn transfer(&self) -> TransferId {
        self.transfer
    }

    /// What makes it work.
    pub(crate) fn token(&self) -> LinkToken {
        self.token
            .parse()
            .expect("it was parsed when the link was read")
    }
}

impl FromStr for Link {
    type Err = NoLink;

    fn from_str(text: &str) -> Result<Self, NoLink> {
        let text = text.trim();
        let (address, token) = match text.split_once('#') {
            Some((address, token)) => (address, Some(token)),
            None => (text, None),
        };
        let (server, transfer) = address.rsplit_once("/d/").ok_or(NoLink::Other)?;
        let transfer = transfer.parse().map_err(|_| NoLink::Other)?;
        let token = token.filter(|it| !it.is_empty()).ok_or(NoLink::CutOff)?;
        // Hints have it in commands that are pasted into a shell, and whoever made the link chose it.
        let plain = |it: char| it.is_ascii_alphanumeric() || "-._~:/[]%+,=@".contains(it);
        if !server.starts_with("http")
            || !server.chars().all(plain)
            || token.parse::<LinkToken>().is_err()
        {
            return Err(NoLink::Other);
        }
        Ok(Self {
            server: server.to_owned(),
            transfer,
            token: token.to_owned(),
        })
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Link({}/d/{}#...)", self.server, self.transfer)
    }
}

/// Whole, for a command that can be pasted.
impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}/d/{}#{}'", self.server, self.transfer, self.token)
    }
}

#[cfg(test)]
mod tests {
    use agentdrop_protocol::api_key::{ApiKey, KeyKind};

    use super::*;

    const ADDRESS: &str = "https://drop.example.org/a/d/tr_019a9f3e5c1a7b2d8e4fa1b2c3d4e5f6";

    #[test]
    fn what_is_a_link_and_what_is_not() {
        let chance = std::array::from_fn(|n| u8::try_from(n).unwrap());
        let token = ApiKey::new(KeyKind::MailedLink, &chance).unwrap();
        let token = token.expose_secret();
        let text = format!(" {ADDRESS}#{token}\n");
        let link: Link = text.parse().unwrap();
        assert_eq!(link.server(), "https://drop.example.org/a");
        assert_eq!(link.token().as_key().expose_secret(), token);
        assert_eq!(link.to_string(), format!("'{ADDRESS}#{token}'"));
        assert!(!format!("{link:?}").contains(token));

        for (bad, why) in [
            (ADDRESS.to_owned(), NoLink::CutOff),
            (format!("{ADDRESS}#"), NoLink::CutOff),
            (format!("{ADDRESS}#agl_x"), NoLink::Other),
            (format!("{ADDRESS}#{token}x"), NoLink::Other),
            (format!("{ADDRESS}x#{token}"), NoLink::Other),
            (token.to_owned(), NoLink::Other),
            (
                format!("file:///d/tr_019a9f3e5c1a7b2d8e4fa1b2c3d4e5f6#{token}"),
                NoLink::Other,
            ),
            (
                format!(
                    "https://a.example/';touch x;'/d/tr_019a9f3e5c1a7b2d8e4fa1b2c3d4e5f6#{token}"
                ),
                NoLink::Other,
            ),
            (
                format!(
                    "https://a.example/$(touch${{IFS}}x)/d/tr_019a9f3e5c1a7b2d8e4fa1b2c3d4e5f6#{token}"
                ),
                NoLink::Other,
            ),
            (
                format!(
                    "https://a.example/ --api-key x/d/tr_019a9f3e5c1a7b2d8e4fa1b2c3d4e5f6#{token}"
                ),
                NoLink::Other,
            ),
            (String::new(), NoLink::Other),
        ] {
            assert_eq!(bad.parse::<Link>().unwrap_err(), why, "{bad}");
        }
    }
}

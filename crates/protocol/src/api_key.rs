//! The form of API keys and tokens: prefix, 32 characters of chance, 6 check digits.
//!
//! The check digits refuse a typo without a query, and let a scanner tell a leaked key from any
//! other text. They are no secret and prove nothing.

use std::fmt;
use std::str::FromStr;

use crate::ParseError;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const SECRET_CHARS: usize = 32;
const CHECK_CHARS: usize = 6;
/// Characters of the secret that a listing shows.
const SHOWN_CHARS: usize = 4;

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// `agd_live_`: everything of an account.
    Account,
    /// `ada_live_`: one agent of it.
    Agent,
    /// `agt_`: connects one agent, once.
    ConnectionToken,
    /// `agl_`: what a mailed link is for, once.
    MailedLink,
    /// `ags_`: everything that a person may do who signed in.
    Session,
}

impl KeyKind {
    const ALL: [Self; 5] = [
        Self::Account,
        Self::Agent,
        Self::ConnectionToken,
        Self::MailedLink,
        Self::Session,
    ];

    /// What a key of this kind begins with.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Account => "agd_live_",
            Self::Agent => "ada_live_",
            Self::ConnectionToken => "agt_",
            Self::MailedLink => "agl_",
            Self::Session => "ags_",
        }
    }
}

/// An API key or token. It cannot be printed, cloned or serialised by accident.
#[derive(PartialEq, Eq)]
pub struct ApiKey {
    kind: KeyKind,
    text: String,
}

impl ApiKey {
    /// A new key: `prefix | base62(chance) | base62(CRC-32)`.
    ///
    /// 32 characters of base 62 carry 190 bits; `chance` is spent a byte at a time, and bytes of
    /// 248 and above are passed over so that no character is likelier than another. Answers `None`
    /// where too few are left, which of 64 bytes happens about once in 2^100.
    pub fn new(kind: KeyKind, chance: &[u8; 64]) -> Option<Self> {
        let secret: String = chance
            .iter()
            .filter(|it| **it < 248)
            .take(SECRET_CHARS)
            .map(|it| char::from(BASE62[usize::from(it % 62)]))
            .collect();
        if secret.len() < SECRET_CHARS {
            return None;
        }
        let body = format!("{}{secret}", kind.prefix());
        let text = format!("{body}{}", check_digits(&body));
        Some(Self { kind, text })
    }

    /// What it is for.
    pub const fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The whole key. Whoever has this is its owner.
    pub fn expose_secret(&self) -> &str {
        &self.text
    }

    /// The beginning that a listing may show: `agd_live_x7Rq`.
    pub fn shown(&self) -> &str {
        let shown = self.kind.prefix().len() + SHOWN_CHARS;
        self.text.get(..shown).unwrap_or_default()
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl FromStr for ApiKey {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let wrong = || ParseError::new("is not an AgentDrop key");
        let kind = KeyKind::ALL
            .into_iter()
            .find(|it| text.starts_with(it.prefix()));
        let kind = kind.ok_or_else(wrong)?;
        let length = kind.prefix().len() + SECRET_CHARS + CHECK_CHARS;
        if text.len() != length
            || !text
                .bytes()
                .all(|it| it == b'_' || it.is_ascii_alphanumeric())
        {
            return Err(wrong());
        }
        let (body, check) = text.split_at(length - CHECK_CHARS);
        if check_digits(body) != check {
            return Err(ParseError::new("is mistyped: its check digits do not fit"));
        }
        Ok(Self {
            kind,
            text: text.to_owned(),
        })
    }
}

/// CRC-32 (ISO-HDLC) of `body` in base 62, highest digit first.
fn check_digits(body: &str) -> String {
    let mut rest = crc32fast::hash(body.as_bytes());
    let mut digits = [b'0'; CHECK_CHARS];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[(rest % 62) as usize];
        rest /= 62;
    }
    digits.iter().map(|it| char::from(*it)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> ApiKey {
        ApiKey::new(
            KeyKind::Account,
            &std::array::from_fn(|n| u8::try_from(n).unwrap()),
        )
        .unwrap()
    }

    #[test]
    fn a_key_is_read_back_as_it_is_written() {
        assert_eq!(
            key().expose_secret(),
            "agd_live_0123456789ABCDEFGHIJKLMNOPQRSTUV0K69qe"
        );
        assert_eq!(key().expose_secret().parse::<ApiKey>().unwrap(), key());
        assert_eq!(key().shown(), "agd_live_0123");
    }

    #[test]
    fn a_typo_is_seen() {
        let good = key().expose_secret().to_owned();
        for at in 0..good.len() {
            let mut bad = good.clone().into_bytes();
            bad[at] = if bad[at] == b'x' { b'y' } else { b'x' };
            let bad = String::from_utf8(bad).unwrap();
            assert!(bad.parse::<ApiKey>().is_err(), "{bad}");
        }
        for bad in [
            "",
            "agd_live_",
            "agd_live_x",
            &format!("{good}0"),
            good.trim_start_matches('a'),
        ] {
            assert!(bad.parse::<ApiKey>().is_err(), "{bad}");
        }
    }

    #[test]
    fn it_is_not_printed_by_accident() {
        assert!(!format!("{:?}", key()).contains("0123"));
    }

    #[test]
    fn chance_that_is_spent_gives_no_key() {
        assert!(ApiKey::new(KeyKind::Agent, &[255; 64]).is_none());
    }
}

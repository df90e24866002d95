//! Short texts that people and agents write: names, messages, addresses.

use std::fmt;
use std::str::FromStr;

use crate::limits::{
    MAX_CONTENT_TYPE_CHARS, MAX_DESCRIPTION_CHARS, MAX_EMAIL_CHARS, MAX_ETAG_CHARS,
    MAX_INVITE_MESSAGE_CHARS, MAX_LABEL_CHARS, MAX_MESSAGE_CHARS, MAX_NAME_CHARS, MAX_REASON_CHARS,
    MAX_RECIPIENT_CHARS, MAX_URL_CHARS,
};
use crate::{ParseError, serde_as_text};

/// Whether a character would act on a terminal or reorder the text around it.
///
/// Controls (category Cc), the line and paragraph separators, and the bidirectional embeddings,
/// overrides and isolates of UAX #9, with which `exe.gpj` is made to read `jpg.exe`.
pub fn is_unprintable(it: char) -> bool {
    it.is_control()
        || matches!(it, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Makes any text fit to be shown on one line of a terminal: what is unprintable becomes `\u{…}`.
pub fn printable(text: &str) -> String {
    text.chars()
        .flat_map(|it| {
            let escape = is_unprintable(it);
            let escaped = escape.then(|| it.escape_unicode()).into_iter().flatten();
            escaped.chain((!escape).then_some(it))
        })
        .collect()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Lines {
    One,
    Many,
}

impl Lines {
    /// Of what is one line, something is shown; of many, there may be none.
    #[cfg(feature = "openapi")]
    const fn min_chars(self) -> usize {
        match self {
            Self::One => 1,
            Self::Many => 0,
        }
    }
}

fn check(text: &str, max_chars: usize, lines: Lines) -> Result<(), ParseError> {
    let is_break = |it| lines == Lines::Many && matches!(it, '\n' | '\r' | '\t');
    if lines == Lines::One && text.trim().is_empty() {
        return Err(ParseError::new("must not be empty"));
    }
    if text.chars().count() > max_chars {
        return Err(ParseError::new(format!(
            "must be at most {max_chars} characters"
        )));
    }
    if text.chars().any(|it| is_unprintable(it) && !is_break(it)) {
        return Err(ParseError::new(
            "must not contain control or text-direction characters",
        ));
    }
    Ok(())
}

/// Says in the output for debugging what a text is; of one that people write to each other, no more.
macro_rules! debug_text {
    ($name:ident, Shown) => {
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.0).finish()
            }
        }
    };
    ($name:ident, Hidden) => {
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    };
}

/// Defines a text: how long it may be, whether it may have lines, what else it must be, and whether it
/// is shown in the output for debugging, which ends in logs.
macro_rules! define_text {
    ($(#[$doc:meta])* $name:ident, $max:ident, $lines:ident, $also:expr, $debug:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash)]
        pub struct $name(String);

        debug_text!($name, $debug);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = ParseError;

            fn from_str(text: &str) -> Result<Self, ParseError> {
                check(text, $max, Lines::$lines)?;
                let also: fn(&str) -> Result<(), ParseError> = $also;
                also(text)?;
                Ok(Self(text.to_owned()))
            }
        }

        serde_as_text!($name);

        #[cfg(feature = "openapi")]
        crate::schema_as_text!($name, stringify!($name), Lines::$lines.min_chars(), $max);
    };
}

define_text! {
    /// The name of an account, an agent or a key, for people.
    Name, MAX_NAME_CHARS, One, |_| Ok(()), Shown
}
define_text! {
    /// What an agent says it does.
    Description, MAX_DESCRIPTION_CHARS, Many, |_| Ok(()), Shown
}
define_text! {
    /// What a sender calls itself on a transfer: free-form, for tracking and filtering.
    Label, MAX_LABEL_CHARS, One, |_| Ok(()), Shown
}
define_text! {
    /// A message beside the files.
    Message, MAX_MESSAGE_CHARS, Many, |_| Ok(()), Hidden
}
define_text! {
    /// Why a transfer was rejected by its recipient.
    Reason, MAX_REASON_CHARS, Many, |_| Ok(()), Hidden
}
define_text! {
    /// A message with an invitation.
    InviteMessage, MAX_INVITE_MESSAGE_CHARS, Many, |_| Ok(()), Hidden
}
define_text! {
    /// Whom a transfer is for, or of whose account they are: a slug, an id, a name or an address.
    RecipientName, MAX_RECIPIENT_CHARS, One, |_| Ok(()), Shown
}
define_text! {
    /// What an uploaded part was answered with as its `ETag`.
    ETag, MAX_ETAG_CHARS, One, |_| Ok(()), Shown
}
define_text! {
    /// An e-mail address.
    Email, MAX_EMAIL_CHARS, One, email, Shown
}
define_text! {
    /// An address that is called with news; HTTPS, or HTTP where the operator allows it.
    WebhookUrl, MAX_URL_CHARS, One, webhook_url, Shown
}
define_text! {
    /// A media type of RFC 9110 §8.3.1, without parameters.
    ContentType, MAX_CONTENT_TYPE_CHARS, One, content_type, Shown
}

impl ContentType {
    /// What nothing is known about.
    pub fn octet_stream() -> Self {
        Self("application/octet-stream".to_owned())
    }
}

const KELVIN_SIGN: &str = "\u{212a}";

impl Email {
    /// The address as it is compared: the whole of it in lower case.
    ///
    /// RFC 5321 lets a host tell `Bob@` from `bob@`; none does, and a person who mistypes the case
    /// means the same mailbox.
    ///
    /// A Kelvin sign stays one: it is the only character that would become one of ASCII, and whoever
    /// reads the mail of an address with it need not be whoever reads that of the one with a `k`.
    #[must_use]
    pub fn folded(&self) -> Self {
        let folded: Vec<_> = self.0.split(KELVIN_SIGN).map(str::to_lowercase).collect();
        Self(folded.join(KELVIN_SIGN))
    }

    /// The address as somebody sees it who is to recognise it and not to learn it: the first two
    /// characters before the `@`, one `*` for each other, and the domain.
    ///
    /// At least one character is masked, for the whole address is never disclosed: of two
    /// characters the first is kept, and of one none.
    #[must_use]
    pub fn masked(&self) -> String {
        let Some((local, domain)) = self.0.rsplit_once('@') else {
            return self.0.chars().map(|_| '*').collect();
        };
        let kept = local.chars().count().saturating_sub(1).min(2);
        let masked = |(at, it)| if at < kept { it } else { '*' };
        let local: String = local.chars().enumerate().map(masked).collect();
        format!("{local}@{domain}")
    }
}

fn email(text: &str) -> Result<(), ParseError> {
    let wrong = || ParseError::new("is not an e-mail address");
    let (local, domain) = text.rsplit_once('@').ok_or_else(wrong)?;
    let plain = |it: char| {
        !it.is_whitespace()
            && !matches!(
                it,
                '"' | '(' | ')' | ',' | ':' | ';' | '<' | '>' | '@' | '[' | '\\' | ']'
            )
    };
    let labels = |it: &str| !it.is_empty() && !it.starts_with('-') && !it.ends_with('-');
    let good = !local.is_empty()
        && local.len() <= 64
        && local.chars().all(plain)
        && domain
            .chars()
            .all(|it| it.is_alphanumeric() || matches!(it, '.' | '-'))
        && domain.split('.').all(labels);
    if good { Ok(()) } else { Err(wrong()) }
}

fn webhook_url(text: &str) -> Result<(), ParseError> {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    match rest {
        Some(rest) if !rest.is_empty() && !text.contains(char::is_whitespace) => Ok(()),
        _ => Err(ParseError::new("must be an https:// address")),
    }
}

fn content_type(text: &str) -> Result<(), ParseError> {
    // tchar of RFC 9110 §5.6.2.
    let tchar = |it: char| it.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(it);
    let token = |it: &str| !it.is_empty() && it.chars().all(tchar);
    match text.split_once('/') {
        Some((kind, subtype)) if token(kind) && token(subtype) => Ok(()),
        _ => Err(ParseError::new("is not a media type like text/plain")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_to_each_other_is_not_in_what_is_printed_for_debugging() {
        let text = "the code is 4711";
        let (message, reason): (Message, Reason) = (text.parse().unwrap(), text.parse().unwrap());
        let invite: InviteMessage = text.parse().unwrap();
        let printed = format!("{message:?} {reason:?} {invite:?} {:#?}", [&message]);
        assert!(!printed.contains("4711"), "{printed}");
        assert_eq!(format!("{message:?}"), "Message(…)");
        let name: Name = "worker".parse().unwrap();
        assert_eq!(format!("{name:?}"), r#"Name("worker")"#);
    }

    #[test]
    fn names_are_one_printable_line() {
        for good in ["a", "Größe 7 – ünï", &"é".repeat(100)] {
            assert!(good.parse::<Name>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "  ",
            "a\nb",
            "a\0",
            "\u{1b}[2J",
            "a\u{202e}b",
            &"x".repeat(101),
        ] {
            assert!(bad.parse::<Name>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn messages_may_have_lines_but_no_controls() {
        assert!("one\n\ttwo\r\n".parse::<Message>().is_ok());
        assert!("".parse::<Message>().is_ok());
        assert!("a\u{7}".parse::<Message>().is_err());
        assert!("a\u{2066}b".parse::<Message>().is_err());
    }

    #[test]
    fn what_is_an_address_and_what_is_not() {
        for good in [
            "dev@example.org",
            "a.b+c@sub.example.org",
            "x@localhost",
            "ü@bücher.example",
        ] {
            assert!(good.parse::<Email>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "a",
            "@b",
            "a@",
            "a b@c",
            "a@b@c",
            "a\r\nBcc: x@y",
            "a@-b",
            "a@b..c",
            "<a@b>",
        ] {
            assert!(bad.parse::<Email>().is_err(), "{bad}");
        }
        let shouted: Email = "Dev@Example.ORG".parse().unwrap();
        assert_eq!(shouted.folded().as_str(), "dev@example.org");
    }

    #[test]
    fn no_address_folds_to_that_of_another_in_ascii() {
        for odd in '\u{80}'..=char::MAX {
            let Ok(email) = format!("a{odd}B@example.org").parse::<Email>() else {
                continue;
            };
            let folded = email.folded();
            assert!(!folded.as_str().is_ascii(), "{odd:?}: {folded}");
            assert!(folded.as_str().ends_with("b@example.org"));
        }
    }

    #[test]
    fn a_masked_address_is_recognised_and_not_learned() {
        for (address, masked) in [
            ("ethan.morgan1@gmail.com", "et***********@gmail.com"),
            ("abc@example.org", "ab*@example.org"),
            ("ab@example.org", "a*@example.org"),
            ("a@example.org", "*@example.org"),
            ("a.b+c@sub.example.org", "a.***@sub.example.org"),
            ("übung@bücher.example", "üb***@bücher.example"),
            ("日本語@example.org", "日本*@example.org"),
            ("ü@localhost", "*@localhost"),
        ] {
            let address: Email = address.parse().unwrap();
            assert_eq!(address.masked(), masked);
        }
    }

    #[test]
    fn what_would_act_on_a_terminal_is_escaped() {
        assert_eq!(printable("a\u{1b}[31m\u{202e}é"), "a\\u{1b}[31m\\u{202e}é");
    }
}

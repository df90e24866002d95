//! A letter, laid out as it travels.

use std::time::{Duration, UNIX_EPOCH};

use agentdrop_protocol::{MailId, Timestamp};
use askama::Template;
use lettre::Message;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};

use super::{Letter, Paragraph};

#[derive(Template)]
#[template(path = "mail/letter.txt")]
struct Plain<'a> {
    paragraphs: &'a [Paragraph],
    server: &'a str,
}

#[derive(Template)]
#[template(path = "mail/letter.html")]
struct Html<'a> {
    subject: &'a str,
    paragraphs: &'a [Paragraph],
    server: &'a str,
}

/// A letter cannot be made a message of.
#[derive(Debug, thiserror::Error)]
#[error("a mail cannot be written")]
pub(super) struct Unwritable;

impl Letter {
    /// The letter, as it travels from `from`. The same one has the same id however often it is
    /// sent, so that a mailbox can tell.
    ///
    /// Nothing of a letter becomes a header as it is: an address is parsed, a name and the subject
    /// are encoded, so no line end in one of them begins another header.
    pub(super) fn to_message(
        &self,
        id: MailId,
        from: &Mailbox,
        server: &str,
        written: Timestamp,
        spelling: Spelling,
    ) -> Result<Message, Unwritable> {
        let to = self.to.as_str().parse().map_err(|_| Unwritable)?;
        let to = Mailbox::new(self.to_name.as_ref().map(ToString::to_string), to);
        let (subject, paragraphs) = (&*self.subject, &*self.paragraphs);
        let plain = Plain { paragraphs, server };
        let html = Html {
            subject,
            paragraphs,
            server,
        };
        let plain = plain.render().map_err(|_| Unwritable)?;
        let html = html.render().map_err(|_| Unwritable)?;
        let millis = u64::try_from(written.as_millis()).unwrap_or_default();
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        Message::builder()
            .message_id(Some(format!("<{id}@{}>", from.email.domain())))
            .date(UNIX_EPOCH + Duration::from_millis(millis))
            .from(from.clone())
            .to(to)
            .subject(subject)
            // Nobody's holiday is to answer it (RFC 3834 §5).
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
            .multipart(
                MultiPart::alternative()
                    .singlepart(part(ContentType::TEXT_PLAIN, plain, spelling))
                    .singlepart(part(ContentType::TEXT_HTML, html, spelling)),
            )
            .map_err(|_| Unwritable)
    }
}

/// How the text of a mail is spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    /// For any mail server: in ASCII and short lines, with `=` where they were broken.
    Portable,
    /// As it is, for somebody who reads the file.
    Plain,
}

fn part(content_type: ContentType, text: String, spelling: Spelling) -> SinglePart {
    SinglePart::builder()
        .header(content_type)
        .header(match spelling {
            Spelling::Plain => ContentTransferEncoding::Binary,
            Spelling::Portable => ContentTransferEncoding::QuotedPrintable,
        })
        .body(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formatted(name: &str, quote: &str) -> String {
        let letter = Letter {
            to: "alex@example.org".parse().unwrap(),
            to_name: Some(name.parse().unwrap()),
            subject: "A subject".to_owned(),
            paragraphs: vec![
                Paragraph::Quote(quote.to_owned()),
                Paragraph::Link {
                    label: "Go".to_owned(),
                    url: "https://drop.example.org/verify?token=x".to_owned(),
                },
            ],
        };
        let now = Timestamp::from_millis(1_790_000_000_000);
        let id = MailId::new(now, [7; 10]);
        let from = "AgentDrop <drop@example.org>".parse().unwrap();
        let message = letter.to_message(
            id,
            &from,
            "https://drop.example.org",
            now,
            Spelling::Portable,
        );
        String::from_utf8(message.unwrap().formatted()).unwrap()
    }

    fn headers(formatted: &str) -> Vec<String> {
        let head = formatted.split("\r\n\r\n").next().unwrap();
        let unfolded = head.replace("\r\n ", " ");
        unfolded.lines().map(str::to_owned).collect()
    }

    #[test]
    fn whatever_somebody_is_called_the_headers_are_these() {
        let names = [
            "Eve",
            "Eve\", <x@evil.example>",
            "Eve, x@evil.example",
            "=?utf-8?q?=0D=0ABcc:_x@evil.example?=",
            "\\\"; Bcc: x@evil.example",
            &"👩‍🚀".repeat(33),
            &"ü".repeat(100),
            &"\"".repeat(100),
        ];
        for name in names {
            let said = headers(&formatted(name, "x"));
            let named: Vec<_> = said
                .iter()
                .map(|it| it.split(':').next().unwrap())
                .collect();
            assert_eq!(
                named,
                [
                    "Message-ID",
                    "Date",
                    "From",
                    "To",
                    "Subject",
                    "Auto-Submitted",
                    "MIME-Version",
                    "Content-Type"
                ],
                "{name}: {said:?}"
            );
            assert!(said[3].ends_with("<alex@example.org>"), "{said:?}");
            let letters = |it: &String| it.is_ascii() && it.len() < 3_000;
            assert!(said.iter().all(letters), "{said:?}");
        }
    }

    #[test]
    fn what_somebody_says_is_text_and_never_html() {
        let said = formatted(
            "Eve",
            "<img src=\"https://evil.example/\">\nBcc: x@evil.example\n-- \nus",
        );
        let said = said.replace("=\r\n", "");
        let (plain, html) = said.split_once("text/html").unwrap();
        assert!(plain.contains("> <img src=3D\"https://evil.example/\">\r\n> Bcc: x@evil.example"));
        assert!(!html.contains("<img"), "{html}");
        assert!(
            html.contains("&#60;img") || html.contains("&lt;img"),
            "{html}"
        );
    }
}

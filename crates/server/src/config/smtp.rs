//! The mail server.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// The mail server.
#[derive(Clone, Debug)]
pub struct Smtp {
    /// Where it is, and the name and password it takes.
    pub url: SmtpUrl,
    /// The one certificate that vouches for it, as PEM; those of the system, if nothing is said.
    pub ca_file: Option<PathBuf>,
}

/// `smtp://user:password@host:port`, which STARTTLS has to protect unless it is this machine, or
/// `smtps://…`. It is not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct SmtpUrl(String);

impl SmtpUrl {
    /// The address, with the password in it.
    pub fn expose_secret(&self) -> &str {
        &self.0
    }

    /// The name or the address of the mail server.
    pub(crate) fn host(&self) -> Option<String> {
        let rest = self.0.split_once("://")?.1;
        let place = rest.rsplit('@').next()?.trim_end_matches('/');
        let host = match place.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|it| it.is_ascii_digit()) => host,
            _ => place,
        };
        Some(host.to_owned()).filter(|it| !it.is_empty())
    }
}

impl fmt::Debug for SmtpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SmtpUrl")
    }
}

impl FromStr for SmtpUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let url = Self(text.to_owned());
        let known = text.starts_with("smtp://") || text.starts_with("smtps://");
        // A query could ask for less protection than we do.
        let plain = text
            .chars()
            .all(|it| it.is_ascii_graphic() && !matches!(it, '?' | '#'));
        if known && plain && url.host().is_some() {
            Ok(url)
        } else {
            Err("must be like smtp://user:password@mail.example.org:587, or smtps://…".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_mail_server_has_a_host_and_asks_for_no_less() {
        for (url, host) in [
            ("smtp://localhost", "localhost"),
            ("smtp://u:p%40w@mail.example.org:587", "mail.example.org"),
            ("smtps://u@mail.example.org/", "mail.example.org"),
            ("smtp://[::1]:25", "[::1]"),
        ] {
            let url: SmtpUrl = url.parse().unwrap();
            assert_eq!(url.host().unwrap(), host);
            assert_eq!(format!("{url:?}"), "SmtpUrl");
        }
        for bad in [
            "",
            "mail.example.org",
            "http://mail.example.org",
            "smtp://",
            "smtp://u:p@",
            "smtps://mail.example.org?tls=opportunistic",
            "smtp://mail.example.org\r\n",
        ] {
            assert!(bad.parse::<SmtpUrl>().is_err(), "{bad}");
        }
    }
}

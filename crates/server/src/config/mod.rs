//! What an operator decides.

mod s3;

pub use s3::{Route, S3, S3Url, SecretKey};

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use agentdrop_protocol::limits::MAX_SEALED_BYTES;
use agentdrop_protocol::wire::plans::Plan;
use ipnet::IpNet;

/// What an operator decides.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where everything lies: the database, the files, the server key.
    pub data_dir: PathBuf,
    /// Where the server's key is; in the data directory, where it is made, if nothing is said.
    pub server_key: Option<PathBuf>,
    /// Where the server listens.
    pub listen: SocketAddr,
    /// Where its counts are told, to whoever asks; nowhere, if nothing is said.
    pub metrics_listen: Option<SocketAddr>,
    /// How others reach it; `http://` and where it listens, if nothing is said.
    pub public_url: Option<String>,
    /// The database; SQLite in the data directory, if nothing is said.
    pub database_url: Option<String>,
    /// The folder of the files, which the servers on one database share; `blobs` in the data
    /// directory, if nothing is said.
    pub blobs: Option<PathBuf>,
    /// The bucket of the files; a folder in the data directory, if nothing is said.
    pub s3: Option<S3>,
    /// Who may make an account; everyone on this machine and nobody else, if nothing is said.
    pub signup: Option<Signup>,
    /// Whether an address has to be shown to be its owner's; not while this machine alone reaches
    /// the server, if nothing is said.
    pub email_verification: Option<EmailVerification>,
    /// What takes mails; a folder in the data directory, if nothing is said.
    pub smtp: Option<Smtp>,
    /// Whom mails are from; has to be said where a mail server takes them.
    pub mail_from: Option<String>,
    /// The proxies in front, whose `X-Forwarded-For` is believed; none, if nothing is said.
    pub trusted_proxies: Vec<IpNet>,
    /// The plan of an account that is made without one.
    pub default_plan: Plan,
    /// How often may be asked; as often as anybody likes, if nothing is said.
    pub rates: Option<Rates>,
    /// What the server takes.
    pub limits: Limits,
}

/// How often may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Requests a minute with one credential, for as long as they come.
    pub per_minute: NonZeroU32,
    /// Requests at once with one credential, after a quiet while.
    pub burst: NonZeroU32,
    /// Requests a minute from one address without a credential that works.
    pub anonymous_per_minute: NonZeroU32,
}

impl Default for Rates {
    fn default() -> Self {
        let number = |it| NonZeroU32::new(it).expect("it is not zero");
        Self {
            per_minute: number(600),
            burst: number(120),
            anonymous_per_minute: number(60),
        }
    }
}

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

/// Whether the owner of an account has to show that its e-mail address is theirs, before they see
/// what others sent to that address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmailVerification {
    /// It has to be shown.
    Required,
    /// Every account is believed.
    Off,
}

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

/// What the server takes.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of one file, as it is sent.
    pub max_file_bytes: u64,
    /// Connections at a time, of all callers together.
    pub max_connections: usize,
    /// Connections at a time from one address; a proxy in front counts as one.
    pub max_connections_per_address: usize,
    /// How long it waits.
    pub timeouts: Timeouts,
    /// A blob that belongs to no transfer is deleted at this age: another server may still be about to
    /// write down whose it is. Seconds lie between the two, and some more where a database is waited
    /// for.
    pub orphan_age: Duration,
}

/// How long the server waits for those it speaks to.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// A connection that says nothing for so long is closed.
    pub first_byte: Duration,
    /// A request's head has to come within this.
    pub head: Duration,
    /// Each 30 KiB of a body may be waited for this long.
    pub body: Duration,
    /// A peer that takes nothing of what is sent to it for so long is closed.
    pub stalled: Duration,
    /// What still comes of a body that was refused is taken for so long, and thrown away, so that
    /// its sender reads the answer rather than a reset connection.
    pub linger: Duration,
    /// Once it is told to stop, it says so for so long before it does: a balancer in front sends
    /// its callers elsewhere meanwhile.
    pub drain: Duration,
    /// Requests under way when the server stops may take so long.
    pub grace: Duration,
    /// How often it looks for what other servers on its database wrote and did not tell it of.
    pub unheard: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            first_byte: Duration::from_secs(5),
            head: Duration::from_secs(10),
            body: Duration::from_secs(30),
            stalled: Duration::from_mins(1),
            linger: Duration::from_secs(5),
            drain: Duration::ZERO,
            grace: Duration::from_secs(30),
            unheard: Duration::from_millis(500),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_file_bytes: MAX_SEALED_BYTES,
            max_connections: 4_096,
            max_connections_per_address: 1_024,
            timeouts: Timeouts::default(),
            orphan_age: Duration::from_hours(24),
        }
    }
}

/// Why a server cannot be run so.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ConfigError {
    /// Nobody could use the addresses in its answers.
    #[error("listening on {0}, which is not this machine alone, needs a public URL")]
    NoPublicUrl(SocketAddr),
    /// Whoever is on the way would read what is sent to the bucket, and change it.
    #[error("{0} is plain HTTP, and not on this machine")]
    PlainBucket(String),
    /// A mail server takes no mail of nobody's.
    #[error("sending mails needs an address that they are from")]
    NoMailFrom,
    /// The public URL is none.
    #[error("the public URL must begin with http:// or https:// and have no query")]
    PublicUrl,
}

impl Config {
    /// The defaults, in this data directory.
    pub fn new(data_dir: PathBuf) -> Self {
        Self {
            data_dir,
            server_key: None,
            listen: SocketAddr::from(([127, 0, 0, 1], 8787)),
            metrics_listen: None,
            public_url: None,
            database_url: None,
            blobs: None,
            s3: None,
            signup: None,
            email_verification: None,
            smtp: None,
            mail_from: None,
            trusted_proxies: vec![],
            default_plan: Plan::Enterprise,
            rates: Some(Rates::default()),
            limits: Limits::default(),
        }
    }

    /// Who may make an account.
    ///
    /// A public URL stands for a proxy in front, behind which strangers are.
    pub fn signup(&self) -> Signup {
        let alone = self.listen.ip().is_loopback() && self.public_url.is_none();
        self.signup
            .unwrap_or(if alone { Signup::Open } else { Signup::Closed })
    }

    /// Whether an address has to be shown to be its owner's.
    ///
    /// A public URL stands for a proxy in front, behind which strangers are, and a mail server for
    /// mails that reach them.
    pub(crate) fn email_verification(&self) -> EmailVerification {
        let alone = self.listen.ip().is_loopback() && self.public_url.is_none();
        let alone = alone && self.smtp.is_none();
        self.email_verification.unwrap_or(if alone {
            EmailVerification::Off
        } else {
            EmailVerification::Required
        })
    }

    /// How others reach a server that listens on `bound`, without a slash at the end.
    pub(crate) fn public_url(&self, bound: SocketAddr) -> Result<String, ConfigError> {
        match &self.public_url {
            Some(url) => {
                let web = url.starts_with("http://") || url.starts_with("https://");
                let url = url.trim_end_matches('/');
                let plain = url
                    .chars()
                    .all(|it| it.is_ascii_graphic() && !matches!(it, '?' | '#'));
                if web && plain {
                    Ok(url.to_owned())
                } else {
                    Err(ConfigError::PublicUrl)
                }
            }
            None if bound.ip().is_loopback() => Ok(format!("http://{bound}")),
            None => Err(ConfigError::NoPublicUrl(bound)),
        }
    }

    /// Whom mails are from.
    pub(crate) fn mail_from(&self) -> Result<&str, ConfigError> {
        match (&self.mail_from, &self.smtp) {
            (Some(from), _) => Ok(from),
            (None, None) => Ok("AgentDrop <agentdrop@localhost>"),
            (None, Some(_)) => Err(ConfigError::NoMailFrom),
        }
    }

    /// The folder of the files.
    pub(crate) fn blobs(&self) -> PathBuf {
        let own = || self.data_dir.join("blobs");
        self.blobs.clone().unwrap_or_else(own)
    }

    /// The database.
    pub(crate) fn database_url(&self) -> String {
        self.database_url
            .clone()
            .unwrap_or_else(|| format!("sqlite://{}", self.data_dir.join("agentdrop.db").display()))
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_for_others_says_how_they_reach_it_and_makes_no_accounts_for_them() {
        let mut config = Config::new("x".into());
        assert_eq!(config.signup(), Signup::Open);
        assert_eq!(config.email_verification(), EmailVerification::Off);
        assert_eq!(
            config.public_url(config.listen).unwrap(),
            "http://127.0.0.1:8787"
        );
        config.listen = SocketAddr::from(([0, 0, 0, 0], 80));
        assert_eq!(config.signup(), Signup::Closed);
        assert_eq!(config.email_verification(), EmailVerification::Required);
        assert!(config.public_url(config.listen).is_err());
        config.public_url = Some("https://drop.example.org/".into());
        assert_eq!(
            config.public_url(config.listen).unwrap(),
            "https://drop.example.org"
        );
        config.listen = ([127, 0, 0, 1], 80).into();
        assert_eq!(config.signup(), Signup::Closed, "a proxy may be in front");
        assert_eq!(config.email_verification(), EmailVerification::Required);
        config.public_url = None;
        assert_eq!(config.email_verification(), EmailVerification::Off);
        assert!(config.mail_from().is_ok());
        let url = "smtp://mail.example.org".parse().unwrap();
        config.smtp = Some(Smtp { url, ca_file: None });
        assert_eq!(config.email_verification(), EmailVerification::Required);
        assert!(config.mail_from().is_err());
        config.public_url = Some("drop.example.org".into());
        assert!(config.public_url(config.listen).is_err());
    }

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

//! What an operator decides.

mod accounts;
mod limits;
mod s3;
mod smtp;

pub use accounts::{EmailVerification, Signup};
pub use limits::{Limits, Rates, Timeouts};
pub use s3::{Route, S3, S3Url, SecretKey};
pub use smtp::{Smtp, SmtpUrl};

use std::net::SocketAddr;
use std::path::PathBuf;

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
}

//! The AgentDrop HTTP service.
//!
//! It keeps what agents send each other until they fetch it. What they sealed it cannot open: no
//! crate under this one can, which the build keeps true.
//!
//! [`Server::start`] brings one up on a [`Config`], [`Server::run`] serves until it is told to
//! stop.

mod activate;
pub mod admin;
mod api;
mod app;
mod at_rest;
mod audit;
mod auth;
mod blob;
mod clock;
mod config;
mod data_dir;
mod events;
mod mail;
mod observe;
mod rates;
mod router;
mod serve;
mod stored;
mod sweep;
mod under_way;
mod web;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::SystemTime;

use agentdrop_store::Store;
use axum::Router;
use tokio::net::TcpListener;
pub use tokio_util::sync::CancellationToken;

use app::{App, Parts};
use at_rest::ServerKey;
pub use audit::verify::{Broken, Verified};
use blob::Blobs;
pub use clock::{Clock, NoChance};
pub use config::{
    Config, ConfigError, Downloads, EmailVerification, Limits, Rates, S3, S3Url, SecretKey, Signup,
    Smtp, SmtpUrl, Timeouts,
};
use data_dir::DataDir;
use mail::Mailer;
use rates::Requests;

/// A server that listens.
#[derive(Debug)]
pub struct Server {
    app: App,
    listener: TcpListener,
    limits: Limits,
    /// Held so that no other server takes the folder.
    _data_dir: DataDir,
}

/// Sweeps, and sends mails, when it is told to.
#[derive(Clone, Debug)]
pub struct Sweeper(App);

/// Why a server does not come up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bucket of the files does not take them, or does not give them back.
    #[error("the bucket {0} cannot be used")]
    Bucket(String, #[source] io::Error),
    /// The data directory cannot be used.
    #[error("the data directory {0} cannot be used")]
    DataDir(PathBuf, #[source] io::Error),
    /// The configuration contradicts itself.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The address cannot be listened on.
    #[error("{0} cannot be listened on")]
    Listen(SocketAddr, #[source] io::Error),
    /// Mails cannot be sent as the configuration has it.
    #[error("mails cannot be sent: {0}")]
    Mail(String),
    /// The operating system gave no random bytes.
    #[error(transparent)]
    NoChance(#[from] NoChance),
    /// A disk failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The server key cannot be read.
    #[error("the server key {0} cannot be read")]
    ServerKey(PathBuf, #[source] io::Error),
    /// The database failed.
    #[error("the database cannot be used")]
    Store(#[from] agentdrop_store::Error),
    /// Another server uses the data directory.
    #[error("another server runs on the data directory {0}")]
    Taken(PathBuf),
}

impl Server {
    /// Brings a server up on the machine's clock: everything is open and it listens.
    pub async fn start(config: &Config) -> Result<Self, Error> {
        Self::start_at(config, Clock::system()).await
    }

    /// Brings a server up on another clock.
    pub async fn start_at(config: &Config, clock: Clock) -> Result<Self, Error> {
        let data_dir = DataDir::take(&config.data_dir)?;
        let key_path = data_dir.join("server.key");
        let server_key =
            ServerKey::open(&key_path).map_err(|it| Error::ServerKey(key_path.clone(), it))?;
        let blobs = blobs(config, &data_dir).await?;
        let store = Store::open(&config.database_url()).await?;
        let listener = TcpListener::bind(config.listen)
            .await
            .map_err(|it| Error::Listen(config.listen, it))?;
        let public_url = config.public_url(listener.local_addr()?)?;
        let mailer = Mailer::open(
            config.smtp.as_ref(),
            config.mail_from()?,
            host_of(&public_url),
            &data_dir.join("outbox"),
        )
        .map_err(|error| Error::Mail(error.to_string()))?;
        let app = App::new(Parts {
            requests: Requests::new(config.rates, &clock),
            default_plan: config.default_plan,
            store,
            mailer,
            blobs,
            server_key,
            lockout: auth::Lockout::new(&clock),
            passwords: auth::Passwords::new(),
            clock,
            limits: config.limits,
            signup: config.signup(),
            email_verification: config.email_verification(),
            events: events::Hub::default(),
            sweep: tokio::sync::Notify::new(),
            activate: tokio::sync::Notify::new(),
            activating: tokio::sync::Mutex::new(()),
            under_way: under_way::UnderWay::default(),
            trusted_proxies: config.trusted_proxies.clone(),
            public_url,
        });
        Ok(Self {
            app,
            listener,
            limits: config.limits,
            _data_dir: data_dir,
        })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// How others reach it, without a slash at the end.
    pub fn public_url(&self) -> &str {
        &self.app.public_url
    }

    /// The service, for tests that need no socket.
    pub fn router(&self) -> Router {
        router::router(self.app.clone())
    }

    /// Serves until `stop` is cancelled; then lets what is under way come to its end.
    pub async fn run(self, stop: CancellationToken) {
        let sweep = tokio::spawn(sweep::run(self.app.clone(), stop.clone()));
        let mail = tokio::spawn(mail::run(self.app.clone(), stop.clone()));
        let events = tokio::spawn(events::run(self.app.clone(), stop.clone()));
        serve::serve(
            self.listener,
            router::router(self.app),
            self.limits,
            stop.clone(),
        )
        .await;
        // Whoever ends the server by other means than `stop` does not get here.
        stop.cancel();
        drop((sweep.await, mail.await, events.await));
    }

    /// What sweeps when it is told to, for tests; the server itself sweeps when something is due.
    pub fn sweeper(&self) -> Sweeper {
        Sweeper(self.app.clone())
    }
}

impl Sweeper {
    /// Sweeps what is due now.
    pub async fn sweep(&self) -> Result<(), Error> {
        Ok(sweep::once(&self.0).await?)
    }

    /// Deletes what no transfer needs and was written before this start, and `before`.
    pub async fn delete_orphans(&self, before: SystemTime) -> Result<(), Error> {
        sweep::delete_orphans(&self.0, before).await
    }

    /// Activates what waits for somebody who has a key by now.
    pub async fn activate(&self) -> Result<(), Error> {
        Ok(activate::once(&self.0).await?)
    }

    /// Sends the mails that are due now.
    pub async fn send_mails(&self) -> Result<(), Error> {
        Ok(mail::once(&self.0).await?)
    }
}

/// Where the bytes of files are.
async fn blobs(config: &Config, data_dir: &DataDir) -> Result<Blobs, Error> {
    match &config.s3 {
        None => Ok(Blobs::in_folder(&data_dir.join("blobs"))?),
        Some(s3) if !s3.plain_http && !s3.is_private() => {
            Err(ConfigError::PlainBucket(s3.endpoint.clone()).into())
        }
        Some(s3) => {
            let opened = Box::pin(Blobs::in_bucket(s3)).await;
            opened.map_err(|error| Error::Bucket(s3.bucket.clone(), error))
        }
    }
}

/// The host in a URL, without its port.
fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |it| it.1);
    let place = rest.split('/').next().unwrap_or_default();
    let host = place.rsplit_once(':').map_or(place, |it| it.0);
    if host.starts_with('[') {
        "localhost"
    } else {
        host
    }
}

/// The document of the API, as JSON.
pub fn openapi() -> String {
    let document = router::document().to_pretty_json();
    document.unwrap_or_default()
}

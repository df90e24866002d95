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
mod key_file;
mod mail;
mod metrics;
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
use std::sync::Arc;
use std::time::SystemTime;

use agentdrop_protocol::TransferId;
use agentdrop_store::Store;
use axum::Router;
use tokio::net::{TcpListener, TcpSocket};
pub use tokio_util::sync::CancellationToken;

use app::{App, Parts};
pub use audit::verify::{Broken, Verified};
use blob::Blobs;
pub use clock::{Clock, NoChance};
pub use config::{
    Config, ConfigError, EmailVerification, Limits, Rates, Route, S3, S3Url, SecretKey, Signup,
    Smtp, SmtpUrl, Timeouts,
};
use data_dir::DataDir;
use key_file::KeyFile;
use mail::Mailer;
use metrics::Metrics;
use rates::Requests;

/// So many connections may wait to be let in. Behind fewer, a burst is lost: the kernel throws away
/// what would not fit, while its peers believe that they are connected.
const BACKLOG: u32 = 4_096;

/// A server that listens.
#[derive(Debug)]
pub struct Server {
    app: App,
    listener: TcpListener,
    /// Where its counts are told, if they are.
    metrics: Option<TcpListener>,
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
    /// The folder of the files cannot be used.
    #[error("the files in {0} cannot be used")]
    Blobs(String, #[source] io::Error),
    /// What it stands on changes faster than it can be copied.
    #[error("too much changed meanwhile, five times over")]
    Changing,
    /// The configuration contradicts itself.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A folder cannot be used.
    #[error("the folder {0} cannot be used")]
    Folder(PathBuf, #[source] io::Error),
    /// What was to be filled has something in it.
    #[error("{0} has data already")]
    HasData(String),
    /// The address cannot be listened on.
    #[error("{0} cannot be listened on")]
    Listen(SocketAddr, #[source] io::Error),
    /// A file of a transfer is not what its row says.
    #[error("file {file} of transfer {transfer} {what}")]
    Lost {
        /// The transfer.
        transfer: TransferId,
        /// The place of the file among its files, from 0.
        file: u32,
        /// What is wrong with it.
        what: &'static str,
    },
    /// Mails cannot be sent as the configuration has it.
    #[error("mails cannot be sent: {0}")]
    Mail(String),
    /// There is no backup, or not a whole one.
    #[error("there is no whole backup in {0}: {1}")]
    NoBackup(PathBuf, String),
    /// The operating system gave no random bytes.
    #[error(transparent)]
    NoChance(#[from] NoChance),
    /// A disk failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The database has its files elsewhere.
    #[error("the files of this database are not in {0}")]
    NotItsBlobs(String),
    /// The folder of the files is another database's.
    #[error("the files in {0} belong to another database")]
    OtherBlobs(String),
    /// The server key cannot be read.
    #[error("the server key {0} cannot be read")]
    ServerKey(PathBuf, #[source] io::Error),
    /// The server key is another one than the database was written with.
    #[error("the server key {0} is not the one that this database was written with")]
    OtherServerKey(PathBuf),
    /// The server key is gone.
    #[error("the server key {0}, which this database was written with, is missing")]
    ServerKeyMissing(PathBuf),
    /// The database failed.
    #[error("the database cannot be used")]
    Store(#[source] agentdrop_store::Error),
    /// Another server uses the data directory.
    #[error("another server runs on the data directory {0}")]
    Taken(PathBuf),
}

impl From<agentdrop_store::Error> for Error {
    fn from(error: agentdrop_store::Error) -> Self {
        match error {
            agentdrop_store::Error::NotEmpty => Self::HasData("the database".to_owned()),
            error => Self::Store(error),
        }
    }
}

impl Server {
    /// Brings a server up on the machine's clock: everything is open and it listens.
    pub async fn start(config: &Config) -> Result<Self, Error> {
        Self::start_at(config, Clock::system()).await
    }

    /// Brings a server up on another clock.
    pub async fn start_at(config: &Config, clock: Clock) -> Result<Self, Error> {
        let data_dir = DataDir::take(&config.data_dir)?;
        let blobs = blobs(config).await?;
        let store = Store::open(&config.database_url()).await?;
        blob::check_installation(&store, &blobs).await?;
        let key_file = match &config.server_key {
            Some(path) => KeyFile::Given(path.clone()),
            None => KeyFile::Own(data_dir.join("server.key")),
        };
        let server_key = key_file.open(&store).await?;
        let listener = listen(config.listen)?;
        let metrics = match config.metrics_listen {
            Some(address) => Some(listen(address)?),
            None => None,
        };
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
            metrics: Arc::new(Metrics::new()),
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
            draining: CancellationToken::new(),
            readers: Arc::default(),
            under_way: under_way::UnderWay::default(),
            trusted_proxies: config.trusted_proxies.clone(),
            public_url,
        });
        Ok(Self {
            app,
            listener,
            metrics,
            limits: config.limits,
            _data_dir: data_dir,
        })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Where its counts are told, if they are.
    pub fn metrics_addr(&self) -> Option<SocketAddr> {
        self.metrics.as_ref()?.local_addr().ok()
    }

    /// How others reach it, without a slash at the end.
    pub fn public_url(&self) -> &str {
        &self.app.public_url
    }

    /// The service, for tests that need no socket.
    pub fn router(&self) -> Router {
        router::router(self.app.clone())
    }

    /// Serves until `stop` is cancelled; then says so for a while, and lets what is under way come to
    /// its end.
    pub async fn run(self, stop: CancellationToken) {
        // What nobody waits for ends first.
        let sweep = tokio::spawn(sweep::run(self.app.clone(), stop.clone()));
        let mail = tokio::spawn(mail::run(self.app.clone(), stop.clone()));
        let close = CancellationToken::new();
        let events = tokio::spawn(events::run(self.app.clone(), close.clone()));
        let draining = self.app.draining.clone();
        let (stops, drain) = (stop.clone(), self.limits.timeouts.drain);
        let drained = async {
            stops.cancelled().await;
            draining.cancel();
            tokio::time::sleep(drain).await;
            close.cancel();
            // Serves what is under way for as long as that takes.
            std::future::pending::<()>().await;
        };
        let when = serve::Stop {
            draining: draining.clone(),
            close: close.clone(),
        };
        let metrics = self.metrics.map(|listener| {
            let router = metrics::router(self.app.clone());
            // Connections of collectors are none of callers.
            let uncounted = Arc::new(Metrics::new());
            let serving = serve::serve(listener, router, self.limits, uncounted, when.clone());
            tokio::spawn(serving)
        });
        let counts = Arc::clone(&self.app.metrics);
        let router = router::router(self.app);
        let serving = serve::serve(self.listener, router, self.limits, counts, when.clone());
        tokio::select! {
            () = serving => {}
            () = drained => {}
        }
        // Whoever ends the server by other means than `stop` does not get here.
        stop.cancel();
        drop((sweep.await, mail.await, events.await));
        if let Some(metrics) = metrics {
            drop(metrics.await);
        }
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

    /// Deletes what no transfer needs and was written before `before`.
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

fn listen(address: SocketAddr) -> Result<TcpListener, Error> {
    let listener = || {
        let socket = if address.is_ipv4() {
            TcpSocket::new_v4()?
        } else {
            TcpSocket::new_v6()?
        };
        // A server that is started again has its address, whoever was connected before.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    listener().map_err(|it| Error::Listen(address, it))
}

/// Where the bytes of files are.
async fn blobs(config: &Config) -> Result<Blobs, Error> {
    match &config.s3 {
        None => {
            let folder = config.blobs();
            let opened = Blobs::in_folder(&folder);
            opened.map_err(|it| Error::Blobs(folder.display().to_string(), it))
        }
        Some(s3) if !s3.plain_http && !s3.is_private() => {
            Err(ConfigError::PlainBucket(s3.endpoint.clone()).into())
        }
        Some(s3) => {
            let opened = Box::pin(Blobs::in_bucket(s3)).await;
            let place = format!("{} at {}", s3.bucket, s3.endpoint);
            opened.map_err(|error| Error::Bucket(place, error))
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

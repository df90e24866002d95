//! `agentdrop serve`: runs a server.

pub(crate) mod files;
mod open_files;

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use agentdrop_protocol::wire::plans::Plan;
use agentdrop_server::{
    CancellationToken, Config, ConfigError, Error, Rates, Server, Signup, Smtp, SmtpUrl,
};
use ipnet::IpNet;
use serde_json::json;

use crate::exit::{Exit, Failure, Result, chain};
use crate::interrupt::Interrupts;
use crate::printer::Printer;
use crate::telemetry::Telemetry;

/// Run a server
#[derive(clap::Args)]
#[command(
    after_help = "Everything lies in one folder. The server listens on this machine alone; for others to reach \
    it, put a proxy that speaks TLS before it and say with `--public-url` how. SIGTERM or Ctrl-C \
    lets what runs come to its end, a second one does not. Logs go to standard error; `RUST_LOG` \
    chooses what is logged."
)]
pub(crate) struct Args {
    #[command(flatten)]
    storage: Storage,
    /// The file with the server's key, 32 bytes, which all servers on one database share [default: server.key in the data directory, made on the first start]
    #[arg(long, value_name = "FILE", env = "AGENTDROP_SERVER_KEY")]
    server_key: Option<PathBuf>,
    #[command(flatten)]
    files: files::Files,
    /// Where to listen
    #[arg(
        long,
        value_name = "ADDR",
        env = "AGENTDROP_LISTEN",
        default_value = "127.0.0.1:8787"
    )]
    listen: SocketAddr,
    /// Where to tell what it counts, as /metrics for Prometheus: an address that only your collector can reach [default: nowhere]
    #[arg(long, value_name = "ADDR", env = "AGENTDROP_METRICS_LISTEN")]
    metrics_listen: Option<SocketAddr>,
    /// How others reach it [default: http:// and where it listens]
    #[arg(long, value_name = "URL", env = "AGENTDROP_PUBLIC_URL")]
    public_url: Option<String>,
    /// Who may make an account: open, invite (whoever was mailed a link to files) or closed [default: open where only this machine can reach it]
    #[arg(long, value_name = "WHO", env = "AGENTDROP_SIGNUP", value_parser = signup)]
    signup: Option<Signup>,
    #[arg(
        long,
        value_name = "URL",
        env = "AGENTDROP_SMTP_URL",
        hide_env_values = true,
        value_parser = smtp_url,
        help = "The mail server, smtp://user:password@host:587 or smtps://… [default: mails go to a folder \
                of the data directory]"
    )]
    smtp_url: Option<SmtpUrl>,
    /// The certificate that vouches for the mail server, as PEM [default: those of the system]
    #[arg(
        long,
        value_name = "FILE",
        env = "AGENTDROP_SMTP_CA",
        requires = "smtp_url"
    )]
    smtp_ca: Option<PathBuf>,
    /// Seconds for which it says that it stops, on `/readyz`, before it does
    #[arg(
        long,
        value_name = "SECS",
        env = "AGENTDROP_DRAIN_DELAY",
        default_value = "0",
        value_parser = clap::value_parser!(u16).range(..=600)
    )]
    drain_delay: u16,
    /// Whom mails are from, like "AgentDrop <drop@example.org>"
    #[arg(long, value_name = "ADDRESS", env = "AGENTDROP_MAIL_FROM")]
    mail_from: Option<String>,
    #[arg(
        long,
        value_name = "NETS",
        env = "AGENTDROP_TRUSTED_PROXIES",
        value_delimiter = ',',
        help = "The proxies in front, whose X-Forwarded-For is believed: addresses or networks, with commas"
    )]
    trusted_proxies: Vec<Network>,
    /// The plan of new accounts: free, builder, team, scale or enterprise
    #[arg(
        long,
        value_name = "PLAN",
        env = "AGENTDROP_DEFAULT_PLAN",
        default_value = "enterprise"
    )]
    default_plan: Plan,
    /// Requests a minute with one key, for as long as they come; 0 for no limit on requests at all
    #[arg(
        long,
        value_name = "N",
        env = "AGENTDROP_REQUESTS_PER_MINUTE",
        default_value = "600",
        value_parser = clap::value_parser!(u32).range(..=1_000_000)
    )]
    requests_per_minute: u32,
    /// Requests at once with one key, after a quiet while
    #[arg(
        long,
        value_name = "N",
        env = "AGENTDROP_REQUESTS_BURST",
        default_value = "120",
        value_parser = clap::value_parser!(u32).range(1..=1_000_000)
    )]
    requests_burst: u32,
}

impl Args {
    /// How often may be asked, if that is limited.
    fn rates(&self) -> Option<Rates> {
        Some(Rates {
            per_minute: NonZeroU32::new(self.requests_per_minute)?,
            burst: NonZeroU32::new(self.requests_burst)?,
            ..Rates::default()
        })
    }
}

/// A network, or one address.
#[derive(Clone, Copy)]
struct Network(IpNet);

impl FromStr for Network {
    type Err = &'static str;

    fn from_str(text: &str) -> std::result::Result<Self, &'static str> {
        let address = text.parse::<IpAddr>().map(IpNet::from);
        let network = address.or_else(|_| text.parse());
        network
            .map(Self)
            .map_err(|_| "must be an address, or a network like 10.0.0.0/8")
    }
}

/// Where a server keeps what it remembers.
#[derive(clap::Args)]
pub(crate) struct Storage {
    /// The folder of the database, the files and the server's key
    #[arg(
        long,
        value_name = "DIR",
        env = "AGENTDROP_DATA_DIR",
        default_value = "./agentdrop-data"
    )]
    pub(crate) data_dir: PathBuf,
    #[arg(
        long,
        value_name = "URL",
        env = "AGENTDROP_DATABASE_URL",
        hide_env_values = true,
        help = "The database, postgres://user:password@host/name [default: SQLite in the data directory]"
    )]
    pub(crate) database_url: Option<String>,
}

impl Storage {
    /// The configuration with this storage, and defaults else.
    pub(crate) fn into_config(self) -> Config {
        let mut config = Config::new(self.data_dir);
        config.database_url = self.database_url.filter(|it| !it.is_empty());
        config
    }
}

/// Serves until a signal comes.
pub(crate) async fn run(args: Args, printer: &Printer) -> Result<Exit> {
    let mut interrupts = Interrupts::listen()?;
    let telemetry = Telemetry::start()?;
    let rates = args.rates();
    let mut config = args.storage.into_config();
    args.files.tell(&mut config)?;
    config.rates = rates;
    config.limits.timeouts.drain = Duration::from_secs(args.drain_delay.into());
    config.default_plan = args.default_plan;
    config.server_key = args.server_key.filter(|it| !it.as_os_str().is_empty());
    config.listen = args.listen;
    config.metrics_listen = args.metrics_listen;
    config.public_url = args.public_url.filter(|it| !it.is_empty());
    config.signup = args.signup;
    config.smtp = args.smtp_url.map(|url| Smtp {
        url,
        ca_file: args.smtp_ca,
    });
    config.mail_from = args.mail_from.filter(|it| !it.is_empty());
    config.trusted_proxies = args.trusted_proxies.iter().map(|it| it.0).collect();

    open_files::allow_all();
    let starting = Box::pin(Server::start(&config));
    let server = tokio::select! {
        server = starting => server?,
        () = interrupts.next() => return Err(Failure::interrupted()),
    };
    announce(&server, &config, printer)?;

    let stop = CancellationToken::new();
    let mut running = Box::pin(server.run(stop.clone()));
    tokio::select! {
        () = &mut running => return Ok(Exit::Done),
        () = interrupts.next() => stop.cancel(),
    }
    printer.note("stopping; once more to stop at once");
    let stopping = async {
        running.await;
        telemetry.stop().await;
    };
    tokio::select! {
        () = stopping => Ok(Exit::Done),
        () = interrupts.next() => Err(Failure::interrupted()),
    }
}

fn announce(server: &Server, config: &Config, printer: &Printer) -> Result<()> {
    let listens = server.local_addr();
    let listens = listens.map_err(|error| Failure::io("tell where it listens", &error))?;
    let (url, data_dir) = (server.public_url(), config.data_dir.display().to_string());
    let own = config.data_dir.join("server.key");
    let key = config.server_key.as_ref().unwrap_or(&own);
    let key = key.display().to_string();
    printer.json(&json!({
        "url": url,
        "listen": listens,
        "metrics": server.metrics_addr().map(|it| format!("http://{it}/metrics")),
        "data_dir": data_dir,
        "server_key": key,
        "version": env!("CARGO_PKG_VERSION"),
    }));
    printer.bare(url);
    let version = env!("CARGO_PKG_VERSION");
    printer.heading(&format!("AgentDrop {version} listens on http://{listens}"));
    printer.fields(&[
        ("url", url),
        ("data", &data_dir),
        ("server key", &key),
        (
            "",
            "Keep a copy of it, apart from the data: without it, names, messages and what was",
        ),
        ("", "not sealed by its sender are lost."),
    ]);
    Ok(())
}

/// Reads the word; a closure, or the type's own parser, would not say what is wrong with it.
fn signup(text: &str) -> Result<Signup, String> {
    text.parse()
}

fn smtp_url(text: &str) -> Result<SmtpUrl, String> {
    text.parse()
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let message = chain(&error);
        match &error {
            Error::Blobs(..) => Self::broken(
                "BLOBS",
                message,
                "choose another folder with `--blobs`, which can be written to and locked",
            ),
            Error::NotItsBlobs(_) => {
                let hint = "name with `--blobs` where they are; if you moved them yourself, move the file \
                            `installation` that lies beside them, too";
                Self::refused("BLOBS", message, hint)
            }
            Error::OtherBlobs(_) => {
                let hint =
                    "choose the database that it was used with, or another folder with `--blobs`";
                Self::refused("BLOBS", message, hint)
            }
            Error::Config(ConfigError::NoMailFrom) => {
                let hint = "say with `--mail-from` whom, like \"AgentDrop <drop@example.org>\"";
                Self::refused("CONFIG", message, hint)
            }
            Error::Bucket(..) => {
                let hint = "check `--blobs`, `--s3-endpoint`, `--s3-region` and the credentials: it has to \
                            let objects be put, got, listed and deleted";
                Self::broken("BUCKET", message, hint)
            }
            Error::Config(ConfigError::PlainBucket(_)) => {
                let hint =
                    "use https://, or say `--s3-plain-http` if nobody else is on that network";
                Self::refused("CONFIG", message, hint)
            }
            Error::Config(_) => {
                let hint =
                    "say with `--public-url` how others reach it, like https://drop.example.org";
                Self::refused("CONFIG", message, hint)
            }
            Error::DataDir(..) => Self::broken(
                "DATA_DIR",
                message,
                "choose another folder with `--data-dir`",
            ),
            Error::Folder(..) => {
                Self::broken("FOLDER", message, "check who may read and write there")
            }
            Error::HasData(_) => {
                let hint =
                    "nothing was changed there; name an empty place, or delete what is there first";
                Self::refused("HAS_DATA", message, hint)
            }
            Error::Lost { .. } => {
                let hint = "`agentdrop admin check` names all that is wrong; a transfer that is deleted is \
                            passed over";
                Self::broken("LOST_BYTES", message, hint)
            }
            Error::NoBackup(..) => {
                let hint = "name the folder that `agentdrop admin backup` filled, and make the backup again if it \
                            was interrupted";
                Self::refused("NO_BACKUP", message, hint)
            }
            Error::Listen(..) => {
                let hint = "something else may listen there: choose another with `--listen`";
                Self::broken("LISTEN", message, hint)
            }
            Error::Mail(_) => {
                let hint = "check `--smtp-url`, `--smtp-ca` and `--mail-from`";
                Self::refused("CONFIG", message, hint)
            }
            Error::OtherServerKey(_) => {
                let hint = "all servers on one database have the same key: copy it here from the first, or \
                            restore it, or name it with `--server-key`";
                Self::refused("SERVER_KEY", message, hint)
            }
            Error::ServerKey(..) | Error::ServerKeyMissing(_) => {
                let hint = "restore it from a copy; without it, what it encrypted is lost";
                Self::broken("SERVER_KEY", message, hint)
            }
            Error::Store(_) => {
                let hint = "check `--database-url`, and that the data directory can be written to";
                Self::broken("DATABASE", message, hint)
            }
            Error::Taken(_) => {
                let hint = "stop the other one, or choose another folder with `--data-dir`";
                Self::refused("DATA_DIR_TAKEN", message, hint)
            }
            _ => Self::broken(
                "SERVER",
                message,
                "check the disk, and the machine's limits",
            ),
        }
    }
}

//! `agentdrop serve`: runs a server.

mod banner;
mod errors;
pub(crate) mod files;
mod open_files;

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use agentdrop_protocol::wire::plans::Plan;
use agentdrop_server::{CancellationToken, Config, Rates, Server, Signup, Smtp, SmtpUrl};
use ipnet::IpNet;

use crate::exit::{Exit, Failure, Result};
use crate::interrupt::Interrupts;
use crate::printer::{Mode, Printer};
use crate::telemetry::{Telemetry, is_logged_as_json};

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
    /// How long it says that it stops, on `/readyz`, before it does, up to 10m: 15s, 1m; a number alone is of seconds
    #[arg(
        long,
        value_name = "TIME",
        env = "AGENTDROP_DRAIN_DELAY",
        default_value = "0s",
        value_parser = delay
    )]
    drain_delay: Duration,
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
    #[arg(
        long,
        value_name = "N",
        env = "AGENTDROP_MAX_CONNECTIONS",
        help = "Connections at a time, of all callers together; whoever listens to events has one",
        default_value = "4096",
        value_parser = clap::value_parser!(u32).range(1..=1_000_000)
    )]
    max_connections: u32,
    #[arg(
        long,
        value_name = "N",
        env = "AGENTDROP_MAX_PER_ADDRESS",
        help = "Connections at a time from one address; a proxy in front counts as one",
        default_value = "1024",
        value_parser = clap::value_parser!(u32).range(1..=1_000_000)
    )]
    max_per_address: u32,
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
    let ended = Box::pin(serve(args, printer)).await;
    match ended {
        // Who reads its lines as JSON reads the last of them so, too.
        Err(failure) if is_logged_as_json() && printer.mode() != Mode::Json => {
            let Failure {
                code,
                message,
                hint,
                ..
            } = &failure;
            tracing::error!(code, reason = message, hint, "ended");
            Ok(failure.exit)
        }
        ended => ended,
    }
}

async fn serve(args: Args, printer: &Printer) -> Result<Exit> {
    let telemetry = Telemetry::start()?;
    let mut interrupts = Interrupts::listen()?;
    let rates = args.rates();
    let mut config = args.storage.into_config();
    args.files.tell(&mut config)?;
    config.rates = rates;
    config.limits.timeouts.drain = args.drain_delay;
    config.limits.max_connections = args.max_connections as usize;
    config.limits.max_connections_per_address = args.max_per_address as usize;
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
    banner::announce(&server, &config, printer)?;

    let stop = CancellationToken::new();
    let mut running = Box::pin(server.run(stop.clone()));
    tokio::select! {
        () = &mut running => return Ok(Exit::Done),
        () = interrupts.next() => stop.cancel(),
    }
    tracing::info!("stopping");
    if !is_logged_as_json() {
        printer.note("stopping; once more to stop at once");
    }
    let stopping = async {
        running.await;
        telemetry.stop().await;
        tracing::info!("stopped");
    };
    tokio::select! {
        () = stopping => Ok(Exit::Done),
        () = interrupts.next() => Err(Failure::interrupted()),
    }
}

/// Reads the word; a closure, or the type's own parser, would not say what is wrong with it.
fn signup(text: &str) -> Result<Signup, String> {
    text.parse()
}

fn smtp_url(text: &str) -> Result<SmtpUrl, String> {
    text.parse()
}

/// Reads `15s` or `1m`; a number alone is of seconds.
fn delay(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.strip_suffix('m') {
        Some(minutes) => (minutes, 60),
        None => (text.strip_suffix('s').unwrap_or(text), 1),
    };
    let seconds = number
        .parse::<u64>()
        .ok()
        .and_then(|it| it.checked_mul(unit));
    let delay = seconds.map(Duration::from_secs);
    let delay = delay.filter(|it| *it <= Duration::from_mins(10));
    delay.ok_or_else(|| "must be like 15s or 1m, and 10m at most".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_has_a_unit_or_is_of_seconds() {
        for (text, seconds) in [("0", 0), ("15", 15), ("15s", 15), ("2m", 120), ("10m", 600)] {
            assert_eq!(delay(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in [
            "",
            "s",
            "-1s",
            "1h",
            "1.5s",
            "11m",
            "601",
            "1 s",
            "18446744073709551615m",
        ] {
            assert!(delay(text).is_err(), "{text}");
        }
    }
}

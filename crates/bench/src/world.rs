//! Accounts and agents to act as.

use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::connection::{Connection, request, wrong};

/// Any 32 bytes are a key, but for the few of low order.
const PUBLIC_KEY: &str = "B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=";

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The server, which lets anybody sign up and ask as often as they like
    #[arg(long)]
    server: SocketAddr,
    /// How many accounts
    #[arg(long, default_value_t = 32)]
    accounts: usize,
    /// How many agents each has
    #[arg(long, default_value_t = 2)]
    agents: usize,
    /// Give each agent a key of its own
    #[arg(long)]
    keys: bool,
    /// Give each account this password
    #[arg(long)]
    password: Option<String>,
    /// What their names begin with, for a second world on one server
    #[arg(long, default_value = "bench")]
    name: String,
}

/// Which server, and as whom it is asked.
#[derive(clap::Args)]
pub(crate) struct Place {
    /// The server
    #[arg(long)]
    pub(crate) server: SocketAddr,
    /// What `world` printed of it
    #[arg(long)]
    world: PathBuf,
}

impl Place {
    /// Who there is.
    pub(crate) fn world(&self) -> io::Result<World> {
        World::read(&self.world)
    }
}

/// Who there is.
#[derive(Serialize, Deserialize)]
pub(crate) struct World {
    pub(crate) accounts: Vec<Account>,
}

impl World {
    /// Reads what `world` printed.
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        serde_json::from_reader(File::open(path)?).map_err(io::Error::other)
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) key: String,
    pub(crate) agents: Vec<Agent>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Agent {
    pub(crate) id: String,
    pub(crate) slug: String,
    pub(crate) key: Option<String>,
}

/// Makers at a time: the disk is what takes its time, and some wait for it at once.
const MAKERS: usize = 32;

pub(crate) async fn run(args: Args) -> io::Result<Value> {
    let (args, next) = (Arc::new(args), Arc::new(AtomicUsize::new(0)));
    let mut makers = JoinSet::new();
    for _ in 0..MAKERS.min(args.accounts) {
        let (args, next) = (Arc::clone(&args), Arc::clone(&next));
        makers.spawn(async move {
            let mut connection = Connection::open(args.server, None).await?;
            let mut made = Vec::new();
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= args.accounts {
                    return Ok(made);
                }
                made.push(account(&mut connection, &args, n).await?);
            }
        });
    }
    let mut accounts = Vec::new();
    while let Some(made) = makers.join_next().await {
        let made: io::Result<Vec<Account>> = made.map_err(io::Error::other)?;
        accounts.append(&mut made?);
    }
    serde_json::to_value(World { accounts }).map_err(io::Error::other)
}

async fn account(connection: &mut Connection, args: &Args, n: usize) -> io::Result<Account> {
    let name = format!("{}-{n}", args.name);
    let email = format!("{name}@example.org");
    let body = json!({ "name": name, "email": email, "password": args.password });
    let made = post(connection, "/v1/accounts", "", &body).await?;
    let (id, key) = (text(&made, "id")?, text(&made, "api_key")?);
    let mut agents = Vec::new();
    for n in 0..args.agents {
        let body = json!({ "agent_id": format!("agent-{n}"), "public_key": PUBLIC_KEY });
        let made = post(connection, "/v1/agents/register", &key, &body).await?;
        let mut agent = Agent {
            id: text(&made, "id")?,
            slug: text(&made, "agent_id")?,
            key: None,
        };
        if args.keys {
            let path = format!("/v1/agents/{}/keys", agent.id);
            let made = post(connection, &path, &key, &json!({ "name": "bench" })).await?;
            agent.key = Some(text(&made, "api_key")?);
        }
        agents.push(agent);
    }
    Ok(Account {
        id,
        email,
        key,
        agents,
    })
}

async fn post(
    connection: &mut Connection,
    path: &str,
    key: &str,
    body: &Value,
) -> io::Result<Value> {
    let line = format!("POST {path}");
    let body = body.to_string();
    let request = request(&line, key, "application/json", body.as_bytes());
    connection.json(&request, 201).await
}

fn text(value: &Value, field: &str) -> io::Result<String> {
    let text = value[field].as_str().map(str::to_owned);
    text.ok_or_else(|| wrong(&format!("no {field} in {value}")))
}

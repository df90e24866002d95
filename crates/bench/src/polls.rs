//! Agents that look into their inboxes, as fast as they are answered.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde_json::Value;

use crate::connection::{request, wrong};
use crate::load::{self, Span};
use crate::world::World;

/// Agents that one caller takes turns over, so that many are asked for.
const TURNS: usize = 64;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The server
    #[arg(long)]
    server: SocketAddr,
    /// What `world --keys` printed
    #[arg(long)]
    world: PathBuf,
    /// How many ask at a time
    #[arg(long, default_value_t = 32)]
    callers: usize,
    /// What is asked for behind the path, as it stands in a URL
    #[arg(long, default_value = "")]
    query: String,
    #[command(flatten)]
    span: Span,
}

pub(crate) async fn run(args: Args) -> io::Result<Value> {
    let accounts = World::read(&args.world)?.accounts;
    let agents = accounts.iter().flat_map(|it| &it.agents);
    let mut requests = agents.map(|it| {
        let key = it.key.as_ref();
        let key = key.ok_or_else(|| wrong("an agent of the world has no key"))?;
        let line = format!("GET /v1/transfers/inbox{}", args.query);
        Ok(request(&line, key, "", b""))
    });
    let requests = requests.by_ref().collect::<io::Result<Vec<_>>>()?;
    let callers = (0..args.callers).map(|n| {
        let own = requests
            .iter()
            .cycle()
            .skip(n * TURNS % requests.len().max(1));
        own.take(TURNS.min(requests.len())).cloned().collect()
    });
    load::run(args.server, callers.collect(), 200, args.span).await
}

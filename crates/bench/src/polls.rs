//! Agents that look into their inboxes, as fast as they are answered.

use std::io;

use serde_json::Value;

use crate::connection::{request, wrong};
use crate::load::{self, Load};

/// Agents that one caller takes turns over, so that many are asked for.
const TURNS: usize = 64;

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    load: Load,
    /// What is asked for behind the path, as it stands in a URL
    #[arg(long, default_value = "")]
    query: String,
}

pub(crate) async fn run(args: Args) -> io::Result<Value> {
    let accounts = args.load.place.world()?.accounts;
    let agents = accounts.iter().flat_map(|it| &it.agents);
    let mut requests = agents.map(|it| {
        let key = it.key.as_ref();
        let key = key.ok_or_else(|| wrong("an agent of the world has no key"))?;
        let line = format!("GET /v1/transfers/inbox{}", args.query);
        Ok(request(&line, key, "", b""))
    });
    let requests = requests.by_ref().collect::<io::Result<Vec<_>>>()?;
    let callers = (0..args.load.callers).map(|n| {
        let own = requests
            .iter()
            .cycle()
            .skip(n * TURNS % requests.len().max(1));
        own.take(TURNS.min(requests.len())).cloned().collect()
    });
    load::run(&args.load, callers.collect(), 200).await
}

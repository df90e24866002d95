//! Agents that listen to what happens to them, and how long it takes until they hear it.

use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::connection::{Connection, request, wrong};
use crate::summary::{Latencies, rate};
use crate::transfers::form;
use crate::world::Place;

/// Connections from one address: each has so many of the loopback's, for a server that takes no more
/// from one.
const PER_ADDRESS: usize = 1_000;
/// Connections that are made at a time.
const OPENING: usize = 64;
/// Whoever has not heard of it by then never will.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    place: Place,
    /// How many are sent something
    #[arg(long, default_value_t = 1_000)]
    events: u32,
    /// Milliseconds from one to the next
    #[arg(long, default_value_t = 10)]
    pause: u64,
}

/// One that listens: where it says when it heard something.
struct Listener {
    form: Vec<u8>,
    heard: mpsc::Receiver<Instant>,
}

pub(crate) async fn run(args: Args) -> io::Result<Value> {
    let world = args.place.world()?;
    let mut listeners = Vec::new();
    let mut opening = JoinSet::new();
    let began = Instant::now();
    for account in &world.accounts {
        let [sender, rest @ ..] = account.agents.as_slice() else {
            return Err(wrong("an account of the world has no agents"));
        };
        for agent in rest {
            let (tell, heard) = mpsc::channel(4);
            let line = format!("GET /v1/events/stream?agent_id={}", agent.slug);
            let ask = request(&line, &account.key, "", b"");
            let from = source(listeners.len());
            let server = args.place.server;
            let form = form(account, &sender.slug, &agent.slug, 64, false);
            listeners.push(Listener { form, heard });
            if opening.len() == OPENING {
                joined(opening.join_next().await)?;
            }
            opening.spawn(async move {
                let stream = open(server, from, &ask).await?;
                tokio::spawn(listen(stream, tell));
                Ok(())
            });
        }
    }
    while !opening.is_empty() {
        joined(opening.join_next().await)?;
    }
    let opened = began.elapsed();
    // Whoever measures the server's memory does it here, between the two lines.
    writeln!(io::stdout(), "{}", json!({ "listening": listeners.len() }))?;
    let mut found = send(&args, &mut listeners).await?;
    found["listeners"] = listeners.len().into();
    found["opened_seconds"] = opened.as_secs_f64().into();
    Ok(found)
}

/// Sends to listeners all over the world, one after the other.
async fn send(args: &Args, listeners: &mut [Listener]) -> io::Result<Value> {
    let mut connection = Connection::open(args.place.server, None).await?;
    let (mut heard, mut answered) = (Latencies::default(), Latencies::default());
    let count = listeners.len();
    // Next to none of those before, so that no account is asked twice in a row.
    let step = count / 2 + 1;
    let began = Instant::now();
    for n in 0..args.events as usize {
        let listener = &mut listeners[n * step % count];
        let sent = Instant::now();
        connection.json(&listener.form, 201).await?;
        answered.push(sent.elapsed());
        let told = timeout(PATIENCE, listener.heard.recv()).await;
        let told = told.map_err(|_| wrong("a listener heard nothing"))?;
        let told = told.ok_or_else(|| wrong("a listener was cut off"))?;
        heard.push(told.duration_since(sent));
        sleep(Duration::from_millis(args.pause)).await;
    }
    let mut found = rate(heard, began.elapsed());
    found["answer"] = answered.percentiles();
    Ok(found)
}

/// The address that the `n`th connects from.
fn source(n: usize) -> IpAddr {
    let block = u8::try_from(n / PER_ADDRESS).unwrap_or(u8::MAX);
    Ipv4Addr::new(127, 0, 1, block).into()
}

async fn open(server: SocketAddr, from: IpAddr, ask: &[u8]) -> io::Result<Connection> {
    let mut stream = Connection::open(server, Some(from)).await?;
    let head = stream.begin(ask).await?;
    if head.status != 200 {
        return Err(wrong(&format!("a listener was answered {}", head.status)));
    }
    // From here on nothing is missed.
    stream.until(b": connected\n\n").await?;
    Ok(stream)
}

async fn listen(mut stream: Connection, tell: mpsc::Sender<Instant>) {
    // What comes in between is silence, said aloud.
    while stream.until(b"event: transfer.created\n").await.is_ok() {
        if tell.send(Instant::now()).await.is_err() {
            return;
        }
    }
}

fn joined(done: Option<Result<io::Result<()>, tokio::task::JoinError>>) -> io::Result<()> {
    done.map_or(Ok(()), |it| it.map_err(io::Error::other)?)
}

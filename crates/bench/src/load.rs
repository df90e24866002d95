//! Callers that ask as fast as they are answered.

use std::io;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::task::JoinSet;

use crate::connection::{Connection, wrong};
use crate::summary::{Latencies, rate};
use crate::world::Place;

/// Who asks whom, how many at a time and for how long.
#[derive(clap::Args)]
pub(crate) struct Load {
    #[command(flatten)]
    pub(crate) place: Place,
    /// How many ask at a time
    #[arg(long, default_value_t = 32)]
    pub(crate) callers: usize,
    /// Seconds that count
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Seconds before, that do not
    #[arg(long, default_value_t = 1.0)]
    warm_up: f64,
}

/// One caller asks these requests, one after the other, again and again.
pub(crate) async fn run(
    args: &Load,
    callers: Vec<Vec<Vec<u8>>>,
    expected: u16,
) -> io::Result<Value> {
    let server = args.place.server;
    let begin = Instant::now() + Duration::from_secs_f64(args.warm_up);
    let end = begin + Duration::from_secs_f64(args.seconds);
    let mut running = JoinSet::new();
    let count = callers.len();
    for requests in callers {
        running.spawn(async move {
            let mut connection = Connection::open(server, None).await?;
            let (mut latencies, mut bytes) = (Latencies::default(), 0);
            for (n, request) in requests.iter().cycle().enumerate() {
                let asked = Instant::now();
                // Each asks once at least, however short it lasts.
                if asked >= end && n > 0 {
                    break;
                }
                let (status, body) = connection.ask(request).await?;
                if status != expected {
                    let body = String::from_utf8_lossy(body);
                    return Err(wrong(&format!("answered {status}: {body}")));
                }
                // What was asked before it counted, and answered after, is nobody's.
                if asked >= begin {
                    bytes = body.len();
                    latencies.push(asked.elapsed());
                }
            }
            Ok((latencies, bytes))
        });
    }
    let (mut all, mut bytes) = (Latencies::default(), 0);
    while let Some(ended) = running.join_next().await {
        let (latencies, last) = ended.map_err(io::Error::other)??;
        all.append(latencies);
        bytes = bytes.max(last);
    }
    let mut found = rate(all, begin.elapsed());
    found["callers"] = count.into();
    found["answer_bytes"] = bytes.into();
    Ok(found)
}

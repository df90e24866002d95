//! How fast Shield judges.

#![expect(
    clippy::cast_precision_loss,
    reason = "megabytes a second are told to three digits"
)]

use std::fs;
use std::io;
use std::path::PathBuf;

use agentdrop_shield::Scanner;
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};

use crate::shield;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Files, and folders of them: each is one sort of thing
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Seconds of the processor's for each
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
}

/// Megabytes for a second of the processor's of each sort, with the rules loaded and the files in memory: of all rounds the
/// median, the slowest and the fastest. Who shares the machine slows some down.
pub(crate) fn run(args: &Args) -> io::Result<Value> {
    let (rules, load) = shield::load()?;
    let scanner = Scanner::new(&rules);
    let mut found = json!({ "load_ms": load.as_secs_f64() * 1000.0 });
    for path in &args.paths {
        let mut paths = Vec::new();
        shield::files(path, &mut paths)?;
        let files = paths.iter().map(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            Ok((name.into_owned(), fs::read(path)?))
        });
        let files = files.collect::<io::Result<Vec<_>>>()?;
        let all = || {
            for (name, bytes) in &files {
                scanner.bytes(name, bytes);
            }
        };
        // What is made when it is first used is made now.
        all();
        let bytes = files.iter().map(|it| it.1.len()).sum::<usize>() as f64;
        let (mut rates, mut spent) = (Vec::new(), 0.0);
        while rates.is_empty() || spent < args.seconds {
            let began = worked();
            all();
            let seconds = worked() - began;
            rates.push(bytes / 1e6 / seconds);
            spent += seconds;
        }
        rates.sort_by(f64::total_cmp);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        found[&*name] = json!({
            "files": files.len(), "bytes": bytes, "rounds": rates.len(),
            "mb_s": median(&rates), "slowest": rates.first(), "fastest": rates.last(),
        });
    }
    Ok(found)
}

/// Of numbers in their order.
fn median(all: &[f64]) -> f64 {
    let middle = [all.len().saturating_sub(1) / 2, all.len() / 2];
    middle
        .map(|it| all.get(it).copied().unwrap_or_default() / 2.0)
        .iter()
        .sum()
}

/// For how many seconds the processor worked for this program.
fn worked() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

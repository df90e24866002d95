//! How fast Shield judges.

#![expect(
    clippy::cast_precision_loss,
    reason = "megabytes a second are told to three digits"
)]

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use agentdrop_shield::Scanner;
use serde_json::{Value, json};

use crate::shield;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Files, and folders of them: each is one sort of thing
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Seconds for each
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
}

/// Bytes a second of each sort, with the rules loaded and the files in memory.
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
        let (began, mut rounds) = (Instant::now(), 0);
        while rounds == 0 || began.elapsed() < Duration::from_secs_f64(args.seconds) {
            all();
            rounds += 1;
        }
        let bytes = files.iter().map(|it| it.1.len()).sum::<usize>() as f64;
        let rate = bytes * f64::from(rounds) / began.elapsed().as_secs_f64();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        found[&*name] = json!({ "files": files.len(), "bytes": bytes, "mb_s": rate / 1e6 });
    }
    Ok(found)
}

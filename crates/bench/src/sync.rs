//! How many small writes the machine makes durable: what bounds whoever answers only then.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::summary::{Latencies, rate};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// A folder on the disk in question
    #[arg(long)]
    folder: PathBuf,
    /// How many write at a time, each to a file of its own
    #[arg(long, value_delimiter = ',', default_values_t = [1, 32])]
    threads: Vec<usize>,
    /// Seconds for each
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
}

pub(crate) fn run(args: &Args) -> io::Result<Value> {
    let mut found = json!({});
    for threads in &args.threads {
        let began = Instant::now();
        let end = began + Duration::from_secs_f64(args.seconds);
        let latencies = thread::scope(|scope| {
            let writers = (0..*threads).map(|n| {
                let path = args.folder.join(format!("sync-{n}"));
                scope.spawn(move || write(&path, end))
            });
            // All of them first: else the next began when the one before had ended.
            let writers: Vec<_> = writers.collect();
            let mut all = Latencies::default();
            for writer in writers {
                all.append(writer.join().expect("a writer does not panic")?);
            }
            io::Result::Ok(all)
        })?;
        found[threads.to_string()] = rate(latencies, began.elapsed());
    }
    Ok(found)
}

/// Appends pages to a file, each durable before the next.
fn write(path: &Path, end: Instant) -> io::Result<Latencies> {
    let (file, page) = (File::create(path)?, [0x5a; 4096]);
    let (mut latencies, mut at) = (Latencies::default(), 0);
    loop {
        let began = Instant::now();
        if began >= end {
            break;
        }
        file.write_all_at(&page, at)?;
        file.sync_data()?;
        at += page.len() as u64;
        latencies.push(began.elapsed());
    }
    std::fs::remove_file(path)?;
    Ok(latencies)
}

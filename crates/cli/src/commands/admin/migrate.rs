//! `agentdrop admin migrate-store`: from SQLite to PostgreSQL, and to a bucket.

use std::path::PathBuf;

use agentdrop_server::{S3Url, admin};
use serde_json::json;

use super::installation::existing;
use crate::commands::serve::Storage;
use crate::commands::serve::files::bucket;
use crate::exit::{Exit, Failure, Result};
use crate::human;
use crate::printer::Printer;

#[derive(clap::Args)]
#[command(
    after_help = "The server has to be stopped. Nothing of what is copied is changed or deleted; the target has to \
    be empty, and the rows are there all at once, or not at all."
)]
pub(super) struct Args {
    /// The folder of the SQLite database, the files and the server's key
    #[arg(
        long,
        value_name = "DIR",
        env = "AGENTDROP_DATA_DIR",
        default_value = "./agentdrop-data"
    )]
    data_dir: PathBuf,
    #[arg(
        long,
        value_name = "URL",
        env = "AGENTDROP_DATABASE_URL",
        hide_env_values = true,
        value_parser = postgres,
        help = "The empty database, postgres://user:password@host/name"
    )]
    to: String,
    #[arg(
        long,
        value_name = "URL",
        value_parser = s3,
        help = "Copy the files, too, into an empty place in a bucket: s3://bucket/prefix, with AWS_ACCESS_KEY_ID and \
                AWS_SECRET_ACCESS_KEY in the environment"
    )]
    blobs_to: Option<S3Url>,
    /// Where the bucket's service is [default: Amazon's]
    #[arg(long, value_name = "URL", env = "AGENTDROP_S3_ENDPOINT")]
    s3_endpoint: Option<String>,
    /// The bucket's region
    #[arg(
        long,
        value_name = "NAME",
        env = "AGENTDROP_S3_REGION",
        default_value = "us-east-1"
    )]
    s3_region: String,
    /// Let plain HTTP to another machine do for the bucket
    #[arg(long, env = "AGENTDROP_S3_PLAIN_HTTP")]
    s3_plain_http: bool,
}

/// Copies.
pub(super) async fn run(args: Args, printer: &Printer) -> Result<Exit> {
    let config = existing(Storage {
        data_dir: args.data_dir,
        database_url: None,
    })?;
    let place = args.blobs_to.as_ref();
    let place = place.map(|it| format!("s3://{}/{}", it.bucket, it.prefix));
    let into = match args.blobs_to {
        None => None,
        Some(url) => {
            let mut into = bucket(url, args.s3_endpoint, args.s3_region)?;
            into.plain_http = args.s3_plain_http;
            Some(into)
        }
    };
    let migrated = Box::pin(admin::migrate_store(&config, &args.to, into)).await;
    let migrated = migrated.map_err(|error| match Failure::from(error) {
        taken if taken.code == "DATA_DIR_TAKEN" => Failure {
            hint: "stop the server that runs there, and copy then".to_owned(),
            ..taken
        },
        other => other,
    })?;
    let files = migrated.files;
    printer.json(&json!({
        "rows": migrated.rows,
        "blobs": files.map(|it| it.blobs),
        "bytes": files.map(|it| it.bytes),
        "given_up": files.map(|it| it.given_up),
    }));
    printer.bare(&migrated.rows.to_string());
    printer.done(&format!("copied {} rows", migrated.rows));
    if let Some(files) = files {
        let (blobs, bytes) = (files.blobs, human::bytes(files.bytes));
        printer.done(&format!("copied {blobs} files and parts, {bytes}"));
    }
    let folder = config.data_dir.display();
    let blobs = place.unwrap_or_else(|| config.data_dir.join("blobs").display().to_string());
    printer.note(&format!(
        "Start servers with `--database-url` of the new database, `--blobs {blobs}`, and the key \
         {folder}/server.key: copied into the data directory of each, or named with `--server-key`."
    ));
    printer.note(&format!(
        "Nothing in {folder} was changed. Do not start a server on its old database again: the two would go apart."
    ));
    Ok(Exit::Done)
}

fn postgres(text: &str) -> Result<String, String> {
    if text.starts_with("postgres://") || text.starts_with("postgresql://") {
        return Ok(text.to_owned());
    }
    Err("must be like postgres://user:password@host/name".to_owned())
}

fn s3(text: &str) -> Result<S3Url, String> {
    text.parse()
}

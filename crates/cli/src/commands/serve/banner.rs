//! What a server says of itself when it has come up.

use agentdrop_server::{Config, Server, Signup};
use serde_json::json;

use crate::exit::{Failure, Result};
use crate::printer::Printer;

/// Says where it listens, and what it stands on.
pub(super) fn announce(server: &Server, config: &Config, printer: &Printer) -> Result<()> {
    let listens = server.local_addr();
    let listens = listens.map_err(|error| Failure::io("tell where it listens", &error))?;
    let (url, data_dir) = (server.public_url(), config.data_dir.display().to_string());
    let own = config.data_dir.join("server.key");
    let key = config.server_key.as_ref().unwrap_or(&own);
    let key = key.display().to_string();
    let (database, blobs) = (database(config.database_url.as_deref()), blobs(config));
    let metrics = server
        .metrics_addr()
        .map(|it| format!("http://{it}/metrics"));
    let (signup, who) = match config.signup() {
        Signup::Open => ("open", "open: whoever reaches it can make an account"),
        Signup::Invite => (
            "invite",
            "invite: whoever was mailed a link to files can make an account",
        ),
        Signup::Closed => (
            "closed",
            "closed: `agentdrop admin account create` makes accounts",
        ),
    };
    let version = env!("CARGO_PKG_VERSION");
    tracing::info!(version, %listens, url, database, blobs, signup, "started");
    printer.json(&json!({
        "url": url,
        "listen": listens,
        "metrics": metrics,
        "data_dir": data_dir,
        "server_key": key,
        "database": database,
        "blobs": blobs,
        "signup": signup,
        "version": version,
    }));
    printer.bare(url);
    printer.heading(&format!("AgentDrop {version} listens on http://{listens}"));
    printer.fields(&[
        ("url", url),
        ("data", &data_dir),
        ("database", &database),
        ("files", &blobs),
        ("metrics", metrics.as_deref().unwrap_or("nowhere")),
        ("sign-up", who),
        ("server key", &key),
        (
            "",
            "Keep a copy of it, apart from the data: without it, names, messages and what was",
        ),
        ("", "not sealed by its sender are lost."),
    ]);
    Ok(())
}

/// Which database it is, without the name and the password that open it.
fn database(url: Option<&str>) -> String {
    let Some(url) = url else {
        return "SQLite, in the data directory".to_owned();
    };
    let place = url.split_once("://").map(|it| it.1);
    let place = place.and_then(|it| it.split('?').next());
    let place = place.map(|it| it.rsplit_once('@').map_or(it, |it| it.1));
    place.map_or_else(|| "PostgreSQL".to_owned(), |it| format!("PostgreSQL, {it}"))
}

fn blobs(config: &Config) -> String {
    match (&config.s3, &config.blobs) {
        (Some(s3), _) => format!("s3://{}/{}", s3.bucket, s3.prefix),
        (None, Some(folder)) => folder.display().to_string(),
        (None, None) => "in the data directory".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_of_a_database_is_told() {
        for url in [
            "postgres://user:p@ss@db.example:5432/drop?sslmode=require&password=p@ss",
            "postgres://db.example:5432/drop",
        ] {
            assert_eq!(database(Some(url)), "PostgreSQL, db.example:5432/drop");
        }
        assert_eq!(database(Some("host=x password=p@ss")), "PostgreSQL");
    }
}

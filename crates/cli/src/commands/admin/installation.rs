//! An installation that is there: where it keeps what it remembers, its files and its key.

use std::path::PathBuf;

use agentdrop_server::Config;

use crate::commands::serve::Storage;
use crate::commands::serve::files::Files;
use crate::exit::{Failure, Result};

/// All that an installation is of.
#[derive(clap::Args)]
pub(super) struct Installation {
    /// The file with the server's key [default: server.key in the data directory]
    #[arg(long, value_name = "FILE", env = "AGENTDROP_SERVER_KEY")]
    server_key: Option<PathBuf>,
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    storage: Storage,
}

impl Installation {
    /// Its configuration.
    pub(super) fn config(self) -> Result<Config> {
        let mut config = existing(self.storage)?;
        self.files.tell(&mut config)?;
        config.server_key = self.server_key.filter(|it| !it.as_os_str().is_empty());
        Ok(config)
    }
}

/// The configuration with this storage. Looking must not make a server's folder where there is none.
pub(super) fn existing(storage: Storage) -> Result<Config> {
    let config = storage.into_config();
    if config.database_url.is_none() && !config.data_dir.join("agentdrop.db").exists() {
        let message = format!("there is no server's data in {}", config.data_dir.display());
        let hint = "name the data directory of the server with `--data-dir`";
        return Err(Failure::refused("NO_DATA", message, hint));
    }
    Ok(config)
}

//! A PostgreSQL server of one test's own, which it may stop.

use tempfile::TempDir;

use super::postgres::{Home, SETTINGS};
use crate::shared::free_port;

/// Runs until it is stopped, or dropped. What it was told to keep outlives any end of it.
#[derive(Debug)]
pub struct PrivatePostgres {
    home: Home,
    port: u16,
    url: String,
    // Deleted last.
    _folder: TempDir,
}

impl PrivatePostgres {
    /// Starts one.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let home = Home::in_folder(folder.path().to_owned());
        let (secret, port) = (home.make(), free_port());
        let url = format!("postgres://agentdrop:{secret}@127.0.0.1:{port}/postgres");
        let it = Self {
            home,
            port,
            url,
            _folder: folder,
        };
        it.start_again();
        it
    }

    /// What [`Store::open`](agentdrop_store::Store::open) takes.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Stops it; `mode` is `fast`, or `immediate` as if it were killed.
    pub fn stop(&self, mode: &str) {
        self.home.stop(mode);
    }

    /// Starts it on what it has.
    pub fn start_again(&self) {
        // The machine is not cut off from power here, so that nothing needs to wait for its disk.
        let settings = format!("{SETTINGS} -c fsync=off");
        assert!(
            self.home.launch(&settings, self.port),
            "PostgreSQL does not start"
        );
    }
}

impl Drop for PrivatePostgres {
    fn drop(&mut self) {
        // It may be stopped already.
        let stopping = || self.home.stop("immediate");
        drop(std::panic::catch_unwind(std::panic::AssertUnwindSafe(
            stopping,
        )));
    }
}

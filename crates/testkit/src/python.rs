//! The published client, and what else the tests run out of Python's packages.

use std::path::{Path, PathBuf};

/// The interpreter that has the published client; `scripts/setup` makes it.
pub fn python() -> PathBuf {
    let python = std::env::var_os("AGENTDROP_TEST_PYTHON").map(PathBuf::from);
    there(python.unwrap_or_else(|| venv("bin/python")))
}

/// The folder of an older version of the published client, for `PYTHONPATH`.
pub fn client(version: &str) -> PathBuf {
    there(venv("clients").join(version))
}

/// Schemathesis, in an environment of its own: what it stands on is no concern of the clients.
pub fn schemathesis() -> PathBuf {
    there(venv("schemathesis/bin/schemathesis"))
}

/// SeaweedFS, an S3 server in one program.
pub fn seaweedfs() -> PathBuf {
    let weed = std::env::var_os("AGENTDROP_TEST_WEED").map(PathBuf::from);
    there(weed.unwrap_or_else(|| venv("bin/weed")))
}

fn venv(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../.venv")
        .join(path)
}

fn there(path: PathBuf) -> PathBuf {
    assert!(
        path.exists(),
        "{} is missing: run scripts/setup",
        path.display()
    );
    path
}

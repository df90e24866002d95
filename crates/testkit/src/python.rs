//! The published client.

use std::path::{Path, PathBuf};

/// The interpreter that has the published client; `scripts/setup` makes it.
pub fn python() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.venv/bin/python");
    let python = std::env::var_os("AGENTDROP_TEST_PYTHON").map_or(workspace, PathBuf::from);
    assert!(
        python.exists(),
        "{} is missing: run scripts/setup",
        python.display()
    );
    python
}

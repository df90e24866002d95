//! The examples in `deploy/` set what there is to set.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::Sandbox;

/// Every file under a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path());
    let each = entries.flat_map(|it| if it.is_dir() { files(&it) } else { vec![it] });
    each.collect()
}

/// The variables that a text names.
fn variables(text: &str) -> impl Iterator<Item = &str> {
    let words =
        text.split(|it: char| !(it.is_ascii_uppercase() || it.is_ascii_digit() || it == '_'));
    words.filter(|it| it.starts_with("AGENTDROP_"))
}

#[test]
fn no_example_sets_what_the_server_does_not_know() {
    let help = Sandbox::new().run("serve --help").expect(0).stdout;
    let known: Vec<_> = variables(&help).collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy");
    let mut named = 0;
    for file in files(&folder) {
        let text = fs::read_to_string(&file).unwrap();
        for variable in variables(&text) {
            assert!(known.contains(&variable), "{}: {variable}", file.display());
            named += 1;
        }
    }
    assert!(named > 20, "{named}");
}

//! The files that somebody means by what was typed: files, and all that is below folders.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A file to look at.
#[derive(Debug)]
pub(crate) struct Target {
    /// What was typed, or the file itself: the scanner can read what is below it.
    pub(crate) root: PathBuf,
    pub(crate) path: PathBuf,
    /// How people are told of it.
    pub(crate) shown: String,
    pub(crate) name: String,
    pub(crate) bytes: u64,
}

/// All files below a path that was typed. What was typed may be a link; what is found may not, and is
/// passed over.
pub(crate) fn targets(
    typed: &Path,
    targets: &mut Vec<Target>,
    failed: &mut impl FnMut(&Path, &io::Error),
) {
    match typed.metadata() {
        Err(error) => failed(typed, &error),
        Ok(about) if about.is_dir() => below(typed, typed, targets, failed),
        Ok(about) if about.is_file() => match typed.canonicalize() {
            Err(error) => failed(typed, &error),
            Ok(real) => {
                let target = Target::of(&real, &real, about.len());
                targets.push(Target {
                    shown: typed.display().to_string(),
                    name: name(typed),
                    ..target
                });
            }
        },
        Ok(_) => failed(typed, &io::Error::other("it is no file")),
    }
}

fn below(
    root: &Path,
    folder: &Path,
    targets: &mut Vec<Target>,
    failed: &mut impl FnMut(&Path, &io::Error),
) {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return failed(folder, &error),
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|it| it.path()).collect();
    paths.sort();
    for path in paths {
        match path.symlink_metadata() {
            Err(error) => failed(&path, &error),
            Ok(about) if about.is_dir() => below(root, &path, targets, failed),
            Ok(about) if about.is_file() => targets.push(Target::of(root, &path, about.len())),
            Ok(_) => {}
        }
    }
}

impl Target {
    /// The file at `path`, below `root`.
    pub(crate) fn of(root: &Path, path: &Path, bytes: u64) -> Self {
        Self {
            root: root.to_owned(),
            path: path.to_owned(),
            shown: path.display().to_string(),
            name: name(path),
            bytes,
        }
    }
}

fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

//! Where an identity is: the folder that was named, or the closest one, or the one at home.

use std::env;
use std::path::{Path, PathBuf};

use super::{FILE, FOLDER, FOLDER_VARIABLE, Identity};
use crate::error::{Error, Result};

impl Identity {
    /// Finds the folder of the identity to use: `folder` if it is given, else the one that the
    /// environment names, else `.agentdrop` here or in the closest folder above, else the one at home.
    pub fn find(folder: Option<&Path>) -> Result<Option<PathBuf>> {
        if let Some(named) = named_folder(folder) {
            return Ok(Some(named).filter(|it| it.join(FILE).exists()));
        }
        let here = env::current_dir().map_err(Error::io("find", "the current folder"))?;
        let home = env::home_dir();
        Ok(search(&here, home.as_deref()))
    }

    /// The folder where a new identity goes: `folder` if it is given, else the one that the
    /// environment names, else `.agentdrop` here.
    pub fn folder_for_new(folder: Option<&Path>) -> PathBuf {
        named_folder(folder).unwrap_or_else(|| PathBuf::from(FOLDER))
    }
}

/// The folder that was named, if one was.
pub(crate) fn named_folder(folder: Option<&Path>) -> Option<PathBuf> {
    let from_environment = || env::var_os(FOLDER_VARIABLE).filter(|it| !it.is_empty());
    folder
        .map(Path::to_owned)
        .or_else(|| from_environment().map(PathBuf::from))
}

pub(super) fn search(here: &Path, home: Option<&Path>) -> Option<PathBuf> {
    here.ancestors()
        .chain(home)
        .map(|it| it.join(FOLDER))
        .find(|it| it.join(FILE).exists())
}

//! What processes left in a target that ended before they were done: gone on with, or removed.

use std::collections::HashSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use agentdrop_protocol::TransferId;
use rustix::io::Errno;

use super::staging::{
    PREFIX, Staging, check_private, erase, last_written, lock, open_folder, open_target,
    part_bytes, read_state,
};
use crate::clock::now;
use crate::error::{Error, Result};

/// How long it waits to be gone on with.
const KEPT: Duration = Duration::from_hours(7 * 24);

/// A folder to receive a transfer in.
#[derive(Debug)]
pub(super) struct Begun<S> {
    pub(super) staging: Staging,
    /// What an earlier process wrote down there.
    pub(super) state: Option<S>,
    /// What looked as if it was left, and cannot be used, and why.
    pub(super) ignored: Vec<(PathBuf, &'static str)>,
}

/// Why a state is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unusable {
    /// It was written by another, who may come back for it.
    Foreign(&'static str),
    /// It was ours, and nothing can be made of it any more.
    Spoiled(&'static str),
}

impl Unusable {
    const fn reason(self) -> &'static str {
        match self {
            Self::Foreign(reason) | Self::Spoiled(reason) => reason,
        }
    }
}

/// Finds what was left of a transfer in a target, if `read` makes sense of its state, or makes a new
/// folder; and removes what others left too long ago.
pub(super) fn begin<S>(
    target_path: &Path,
    id: TransferId,
    read: impl Fn(&[u8]) -> Result<S, Unusable>,
) -> Result<Begun<S>> {
    let target = open_target(target_path)?;
    let mut ignored = Vec::new();
    loop {
        let mut search = Search {
            target_path,
            target: &target,
            id,
            read: &read,
            ignored: &mut ignored,
            taken: HashSet::new(),
        };
        let (staging, state) = match search.find()? {
            Some((staging, state)) => (staging, Some(state)),
            None => match Staging::make(target_path, &target, id, &search.taken)? {
                Some(staging) => (staging, None),
                // Another of us was faster: it is at work there, and must be seen.
                None => continue,
            },
        };
        return Ok(Begun {
            staging,
            state,
            ignored,
        });
    }
}

/// One look at what was left of a transfer.
struct Search<'a, R> {
    target_path: &'a Path,
    target: &'a File,
    id: TransferId,
    read: &'a R,
    ignored: &'a mut Vec<(PathBuf, &'static str)>,
    /// The names of folders that stay, and are not ours to use.
    taken: HashSet<String>,
}

impl<S, R: Fn(&[u8]) -> Result<S, Unusable>> Search<'_, R> {
    fn find(&mut self) -> Result<Option<(Staging, S)>> {
        let mut found = None;
        for name in names(self.target_path) {
            if transfer_in(&name) != Some(self.id) {
                sweep(self.target, &name);
                continue;
            }
            let folder = match open_folder(self.target, &name) {
                Ok(folder) => folder,
                // Whoever was at work there has ended.
                Err(Errno::NOENT) => continue,
                Err(_) => {
                    self.leave(name, "it is no folder that can be read");
                    continue;
                }
            };
            let private = check_private(&folder);
            // Before it is locked: whose it is must not find it so.
            if private.is_ok()
                && let Err(Unusable::Foreign(reason)) = self.state(&folder)
                && is_kept(&folder)
            {
                self.leave(name, reason);
                continue;
            }
            if !lock(&folder, self.target, &name) {
                // It is gone by now, or somebody is at work there: we, for another could lock us out.
                match private {
                    Ok(()) if open_folder(self.target, &name).is_ok() => {
                        return Err(Error::Receiving(self.id));
                    }
                    Ok(()) => {}
                    Err(reason) => self.leave(name, reason),
                }
                continue;
            }
            let state = private.map_err(Unusable::Spoiled);
            match state.and_then(|()| self.state(&folder)) {
                Ok(Some(state)) if found.is_none() => {
                    let target = self.target.try_clone();
                    let target = target.map_err(Error::io("write to", self.target_path))?;
                    let staging = Staging::new(self.target_path, target, folder, name);
                    found = Some((staging, state));
                    continue;
                }
                // From before anything was fetched, or beside another.
                Ok(_) => {}
                Err(error) => self.ignore(&name, error.reason()),
            }
            if !erase(self.target, &name, &folder) {
                self.taken.insert(name);
            }
        }
        Ok(found)
    }

    fn state(&self, folder: &File) -> Result<Option<S>, Unusable> {
        let state = read_state(folder).map_err(Unusable::Spoiled)?;
        state.map(|it| (self.read)(&it)).transpose()
    }

    fn leave(&mut self, name: String, reason: &'static str) {
        self.ignore(&name, reason);
        self.taken.insert(name);
    }

    fn ignore(&mut self, name: &str, reason: &'static str) {
        let it = (self.target_path.join(name), reason);
        if !self.ignored.contains(&it) {
            self.ignored.push(it);
        }
    }
}

/// The transfers of which something was left in a target whose state is `ours`.
pub(super) fn transfers(
    target_path: &Path,
    ours: impl Fn(TransferId, &[u8]) -> bool,
) -> Vec<TransferId> {
    let Ok(target) = File::open(target_path) else {
        return Vec::new();
    };
    let left = |name: &String| {
        let folder = open_folder(&target, name).ok()?;
        check_private(&folder).ok()?;
        let state = read_state(&folder).ok()??;
        transfer_in(name).filter(|id| ours(*id, &state))
    };
    names(target_path).iter().filter_map(left).collect()
}

/// How many bytes of a transfer were left in a target to be gone on with, as far as can be said without
/// the key: for who is told to go on there.
pub(super) fn bytes(target_path: &Path, id: TransferId) -> Option<u64> {
    let target = File::open(target_path).ok()?;
    let left = |name: &String| {
        let folder = open_folder(&target, name).ok()?;
        check_private(&folder).ok()?;
        read_state(&folder).ok()??;
        Some(part_bytes(&folder))
    };
    let names = names(target_path).into_iter();
    let names = names.filter(|it| transfer_in(it) == Some(id));
    names.filter_map(|it| left(&it)).max()
}

fn names(target_path: &Path) -> Vec<String> {
    let entries = fs::read_dir(target_path).into_iter().flatten();
    let names = entries.filter_map(|it| it.ok()?.file_name().into_string().ok());
    names.filter(|it| it.starts_with(PREFIX)).collect()
}

fn transfer_in(name: &str) -> Option<TransferId> {
    let (id, _) = name.strip_prefix(PREFIX)?.rsplit_once('-')?;
    id.parse().ok()
}

/// Removes what a process left that ended, unless it may be gone on with. A folder whose process
/// lives is locked by it.
///
/// Whatever cannot be removed stays: it is another user's, or a person put something into it.
fn sweep(target: &File, name: &str) {
    let Ok(folder) = open_folder(target, name) else {
        return;
    };
    // Before it is locked: who goes on with it now must not take us for another who does.
    if is_kept(&folder) || !lock(&folder, target, name) {
        return;
    }
    // Somebody may have gone on with it by then.
    if !is_kept(&folder) {
        erase(target, name, &folder);
    }
}

/// Whether it may be gone on with.
fn is_kept(folder: &File) -> bool {
    let oldest = now().as_millis() / 1000 - KEPT.as_secs().cast_signed();
    let has_state = !matches!(read_state(folder), Ok(None));
    has_state && last_written(folder).is_ok_and(|it| it > oldest)
}

#[cfg(test)]
mod tests;

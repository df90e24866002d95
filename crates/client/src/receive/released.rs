//! Handing out what was kept in quarantine, by a person's decision.

use std::io;
use std::path::Path;

use agentdrop_protocol::TransferId;

use super::leftovers;
use super::place::{Ready, place};
use super::staging::opened;
use super::{ReceivedFile, blocking};
use crate::error::{Error, Result};
use crate::shield::{Held, Quarantine};

impl Quarantine {
    /// Places what is kept of a transfer in a folder, all of it or nothing; it leaves the quarantine.
    pub async fn release(&self, id: TransferId, target: &Path) -> Result<Vec<ReceivedFile>> {
        let (quarantine, target) = (self.clone(), target.to_owned());
        blocking(move || {
            let held = quarantine.look_up(id)?;
            let placed = placed(&quarantine, &held, &target)?;
            quarantine.discard(id)?;
            Ok(placed)
        })
        .await
    }
}

fn placed(quarantine: &Quarantine, held: &Held, target: &Path) -> Result<Vec<ReceivedFile>> {
    let nothing = |_: &[u8]| -> Result<(), _> {
        let reason = "it is of another way to receive";
        Err(leftovers::Unusable::Foreign(reason))
    };
    let staging = leftovers::begin(target, held.id, nothing)?.staging;
    let mut ready = Vec::new();
    for (n, file) in held.files.iter().enumerate() {
        let mut from = quarantine.open(held, file)?;
        let mut into = staging.opened(n)?;
        let copied = io::copy(&mut from, &mut into).and_then(|_| into.sync_all());
        copied.map_err(Error::io("write", file.name.as_str()))?;
        let mut it = Ready {
            n,
            source: opened(n),
            name: file.name.clone(),
            bytes: file.bytes,
            is_folder: false,
        };
        if file.is_folder
            && let Ok(tree) = staging.unpack(n, &it.source)
        {
            (it.source, it.is_folder) = (tree, true);
        }
        ready.push(it);
    }
    let paths = place(&staging, &ready, &[])?;
    let files = paths.into_iter().zip(ready).map(|(path, it)| ReceivedFile {
        path,
        name: it.name,
        bytes: it.bytes,
        is_folder: it.is_folder,
    });
    Ok(files.collect())
}

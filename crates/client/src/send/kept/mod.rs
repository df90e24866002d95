//! What is kept of an upload in parts, so that it can go on after anything: a file of lines.
//!
//! Its first line says what is sent, with the keys; each line behind it, what happened. Before a part
//! leaves this machine for the first time its tag is on disk, made with a key of its own ([`agentdrop_seal::PartMac`]). Sealed again, a part leaves only if it
//! is the same: two texts under one key and nonce would give each other away. So no part of another
//! version of a file is ever sent, whatever the clock and the inode say, and a line that a crash cut
//! off is of a part that was not sent.

mod head;
mod shelf;

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use agentdrop_protocol::{FileId, TransferId, UploadId};
use agentdrop_seal::{SealError, TAG_BYTES};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

pub(super) use self::head::Head;
pub(super) use self::shelf::{Found, Shelf, sweep};
use super::notice::{Notice, Teller};
use crate::error::{Error, Result};
use crate::private_file::sync_folder_of;

/// What a sealed part is known by.
pub(super) type Mac = [u8; TAG_BYTES];

/// What the server answered when the transfer was announced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Announced {
    pub(super) transfer: TransferId,
    pub(super) files: Vec<AnnouncedFile>,
}

/// What a file of it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct AnnouncedFile {
    pub(super) file: FileId,
    pub(super) upload: UploadId,
}

/// What happened; a line.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Happened {
    Announced(Announced),
    /// This part of this file is about to be sent.
    Sending(usize, u32, String),
    /// It was answered with this.
    Acknowledged(usize, u32, String),
}

/// An upload, and what happened to it.
pub(super) struct Kept {
    pub(super) head: Head,
    file: Mutex<Option<Place>>,
    past: Mutex<Past>,
    teller: Teller,
}

/// Where it is kept, locked as long as this lives.
struct Place {
    path: PathBuf,
    file: File,
}

#[derive(Default)]
struct Past {
    announced: Option<Announced>,
    /// By file and part, as everything here; parts are counted from 1.
    macs: Vec<Vec<Option<Mac>>>,
    tags: Vec<Vec<Option<String>>>,
}

impl Kept {
    /// One that begins. Without a shelf, nothing of it is on disk.
    pub(super) fn begin(head: Head, shelf: Option<&Shelf>, teller: &Teller) -> Self {
        let place = shelf.and_then(|it| match it.place(&head) {
            Ok(place) => Some(place),
            // A full disk must not keep anybody from sending.
            Err(error) => {
                teller.tell(Notice::NotKept(why(&error)));
                None
            }
        });
        Self::new(head, place, teller)
    }

    fn new(head: Head, place: Option<Place>, teller: &Teller) -> Self {
        if let Some(place) = &place {
            teller.tell(Notice::Kept(place.path.clone()));
        }
        Self {
            head,
            file: Mutex::new(place),
            past: Mutex::default(),
            teller: teller.clone(),
        }
    }

    /// One that was kept, and what its lines say.
    fn read(head: Head, place: Place, lines: &str, teller: &Teller) -> Option<Self> {
        let kept = Self::new(head, Some(place), teller);
        for line in lines.split_inclusive('\n') {
            // What a crash cut off did not happen.
            let Some(line) = line.strip_suffix('\n') else {
                break;
            };
            kept.past().happened(serde_json::from_str(line).ok()?)?;
        }
        Some(kept)
    }

    pub(super) fn announced(&self) -> Option<Announced> {
        self.past().announced.clone()
    }

    /// Answers what these bytes are known by, of this part: where they were sealed in chunks, those have
    /// tags already.
    pub(super) fn mac(&self, file: usize, part: u32, bytes: &[u8]) -> Result<Mac> {
        let is_chunked = self.head.is_chunked(file);
        let file = u32::try_from(file).map_err(|_| SealError::TooLong)?;
        if !is_chunked {
            return Ok(self.head.mac.tag(file, part, bytes)?);
        }
        let before = u64::from(part.saturating_sub(1));
        let from = before.checked_mul(self.head.part_bytes);
        let from = from.ok_or(SealError::TooLong)?;
        Ok(self.head.mac.tag_of_chunks(file, part, from, bytes)?)
    }

    /// What a part was known by when it was sent first.
    pub(super) fn known_mac(&self, file: usize, part: u32) -> Option<Mac> {
        *at(&self.past().macs, file, part)?
    }

    /// What a part was acknowledged with.
    pub(super) fn tag(&self, file: usize, part: u32) -> Option<String> {
        at(&self.past().tags, file, part)?.clone()
    }

    pub(super) fn write_announced(&self, announced: Announced) -> Result<()> {
        self.write(Happened::Announced(announced), OnDisk::Now)
    }

    /// To be called before a part is sent for the first time: when it returns, that is on disk.
    pub(super) fn write_sending(&self, file: usize, part: u32, mac: &Mac) -> Result<()> {
        let line = Happened::Sending(file, part, STANDARD.encode(mac));
        self.write(line, OnDisk::Now)
    }

    /// A part that was sent is sent again if this is lost.
    pub(super) fn write_acknowledged(&self, file: usize, part: u32, tag: &str) -> Result<()> {
        let line = Happened::Acknowledged(file, part, tag.to_owned());
        self.write(line, OnDisk::Later)
    }

    /// Brings what was acknowledged to disk.
    pub(super) fn settle(&self) -> Result<()> {
        let place = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        match &*place {
            Some(Place { path, file }) => file.sync_data().map_err(Error::io("write", path)),
            None => Ok(()),
        }
    }

    fn write(&self, happened: Happened, when: OnDisk) -> Result<()> {
        let mut place = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Place { path, file }) = &mut *place {
            let mut line = serde_json::to_vec(&happened).expect("texts and numbers are JSON");
            line.push(b'\n');
            let written = file.write_all(&line).and_then(|()| match when {
                OnDisk::Now => file.sync_data(),
                OnDisk::Later => Ok(()),
            });
            if let Err(error) = written {
                let problem = why(&Error::io("write", &*path)(error));
                // What does not say everything must not be there to go on from.
                fs::remove_file(&*path).map_err(Error::io("delete", &*path))?;
                // Nor come back with the power, when more was sent.
                sync_folder_of(path)?;
                *place = None;
                self.teller.tell(Notice::NotKept(problem));
            }
        }
        let known = self.past().happened(happened);
        known.ok_or_else(|| Error::Answer("there is no such part".to_owned()))
    }

    /// Nothing is left of it to go on from.
    pub(super) fn forget(&self) -> Result<()> {
        let mut place = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Place { path, .. }) = place.take() else {
            return Ok(());
        };
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(Error::io("delete", &path)(error))
            }
            _ => Ok(()),
        }
    }

    fn past(&self) -> MutexGuard<'_, Past> {
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When it has to be on disk.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OnDisk {
    Now,
    Later,
}

impl Past {
    /// Takes notice; nothing, of what cannot have happened.
    fn happened(&mut self, it: Happened) -> Option<()> {
        match it {
            Happened::Announced(it) => {
                self.announced = Some(it);
            }
            Happened::Sending(file, part, mac) => {
                let mac = STANDARD.decode(mac).ok()?.try_into().ok()?;
                *place(&mut self.macs, file, part)? = Some(mac);
            }
            Happened::Acknowledged(file, part, tag) => {
                *place(&mut self.tags, file, part)? = Some(tag);
            }
        }
        Some(())
    }
}

fn at<T>(table: &[Vec<T>], file: usize, part: u32) -> Option<&T> {
    table.get(file)?.get(usize::try_from(part).ok()?)
}

/// Room for a part, of those that there can be.
fn place<T: Clone + Default>(table: &mut Vec<Vec<T>>, file: usize, part: u32) -> Option<&mut T> {
    use agentdrop_protocol::limits::{MAX_FILES, MAX_PARTS};
    let part_at = usize::try_from(part).ok()?;
    if file > MAX_FILES || part == 0 || part > MAX_PARTS {
        return None;
    }
    let length = table.len().max(file + 1);
    table.resize(length, Vec::new());
    let row = table.get_mut(file)?;
    row.resize(row.len().max(part_at + 1), T::default());
    row.get_mut(part_at)
}

fn why(error: &Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

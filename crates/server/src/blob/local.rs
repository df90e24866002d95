//! Blobs in a folder of the data directory.
//!
//! `blobs/<shard>/<transfer>.<position>`, 256 shards by the last two digits of the transfer's id,
//! which are random; `blobs/<shard>/<transfer>.parts/<tag>` what came in parts;
//! `blobs/staging/<server>/` has what is still coming in for one of those that share it. A blob is
//! written to the staging folder, made to outlive a power cut, and only then renamed to where it is
//! read.

use std::fs::{self, DirBuilder, File};
use std::io;
#[cfg(target_os = "linux")]
use std::io::IoSliceMut;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use agentdrop_protocol::TransferId;
use rustix::buffer::spare_capacity;
use rustix::io::{Errno, pread};
#[cfg(target_os = "linux")]
use rustix::io::{ReadWriteFlags, preadv2};
use tokio::task::spawn_blocking;

use super::Found;
use super::key::{BlobKey, BlobName, PARTS};
use super::share::Place;
use super::stage::{Staged, Staging};

/// A folder of blobs. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    root: Arc<Path>,
    /// Nothing, for who only looks.
    place: Option<Arc<Place>>,
}

/// A blob that is open for reading.
#[derive(Clone, Debug)]
pub(crate) struct OpenFile(Arc<File>);

impl Folder {
    /// Opens the folder, makes what is missing of it, and throws away what never came in whole.
    ///
    /// Others may have it open.
    pub(super) fn open(root: &Path) -> io::Result<Self> {
        make_folder(root)?;
        for shard in 0..=u8::MAX {
            make_folder(&root.join(format!("{shard:02x}")))?;
        }
        let place = Some(Arc::new(Place::take(root)?));
        File::open(root)?.sync_all()?;
        Ok(Self {
            root: root.into(),
            place,
        })
    }

    /// The folder for who only looks, of which nothing is made.
    pub(super) fn look(root: &Path) -> Self {
        Self {
            root: root.into(),
            place: None,
        }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Whether nobody else had it open when this did.
    pub(super) fn was_alone(&self) -> bool {
        let place = self.place.as_ref();
        place.is_some_and(|it| it.alone_since.is_some())
    }

    /// Blobs from before this, by the clock of the disk, that have no row yet never will: whoever
    /// wrote them is gone, or it is too long ago.
    pub(super) async fn settled(&self, at_start: bool, age: Duration) -> io::Result<SystemTime> {
        let place = self
            .place
            .clone()
            .ok_or(io::ErrorKind::ReadOnlyFilesystem)?;
        blocking(move || match place.alone_since {
            Some(start) if at_start => Ok(start),
            _ => {
                let now = place.disk_time()?;
                Ok(now.checked_sub(age).unwrap_or(SystemTime::UNIX_EPOCH))
            }
        })
        .await
    }

    /// Begins to take a blob in.
    pub(super) fn stage(&self) -> io::Result<Staging> {
        let place = self.place.as_ref();
        let place = place.ok_or(io::ErrorKind::ReadOnlyFilesystem)?;
        Ok(Staging::new(place.staging.clone()))
    }

    /// Puts staged blobs, each with its place among the files, where they are read; when this returns,
    /// they outlive a power cut.
    ///
    /// Where one is there, which is another transfer's, it fails, and nothing was done.
    pub(super) async fn keep(
        &self,
        transfer: TransferId,
        staged: Vec<(u32, Staged)>,
    ) -> io::Result<Vec<BlobKey>> {
        if staged.is_empty() {
            return Ok(Vec::new());
        }
        let blobs = self.clone();
        blocking(move || {
            let mut kept = Vec::new();
            let place = || {
                for (position, staged) in staged {
                    let key = BlobKey::file(transfer, position);
                    staged.place_at(&blobs.path(key))?;
                    kept.push(key);
                }
                File::open(blobs.shard(transfer))?.sync_all()
            };
            let placed = place();
            if placed.is_err() {
                for key in &kept {
                    // What stays behind has no row, and is deleted at the next start.
                    drop(fs::remove_file(blobs.path(*key)));
                }
            }
            placed.map(|()| kept)
        })
        .await
    }

    /// The same, for blobs with names of their own; one that is there is replaced.
    pub(super) async fn put(&self, staged: Vec<(BlobKey, Staged)>) -> io::Result<()> {
        let blobs = self.clone();
        blocking(move || {
            for (key, staged) in staged {
                let folder = blobs.folder(key);
                if matches!(key.name, BlobName::Part(_)) && make_folder(&folder)? {
                    File::open(blobs.shard(key.transfer))?.sync_all()?;
                }
                staged.rename_to(&blobs.path(key))?;
                File::open(folder)?.sync_all()?;
            }
            Ok(())
        })
        .await
    }

    /// Deletes a blob, if it is there.
    pub(super) async fn remove(&self, key: BlobKey) -> io::Result<()> {
        let path = self.path(key);
        blocking(move || match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        })
        .await
    }

    /// Opens a blob for reading.
    pub(super) async fn read(&self, key: BlobKey) -> io::Result<OpenFile> {
        let path = self.path(key);
        blocking(move || Ok(OpenFile(Arc::new(File::open(path)?)))).await
    }

    /// Deletes the blobs of a transfer, as far as they are there: those of so many files, and all
    /// parts.
    pub(super) async fn delete(&self, transfer: TransferId, count: u32) -> io::Result<()> {
        let blobs = self.clone();
        blocking(move || {
            for position in 0..count {
                match fs::remove_file(blobs.path(BlobKey::file(transfer, position))) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
            match fs::remove_dir_all(blobs.parts(transfer)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            }
        })
        .await
    }

    /// Takes over a blob of another folder without copying it; answers whether that could be done.
    /// It outlives a power cut once [`Folder::sync`] returns.
    pub(super) async fn link(&self, from: &Self, key: BlobKey) -> io::Result<bool> {
        let (from, to) = (from.path(key), self.clone());
        blocking(move || {
            if matches!(key.name, BlobName::Part(_)) {
                make_folder(&to.parts(key.transfer))?;
            }
            match fs::hard_link(from, to.path(key)) {
                Ok(()) => Ok(true),
                // It came before: a name is given to the same bytes only.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(true),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Err(error),
                // Another disk, or one that has no links.
                Err(_) => Ok(false),
            }
        })
        .await
    }

    /// Waits until all names in it are on disk.
    pub(super) async fn sync(&self) -> io::Result<()> {
        let root = Arc::clone(&self.root);
        blocking(move || sync_folders(&root)).await
    }

    /// The blobs in one shard.
    pub(super) async fn in_shard(&self, shard: u8) -> io::Result<Vec<Found>> {
        let folder = self.root.join(format!("{shard:02x}"));
        let only_looks = self.place.is_none();
        blocking(move || {
            let mut found = Vec::new();
            for entry in fs::read_dir(folder)? {
                let entry = entry?;
                let name = entry.file_name().to_string_lossy().into_owned();
                if !name.ends_with(PARTS) {
                    note(&entry, &name, &mut found)?;
                    continue;
                }
                let mut is_empty = true;
                let parts = match fs::read_dir(entry.path()) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    parts => parts?,
                };
                for entry in parts {
                    let entry = entry?;
                    let name = format!("{name}/{}", entry.file_name().to_string_lossy());
                    note(&entry, &name, &mut found)?;
                    is_empty = false;
                }
                if is_empty && !only_looks {
                    // Whoever is about to put something there makes it anew, or is refused.
                    drop(fs::remove_dir(entry.path()));
                }
            }
            Ok(found)
        })
        .await
    }

    /// Whether a blob could be written now.
    pub(super) async fn check(&self) -> io::Result<()> {
        let place = self.place.clone();
        let place = place.ok_or(io::ErrorKind::ReadOnlyFilesystem)?;
        blocking(move || place.disk_time().map(drop)).await
    }

    fn path(&self, key: BlobKey) -> PathBuf {
        self.shard(key.transfer).join(key.to_string())
    }

    /// The folder that a blob is in.
    fn folder(&self, key: BlobKey) -> PathBuf {
        match key.name {
            BlobName::Part(_) => self.parts(key.transfer),
            BlobName::Position(_) => self.shard(key.transfer),
        }
    }

    fn parts(&self, transfer: TransferId) -> PathBuf {
        self.shard(transfer).join(format!("{transfer}{PARTS}"))
    }

    fn shard(&self, transfer: TransferId) -> PathBuf {
        self.root.join(format!("{:02x}", transfer.as_bytes()[15]))
    }
}

impl OpenFile {
    /// How many bytes it has.
    pub(super) fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    /// Reads at most `length` bytes from `offset` on; fewer at the end of the blob.
    pub(super) async fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = self.read_cached(offset, length);
        if bytes.len() == length {
            return Ok(bytes);
        }
        let file = Arc::clone(&self.0);
        blocking(move || {
            bytes.reserve_exact(length - bytes.len());
            while bytes.len() < length {
                let at = offset + bytes.len() as u64;
                match pread(&*file, spare_capacity(&mut bytes), at) {
                    Ok(0) => break,
                    Ok(_) | Err(Errno::INTR) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            // There may be room for more than was asked for.
            bytes.truncate(length);
            Ok(bytes)
        })
        .await
    }

    /// As much of that as is in memory already, which is most of what was sent just now: another
    /// thread would take longer to wake than to copy it.
    #[cfg(target_os = "linux")]
    fn read_cached(&self, offset: u64, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        let mut room = [IoSliceMut::new(&mut bytes)];
        // A file system that cannot tell refuses.
        let read = preadv2(&*self.0, &mut room, offset, ReadWriteFlags::NOWAIT);
        bytes.truncate(read.unwrap_or(0));
        bytes
    }

    #[cfg(not(target_os = "linux"))]
    const fn read_cached(&self, _: u64, _: usize) -> Vec<u8> {
        Vec::new()
    }
}

/// Notes a blob.
fn note(entry: &fs::DirEntry, name: &str, found: &mut Vec<Found>) -> io::Result<()> {
    let Ok(key) = name.parse() else {
        return Ok(());
    };
    match entry.metadata() {
        // Another server deleted it just now.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        metadata => {
            let metadata = metadata?;
            let (put_at, bytes) = (put_at(&metadata)?, metadata.len());
            found.push(Found { key, put_at, bytes });
        }
    }
    Ok(())
}

/// When a blob was put in its place: its bytes may be older, and the file systems that we know set
/// the time of change when they rename.
fn put_at(metadata: &fs::Metadata) -> io::Result<SystemTime> {
    let (seconds, nanos) = (metadata.ctime(), metadata.ctime_nsec());
    let changed = u64::try_from(seconds).ok().zip(u32::try_from(nanos).ok());
    let changed = changed.and_then(|(seconds, nanos)| {
        SystemTime::UNIX_EPOCH.checked_add(Duration::new(seconds, nanos))
    });
    let written = metadata.modified()?;
    Ok(changed.map_or(written, |it| it.max(written)))
}

/// Makes a folder, unless it is there; answers whether it was not.
pub(super) fn make_folder(path: &Path) -> io::Result<bool> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
        Ok(()) => Ok(true),
    }
}

/// Waits until the names in a folder, and in all folders in it, are on disk.
fn sync_folders(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_folders(&entry.path())?;
        }
    }
    File::open(folder)?.sync_all()
}

/// Runs what may wait for a disk where it holds nobody up.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    spawn_blocking(work).await.map_err(io::Error::other)?
}

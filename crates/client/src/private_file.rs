//! Files that only their owner may read.

use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};
use zeroize::Zeroizing;

use crate::error::{ConfigError, Error, Result};

/// What the name of a file begins with that is being written.
pub(crate) const WRITING: &str = ".writing-";
const FILE_MODE: u32 = 0o600;
const FOLDER_MODE: u32 = 0o700;
/// Group and others, in any way.
const TOO_OPEN: u32 = 0o077;
/// What is larger was not written by us.
pub(crate) const MAX_BYTES: u64 = 1024 * 1024;

/// Writes a file that only its owner may read: whole or not at all, and on disk when this returns.
///
/// What was there before is replaced; its folder is made if there is none, for the owner only.
pub fn write_private(path: &Path, content: &[u8]) -> Result<()> {
    let file = Reserved::beside(path)?;
    file.replace(content)
}

/// Reads a file that only its owner may read; one that others may read, or that another owns, is refused.
///
/// Another user's file is refused because it is found by walking up: in a folder like `/tmp` anyone
/// could put an identity that names their own server.
pub(crate) fn read_private(path: &Path) -> Result<Zeroizing<Vec<u8>>> {
    let file = File::open(path).map_err(Error::io("read", path))?;
    check_private(&file, path, MAX_BYTES)?;
    let mut content = Zeroizing::new(Vec::with_capacity(
        usize::try_from(MAX_BYTES).unwrap_or_default(),
    ));
    let reading = (&file).take(MAX_BYTES).read_to_end(&mut content);
    reading.map_err(Error::io("read", path))?;
    Ok(content)
}

/// Refuses an open file that others may read, that another owns, or that is larger than we write.
pub(crate) fn check_private(file: &File, path: &Path, max_bytes: u64) -> Result<()> {
    // Asked of the open file, so that it is the file that is read.
    let about = file.metadata().map_err(Error::io("read", path))?;
    if !about.is_file() || about.len() > max_bytes {
        let problem = "it is no small regular file".to_owned();
        return Err(ConfigError::IdentityFile {
            path: path.to_owned(),
            problem,
        }
        .into());
    }
    if about.uid() != rustix::process::geteuid().as_raw() {
        return Err(ConfigError::NotOurs(path.to_owned()).into());
    }
    if about.permissions().mode() & TOO_OPEN != 0 {
        return Err(ConfigError::TooOpen(path.to_owned()).into());
    }
    Ok(())
}

/// A place for a private file that will be written: the disk takes it, and nothing is there yet.
#[derive(Debug)]
pub(crate) struct Reserved {
    path: PathBuf,
    file: NamedTempFile,
}

impl Reserved {
    pub(crate) fn beside(path: &Path) -> Result<Self> {
        let folder = folder_of(path);
        DirBuilder::new()
            .recursive(true)
            .mode(FOLDER_MODE)
            .create(folder)
            .map_err(Error::io("create", folder))?;
        let file = Builder::new()
            .prefix(WRITING)
            .permissions(fs::Permissions::from_mode(FILE_MODE))
            .tempfile_in(folder)
            .map_err(Error::io("create a file in", folder))?;
        Ok(Self {
            path: path.to_owned(),
            file,
        })
    }

    /// Writes it, in place of whatever is there.
    pub(crate) fn replace(self, content: &[u8]) -> Result<()> {
        self.finish(content, |file, path| {
            file.persist(path).map_err(|it| it.error)
        })
        .map(drop)
    }

    /// Writes it, unless something is there; answers the file, open at its end.
    pub(crate) fn create(self, content: &[u8]) -> Result<File> {
        self.finish(content, |file, path| {
            file.persist_noclobber(path).map_err(|it| it.error)
        })
    }

    /// The file, which nobody knows the name of yet.
    pub(crate) fn file(&self) -> &File {
        self.file.as_file()
    }

    fn finish(
        mut self,
        content: &[u8],
        place: impl FnOnce(NamedTempFile, &Path) -> io::Result<File>,
    ) -> Result<File> {
        let path = self.path;
        let written = self
            .file
            .write_all(content)
            .and_then(|()| self.file.as_file().sync_all());
        written.map_err(Error::io("write", &path))?;
        let file = place(self.file, &path).map_err(Error::io("create", &path))?;
        sync_folder_of(&path)?;
        Ok(file)
    }
}

/// Deletes a file, if it is there: gone from the disk when this returns.
pub(crate) fn delete_private(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => {
            removed.map_err(Error::io("delete", path))?;
            sync_folder_of(path)
        }
    }
}

/// Brings the folder of a file to disk: a name is there, or gone, when its folder is on disk.
pub(crate) fn sync_folder_of(path: &Path) -> Result<()> {
    let folder = folder_of(path);
    let synced = File::open(folder).and_then(|it| it.sync_all());
    synced.map_err(Error::io("write", folder))
}

fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|it| !it.as_os_str().is_empty())
        .unwrap_or_else(|| Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/secret");
        write_private(&path, b"one").unwrap();
        write_private(&path, b"two").unwrap();
        assert_eq!(&**read_private(&path).unwrap(), b"two");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(&folder.path().join("a/b")), 0o700);
        let others = fs::read_dir(path.parent().unwrap()).unwrap().count();
        assert_eq!(others, 1, "nothing is left over");
    }

    #[test]
    fn what_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        write_private(&path, b"one").unwrap();
        for mode in [0o640, 0o604, 0o644, 0o620, 0o601] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(read_private(&path).unwrap_err().code(), "FILE_TOO_OPEN");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        read_private(&path).unwrap();
    }

    #[test]
    fn what_is_to_be_deleted_is_gone_and_what_cannot_be_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        delete_private(&path).unwrap();
        write_private(&path, b"one").unwrap();
        delete_private(&path).unwrap();
        assert!(!path.exists());
        fs::create_dir(&path).unwrap();
        assert_eq!(delete_private(&path).unwrap_err().code(), "IO");
    }

    #[test]
    fn a_reserved_place_that_was_taken_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let reserved = Reserved::beside(&path).unwrap();
        write_private(&path, b"one").unwrap();
        reserved.create(b"two").unwrap_err();
        assert_eq!(&**read_private(&path).unwrap(), b"one");
    }
}

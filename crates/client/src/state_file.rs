//! JSON in a private file that several processes change: one at a time, and never half.
//!
//! It waits for the disk and for others: asynchronous code calls it on a thread that may.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write};
use std::marker::PhantomData;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use agentdrop_protocol::Timestamp;
use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::error::{Error, KeyringError, Result};
use crate::private_file::{WRITING, check_private, sync_folder_of, write_private};

/// A change takes a few writes. Whoever holds on longer is stopped, or on a disk that hangs.
const PATIENCE: Duration = Duration::from_secs(10);
/// Nobody writes a file for so long.
const LEFT_OVER: Duration = Duration::from_hours(1);
const BETWEEN_TRIES: Duration = Duration::from_millis(2);
/// What is written, and the only one that is read.
const VERSION: u32 = 1;

/// A private file of JSON, `{"v": 1, …}`, and the file that is locked while it is changed.
///
/// Reading takes no lock: a file is replaced whole. The lock has a file of its own, because the one
/// that is replaced is another one afterwards. It is never deleted: whoever waits for a file that is
/// gone waits for nothing.
#[derive(Debug)]
pub(crate) struct StateFile<T> {
    path: PathBuf,
    lock: PathBuf,
    max_bytes: usize,
    of: PhantomData<fn() -> T>,
}

/// A state file that nobody else changes while this lives.
#[derive(Debug)]
pub(crate) struct Held<T> {
    file: StateFile<T>,
    /// Closing it unlocks it, whatever ends the process.
    _lock: File,
}

/// The file as it is written.
#[derive(Serialize)]
struct Written<'t, T> {
    v: u32,
    #[serde(flatten)]
    state: &'t T,
}

#[derive(Deserialize)]
struct Version {
    v: u32,
}

impl<T: Serialize + DeserializeOwned> StateFile<T> {
    pub(crate) fn new(folder: &Path, name: &str, lock: &str, max_bytes: usize) -> Self {
        Self {
            path: folder.join(name),
            lock: folder.join(lock),
            max_bytes,
            of: PhantomData,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What is there; nothing, if there is no file.
    pub(crate) fn read(&self) -> Result<Option<T>> {
        let file = match File::open(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            file => file.map_err(Error::io("read", &self.path))?,
        };
        check_private(&file, &self.path, self.max_bytes as u64)?;
        let bytes = file.metadata().map_or(0, |it| it.len());
        let room = usize::try_from(bytes).unwrap_or_default().saturating_add(1);
        let mut content = Zeroizing::new(Vec::with_capacity(room));
        let reading = (&file)
            .take(self.max_bytes as u64)
            .read_to_end(&mut content);
        reading.map_err(Error::io("read", &self.path))?;
        let version: Version = self.parsed(&content)?;
        if version.v != VERSION {
            return Err(self.spoiled(format!("it is of version {}", version.v)));
        }
        self.parsed(&content).map(Some)
    }

    /// Waits until nobody else changes it.
    pub(crate) fn hold(&self) -> Result<Held<T>> {
        self.hold_within(PATIENCE)
    }

    fn hold_within(&self, patience: Duration) -> Result<Held<T>> {
        let folder = self.lock.parent().unwrap_or_else(|| Path::new("."));
        if !folder.is_dir() {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)
                .map_err(Error::io("create", folder))?;
            // What is brought to disk in it would be gone with its name.
            sync_folder_of(folder)?;
        }
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
            .open(&self.lock)
            .map_err(Error::io("open", &self.lock))?;
        let begun = Instant::now();
        loop {
            match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => break,
                Err(Errno::WOULDBLOCK | Errno::INTR) => {}
                Err(error) => return Err(Error::io("lock", &self.lock)(error.into())),
            }
            if begun.elapsed() >= patience {
                return Err(KeyringError::Busy(self.path.clone()).into());
            }
            thread::sleep(BETWEEN_TRIES);
        }
        let file = Self {
            path: self.path.clone(),
            lock: self.lock.clone(),
            max_bytes: self.max_bytes,
            of: PhantomData,
        };
        Ok(Held { file, _lock: lock })
    }

    /// Says what is wrong with the file.
    pub(crate) fn spoiled(&self, problem: impl Into<String>) -> Error {
        KeyringError::Spoiled {
            path: self.path.clone(),
            problem: problem.into(),
        }
        .into()
    }

    fn parsed<S: DeserializeOwned>(&self, content: &[u8]) -> Result<S> {
        serde_json::from_slice(content).map_err(|error| {
            // Its text can repeat what it stumbled over, and that can be a key.
            let (line, column) = (error.line(), error.column());
            self.spoiled(format!("it does not read at line {line}, column {column}"))
        })
    }
}

impl<T: Serialize + DeserializeOwned> Held<T> {
    /// What is there.
    pub(crate) fn read(&self) -> Result<Option<T>> {
        self.file.read()
    }

    /// Writes another state: when this returns it is on disk, and if it does not, the old or the new is.
    pub(crate) fn write(&self, state: &T) -> Result<()> {
        let written = Written { v: VERSION, state };
        let mut length = Length(1);
        serde_json::to_writer(&mut length, &written).expect("texts and numbers are JSON");
        if length.0 > self.file.max_bytes {
            // It would be written, and never be read again.
            return Err(self.full());
        }
        // Room for all of it: a buffer that grows leaves copies of keys behind.
        let mut content = Zeroizing::new(Vec::with_capacity(length.0));
        serde_json::to_writer(&mut *content, &written).expect("texts and numbers are JSON");
        content.push(b'\n');
        write_private(&self.file.path, &content)
    }

    /// Says that there is no room for more.
    pub(crate) fn full(&self) -> Error {
        KeyringError::Full(self.file.path.clone()).into()
    }
}

/// Deletes what a kill left of files that were being written: keys can be in them. What cannot be
/// deleted is found the next time.
pub(crate) fn sweep_leftovers(folder: &Path, now: Timestamp) {
    let entries = fs::read_dir(folder).into_iter().flatten();
    for entry in entries.filter_map(Result::ok) {
        let is_one = |it: &OsStr| it.to_str().is_some_and(|it| it.starts_with(WRITING));
        let written = entry.metadata().map_or(i64::MAX / 1_000, |it| it.mtime());
        let written = Timestamp::from_millis(written.saturating_mul(1_000));
        if is_one(&entry.file_name()) && now.since(written) > LEFT_OVER {
            fs::remove_file(entry.path()).ok();
        }
    }
}

/// Counts what is written to it.
struct Length(usize);

impl Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
    struct State {
        text: String,
    }

    fn file(folder: &Path) -> StateFile<State> {
        StateFile::new(folder, "state.json", "state.lock", 100)
    }

    fn state(text: &str) -> State {
        State { text: text.into() }
    }

    #[test]
    fn what_is_written_is_read_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let file = file(&folder.path().join("new"));
        assert_eq!(file.read().unwrap(), None);
        file.hold().unwrap().write(&state("one")).unwrap();
        assert_eq!(file.read().unwrap(), Some(state("one")));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(
            [mode(file.path()), mode(&file.lock)],
            [0o600, 0o600],
            "of the file and of its lock"
        );
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o640)).unwrap();
        let refused = file.read().unwrap_err();
        assert_eq!(refused.code(), "FILE_TOO_OPEN");
        assert!(refused.hint().unwrap().starts_with("chmod 600 "));
    }

    #[test]
    fn what_would_not_be_read_again_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = file(folder.path());
        let most = "x".repeat(100 - r#"{"v":1,"text":""}"#.len() - 1);
        let held = file.hold().unwrap();
        held.write(&state(&most)).unwrap();
        let refused = held.write(&state(&(most.clone() + "x"))).unwrap_err();
        assert_eq!(refused.code(), "KEYRING_FULL");
        assert_eq!(file.read().unwrap(), Some(state(&most)));
    }

    #[test]
    fn what_cannot_be_understood_is_refused_without_being_repeated() {
        let folder = tempfile::tempdir().unwrap();
        let file = file(folder.path());
        for content in [
            r#"{"v":2,"text":"secret"}"#,
            r#"{"v":1,"text":"secret"#,
            r#"{"v":"secret"}"#,
            r#"{"v":1,"text":["secret"]}"#,
            r#"{"text":"secret"}"#,
            "secret",
            "",
        ] {
            write_private(file.path(), content.as_bytes()).unwrap();
            let refused = file.read().unwrap_err();
            assert_eq!(refused.code(), "KEYRING_SPOILED", "{content}");
            assert!(!format!("{refused} {refused:?}").contains("secret"));
        }
        write_private(file.path(), &[b' '; 101]).unwrap();
        assert!(file.read().is_err());
    }

    #[test]
    fn whoever_waits_for_a_change_waits_for_so_long_and_no_longer() {
        let folder = tempfile::tempdir().unwrap();
        let file = file(folder.path());
        let held = file.hold().unwrap();
        let refused = file.hold_within(Duration::ZERO).unwrap_err();
        assert_eq!(refused.code(), "KEYRING_BUSY");
        drop(held);
        file.hold_within(Duration::ZERO).unwrap();
    }

    #[test]
    fn what_cannot_be_read_is_not_taken_for_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let no_folder = folder.path().join("no folder");
        write_private(&no_folder, b"").unwrap();
        assert_eq!(file(&no_folder).read().unwrap_err().code(), "IO");
    }

    #[test]
    fn what_was_left_is_deleted_when_nobody_can_be_writing_it() {
        let folder = tempfile::tempdir().unwrap();
        let now = Timestamp::from_millis(1_790_000_000_000);
        let left = |name: &str, age: Duration| {
            let path = folder.path().join(name);
            let written = u64::try_from(now.minus(age).as_millis()).unwrap();
            let written = std::time::UNIX_EPOCH + Duration::from_millis(written);
            let file = File::create(&path).unwrap();
            file.set_modified(written).unwrap();
            path
        };
        let young = left(".writing-a", LEFT_OVER);
        let old = left(".writing-b", LEFT_OVER + Duration::from_secs(1));
        let another = left("writing-c", LEFT_OVER * 9);
        sweep_leftovers(folder.path(), now);
        assert_eq!(
            [young, old, another].map(|it| it.exists()),
            [true, false, true]
        );
    }

    #[test]
    fn a_writer_that_was_killed_holds_nobody_up_and_changed_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = file(folder.path());
        file.hold().unwrap().write(&state("old")).unwrap();
        // What a kill leaves: the lock's file, and a file that was being written.
        let leftover = folder.path().join(".writing-Xa3");
        fs::copy(file.path(), leftover).unwrap();
        let held = file.hold().unwrap();
        assert_eq!(held.read().unwrap(), Some(state("old")));
        held.write(&state("new")).unwrap();
        assert_eq!(file.read().unwrap(), Some(state("new")));
    }
}

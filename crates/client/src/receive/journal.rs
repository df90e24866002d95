//! The folder of one transfer on its way in, and what is written down there.
//!
//! What is written down is on disk before anything is done that it must be known for: that a grant
//! was taken, that a file is being overwritten, that files are being placed.

use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use agentdrop_protocol::TransferId;
use agentdrop_protocol::wire::downloads::Download;
use agentdrop_seal::ContentKey;
use agentdrop_seal::native::sealed_len;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;

use super::leftovers::{self, Unusable};
use super::place::{self, Placed, Ready};
use super::sink::Sink;
use super::staging::Staging;
use super::state::{Part, Placing, State};
use super::{Beginning, Note, blocking};
use crate::error::{Error, Result};

/// Less than this is fetched again sooner than it is written down what it is.
const WORTH_NAMING_BYTES: u64 = 1024 * 1024;

#[derive(Clone, Debug)]
pub(super) struct Journal(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    staging: Staging,
    server: String,
    /// Seals the state. Where there is none, nothing would show that a file is what it was.
    key: Option<ContentKey>,
    state: Mutex<Option<State>>,
    notes: Vec<Note>,
}

impl Journal {
    /// Opens what was left of a transfer in a target, if anything was, or begins anew.
    pub(super) async fn begin(
        target: PathBuf,
        server: String,
        id: TransferId,
        key: Option<ContentKey>,
        beginning: Beginning,
    ) -> Result<Self> {
        blocking(move || {
            let read = |sealed: &[u8]| match &key {
                Some(key) => State::open(sealed, key, &server, id),
                None => Err(Unusable::Foreign(
                    "what the sender did not seal is always received anew",
                )),
            };
            let begun = leftovers::begin(&target, id, read)?;
            let (mut staging, mut state) = (begun.staging, begun.state);
            let mut notes = Vec::new();
            if beginning == Beginning::Resumed {
                let ignored = begun.ignored.into_iter();
                notes.extend(ignored.map(|(path, reason)| Note::LeftoverIgnored { path, reason }));
            } else if state.take().is_some() {
                drop(staging);
                staging = leftovers::begin(&target, id, read)?.staging;
            }
            if state.is_some() {
                staging.keep();
            }
            Ok(Self(Arc::new(Inner {
                staging,
                server,
                key,
                state: Mutex::new(state),
                notes,
            })))
        })
        .await
    }

    /// What should be told of what was found.
    pub(super) fn notes(&self) -> Vec<Note> {
        self.0.notes.clone()
    }

    /// The grant under which files are fetched, if an earlier process took one.
    pub(super) fn grant(&self) -> Option<Download> {
        self.state().as_ref().map(|it| it.grant.clone())
    }

    /// Writes down another grant. What is here of the files stays, unless they are others.
    pub(super) async fn set_grant(&self, grant: Download) -> Result<()> {
        let mut next = State::new(self.0.server.clone(), grant);
        if let Some(last) = &*self.state()
            && last.parts.len() == next.parts.len()
        {
            next.parts.clone_from(&last.parts);
        }
        *self.state() = Some(next);
        self.write().await
    }

    /// The file for the bytes of file `n` as they come, sealed or opened, and how many are here.
    pub(super) async fn part(&self, n: usize) -> Result<(File, u64)> {
        self.on_disk(move |it| it.part(n)).await
    }

    /// What is known of the sealed bytes of file `n` that are here.
    pub(super) fn known(&self, n: usize) -> Part {
        self.change(n, |it| it.clone())
    }

    /// Whether every file is here that the grant is of, as far as their lengths tell.
    pub(super) async fn is_all_here(&self) -> bool {
        let Some((grant, parts)) = self.state().as_ref().map(|it| {
            let sizes: Vec<_> = it.grant.files.iter().map(|it| it.size).collect();
            (sizes, it.parts.clone())
        }) else {
            return false;
        };
        let here = self.on_disk(move |it| {
            for (n, (size, part)) in grant.into_iter().zip(parts).enumerate() {
                let here = it.part(n)?.1;
                let is_whole = match part.header {
                    // Opened as it came: so many bytes are sealed to as many.
                    Some(_) => sealed_len(here) == Some(size),
                    None => here == size,
                };
                if part.is_overwritten || !is_whole {
                    return Ok(false);
                }
            }
            Ok(true)
        });
        here.await.unwrap_or(false)
    }

    /// Forgets what is here of file `n`.
    pub(super) async fn empty_part(&self, n: usize) -> Result<()> {
        self.on_disk(move |it| it.empty_part(n)).await?;
        let had = self.change(n, |it| {
            it.header = None;
            std::mem::take(&mut it.is_overwritten)
        });
        if had { self.write().await } else { Ok(()) }
    }

    /// Writes down what names file `n`, of which nothing is here yet.
    pub(super) async fn name_part(&self, n: usize, etag: Option<&HeaderValue>) -> Result<()> {
        let etag = etag.and_then(|it| it.to_str().ok().map(str::to_owned));
        let changed = self.change(n, |it| {
            std::mem::replace(&mut it.etag, etag.clone()) != etag
        });
        if changed && self.0.is_worth_naming(n) {
            return self.write().await;
        }
        Ok(())
    }

    /// For a thread that opens file `n` as it comes: it does not keep others out of the folder.
    pub(super) fn naming(&self, n: usize) -> Naming {
        Naming(Arc::downgrade(&self.0), n)
    }

    /// Writes down that file `n` will be opened where it lies.
    pub(super) async fn overwrite_part(&self, n: usize) -> Result<()> {
        self.change(n, |it| it.is_overwritten = true);
        self.write().await
    }

    /// How many bytes the disk takes still.
    pub(super) async fn room(&self) -> Result<u64> {
        self.on_disk(Staging::room).await
    }

    /// An empty file for what file `n` opens to.
    pub(super) async fn opened(&self, n: usize) -> Result<File> {
        self.on_disk(move |it| it.opened(n)).await
    }

    /// Does something with the folder, on a thread that may wait for the disk.
    pub(super) async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Staging) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let inner = Arc::clone(&self.0);
        blocking(move || work(&inner.staging)).await
    }

    /// The files that an earlier process placed, and what it wrote down of them.
    pub(super) async fn placed(&self) -> Result<Option<(Placing, Vec<Placed>)>> {
        let placing = self.state().as_ref().and_then(|it| it.placing.clone());
        let Some(placing) = placing else {
            return Ok(None);
        };
        self.on_disk(move |it| {
            let placed = place::find(it, &placing.files);
            Ok(Some((placing, placed)))
        })
        .await
    }

    /// Places what is ready: all of it, or nothing. What is placed already is left where it is.
    pub(super) async fn place(
        &self,
        ready: Vec<Ready>,
        mut placing: Placing,
    ) -> Result<(Placing, Vec<PathBuf>)> {
        let already = self.placed().await?.map(|it| it.1).unwrap_or_default();
        let (ready, marks) = self
            .on_disk(move |it| {
                let marks = place::mark(it, &ready, &already)?;
                Ok(((ready, already), marks))
            })
            .await?;
        placing.files = marks;
        if let Some(state) = &mut *self.state() {
            state.placing = Some(placing.clone());
        }
        self.write().await?;
        let (ready, already) = ready;
        let placed = self.on_disk(move |it| place::place(it, &ready, &already));
        Ok((placing, placed.await?))
    }

    /// Writes what is ready to a sink. Nothing is placed: whoever is interrupted gets it once more.
    pub(super) async fn write_to(
        &self,
        sink: Sink,
        ready: Vec<Ready>,
        mut placing: Placing,
    ) -> Result<(Placing, Vec<PathBuf>)> {
        let marks = self
            .on_disk(move |it| {
                for one in &ready {
                    let file = place::open(&it.folder, &one.source);
                    let written = file.and_then(|it| sink.write(it));
                    written.map_err(Error::io("write", one.name.as_str()))?;
                }
                place::mark(it, &ready, &[])
            })
            .await?;
        let paths = vec![PathBuf::from("-"); marks.len()];
        placing.files = marks;
        Ok((placing, paths))
    }

    /// Whether it says of files what they are known by where they were placed.
    pub(super) fn is_placed(&self) -> bool {
        self.state().as_ref().is_some_and(|it| it.placing.is_some())
    }

    /// Leaves what it says, and none of the bytes: they were placed, or what they open to was.
    pub(super) async fn keep_what_was_placed(&self) {
        let files = self.state().as_ref().map_or(0, |it| it.parts.len());
        let inner = Arc::clone(&self.0);
        let forgotten = blocking(move || {
            for n in 0..files {
                inner.staging.forget_bytes(n);
            }
            Ok(())
        });
        forgotten.await.ok();
    }

    /// Ends it: nothing has to be gone on with.
    pub(super) fn discard(&self) {
        self.0.staging.discard();
    }

    fn change<T: Default>(&self, n: usize, change: impl FnOnce(&mut Part) -> T) -> T {
        let mut state = self.state();
        let part = state.as_mut().and_then(|it| it.parts.get_mut(n));
        part.map(change).unwrap_or_default()
    }

    async fn write(&self) -> Result<()> {
        let inner = Arc::clone(&self.0);
        blocking(move || inner.write()).await
    }

    fn state(&self) -> MutexGuard<'_, Option<State>> {
        locked(&self.0.state)
    }
}

impl Inner {
    fn is_worth_naming(&self, n: usize) -> bool {
        let state = locked(&self.state);
        let file = state.as_ref().and_then(|it| it.grant.files.get(n));
        file.is_some_and(|it| it.size >= WORTH_NAMING_BYTES)
    }

    fn is_last(&self, n: usize) -> bool {
        let state = locked(&self.state);
        state.as_ref().is_some_and(|it| it.parts.len() == n + 1)
    }

    /// It is on disk when this returns.
    fn write(&self) -> Result<()> {
        let Some(key) = self.key.as_ref().filter(|_| self.staging.is_private()) else {
            return Ok(());
        };
        let state = locked(&self.state);
        let Some(state) = &*state else {
            return Ok(());
        };
        self.staging.write_state(&state.seal(key)?)?;
        self.staging.keep();
        Ok(())
    }
}

/// Writes down what a file is that is opened as it comes.
#[derive(Debug)]
pub(super) struct Naming(Weak<Inner>, usize);

impl Naming {
    /// Writes down what names file `n`, and what it begins with, before a byte of it is written. Where
    /// nobody receives any more, neither matters.
    ///
    /// Once the last of all files has begun, it is on disk of each of them: by then the server may have
    /// given all of them out, and delete them.
    pub(super) fn write(&self, etag: Option<&HeaderValue>, header: &[u8]) -> Result<()> {
        let Self(inner, n) = self;
        let Some(inner) = inner.upgrade() else {
            return Ok(());
        };
        let etag = etag.and_then(|it| it.to_str().ok().map(str::to_owned));
        if let Some(part) = locked(&inner.state)
            .as_mut()
            .and_then(|it| it.parts.get_mut(*n))
        {
            (part.etag, part.header) = (etag, Some(STANDARD.encode(header)));
        }
        if inner.is_worth_naming(*n) || inner.is_last(*n) {
            return inner.write();
        }
        Ok(())
    }
}

/// A thread that panicked while it held the state left it whole: no change of it can panic half-way.
fn locked(state: &Mutex<Option<State>>) -> MutexGuard<'_, Option<State>> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The transfers of which whoever has this key left something in a folder.
pub(super) async fn left_in(
    target: PathBuf,
    server: String,
    key: ContentKey,
) -> Result<Vec<TransferId>> {
    blocking(move || {
        let ours = |id, state: &[u8]| State::open(state, &key, &server, id).is_ok();
        Ok(leftovers::transfers(&target, ours))
    })
    .await
}

//! Sending: seal while uploading, never in plaintext.
//!
//! The recipient's key is asked for twice, by name and by channel, and both answers must agree. One
//! thread reads, seals in place and hands on a few pieces ahead of the network, so memory does not
//! grow with the files. Every file has its own nonce, by index and not by name. If anything goes wrong
//! the upload breaks off before its end, and the server keeps nothing.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use agentdrop_protocol::limits::{MAX_FILES, MAX_SEALED_BYTES};
use agentdrop_protocol::text::Message;
use agentdrop_protocol::wire::agents::ResolvedAgent;
use agentdrop_protocol::wire::channels::ChannelStatus;
use agentdrop_protocol::wire::transfers::{Transfer, TransferMode};
use agentdrop_protocol::{AgentRef, EncryptionPublicKey, ErrorCode, FileName, Lifetime};
use agentdrop_seal::compat::{Algorithm, channel, wrapped};
use agentdrop_seal::{ContentKey, FileSealer, PublicKey, Salt, SealError, TAG_BYTES};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use rustix::fs::OFlags;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::client::Client;
use crate::error::{Error, Result, SendProblem, TrustError};
use crate::identity::Identity;
use crate::multipart::{Form, PART_END};
use crate::progress::{Phase, Progress, Watcher};
use crate::transport::Pulse;

/// A piece of a file on its way: large enough that switching threads costs nothing.
const PIECE_BYTES: usize = 256 * 1024;
/// Pieces that may wait for the network.
const PIECES_AHEAD: usize = 4;
const MAX_PLAINTEXT_BYTES: u64 = MAX_SEALED_BYTES - TAG_BYTES as u64;

/// Files to be sent to one agent.
#[derive(Debug)]
#[must_use]
pub struct Outgoing {
    recipient: AgentRef,
    account: Option<String>,
    files: Vec<PathBuf>,
    message: Option<Message>,
    expires_in: Option<Lifetime>,
    max_downloads: Option<u32>,
    once_delivered: OnceDelivered,
    watcher: Watcher,
}

/// What the server does with the files once the recipient has them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum OnceDelivered {
    #[default]
    Delete,
    Keep,
}

impl Outgoing {
    /// Begins a transfer to the agent `recipient`.
    pub fn to(recipient: AgentRef) -> Self {
        Self {
            recipient,
            account: None,
            files: Vec::new(),
            message: None,
            expires_in: None,
            max_downloads: None,
            once_delivered: OnceDelivered::default(),
            watcher: Watcher::default(),
        }
    }

    /// Says whose agent is meant, by e-mail address, id or name of the account.
    ///
    /// Without it an own agent of that name goes before others, and of several others none is meant.
    pub fn account(mut self, account: impl Into<String>) -> Self {
        self.account = Some(account.into());
        self
    }

    /// Adds a file, which is sent under the last component of its path.
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.files.push(path.into());
        self
    }

    /// Adds files.
    pub fn files(mut self, paths: impl IntoIterator<Item = impl Into<PathBuf>>) -> Self {
        self.files.extend(paths.into_iter().map(Into::into));
        self
    }

    /// Adds a message. The server can read it, and so can whoever reads the server.
    pub fn message(mut self, message: Message) -> Self {
        self.message = Some(message);
        self
    }

    /// Lets it expire after this time, instead of the server's default of a day.
    pub fn expires_in(mut self, lifetime: Lifetime) -> Self {
        self.expires_in = Some(lifetime);
        self
    }

    /// Allows so many downloads, instead of the server's default of ten.
    pub fn max_downloads(mut self, downloads: u32) -> Self {
        self.max_downloads = Some(downloads);
        self
    }

    /// Keeps the files at the server after they were delivered, until they expire.
    pub fn keep(mut self) -> Self {
        self.once_delivered = OnceDelivered::Keep;
        self
    }

    /// Tells `progress` how far it is.
    pub fn progress(mut self, progress: impl Progress + 'static) -> Self {
        self.watcher = Watcher::new(progress);
        self
    }
}

impl Client {
    /// Seals the files for the recipient and sends them.
    ///
    /// Where the recipient has no key this is an error; nothing is ever sent in plaintext instead. If
    /// the returned future is dropped, the server keeps nothing.
    pub async fn send(&self, outgoing: Outgoing) -> Result<Transfer> {
        let identity = Arc::clone(self.needed_identity()?);
        let sources = open_all(outgoing.files.clone()).await?;
        let (recipient, seal) = self
            .seal_for(&identity, &outgoing.recipient, outgoing.account.as_deref())
            .await?;

        let mut files = Vec::new();
        for source in sources {
            let sealer = FileSealer::new(&seal.key)?;
            files.push((source, sealer));
        }

        let mut form = Form::new()?;
        form.field("sender", identity.agent_id().as_str());
        form.field("recipient", &recipient.id.to_string());
        if let Some(account) = &outgoing.account {
            form.field("recipient_account", account);
        }
        form.field("mode", TransferMode::AgentToAgent.as_str());
        form.field("is_encrypted", "true");
        form.field("recipient_key_version", &recipient.key_version.to_string());
        for (name, value) in &seal.fields {
            form.field(name, value);
        }
        form.field("encryption_ivs", &nonces(&files));
        let delete = outgoing.once_delivered == OnceDelivered::Delete;
        form.field("auto_delete", if delete { "true" } else { "false" });
        if let Some(message) = &outgoing.message {
            form.field("message", message.as_str());
        }
        if let Some(lifetime) = outgoing.expires_in {
            form.field("expires_in", &lifetime.to_string());
        }
        if let Some(downloads) = outgoing.max_downloads {
            form.field("max_downloads", &downloads.to_string());
        }
        for (source, _) in &files {
            form.file(&source.name, source.bytes + TAG_BYTES as u64);
        }
        self.upload(form, files, outgoing.watcher).await
    }

    /// Who the recipient is, and what seals files for it.
    async fn seal_for(
        &self,
        mine: &Identity,
        recipient: &AgentRef,
        account: Option<&str>,
    ) -> Result<(ResolvedAgent, Seal)> {
        let resolved = self.resolve(recipient, account).await;
        let resolved = resolved.map_err(|error| match error {
            Error::Api(answer) if answer.code == ErrorCode::NotFound => {
                Error::NoSuchAgent(recipient.clone())
            }
            error => error,
        })?;
        let no_key = || TrustError::E2eeUnavailable(recipient.to_string());
        let their_key = resolved.public_key.ok_or_else(no_key)?;
        let peer = sealing_key(&their_key);
        let myself = mine.agent_uuid() == Some(resolved.id);
        if myself && peer != mine.secret().public_key() {
            return Err(TrustError::OwnKeyDiffers.into());
        }
        let seal = if myself {
            // An agent has no channel with itself.
            let key = ContentKey::generate()?;
            let wrapped = wrapped::wrap(&key, mine.secret(), &peer)?;
            Seal {
                key,
                fields: vec![
                    ("encryption_algorithm", Algorithm::Wrapped.to_string()),
                    ("encrypted_key", STANDARD.encode(wrapped.as_bytes())),
                ],
            }
        } else {
            self.seal_for_peer(mine, &resolved, &their_key).await?
        };
        Ok((resolved, seal))
    }

    async fn seal_for_peer(
        &self,
        mine: &Identity,
        resolved: &ResolvedAgent,
        their_key: &EncryptionPublicKey,
    ) -> Result<Seal> {
        let created = self
            .create_channel(&mine.agent_ref(), &AgentRef::Id(resolved.id))
            .await?;
        if sealing_key(&created.my_public_key) != mine.secret().public_key() {
            return Err(TrustError::OwnKeyDiffers.into());
        }
        if created.their_public_key != *their_key || created.their_agent_id != resolved.id {
            return Err(TrustError::PeerKeyDiffers.into());
        }
        if created.status != ChannelStatus::Active {
            return Err(TrustError::ChannelClosed(created.status.as_str()).into());
        }
        let salt = Salt::generate()?;
        let key = channel::content_key(mine.secret(), &sealing_key(their_key), &salt);
        Ok(Seal {
            key: key.map_err(SealError::from)?,
            fields: vec![
                ("encryption_algorithm", Algorithm::Channel.to_string()),
                ("channel_id", created.id.to_string()),
                ("encryption_salt", STANDARD.encode(salt.as_bytes())),
            ],
        })
    }

    async fn upload(
        &self,
        form: Form,
        files: Vec<(Source, FileSealer)>,
        watcher: Watcher,
    ) -> Result<Transfer> {
        let (content_type, length) = (form.content_type(), form.length());
        let (sink, pieces) = mpsc::channel(PIECES_AHEAD);
        // Whichever way this ends, also by being dropped, the sealing thread ends too.
        let stop = CancellationToken::new();
        let _stop_with_us = stop.clone().drop_guard();
        let pulse = Pulse::default();
        let pump = Pump {
            sink,
            stop: stop.clone(),
            runtime: Handle::current(),
        };
        let pumping = tokio::task::spawn_blocking(move || pump.run(form, files, &watcher));

        let beat = pulse.clone();
        let body = futures_util::stream::unfold(pieces, move |mut pieces| {
            beat.beat();
            async move { Some((pieces.recv().await?, pieces)) }
        });
        let url = self.transport().server.endpoint(&["transfers"]);
        let body = reqwest::Body::wrap_stream(body);
        let sent = self
            .transport()
            .upload(url, &content_type, length, body, &pulse)
            .await;
        let Err(error) = sent else { return sent };
        stop.cancel();
        // What went wrong here is why it went wrong there.
        match pumping.await {
            Ok(Err(Stopped::Failed(cause))) => Err(cause),
            _ => Err(error),
        }
    }
}

/// A JSON array, in the order of the files.
fn nonces(files: &[(Source, FileSealer)]) -> String {
    let nonces = files
        .iter()
        .map(|(_, sealer)| STANDARD.encode(sealer.nonce().as_bytes()));
    nonces.collect::<serde_json::Value>().to_string()
}

/// What seals a transfer, and how it is announced.
struct Seal {
    key: ContentKey,
    fields: Vec<(&'static str, String)>,
}

/// A file to be sent.
#[derive(Debug)]
struct Source {
    path: PathBuf,
    name: FileName,
    file: File,
    bytes: u64,
}

impl Source {
    fn open(path: PathBuf) -> Result<Self> {
        let wrong = |problem| Error::Send {
            path: path.clone(),
            problem,
        };
        let name = path.file_name().and_then(|it| it.to_str());
        let name = name.and_then(|it| it.parse().ok());
        let check = |kind: fs::FileType| {
            if kind.is_dir() {
                Err(wrong(SendProblem::Folder))
            } else if kind.is_file() {
                Ok(())
            } else {
                Err(wrong(SendProblem::NotAFile))
            }
        };
        // Before opening, for opening a device can do something; after it, for it can be another by then.
        check(
            fs::metadata(&path)
                .map_err(Error::io("read", &path))?
                .file_type(),
        )?;
        let name = name.ok_or_else(|| wrong(SendProblem::Name))?;
        let file = File::options()
            .read(true)
            // A pipe that took its place would wait for a writer for ever.
            .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
            .open(&path)
            .map_err(Error::io("read", &path))?;
        let about = file.metadata().map_err(Error::io("read", &path))?;
        check(about.file_type())?;
        if about.len() > MAX_PLAINTEXT_BYTES {
            return Err(wrong(SendProblem::TooLarge));
        }
        Ok(Self {
            name,
            file,
            bytes: about.len(),
            path,
        })
    }
}

async fn open_all(paths: Vec<PathBuf>) -> Result<Vec<Source>> {
    let count = paths.len();
    if count == 0 || count > MAX_FILES {
        return Err(Error::FileCount(count));
    }
    let opening = move || paths.into_iter().map(Source::open).collect();
    tokio::task::spawn_blocking(opening)
        .await
        .expect("opening files does not panic")
}

/// Why the sealing thread ended before the last file's end.
enum Stopped {
    /// The upload is over, whatever became of it.
    Cancelled,
    /// It could not go on.
    Failed(Error),
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Seals on a thread of its own, and hands what it sealed to the network.
struct Pump {
    sink: mpsc::Sender<io::Result<Bytes>>,
    stop: CancellationToken,
    runtime: Handle,
}

impl Pump {
    fn run(
        self,
        form: Form,
        files: Vec<(Source, FileSealer)>,
        watcher: &Watcher,
    ) -> Result<(), Stopped> {
        let pumped = self.pump(form, files, watcher);
        if matches!(pumped, Err(Stopped::Failed(_))) {
            // The body must not seem to be complete.
            let broken = io::Error::new(ErrorKind::InvalidData, "sealing failed");
            self.hand_on(Err(broken)).ok();
        }
        pumped
    }

    fn pump(
        &self,
        form: Form,
        files: Vec<(Source, FileSealer)>,
        watcher: &Watcher,
    ) -> Result<(), Stopped> {
        let total_bytes = files.iter().map(|(source, _)| source.bytes).sum();
        let mut done_bytes = 0;
        watcher.report(Phase::Sending, done_bytes, total_bytes);
        let (fields, heads, end) = form.into_parts();
        self.hand_on(Ok(fields))?;
        for (head, (mut source, mut sealer)) in heads.into_iter().zip(files) {
            self.hand_on(Ok(head))?;
            let mut left = source.bytes;
            while left > 0 {
                let len = usize::try_from(left).map_or(PIECE_BYTES, |left| left.min(PIECE_BYTES));
                let mut piece = BytesMut::zeroed(len);
                read_whole(&mut source.file, &mut piece, &source.path)?;
                sealer.update(&mut piece).map_err(Error::from)?;
                self.hand_on(Ok(piece.freeze()))?;
                left -= len as u64;
                done_bytes += len as u64;
                watcher.report(Phase::Sending, done_bytes, total_bytes);
            }
            expect_end(&mut source.file, &source.path)?;
            let tag = sealer.finish().map_err(Error::from)?;
            self.hand_on(Ok(Bytes::copy_from_slice(&tag)))?;
            self.hand_on(Ok(PART_END))?;
        }
        self.hand_on(Ok(end))
    }

    fn hand_on(&self, piece: io::Result<Bytes>) -> Result<(), Stopped> {
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => Err(Stopped::Cancelled),
                sent = self.sink.send(piece) => sent.map_err(|_| Stopped::Cancelled),
            }
        })
    }
}

fn changed(path: &Path) -> Error {
    Error::Send {
        path: path.to_owned(),
        problem: SendProblem::Changed,
    }
}

fn read_whole(file: &mut File, piece: &mut [u8], path: &Path) -> Result<()> {
    file.read_exact(piece).map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof => changed(path),
        _ => Error::io("read", path)(error),
    })
}

fn expect_end(file: &mut File, path: &Path) -> Result<()> {
    let more = io::copy(&mut file.take(1), &mut io::sink());
    match more.map_err(Error::io("read", path))? {
        0 => Ok(()),
        _ => Err(changed(path)),
    }
}

/// The key as the sealing side has it. What the wire type let through is no point of low order.
pub(crate) fn sealing_key(key: &EncryptionPublicKey) -> PublicKey {
    PublicKey::from_bytes(*key.as_bytes()).expect("the wire type refuses points of low order")
}

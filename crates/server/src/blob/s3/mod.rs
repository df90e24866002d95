//! Blobs in an S3 bucket.
//!
//! `<prefix>/<shard>/<transfer>/<place>` is a whole file, `<prefix>/<shard>/<transfer>/part-<tag>` a
//! part that came through us; the shards are those of a folder. Whole files have places by chance:
//! of two transfers that come with one id, neither replaces what the other has. What comes in is an
//! upload in parts, which the bucket shows to nobody until it is put together.

mod list;
mod object;
mod presigned;
mod stage;

pub(crate) use list::Listed;
pub(super) use object::Object;
pub(super) use stage::{Staged, Staging};

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use agentdrop_protocol::TransferId;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::client::{HttpClient, HttpConnector as _, ReqwestConnector};
use object_store::path::Path;
use object_store::{
    BackoffConfig, ClientOptions, Error, ObjectStore as _, ObjectStoreExt as _, PutPayload,
    RetryConfig,
};

use self::presigned::Presigner;
use super::Found;
use super::key::{BlobKey, BlobName};
use crate::clock::random;
use crate::config::{Route, S3};

/// Requests at a time to the bucket for one request to us.
const AT_A_TIME: usize = 8;
/// One of a bucket that is away is answered before its caller gives up.
const RETRY: Duration = Duration::from_secs(10);
/// What the largest request takes on a slow line.
const REQUEST: Duration = Duration::from_mins(1);

/// A bucket of blobs. Clones share it.
#[derive(Clone)]
pub(crate) struct Bucket(Arc<Inner>);

struct Inner {
    name: String,
    store: AmazonS3,
    /// For what `store` has no name for.
    http: HttpClient,
    presigner: Presigner,
    prefix: Path,
    /// What time it was for the bucket when it was opened, and when that was here.
    opened_at: SystemTime,
    opened: Instant,
    /// Whether recipients fetch from the bucket itself.
    downloads: Route,
    /// Whether senders send what they sealed to the bucket itself.
    uploads: Route,
}

impl Bucket {
    /// Opens the bucket, and finds out whether it takes a blob, gives it back and deletes it.
    pub(super) async fn open(config: &S3) -> io::Result<Self> {
        let options = ClientOptions::new()
            .with_allow_http(config.endpoint.starts_with("http://"))
            .with_connect_timeout(Duration::from_secs(5))
            .with_timeout(REQUEST);
        let connector = ReqwestConnector::default();
        let http = connector.connect(&options).map_err(broken)?;
        let retry = RetryConfig {
            backoff: BackoffConfig::default(),
            max_retries: 3,
            retry_timeout: RETRY,
        };
        let store = AmazonS3Builder::new()
            .with_bucket_name(&config.bucket)
            .with_region(&config.region)
            .with_endpoint(config.endpoint.trim_end_matches('/'))
            .with_virtual_hosted_style_request(false)
            .with_access_key_id(&config.access_key)
            .with_secret_access_key(config.secret_key.expose_secret())
            .with_client_options(options)
            .with_retry(retry)
            .build()
            .map_err(broken)?;
        let prefix = Path::parse(&config.prefix).map_err(io::Error::other)?;
        let name: [u8; 16] = random().map_err(io::Error::other)?;
        let probe = prefix.clone().join("probe").join(hex::encode(name));
        let opened_at = try_out(&store, &probe).await.map_err(broken)?;
        Ok(Self(Arc::new(Inner {
            name: config.bucket.clone(),
            store,
            http,
            presigner: Presigner::new(config)?,
            prefix,
            opened_at,
            opened: Instant::now(),
            downloads: config.downloads,
            uploads: config.uploads,
        })))
    }

    /// What is older, and belongs to no transfer, is no server's that is about to say whose it is.
    pub(super) fn settled(&self, age: Duration) -> SystemTime {
        let now = self.0.opened_at + self.0.opened.elapsed();
        now.checked_sub(age).unwrap_or(SystemTime::UNIX_EPOCH)
    }

    /// Whether recipients fetch what its sender sealed from the bucket itself.
    pub(crate) fn has_direct_downloads(&self) -> bool {
        self.0.downloads == Route::Direct
    }

    /// Whether senders send what they sealed to the bucket itself.
    pub(crate) fn has_direct_uploads(&self) -> bool {
        self.0.uploads == Route::Direct
    }

    /// A name that no file of the transfer has.
    pub(super) fn new_file(transfer: TransferId) -> io::Result<BlobKey> {
        // Half of the numbers, so that there are some behind each.
        let place = u32::from_be_bytes(random().map_err(io::Error::other)?) >> 1;
        Ok(BlobKey::file(transfer, place))
    }

    pub(super) fn stage(&self, key: BlobKey) -> Staging {
        Staging::new(self.clone(), key)
    }

    /// Lets blobs appear; either all do, or none does.
    pub(super) async fn keep(&self, staged: Vec<Staged>) -> io::Result<Vec<BlobKey>> {
        let keys: Vec<_> = staged.iter().map(Staged::key).collect();
        let places = staged.into_iter().map(Staged::keep);
        let kept = stream::iter(places).buffer_unordered(AT_A_TIME);
        if let Err(error) = kept.try_collect::<Vec<()>>().await {
            // Also the one that failed: what its answer would have been is not known.
            for key in keys {
                if let Err(error) = self.remove(key).await {
                    tracing::warn!(%error, %key, "what was not kept may be in the bucket");
                }
            }
            return Err(error);
        }
        Ok(keys)
    }

    pub(super) async fn remove(&self, key: BlobKey) -> io::Result<()> {
        match self.0.store.delete(&self.path(key)).await {
            Err(error) if !matches!(error, Error::NotFound { .. }) => Err(broken(error)),
            _ => Ok(()),
        }
    }

    pub(super) async fn read(&self, key: BlobKey, etag: Option<&str>) -> io::Result<Object> {
        let object = Object::open(self.clone(), self.path(key)).await?;
        match etag {
            Some(etag) if object.etag() != Some(etag) => {
                Err(io::ErrorKind::StaleNetworkFileHandle.into())
            }
            _ => Ok(object),
        }
    }

    /// Deletes all of a transfer, also what is still coming.
    pub(super) async fn delete(&self, transfer: TransferId) -> io::Result<()> {
        let folder = self.folder(transfer);
        // First what could still become an object.
        for coming in self.uploads(&folder).await? {
            self.abort(&coming.path, &coming.upload).await?;
        }
        let objects = self.0.store.list(Some(&folder));
        let paths = objects.map_ok(|it| it.location).boxed();
        let mut deleted = self.0.store.delete_stream(paths);
        while let Some(one) = deleted.next().await {
            match one {
                Err(error) if !matches!(error, Error::NotFound { .. }) => {
                    return Err(broken(error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) async fn in_shard(&self, shard: u8) -> io::Result<Vec<Found>> {
        let folder = self.0.prefix.clone().join(format!("{shard:02x}"));
        let mut objects = self.0.store.list(Some(&folder));
        let mut found = Vec::new();
        while let Some(object) = objects.try_next().await.map_err(broken)? {
            if let Some(key) = self.key(&object.location) {
                let (put_at, bytes) = (object.last_modified.into(), object.size);
                found.push(Found { key, put_at, bytes });
            }
        }
        Ok(found)
    }

    /// Whether the bucket answers. It is asked for what nobody has: anybody may ask us this, and
    /// writing costs.
    pub(super) async fn check(&self) -> io::Result<()> {
        let nothing = self.0.prefix.clone().join("probe").join("none");
        match self.0.store.head(&nothing).await {
            Err(error) if !matches!(error, Error::NotFound { .. }) => Err(broken(error)),
            _ => Ok(()),
        }
    }

    /// What is written under a name that no blob has.
    pub(super) async fn note(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        match self.0.store.get(&self.0.prefix.clone().join(name)).await {
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(broken(error)),
            Ok(found) => Ok(Some(found.bytes().await.map_err(broken)?.to_vec())),
        }
    }

    pub(super) async fn write_note(&self, name: &str, note: Vec<u8>) -> io::Result<()> {
        let path = self.0.prefix.clone().join(name);
        let put = self.0.store.put(&path, PutPayload::from(note)).await;
        put.map(drop).map_err(broken)
    }

    async fn abort(&self, path: &Path, upload: &String) -> io::Result<()> {
        use object_store::multipart::MultipartStore as _;
        match self.0.store.abort_multipart(path, upload).await {
            Err(error) if !matches!(error, Error::NotFound { .. }) => Err(broken(error)),
            _ => Ok(()),
        }
    }

    /// Where a blob is in the bucket.
    fn path(&self, key: BlobKey) -> Path {
        self.folder(key.transfer).join(match key.name {
            BlobName::Part(tag) => format!("{PART}{tag}"),
            BlobName::Position(place) => place.to_string(),
        })
    }

    fn folder(&self, transfer: TransferId) -> Path {
        let shard = format!("{:02x}", transfer.as_bytes()[15]);
        self.0.prefix.clone().join(shard).join(transfer.to_string())
    }

    /// The blob that is there, if a blob is.
    fn key(&self, path: &Path) -> Option<BlobKey> {
        let mut parts = path.prefix_match(&self.0.prefix)?.skip(1);
        let transfer = parts.next()?.as_ref().parse().ok()?;
        let name = parts.next()?;
        let key = match name.as_ref().strip_prefix(PART) {
            Some(tag) => BlobKey::part(transfer, tag.parse().ok()?),
            None => BlobKey::file(transfer, name.as_ref().parse().ok()?),
        };
        // In the one spelling it is written in, in its shard.
        (self.path(key) == *path).then_some(key)
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.0.name, self.0.prefix)
    }
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Bucket")
            .field(&self.0.store.to_string())
            .finish()
    }
}

const PART: &str = "part-";

/// Puts a blob, reads it and deletes it; answers what time it is in the bucket.
async fn try_out(store: &AmazonS3, probe: &Path) -> object_store::Result<SystemTime> {
    let bytes = b"agentdrop";
    store.put(probe, PutPayload::from_static(bytes)).await?;
    let got = store.get(probe).await?;
    let put_at = got.meta.last_modified;
    let got = got.bytes().await?;
    store.delete(probe).await?;
    if got[..] != bytes[..] {
        let source = "the bucket gave back other bytes than it was given".into();
        return Err(Error::Generic {
            store: "S3",
            source,
        });
    }
    Ok(put_at.into())
}

/// An object that is not there is a file that is not there; whatever else fails in a bucket may
/// work later.
pub(super) fn broken(error: Error) -> io::Error {
    let kind = match &error {
        Error::NotFound { .. } => io::ErrorKind::NotFound,
        Error::AlreadyExists { .. } => io::ErrorKind::AlreadyExists,
        _ => io::ErrorKind::HostUnreachable,
    };
    io::Error::new(kind, error)
}

//! What every place for blobs has to pass.

use std::io::ErrorKind;
use std::time::{Duration, Instant, SystemTime};

use agentdrop_protocol::{PartTag, Timestamp, TransferId};
use agentdrop_testkit::s3::TestBucket;
use bytes::Bytes;

use super::{BlobKey, Blobs, Staged};
use crate::clock::random;
use crate::config::{Route, S3, SecretKey};

/// A folder and a bucket, and what they stand on.
async fn each() -> (Vec<Blobs>, tempfile::TempDir, TestBucket) {
    let (folder, bucket) = (tempfile::tempdir().unwrap(), TestBucket::new().await);
    let in_folder = Blobs::in_folder(&folder.path().join("blobs")).unwrap();
    let in_bucket = Blobs::in_bucket(&config(&bucket)).await.unwrap();
    (vec![in_folder, in_bucket], folder, bucket)
}

/// That of this build of the crate, and not of the one that the test kit has.
#[expect(
    clippy::disallowed_methods,
    reason = "files and buckets have the machine's time"
)]
fn now() -> SystemTime {
    SystemTime::now()
}

fn config(bucket: &TestBucket) -> S3 {
    let it = bucket.config();
    S3 {
        bucket: it.bucket,
        prefix: it.prefix,
        endpoint: it.endpoint,
        region: it.region,
        access_key: it.access_key,
        secret_key: SecretKey::new(it.secret_key.expose_secret().to_owned()),
        plain_http: false,
        downloads: Route::Direct,
        uploads: Route::Direct,
    }
}

fn transfer() -> TransferId {
    TransferId::new(Timestamp::from_millis(1), random().unwrap())
}

/// Bytes of which no two stretches are alike.
fn some_bytes(count: usize, seed: u64) -> Bytes {
    let mut state = seed | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    std::iter::repeat_with(next).take(count).collect()
}

async fn staged(blobs: &Blobs, transfer: TransferId, bytes: &Bytes) -> Staged {
    let mut staging = blobs.stage_file(transfer).unwrap();
    for piece in bytes.chunks(700_001) {
        staging.write(bytes.slice_ref(piece)).await.unwrap();
    }
    staging.finish().await.unwrap()
}

async fn whole(blobs: &Blobs, key: BlobKey, size: usize) -> Vec<u8> {
    let (blob, mut all) = (blobs.read(key, None).await.unwrap(), Vec::new());
    while all.len() < size {
        let more = blob.read_at(all.len() as u64, 300_000).await.unwrap();
        assert!(!more.is_empty(), "it ends too soon");
        all.extend(more);
    }
    let end = blob.read_at(size as u64, 1).await.unwrap();
    assert!(end.is_empty(), "it has an end");
    all
}

async fn is_missing(blobs: &Blobs, key: BlobKey) -> bool {
    let read = blobs.read(key, None).await;
    read.is_err_and(|it| it.kind() == ErrorKind::NotFound)
}

/// All that is there, of whatever age.
async fn all(blobs: &Blobs, transfer: TransferId) -> Vec<BlobKey> {
    let later = now() + Duration::from_hours(1);
    let shard = transfer.as_bytes()[15];
    in_shard(blobs, shard, later).await
}

/// The blobs of a shard that were put there before `since`.
async fn in_shard(blobs: &Blobs, shard: u8, since: SystemTime) -> Vec<BlobKey> {
    let found = blobs.in_shard(shard).await.unwrap().into_iter();
    let old = found.filter(|it| it.put_at < since);
    old.map(|it| it.key).collect()
}

#[tokio::test]
async fn what_is_kept_is_read_by_any_range_until_it_is_deleted() {
    let (each, _folder, _bucket) = each().await;
    for blobs in &each {
        for size in [0, 1, 64 * 1024, 64 * 1024 + 1, 17 * 1024 * 1024 + 5] {
            let (id, bytes) = (transfer(), some_bytes(size, 7));
            let staged = vec![(0, staged(blobs, id, &bytes).await)];
            assert_eq!(
                all(blobs, id).await,
                [],
                "nothing is there before it is kept"
            );
            let kept = blobs.keep(id, staged).await.unwrap();
            let [key] = kept[..] else { panic!("one") };
            assert_eq!(all(blobs, id).await, [key]);
            assert!(whole(blobs, key, size).await == bytes, "{size} bytes");
            let blob = blobs.read(key, None).await.unwrap();
            for (offset, length) in [(0, 1), (1, 3), (size / 2, 70_000), (3, size), (size, 9)] {
                let end = (offset + length).min(size);
                let expected = bytes.get(offset..end).unwrap_or_default();
                let read = blob.read_at(offset as u64, length).await.unwrap();
                assert!(read == expected, "{length} of {size} at {offset}");
            }
            blobs.remove(key).await.unwrap();
            assert!(is_missing(blobs, key).await);
            blobs.remove(key).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_blob_that_is_not_there_is_missing_and_nothing_else_is_wrong() {
    let (each, _folder, _bucket) = each().await;
    for blobs in &each {
        assert!(is_missing(blobs, BlobKey::file(transfer(), 0)).await);
        blobs.delete(transfer(), 3).await.unwrap();
        blobs.check().await.unwrap();
    }
}

#[tokio::test]
async fn what_is_dropped_on_the_way_leaves_nothing() {
    let (each, folder, bucket) = each().await;
    for blobs in &each {
        let (id, bytes) = (transfer(), some_bytes(9 * 1024 * 1024, 3));
        let mut half = blobs.stage_file(id).unwrap();
        half.write(bytes.clone()).await.unwrap();
        let done = staged(blobs, id, &bytes).await;
        drop((half, done));
        assert_eq!(all(blobs, id).await, []);
    }
    let staging = folder.path().join("blobs/staging");
    for place in std::fs::read_dir(staging).unwrap() {
        let place = place.unwrap().path();
        if place.is_dir() {
            let left = std::fs::read_dir(place)
                .unwrap()
                .map(|it| it.unwrap().file_name());
            assert_eq!(left.collect::<Vec<_>>(), ["lock"]);
        }
    }
    // Given up behind the scenes.
    let until = Instant::now() + Duration::from_secs(20);
    while !bucket.is_empty().await {
        assert!(Instant::now() < until, "{}", bucket.uploads().await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn of_two_writers_of_one_name_neither_harms_the_other() {
    let (each, _folder, _bucket) = each().await;
    for blobs in &each {
        let id = transfer();
        let (one, other) = (some_bytes(100_000, 1), some_bytes(100_000, 2));
        let (first, second) = (
            staged(blobs, id, &one).await,
            staged(blobs, id, &other).await,
        );
        let first = blobs.keep(id, vec![(0, first)]).await.unwrap();
        // Refused, or put somewhere else.
        match blobs.keep(id, vec![(0, second)]).await {
            Ok(second) => {
                assert!(second != first);
                assert!(whole(blobs, second[0], other.len()).await == other);
            }
            Err(error) => assert_eq!(error.kind(), ErrorKind::AlreadyExists),
        }
        assert!(whole(blobs, first[0], one.len()).await == one);

        let part = BlobKey::part(id, PartTag::new(random().unwrap()));
        for bytes in [&one, &other] {
            let mut staging = blobs.stage(part).unwrap();
            staging.write(bytes.clone()).await.unwrap();
            let staged = staging.finish().await.unwrap();
            blobs.put(vec![(part, staged)]).await.unwrap();
            assert!(
                whole(blobs, part, bytes.len()).await == *bytes,
                "the last one counts"
            );
        }
    }
}

#[tokio::test]
async fn a_transfer_goes_as_a_whole_and_takes_no_other_with_it() {
    let (each, _folder, _bucket) = each().await;
    for blobs in &each {
        let (gone, kept) = (transfer(), transfer());
        let bytes = some_bytes(10, 1);
        let mut keys = Vec::new();
        for id in [gone, kept] {
            let two = vec![
                (0, staged(blobs, id, &bytes).await),
                (1, staged(blobs, id, &bytes).await),
            ];
            keys.extend(blobs.keep(id, two).await.unwrap());
            let part = BlobKey::part(id, PartTag::new(random().unwrap()));
            let mut staging = blobs.stage(part).unwrap();
            staging.write(bytes.clone()).await.unwrap();
            let staged = staging.finish().await.unwrap();
            blobs.put(vec![(part, staged)]).await.unwrap();
            keys.push(part);
        }
        blobs.delete(gone, 2).await.unwrap();
        for key in keys {
            assert_eq!(is_missing(blobs, key).await, key.transfer == gone, "{key}");
        }
    }
}

#[tokio::test]
async fn only_what_is_old_enough_is_listed_as_such() {
    let (each, _folder, _bucket) = each().await;
    for blobs in &each {
        let (id, bytes) = (transfer(), some_bytes(10, 1));
        let staged = vec![(0, staged(blobs, id, &bytes).await)];
        let kept = blobs.keep(id, staged).await.unwrap();
        let before = now() - Duration::from_mins(1);
        let shard = id.as_bytes()[15];
        assert_eq!(in_shard(blobs, shard, before).await, []);
        let later = now() + Duration::from_mins(1);
        assert_eq!(in_shard(blobs, shard, later).await, kept);
        let other = in_shard(blobs, shard.wrapping_add(1), later).await;
        assert_eq!(other, []);
        let age = Duration::from_mins(1);
        assert!(blobs.settled(false, age).await.unwrap() < now());
    }
}

#[tokio::test]
async fn a_bucket_may_be_ours_alone() {
    let bucket = TestBucket::new().await;
    let mut config = config(&bucket);
    config.prefix = String::new();
    let blobs = Blobs::in_bucket(&config).await.unwrap();
    let (id, bytes) = (transfer(), some_bytes(10, 1));
    let staged = vec![(0, staged(&blobs, id, &bytes).await)];
    let kept = blobs.keep(id, staged).await.unwrap();
    // It shares the bucket with other tests, which have prefixes.
    assert_eq!(all(&blobs, id).await, kept);
    assert!(whole(&blobs, kept[0], bytes.len()).await == bytes);
    blobs.delete(id, 1).await.unwrap();
    assert!(is_missing(&blobs, kept[0]).await);
}

#[tokio::test]
async fn a_bucket_that_does_not_work_is_not_opened_and_its_secret_not_told() {
    let bucket = TestBucket::new().await;
    let (mut no_secret, mut no_bucket, mut nobody) =
        (config(&bucket), config(&bucket), config(&bucket));
    no_secret.secret_key = SecretKey::new("a-wrong-secret".to_owned());
    no_bucket.bucket = "no-such-bucket".to_owned();
    nobody.endpoint = "http://127.0.0.1:1".to_owned();
    for config in [no_secret, no_bucket, nobody] {
        let error = Blobs::in_bucket(&config).await.unwrap_err();
        let said = format!("{error} {error:?}");
        assert!(!said.contains(config.secret_key.expose_secret()), "{said}");
    }
}

//! Whoever has `server.key` and a copy of all that the server stores: what they can open.
//!
//! Written from the formulas in the server's `at_rest`, and not with its code, so that the two say
//! the same or a test fails.

use std::path::{Path, PathBuf};

use crate::engines::{Database, Engine};
use agentdrop_cobblestone::{HEADER_BYTES, Opener};
use agentdrop_domain::transfers::{AtRest, Transfer};
use agentdrop_envelope::{FileKey, Header, file_context, open_manifest};
use agentdrop_protocol::TransferId;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};

const LABEL: &[u8] = b"agentdrop/at-rest/v1 ";
const SEALED_CHUNK: usize = 64 * 1024 + 16;
/// Files that a transfer of a test has at most, and an envelope.
const POSITIONS: u32 = 12;

type Key = [u8; 32];

/// The thief of a data directory.
#[derive(Debug)]
pub struct Thief {
    server_key: Key,
    blobs: PathBuf,
    /// What is in the database in the place of blobs.
    small: Vec<Blob>,
}

/// The bytes of one file at rest.
#[derive(Clone, Debug)]
pub struct Blob {
    /// Its name: transfer and position.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

impl Thief {
    /// With all of a data directory, less the rows of a database.
    pub fn of(data_dir: &Path) -> Self {
        let key = std::fs::read(data_dir.join("server.key")).expect("there is a server key");
        Self {
            server_key: key.try_into().expect("it has 32 bytes"),
            blobs: data_dir.join("blobs"),
            small: Vec::new(),
        }
    }

    /// And with the bytes of small files, which are kept beside rows.
    #[must_use]
    pub fn with_rows(self, small: Vec<Blob>) -> Self {
        Self { small, ..self }
    }

    /// Every blob that lies there, half written or not, and what was found in the place of one.
    pub fn blobs(&self) -> Vec<Blob> {
        let (mut folders, mut found) = (vec![self.blobs.clone()], self.small.clone());
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("it can be listed") {
                let path = entry.expect("it can be listed").path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let name = path.file_name().and_then(|it| it.to_str());
                found.push(Blob {
                    name: name.expect("a name is text").to_owned(),
                    bytes: std::fs::read(&path).expect("it can be read"),
                });
            }
        }
        found.sort_by(|one, other| one.name.cmp(&other.name));
        found
    }

    /// The blobs of one transfer.
    pub fn blobs_of(&self, transfer: TransferId) -> Vec<Blob> {
        let mut all = self.blobs();
        all.retain(|it| it.name.starts_with(&format!("{transfer}.")));
        all
    }

    /// What a row's files hold, opened with the server key; nothing, if one of them does not open.
    pub fn open(&self, row: &Transfer) -> Option<Vec<Vec<u8>>> {
        let key = self.unwrap(row.id, &row.wrapped_key)?;
        let blobs = self.blobs_of(row.id);
        let mut files = Vec::new();
        for (place, file) in (0..).zip(&row.files) {
            assert_eq!(file.at_rest, AtRest::Server, "the sender encrypted it");
            let name = format!("{}.{}", row.id, file.blob_at(place));
            let blob = blobs.iter().find(|it| it.name == name)?;
            files.push(open_file(&file_key(&key, place), &blob.bytes)?);
        }
        Some(files)
    }

    /// What a row says of its files: their names, and the message beside them.
    pub fn details(&self, row: &Transfer) -> Option<String> {
        let key = derive(&self.unwrap(row.id, &row.wrapped_key)?, b"details", &[]);
        let (nonce, sealed) = row.details.split_at_checked(12)?;
        let text = aes_open(&key, nonce.try_into().ok()?, &[], sealed)?;
        String::from_utf8(text).ok()
    }

    /// Names a blob that opens with anything that the server key leads to, given all wrapped keys
    /// that were ever seen; there is to be none among those of transfers that are a person's.
    pub fn opened(&self, wrapped: &[(TransferId, Vec<u8>)], blobs: &[Blob]) -> Option<String> {
        let mut keys = vec![self.server_key];
        for label in [
            "answer", "answers", "details", "file", "mail", "url", "wrap",
        ] {
            keys.push(derive(&self.server_key, label.as_bytes(), &[]));
        }
        for (transfer, wrapped) in wrapped {
            let key = self.unwrap(*transfer, wrapped);
            let key = key.expect("the server key unwraps what it wrapped");
            keys.extend([key, derive(&key, b"details", &[])]);
            keys.extend((0..POSITIONS).map(|it| file_key(&key, it)));
        }
        let found = blobs
            .iter()
            .find(|blob| keys.iter().any(|it| opens(it, blob)));
        found.map(|it| it.name.clone())
    }

    fn unwrap(&self, transfer: TransferId, wrapped: &[u8]) -> Option<Key> {
        let wrap = derive(&self.server_key, b"wrap", &[]);
        let (nonce, sealed) = wrapped.split_at_checked(12)?;
        let key = aes_open(&wrap, nonce.try_into().ok()?, transfer.as_bytes(), sealed)?;
        key.try_into().ok()
    }
}

/// What a database has in the place of blobs: the bytes of small files, by the names that their blobs
/// would have.
pub fn small_bodies(database: &Database) -> Vec<Blob> {
    const ALL: &str = "SELECT transfer_id, number, bytes FROM small_bodies ORDER BY 1, 2";
    let url = database.url();
    let blob = |(id, number, bytes): (String, i64, Vec<u8>)| Blob {
        name: format!("{id}.{number}"),
        bytes,
    };
    if database.engine() == Engine::Sqlite {
        let path = url.trim_start_matches("sqlite://");
        let database = rusqlite::Connection::open(path).expect("it can be opened");
        let mut all = database.prepare(ALL).expect("there is such a table");
        let rows = all.query_map([], |it| Ok((it.get(0)?, it.get(1)?, it.get(2)?)));
        let rows = rows.expect("it can be read");
        return rows.map(|it| blob(it.expect("a row"))).collect();
    }
    // On a thread of its own, so that who asks need not wait as a future does.
    let asking = || {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build().expect("it can be made");
        runtime.block_on(async {
            let connected = tokio_postgres::connect(url, tokio_postgres::NoTls).await;
            let (client, connection) = connected.expect("it answers");
            tokio::spawn(connection);
            let rows = client.query(ALL, &[]).await.expect("it can be read");
            let row = |it: &tokio_postgres::Row| blob((it.get(0), it.get(1), it.get(2)));
            rows.iter().map(row).collect()
        })
    };
    std::thread::scope(|it| it.spawn(asking).join()).expect("it answers")
}

/// Whether any part of a blob opens with a key, in any of the forms that anything is encrypted in.
fn opens(key: &Key, Blob { name, bytes }: &Blob) -> bool {
    let first = bytes.get(..SEALED_CHUNK).unwrap_or(bytes);
    let chunk = [false, true]
        .into_iter()
        .any(|last| aes_open(key, chunk_nonce(0, last), &[], first).is_some());
    let whole = bytes.split_at_checked(12).is_some_and(|(nonce, sealed)| {
        let nonce = nonce.try_into().expect("it was split there");
        aes_open(key, nonce, &[], sealed).is_some()
    });
    let file_key = || FileKey::take(&mut key.clone());
    let manifest = Header::read(bytes)
        .is_ok_and(|(_, behind)| open_manifest(bytes, behind, &file_key()).is_ok());
    // Of a native file, what it begins with tells at once whether it is for this key.
    let transfer = name.split('.').next().and_then(|it| it.parse().ok());
    let transfer = transfer.map(|it: TransferId| *it.as_bytes());
    let begin = bytes.first_chunk::<HEADER_BYTES>();
    let native = transfer.zip(begin).is_some_and(|(transfer, begin)| {
        let is_it = |i| Opener::new(&file_key().file(i), &file_context(&transfer, i), begin);
        (0..POSITIONS).any(|i| is_it(i).is_ok())
    });
    chunk || whole || manifest || native
}

fn open_file(key: &Key, sealed: &[u8]) -> Option<Vec<u8>> {
    let count = sealed.len().div_ceil(SEALED_CHUNK) as u64;
    let mut plain = Vec::new();
    for (n, chunk) in (0..).zip(sealed.chunks(SEALED_CHUNK)) {
        plain.extend(aes_open(key, chunk_nonce(n, n + 1 == count), &[], chunk)?);
    }
    Some(plain)
}

fn chunk_nonce(n: u64, last: bool) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[3..11].copy_from_slice(&n.to_be_bytes());
    nonce[11] = u8::from(last);
    nonce
}

fn file_key(transfer: &Key, position: u32) -> Key {
    derive(transfer, b"file", &position.to_be_bytes())
}

fn aes_open(key: &Key, nonce: [u8; 12], aad: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).ok()?);
    let mut text = sealed.to_vec();
    let nonce = Nonce::assume_unique_for_key(nonce);
    let length = key
        .open_in_place(nonce, Aad::from(aad), &mut text)
        .ok()?
        .len();
    text.truncate(length);
    Some(text)
}

fn derive(key: &Key, label: &[u8], context: &[u8]) -> Key {
    struct Length;
    impl KeyType for Length {
        fn len(&self) -> usize {
            32
        }
    }
    let mut derived = [0; 32];
    let prk = Salt::new(HKDF_SHA256, &[]).extract(key);
    let info = [LABEL, label, context];
    let okm = prk.expand(&info, Length).expect("32 bytes are few");
    okm.fill(&mut derived).expect("32 bytes are few");
    derived
}

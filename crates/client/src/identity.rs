//! Who an agent is: the file `.agentdrop/config.json`, which the published clients read and write too.
//!
//! To their `agent_id`, `agent_uuid`, `inbox_url`, `public_key` and `private_key` (base64 of the raw
//! bytes) come our `server` and `api_key`. Whatever else is in the file stays in it.

use std::env;
use std::ffi::OsStr;
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use agentdrop_protocol::api_key::ApiKey;
use agentdrop_protocol::{AgentId, AgentRef, EncryptionPublicKey, Slug};
use agentdrop_seal::{PublicKey, SecretKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize as DeriveDeserialize, Serialize};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::error::{ConfigError, Error, Result};
use crate::private_file::{Reserved, read_private, write_private};

/// The folder of an identity, below the folder it is for.
pub const FOLDER: &str = ".agentdrop";
/// The environment variable that names the folder of an identity.
pub const FOLDER_VARIABLE: &str = "AGENTDROP_CONFIG_DIR";
/// The file of an identity, in its folder.
pub(crate) const FILE: &str = "config.json";
/// Keeps a private key out of a repository, where a folder like this would be committed unseen.
const IGNORE_FILE: &str = ".gitignore";

/// An agent, with its private key.
pub struct Identity {
    folder: PathBuf,
    agent_id: Slug,
    agent_uuid: Option<AgentId>,
    inbox_url: Option<String>,
    secret: SecretKey,
    server: Option<String>,
    api_key: Option<ApiKey>,
    others: Map<String, Value>,
}

impl Identity {
    /// Finds the folder of the identity to use: `folder` if it is given, else the one that the
    /// environment names, else `.agentdrop` here or in the closest folder above, else the one at home.
    pub fn find(folder: Option<&Path>) -> Result<Option<PathBuf>> {
        if let Some(named) = named_folder(folder) {
            return Ok(Some(named).filter(|it| it.join(FILE).exists()));
        }
        let here = env::current_dir().map_err(Error::io("find", "the current folder"))?;
        let home = env::home_dir();
        Ok(search(&here, home.as_deref()))
    }

    /// The folder where a new identity goes: `folder` if it is given, else the one that the
    /// environment names, else `.agentdrop` here.
    pub fn folder_for_new(folder: Option<&Path>) -> PathBuf {
        named_folder(folder).unwrap_or_else(|| PathBuf::from(FOLDER))
    }

    /// Reads the identity in `folder`.
    ///
    /// It is refused if others can read it, if it is another user's, or if its keys do not belong
    /// together.
    pub fn load(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        let content = match read_private(&path) {
            Err(Error::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {
                return Err(ConfigError::NoIdentity.into());
            }
            content => content?,
        };
        let wrong = |problem: String| ConfigError::IdentityFile {
            path: path.clone(),
            problem,
        };
        let known: Known = serde_json::from_slice(&content).map_err(|it| wrong(it.to_string()))?;
        let Others(others) =
            serde_json::from_slice(&content).map_err(|it| wrong(it.to_string()))?;
        let private_key = Zeroizing::new(known.private_key);
        let api_key = known.api_key.map(Zeroizing::new);

        let no_key = || wrong("`private_key` must be base64 of 32 bytes".to_owned());
        let mut private_key = Zeroizing::new(STANDARD.decode(&*private_key).map_err(|_| no_key())?);
        let secret = SecretKey::take(&mut private_key).map_err(|_| no_key())?;
        let public_key: EncryptionPublicKey = known
            .public_key
            .parse()
            .map_err(|it| wrong(format!("`public_key` {it}")))?;
        if public_key.as_bytes() != secret.public_key().as_bytes() {
            return Err(ConfigError::KeysDiffer(path.clone()).into());
        }
        let api_key = api_key.map(|it| it.parse()).transpose();
        let api_key = api_key.map_err(|it| wrong(format!("`api_key` {it}")))?;
        Ok(Self {
            folder: folder.to_owned(),
            agent_id: known.agent_id,
            agent_uuid: known.agent_uuid,
            inbox_url: known.inbox_url,
            secret,
            server: known.server,
            api_key,
            others,
        })
    }

    /// The name it goes by.
    pub fn agent_id(&self) -> &Slug {
        &self.agent_id
    }

    /// The agent, unless the published client that made the file was not told.
    pub fn agent_uuid(&self) -> Option<AgentId> {
        self.agent_uuid
    }

    /// The agent as calls name it.
    pub fn agent_ref(&self) -> AgentRef {
        match self.agent_uuid {
            Some(id) => AgentRef::Id(id),
            None => AgentRef::Slug(self.agent_id.clone()),
        }
    }

    /// Its public key.
    pub fn public_key(&self) -> EncryptionPublicKey {
        wire_key(&self.secret.public_key())
    }

    /// The server it is registered at, if the file says so.
    pub fn server(&self) -> Option<&str> {
        self.server.as_deref()
    }

    /// Its API key, if the file has one.
    pub fn api_key(&self) -> Option<&ApiKey> {
        self.api_key.as_ref()
    }

    /// The folder it is in.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn secret(&self) -> &SecretKey {
        &self.secret
    }

    /// Writes the identity anew with this API key, in place of the one it has.
    pub(crate) fn with_api_key(mut self, api_key: ApiKey) -> Result<Self> {
        self.api_key = Some(api_key);
        write_private(&self.folder.join(FILE), &self.content())?;
        Ok(self)
    }

    fn content(&self) -> Zeroizing<Vec<u8>> {
        let private_key = Zeroizing::new(STANDARD.encode(self.secret.expose_secret()));
        let file = Written {
            agent_id: &self.agent_id,
            agent_uuid: self.agent_uuid,
            inbox_url: self.inbox_url.as_deref(),
            public_key: self.public_key(),
            private_key: &private_key,
            server: self.server.as_deref(),
            api_key: self.api_key.as_ref().map(ApiKey::expose_secret),
            others: &self.others,
        };
        // Room for all of it: a buffer that grows leaves copies behind.
        let mut content = Zeroizing::new(Vec::with_capacity(1024 * 1024));
        serde_json::to_writer_pretty(&mut *content, &file).expect("texts and values are JSON");
        content.push(b'\n');
        content
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("folder", &self.folder)
            .field("agent_id", &self.agent_id)
            .field("agent_uuid", &self.agent_uuid)
            .finish_non_exhaustive()
    }
}

/// A key pair, and a place on disk for it, before there is an agent that has it.
///
/// The place comes first: were the disk to refuse afterwards, there would be an agent whose private
/// key is lost.
#[derive(Debug)]
pub(crate) struct Draft {
    folder: PathBuf,
    place: Reserved,
    secret: SecretKey,
}

impl Draft {
    pub(crate) fn new(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        if path.symlink_metadata().is_ok() {
            return Err(ConfigError::IdentityExists(folder.to_owned()).into());
        }
        let place = Reserved::beside(&path)?;
        let ignore = folder.join(IGNORE_FILE);
        if ignore.symlink_metadata().is_err() {
            write_private(&ignore, b"*\n")?;
        }
        Ok(Self {
            folder: folder.to_owned(),
            place,
            secret: SecretKey::generate()?,
        })
    }

    pub(crate) fn public_key(&self) -> EncryptionPublicKey {
        wire_key(&self.secret.public_key())
    }

    /// Writes the identity of the agent that has the key.
    pub(crate) fn finish(
        self,
        agent_id: Slug,
        agent_uuid: AgentId,
        inbox_url: String,
        server: String,
    ) -> Result<Identity> {
        let identity = Identity {
            folder: self.folder,
            agent_id,
            agent_uuid: Some(agent_uuid),
            inbox_url: Some(inbox_url),
            secret: self.secret,
            server: Some(server),
            api_key: None,
            others: Map::new(),
        };
        self.place.create(&identity.content())?;
        Ok(identity)
    }
}

/// Whether this is the file of an identity, with its private key.
pub(crate) fn is_identity(name: &OsStr, content: &[u8]) -> bool {
    let read = || serde_json::from_slice::<Known>(content).ok();
    let known = (name == FILE).then(read).flatten();
    known.is_some_and(|it| {
        let private_key = Zeroizing::new(it.private_key);
        let private_key = STANDARD.decode(&*private_key).map(Zeroizing::new);
        private_key.is_ok_and(|it| it.len() == 32)
    })
}

/// What is known of the file.
#[derive(DeriveDeserialize)]
struct Known {
    agent_id: Slug,
    #[serde(default)]
    agent_uuid: Option<AgentId>,
    #[serde(default)]
    inbox_url: Option<String>,
    public_key: String,
    private_key: String,
    #[serde(default)]
    server: Option<String>,
    #[serde(default)]
    api_key: Option<String>,
}

/// The file as it is written.
#[derive(Serialize)]
struct Written<'a> {
    agent_id: &'a Slug,
    agent_uuid: Option<AgentId>,
    inbox_url: Option<&'a str>,
    public_key: EncryptionPublicKey,
    private_key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key: Option<&'a str>,
    #[serde(flatten)]
    others: &'a Map<String, Value>,
}

/// The fields of the file that are not known. A derive would also keep copies of the known ones.
struct Others(Map<String, Value>);

impl<'de> Deserialize<'de> for Others {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Map<String, Value>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
                let mut others = Map::new();
                while let Some(name) = fields.next_key::<String>()? {
                    if KNOWN.contains(&&*name) {
                        fields.next_value::<IgnoredAny>()?;
                    } else if others.insert(name, fields.next_value()?).is_some() {
                        return Err(de::Error::custom("a field occurs twice"));
                    }
                }
                Ok(others)
            }
        }

        from.deserialize_map(Fields).map(Self)
    }
}

const KNOWN: [&str; 7] = [
    "agent_id",
    "agent_uuid",
    "inbox_url",
    "public_key",
    "private_key",
    "server",
    "api_key",
];

/// The folder that was named, if one was.
pub(crate) fn named_folder(folder: Option<&Path>) -> Option<PathBuf> {
    let from_environment = || env::var_os(FOLDER_VARIABLE).filter(|it| !it.is_empty());
    folder
        .map(Path::to_owned)
        .or_else(|| from_environment().map(PathBuf::from))
}

fn search(here: &Path, home: Option<&Path>) -> Option<PathBuf> {
    here.ancestors()
        .chain(home)
        .map(|it| it.join(FOLDER))
        .find(|it| it.join(FILE).exists())
}

fn wire_key(key: &PublicKey) -> EncryptionPublicKey {
    EncryptionPublicKey::try_from(*key.as_bytes())
        .expect("a private key has no public key of low order")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use agentdrop_protocol::api_key::KeyKind;

    use super::*;

    /// What the published client writes, with the keys of the contract's vectors.
    const PUBLISHED: &str = r#"{
  "agent_id": "data-pipeline",
  "agent_uuid": "019a9f3e-5c1a-7b2d-8e4f-a1b2c3d4e5f6",
  "inbox_url": "https://example.org/v1/transfers/inbox",
  "public_key": "B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=",
  "private_key": "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="
}"#;

    fn folder(content: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        write_private(&folder.path().join(FILE), content.as_bytes()).unwrap();
        folder
    }

    fn api_key() -> ApiKey {
        ApiKey::new(
            KeyKind::Agent,
            &std::array::from_fn(|n| u8::try_from(n).unwrap()),
        )
        .unwrap()
    }

    #[test]
    fn the_published_clients_file_is_read() {
        let folder = folder(PUBLISHED);
        let identity = Identity::load(folder.path()).unwrap();
        assert_eq!(identity.agent_id().as_str(), "data-pipeline");
        assert!(identity.agent_uuid().is_some());
        assert!(identity.server().is_none() && identity.api_key().is_none());
    }

    #[test]
    fn what_is_not_known_stays_in_the_file() {
        let text = PUBLISHED.replacen('{', r#"{"shield": {"mode": "review"}, "note": null, "#, 1);
        let folder = folder(&text);
        let identity = Identity::load(folder.path()).unwrap();
        identity.with_api_key(api_key()).unwrap();

        let content = fs::read(folder.path().join(FILE)).unwrap();
        let mut written: Value = serde_json::from_slice(&content).unwrap();
        let key = written.as_object_mut().unwrap().remove("api_key").unwrap();
        assert_eq!(key, api_key().expose_secret());
        assert_eq!(written, serde_json::from_str::<Value>(&text).unwrap());
        assert!(Identity::load(folder.path()).unwrap().api_key().is_some());
    }

    #[test]
    fn a_file_that_is_no_identity_is_refused() {
        let other_key = "WGmv9FBUlzLLqu1eXfmzCm2jHLDldCutWtShp2jxpns=";
        let mine = "B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=";
        for (content, code) in [
            (PUBLISHED.replace(mine, other_key), "KEYS_DIFFER"),
            (PUBLISHED.replace("AQIDBAUG", ""), "IDENTITY_FILE"),
            (PUBLISHED.replace("data-pipeline", "../x"), "IDENTITY_FILE"),
            (
                PUBLISHED.replacen('{', r#"{"api_key": "agd_live_x", "#, 1),
                "IDENTITY_FILE",
            ),
            (
                PUBLISHED.replacen('{', r#"{"private_key": "AA==", "#, 1),
                "IDENTITY_FILE",
            ),
            ("[]".to_owned(), "IDENTITY_FILE"),
            (String::new(), "IDENTITY_FILE"),
        ] {
            let folder = folder(&content);
            let error = Identity::load(folder.path()).unwrap_err();
            assert_eq!(error.code(), code, "{content}");
            assert!(!error.to_string().contains("AQID"), "{error}");
        }
    }

    #[test]
    fn an_error_or_a_debug_never_shows_the_key() {
        let folder = folder(PUBLISHED);
        let identity = Identity::load(folder.path())
            .unwrap()
            .with_api_key(api_key())
            .unwrap();
        let debug = format!("{identity:?}");
        assert!(
            !debug.contains("AQID") && !debug.contains("ada_live_"),
            "{debug}"
        );
    }

    #[test]
    fn a_file_that_others_can_read_is_refused_with_what_mends_it() {
        let folder = folder(PUBLISHED);
        let path = folder.path().join(FILE);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let error = Identity::load(folder.path()).unwrap_err();
        assert_eq!(error.code(), "FILE_TOO_OPEN");
        assert_eq!(
            error.hint().unwrap(),
            format!("chmod 600 {}", path.display())
        );
    }

    #[test]
    fn the_closest_folder_above_is_found_and_then_the_one_at_home() {
        let root = tempfile::tempdir().unwrap();
        let home = tempfile::tempdir().unwrap();
        let here = root.path().join("a/b/c");
        fs::create_dir_all(&here).unwrap();
        let at = |folder: &Path| {
            write_private(&folder.join(FOLDER).join(FILE), b"{}").unwrap();
            folder.join(FOLDER)
        };
        let found = || search(&here, Some(home.path()));
        assert_eq!(found(), None);
        assert_eq!((at(home.path()), true), (found().unwrap(), true));
        assert_eq!(at(root.path()), found().unwrap());
        assert_eq!(at(&root.path().join("a/b")), found().unwrap());
    }

    #[test]
    fn an_identity_is_not_overwritten() {
        let folder = folder(PUBLISHED);
        assert_eq!(
            Draft::new(folder.path()).unwrap_err().code(),
            "IDENTITY_EXISTS"
        );

        let other = tempfile::tempdir().unwrap();
        let draft = Draft::new(other.path()).unwrap();
        write_private(&other.path().join(FILE), b"{}").unwrap();
        let id = "019a9f3e-5c1a-7b2d-8e4f-a1b2c3d4e5f6".parse().unwrap();
        let finished = draft.finish("a".parse().unwrap(), id, String::new(), String::new());
        finished.unwrap_err();
        assert_eq!(fs::read(other.path().join(FILE)).unwrap(), b"{}");
    }
}

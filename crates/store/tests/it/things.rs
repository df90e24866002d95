//! Things to write down, each new.

use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use agentdrop_domain::accounts::Account;
use agentdrop_domain::agents::{Agent, AgentKeys, AgentState, ConnectionToken};
use agentdrop_domain::blocks::Block;
use agentdrop_domain::channels::{Channel, ChannelError, Party};
use agentdrop_domain::connections::{Connection, ConnectionError};
use agentdrop_domain::downloads::Download;
use agentdrop_domain::keys::{Key, KeyError};
use agentdrop_domain::mailed_links::{LinkPurpose, MailedLink};
use agentdrop_domain::pairings::{Pairing, PairingError, Permission};
use agentdrop_domain::receive_passwords::ReceivePassword;
use agentdrop_domain::sessions::Session;
use agentdrop_domain::transfers::{AtRest, File, Recipient, Sender, Transfer, TransferError};
use agentdrop_domain::{Credential, Scope};
use agentdrop_protocol::wire::agents::AgentType;
use agentdrop_protocol::wire::plans::Plan;
use agentdrop_protocol::wire::receive_passwords::{
    Base64Bytes, CipherAlgorithm, EncryptedPrivateKey, KdfAlgorithm, Version,
};
use agentdrop_protocol::wire::transfers::{TransferMode, TransferStatus};
use agentdrop_protocol::{
    AccountId, AgentId, BlockId, ChannelId, ConnectionId, DownloadId, FileId, KeyId, MailId,
    PairingId, SessionId, Timestamp, TransferId,
};
use agentdrop_store::{Error, QueuedMail, Result, Store, TransferFilter, Tx};
use agentdrop_testkit::engines::{Database, Engine};
use tokio::task::{JoinHandle, JoinSet};
use tokio_postgres::NoTls;

/// The moment so many milliseconds after the one that all tests begin at.
pub(crate) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_790_000_000_000 + millis)
}

/// The moment and the chance of a new id: each sorts behind the one before.
fn new() -> (Timestamp, [u8; 10]) {
    static COUNT: AtomicU16 = AtomicU16::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    (at(count.into()), [0xab; 10])
}

macro_rules! ids {
    ($($name:ident -> $id:ident),*) => { $(
        pub(crate) fn $name() -> $id {
            let (moment, chance) = new();
            $id::new(moment, chance)
        }
    )* };
}
ids!(account_id -> AccountId, agent_id -> AgentId, block_id -> BlockId, channel_id -> ChannelId,
     connection_id -> ConnectionId, file_id -> FileId, pairing_id -> PairingId,
     download_id -> DownloadId, key_id -> KeyId, mail_id -> MailId, session_id -> SessionId,
     transfer_id -> TransferId);

pub(crate) fn digest() -> [u8; 32] {
    let mut digest = [0xcd; 32];
    digest[..2].copy_from_slice(&new().0.as_millis().to_be_bytes()[6..]);
    digest
}

pub(crate) fn account(name: &str) -> Account {
    Account {
        id: account_id(),
        name: name.parse().unwrap(),
        email: format!("{name}@example.org").parse().unwrap(),
        email_verified_at: Some(at(0)),
        plan: Plan::Enterprise,
        created_at: at(0),
    }
}

/// An agent that has no keys yet.
pub(crate) fn agent(of: &Account, slug: &str) -> Agent {
    Agent {
        id: agent_id(),
        account: of.id,
        slug: slug.parse().unwrap(),
        name: format!("Agent {slug}").parse().unwrap(),
        description: None,
        webhook_url: None,
        agent_type: AgentType::Custom,
        metadata: serde_json::Map::new(),
        available_for_connections: true,
        state: AgentState::Pending,
        key_version: 0,
        published: None,
        created_at: at(0),
        last_seen_at: None,
    }
}

pub(crate) fn agent_keys(byte: u8, signing: Option<u8>) -> AgentKeys {
    AgentKeys {
        encryption: [byte; 32].try_into().unwrap(),
        signing: signing.map(|it| [it; 32].try_into().unwrap()),
    }
}

pub(crate) fn connection_token(of: &Agent) -> ConnectionToken {
    ConnectionToken {
        agent: of.id,
        digest: digest(),
        expires_at: at(1000),
    }
}

pub(crate) fn key(of: AccountId, scope: Scope) -> Key {
    Key {
        id: key_id(),
        account: of,
        scope,
        name: "production".parse().unwrap(),
        prefix: "agd_1234".to_owned(),
        digest: digest(),
        transfer_count: 0,
        created_at: at(0),
        last_used_at: None,
        revoked_at: None,
    }
}

pub(crate) fn session(of: &Account) -> Session {
    let address = [192, 0, 2, 1].into();
    Session::new(session_id(), of.id, digest(), address, at(0))
}

pub(crate) fn mailed_link(of: &Account, purpose: LinkPurpose) -> MailedLink {
    MailedLink::new(digest(), purpose, of.id, at(0))
}

pub(crate) fn receive_password(of: &Account) -> ReceivePassword {
    ReceivePassword {
        account: of.id,
        public_key: [9; 32].try_into().unwrap(),
        encrypted_private_key: EncryptedPrivateKey {
            v: Version,
            kdf: KdfAlgorithm::Pbkdf2,
            iterations: 600_000.try_into().unwrap(),
            salt: Base64Bytes([1; 16]),
            cipher: CipherAlgorithm::Aes256Gcm,
            nonce: Base64Bytes([2; 12]),
            ciphertext: Base64Bytes([3; 48]),
        },
        set_at: at(0),
    }
}

/// A mail that is due at `at(0)`.
pub(crate) fn mail(by: &Account) -> QueuedMail {
    QueuedMail {
        id: mail_id(),
        account: by.id,
        content: vec![0, 1, 255],
        attempts: 0,
        created_at: at(0),
        due_at: at(0),
    }
}

pub(crate) fn channel(one: &Agent, other: &Agent) -> Channel {
    let [one, other] = [one, other].map(|it| Party {
        agent: it.id,
        account: it.account,
    });
    Channel::new(channel_id(), one, other, at(0)).unwrap()
}

/// An invitation of one account to another.
pub(crate) fn invitation(from: &Account, to: &Account) -> Connection {
    let email = to.email.clone();
    Connection::invite(connection_id(), from, Some(to), email, None, None, at(0)).unwrap()
}

/// An invitation to an address that nobody has an account with.
pub(crate) fn open_invitation(from: &Account, email: &str) -> Connection {
    let email = email.parse().unwrap();
    Connection::invite(connection_id(), from, None, email, None, None, at(0)).unwrap()
}

/// The same, accepted.
pub(crate) fn connection(from: &Account, to: &Account) -> Connection {
    invitation(from, to).accept(to, at(1)).unwrap()
}

pub(crate) fn block(by: &Account, of: &Account) -> Block {
    Block {
        id: block_id(),
        blocker: by.id,
        blocked: of.id,
        created_at: at(0),
    }
}

/// A pairing that its proposer waits for the other side to confirm.
pub(crate) fn proposal(
    under: &Connection,
    mine: &Agent,
    theirs: &Agent,
    permission: Permission,
) -> Pairing {
    let [mine, theirs] = [mine, theirs].map(|it| it.clone().connect(agent_keys(9, None)));
    Pairing::propose(pairing_id(), under, &mine, &theirs, permission, at(2)).unwrap()
}

/// The same, confirmed.
pub(crate) fn pairing(
    under: &Connection,
    mine: &Agent,
    theirs: &Agent,
    permission: Permission,
) -> Pairing {
    let proposal = proposal(under, mine, theirs, permission);
    proposal.confirm(theirs.account, at(3)).unwrap()
}

/// Writes connections down.
pub(crate) async fn write_connections(store: &Store, connections: &[&Connection]) {
    let connections: Vec<_> = connections.iter().map(|it| (*it).clone()).collect();
    write(store, async move |tx| {
        for it in &connections {
            tx.insert_connection(it).await?;
        }
        Ok(())
    })
    .await;
}

/// Writes pairings down.
pub(crate) async fn write_pairings(store: &Store, pairings: &[&Pairing]) {
    let pairings: Vec<_> = pairings.iter().map(|it| (*it).clone()).collect();
    write(store, async move |tx| {
        for it in &pairings {
            tx.insert_pairing(it).await?;
        }
        Ok(())
    })
    .await;
}

/// A transfer of one file that can be downloaded once, until `at(1000)`.
pub(crate) fn transfer(from: &Agent, to: &Agent) -> Transfer {
    Transfer {
        id: transfer_id(),
        mode: TransferMode::AgentToAgent,
        sender: Sender {
            account: from.account,
            agent: Some(from.id),
            label: from.slug.as_str().parse().unwrap(),
            credential: Credential::Key(key_id()),
        },
        recipient: Recipient::Agent {
            account: to.account,
            agent: to.id,
            label: to.slug.to_string(),
        },
        sealing: None,
        wrapped_key: vec![0, 1, 255],
        details: vec![],
        files: vec![file()],
        auto_delete: false,
        max_downloads: 1,
        downloads: 0,
        status: TransferStatus::Active,
        bytes_until: Some(at(1000)),
        created_at: at(0),
        announced: false,
        expires_at: at(1000),
        deleted_at: None,
    }
}

/// The same, to whoever has an address, and waiting for them.
pub(crate) fn transfer_to_person(from: &Agent, email: &str) -> Transfer {
    Transfer {
        mode: TransferMode::AgentToHuman,
        recipient: Recipient::Person {
            email: email.parse().unwrap(),
            account: None,
        },
        status: TransferStatus::PendingRecipient,
        ..transfer(from, from)
    }
}

pub(crate) fn file() -> File {
    File {
        id: file_id(),
        size: 7,
        at_rest: AtRest::Server,
        nonce: None,
        blob: None,
        in_database: false,
        upload: None,
        direct: None,
    }
}

pub(crate) fn download(of: &Transfer) -> Download {
    Download {
        id: download_id(),
        transfer: of.id,
        account: of.recipient.account().unwrap(),
        agent: of.recipient.agent(),
        granted_at: at(0),
        expires_at: at(1000),
        outcome: None,
    }
}

/// Lets every transfer through.
pub(crate) fn everything() -> TransferFilter {
    TransferFilter {
        agent: None,
        status: None,
        mode: None,
        sender: None,
        recipient: None,
        since: None,
        now: at(0),
    }
}

/// Two accounts that deal with each other, and one that has nothing to do with them but an agent
/// that goes by the same name.
pub(crate) struct Cast {
    pub(crate) alice: Account,
    /// Alice's.
    pub(crate) ann: Agent,
    pub(crate) bob: Account,
    /// Bob's.
    pub(crate) ben: Agent,
    pub(crate) mallory: Account,
    /// Mallory's.
    pub(crate) imp: Agent,
}

impl Cast {
    /// Writes them down.
    pub(crate) async fn of(store: &Store) -> Self {
        let [alice, bob, mallory] = ["alice", "bob", "mallory"].map(account);
        let cast = Self {
            ann: agent(&alice, "ann"),
            ben: agent(&bob, "ben"),
            imp: agent(&mallory, "ann"),
            alice,
            bob,
            mallory,
        };
        let accounts = [&cast.alice, &cast.bob, &cast.mallory].map(Clone::clone);
        let agents = [&cast.ann, &cast.ben, &cast.imp].map(Clone::clone);
        write(store, async move |tx| {
            for it in &accounts {
                tx.insert_account(it).await?;
            }
            for it in &agents {
                tx.insert_agent(it).await?;
            }
            Ok(())
        })
        .await;
        cast
    }
}

/// Runs a unit of work that is to succeed.
pub(crate) async fn write<T: Send + 'static>(
    store: &Store,
    unit: impl AsyncFnOnce(&mut Tx) -> Result<T> + Send + 'static,
) -> T {
    store.write(unit).await.unwrap()
}

/// Writes transfers down.
pub(crate) async fn write_transfers(store: &Store, transfers: &[&Transfer]) {
    let transfers: Vec<_> = transfers.iter().map(|it| (*it).clone()).collect();
    write(store, async move |tx| {
        for it in &transfers {
            tx.insert_transfer(it).await?;
        }
        Ok(())
    })
    .await;
}

/// What a unit of work came to, as a handler has it.
#[derive(Debug)]
pub(crate) enum Refusal {
    Channel(ChannelError),
    Connection(ConnectionError),
    Gone,
    Key(KeyError),
    Pairing(PairingError),
    Store(#[expect(dead_code, reason = "for the message of a test that fails")] Error),
    Transfer(TransferError),
}

impl From<ChannelError> for Refusal {
    fn from(it: ChannelError) -> Self {
        Self::Channel(it)
    }
}

impl From<ConnectionError> for Refusal {
    fn from(it: ConnectionError) -> Self {
        Self::Connection(it)
    }
}

impl From<PairingError> for Refusal {
    fn from(it: PairingError) -> Self {
        Self::Pairing(it)
    }
}

impl From<Error> for Refusal {
    fn from(it: Error) -> Self {
        Self::Store(it)
    }
}

impl From<KeyError> for Refusal {
    fn from(it: KeyError) -> Self {
        Self::Key(it)
    }
}

impl From<TransferError> for Refusal {
    fn from(it: TransferError) -> Self {
        Self::Transfer(it)
    }
}

/// Runs one for each of `count` racers at once; answers what they came to.
pub(crate) async fn race<T, F>(count: usize, racer: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let all: JoinSet<T> = (0..count).map(racer).collect();
    all.join_all().await
}

/// Begins a unit of work that takes a while before it ends; returns once it has done its part.
pub(crate) async fn begin<T: Send + 'static, U>(store: &Store, unit: U) -> JoinHandle<Result<T>>
where
    U: for<'t> FnOnce(&'t mut Tx) -> Begun<'t, T> + Send + 'static,
{
    let (store, (begun, under_way)) = (store.clone(), tokio::sync::oneshot::channel());
    let slow = tokio::spawn(async move {
        store
            .write(async move |tx: &mut Tx| {
                let done = unit(tx).await?;
                begun.send(()).unwrap();
                dwell(Duration::from_millis(200));
                Ok(done)
            })
            .await
    });
    under_way.await.unwrap();
    slow
}

/// Takes a while in a unit of work. It is the thread that does, for SQLite's writer has to stand
/// still; of the test's own, another one takes over what this one would have read.
pub(crate) fn dwell(time: Duration) {
    tokio::task::block_in_place(|| std::thread::sleep(time));
}

/// The first part of a unit of work.
pub(crate) type Begun<'t, T> = std::pin::Pin<Box<dyn Future<Output = Result<T>> + Send + 't>>;

/// Runs statements that the store itself has none like, past it.
pub(crate) async fn run_sql(database: &Database, sql: &str) {
    match database.engine() {
        Engine::Sqlite => sqlite(database).execute_batch(sql).unwrap(),
        Engine::Postgres => postgres(database).await.batch_execute(sql).await.unwrap(),
    }
}

/// Runs a query of one column of text, past the store.
pub(crate) async fn texts(database: &Database, sql: &str) -> Vec<String> {
    match database.engine() {
        Engine::Sqlite => {
            let connection = sqlite(database);
            let mut statement = connection.prepare(sql).unwrap();
            let texts = statement.query_map([], |row| row.get(0)).unwrap();
            texts.map(std::result::Result::unwrap).collect()
        }
        Engine::Postgres => {
            let rows = postgres(database).await.query(sql, &[]).await.unwrap();
            rows.iter().map(|row| row.get(0)).collect()
        }
    }
}

fn sqlite(database: &Database) -> rusqlite::Connection {
    let file = database.folder().unwrap().join("store.db");
    let connection = rusqlite::Connection::open(file).unwrap();
    connection
        .pragma_update(None, "foreign_keys", true)
        .unwrap();
    connection
}

async fn postgres(database: &Database) -> tokio_postgres::Client {
    let connecting = tokio_postgres::connect(database.url(), NoTls);
    let (client, connection) = connecting.await.unwrap();
    tokio::spawn(connection);
    client
}

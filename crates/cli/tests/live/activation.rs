//! `kill -9` while what waited for a person is encrypted for them: it is theirs, or it still waits,
//! and never both or neither.

use std::path::Path;
use std::time::Duration;

use agentdrop_domain::transfers::Transfer;
use agentdrop_protocol::wire::plans::Plan;
use agentdrop_protocol::wire::transfers::TransferStatus;
use agentdrop_store::{Store, Tx};
use agentdrop_testkit::at_rest::{Thief, small_bodies};
use agentdrop_testkit::engines::{Database, Engine, database};
use agentdrop_testkit::http::send;
use agentdrop_testkit::person::ReceiveKey;
use agentdrop_testkit::server::{PASSWORD, text};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::child::Child;
use crate::model::{Chance, content};

/// How often the server is killed on each engine after a receive password was set; each time once
/// more, while it takes that up.
const ROUNDS: [(Engine, u32); 2] = [(Engine::Sqlite, 30), (Engine::Postgres, 10)];
/// The files of the transfers that wait, by their lengths.
const WAITING: [&[usize]; 6] = [
    &[0],
    &[1, 16_384, 65_536],
    &[3_000_000],
    &[70_000, 0],
    &[1_200_000, 5],
    &[200_000],
];

/// Names, and what is in them.
type Files = Vec<(String, Vec<u8>)>;

/// A person for whom files wait.
struct Waiting {
    session: String,
    key: ReceiveKey,
    sent: Vec<(Value, Files)>,
}

/// What a look at a killed server found.
#[derive(Default, Debug)]
struct Seen {
    active: usize,
    waiting: usize,
    /// Looks that found some of a person's transfers active, and others waiting.
    between: usize,
    /// Looks that found bytes that no row names.
    left_behind: usize,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_loses_nothing_that_waited_and_leaves_none_with_two_keys() {
    for (engine, rounds) in ROUNDS {
        let (folder, database) = (tempfile::tempdir().unwrap(), database(engine).await);
        let data = folder.path().join("data");
        let (mut chance, mut seen) = (Chance(0x5eed), Seen::default());
        let mut server = Child::start(&data, database.url()).await;
        let store = database.open().await;
        let sender = sender(&server, &store).await;
        let thief = || thief(&data, &database);
        let mut takes = Duration::from_millis(200);
        for round in 0..rounds {
            let person = waiting(&server, &sender, round).await;
            let before = rows(&store, &sender, &person).await;
            let set = Instant::now();
            set_password(&server, &person).await;
            // Somewhere on the way, at whatever the machine's pace.
            sleep(takes.mul_f64(percent(&mut chance))).await;
            server.kill();
            look(&thief(), &store, &sender, &person, &before, &mut seen).await;

            server = Child::start(&data, database.url()).await;
            sleep(takes.mul_f64(percent(&mut chance) / 2.0)).await;
            server.kill();
            look(&thief(), &store, &sender, &person, &before, &mut seen).await;

            server = Child::start(&data, database.url()).await;
            until_active(&server, &person).await;
            open_all(&server, &thief, &person).await;
            // There is to be room for those of the next.
            for (sent, _) in &person.sent {
                let path = format!("/v1/transfers/{}", text(sent, "id"));
                server.http.delete(&path, &sender.1).await.expect(200);
            }
            if round == 0 {
                // How long it takes, killed or not, is how long there is to kill it in.
                takes = set.elapsed().min(Duration::from_millis(400));
            }
        }
        assert!(seen.waiting > 0, "it was always too late: {seen:?}");
        assert!(seen.active > 0, "it was always too early: {seen:?}");
        let on_the_way = seen.between + seen.left_behind;
        assert!(on_the_way > 0, "it was never on the way: {seen:?}");
        server.stop().await;
    }
}

/// The account that sends, with a plan for as much: its id and its key.
async fn sender(server: &Child, store: &Store) -> (String, String) {
    let key = server.account().await;
    let shown = server.http.get("/v1/account", &key).await.expect(200);
    let email = text(&shown, "email").parse().unwrap();
    let plan = async move |tx: &mut Tx| tx.set_account_plan(&email, Plan::Enterprise).await;
    store.write(plan).await.unwrap();
    (text(&shown, "id"), key)
}

fn percent(chance: &mut Chance) -> f64 {
    f64::from(u32::try_from(chance.below(100)).unwrap()) / 100.0
}

/// Signs a person up, for whom an account sends what waits.
async fn waiting(server: &Child, sender: &(String, String), round: u32) -> Waiting {
    let email = format!("person{round}@example.org");
    let body = json!({ "name": "Pat", "email": email, "password": PASSWORD });
    let made = server.http.post("/v1/accounts", "", &body).await;
    made.expect(201);
    let body = json!({ "email": email, "password": PASSWORD });
    let signed_in = server.http.post("/v1/sessions", "", &body).await;
    let session = text(&signed_in.expect(201), "session_token");
    let mut sent = Vec::new();
    for (n, lengths) in WAITING.into_iter().enumerate() {
        let files = lengths.iter().enumerate().map(|(m, length)| {
            let name = format!("{round}-{n}-{m}.bin");
            let bytes = content(&name, *length);
            (name, bytes)
        });
        let files: Vec<_> = files.collect();
        let parts: Vec<_> = files.iter().map(|it| (&*it.0, &*it.1)).collect();
        let fields = [
            ("sender", "bob"),
            ("recipient", &*email),
            ("mode", "agent-to-human"),
        ];
        let made = server
            .http
            .form("/v1/transfers", &sender.1, &fields, &parts);
        let made = made.await.expect(201);
        assert_eq!(made["status"], "pending_recipient");
        sent.push((made, files));
    }
    Waiting {
        session,
        key: ReceiveKey::new(),
        sent,
    }
}

/// Whoever has stolen all that is stored now.
fn thief(data: &Path, database: &Database) -> Thief {
    Thief::of(data).with_rows(small_bodies(database))
}

async fn set_password(server: &Child, person: &Waiting) {
    let path = "/v1/account/receive-password";
    let request = server.http.request("PUT", path, &person.session);
    send(request.json(&person.key.password())).await.expect(200);
}

async fn rows(store: &Store, sender: &(String, String), person: &Waiting) -> Vec<Transfer> {
    let mut rows = Vec::new();
    for (sent, _) in &person.sent {
        let (owner, id) = (sender.0.parse().unwrap(), text(sent, "id").parse().unwrap());
        let mut reader = store.read().await.unwrap();
        rows.push(reader.transfer_of(owner, id).await.unwrap().unwrap());
    }
    rows
}

/// While no server runs: of each transfer either the server key opens all, or nothing that is its.
async fn look(
    thief: &Thief,
    store: &Store,
    sender: &(String, String),
    person: &Waiting,
    before: &[Transfer],
    seen: &mut Seen,
) {
    let (mut active, mut waiting, mut left) = (0, 0, false);
    let rows = rows(store, sender, person).await;
    for ((row, before), (_, files)) in rows.iter().zip(before).zip(&person.sent) {
        let names = (0..).zip(&row.files);
        let names = names.map(|(place, it)| format!("{}.{}", row.id, it.blob_at(place)));
        let names: Vec<_> = names.collect();
        let (theirs, others): (Vec<_>, Vec<_>) = thief
            .blobs_of(row.id)
            .into_iter()
            .partition(|it| names.contains(&it.name));
        assert_eq!(theirs.len(), names.len(), "lost: {names:?}");
        left |= !others.is_empty();
        match row.status {
            TransferStatus::PendingRecipient => {
                waiting += 1;
                assert_eq!(row.wrapped_key, before.wrapped_key);
                let opened = thief.open(row).expect("the server key opens what waits");
                assert!(opened.iter().eq(files.iter().map(|it| &it.1)));
            }
            TransferStatus::Active => {
                active += 1;
                assert_ne!(row.wrapped_key, before.wrapped_key);
                let wrapped = [before, row].map(|it| (it.id, it.wrapped_key.clone()));
                assert_eq!(thief.opened(&wrapped, &theirs), None);
                // The bytes before may lie there until the next start; the row's key opens none.
                let wrapped = [(row.id, row.wrapped_key.clone())];
                assert_eq!(thief.opened(&wrapped, &others), None);
            }
            other => panic!("nobody made it {other:?}"),
        }
    }
    seen.active += active;
    seen.waiting += waiting;
    seen.between += usize::from(active > 0 && waiting > 0);
    seen.left_behind += usize::from(left);
}

async fn until_active(server: &Child, person: &Waiting) {
    let until = Instant::now() + Duration::from_secs(20);
    let path = "/v1/transfers/inbox?status=active&limit=1";
    while server.http.get(path, &person.session).await.expect(200)["total"] != WAITING.len() {
        assert!(Instant::now() < until, "it is not activated");
        sleep(Duration::from_millis(20)).await;
    }
}

/// Each opens with the person's key, and nothing of it lies there in another form.
async fn open_all(server: &Child, thief: &(impl Fn() -> Thief + Sync), person: &Waiting) {
    for (sent, files) in &person.sent {
        let path = format!("/v1/transfers/{}/download", text(sent, "id"));
        let grant = server.http.get(&path, &person.session).await.expect(200);
        let mut objects = Vec::new();
        for file in grant["files"].as_array().unwrap() {
            let got = server.http.get(&text(file, "download_url"), "").await;
            assert_eq!(got.status, 200);
            objects.push(got.bytes);
        }
        assert!(
            person.key.open(&grant, objects) == *files,
            "altered: {sent}"
        );
        let id = text(sent, "id").parse().unwrap();
        // The last one's are deleted right behind the answer that has it active.
        let until = Instant::now() + Duration::from_secs(10);
        while thief().blobs_of(id).len() != files.len() + 1 {
            assert!(Instant::now() < until, "bytes from before are left");
            sleep(Duration::from_millis(20)).await;
        }
    }
}

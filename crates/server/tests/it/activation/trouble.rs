//! What comes between while what waited is encrypted: it ends right, and keeps nobody else waiting.

use std::path::PathBuf;
use std::time::Duration;

use agentdrop_protocol::wire::plans::Plan;
use agentdrop_server::Config;
use agentdrop_testkit::engines::Engine;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::join_all;

use super::*;
use crate::faults::SmallDisk;
use crate::world::{files_under, run_sql, thief};

/// Longer than one that failed a few times waits to be tried again.
const PAUSE: Duration = Duration::from_mins(10);

/// Lets a change come right behind the claim of a try, once: before anything is encrypted, and so
/// before the row is switched.
async fn come_between(server: &TestServer, change: &str) {
    let sql = match server.engine() {
        Engine::Sqlite => format!(
            "CREATE TRIGGER between_tries AFTER UPDATE OF activation_tries ON transfers
             BEGIN {change}; END"
        ),
        Engine::Postgres => format!(
            "CREATE FUNCTION come_between() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN {change}; RETURN NULL; END $$;
             CREATE TRIGGER between_tries AFTER UPDATE OF activation_tries ON transfers
             FOR EACH ROW EXECUTE FUNCTION come_between()"
        ),
    };
    run_sql(server, &sql).await;
}

async fn nothing_comes_between(server: &TestServer) {
    let sql = match server.engine() {
        Engine::Sqlite => "DROP TRIGGER between_tries",
        Engine::Postgres => "DROP TRIGGER between_tries ON transfers",
    };
    run_sql(server, sql).await;
}

async fn set(server: &TestServer, person: &Party, key: &ReceiveKey) {
    let session = server.session_of(&person.account).await;
    put(server, &session, &key.password()).await.expect(200);
}

async fn assert_theirs(parties: &Parties, by: &Party, sent: &Value, key: &ReceiveKey) {
    let grant = by
        .get(&format!("{}/download", path_of(sent)))
        .await
        .expect(200);
    let found = opened(by, &parties.server, &grant, key).await;
    assert_eq!(found, [("a.txt".to_owned(), BYTES.to_vec())]);
    let thief = thief(&parties.server);
    let row = row(parties, sent).await;
    let blobs = thief.blobs_of(row.id);
    assert_eq!(blobs.len(), 2, "an envelope and a file");
    assert_eq!(thief.opened(&[(row.id, row.wrapped_key)], &blobs), None);
}

const BYTES: &[u8] = b"what waits";
const FILES: [(&str, &[u8]); 1] = [("a.txt", BYTES)];
/// One that has a blob of its own.
const LARGE: [(&str, &[u8]); 1] = [("a.txt", &[7; 20_000])];

/// Lets `change` come between the encrypting and the switch of two transfers, to jamie and to sam,
/// who have keys; answers all that is asked about it.
async fn between(parties: &Parties, change: &str) -> Between {
    let Parties { server, jamie, .. } = parties;
    let sam = Party::new(server, "Sam", "sam@example.org").await;
    let (key, sams) = (ReceiveKey::new(), ReceiveKey::new());
    set(server, jamie, &key).await;
    set(server, &sam, &sams).await;
    // As long as neither address counts as theirs, nothing is activated.
    run_sql(server, "UPDATE accounts SET email_verified_at = NULL").await;
    let sent = send(parties, &jamie.email, &FILES).await;
    let to_sam = send(parties, &sam.email, &FILES).await;
    server.activate().await;
    assert_eq!(blobs(server).len(), 2);
    let id = text(&sent, "id");
    come_between(server, &change.replace("ID", &id)).await;
    run_sql(server, "UPDATE accounts SET email_verified_at = 1").await;
    server.activate().await;
    nothing_comes_between(server).await;
    server.activate().await;
    Between {
        sent,
        to_sam,
        sam,
        key,
        sams,
    }
}

struct Between {
    sent: Value,
    to_sam: Value,
    sam: Party,
    key: ReceiveKey,
    sams: ReceiveKey,
}

#[tokio::test]
async fn what_was_deleted_meanwhile_stays_deleted() {
    for parties in &Parties::each().await {
        let change = "UPDATE transfers SET status = 'deleted', deleted_at = 1, bytes_until = 1
                      WHERE id = 'ID'";
        let it = between(parties, change).await;
        assert_eq!(status(parties, &it.sent).await, "deleted");
        assert_theirs(parties, &it.sam, &it.to_sam, &it.sams).await;
        let id = row(parties, &it.sent).await.id;
        parties.server.sweep().await;
        until("no byte of it is left", async || {
            thief(&parties.server).blobs_of(id).is_empty()
        })
        .await;
    }
}

#[tokio::test]
async fn what_expired_meanwhile_has_expired() {
    for parties in &Parties::each().await {
        let it = between(
            parties,
            "UPDATE transfers SET expires_at = 1, bytes_until = 1",
        )
        .await;
        for sent in [&it.sent, &it.to_sam] {
            assert_eq!(status(parties, sent).await, "expired");
        }
        let path = format!("{}/download", path_of(&it.sent));
        let refused = parties.jamie.get(&path).await;
        refused.expect_error(410, "GONE");
        parties.server.sweep().await;
        until("no byte is left", async || {
            blobs(&parties.server).is_empty()
        })
        .await;
    }
}

#[tokio::test]
async fn what_was_encrypted_for_a_key_that_is_none_any_more_is_encrypted_anew() {
    for parties in &Parties::each().await {
        let other = ReceiveKey::new();
        let digits = hex::encode(STANDARD.decode(other.public()).unwrap());
        let bytes = match parties.server.engine() {
            Engine::Sqlite => format!("X'{digits}'"),
            Engine::Postgres => format!("'\\x{digits}'::bytea"),
        };
        let change = format!(
            "UPDATE receive_passwords SET public_key = {bytes}
             WHERE account_id = '{}'",
            parties.jamie.account.id
        );
        let it = between(parties, &change).await;
        assert_theirs(parties, &parties.jamie, &it.sent, &other).await;
        assert_theirs(parties, &it.sam, &it.to_sam, &it.sams).await;
        assert_ne!(other.public(), it.key.public());
    }
}

#[tokio::test]
async fn what_nobody_has_a_key_for_any_more_waits_again() {
    let removed = "DELETE FROM receive_passwords WHERE account_id = 'JAMIE'";
    let doubted = "UPDATE accounts SET email_verified_at = NULL WHERE id = 'JAMIE'";
    for change in [removed, doubted] {
        for parties in &Parties::each().await {
            let Parties { server, jamie, .. } = parties;
            let change = change.replace("JAMIE", &jamie.account.id);
            let it = between(parties, &change).await;
            assert_eq!(status(parties, &it.sent).await, "pending_recipient");
            let thief = thief(server);
            let row = row(parties, &it.sent).await;
            assert_eq!(thief.open(&row), Some(vec![BYTES.to_vec()]));
            assert_eq!(
                thief.blobs_of(row.id).len(),
                1,
                "and nothing for the key before"
            );
            assert_theirs(parties, &it.sam, &it.to_sam, &it.sams).await;

            run_sql(server, "UPDATE accounts SET email_verified_at = 1").await;
            let session = server.sign_in(&jamie.email).await;
            put(server, &session, &it.key.password()).await.expect(200);
            server.activate().await;
            assert_theirs(parties, jamie, &it.sent, &it.key).await;
        }
    }
}

/// One that a disk lost a part of waits, whole as far as it is there, and the others do not.
#[tokio::test]
async fn what_a_disk_lost_keeps_nobody_elses_waiting() {
    for parties in &Parties::each().await {
        let Parties { server, jamie, .. } = parties;
        let large: Vec<u8> = (0..200_000_u32).map(|it| it.to_be_bytes()[3]).collect();
        let files: [(&str, &[u8]); 2] = [("a.txt", b"x"), ("large", &large)];
        let mut lost = Vec::new();
        let damages: [fn(&PathBuf); 4] = [
            |it| std::fs::remove_file(it).unwrap(),
            |it| overwrite(it, b""),
            |it| {
                let bytes = std::fs::read(it).unwrap();
                overwrite(it, &bytes[..bytes.len() - 1]);
            },
            |it| {
                let mut bytes = std::fs::read(it).unwrap();
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
                overwrite(it, &bytes);
            },
        ];
        for damage in damages {
            let sent = send(parties, &jamie.email, &files).await;
            let name = format!("{}.1", text(&sent, "id"));
            let blob = blobs(server).into_iter().find(|it| it.ends_with(&name));
            damage(&blob.unwrap());
            lost.push(sent);
        }
        let kept = send(parties, &jamie.email, &FILES).await;
        let before: Vec<_> = blobs(server);
        let key = ReceiveKey::new();
        set(server, jamie, &key).await;
        server.activate().await;
        server.activate().await;
        assert_theirs(parties, jamie, &kept, &key).await;
        for sent in &lost {
            assert_eq!(status(parties, sent).await, "pending_recipient");
            // Nothing of it was written beside, and nothing that was there is gone.
            let id = text(sent, "id");
            let of_it = |all: Vec<PathBuf>| -> Vec<PathBuf> {
                let mut all = all;
                all.retain(|it| it.to_string_lossy().contains(&id));
                all
            };
            assert_eq!(of_it(blobs(server)), of_it(before.clone()));
            jamie.delete(&path_of(sent)).await.expect(200);
        }
        assert!(
            !blobs(server)
                .iter()
                .any(|it| it.to_string_lossy().contains("staging"))
        );
    }
}

/// On a disk that has room for what waits, and not for it a second time.
#[tokio::test]
async fn on_a_full_disk_it_waits_until_there_is_room() {
    for engine in Engine::ALL {
        let disk = SmallDisk::new();
        let place = disk.path().to_owned();
        let change = move |config: &mut Config| {
            config.data_dir = place.join("data");
            if engine == Engine::Sqlite {
                config.database_url = None;
            }
        };
        let parties = Parties::on(TestServer::start(engine, change).await).await;
        let Parties {
            server,
            alex,
            jamie,
        } = &parties;
        let files = || files_under(&disk.path().join("data/blobs"));
        let session = {
            // The mails are in a folder of the same disk, where the testkit does not look.
            let outbox = disk.path().join("data/outbox");
            let body = serde_json::json!({ "email": jamie.email });
            let asked = server.http.post("/v1/password-resets", "", &body).await;
            asked.expect(200);
            let mailed = async || {
                server.send_mails().await;
                !agentdrop_testkit::mailbox::mails_in(&outbox).is_empty()
            };
            until("the link is mailed", mailed).await;
            let mail = agentdrop_testkit::mailbox::mails_in(&outbox).pop().unwrap();
            let password = agentdrop_testkit::server::PASSWORD;
            let body = serde_json::json!({ "token": mail.token(), "password": password });
            let set = server.http.post("/v1/password-resets/confirm", "", &body);
            set.await.expect(200);
            server.sign_in(&jamie.email).await
        };
        let large = vec![7; 900_000];
        let sent = send(&parties, &jamie.email, &[("a.txt", &large)]).await;
        let small = send(&parties, &jamie.email, &[("b.txt", b"x")]).await;
        let before = files();
        let filler = disk.path().join("filler");
        let free = rustix::fs::statvfs(disk.path()).unwrap();
        let keep = 500_000;
        let room = usize::try_from(free.f_bavail * free.f_frsize).unwrap();
        overwrite(&filler, &vec![0; room - keep]);

        let key = ReceiveKey::new();
        put(server, &session, &key.password()).await.expect(200);
        let is_active = async || alex.get(&path_of(&small)).await.expect(200)["status"] == "active";
        until("the small one is activated", is_active).await;
        for _ in 0..3 {
            server.clock.advance(PAUSE);
            server.activate().await;
            assert_eq!(status(&parties, &sent).await, "pending_recipient");
            let id = text(&sent, "id");
            let of_it = |it: &&PathBuf| it.to_string_lossy().contains(&id);
            assert!(files().iter().filter(of_it).eq(before.iter().filter(of_it)));
            assert!(
                !files()
                    .iter()
                    .any(|it| it.to_string_lossy().contains("staging"))
            );
        }
        std::fs::remove_file(&filler).unwrap();
        server.activate().await;
        assert_eq!(status(&parties, &sent).await, "pending_recipient");
        server.clock.advance(PAUSE);
        server.activate().await;
        for (sent, name, bytes) in [(&sent, "a.txt", &large[..]), (&small, "b.txt", b"x")] {
            let grant = jamie.get(&format!("{}/download", path_of(sent))).await;
            let found = opened(jamie, server, &grant.expect(200), &key).await;
            assert_eq!(found, [(name.to_owned(), bytes.to_vec())]);
        }
        // The envelopes and the small one are beside their rows.
        assert_eq!(files().len(), 1);
    }
}

/// However many are at it, and whoever told them to.
#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_activate_one_does() {
    for parties in &Parties::each().await {
        let Parties { server, jamie, .. } = parties;
        let sent = send(parties, &jamie.email, &FILES).await;
        let key = ReceiveKey::new();
        let session = server.session_of(&jamie.account).await;
        let password = key.password();
        let setting = join_all((0..4).map(|_| put(server, &session, &password)));
        let activating = join_all((0..4).map(|_| server.activate()));
        let (set, _) = tokio::join!(setting, activating);
        for it in set {
            it.expect(200);
        }
        server.activate().await;
        assert_theirs(parties, jamie, &sent, &key).await;
        server.mail_to(&jamie.email, "are ready").await;
        let mails = server.mails().into_iter();
        let told = mails.filter(|it| it.header("Subject").contains("are ready"));
        assert_eq!(told.count(), 1);
        let log = log(server, &parties.alex.account).await;
        let noted = log.iter().filter(|it| it["action"] == "transfer.activated");
        assert_eq!(noted.count(), 1);
    }
}

/// More than are looked up at a time, with one among them that cannot be.
#[tokio::test]
async fn many_that_wait_are_all_activated() {
    const MANY: usize = 201;
    for parties in &Parties::each().await {
        let Parties {
            server,
            alex,
            jamie,
        } = parties;
        server.set_plan(&alex.account, Plan::Enterprise).await;
        let mut sent = Vec::new();
        for n in 0..MANY {
            let files: &[(&str, &[u8])] = if n == 50 { &LARGE } else { &FILES };
            sent.push(send(parties, &jamie.email, files).await);
        }
        let lost = sent.remove(50);
        let name = format!("{}.0", text(&lost, "id"));
        let blob = blobs(server).into_iter().find(|it| it.ends_with(&name));
        std::fs::remove_file(blob.unwrap()).unwrap();
        let key = ReceiveKey::new();
        set(server, jamie, &key).await;
        server.activate().await;
        let inbox = jamie.get("/v1/transfers/inbox?status=active&limit=1").await;
        assert_eq!(inbox.expect(200)["total"], MANY - 1);
        assert_eq!(status(parties, &lost).await, "pending_recipient");
        assert_eq!(blobs(server).len(), 2 * (MANY - 1));
        for it in [&sent[0], &sent[98], &sent[99], &sent[MANY - 2]] {
            assert_theirs(parties, jamie, it, &key).await;
        }
    }
}

/// The database went away in the commit of an earlier try, and comes back to finish it: the bytes
/// of that one are the transfer's, and another try does not put its own in their place.
#[tokio::test]
async fn a_try_that_is_committed_late_keeps_its_bytes() {
    const BYTES_OF_IT: &[u8] = b"encrypted by the earlier try";
    for parties in &Parties::each().await {
        let Parties { server, jamie, .. } = parties;
        set(server, jamie, &ReceiveKey::new()).await;
        run_sql(server, "UPDATE accounts SET email_verified_at = NULL").await;
        let sent = send(parties, &jamie.email, &LARGE).await;
        server.activate().await;
        run_sql(server, "UPDATE accounts SET email_verified_at = 1").await;
        let before = row(parties, &sent).await;
        let mut files = vec![before.files[0].clone(), before.files[0].clone()];
        (files[0].blob, files[1].blob) = (Some(1), Some(2));
        let blob = blobs(server).remove(0);
        let names = [blob.with_extension("1"), blob.with_extension("2")];
        for name in &names {
            overwrite(name, BYTES_OF_IT);
        }
        let files = serde_json::to_string(&files).unwrap();
        let late = format!(
            "UPDATE transfers SET status = 'active', files = '{files}' WHERE id = '{}'",
            before.id
        );
        come_between(server, &late).await;
        server.activate().await;
        assert_eq!(status(parties, &sent).await, "active");
        for name in &names {
            assert_eq!(std::fs::read(name).unwrap(), BYTES_OF_IT);
        }
    }
}

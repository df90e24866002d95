//! What lies at rest while a transfer waits for a person, and once it is theirs: seen by whoever
//! has stolen all of it, without the server key and with it.

use agentdrop_testkit::at_rest::Thief;
use agentdrop_testkit::engines::Engine;

use super::*;
use crate::world::{everything, files_under, run_sql, thief};

const SECRET: &str = "the treasure lies under the old oak";
const NAME: &str = "payroll-of-the-queen.pdf";
const MESSAGE: &str = "Weekly report";

/// Files of all lengths at which chunks begin and end, each of them with the secret where it fits.
fn files() -> Vec<(String, Vec<u8>)> {
    let lengths = [0, 1, 35, 16_383, 16_384, 65_536, 65_537, 200_001];
    let of_length = lengths.into_iter().enumerate().map(|(n, length)| {
        let bytes = SECRET.bytes().cycle().take(length).collect();
        (format!("{n}-{NAME}"), bytes)
    });
    of_length.collect()
}

/// Where a text lies in the data directory, less the outbox, where mails wait for people to read
/// them, or in the database.
async fn found(server: &TestServer, secret: &str) -> Vec<String> {
    let mut found = Vec::new();
    let folders = [
        Some(server.data_dir()),
        server.database_folder().map(Into::into),
    ];
    for path in folders.iter().flatten().flat_map(|it| files_under(it)) {
        let bytes = std::fs::read(&path).unwrap();
        let path = path.display().to_string();
        if !path.contains("/outbox/") && contains(&bytes, secret.as_bytes()) {
            found.push(path);
        }
    }
    let digits = hex::encode(secret);
    for (table, rows) in everything(server).await {
        if rows
            .iter()
            .any(|it| it.contains(secret) || it.contains(&digits))
        {
            found.push(table);
        }
    }
    found
}

fn contains(hay: &[u8], needle: &[u8]) -> bool {
    hay.windows(needle.len()).any(|it| it == needle)
}

#[tokio::test]
async fn what_waits_is_read_with_the_server_key_and_not_without() {
    for parties in &Parties::each().await {
        let server = &parties.server;
        let files = files();
        let sent: Vec<_> = files.iter().map(|it| (&*it.0, &*it.1)).collect();
        let sent = send(parties, "pat@example.org", &sent).await;
        let row = row(parties, &sent).await;
        assert_eq!(row.files.len(), files.len());
        server.mail_to("pat@example.org", "wait for you").await;
        for secret in [SECRET, NAME, MESSAGE] {
            assert_eq!(
                found(server, secret).await,
                Vec::<String>::new(),
                "{secret}"
            );
        }

        let thief = thief(server);
        let opened = thief.open(&row).unwrap();
        assert!(
            opened.iter().eq(files.iter().map(|it| &it.1)),
            "it is what was sent"
        );
        let details = thief.details(&row).unwrap();
        assert!(
            details.contains(NAME) && details.contains(MESSAGE),
            "{details}"
        );
        let blobs = thief.blobs();
        let wrapped = [(row.id, row.wrapped_key.clone())];
        assert!(thief.opened(&wrapped, &blobs).is_some());

        // With any other key, nothing.
        let other = tempfile::tempdir().unwrap();
        overwrite(&other.path().join("server.key"), &[7; 32]);
        let other = Thief::of(other.path());
        assert_eq!((other.open(&row), other.details(&row)), (None, None));
        assert_eq!(other.opened(&[], &blobs), None);
    }
}

#[tokio::test]
async fn what_is_a_persons_is_not_read_with_the_server_key_either() {
    for parties in &Parties::each().await {
        let Parties { server, jamie, .. } = parties;
        let files = files();
        let sent: Vec<_> = files.iter().map(|it| (&*it.0, &*it.1)).collect();
        let (sent, waits) = (
            send(parties, &jamie.email, &sent).await,
            send(parties, "new@example.org", &sent).await,
        );
        let (before, waiting) = (row(parties, &sent).await, row(parties, &waits).await);
        let (session, key) = (server.session_of(&jamie.account).await, ReceiveKey::new());
        put(server, &session, &key.password()).await.expect(200);
        let count = files.len() + 1;
        let replaced = async || {
            let blobs = thief(server).blobs_of(before.id);
            status(parties, &sent).await == "active" && blobs.len() == count
        };
        until(
            "it is activated, and the bytes before are deleted",
            replaced,
        )
        .await;

        let thief = thief(server);
        // Every key that there is, those from before too, as a thief who came twice has them.
        let after = row(parties, &sent).await;
        assert_ne!(after.wrapped_key, before.wrapped_key);
        let mut wrapped = Vec::new();
        for row in [&before, &after, &waiting] {
            wrapped.push((row.id, row.wrapped_key.clone()));
        }
        let theirs = thief.blobs_of(after.id);
        assert_eq!(thief.opened(&wrapped, &theirs), None);
        assert_eq!(found(server, SECRET).await, Vec::<String>::new());
        // The thief knows how: what still waits opens with the same keys.
        assert!(
            thief
                .opened(&wrapped, &thief.blobs_of(waiting.id))
                .is_some()
        );
        assert!(thief.open(&waiting).is_some());

        // What the key before was wrapped as is in no page of the database any more.
        if server.engine() == Engine::Sqlite {
            run_sql(server, "PRAGMA wal_checkpoint(TRUNCATE)").await;
            let folder = server.database_folder().unwrap();
            let pages: Vec<_> = files_under(folder)
                .into_iter()
                .map(|it| std::fs::read(it).unwrap())
                .collect();
            let is_there = |it: &Transfer| pages.iter().any(|at| contains(at, &it.wrapped_key));
            assert!(is_there(&after) && is_there(&waiting) && !is_there(&before));
        }

        let grant = jamie.get(&format!("{}/download", path_of(&sent))).await;
        let found = opened(jamie, server, &grant.expect(200), &key).await;
        assert_eq!(found, files);
    }
}

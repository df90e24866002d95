//! Receiving from a server that lies: whatever it does, nothing false lands in the folder.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use agentdrop_client::{Incoming, Note, Phase, Report, Security};
use agentdrop_seal::SecretKey;
use agentdrop_seal::compat::human;
use axum::http::{StatusCode, header};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::hostile::{Hostile, Served, acknowledgement, channel, grant, id, list, names, public};

const TWO: [(&str, &[u8]); 2] = [("one.txt", b"pay 10"), ("two.txt", b"pay 99")];

#[tokio::test]
async fn what_was_sealed_is_received_whole() {
    let large: Vec<u8> = (0..3_000_000_u32).map(|it| it.to_le_bytes()[1]).collect();
    let files: [(&str, &[u8]); 3] = [
        ("empty", b""),
        ("large.bin", &large),
        ("Größe 7 – ünï.txt", b"x"),
    ];
    let server = Hostile::with_transfer(&files).await;
    let received = server.receive().await.unwrap();
    assert_eq!(received.security, Security::Compatible);
    assert_eq!(received.message.unwrap().as_str(), "hello");
    assert_eq!(
        received.sender_key.unwrap().to_string(),
        public(&server.alice)
    );
    assert!(received.unacknowledged.is_none());
    for (got, (name, content)) in received.files.iter().zip(files) {
        assert_eq!(got.path, server.target.path().join(name));
        assert_eq!(fs::read(&got.path).unwrap(), content);
        assert_eq!(got.bytes, content.len() as u64);
        let mode = fs::metadata(&got.path).unwrap().permissions().mode();
        assert_eq!(mode & 0o700, 0o600, "an ordinary file of its owner");
    }
    assert_eq!(names(server.target.path()).len(), 3);
    let world = server.world();
    assert_eq!(
        (world.calls(&grant()), world.calls(&acknowledgement())),
        (1, 1)
    );
    for seen in &world.seen {
        let is_file = seen.path.starts_with("/files/");
        assert_eq!(
            seen.headers.contains_key(header::AUTHORIZATION),
            !is_file,
            "{}",
            seen.path
        );
        assert!(!seen.headers.contains_key(header::COOKIE));
    }
}

#[tokio::test]
async fn a_wrapped_key_is_unwrapped() {
    let server = Hostile::with_wrapped_transfer(&TWO).await;
    let received = server.receive().await.unwrap();
    assert_eq!(fs::read(&received.files[1].path).unwrap(), b"pay 99");

    for field in ["encrypted_key", "sender_public_key"] {
        let server = Hostile::with_wrapped_transfer(&TWO).await;
        server
            .world()
            .change(&grant(), |it| it[field] = Value::Null);
        server.refuses("E2EE_INCOMPLETE").await;
    }
    let server = Hostile::with_wrapped_transfer(&TWO).await;
    let other = public(&SecretKey::generate().unwrap());
    server
        .world()
        .change(&grant(), |it| it["sender_public_key"] = json!(other));
    server.refuses("SEALED_FOR_ANOTHER_KEY").await;
}

#[tokio::test]
async fn what_was_announced_as_encrypted_never_yields_plaintext() {
    for accept in [false, true] {
        let server = Hostile::with_transfer(&TWO).await;
        server
            .world()
            .change(&grant(), |it| it["is_encrypted"] = json!(false));
        let incoming = if accept {
            server.incoming().accept_plaintext()
        } else {
            server.incoming()
        };
        let error = server.client().receive(id(), incoming).await.unwrap_err();
        assert_eq!(error.code(), "DOWNGRADE");
        assert_eq!(names(server.target.path()), [""; 0]);
    }
    // Not announced as such, and yet it names what it was encrypted with.
    let server = Hostile::with_transfer(&TWO).await;
    server
        .world()
        .change(&grant(), |it| it["is_encrypted"] = json!(false));
    server
        .world()
        .change(&list(), |it| it["is_encrypted"] = json!(false));
    let incoming = server.incoming().accept_plaintext();
    let error = server.client().receive(id(), incoming).await.unwrap_err();
    assert_eq!(error.code(), "DOWNGRADE");
}

#[tokio::test]
async fn plaintext_is_refused_before_it_costs_a_download() {
    let server = Hostile::with_plaintext(b"hello").await;
    server.refuses("PLAINTEXT").await;
    assert_eq!(server.world().calls(&grant()), 0);

    let incoming = server.incoming().accept_plaintext();
    let received = server.client().receive(id(), incoming).await.unwrap();
    assert_eq!(received.security, Security::Plaintext);
    assert_eq!(fs::read(&received.files[0].path).unwrap(), b"hello");
}

#[tokio::test]
async fn what_is_missing_to_open_it_is_an_error() {
    let absent = [
        ("/encryption_algorithm", Value::Null),
        ("/channel_id", Value::Null),
        ("/encryption_salt", Value::Null),
        ("/encryption_salt", json!("AAAA")),
        ("/encryption_salt", json!("not base64")),
        ("/files/1/encryption_iv", Value::Null),
        ("/files/1/encryption_iv", json!("")),
        ("/files/1/encryption_iv", json!("AAAA")),
    ];
    for (field, value) in absent {
        let server = Hostile::with_transfer(&TWO).await;
        server.world().change(&grant(), |it| {
            *it.pointer_mut(field).unwrap_or(&mut Value::Null) = value;
        });
        server.refuses("E2EE_INCOMPLETE").await;
    }
    for algorithm in ["AES-256-GCM", "", human::ALGORITHM] {
        let server = Hostile::with_transfer(&TWO).await;
        server
            .world()
            .change(&grant(), |it| it["encryption_algorithm"] = json!(algorithm));
        server.refuses("UNKNOWN_ALGORITHM").await;
    }
}

#[tokio::test]
async fn names_are_data() {
    for (name, placed) in [
        ("../x", "x"),
        ("/abs/x", "x"),
        (r"..\..\x", "x"),
        ("NUL", "_NUL"),
    ] {
        let server = Hostile::with_transfer(&[(name, b"1")]).await;
        let folder = server.target.path().join("below");
        let received = server
            .client()
            .receive(id(), Incoming::into_folder(&folder))
            .await
            .unwrap();
        assert_eq!(received.files[0].path, folder.join(placed), "{name}");
        assert_eq!(names(server.target.path()), ["below"], "{name}");
    }
    for name in ["..", "", "a/..", "a\0b", "a\nb", "x\u{202e}gpj"] {
        let server = Hostile::with_transfer(&[(name, b"1")]).await;
        server.refuses("BAD_ANSWER").await;
    }
}

#[tokio::test]
async fn both_of_two_equal_names_are_kept_and_nothing_is_replaced() {
    let server = Hostile::with_transfer(&[("a.txt", b"one"), ("a.txt", b"two")]).await;
    fs::copy("Cargo.toml", server.target.path().join("a.txt")).unwrap();
    let received = server.receive().await.unwrap();
    assert_eq!(
        names(server.target.path()),
        ["a (1).txt", "a (2).txt", "a.txt"]
    );
    assert_eq!(fs::read(&received.files[0].path).unwrap(), b"one");
    assert_eq!(fs::read(&received.files[1].path).unwrap(), b"two");
    assert!(
        fs::read(server.target.path().join("a.txt"))
            .unwrap()
            .starts_with(b"[package]")
    );
}

#[tokio::test]
async fn a_grant_of_other_files_than_announced_is_refused() {
    let changes: [fn(&mut Value); 6] = [
        |it| drop(it["files"].as_array_mut().unwrap().pop()),
        |it| it["files"][1] = it["files"][0].clone(),
        |it| it["files"][1]["size"] = json!(23),
        |it| it["files"][1]["name"] = json!("one.txt"),
        |it| it["files"][1]["file_name"] = json!("one.txt"),
        |it| it["id"] = json!("tr_019a9f3e5c1a7b2d8e4fa1b2c3d4e5f7"),
    ];
    for change in changes {
        let server = Hostile::with_transfer(&TWO).await;
        server.world().change(&grant(), change);
        server.refuses("TRANSFER_CHANGED").await;
    }
    // What was in the list counts, whatever the server says afterwards.
    let server = Hostile::with_transfer(&TWO).await;
    let listed = server.client().transfer(id()).await.unwrap();
    for call in [list(), grant()] {
        server
            .world()
            .change(&call, |it| drop(it["files"].as_array_mut().unwrap().pop()));
    }
    let incoming = server.incoming().listed(listed);
    let error = server.client().receive(id(), incoming).await.unwrap_err();
    assert_eq!(error.code(), "TRANSFER_CHANGED");
}

#[tokio::test]
async fn swapped_files_do_not_open() {
    // Of equal length, so that only the seal can tell.
    let server = Hostile::with_transfer(&TWO).await;
    server.world().change(&grant(), |it| {
        it["files"][0]["download_url"] = json!("/files/1");
        it["files"][1]["download_url"] = json!("/files/0");
    });
    server.refuses("OPEN_REFUSED").await;

    let server = Hostile::with_transfer(&[("a", b"short"), ("b", b"longer")]).await;
    server.world().change(&grant(), |it| {
        it["files"][0]["download_url"] = json!("/files/1");
    });
    server.refuses_for_now("BAD_ANSWER").await;
}

#[tokio::test]
async fn of_a_transfer_with_one_bad_file_none_is_placed() {
    for at in [0, 5, 21] {
        let server = Hostile::with_transfer(&TWO).await;
        server.world().files.get_mut("/files/1").unwrap().bytes[at] ^= 1;
        server.refuses("OPEN_REFUSED").await;
    }
}

#[tokio::test]
async fn a_file_has_the_length_that_was_announced() {
    for (call, bytes) in [
        ("/files/0", 21),
        ("/files/0", 23),
        ("/files/1", 0),
        ("/files/1", 100_000),
    ] {
        let server = Hostile::with_transfer(&TWO).await;
        server
            .world()
            .files
            .get_mut(call)
            .unwrap()
            .bytes
            .resize(bytes, 0);
        server.refuses_for_now("BAD_ANSWER").await;
    }
    // Too short to hold a tag, and announced so.
    let server = Hostile::with_transfer(&TWO).await;
    server
        .world()
        .files
        .get_mut("/files/0")
        .unwrap()
        .bytes
        .truncate(15);
    for call in [list(), grant()] {
        server
            .world()
            .change(&call, |it| it["files"][0]["size"] = json!(15));
    }
    server.refuses("OPEN_REFUSED").await;
}

#[tokio::test]
async fn a_connection_that_breaks_is_resumed_under_the_same_grant() {
    let content = vec![7; 5_000_000];
    let server = Hostile::with_transfer(&[("a", &content)]).await;
    {
        let mut world = server.world();
        let file = world.files.get_mut("/files/0").unwrap();
        file.etag = Some("\"v1\"");
        // More breaks than tries without progress.
        file.cuts = vec![1_500_000, 1_200_000, 1_100_000, 1_050_000];
    }
    let received = server.receive().await.unwrap();
    assert_eq!(fs::read(&received.files[0].path).unwrap(), content);
    let world = server.world();
    assert_eq!((world.calls(&grant()), world.calls("GET /files/0")), (1, 5));
    let ranges = world
        .seen
        .iter()
        .filter_map(|it| it.headers.get(header::RANGE));
    assert_eq!(ranges.count(), 4);
}

#[tokio::test]
async fn what_cannot_be_resumed_is_fetched_again() {
    for etag in [None, Some("W/\"v1\"")] {
        let server = Hostile::with_transfer(&TWO).await;
        {
            let mut world = server.world();
            let file = world.files.get_mut("/files/0").unwrap();
            (file.etag, file.cuts) = (etag, vec![10]);
        }
        let received = server.receive().await.unwrap();
        assert_eq!(fs::read(&received.files[0].path).unwrap(), b"pay 10");
        let world = server.world();
        assert!(
            world
                .seen
                .iter()
                .all(|it| !it.headers.contains_key(header::RANGE))
        );
    }
}

#[tokio::test]
async fn a_connection_that_always_breaks_is_given_up() {
    let server = Hostile::with_transfer(&TWO).await;
    {
        let mut world = server.world();
        let file = world.files.get_mut("/files/1").unwrap();
        (file.etag, file.cuts) = (Some("\"v1\""), vec![1; 50]);
    }
    let error = server.receive().await.unwrap_err();
    assert_eq!(error.code(), "CONNECTION_BROKEN");
    assert_eq!(server.visible(), [""; 0]);
    assert!(server.world().calls("GET /files/1") < 10);
}

#[tokio::test]
async fn a_file_in_the_clear_is_fetched_from_nowhere_else() {
    for url in [
        "http://169.254.169.254/latest",
        "http://10.0.0.1/files/0",
        "file:///etc/passwd",
        "https://a:b@127.0.0.1/",
    ] {
        let server = Hostile::with_transfer(&TWO).await;
        server
            .world()
            .change(&grant(), |it| it["files"][0]["download_url"] = json!(url));
        server.refuses("FOREIGN_URL").await;
    }
    // Nor by a redirect.
    let other = Hostile::with_transfer(&TWO).await;
    let elsewhere = format!("{}/files/0", other.url);
    let server = Hostile::with_transfer(&TWO).await;
    server.world().files.remove("/files/0");
    let to = [("location", &*elsewhere)];
    server
        .world()
        .answer_raw("GET /files/0", StatusCode::FOUND, &to, "");
    server.refuses_for_now("BAD_ANSWER").await;
    assert!(other.world().seen.is_empty());
}

#[tokio::test]
async fn a_file_from_the_servers_store_is_fetched_without_a_key_and_judged_by_its_seal() {
    for right in [true, false] {
        let (server, store) = (Hostile::with_transfer(&TWO).await, Hostile::start().await);
        {
            let (mut world, mut there) = (server.world(), store.world());
            let mut served = world.files.remove("/files/0").unwrap();
            served.etag = Some("\"md5\"");
            served.cuts = vec![10];
            if !right {
                served.bytes[0] ^= 1;
            }
            there.files.insert("/bucket/key".to_owned(), served);
            let url = format!("{}/bucket/key?X-Amz-Signature=1", store.url);
            world.change(&grant(), |it| it["files"][0]["download_url"] = json!(url));
        }
        if right {
            let received = server.receive().await.unwrap();
            assert_eq!(fs::read(&received.files[0].path).unwrap(), b"pay 10");
        } else {
            server.refuses("OPEN_REFUSED").await;
        }
        let there = store.world();
        assert_eq!(there.seen.len(), 2);
        assert_eq!(there.seen[1].headers[header::RANGE], "bytes=10-");
        for header in [header::AUTHORIZATION, header::COOKIE, header::REFERER] {
            assert!(
                there
                    .seen
                    .iter()
                    .all(|it| !it.headers.contains_key(&header))
            );
        }
    }
}

#[tokio::test]
async fn two_answers_about_the_senders_key_must_agree() {
    let other = SecretKey::generate().unwrap();
    let server = Hostile::with_transfer(&TWO).await;
    server.world().change(&channel(), |it| {
        it["agent_a_public_key"] = json!(public(&other));
    });
    server.refuses("PEER_KEY_DIFFERS").await;

    // With a new key since, the one of the time of sending opens it.
    server
        .world()
        .change(&channel(), |it| it["agent_a_key_version"] = json!(2));
    let received = server.receive().await.unwrap();
    assert_eq!(
        received.sender_key.unwrap().to_string(),
        public(&server.alice)
    );

    // A key that did not seal it does not open it.
    let server = Hostile::with_transfer(&TWO).await;
    server.world().change(&grant(), |it| {
        it["sender_public_key"] = json!(public(&other));
    });
    server.world().change(&channel(), |it| {
        it["agent_a_public_key"] = json!(public(&other));
    });
    server.refuses("OPEN_REFUSED").await;

    let server = Hostile::with_transfer(&TWO).await;
    server.world().change(&grant(), |it| {
        it["recipient_public_key"] = json!(public(&other));
    });
    server.refuses("SEALED_FOR_ANOTHER_KEY").await;

    let server = Hostile::with_transfer(&TWO).await;
    let third = "019a9f3e-5c1a-7b2d-8e4f-a1b2c3d4e5ff";
    server
        .world()
        .change(&channel(), |it| it["agent_b_id"] = json!(third));
    server.refuses("WRONG_CHANNEL").await;
}

#[tokio::test]
async fn files_stay_if_the_server_is_not_told() {
    let server = Hostile::with_transfer(&TWO).await;
    server.world().answers.remove(&acknowledgement());
    let received = server.receive().await.unwrap();
    assert_eq!(received.unacknowledged.unwrap().code(), "UNKNOWN");
    assert_eq!(names(server.target.path()), ["one.txt", "two.txt"]);
}

#[tokio::test]
async fn whoever_stops_waiting_leaves_nothing_to_be_seen() {
    let content = vec![7; 1_000_000];
    let server = Hostile::with_transfer(&[("a", b"1"), ("b", &content)]).await;
    server.world().files.get_mut("/files/1").unwrap().stalls = true;
    let receiving = tokio::time::timeout(Duration::from_millis(500), server.receive());
    assert!(receiving.await.is_err());
    assert_eq!(server.world().calls("GET /files/1"), 1);
    assert_eq!(server.visible(), [""; 0]);
}

#[tokio::test]
async fn whoever_stops_waiting_while_a_file_is_opened_goes_on_without_the_network() {
    let server = Hostile::with_transfer(&[("a", &vec![7; 30_000_000])]).await;
    let opening = Arc::new(Notify::new());
    let sink = Arc::clone(&opening);
    let incoming = server.incoming().progress(move |it: Report| {
        if it.phase == Phase::Opening {
            sink.notify_one();
        }
    });
    let client = server.client();
    tokio::select! {
        received = client.receive(id(), incoming) => panic!("it was not so fast: {received:?}"),
        () = opening.notified() => {}
    }
    assert_eq!(server.visible(), [""; 0]);
    let received = server.receive().await.unwrap();
    assert_eq!(
        fs::read(&received.files[0].path).unwrap(),
        vec![7; 30_000_000]
    );
    let world = server.world();
    assert_eq!((world.calls(&grant()), world.calls("GET /files/0")), (1, 1));
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_costs_no_download() {
    let server = Hostile::with_transfer(&TWO).await;
    let file = server.target.path().join("file");
    fs::copy("Cargo.toml", &file).unwrap();
    let error = server
        .client()
        .receive(id(), Incoming::into_folder(&file))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "IO");
    assert_eq!(server.world().calls(&grant()), 0);
}

#[tokio::test]
async fn progress_ends_where_it_says() {
    let server = Hostile::with_transfer(&[("a", &vec![1; 300_000]), ("b", b"x")]).await;
    let reports = Arc::new(Mutex::new(Vec::<Report>::new()));
    let sink = Arc::clone(&reports);
    let incoming = server
        .incoming()
        .progress(move |it| sink.lock().unwrap().push(it));
    server.client().receive(id(), incoming).await.unwrap();
    for phase in [Phase::Fetching, Phase::Opening] {
        let reports = reports.lock().unwrap();
        let last = reports.iter().rfind(|it| it.phase == phase).unwrap();
        assert_eq!(last.done_bytes, last.total_bytes, "{phase:?}");
    }
}

#[tokio::test]
async fn a_file_served_under_a_new_tag_is_taken_from_its_beginning() {
    let server = Hostile::with_transfer(&TWO).await;
    let mut bytes = server.world().files["/files/0"].bytes.clone();
    bytes[0] ^= 1;
    // What came first is wrong, and must not be the beginning of what comes then.
    let wrong = Served {
        bytes,
        cuts: vec![10],
        etag: Some("\"v1\""),
        ..Served::default()
    };
    let right = server
        .world()
        .files
        .insert("/files/0".to_owned(), wrong)
        .unwrap();
    let client = server.client();
    let receiving = client.receive(id(), server.incoming());
    let swapping = async {
        while server.world().calls("GET /files/0") == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let right = Served {
            etag: Some("\"v2\""),
            ..right
        };
        server.world().files.insert("/files/0".to_owned(), right);
    };
    let (received, ()) = tokio::join!(receiving, swapping);
    assert_eq!(
        fs::read(&received.unwrap().files[0].path).unwrap(),
        b"pay 10"
    );
}

/// A tar of a file that can be run, in a folder.
fn packed() -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.set_size(2);
    header.set_mode(0o755);
    let mut builder = tar::Builder::new(Vec::new());
    builder
        .append_data(&mut header, "below/run", &b"#!"[..])
        .unwrap();
    builder.into_inner().unwrap()
}

#[tokio::test]
async fn a_folder_is_unpacked_beside_what_is_there() {
    let server =
        Hostile::with_transfer(&[("report.tar", &packed()), ("other.tar", &packed())]).await;
    let folders = json!({ "agentdrop": { "folders": ["report.tar", 7, "no such"] } });
    server
        .world()
        .change(&list(), |it| it["metadata"] = folders);
    let theirs = server.target.path().join("report");
    fs::create_dir(&theirs).unwrap();
    let received = server.receive().await.unwrap();
    assert_eq!(received.notes, []);
    let [report, other] = &*received.files else {
        panic!("there are two")
    };
    assert_eq!(report.path, server.target.path().join("report (1)"));
    assert!(report.is_folder && !other.is_folder);
    assert_eq!(fs::read(report.path.join("below/run")).unwrap(), b"#!");
    assert_eq!(fs::read(&other.path).unwrap(), packed());
    assert_eq!(
        names(server.target.path()),
        ["other.tar", "report", "report (1)"]
    );
    assert_eq!(fs::read_dir(theirs).unwrap().count(), 0);

    let server = Hostile::with_transfer(&[("report.tar", &packed())]).await;
    let folders = json!({ "agentdrop": { "folders": ["report.tar"] } });
    server
        .world()
        .change(&list(), |it| it["metadata"] = folders);
    let incoming = server.incoming().keep_packed();
    server.client().receive(id(), incoming).await.unwrap();
    assert_eq!(names(server.target.path()), ["report.tar"]);
}

#[tokio::test]
async fn what_cannot_be_unpacked_is_here_as_it_came() {
    let names_of_ours = ".agentdrop-incoming-x.tar";
    for (name, content, is_told) in [
        ("report.tar", &b"no tar"[..], true),
        (".tar", &packed(), false),
        (names_of_ours, &packed(), false),
        ("report", &packed(), false),
    ] {
        let server = Hostile::with_transfer(&[(name, content)]).await;
        let folders = json!({ "agentdrop": { "folders": [name] } });
        server
            .world()
            .change(&list(), |it| it["metadata"] = folders);
        let received = server.receive().await.unwrap();
        assert_eq!(names(server.target.path()), [name]);
        assert_eq!(fs::read(&received.files[0].path).unwrap(), content);
        let told = matches!(&*received.notes, [Note::NotUnpacked { .. }]);
        assert_eq!(told, is_told, "{name}: {:?}", received.notes);
    }
    for metadata in [
        json!({}),
        json!({"agentdrop": 1}),
        json!({"agentdrop": {"folders": "report.tar"}}),
    ] {
        let server = Hostile::with_transfer(&[("report.tar", &packed())]).await;
        server
            .world()
            .change(&list(), |it| it["metadata"] = metadata);
        server.receive().await.unwrap();
        assert_eq!(names(server.target.path()), ["report.tar"]);
    }
}

//! What is wrong on the disk, and is named.

use std::fs;
use std::os::unix::fs::FileExt as _;

use serde_json::json;

use super::{World, modes};
use crate::support::eventually;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_on_the_disk_is_named() {
    let world = World::new().await;
    let check = "check --data-dir data";
    let well = world.admin(check, 0);
    assert_eq!(well["findings"], json!([]));
    assert!(
        well["decrypted_bytes"].as_u64().unwrap() >= 400_000,
        "{well}"
    );
    assert!(
        well["measured_bytes"].as_u64().unwrap() >= 33 << 20,
        "{well}"
    );
    assert!(well["audit"]["records"].as_u64().unwrap() > 0, "{well}");

    let blobs = world.data().join("blobs");
    let blob = |id: &str, end: &str| {
        let all = modes(&blobs).into_iter().map(|it| it.0);
        let mut of = all.filter(|it| {
            let path = it.to_str().unwrap();
            it.is_file() && path.contains(&format!("{id}{end}"))
        });
        of.next().unwrap()
    };
    // What the server encrypted: one byte, in the middle.
    let flipped = blob(&world.pending, ".");
    let file = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(flipped)
        .unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, 100_000).unwrap();
    file.write_all_at(&[byte[0] ^ 1], 100_000).unwrap();
    // What its sender sealed: one part is short, and a file of another is gone.
    let short = blob(&world.sealed, ".parts/");
    let length = short.metadata().unwrap().len();
    let file = fs::OpenOptions::new().write(true).open(short).unwrap();
    file.set_len(length - 1).unwrap();
    let third = world.pair.json("alice", "send bob small")["id"].clone();
    let third = third.as_str().unwrap();
    let gone = blob(third, ".");
    // Its bytes under a name that no row has.
    let orphan = format!("{}.7", world.expired);
    let shard = blob(&world.expired, ".").parent().unwrap().to_owned();
    fs::rename(gone, shard.join(&orphan)).unwrap();

    // The same of what is kept beside rows.
    let fourth = world.pair.json("alice", "send bob tiny")["id"].clone();
    let fourth = fourth.as_str().unwrap();
    for (change, id) in [
        (
            "UPDATE small_bodies SET bytes = zeroblob(length(bytes))",
            &*world.pending,
        ),
        (
            "UPDATE small_bodies SET bytes = substr(bytes, 2)",
            &world.sealed_tiny,
        ),
        ("DELETE FROM small_bodies", fourth),
    ] {
        let change = format!("{change} WHERE transfer_id = ?1");
        assert!(world.database().execute(&change, [id]).unwrap() > 0, "{id}");
    }

    let found = world.admin(check, 1);
    assert_eq!(found["ok"], false);
    let findings = found["findings"].as_array().unwrap();
    let has = |id: &str, fault: &str| {
        findings
            .iter()
            .any(|it| it["transfer_id"] == id && it["fault"] == fault && it["file"].is_u64())
    };
    assert!(has(&world.pending, "changed"), "{found}");
    assert!(has(&world.sealed, "length"), "{found}");
    assert!(has(third, "missing"), "{found}");
    assert!(has(&world.sealed_tiny, "length"), "{found}");
    assert!(has(fourth, "missing"), "{found}");
    // Both of the one that waits, each of what its sender sealed.
    let of = |id: &str| findings.iter().filter(|it| it["transfer_id"] == id).count();
    let all = [of(&world.pending), of(&world.sealed), of(third)];
    assert_eq!(all, [2, 1, 1], "{found}");
    let known = [
        &*world.pending,
        &world.sealed,
        third,
        &world.sealed_tiny,
        fourth,
    ];
    let known: usize = known.into_iter().map(of).sum();
    assert_eq!(findings.len(), known, "{found}");
    assert_eq!(found["orphans"]["named"], json!([orphan]));
    assert_eq!(found["orphans"]["young"], 1);
    // No name of a file is told.
    let said = world.pair.sandbox.run(&format!("admin {check}")).expect(1);
    assert!(said.stdout.contains(&world.sealed), "{said:?}");
    assert!(!said.stdout.contains("small"), "{said:?}");
    // What is not whole is not backed up in silence, and what was made is no backup.
    world.refused("backup kept --data-dir data", 2, "LOST_BYTES");
    world.refused("restore kept --data-dir back", 1, "NO_BACKUP");
    // What was deleted is missed no more.
    for id in [
        &*world.pending,
        &*world.sealed,
        third,
        &*world.sealed_tiny,
        fourth,
    ] {
        world.pair.json("alice", &format!("delete {id}"));
    }
    eventually("nothing is wrong", || world.admin_ok(check));
}

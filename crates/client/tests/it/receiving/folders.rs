//! Folders that came packed: unpacked where they can be, and here as they came where not.

use std::fs;

use agentdrop_client::Note;
use serde_json::json;

use crate::hostile::{Hostile, id, list, names};

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

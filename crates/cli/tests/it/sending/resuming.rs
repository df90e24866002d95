//! After a kill, a cut connection, a server that was started anew; and never two versions of a file.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::{ENVELOPE, Far, MIB, PART, TALK, assert_all_sent, ended, noise, sealed};
use crate::support::Serve;

/// Writes other bytes at a place of a file, and leaves everything else that is known of it as it is.
fn change_unseen(path: &PathBuf, at: u64) {
    let before = fs::metadata(path).unwrap();
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .unwrap();
    let mut byte = [0];
    file.seek(SeekFrom::Start(at)).unwrap();
    file.read_exact(&mut byte).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(&[byte[0] ^ 1]).unwrap();
    file.set_modified(before.modified().unwrap()).unwrap();
    let after = fs::metadata(path).unwrap();
    assert_eq!(before.modified().unwrap(), after.modified().unwrap());
}

#[test]
fn what_broke_off_goes_on_where_it_stopped_and_sends_a_part_twice_at_most() {
    let mut far = Far::new();
    let content = noise(70 * MIB + 12_345);
    far.pair.file("large", &content);
    let begun = far.way.up();
    let line = "--json send bob large";

    far.killed_after(21 * MIB, line);
    assert_eq!(far.kept().len(), 1);
    let mode = fs::metadata(&far.kept()[0]).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    far.killed_after(17 * MIB + 500_000, line);

    // The connection breaks, and then the server goes: the same run goes on.
    far.way.hold_after(far.way.up() + 13 * MIB);
    let child = far.send(line);
    far.way.held();
    far.way.cut();
    far.way.hold_after(far.way.up() + 11 * MIB);
    far.way.held();
    far.pair.serve.signal(Signal::KILL);
    far.pair.serve.wait();
    far.way.cut();
    let url = far.way.url.clone();
    let again = Serve::start_with(&far.pair.sandbox, &["--public-url", &url]);
    far.way.lead_to(&again.url);
    far.pair.serve = again;
    far.way.let_pass();
    let sent = ended(child).expect(0);
    assert_eq!(sent.stderr, "");
    let sent = sent.json();
    assert_eq!(sent["resumed"], true);
    let sent_bytes = sent["bytes_sent"].as_u64().unwrap();
    // The envelope is made last, so that it was not there.
    let once = sealed(content.len() as u64);
    let envelope = (sent_bytes - once % PART) % PART;
    assert!((1000..ENVELOPE).contains(&envelope), "{sent_bytes}");

    // Four interruptions, two parts at a time.
    let twice = 4 * 2 * PART;
    let passed = far.way.up() - begun;
    assert!(
        (once..once + twice + 5 * TALK).contains(&passed),
        "{passed}"
    );
    assert_eq!(far.kept(), Vec::<PathBuf>::new());
    assert!(far.received("large") == content);
}

#[test]
fn a_file_that_changed_is_never_mixed_with_what_it_was() {
    let far = Far::new();
    let content = noise(40 * MIB);
    let path = far.pair.file("large", &content);
    // In what was sent, and behind it; seen, and unseen.
    for (at, line) in [(5 * MIB, "send bob large"), (9 * MIB, "send bob large")] {
        far.killed_after(27 * MIB, line);
        let old = fs::read_to_string(&far.kept()[0]).unwrap();
        let acknowledged = old.matches("\"acknowledged\"").count();
        assert!(acknowledged >= 1, "{acknowledged}");
        change_unseen(&path, at);
        let now = fs::read(&path).unwrap();
        let before = far.way.up();
        let run = ended(far.send(line)).expect(0);
        assert!(
            run.stderr.contains("beginning anew: a file changed since"),
            "{run:?}"
        );
        // Not a part of it went under the old keys, but for those before the change.
        let passed = far.way.up() - before;
        let once = sealed(now.len() as u64);
        let most = once + at / PART * PART + TALK;
        assert!((once..most).contains(&passed), "{passed}");
        assert!(far.received("large") == now);
        assert_eq!(far.kept(), Vec::<PathBuf>::new());
    }

    far.killed_after(20 * MIB, "send bob large");
    File::create(&path).unwrap().write_all(&content).unwrap();
    let run = ended(far.send("send bob large")).expect(0);
    assert!(
        run.stderr.contains("beginning anew: a file changed since"),
        "{run:?}"
    );
    assert!(far.received("large") == content);
}

#[test]
fn what_is_kept_is_trusted_only_as_it_was_written() {
    let far = Far::new();
    let content = noise(33 * MIB);
    far.pair.file("large", &content);
    let line = "send bob large";

    // Others can read it.
    far.killed_after(20 * MIB, line);
    let kept = far.kept().remove(0);
    fs::set_permissions(&kept, fs::Permissions::from_mode(0o644)).unwrap();
    let run = ended(far.send(line)).expect(0);
    assert!(run.stderr.contains("is not trusted"), "{run:?}");
    assert!(far.received("large") == content);
    assert_eq!(far.kept(), std::slice::from_ref(&kept));
    fs::remove_file(&kept).unwrap();

    // Rubbish, in its head and behind it.
    for (from, to) in [
        ("{\"version\":5", "{\"version\":\"x\""),
        ("{\"announced\"", "{\"x\""),
    ] {
        far.killed_after(20 * MIB, line);
        let kept = far.kept().remove(0);
        let text = fs::read_to_string(&kept).unwrap();
        assert!(text.contains(from));
        OpenOptions::new()
            .write(true)
            .truncate(true)
            .open(&kept)
            .unwrap()
            .write_all(text.replace(from, to).as_bytes())
            .unwrap();
        let run = ended(far.send(line)).expect(0);
        assert!(run.stderr.contains("is not trusted"), "{run:?}");
        assert!(far.received("large") == content);
        fs::remove_file(&kept).unwrap();
    }

    // What a crash cut off did not happen.
    far.killed_after(20 * MIB, line);
    let kept = far.kept().remove(0);
    let mut file = OpenOptions::new().append(true).open(&kept).unwrap();
    file.write_all(b"{\"acknowledged\":[0,1,\"").unwrap();
    let run = ended(far.send(line)).expect(0);
    assert!(run.stderr.contains("resuming: "), "{run:?}");
    assert!(far.received("large") == content);
}

#[test]
fn parts_that_were_never_acknowledged_are_not_believed_to_be_there() {
    let far = Far::new();
    let content = noise(33 * MIB);
    far.pair.file("large", &content);
    far.killed_after(27 * MIB, "send bob large");
    let kept = far.kept().remove(0);
    let text = fs::read_to_string(&kept).unwrap();
    let lines = text.lines().filter(|it| !it.contains("\"acknowledged\""));
    let lines = lines.collect::<Vec<_>>().join("\n") + "\n";
    assert!(lines.len() < text.len());
    let mut file = OpenOptions::new()
        .write(true)
        .truncate(true)
        .open(&kept)
        .unwrap();
    file.write_all(lines.as_bytes()).unwrap();
    let sent = ended(far.send("--json send bob large")).expect(0).json();
    assert_eq!(sent["resumed"], true);
    assert_all_sent(&sent, content.len() as u64);
    assert!(far.received("large") == content);
}

#[test]
fn what_is_to_begin_anew_does_and_what_goes_on_elsewhere_is_left_alone() {
    let far = Far::new();
    let content = noise(33 * MIB);
    far.pair.file("large", &content);
    far.killed_after(20 * MIB, "send bob large");
    let sent = ended(far.send("--json send bob large --fresh"))
        .expect(0)
        .json();
    assert_eq!(sent["resumed"], false);
    assert_all_sent(&sent, content.len() as u64);
    assert_eq!(far.kept(), Vec::<PathBuf>::new());
    assert!(far.received("large") == content);

    // Two at once: the second has its own keys and its own transfer.
    far.way.hold_after(far.way.up() + 20 * MIB);
    let first = far.send("--json send bob large");
    far.way.held();
    far.way.let_pass();
    let second = far.send("--json send bob large");
    let ids: Vec<Value> = [first, second]
        .map(|it| ended(it).expect(0).json()["id"].clone())
        .into();
    assert_ne!(ids[0], ids[1]);
    assert_eq!(far.kept(), Vec::<PathBuf>::new());
}

#[test]
fn what_is_deleted_while_it_is_sent_says_so_and_begins_anew() {
    let far = Far::new();
    let content = noise(40 * MIB);
    far.pair.file("large", &content);
    let delete = || {
        // By a way that is never held up.
        let url = &far.pair.serve.url;
        let list = far.pair.json("alice", &format!("list --server {url}"));
        let id = list["transfers"][0]["id"].as_str().unwrap();
        let line = format!("delete {id} --server {url}");
        far.pair.run("alice", &line).expect(0);
    };
    far.way.hold_after(far.way.up() + 14 * MIB);
    let child = far.send("--json send bob large");
    far.way.held();
    delete();
    far.way.let_pass();
    let run = ended(child).expect(2).json();
    assert_eq!(run["error"]["code"], "UPLOAD_ENDED", "{run}");
    assert!(far.kept().is_empty());

    far.killed_after(14 * MIB, "send bob large");
    delete();
    let run = ended(far.send("send bob large")).expect(0);
    let said = "beginning anew: the server has nothing of it any more";
    assert!(run.stderr.contains(said), "{run:?}");
    assert!(far.received("large") == content);
}

#[test]
fn where_nothing_can_be_kept_it_is_sent_all_the_same() {
    let far = Far::new();
    let content = noise(33 * MIB);
    far.pair.file("large", &content);
    far.pair.file("alice/uploads", b"no folder");
    let run = ended(far.send("send bob large")).expect(0);
    let said = "if this breaks off it cannot go on where it stopped: ";
    assert!(run.stderr.contains(said), "{run:?}");
    assert!(far.received("large") == content);
}

#[test]
fn a_file_that_ends_where_a_part_does_is_gone_on_behind() {
    let far = Far::compatible();
    // With its tag, the first is one part to the last byte. In chunks no file can be that.
    far.pair.file("first", &noise(PART - 16));
    far.pair.file("second", &noise(33 * MIB));
    let line = "--json send bob first second --parallel 1";
    far.killed_after(20 * MIB, line);
    let run = ended(far.send(line)).expect(0);
    let sent = run.json();
    assert_eq!(sent["resumed"], true, "{run:?}");
    // One part at a time: two were there when the third was cut off.
    assert_eq!(sent["bytes_sent"], 41 * MIB + 16 - 2 * PART);
}

#[test]
fn whoever_interrupts_it_is_told_what_is_kept() {
    let far = Far::new();
    far.pair.file("large", &noise(40 * MIB));
    far.pair.file("small", &noise(20 * MIB));
    for (line, after, told) in [
        (
            "send bob large",
            27,
            "are kept, and the same command goes on there",
        ),
        (
            "send bob large --fresh",
            27,
            "are kept, and the same command without `--fresh` goes on there",
        ),
        (
            "send bob small",
            10,
            "nothing is kept; the same command begins anew",
        ),
    ] {
        far.way.hold_after(far.way.up() + after * MIB);
        let child = far.send(&format!("--json {line}"));
        far.way.held();
        kill_process(Pid::from_child(&child), Signal::INT).unwrap();
        let run = ended(child).expect(130);
        let error = &run.json()["error"];
        assert_eq!(error["code"], "INTERRUPTED");
        let hint = error["hint"].as_str().unwrap();
        assert!(hint.ends_with(told), "{line}: {hint}");
        far.way.cut();
        far.way.let_pass();
    }
}

#[test]
fn another_upload_that_broke_off_is_named_and_thrown_away_when_it_is_old() {
    let far = Far::new();
    far.pair.file("large", &noise(40 * MIB));
    far.pair.file("small", b"1");
    far.killed_after(20 * MIB, "send bob large");
    let kept = far.kept().remove(0);
    let run = ended(far.send("send bob large --expires-in 2h")).expect(0);
    assert!(run.stderr.contains("1 other upload in "), "{run:?}");
    assert_eq!(far.kept(), std::slice::from_ref(&kept));

    // Also when something is sent of which nothing is ever kept.
    let file = File::open(&kept).unwrap();
    let written = file.metadata().unwrap().modified().unwrap();
    let yesterday = written - Duration::from_hours(25);
    file.set_modified(yesterday).unwrap();
    let run = ended(far.send("send bob small")).expect(0);
    assert!(!run.stderr.contains("other upload"), "{run:?}");
    assert_eq!(far.kept(), Vec::<PathBuf>::new());
}

#[test]
fn an_envelope_that_did_not_leave_is_made_again_and_opens() {
    let far = Far::new();
    let content = noise(33 * MIB);
    far.pair.file("large", &content);
    // Around where it leaves: what is said beside files is of a few kilobytes.
    for behind in [0, 1500, 3000, 4500] {
        far.killed_after(sealed(33 * MIB) + behind, "send bob large");
        let kept = fs::read_to_string(&far.kept()[0]).unwrap();
        assert!(!kept.contains("{\"sending\":[0,"), "it is compared");
        let sent = ended(far.send("--json send bob large")).expect(0).json();
        assert_eq!(sent["resumed"], true);
        assert!(sent["bytes_sent"].as_u64().unwrap() <= 2 * PART + ENVELOPE);
        assert!(far.received("large") == content);
        assert_eq!(far.kept(), Vec::<PathBuf>::new());
    }
}

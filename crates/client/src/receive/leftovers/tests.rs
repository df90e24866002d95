//! What is found, left, removed; and two at once.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::SystemTime;

use super::*;

fn id(n: u8) -> TransferId {
    TransferId::from_bytes([n, 0, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 0])
}

fn begun(target: &Path, n: u8) -> Begun<Vec<u8>> {
    begin(target, id(n), |it| Ok(it.to_vec())).unwrap()
}

/// Leaves something, as a process does that is killed.
fn left(target: &Path, n: u8) -> PathBuf {
    let staging = begun(target, n).staging;
    staging.write_state(b"state").unwrap();
    staging.part(0).unwrap();
    staging.keep();
    staging.path()
}

fn set_age(folder: &Path, age: Duration) {
    let then =
        SystemTime::UNIX_EPOCH + Duration::from_millis(now().as_millis().cast_unsigned()) - age;
    for name in ["state", "0.part", "."] {
        File::open(folder.join(name))
            .unwrap()
            .set_modified(then)
            .unwrap();
    }
}

fn count_in(target: &Path) -> usize {
    fs::read_dir(target).unwrap().count()
}

#[test]
fn what_was_left_of_a_transfer_is_found_and_of_others_stays_a_week() {
    let target = tempfile::tempdir().unwrap();
    let (first, other) = (left(target.path(), 1), left(target.path(), 2));
    let found = begun(target.path(), 1);
    assert_eq!(found.staging.path(), first);
    assert_eq!(found.state.unwrap(), b"state");
    drop(found.staging);
    assert_eq!((first.exists(), other.exists()), (false, true));
    set_age(&other, KEPT.checked_sub(Duration::from_mins(1)).unwrap());
    drop(begun(target.path(), 1));
    assert!(other.exists());
    set_age(&other, KEPT + Duration::from_mins(1));
    drop(begun(target.path(), 1));
    assert_eq!(count_in(target.path()), 0);
}

#[test]
fn what_cannot_be_used_is_told_and_not_used() {
    type Spoil = fn(&Path);
    let spoils: [(Spoil, &str); 6] = [
        (|it| set_mode(it, 0o750), "others may enter it"),
        (
            |it| set_mode(&it.join("state"), 0o640),
            "others may read its state",
        ),
        (
            |it| {
                fs::remove_file(it.join("state")).unwrap();
                symlink("/etc/passwd", it.join("state")).unwrap();
            },
            "its state is no file that can be read",
        ),
        (
            |it| {
                fs::remove_file(it.join("state")).unwrap();
                let pipe = it.join("state");
                let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
                rustix::fs::mkfifoat(rustix::fs::CWD, pipe, mode).unwrap();
            },
            "its state is no small file",
        ),
        (
            |it| {
                let state = File::options().write(true).open(it.join("state")).unwrap();
                state.set_len(1 << 30).unwrap();
            },
            "its state is no small file",
        ),
        (
            |it| {
                let away = it.with_file_name("away");
                fs::rename(it, &away).unwrap();
                symlink(away, it).unwrap();
            },
            "it is no folder that can be read",
        ),
    ];
    for (spoil, reason) in spoils {
        let target = tempfile::tempdir().unwrap();
        let folder = left(target.path(), 1);
        spoil(&folder);
        let begun = begun(target.path(), 1);
        assert_eq!(begun.ignored, [(folder, reason)]);
        assert!(begun.state.is_none(), "{reason}");
    }
}

#[test]
fn a_state_that_makes_no_sense_goes_with_its_folder() {
    let target = tempfile::tempdir().unwrap();
    let folder = left(target.path(), 1);
    let begun = begin::<()>(target.path(), id(1), |_| Err(Unusable::Spoiled("garbage"))).unwrap();
    assert_eq!(begun.ignored, [(folder.clone(), "garbage")]);
    assert!(!folder.join("state").exists());
    drop(begun);
    assert_eq!(count_in(target.path()), 0);
}

#[test]
fn two_do_not_receive_one_transfer_in_one_place() {
    let target = tempfile::tempdir().unwrap();
    let first = begun(target.path(), 1);
    let error = begin(target.path(), id(1), |_| Ok(())).unwrap_err();
    assert_eq!(error.code(), "ALREADY_RECEIVING");
    let other = begun(target.path(), 2);
    drop((first, other));
    drop(begun(target.path(), 1));
    assert_eq!(count_in(target.path()), 0);
}

#[test]
fn of_many_who_begin_at_once_one_does() {
    let target = tempfile::tempdir().unwrap();
    for round in 0..200 {
        // Every other time something was left, which one goes on with.
        if round % 2 == 0 {
            left(target.path(), 1);
        }
        let (ready, done) = (Barrier::new(4), Barrier::new(4));
        let at_once = || {
            ready.wait();
            let begun = begin(target.path(), id(1), |_| Ok(()));
            done.wait();
            begun.map(drop).map_err(|it| it.code())
        };
        let ended = thread::scope(|scope| {
            let threads = [(); 4].map(|()| scope.spawn(at_once));
            threads
                .into_iter()
                .map(|it| it.join().unwrap())
                .collect::<Vec<_>>()
        });
        let count = |it| ended.iter().filter(|ended| **ended == it).count();
        assert_eq!(
            (count(Ok(())), count(Err("ALREADY_RECEIVING"))),
            (1, 3),
            "{ended:?}"
        );
        assert_eq!(count_in(target.path()), 0);
    }
}

#[test]
fn what_another_left_stays_and_is_told() {
    let target = tempfile::tempdir().unwrap();
    let folder = left(target.path(), 1);
    let foreign = |_: &[u8]| Err::<(), _>(Unusable::Foreign("another's"));
    let mine = begin(target.path(), id(1), foreign).unwrap();
    assert_eq!(mine.ignored, [(folder.clone(), "another's")]);
    assert_ne!(mine.staging.path(), folder);
    // Whose it is goes on beside it.
    let theirs = begin(target.path(), id(1), |_| Ok(())).map(drop);
    assert_eq!(theirs.map_err(|it| it.code()), Err("ALREADY_RECEIVING"));
    drop(mine);
    assert!(folder.exists());
    set_age(&folder, KEPT + Duration::from_mins(1));
    drop(begin(target.path(), id(1), foreign).unwrap());
    assert_eq!(count_in(target.path()), 0);
}

#[test]
fn what_is_there_can_be_counted() {
    let target = tempfile::tempdir().unwrap();
    assert_eq!(bytes(target.path(), id(1)), None);
    let folder = left(target.path(), 1);
    left(target.path(), 2);
    for n in [0, 1] {
        let part = File::create(folder.join(format!("{n}.part"))).unwrap();
        part.set_len(1_000).unwrap();
    }
    File::create(folder.join("0.open"))
        .unwrap()
        .set_len(1)
        .unwrap();
    assert_eq!(bytes(target.path(), id(1)), Some(2_000));
    fs::remove_file(folder.join("state")).unwrap();
    assert_eq!(bytes(target.path(), id(1)), None);
}

#[test]
fn names_that_are_taken_are_passed_over() {
    let target = tempfile::tempdir().unwrap();
    let named = |n: u32| target.path().join(format!("{PREFIX}{}-{n:08x}", id(1)));
    symlink(target.path(), named(0)).unwrap();
    File::create(named(1)).unwrap();
    fs::create_dir(named(2)).unwrap();
    set_mode(&named(2), 0o700);
    File::create(named(2).join("a person's")).unwrap();
    assert_eq!(begun(target.path(), 1).staging.path(), named(3));
    assert_eq!(count_in(target.path()), 3);
}

#[test]
fn who_looks_for_what_is_too_old_locks_nobody_out() {
    let target = tempfile::tempdir().unwrap();
    let folder = left(target.path(), 1);
    let name = folder.file_name().unwrap().to_str().unwrap();
    let is_over = AtomicBool::new(false);
    let locked_out = thread::scope(|scope| {
        scope.spawn(|| {
            let target = open_target(target.path()).unwrap();
            while !is_over.load(Ordering::Relaxed) {
                sweep(&target, name);
            }
        });
        let goes_on = || {
            let begun = begin(target.path(), id(1), |_| Ok(()))?;
            begun.staging.keep();
            Ok(())
        };
        let ended: Result<()> = (0..10_000).try_for_each(|_| goes_on());
        is_over.store(true, Ordering::Relaxed);
        ended
    });
    assert_eq!(locked_out.map_err(|it| it.code()), Ok(()));
}

#[test]
fn what_a_killed_process_left_before_it_had_anything_goes_with_the_next_transfer() {
    let target = tempfile::tempdir().unwrap();
    let dead = target.path().join(format!("{PREFIX}0123456789abcdef"));
    fs::create_dir(&dead).unwrap();
    set_mode(&dead, 0o700);
    for name in ["0.part", "205.open", "state.next"] {
        File::create(dead.join(name)).unwrap();
    }
    let tree = dead.join("7.tree/a/b");
    fs::create_dir_all(&tree).unwrap();
    symlink(target.path(), tree.join("link")).unwrap();
    let with_more = target.path().join(format!("{PREFIX}0000000000000000"));
    fs::create_dir(&with_more).unwrap();
    set_mode(&with_more, 0o700);
    File::create(with_more.join("a person's")).unwrap();
    drop(begun(target.path(), 1));
    assert!(!dead.exists());
    assert!(with_more.join("a person's").exists());
}

#[test]
fn what_is_no_plain_file_of_ours_is_not_written_to() {
    let target = tempfile::tempdir().unwrap();
    let goal = target.path().join("goal");
    File::create(&goal).unwrap().set_len(5).unwrap();
    let staging = begun(target.path(), 1).staging;
    let part = staging.path().join("0.part");
    let plants: [fn(&Path, &Path); 4] = [
        |goal, part| symlink(goal, part).unwrap(),
        |goal, part| fs::hard_link(goal, part).unwrap(),
        |_, part| fs::create_dir_all(part.join("below")).unwrap(),
        |_, part| rustix::fs::mkfifoat(rustix::fs::CWD, part, rustix::fs::Mode::RUSR).unwrap(),
    ];
    for plant in plants {
        plant(&goal, &part);
        let (file, have) = staging.part(0).unwrap();
        assert_eq!(have, 0);
        file.set_len(1).unwrap();
        assert_eq!(staging.part(0).unwrap().1, 1, "it is the file from now on");
        assert_eq!(fs::metadata(&goal).unwrap().len(), 5);
        fs::remove_file(&part).unwrap();
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

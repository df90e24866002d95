//! The hostile server, through the command: what people run while they are lied to.
//!
//! One line is one lie: what was before, what is run, and the code and exit status that it ends with. One
//! walker runs them all. Whatever is said, nothing lies where files are received, nothing went over the
//! wire that the server could read, and the same command is done once the server is honest again.

mod answers;
mod compatible;
mod envelopes;
mod files;
mod keys;
mod own_keys;
mod pipe;
mod receipts;
mod scene;
mod senders;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use agentdrop_testkit::hostile::{Lie, lies};

use self::scene::{FILES, FORGED, SEND, Scene, Stage};
use crate::support::Run;

/// How many lies are told at a time.
const AT_A_TIME: usize = 4;

/// A lie, who is told it, and what comes of it.
struct Row {
    what: &'static str,
    /// What was before.
    given: fn(&mut Scene),
    lie: fn(&Scene) -> Lie,
    /// Who runs what.
    runs: (&'static str, &'static str),
    code: &'static str,
    exit: i32,
    /// What somebody does about it, before the same command is done.
    then: fn(&mut Scene),
    /// Whether what was fetched waits for what somebody decides: the envelope, and no file.
    keeps: bool,
    /// Whether what is known of each other matters before, or is another afterwards.
    alone: bool,
}

impl Row {
    /// Bob receives what Alice sent him.
    const fn receives(what: &'static str, code: &'static str, lie: fn(&Scene) -> Lie) -> Self {
        Self {
            what,
            given: Scene::send,
            lie,
            runs: ("bob", "receive {id} --to {in}"),
            code,
            exit: 1,
            then: |_| {},
            keeps: false,
            alone: false,
        }
    }

    /// Alice sends, and they have not met.
    const fn sends(what: &'static str, code: &'static str, lie: fn(&Scene) -> Lie) -> Self {
        Self::receives(what, code, lie)
            .given(|_| {})
            .runs("alice", SEND)
            .alone()
    }

    const fn given(mut self, given: fn(&mut Scene)) -> Self {
        self.given = given;
        self
    }

    const fn runs(mut self, who: &'static str, line: &'static str) -> Self {
        self.runs = (who, line);
        self
    }

    /// It is no refusal: the server does not work, and it is worth another try.
    const fn broken(mut self) -> Self {
        self.exit = 2;
        self
    }

    const fn then(mut self, then: fn(&mut Scene)) -> Self {
        self.then = then;
        self.alone()
    }

    /// What was fetched waits hidden, for it need not be fetched again once the sender is known.
    const fn keeps(mut self) -> Self {
        self.keeps = true;
        self
    }

    /// By two whom nothing else happens to.
    const fn alone(mut self) -> Self {
        self.alone = true;
        self
    }

    fn run(&self, scene: &mut Scene) {
        scene.next_folder();
        (self.given)(scene);
        scene.relay.forget();
        scene.relay.lie((self.lie)(scene));
        let (who, line) = self.runs;
        let run = scene.run(who, &format!("--json {line}"));
        scene.relay.stop_lying();

        assert_eq!(code(&run), self.code, "{run:?}");
        let run = run.expect(self.exit);
        assert_eq!(run.stderr, "");
        self.leaves_nothing(scene, &run);

        (self.then)(scene);
        let done = scene.run(who, &format!("--json {line}"));
        if line.starts_with("send ") {
            scene.set_id(done.json()["id"].as_str().unwrap().parse().unwrap());
        }
        done.expect(0);
        if scene.placed().is_empty() {
            let to_oneself = line.starts_with("send alice ");
            let recipient = if to_oneself { "alice" } else { "bob" };
            scene.json(recipient, "receive {id} --to {in}");
        }
        scene.expect_received();
        assert_unread(scene);
    }

    /// Nothing was received, nothing was sent, and nothing was said that should not be.
    fn leaves_nothing(&self, scene: &Scene, run: &Run) {
        assert_eq!(scene.placed(), [""; 0]);
        if self.exit == 1 {
            if !self.keeps {
                assert_eq!(scene.received(), [""; 0], "something hidden is left");
            }
            for (name, content) in FILES {
                assert!(!scene.has_received(content), "{name} is here, opened");
            }
        }
        assert!(!scene.has_anywhere(FORGED), "what was forged is here");
        let is_sent = |it: &&_| is_upload(it);
        if self.runs.1.starts_with("send ") {
            let asked = scene.relay.asked();
            assert_eq!(asked.iter().find(is_sent).map(|it| &it.path), None);
        }
        assert_unread(scene);
        for (_, content) in FILES {
            let content = str::from_utf8(content).unwrap();
            assert!(!run.stdout.contains(content));
        }
    }
}

fn is_upload(asked: &agentdrop_testkit::hostile::Asked) -> bool {
    asked.method == "POST"
        && (asked.path == "/v1/transfers" || asked.path.starts_with("/v1/transfers/presigned"))
}

/// Checks that nothing went over the wire that the server could read.
fn assert_unread(scene: &Scene) {
    for (name, content) in FILES {
        assert!(!scene.relay.heard(content), "{name} could be read");
    }
}

/// The code of an error, also where it is that of one of several transfers.
fn code(run: &Run) -> String {
    let said = run.json();
    let error = [&said["error"], &said["failed"][0]["error"]];
    let code = error.iter().find_map(|it| it["code"].as_str());
    code.unwrap_or_default().to_owned()
}

/// Tells each lie, some at a time, and says of all of them which were believed.
fn tell(rows: &[Row], set: fn(&Stage) -> Scene) {
    let stage = Stage::new();
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(Vec::new());
    thread::scope(|scope| {
        let told = || {
            let mut shared = None;
            while let Some(row) = rows.get(next.fetch_add(1, Ordering::Relaxed)) {
                let mut own = if row.alone { None } else { shared.take() };
                let ran = catch_unwind(AssertUnwindSafe(|| {
                    row.run(own.get_or_insert_with(|| set(&stage)));
                }));
                match ran {
                    Err(why) => {
                        let why = format!("{}: {}", row.what, said(&*why));
                        failed.lock().unwrap().push(why);
                    }
                    Ok(()) if !row.alone => shared = own,
                    Ok(()) => {}
                }
            }
        };
        for _ in 0..AT_A_TIME {
            scope.spawn(told);
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

fn said(why: &(dyn std::any::Any + Send)) -> String {
    let text = why.downcast_ref::<String>().cloned();
    let text = text.or_else(|| why.downcast_ref::<&str>().map(|it| (*it).to_owned()));
    text.unwrap_or_else(|| "it panicked".to_owned())
}

/// Else everything here could be true of a walker that looks at nothing.
#[test]
fn a_lie_that_is_believed_is_noticed() {
    const BELIEVED: &[Row] = &[
        Row::receives("the truth", "OPEN_REFUSED", |_| Box::new(|_, it| it)),
        Row::receives("another code", "DOWNGRADE", |_| {
            lies::bytes(0, |it| it.fill(0))
        }),
        Row::receives("another exit status", "OPEN_REFUSED", |_| {
            lies::bytes(0, |it| it.fill(0))
        })
        .broken(),
    ];
    let told = catch_unwind(|| tell(BELIEVED, Stage::scene));
    let why = said(&*told.unwrap_err());
    for row in BELIEVED {
        assert!(why.contains(row.what), "{}", row.what);
    }
}

/// Forty are what was promised, and no two of them are one.
#[test]
fn there_are_enough_lies_and_each_has_a_name_of_its_own() {
    let all = [
        answers::ROWS,
        compatible::ROWS,
        envelopes::ROWS,
        files::ROWS,
        keys::ROWS,
        own_keys::ROWS,
        senders::ROWS,
    ];
    let mut names: Vec<_> = all.iter().flat_map(|it| *it).map(|it| it.what).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "two lies have one name");
    assert!(count >= 40, "{count}");
}

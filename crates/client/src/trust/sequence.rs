//! Numbers of what is sent, in `sequence.json`.

use std::path::Path;

use agentdrop_protocol::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::state_file::StateFile;

const FILE: &str = "sequence.json";
const LOCK: &str = "sequence.lock";
const MAX_BYTES: usize = 1024;

/// The numbers of what an agent sends: each larger than all before, whoever it goes to.
#[derive(Debug)]
pub struct Sequence {
    file: StateFile<Last>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Last {
    last: u64,
}

impl Sequence {
    /// The numbers of the identity in `folder`.
    pub fn open(folder: &Path) -> Self {
        Self {
            file: StateFile::new(folder, FILE, LOCK, MAX_BYTES),
        }
    }

    /// The next number: one more than the last, and at least the milliseconds of `now`, so that they
    /// grow also where the file was lost. It is on disk when this returns; a kill leaves a gap.
    pub fn next(&self, now: Timestamp) -> Result<u64> {
        let held = self.file.hold()?;
        let last = held.read()?.map_or(0, |it| it.last);
        let next = last.checked_add(1);
        let next = next.ok_or_else(|| self.file.spoiled("there is no larger number"))?;
        let last = next.max(u64::try_from(now.as_millis()).unwrap_or_default());
        held.write(&Last { last })?;
        Ok(last)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::process::{Command, Stdio};
    use std::{env, io, thread};

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);
    const FOLDER: &str = "TEST_SEQUENCE_FOLDER";

    #[test]
    fn numbers_grow_whatever_the_clock_says() {
        let folder = tempfile::tempdir().unwrap();
        let sequence = Sequence::open(folder.path());
        let (now, behind) = (1_790_000_000_000, Timestamp::from_millis(-1));
        assert_eq!(sequence.next(NOW).unwrap(), now);
        assert_eq!(sequence.next(NOW).unwrap(), now + 1);
        assert_eq!(Sequence::open(folder.path()).next(behind).unwrap(), now + 2);
        let ahead = Timestamp::from_millis(i64::MAX);
        sequence.next(ahead).unwrap();
        let largest = u64::try_from(i64::MAX).unwrap() + 1;
        assert_eq!(sequence.next(NOW).unwrap(), largest);
        let last = Last { last: u64::MAX };
        sequence.file.hold().unwrap().write(&last).unwrap();
        assert_eq!(sequence.next(NOW).unwrap_err().code(), "KEYRING_SPOILED");
    }

    /// What the processes do that are killed: the test itself, begun once more with a folder.
    fn take_numbers(folder: &Path) {
        let sequence = Sequence::open(folder);
        let mut out = io::stdout();
        loop {
            let next = sequence.next(NOW).unwrap();
            writeln!(out, "took {next}").unwrap();
            out.flush().unwrap();
        }
    }

    #[test]
    fn processes_that_are_killed_never_take_a_number_that_another_took() {
        if let Some(folder) = env::var_os(FOLDER) {
            return take_numbers(Path::new(&folder));
        }
        let folder = tempfile::tempdir().unwrap();
        let take = |count: usize| {
            let mut child = Command::new(env::current_exe().unwrap())
                .args(["--exact", "--nocapture"])
                .arg("trust::sequence::tests::processes_that_are_killed_never_take_a_number_that_another_took")
                .env(FOLDER, folder.path())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let out = BufReader::new(child.stdout.take().unwrap());
            let numbers = out.lines().filter_map(|line| {
                let line = line.unwrap();
                let number = line.split_once("took ")?.1;
                Some(number.parse::<u64>().unwrap())
            });
            let taken: Vec<_> = numbers.take(count).collect();
            child.kill().unwrap();
            child.wait().unwrap();
            taken
        };
        let taken: Vec<_> = thread::scope(|scope| {
            let counts = [1, 5, 9, 20].map(|count| scope.spawn(move || take(count)));
            let taken = counts.into_iter().flat_map(|it| it.join().unwrap());
            taken.collect()
        });
        assert_eq!(taken.len(), 35);
        let different: HashSet<_> = taken.iter().collect();
        assert_eq!(different.len(), taken.len());
        let next = Sequence::open(folder.path()).next(NOW).unwrap();
        assert!(taken.iter().all(|it| *it < next));
    }
}

//! What was received of other agents, in `received/`, a file a sender.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use agentdrop_protocol::wire::receive_passwords::Base64Bytes;
use agentdrop_protocol::{AgentId, Timestamp, TransferId};
use serde::{Deserialize, Serialize};

use crate::error::{Error, PeerError, Result};
use crate::state_file::{StateFile, sweep_leftovers};

const FOLDER: &str = "received";
const LOCK: &str = "received.lock";
const ENDING: &str = ".json";
const MAX_BYTES: usize = 4 * 1024 * 1024;
/// Transfers of one sender that are remembered at a time.
const MAX_REMEMBERED: usize = 8_192;
/// What is over is remembered for so long still: the clock may be set back.
const CLOCKS: Duration = Duration::from_hours(30 * 24);

/// What was received, so that it is not received again.
///
/// **The rule.** An envelope is refused if its transfer is remembered of its sender; or if its `seq` is
/// not larger than the sender's *floor*. The floor is the largest `seq` of what was dropped for want of
/// room: of each sender so many transfers are remembered, and those with the smallest `seq` go first.
/// Until then envelopes may come in any order, for a server lists the newest first.
///
/// **Why nothing is forgotten too early.** What is dropped for want of room stays below the floor. What
/// is dropped because it is over does not raise the floor, as something older may live longer and be on
/// its way still; it cannot come back, because whoever opens an envelope refuses one whose `expires` is
/// over, and it is remembered for thirty days beyond that in case the clock is set back.
#[derive(Debug)]
pub struct Received {
    folder: PathBuf,
}

/// An envelope, by what its signed manifest says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Who sent it.
    pub sender: AgentId,
    /// The transfer.
    pub transfer: TransferId,
    /// SHA-512 of the manifest.
    pub manifest_hash: [u8; 64],
    /// Which of the sender's it is.
    pub seq: u64,
    /// Until when it may be believed.
    pub expires: Timestamp,
}

/// What is remembered of one sender. Another field is another version of the file.
#[derive(Debug, Default, Serialize, Deserialize)]
struct OfSender {
    /// None, while nothing was dropped for want of room: a sender may begin with 0.
    floor: Option<u64>,
    transfers: BTreeMap<TransferId, Entry>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    #[serde(rename = "s")]
    seq: u64,
    #[serde(rename = "e")]
    expires_ms: i64,
    #[serde(rename = "m")]
    manifest: Base64Bytes<64>,
}

impl Received {
    /// What the identity in `folder` received.
    pub fn open(folder: &Path) -> Self {
        Self {
            folder: folder.join(FOLDER),
        }
    }

    /// Whether this may be received: it was not before, as far as is remembered.
    ///
    /// Nothing is written down: what does not get as far as [`remember`](Self::remember) may be
    /// received again.
    pub fn check(&self, arrival: &Arrival) -> Result<()> {
        let known = self.file(arrival.sender).read()?.unwrap_or_default();
        Ok(known.check(arrival)?)
    }

    /// Whether something of this sender was received under this id.
    pub fn knows(&self, sender: AgentId, transfer: TransferId) -> Result<bool> {
        let known = self.file(sender).read()?.unwrap_or_default();
        Ok(known.transfers.contains_key(&transfer))
    }

    /// Whether this very envelope is remembered: for whoever goes on with what it placed itself before
    /// it was killed. Where that is not written down elsewhere, it is a replay.
    pub fn is_remembered(&self, arrival: &Arrival) -> Result<bool> {
        let known = self.file(arrival.sender).read()?.unwrap_or_default();
        let entry = known.transfers.get(&arrival.transfer);
        Ok(entry.is_some_and(|it| *it == Entry::of(arrival)))
    }

    /// Remembers that this was received: on disk when it returns. The same once more changes nothing;
    /// says whether it was news.
    ///
    /// Another envelope under the id of one that is remembered is refused, and so is what another
    /// process has received or dropped since it was checked.
    pub fn remember(&self, arrival: &Arrival, now: Timestamp) -> Result<bool> {
        let held = self.file(arrival.sender).hold()?;
        let mut known = held.read()?.unwrap_or_default();
        if known.transfers.get(&arrival.transfer) == Some(&Entry::of(arrival)) {
            return Ok(false);
        }
        known.remember(arrival, now, MAX_REMEMBERED)?;
        held.write(&known)?;
        Ok(true)
    }

    /// Drops what is over, of all senders.
    pub fn sweep(&self, now: Timestamp) -> Result<()> {
        sweep_leftovers(&self.folder, now);
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(Error::io("read", &self.folder))?,
        };
        for name in entries.filter_map(|it| it.ok()?.file_name().into_string().ok()) {
            let sender = name.strip_suffix(ENDING).and_then(|it| it.parse().ok());
            let Some(file) = sender.map(|it: AgentId| self.file(it)) else {
                continue;
            };
            let held = file.hold()?;
            let mut known = held.read()?.unwrap_or_default();
            if known.drop_over(now) {
                held.write(&known)?;
            }
        }
        Ok(())
    }

    /// A file a sender: none of them makes another's long.
    fn file(&self, sender: AgentId) -> StateFile<OfSender> {
        StateFile::new(&self.folder, &format!("{sender}{ENDING}"), LOCK, MAX_BYTES)
    }
}

impl OfSender {
    fn check(&self, arrival: &Arrival) -> Result<(), PeerError> {
        if self.transfers.contains_key(&arrival.transfer) {
            return Err(PeerError::Replayed(arrival.transfer));
        }
        if self.floor.is_some_and(|it| arrival.seq <= it) {
            return Err(PeerError::SequenceTooOld(arrival.transfer));
        }
        Ok(())
    }

    fn remember(
        &mut self,
        arrival: &Arrival,
        now: Timestamp,
        most: usize,
    ) -> Result<(), PeerError> {
        self.check(arrival)?;
        self.drop_over(now);
        self.transfers.insert(arrival.transfer, Entry::of(arrival));
        self.make_room(most);
        Ok(())
    }

    fn drop_over(&mut self, now: Timestamp) -> bool {
        let before = self.transfers.len();
        self.transfers
            .retain(|_, it| Timestamp::from_millis(it.expires_ms).plus(CLOCKS) > now);
        self.transfers.len() < before
    }

    fn make_room(&mut self, most: usize) {
        while self.transfers.len() > most {
            let smallest = self.transfers.values().map(|it| it.seq).min();
            self.floor = self.floor.max(smallest);
            let floor = self.floor;
            self.transfers.retain(|_, it| Some(it.seq) > floor);
        }
    }
}

impl Entry {
    const fn of(arrival: &Arrival) -> Self {
        Self {
            seq: arrival.seq,
            expires_ms: arrival.expires.as_millis(),
            manifest: Base64Bytes(arrival.manifest_hash),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::fs::File;

    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);
    const DAY: Duration = Duration::from_hours(24);

    fn arrival(n: u8, seq: u64, days: u32) -> Arrival {
        Arrival {
            sender: AgentId::from_bytes([1; 16]),
            transfer: TransferId::from_bytes([n; 16]),
            manifest_hash: [n; 64],
            seq,
            expires: NOW.plus(DAY * days),
        }
    }

    fn code<T: std::fmt::Debug>(result: Result<T>) -> &'static str {
        result.unwrap_err().code()
    }

    #[test]
    fn what_was_received_is_received_once_and_in_any_order() {
        let folder = tempfile::tempdir().unwrap();
        let received = Received::open(folder.path());
        for seq in [5_u8, 3, 4, 0, 1] {
            let it = arrival(seq, seq.into(), 1);
            received.check(&it).unwrap();
            received.check(&it).unwrap();
            assert!(received.remember(&it, NOW).unwrap());
            assert!(!received.remember(&it, NOW).unwrap());
            assert!(received.is_remembered(&it).unwrap());
            assert!(received.knows(it.sender, it.transfer).unwrap());
            assert_eq!(code(Received::open(folder.path()).check(&it)), "REPLAYED");
        }
        // The same id with something else in it, or with another number.
        let mut other = arrival(3, 9, 1);
        other.manifest_hash = [9; 64];
        assert_eq!(code(received.check(&other)), "REPLAYED");
        assert_eq!(code(received.remember(&other, NOW)), "REPLAYED");
        assert!(!received.is_remembered(&other).unwrap());
        // Another sender's is another one.
        let another = AgentId::from_bytes([2; 16]);
        assert!(!received.knows(another, other.transfer).unwrap());
        other.sender = another;
        received.check(&other).unwrap();
    }

    #[test]
    fn what_is_over_is_dropped_late_and_what_lives_longer_may_come_still() {
        let folder = tempfile::tempdir().unwrap();
        let received = Received::open(folder.path());
        let short = arrival(2, 2, 1);
        received.remember(&short, NOW).unwrap();
        received.sweep(NOW.plus(DAY * 30)).unwrap();
        assert_eq!(code(received.check(&short)), "REPLAYED");
        received.sweep(NOW.plus(DAY * 31)).unwrap();
        assert!(!received.is_remembered(&short).unwrap());
        received.check(&arrival(1, 1, 60)).unwrap();
    }

    #[test]
    fn where_nothing_is_over_nothing_is_written() {
        use std::os::unix::fs::MetadataExt as _;

        let folder = tempfile::tempdir().unwrap();
        let received = Received::open(folder.path());
        let it = arrival(1, 1, 1);
        received.remember(&it, NOW).unwrap();
        let file = received.file(it.sender);
        let written = || fs::metadata(file.path()).unwrap().ino();
        let before = File::open(file.path()).unwrap();
        received.sweep(NOW).unwrap();
        assert_eq!(before.metadata().unwrap().ino(), written());
        received.sweep(NOW.plus(DAY * 99)).unwrap();
        assert_ne!(before.metadata().unwrap().ino(), written());
    }

    #[test]
    fn nothing_is_dropped_where_it_cannot_be_seen_what_there_is() {
        let folder = tempfile::tempdir().unwrap();
        let received = Received::open(folder.path());
        received.sweep(NOW).unwrap();
        crate::write_private(&folder.path().join(FOLDER), b"no folder").unwrap();
        assert_eq!(code(received.sweep(NOW)), "IO");
    }

    #[test]
    fn of_what_has_no_room_nothing_comes_back() {
        let mut known = OfSender::default();
        for n in [9, 8, 3, 7] {
            known.remember(&arrival(n, n.into(), 1), NOW, 3).unwrap();
        }
        for (n, seq, expected) in [
            (9, 9, "REPLAYED"),
            (3, 3, "SEQUENCE_TOO_OLD"),
            (1, 2, "SEQUENCE_TOO_OLD"),
        ] {
            let refused = known.check(&arrival(n, seq, 1)).unwrap_err();
            assert_eq!(Error::from(refused).code(), expected);
        }
        known.check(&arrival(4, 4, 1)).unwrap();
    }

    #[test]
    fn as_many_as_are_remembered_fit_into_the_file() {
        let mut known = OfSender::default();
        for n in 0..MAX_REMEMBERED as u128 {
            let it = Arrival {
                transfer: TransferId::from_bytes((u128::MAX - n).to_be_bytes()),
                expires: Timestamp::from_millis(i64::MIN),
                ..arrival(255, u64::MAX, 1)
            };
            known.transfers.insert(it.transfer, Entry::of(&it));
        }
        let json = serde_json::to_vec(&known).unwrap();
        assert!(json.len() + 100 < MAX_BYTES, "{}", json.len());
    }

    proptest! {
        /// Whatever a server delivers, in whatever order, as often as it likes: an opener that refuses
        /// what is over takes nothing twice.
        #[test]
        fn nothing_is_taken_twice(
            deliveries in prop::collection::vec((0_u8..12, 0_u32..3), 1..200),
            seqs in prop::collection::vec(1_u64..20, 12),
            days in prop::collection::vec(1_u32..90, 12),
        ) {
            let (mut known, mut taken, mut now) = (OfSender::default(), HashSet::new(), NOW);
            for (n, wait) in deliveries {
                now = now.plus(DAY * wait);
                let it = arrival(n, seqs[usize::from(n)], days[usize::from(n)]);
                // The clock may be some days behind what it was.
                let is_over = it.expires <= now.minus(DAY * 20);
                if !is_over && known.remember(&it, now, 4).is_ok() {
                    prop_assert!(taken.insert(n), "{n} was taken twice");
                }
            }
        }
    }
}

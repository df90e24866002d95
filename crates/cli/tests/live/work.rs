//! What goes on at a server until it is killed.

use tokio::task::JoinHandle;

use crate::calls::Caller;
use crate::child::Child;
use crate::model::{Attempt, Chance, Outcome, content};

/// A few bytes more than are in one part.
const TWO_PARTS: u64 = (5 << 20) + 1_000;

/// How a file is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    Form,
    Address,
    Parts,
}

impl Way {
    /// One by chance, and a length.
    pub(crate) fn by(chance: &mut Chance) -> (Self, usize) {
        let (how, magnitude) = (chance.below(5), 4 + chance.below(17));
        let way = match how {
            0 | 1 => Self::Form,
            2 | 3 => Self::Address,
            _ => Self::Parts,
        };
        // A few in parts have more than one.
        let least = if how == 4 && magnitude < 7 {
            TWO_PARTS
        } else {
            0
        };
        let size = usize::try_from(least + chance.below(1 << magnitude)).unwrap();
        (way, size)
    }

    /// Sends a file this way; answers the transfer.
    pub(crate) async fn send(self, caller: &Caller, label: &str, bytes: Vec<u8>) -> Option<String> {
        match self {
            Self::Form => caller.send(label, bytes).await,
            Self::Address => caller.send_by_address(label, bytes).await,
            Self::Parts => caller.send_in_parts(label, bytes).await,
        }
    }
}

impl Child {
    /// Uploads one file after the other, until the server is gone.
    pub(crate) fn upload_until_killed(&self, key: &str, seed: u32) -> JoinHandle<Vec<Attempt>> {
        let caller = Caller::new(&self.http, key);
        tokio::spawn(async move {
            let (mut attempts, mut chance) = (Vec::new(), Chance(u64::from(seed) + 1));
            for n in 0.. {
                let label = format!("s{seed}-{n}");
                let (way, size) = Way::by(&mut chance);
                let sent = way.send(&caller, &label, content(&label, size)).await;
                let gone = sent.is_none();
                let outcome = sent.map_or(Outcome::Unknown, Outcome::Acknowledged);
                attempts.push(Attempt::new(label, size, outcome));
                if gone {
                    break;
                }
            }
            attempts
        })
    }

    /// Downloads what was acknowledged before, and says so, until the server is gone: whatever comes
    /// is right. Answers the labels of what it said so of, and the downloads.
    pub(crate) fn download_until_killed(
        &self,
        key: &str,
        from: Vec<Attempt>,
    ) -> JoinHandle<Vec<(String, String)>> {
        let caller = Caller::new(&self.http, key);
        tokio::spawn(async move {
            let mut delivered = Vec::new();
            for attempt in from.iter().cycle().take(10_000) {
                let Some((download, bytes)) = caller.fetch(attempt.id()).await else {
                    break;
                };
                assert!(
                    bytes == content(&attempt.label, attempt.size),
                    "{attempt:?} was altered"
                );
                if caller.acknowledge(attempt.id(), &download).await.is_none() {
                    break;
                }
                delivered.push((attempt.label.clone(), download));
            }
            delivered
        })
    }

    /// Deletes one transfer after the other, until the server is gone; answers the labels of what it
    /// asked for, and whether the server said that it is done.
    pub(crate) fn delete_until_killed(
        &self,
        key: &str,
        victims: Vec<Attempt>,
    ) -> JoinHandle<Vec<(String, bool)>> {
        let caller = Caller::new(&self.http, key);
        tokio::spawn(async move {
            let mut asked = Vec::new();
            for attempt in victims {
                if caller.fetch(attempt.id()).await.is_none() {
                    break;
                }
                let deleted = caller.delete(attempt.id()).await.is_some();
                asked.push((attempt.label, deleted));
                if !deleted {
                    break;
                }
            }
            asked
        })
    }
}

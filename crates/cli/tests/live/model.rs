//! What the server should have.

use std::collections::HashMap;

use agentdrop_testkit::server::text;
use serde_json::Value;

use crate::calls::Caller;
use crate::child::Child;

/// A file that was, or may have been, sent.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    /// What its sender was called, which names it.
    pub(crate) label: String,
    pub(crate) size: usize,
    pub(crate) outcome: Outcome,
    /// The downloads that the server was told of the end of, and said so.
    delivered: Vec<String>,
    /// Somebody asked for it to be deleted; it may have been.
    is_doomed: bool,
}

/// What is known of it.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// The server said that it has it, under this id.
    Acknowledged(String),
    /// The server was killed before it said anything.
    Unknown,
}

/// Everything that was tried, by its label.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    all: HashMap<String, Attempt>,
    pub(crate) seen: Seen,
}

/// How often a server acknowledged something, and how often it was killed over it.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) sent: usize,
    pub(crate) delivered: usize,
    pub(crate) deleted: usize,
    /// Uploads without an answer, of which all was there.
    kept_unanswered: usize,
    /// The same, of which nothing was.
    gone_unanswered: usize,
    deletions_unanswered: usize,
}

/// Chance that is the same in every run: xorshift64* (Vigna, 2016).
pub(crate) struct Chance(pub(crate) u64);

impl Attempt {
    pub(crate) const fn new(label: String, size: usize, outcome: Outcome) -> Self {
        Self {
            label,
            size,
            outcome,
            delivered: Vec::new(),
            is_doomed: false,
        }
    }

    /// The id of one that was acknowledged.
    pub(crate) fn id(&self) -> &str {
        match &self.outcome {
            Outcome::Acknowledged(id) => id,
            Outcome::Unknown => unreachable!("only acknowledged ones are asked for"),
        }
    }
}

impl Attempts {
    pub(crate) fn extend(&mut self, new: Vec<Attempt>) {
        let known = |it: &&Attempt| matches!(it.outcome, Outcome::Acknowledged(_));
        self.seen.sent += new.iter().filter(known).count();
        self.all
            .extend(new.into_iter().map(|it| (it.label.clone(), it)));
    }

    pub(crate) fn acknowledged(&self) -> Vec<Attempt> {
        let known = |it: &&Attempt| matches!(it.outcome, Outcome::Acknowledged(_));
        self.all.values().filter(known).cloned().collect()
    }

    /// Takes some of them out, which are deleted; the others stay.
    pub(crate) fn victims(
        &self,
        count: usize,
        chance: &mut Chance,
    ) -> (Vec<Attempt>, Vec<Attempt>) {
        let mut others = self.acknowledged();
        others.sort_by(|one, other| one.label.cmp(&other.label));
        let mut victims = Vec::new();
        while victims.len() < count && others.len() > 1 {
            let n = usize::try_from(chance.below(others.len() as u64)).unwrap();
            victims.push(others.swap_remove(n));
        }
        (victims, others)
    }

    /// Notes what the server was told of and acknowledged: downloads that came to their end, and
    /// transfers that were deleted, or may have been.
    pub(crate) fn note(&mut self, delivered: Vec<(String, String)>, deleted: Vec<(String, bool)>) {
        self.seen.delivered += delivered.len();
        for (label, download) in delivered {
            self.all.get_mut(&label).unwrap().delivered.push(download);
        }
        for (label, is_sure) in deleted {
            if is_sure {
                self.seen.deleted += 1;
                // If it were listed again, nobody would have sent it.
                self.all.remove(&label);
            } else {
                self.seen.deletions_unanswered += 1;
                self.all.get_mut(&label).unwrap().is_doomed = true;
            }
        }
    }

    /// Checks that the server has what it acknowledged, and of the rest all of it or nothing.
    ///
    /// The bytes of some are looked at; those of all, in the end.
    pub(crate) async fn check(&mut self, server: &Child, key: &str, chance: &mut Chance) {
        let listed = list(server, key).await;
        self.all.retain(|label, it| {
            let is_deleted = it.is_doomed && !listed.contains_key(label);
            it.is_doomed = false;
            !is_deleted
        });
        for attempt in self.acknowledged() {
            assert_eq!(
                listed.get(&attempt.label).map(String::as_str),
                Some(attempt.id()),
                "lost: {attempt:?}"
            );
        }
        for (label, id) in listed {
            let attempt = self.all.get_mut(&label).expect("nobody sent this");
            if matches!(attempt.outcome, Outcome::Unknown) {
                // It was kept and the answer lost: then it is there whole.
                attempt.outcome = Outcome::Acknowledged(id);
                self.seen.kept_unanswered += 1;
                check_bytes(server, key, attempt).await;
            }
        }
        // What is not listed now never was there, and must not appear later.
        let before = self.all.len();
        self.all
            .retain(|_, it| matches!(it.outcome, Outcome::Acknowledged(_)));
        self.seen.gone_unanswered += before - self.all.len();
        let all = self.acknowledged();
        for _ in 0..8.min(all.len()) {
            let n = usize::try_from(chance.below(all.len() as u64)).unwrap();
            check_bytes(server, key, &all[n]).await;
        }
    }

    pub(crate) async fn check_all(&self, server: &Child, key: &str) {
        for attempt in self.acknowledged() {
            check_bytes(server, key, &attempt).await;
        }
    }

    pub(crate) async fn delete_all(&self, server: &Child, key: &str) {
        for attempt in self.acknowledged() {
            server
                .http
                .delete(&format!("/v1/transfers/{}", attempt.id()), key)
                .await
                .expect(200);
        }
    }
}

async fn check_bytes(server: &Child, key: &str, attempt: &Attempt) {
    let caller = Caller::new(&server.http, key);
    let fetched = caller.fetch(attempt.id()).await;
    let (_, bytes) = fetched.expect("the server runs");
    assert!(
        bytes == content(&attempt.label, attempt.size),
        "{attempt:?} was altered"
    );
    let path = format!("/v1/transfers/{}", attempt.id());
    let shown = caller.http.get(&path, &caller.key).await.expect(200);
    let kept = shown["deliveries"].as_array();
    let kept: Vec<_> = kept.into_iter().flatten().collect();
    for download in &attempt.delivered {
        let is_kept = |it: &&&Value| it["download_id"] == **download && it["status"] == "received";
        assert!(
            kept.iter().any(|it| is_kept(&it)),
            "{download} is lost: {shown}"
        );
    }
}

/// Every transfer that the server has: label and id. What was announced and never confirmed is none,
/// and is taken back.
async fn list(server: &Child, key: &str) -> HashMap<String, String> {
    let (mut all, mut announced, mut offset) = (HashMap::new(), Vec::new(), 0);
    loop {
        let path = format!("/v1/transfers?limit=100&offset={offset}");
        let page = server.http.get(&path, key).await.expect(200);
        let transfers = page["transfers"].as_array().unwrap();
        for it in transfers {
            match &*text(it, "status") {
                "pending" => announced.push(text(it, "id")),
                "deleted" => {}
                _ => drop(all.insert(text(it, "sender"), text(it, "id"))),
            }
        }
        offset += transfers.len();
        if page["has_more"] == false {
            break;
        }
    }
    for id in announced {
        let path = format!("/v1/transfers/{id}");
        server.http.delete(&path, key).await.expect(200);
    }
    all
}

/// The bytes of the file that `label` names.
pub(crate) fn content(label: &str, size: usize) -> Vec<u8> {
    let seed = label.bytes().fold(1, |seed: u64, it| {
        seed.wrapping_mul(31).wrapping_add(it.into())
    });
    let mut chance = Chance(seed);
    let mut bytes: Vec<u8> = (0..size.div_ceil(8))
        .flat_map(|_| chance.next().to_le_bytes())
        .collect();
    bytes.truncate(size);
    bytes
}

impl Chance {
    pub(crate) const fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) const fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

//! What the server should have.

use std::collections::HashMap;

use agentdrop_testkit::server::text;

use crate::child::{Child, fetch};

/// A file that was, or may have been, sent.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    /// What its sender was called, which names it.
    pub(crate) label: String,
    pub(crate) size: usize,
    pub(crate) outcome: Outcome,
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
pub(crate) struct Attempts(HashMap<String, Attempt>);

/// Chance that is the same in every run: xorshift64* (Vigna, 2016).
pub(crate) struct Chance(pub(crate) u64);

impl Attempt {
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
        self.0
            .extend(new.into_iter().map(|it| (it.label.clone(), it)));
    }

    pub(crate) fn acknowledged(&self) -> Vec<Attempt> {
        let known = |it: &&Attempt| matches!(it.outcome, Outcome::Acknowledged(_));
        self.0.values().filter(known).cloned().collect()
    }

    /// Checks that the server has what it acknowledged, and of the rest all of it or nothing.
    ///
    /// The bytes of some are looked at; those of all, in the end.
    pub(crate) async fn check(&mut self, server: &Child, key: &str, chance: &mut Chance) {
        let listed = list(server, key).await;
        for attempt in self.acknowledged() {
            assert_eq!(
                listed.get(&attempt.label).map(String::as_str),
                Some(attempt.id()),
                "lost: {attempt:?}"
            );
        }
        for (label, id) in listed {
            let attempt = self.0.get_mut(&label).expect("nobody sent this");
            if matches!(attempt.outcome, Outcome::Unknown) {
                // It was kept and the answer lost: then it is there whole.
                attempt.outcome = Outcome::Acknowledged(id);
                check_bytes(server, key, attempt).await;
            }
        }
        // What is not listed now never was there, and must not appear later.
        self.0
            .retain(|_, it| matches!(it.outcome, Outcome::Acknowledged(_)));
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
    let bytes = fetch(&server.http, key, attempt.id())
        .await
        .expect("the server runs");
    assert!(
        bytes == content(&attempt.label, attempt.size),
        "{attempt:?} was altered"
    );
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

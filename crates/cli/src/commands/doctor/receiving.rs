//! What receiving needs: a scanner, and somebody who looks at what it keeps.

use std::path::Path;

use agentdrop_client::shield::{Item, Policy, Quarantine};

use super::Checks;
use crate::exit::Failure;
use crate::human;
use crate::screening::shield;

impl Checks {
    /// What is kept from the agent, and waits for a person.
    pub(super) fn quarantine(&mut self, folder: &Path) {
        match Quarantine::beside(folder).list() {
            Ok(held) if held.is_empty() => self.ok("quarantine", "nothing waits".to_owned()),
            Ok(held) => {
                let files = held.iter().map(|it| it.files.len()).sum();
                let (files, held) = (
                    human::count(files, "file"),
                    human::count(held.len(), "transfer"),
                );
                let detail = format!("{files} of {held} wait; `agentdrop quarantine list`");
                self.ok("quarantine", detail);
            }
            Err(error) => self.failed("quarantine", error.into()),
        }
    }

    /// Whether what comes in can be judged, by a process that can do nothing else.
    pub(super) async fn scanner(&mut self) {
        let scanned = match shield(Policy::default()) {
            Ok(shield) => {
                let item = Item::Message("The meeting is on Tuesday.".to_owned());
                let scanned = shield.scan(Vec::new(), vec![item]).await;
                scanned.map_err(Failure::from)
            }
            Err(failure) => Err(failure),
        };
        match scanned {
            Ok(scan) => self.ok(
                "scanner",
                match scan.degraded {
                    None => "works, shut in".to_owned(),
                    Some(why) => format!("works without its sandbox: {why}"),
                },
            ),
            Err(failure) => self.failed("scanner", failure),
        }
    }
}

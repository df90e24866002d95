//! Tries of passwords, counted on all servers that share a database.
//!
//! Each server counts for itself first, in memory: what it knows to be too many costs no database.

use agentdrop_protocol::text::Email;
use agentdrop_store::{Allowance, Tx};

use super::lockout::{
    RESETS_BY_ADDRESS, RESETS_BY_EMAIL, SIGN_INS_BY_ADDRESS, SIGN_INS_BY_BOTH, SIGN_INS_BY_EMAIL,
    limited,
};
use super::{ClientAddress, subscriber};
use crate::api::error::Result;
use crate::app::App;

impl App {
    /// Counts an attempt to give the password of the account with this address.
    pub(crate) async fn try_password(&self, email: &Email, from: ClientAddress) -> Result<()> {
        self.lockout.try_password(email, from)?;
        let (email, from) = (email.folded(), subscriber(from.0).to_string());
        let (email, from) = (email.as_str(), &*from);
        let names = [
            (SIGN_INS_BY_ADDRESS, ["sign-ins by address", from, ""]),
            (SIGN_INS_BY_BOTH, ["sign-ins by both", from, email]),
            (SIGN_INS_BY_EMAIL, ["sign-ins by email", "", email]),
        ];
        let too_many = "passwords were tried too often; try again later";
        self.count_on_all(names, too_many).await
    }

    /// Counts a request for a link to set a password with.
    pub(crate) async fn ask_for_reset(&self, email: &Email, from: ClientAddress) -> Result<()> {
        self.lockout.ask_for_reset(email, from)?;
        let (email, from) = (email.folded(), subscriber(from.0).to_string());
        let names = [
            (RESETS_BY_ADDRESS, ["resets by address", &*from, ""]),
            (RESETS_BY_EMAIL, ["resets by email", "", email.as_str()]),
        ];
        let too_many = "links were asked for too often; try again later";
        self.count_on_all(names, too_many).await
    }

    /// Counts where there may be other servers, and refuses at the first that there were too many
    /// of. All hold the rows in the same order.
    async fn count_on_all<const N: usize>(
        &self,
        of: [(Allowance, [&str; 3]); N],
        too_many: &'static str,
    ) -> Result<()> {
        if !self.store.is_shared() {
            return Ok(());
        }
        let names = of.map(|(allowed, of)| (allowed, self.server_key.attempts_name(of)));
        let now = self.clock.now();
        // What is refused is kept, too: a unit that fails would take back what it counted.
        let count = async move |tx: &mut Tx| -> Result<_> {
            for (allowed, name) in names {
                let wait = tx.count_attempt(&name, allowed, now).await?;
                if wait.is_some() {
                    return Ok(wait);
                }
            }
            Ok(None)
        };
        let wait = self.store.write(count).await?;
        wait.map_or(Ok(()), |it| Err(limited(it, too_many)))
    }
}

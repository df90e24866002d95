//! How often was tried what may be tried a few times, on all servers together.

use std::time::Duration;

use agentdrop_protocol::Timestamp;

use crate::db::{dialect, params};
use crate::{Result, Tx};

/// How often something may be tried: so many times at once, and as many again in each period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// How many times.
    pub most: u32,
    /// In how long.
    pub period: Duration,
}

impl Allowance {
    /// How long one more takes to come back.
    fn each(self) -> Duration {
        self.period / self.most.max(1)
    }
}

impl Tx {
    /// Counts one try more under a name, unless there were too many: then answers how long to wait.
    ///
    /// The generic cell rate algorithm: each try moves the time at which all are back.
    pub async fn count_attempt(
        &mut self,
        name: &[u8; 32],
        allowed: Allowance,
        now: Timestamp,
    ) -> Result<Option<Duration>> {
        let each = allowed.each();
        let all_back = now.plus(allowed.period);
        let counted = self
            .execute(
                "INSERT INTO attempts (name, full_at) VALUES ($1, $2)
                 ON CONFLICT (name) DO UPDATE
                 SET full_at = CASE WHEN attempts.full_at < $3 THEN excluded.full_at
                                    ELSE attempts.full_at + $4 END
                 WHERE attempts.full_at <= $5",
                params![
                    name,
                    now.plus(each).as_millis(),
                    now.as_millis(),
                    i64::try_from(each.as_millis()).unwrap_or(i64::MAX),
                    all_back.minus(each).as_millis(),
                ],
            )
            .await?;
        if counted == 1 {
            return Ok(None);
        }
        // A clock that was set back shuts nobody out for as long.
        self.execute(
            "UPDATE attempts SET full_at = $2 WHERE name = $1 AND full_at > $2",
            params![name, all_back.as_millis()],
        )
        .await?;
        let full_at = self
            .fetch_optional(
                "SELECT full_at FROM attempts WHERE name = $1",
                params![name],
                |row| row.time("full_at"),
            )
            .await?;
        // A server whose clock is ahead may have forgotten it just now.
        Ok(full_at.map(|it| it.plus(each).since(all_back)))
    }

    /// Takes back one try that was counted under a name: it turned out to be none of those that are meant.
    pub async fn give_back_attempt(&mut self, name: &[u8; 32], allowed: Allowance) -> Result<()> {
        let each = i64::try_from(allowed.each().as_millis()).unwrap_or(i64::MAX);
        self.execute(
            "UPDATE attempts SET full_at = full_at - $2 WHERE name = $1",
            params![name, each],
        )
        .await?;
        Ok(())
    }

    /// Forgets whatever counts no more, but for what is being counted just now, so that nobody
    /// waits for it who holds another; answers how many there were.
    pub async fn delete_attempts_until(&mut self, now: Timestamp) -> Result<u64> {
        let sql = dialect!(
            self,
            sqlite: "DELETE FROM attempts WHERE full_at <= $1",
            postgres: "DELETE FROM attempts WHERE name IN
                       (SELECT name FROM attempts WHERE full_at <= $1 FOR UPDATE SKIP LOCKED)",
        );
        self.execute(sql, params![now.as_millis()]).await
    }
}

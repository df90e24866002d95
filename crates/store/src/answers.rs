//! What requests that their callers may repeat were answered.

use agentdrop_protocol::{AccountId, Timestamp};

use crate::db::{Row, params};
use crate::{Reader, Result, Tx};

/// A request that its caller may repeat, by digests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeatable {
    /// Of who asks for what under which name.
    pub digest: [u8; 32],
    /// Of what the request says beyond that.
    pub body_digest: [u8; 32],
}

/// What a request was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Of what the request said.
    pub body_digest: [u8; 32],
    /// The HTTP status.
    pub status: u16,
    /// The body, sealed.
    pub answer: Vec<u8>,
}

const FIND: &str =
    "SELECT body_digest, status, answer FROM answers WHERE digest = $1 AND created_at > $2";

impl Reader {
    /// Whether a request with this digest was answered after `since`.
    pub async fn is_answered(&mut self, digest: &[u8; 32], since: Timestamp) -> Result<bool> {
        let params = params![digest, since.as_millis()];
        let found = self.fetch_optional(FIND, params, answer).await?;
        Ok(found.is_some())
    }
}

impl Tx {
    /// Makes a request of `owner` the one that has its effect in this unit of work, unless it had
    /// it after `since` already: then answers what it was answered.
    ///
    /// Before anything else is held. Of several, the others wait here until the first one ends: if
    /// it fails, its claim goes with it, and the next one takes its place.
    pub async fn claim_answer(
        &mut self,
        owner: AccountId,
        request: &Repeatable,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Answer>> {
        let claimed = self
            .execute(
                "INSERT INTO answers (digest, account_id, body_digest, status, answer, created_at)
                 VALUES ($1, $2, $3, 0, $4, $5)
                 ON CONFLICT (digest) DO UPDATE
                 SET body_digest = excluded.body_digest, status = excluded.status,
                     answer = excluded.answer, created_at = excluded.created_at
                 WHERE answers.created_at <= $6",
                params![
                    &request.digest,
                    &owner.to_string(),
                    &request.body_digest,
                    &[0_u8; 0],
                    now.as_millis(),
                    since.as_millis(),
                ],
            )
            .await?;
        if claimed == 1 {
            return Ok(None);
        }
        let params = params![&request.digest, since.as_millis()];
        self.fetch_one(FIND, params, answer).await.map(Some)
    }

    /// What a request was answered after `since`.
    ///
    /// No owner stands in the query: whose it is went into the digest.
    pub async fn answer_of(
        &mut self,
        request: &Repeatable,
        since: Timestamp,
    ) -> Result<Option<Answer>> {
        let params = params![&request.digest, since.as_millis()];
        self.fetch_optional(FIND, params, answer).await
    }

    /// Writes down what a claimed request is answered.
    pub async fn update_answer(
        &mut self,
        request: &Repeatable,
        status: u16,
        answer: &[u8],
    ) -> Result<()> {
        self.execute(
            "UPDATE answers SET status = $1, answer = $2 WHERE digest = $3",
            params![u32::from(status), answer, &request.digest],
        )
        .await?;
        Ok(())
    }

    /// Deletes the answers from `then` and earlier; answers how many there were.
    pub async fn delete_answers_until(&mut self, then: Timestamp) -> Result<u64> {
        self.execute(
            "DELETE FROM answers WHERE created_at <= $1",
            params![then.as_millis()],
        )
        .await
    }
}

fn answer(row: &Row<'_>) -> Result<Answer> {
    Ok(Answer {
        body_digest: row.bytes("body_digest")?,
        status: row.number("status")?,
        answer: row.get("answer")?,
    })
}

//! Bundles at rest, and how one identity key followed another.

use agentdrop_domain::agents::Agent;
use agentdrop_domain::bundles::Bundle;
use agentdrop_protocol::{AgentId, SignedStatement};

use crate::columns::count;
use crate::db::{Row, params};
use crate::{Error, Reader, Result, Tx};

/// How many rotations are told of an agent: the newest. Whoever knows it by an older key compares
/// anew.
const MAX_ROTATIONS: u32 = 64;

impl Reader {
    /// The last bundle of an agent, whoever may see it.
    pub async fn bundle_of_agent(&mut self, agent: AgentId) -> Result<Option<Bundle>> {
        self.fetch_optional(
            "SELECT agent_id, version, hash, identity, min_suite, signed FROM bundles
             WHERE agent_id = $1",
            params![&agent.to_string()],
            bundle,
        )
        .await
    }

    /// How the identity keys of an agent followed each other, oldest first.
    pub async fn rotations_of_agent(&mut self, agent: AgentId) -> Result<Vec<SignedStatement>> {
        let mut newest = self
            .fetch_all(
                "SELECT signed FROM rotations WHERE agent_id = $1 ORDER BY since DESC LIMIT $2",
                params![&agent.to_string(), MAX_ROTATIONS],
                |row| signed(row.get("signed")?),
            )
            .await?;
        newest.reverse();
        Ok(newest)
    }
}

impl Tx {
    /// Writes down the bundle that an agent has from now on. The agent is held: of two who publish
    /// at once, the second finds what the first did.
    pub async fn put_bundle(&mut self, agent: &Agent, bundle: &Bundle) -> Result<()> {
        let id = bundle.agent.to_string();
        self.execute(
            "INSERT INTO bundles (agent_id, version, hash, identity, min_suite, signed)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (agent_id) DO UPDATE
             SET version = excluded.version, hash = excluded.hash, identity = excluded.identity,
                 min_suite = excluded.min_suite, signed = excluded.signed",
            params![
                &id,
                count(bundle.version),
                &bundle.hash,
                &bundle.identity.as_bytes()[..],
                u32::from(bundle.min_suite),
                bundle.signed.as_ref().map(SignedStatement::as_bytes),
            ],
        )
        .await?;
        let signing = agent.keys().and_then(|it| it.signing.as_ref());
        let signing = signing.map(|it| &it.as_bytes()[..]);
        let published = agent.published.as_ref();
        self.execute(
            "UPDATE agents SET signing_public_key = $1, identity_key = $2, bundle_version = $3
             WHERE id = $4",
            params![
                signing,
                published.map(|it| &it.identity.as_bytes()[..]),
                published.map(|it| count(it.version)),
                &id,
            ],
        )
        .await?;
        self.execute(
            "UPDATE agent_keys SET signing_public_key = $1
             WHERE agent_id = $2 AND retired_at IS NULL",
            params![signing, &id],
        )
        .await?;
        Ok(())
    }

    /// Writes down that an agent has another identity key from version `since` of its bundle on;
    /// what the old one signed of prekeys is of no more use.
    pub async fn insert_rotation(
        &mut self,
        agent: AgentId,
        since: u64,
        rotation: &SignedStatement,
    ) -> Result<()> {
        self.execute(
            "INSERT INTO rotations (agent_id, since, signed) VALUES ($1, $2, $3)",
            params![&agent.to_string(), count(since), rotation.as_bytes()],
        )
        .await?;
        self.drop_prekeys(agent).await
    }

    /// Wipes the bundle of an agent and its prekeys. What the next bundle goes on from stays.
    pub async fn wipe_bundle(&mut self, agent: AgentId) -> Result<()> {
        self.execute(
            "UPDATE bundles SET signed = NULL WHERE agent_id = $1",
            params![&agent.to_string()],
        )
        .await?;
        self.drop_prekeys(agent).await
    }
}

fn bundle(row: &Row<'_>) -> Result<Bundle> {
    let bytes: Option<Vec<u8>> = row.get("signed")?;
    let hash: Vec<u8> = row.get("hash")?;
    Ok(Bundle {
        agent: row.parse("agent_id")?,
        version: row.number("version")?,
        hash: <[u8; 32]>::try_from(&*hash).map_err(|it| Error::column("hash", it))?,
        identity: row.bytes("identity")?,
        min_suite: row.number("min_suite")?,
        signed: bytes.map(signed).transpose()?,
    })
}

/// What an agent signed.
pub(crate) fn signed(bytes: Vec<u8>) -> Result<SignedStatement> {
    SignedStatement::new(bytes).map_err(|it| Error::column("signed", it))
}

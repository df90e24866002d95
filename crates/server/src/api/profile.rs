//! What an agent wants to know when it starts.

use agentdrop_domain::plans::Limits;
use agentdrop_protocol::wire::agents::{ConnectionStatus, EncryptionAlgorithm};
use agentdrop_protocol::wire::profile::{
    BroadcastSummary, ConnectionCounts, InboxSummary, PlanLimits, Profile, ProfileAccount,
    ProfileAgent, RecentTransfer, SdkVersions,
};
use agentdrop_protocol::wire::transfers::{self, TransferStatus};
use agentdrop_store::{Page, TransferFilter};
use axum::Json;
use axum::extract::State;

use super::error::{ApiError, Result};
use super::openapi::Errors;
use super::transfers::shown_all;
use crate::app::App;
use crate::auth::{Caller, touch_agent};

/// How many of the waiting transfers are shown.
const RECENT: u32 = 5;

/// Who is asking, and what waits for it.
///
/// Under a key of the account that names no agent, the first connected one is meant.
#[utoipa::path(
    get, path = "/v1/agents/me", tag = "agents", operation_id = "agents_show_me",
    responses((status = 200, body = Profile), Errors)
)]
pub(crate) async fn show(State(app): State<App>, caller: Caller) -> Result<Json<Profile>> {
    let (owner, now) = (caller.actor.account, app.clock.now());
    let mut reader = app.store.read().await?;
    let account = reader.account(owner).await?.ok_or(ApiError::NotFound)?;
    let agent = if let Some(agent) = caller.agent(&mut reader).await? {
        agent
    } else {
        let mut agents = reader.agents_of(owner).await?.into_iter();
        let connected = agents.find(|it| it.status() == ConnectionStatus::Connected);
        connected.ok_or(ApiError::NotFound)?
    };
    touch_agent(&app, &caller.actor, &agent);
    let filter = TransferFilter {
        agent: Some(agent.id),
        status: Some(TransferStatus::Active),
        mode: None,
        sender: None,
        recipient: None,
        since: None,
        now,
    };
    let page = Page {
        limit: RECENT,
        offset: 0,
        behind: None,
    };
    let waiting = reader.received_transfers_of(owner, &filter, page).await?;
    let inbox = InboxSummary {
        unread_transfers: reader.received_transfer_count_of(owner, &filter).await?,
        recent: shown_all(&app, waiting, now)?
            .into_iter()
            .map(recent)
            .collect(),
    };
    let limits = Limits::of(account.plan);
    let counts = reader.connection_counts_of(owner).await?;
    let paired = reader.paired_agents_of(owner, Some(agent.id)).await?;
    Ok(Json(Profile {
        agent: ProfileAgent {
            id: agent.id,
            connection_status: agent.status(),
            agent_id: agent.slug,
            name: agent.name,
            description: agent.description,
            key_version: agent.key_version,
            public_key_algorithm: EncryptionAlgorithm::X25519,
            last_seen_at: Some(now),
        },
        account: ProfileAccount {
            plan: account.plan.to_string(),
            email: account.email,
        },
        plan_limits: PlanLimits {
            transfers_per_month: limits.transfers_per_month,
            storage_bytes: limits.storage_bytes,
            max_file_size: Some(limits.max_file_bytes.min(app.limits.max_file_bytes)),
            max_agents: limits.agents,
            max_connections: limits.connections,
        },
        connections: ConnectionCounts {
            active: counts.active,
            pending_incoming: counts.incoming,
            pending_outgoing: counts.outgoing,
            paired_agents: paired.into_iter().map(|it| it.agent.slug).collect(),
        },
        inbox,
        broadcasts: BroadcastSummary::default(),
        sdk: SdkVersions::default(),
    }))
}

fn recent(it: transfers::Transfer) -> RecentTransfer {
    RecentTransfer {
        id: it.id,
        sender: it.sender,
        status: it.status,
        file_count: it.file_count,
        total_size: it.total_size,
        message: it.message,
        is_encrypted: it.is_encrypted,
        created_at: it.created_at,
        expires_at: it.expires_at,
    }
}

//! The keys that agents publish, signed by themselves: the calls. What is believed of them is decided
//! in [`crate::trust`].

use agentdrop_protocol::wire::bundles::{
    AddPrekeys, AgentBundle, ClaimedPrekey, Prekeys, PublishBundle,
};
use agentdrop_protocol::{AgentId, SignedStatement};
use agentdrop_seal::identity::SignedBundle;
use http::Method;

use crate::client::Client;
use crate::error::{Error, Result};
use crate::transport::Repeat;

impl Client {
    /// Publishes the bundle of an own agent; the same one again changes nothing.
    pub(crate) async fn publish_bundle(
        &self,
        agent: AgentId,
        bundle: &PublishBundle,
    ) -> Result<AgentBundle> {
        let transport = self.transport();
        let parts = ["agents", &agent.to_string(), "bundle"];
        let url = transport.server.endpoint(&parts);
        transport
            .send_json(Method::PUT, url, bundle, Repeat::Safe)
            .await
    }

    /// Asks for the bundle of an agent; none, where it has published none, or the server knows of no
    /// bundles.
    pub(crate) async fn bundle_of(&self, agent: AgentId) -> Result<Option<AgentBundle>> {
        let transport = self.transport();
        let parts = ["agents", &agent.to_string(), "bundle"];
        let bundle: Result<AgentBundle> = transport.get(transport.server.endpoint(&parts)).await;
        none_where_unknown(bundle).and_then(|it| it.map(|it| of(agent, it)).transpose())
    }

    /// Takes a one-time prekey of an agent, and its bundle; none, where it has published none.
    pub(crate) async fn claim_prekey(&self, agent: AgentId) -> Result<Option<ClaimedPrekey>> {
        let transport = self.transport();
        let parts = ["agents", &agent.to_string(), "prekeys", "claim"];
        let claimed: Result<ClaimedPrekey> = transport
            .post_nothing(transport.server.endpoint(&parts))
            .await;
        let Some(claimed) = none_where_unknown(claimed)? else {
            return Ok(None);
        };
        let of = of(agent, claimed.of)?;
        Ok(Some(ClaimedPrekey { of, ..claimed }))
    }

    /// Adds one-time prekeys of an own agent.
    pub(crate) async fn add_prekeys(
        &self,
        agent: AgentId,
        prekeys: Vec<SignedStatement>,
    ) -> Result<Prekeys> {
        let transport = self.transport();
        let parts = ["agents", &agent.to_string(), "prekeys"];
        let url = transport.server.endpoint(&parts);
        transport
            .send_json(Method::POST, url, &AddPrekeys { prekeys }, Repeat::Safe)
            .await
    }

    /// Asks how many one-time prekeys of an own agent are left.
    pub(crate) async fn prekeys_of(&self, agent: AgentId) -> Result<Prekeys> {
        let transport = self.transport();
        let parts = ["agents", &agent.to_string(), "prekeys"];
        transport.get(transport.server.endpoint(&parts)).await
    }
}

fn of(agent: AgentId, bundle: AgentBundle) -> Result<AgentBundle> {
    if bundle.id == agent && bundle.agent_uuid == agent {
        return Ok(bundle);
    }
    Err(Error::Answer("it is about another agent".to_owned()))
}

/// Nothing is sent in a weaker form because of this: who was known to have a bundle is refused without.
fn none_where_unknown<T>(answer: Result<T>) -> Result<Option<T>> {
    match answer {
        // `NO_BUNDLE`; a server from before there were bundles knows neither the code nor the path.
        Err(Error::Api(it)) if it.is_of_api() && matches!(it.status, 404 | 405) => Ok(None),
        answer => answer.map(Some),
    }
}

/// What is asked for at once.
pub(crate) struct Wanted;

impl Wanted {
    /// Prekeys in one call.
    pub(crate) const MOST: usize = 100;
}

/// Reads a bundle as the server shows it; whose it is, is decided elsewhere.
pub(crate) fn read_bundle(bundle: &AgentBundle) -> Result<SignedBundle> {
    let read = SignedBundle::read(bundle.bundle.as_bytes());
    read.map_err(|_| Error::Answer("a bundle cannot be read".to_owned()))
}

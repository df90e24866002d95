//! Agents: registering one with a key made here, and the calls about them.

use std::path::Path;
use std::sync::Arc;

use agentdrop_protocol::text::{Description, Name};
use agentdrop_protocol::wire::Done;
use agentdrop_protocol::wire::agents::{
    Agent, AgentStatus, AgentType, Agents, ConnectAgent, EncryptionAlgorithm, PublicKeys,
    RegisterAgent, RegisteredAgent, ResolvedAgent, RotateKey, SendableAgents, UpdateAgent,
};
use agentdrop_protocol::wire::profile::Profile;
use agentdrop_protocol::{AgentRef, Slug};
use http::Method;

use crate::client::Client;
use crate::error::{ConfigError, Error, Result, TrustError};
use crate::identity::{Draft, Identity};
use crate::own_keys::PublishedKeys;
use crate::transport::Repeat;

/// An agent to be registered.
#[derive(Clone, Debug)]
#[must_use]
pub struct NewAgent {
    slug: Slug,
    name: Option<Name>,
    description: Option<Description>,
    agent_type: Option<AgentType>,
    compatible: bool,
}

/// A registered agent, whose identity is on disk.
#[derive(Debug)]
pub struct Registered {
    /// The agent, with its private key.
    pub identity: Arc<Identity>,
    /// Why it has no API key of its own, if it has none: it needs the account's then.
    pub without_key: Option<Error>,
    /// Whether others can verify it.
    pub keys: FirstKeys,
}

/// Whether others can verify a new agent.
#[derive(Debug)]
#[non_exhaustive]
pub enum FirstKeys {
    /// They can: its keys are at the server.
    Published(PublishedKeys),
    /// It keeps to the formats of the published clients, as was asked for.
    Compatible,
    /// The server knows nothing of such keys, so that it keeps to those formats.
    UnknownToServer,
    /// Not yet, for this reason: [`Client::publish_keys`] is to be called.
    NotPublished(Error),
}

impl NewAgent {
    /// An agent that goes by this name.
    pub fn new(slug: Slug) -> Self {
        Self {
            slug,
            name: None,
            description: None,
            agent_type: None,
            compatible: false,
        }
    }

    /// What it is called.
    pub fn name(mut self, name: Name) -> Self {
        self.name = Some(name);
        self
    }

    /// What it does.
    pub fn description(mut self, description: Description) -> Self {
        self.description = Some(description);
        self
    }

    /// What it is built with.
    pub fn agent_type(mut self, agent_type: AgentType) -> Self {
        self.agent_type = Some(agent_type);
        self
    }

    /// It keeps to the formats of the published clients: for an identity that one of them is to use,
    /// which could not open what is sealed for the keys that others are verified by.
    pub fn compatible(mut self) -> Self {
        self.compatible = true;
        self
    }
}

impl Client {
    /// Registers an agent, with a key of the account, and puts its identity into `folder`.
    ///
    /// The key pair is made here and the private key does not leave. The identity gets an API key of
    /// its own, which can act as this agent and as nothing else. An identity that is in `folder`
    /// already is never overwritten.
    ///
    /// Then the keys by which others verify it are made and [published](Client::publish_keys), unless
    /// it is to be [compatible](NewAgent::compatible). Where that fails, the agent is there all the same.
    pub async fn register(&self, folder: &Path, agent: NewAgent) -> Result<Registered> {
        let draft = Draft::new(folder)?;
        let compatible = agent.compatible;
        let body = RegisterAgent {
            agent_id: agent.slug,
            public_key: Some(draft.public_key()),
            public_key_algorithm: Some(EncryptionAlgorithm::X25519),
            signing_public_key: None,
            signing_key_algorithm: None,
            name: agent.name,
            description: agent.description,
            webhook_url: None,
            agent_type: agent.agent_type,
            metadata: None,
        };
        let transport = self.transport();
        let url = transport.server.endpoint(&["agents", "register"]);
        let registered: RegisteredAgent = transport
            .send_json(Method::POST, url, &body, Repeat::Never)
            .await?;
        if registered.flat.public_key != body.public_key {
            return Err(TrustError::OwnKeyDiffers.into());
        }
        let RegisteredAgent {
            flat, inbox_url, ..
        } = registered;
        // On disk before anything else can fail: there is no second copy of the private key.
        let identity = draft.finish(flat.agent_id, flat.id, inbox_url, self.server())?;
        let (identity, without_key) =
            match self.create_agent_key(&AgentRef::Id(flat.id), None).await {
                Ok(created) => {
                    let wrong = |it| Error::Answer(format!("`api_key` {it}"));
                    let key = created.api_key.parse().map_err(wrong)?;
                    (identity.with_api_key(key)?, None)
                }
                Err(error) => (identity, Some(error)),
            };
        let identity = Arc::new(identity);
        let keys = if compatible {
            FirstKeys::Compatible
        } else {
            self.first_keys(&identity).await
        };
        Ok(Registered {
            identity,
            without_key,
            keys,
        })
    }

    /// Makes and publishes the keys of a new agent, as that agent.
    async fn first_keys(&self, identity: &Arc<Identity>) -> FirstKeys {
        let published = match self.acting_as(Arc::clone(identity)) {
            Ok(client) => client.publish_keys().await,
            Err(error) => Err(error),
        };
        match published {
            Ok(published) => FirstKeys::Published(published),
            Err(Error::Config(ConfigError::KeysUnknown)) => FirstKeys::UnknownToServer,
            Err(error) => FirstKeys::NotPublished(error),
        }
    }

    /// Connects an agent that was registered without a key, with the token of its registration as the
    /// client's key, and puts its identity into `folder`.
    ///
    /// It has no API key of its own. Once it has one, [`Client::publish_keys`] lets others verify it.
    pub async fn connect(&self, folder: &Path) -> Result<Identity> {
        let draft = Draft::new(folder)?;
        let body = ConnectAgent {
            public_key: draft.public_key(),
            public_key_algorithm: Some(EncryptionAlgorithm::X25519),
            signing_public_key: None,
            signing_key_algorithm: None,
        };
        let transport = self.transport();
        let url = transport.server.endpoint(&["agents", "connect"]);
        let connected: AgentStatus = transport
            .send_json(Method::POST, url, &body, Repeat::Never)
            .await?;
        let AgentStatus {
            agent_id,
            agent_uuid,
            inbox_url,
            ..
        } = connected;
        draft.finish(agent_id, agent_uuid, inbox_url, self.server())
    }

    /// Answers the agents of the account.
    pub async fn agents(&self) -> Result<Agents> {
        let transport = self.transport();
        transport.get(transport.server.endpoint(&["agents"])).await
    }

    /// Answers the agents that files can be sent to.
    pub async fn sendable_agents(&self) -> Result<SendableAgents> {
        let transport = self.transport();
        transport
            .get(transport.server.endpoint(&["agents", "sendable"]))
            .await
    }

    /// Answers who this client is to the server, and what waits for it.
    pub async fn profile(&self) -> Result<Profile> {
        let transport = self.transport();
        transport
            .get(transport.server.endpoint(&["agents", "me"]))
            .await
    }

    /// Answers what it takes to send to an agent.
    ///
    /// `account` says whose it is, by e-mail address, id or name; without it an own agent goes before
    /// others, and of several others none is meant. The server vouches for the key, and nobody else
    /// does.
    pub async fn resolve(&self, agent: &AgentRef, account: Option<&str>) -> Result<ResolvedAgent> {
        let transport = self.transport();
        let mut url = transport.server.endpoint(&["agents", "resolve"]);
        url.query_pairs_mut()
            .append_pair("agent_id", &agent.to_string());
        if let Some(account) = account {
            url.query_pairs_mut().append_pair("account", account);
        }
        let resolved: ResolvedAgent = transport.get(url).await?;
        let is_the_one = match agent {
            AgentRef::Id(id) => resolved.id == *id,
            AgentRef::Slug(slug) => resolved.agent_id == *slug,
        };
        if !is_the_one || resolved.agent_uuid != resolved.id {
            return Err(Error::Answer("it is about another agent".to_owned()));
        }
        Ok(resolved)
    }

    /// Answers an agent of the account.
    pub async fn agent(&self, agent: &AgentRef) -> Result<Agent> {
        let transport = self.transport();
        transport
            .get(transport.server.endpoint(&["agents", &agent.to_string()]))
            .await
    }

    /// Changes what is said of an agent.
    pub async fn update_agent(&self, agent: &AgentRef, update: &UpdateAgent) -> Result<Agent> {
        let transport = self.transport();
        let url = transport.server.endpoint(&["agents", &agent.to_string()]);
        transport
            .send_json(Method::PATCH, url, update, Repeat::Safe)
            .await
    }

    /// Deletes an agent, with everything that was sent to it and by it.
    pub async fn delete_agent(&self, agent: &AgentRef) -> Result<Done> {
        let transport = self.transport();
        transport
            .delete(transport.server.endpoint(&["agents", &agent.to_string()]))
            .await
    }

    /// Wipes the keys that the server has of an agent, and ends its channels.
    pub async fn disconnect_agent(&self, agent: &AgentRef) -> Result<AgentStatus> {
        let transport = self.transport();
        let parts = ["agents", &agent.to_string(), "disconnect"];
        transport
            .post_nothing(transport.server.endpoint(&parts))
            .await
    }

    /// Gives an agent a new key. Identities are not changed by this.
    pub async fn rotate_key(&self, agent: &AgentRef, keys: &RotateKey) -> Result<AgentStatus> {
        let transport = self.transport();
        let parts = ["agents", &agent.to_string(), "rotate-key"];
        let url = transport.server.endpoint(&parts);
        transport
            .send_json(Method::POST, url, keys, Repeat::Never)
            .await
    }

    /// Answers every key that an agent has had.
    pub async fn public_keys(&self, agent: &AgentRef) -> Result<PublicKeys> {
        let transport = self.transport();
        let parts = ["agents", &agent.to_string(), "public-keys"];
        transport.get(transport.server.endpoint(&parts)).await
    }
}

//! Building a client.

use std::sync::Arc;

use agentdrop_protocol::AgentRef;
use agentdrop_protocol::api_key::{ApiKey, KeyKind};
use agentdrop_protocol::wire::health::{Health, Readiness};

use crate::error::{ConfigError, Result};
use crate::identity::Identity;
use crate::server_url::{PlainHttp, ServerUrl};
use crate::transport::Transport;

/// One agent, or one account, at one server. A clone is the same client.
#[derive(Clone, Debug)]
pub struct Client {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    transport: Transport,
    identity: Option<Arc<Identity>>,
}

/// What a client is to be.
#[derive(Debug)]
#[must_use]
pub struct ClientBuilder {
    server: String,
    api_key: Option<Arc<ApiKey>>,
    identity: Option<Arc<Identity>>,
    acting_agent: Option<AgentRef>,
    plain_http: PlainHttp,
}

impl Client {
    /// Begins a client of the server at `server`, like `https://drop.example.org`.
    pub fn builder(server: impl Into<String>) -> ClientBuilder {
        ClientBuilder {
            server: server.into(),
            api_key: None,
            identity: None,
            acting_agent: None,
            plain_http: PlainHttp::default(),
        }
    }

    /// The address of the server.
    pub fn server(&self) -> String {
        self.inner.transport.server.to_string()
    }

    /// Who this client is, if it is an agent.
    pub fn identity(&self) -> Option<&Identity> {
        self.inner.identity.as_deref()
    }

    /// Asks whether the server's process runs, and which version it is.
    pub async fn health(&self) -> Result<Health> {
        let transport = self.transport();
        transport.get(transport.server.beside("healthz")).await
    }

    /// Asks whether everything the server needs is up. Where it is not, the answer is an error.
    pub async fn readiness(&self) -> Result<Readiness> {
        let transport = self.transport();
        transport.get(transport.server.beside("readyz")).await
    }

    /// A client of the same server that is this agent, by the API key of its own.
    pub(crate) fn acting_as(&self, identity: Arc<Identity>) -> Result<Self> {
        let key = identity.api_key().ok_or(ConfigError::NoApiKey)?;
        let transport = Transport::new(self.transport().server.clone(), Some(key), None)?;
        let inner = Inner {
            transport,
            identity: Some(identity),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    pub(crate) fn transport(&self) -> &Transport {
        &self.inner.transport
    }

    pub(crate) fn needed_identity(&self) -> Result<&Arc<Identity>> {
        Ok(self
            .inner
            .identity
            .as_ref()
            .ok_or(ConfigError::NoIdentity)?)
    }
}

impl ClientBuilder {
    /// Uses this key. It goes before the one that the identity holds.
    pub fn api_key(mut self, key: ApiKey) -> Self {
        self.api_key = Some(Arc::new(key));
        self
    }

    /// Is this agent: seals and opens with its key, and uses its API key if no other is given.
    pub fn identity(mut self, identity: impl Into<Arc<Identity>>) -> Self {
        self.identity = Some(identity.into());
        self
    }

    /// Acts as this agent of the account, where the key is the whole account's.
    ///
    /// A client with an identity acts as that.
    pub fn acting_agent(mut self, agent: AgentRef) -> Self {
        self.acting_agent = Some(agent);
        self
    }

    /// Calls a server on another machine without TLS. Whoever is between them reads the API key.
    pub fn allow_plain_http(mut self) -> Self {
        self.plain_http = PlainHttp::Anywhere;
        self
    }

    /// Builds the client. Nothing is called yet.
    pub fn build(self) -> Result<Client> {
        let server = ServerUrl::parse(&self.server, self.plain_http)?;
        let identity = self.identity.as_deref();
        let key = self.api_key.as_deref().or_else(|| identity?.api_key());
        let own = || identity.map(Identity::agent_ref);
        // The key of one agent says which agent acts.
        let whole_account = key.is_some_and(|it| it.kind() == KeyKind::Account);
        let acting_agent = self.acting_agent.or_else(own).filter(|_| whole_account);
        let transport = Transport::new(server, key, acting_agent.as_ref())?;
        let identity = self.identity;
        Ok(Client {
            inner: Arc::new(Inner {
                transport,
                identity,
            }),
        })
    }
}

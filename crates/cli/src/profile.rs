//! Which identity, which server, which key: flags first, then the environment, then the identity.

use std::env;
use std::io::{BufRead as _, Read as _};
use std::path::PathBuf;

use agentdrop_client::error::ConfigError;
use agentdrop_client::{Client, Identity, SavedSession};
use agentdrop_protocol::AgentRef;
use agentdrop_protocol::api_key::{ApiKey, KeyKind};

use crate::commands::login::not_signed_in;
use crate::exit::{Failure, Result};
use crate::global::Global;

/// The variable that names the agent to act as.
const AGENT_VARIABLE: &str = "AGENTDROP_AGENT_ID";
/// No key is as long as this.
const MAX_KEY_BYTES: u64 = 4096;

/// Who is calling, and whom.
#[derive(Debug)]
pub(crate) struct Profile {
    /// The identity, if there is one.
    pub(crate) identity: Option<Identity>,
    /// The session of whoever signed in here; looked for where nothing else says who is calling.
    session: Option<SavedSession>,
    config_dir: Option<PathBuf>,
    server: Option<String>,
    api_key: Option<ApiKey>,
    agent: Option<AgentRef>,
}

/// Who sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SendAs {
    /// The agent that the identity is of, if there is one.
    Agent,
    /// The same, or whoever has a key of the account.
    AgentOrOwner,
    /// The person who signed in.
    Person,
}

/// A client, and who it is.
#[derive(Debug)]
pub(crate) struct Caller {
    /// What calls the server.
    pub(crate) client: Client,
    /// What the key may act as.
    pub(crate) key_kind: KeyKind,
    /// How the key begins.
    pub(crate) key_shown: String,
    /// The agent that acts, if one was named.
    pub(crate) agent: Option<AgentRef>,
}

impl Profile {
    /// Finds out. Nothing is called.
    pub(crate) fn load(global: &Global) -> Result<Self> {
        let mut profile = Self::without_identity(global)?;
        let folder = Identity::find(global.config_dir.as_deref())?;
        profile.identity = folder.map(|it| Identity::load(&it)).transpose()?;
        if !profile.has_key() {
            profile.session = SavedSession::load(global.config_dir.as_deref())?;
        }
        Ok(profile)
    }

    /// What flags and environment say alone.
    pub(crate) fn without_identity(global: &Global) -> Result<Self> {
        let agent = env::var(AGENT_VARIABLE).ok().filter(|it| !it.is_empty());
        let agent = agent.map(|it| it.parse()).transpose();
        let agent = agent.map_err(|error| {
            let message = format!("{AGENT_VARIABLE} {error}");
            Failure::refused("AGENT_ID", message, "set it to the name or id of an agent")
        })?;
        Ok(Self {
            identity: None,
            session: None,
            config_dir: global.config_dir.clone(),
            server: global.server.clone().filter(|it| !it.is_empty()),
            api_key: api_key(global)?,
            agent,
        })
    }

    /// Where the server is.
    pub(crate) fn server(&self) -> Result<&str> {
        let server = self.server.as_deref();
        let server = server.or_else(|| self.identity.as_ref()?.server());
        let server = server.or_else(|| Some(self.session.as_ref()?.server()));
        server.ok_or_else(|| {
            Failure::refused(
                "NO_SERVER",
                "no server is set",
                "set AGENTDROP_SERVER, or give `--server`, like http://127.0.0.1:8787",
            )
        })
    }

    /// Whether somebody signed in, or gave a key and named no identity.
    pub(crate) fn is_somebody(&self) -> bool {
        self.session.is_some() || self.config_dir.is_none() && self.has_key()
    }

    /// A client that calls as nobody.
    pub(crate) fn stranger(&self) -> Result<Client> {
        Ok(Client::builder(self.server()?).build()?)
    }

    /// A client for what is the whole account's: with the key that was given; else in the session
    /// of whoever signed in, unless the identity has a key of the account.
    pub(crate) fn owner(mut self) -> Result<Client> {
        let key = self.identity.as_ref().and_then(Identity::api_key);
        let of_account = key.is_some_and(|it| it.kind() == KeyKind::Account);
        if self.api_key.is_none() && !of_account {
            self.find_session()?;
            let server = self.server()?.to_owned();
            if let Some(token) = self.session_token()? {
                return Ok(Client::builder(server).api_key(token).build()?);
            }
        }
        Ok(self.caller()?.client)
    }

    /// A client that calls with a key, as the identity if there is one; without either, in the
    /// session of whoever signed in.
    pub(crate) fn caller(mut self) -> Result<Caller> {
        let server = self.server()?.to_owned();
        if !self.has_key() {
            self.api_key = self.session_token()?;
        }
        let identity = match (self.identity, &self.agent) {
            // Another agent of the account is to act, and the identity is not its.
            (Some(identity), Some(agent)) if !is(&identity, agent) => None,
            (identity, _) => identity,
        };
        let key = self.api_key.as_ref();
        let key = key.or_else(|| identity.as_ref()?.api_key());
        let key = key.ok_or_else(|| agentdrop_client::Error::from(ConfigError::NoApiKey))?;
        let (key_kind, key_shown) = (key.kind(), key.shown().to_owned());

        let mut builder = Client::builder(server);
        let mut agent = self.agent;
        if let Some(identity) = identity {
            agent = Some(identity.agent_ref());
            builder = builder.identity(identity);
        } else if let Some(agent) = &agent {
            builder = builder.acting_agent(agent.clone());
        }
        if let Some(key) = self.api_key {
            builder = builder.api_key(key);
        }
        Ok(Caller {
            client: builder.build()?,
            key_kind,
            key_shown,
            agent,
        })
    }

    /// A client in the session of a person, for what no key may do.
    pub(crate) fn person(mut self) -> Result<Client> {
        self.find_session()?;
        let server = self.server()?.to_owned();
        let token = match self.api_key.take() {
            Some(given) if given.kind() != KeyKind::Session => {
                // It may be of another account than the one that somebody signed in to.
                return Err(Failure::refused(
                    "SESSION_REQUIRED",
                    "an API key is set, and this takes a person who signed in",
                    "unset AGENTDROP_API_KEY, or leave `--api-key` out, and `agentdrop login EMAIL`",
                ));
            }
            Some(token) => Some(token),
            None => self.session_token()?,
        };
        let token = token.ok_or_else(not_signed_in)?;
        Ok(Client::builder(server).api_key(token).build()?)
    }

    fn find_session(&mut self) -> Result<()> {
        if self.session.is_none() {
            self.session = SavedSession::load(self.config_dir.as_deref())?;
        }
        Ok(())
    }

    fn has_key(&self) -> bool {
        let identity = self.identity.as_ref();
        self.api_key.is_some() || identity.is_some_and(|it| it.api_key().is_some())
    }

    /// The token of the session, if it is one of the server that is called: to no other it goes.
    fn session_token(&mut self) -> Result<Option<ApiKey>> {
        let called = Client::builder(self.server()?).build()?.server();
        let session = self.session.take();
        let session = session.filter(|it| it.server() == called);
        Ok(session.map(SavedSession::into_token))
    }

    /// Where what a person or an agent is doing is kept: in the folder of the identity, or at home.
    pub(crate) fn folder(&self) -> Option<PathBuf> {
        match &self.identity {
            Some(identity) => Some(identity.folder().to_owned()),
            None => SavedSession::folder(self.config_dir.as_deref()).ok(),
        }
    }

    /// A client that sends: as the identity, or as the person who signed in.
    ///
    /// To people also an account's key sends, which is nobody that could seal for agents.
    pub(crate) fn sender(mut self, sender: SendAs) -> Result<Client> {
        if sender == SendAs::Person {
            // The server is the same, whoever sends.
            self.server = Some(self.server()?.to_owned());
            self.identity = None;
            return self.person();
        }
        if self.identity.is_none() {
            let is_session = |it: &ApiKey| it.kind() == KeyKind::Session;
            self.find_session()?;
            let signed_in = self
                .api_key
                .as_ref()
                .map_or_else(|| self.session.is_some(), is_session);
            if signed_in {
                return self.person();
            }
            if sender == SendAs::AgentOrOwner && self.api_key.is_some() {
                return Ok(self.caller()?.client);
            }
        }
        self.agent()
    }

    /// A client that seals and opens as the identity.
    pub(crate) fn agent(self) -> Result<Client> {
        let Some(identity) = &self.identity else {
            return Err(agentdrop_client::Error::from(ConfigError::NoIdentity).into());
        };
        if let Some(agent) = self.agent.as_ref().filter(|it| !is(identity, it)) {
            let folder = identity.folder().display();
            let message = format!(
                "the identity in {folder} is of {}, and {AGENT_VARIABLE} names {agent}",
                identity.agent_id()
            );
            let hint = "unset it, or give the folder of that agent with `--config-dir`";
            return Err(Failure::refused("AGENT_DIFFERS", message, hint));
        }
        Ok(self.caller()?.client)
    }
}

fn is(identity: &Identity, agent: &AgentRef) -> bool {
    match agent {
        AgentRef::Id(id) => identity.agent_uuid() == Some(*id),
        AgentRef::Slug(slug) => identity.agent_id() == slug,
    }
}

/// The key of the flag or the variable. It is not repeated where it is wrong.
fn api_key(global: &Global) -> Result<Option<ApiKey>> {
    let Some(text) = global.api_key.as_deref().filter(|it| !it.is_empty()) else {
        return Ok(None);
    };
    let mut read = String::new();
    let text = if text == "-" {
        let line = std::io::stdin().lock().take(MAX_KEY_BYTES);
        let line = std::io::BufReader::new(line).read_line(&mut read);
        line.map_err(|error| Failure::io("read the key from standard input", &error))?;
        read.trim()
    } else {
        text.trim()
    };
    let key = text.parse().map_err(|error| {
        let message = format!("the API key {error}");
        Failure::refused(
            "API_KEY",
            message,
            "copy it anew: it begins with `agd_live_` or `ada_live_`",
        )
    })?;
    Ok(Some(key))
}

//! What the audit logs have from a request: who asks, when, and from where.

pub(crate) mod verify;

use std::convert::Infallible;
use std::net::IpAddr;

use agentdrop_domain::audit::{Action, NewEntry, Subject, Who};
use agentdrop_protocol::{AccountId, Timestamp};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::app::App;
use crate::auth::ClientAddress;

/// The id of a request, as its answer and the log have it; among the request's extensions.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(pub(crate) String);

/// Where something that is done comes from: from a request, or from the operator.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    at: Timestamp,
    address: Option<IpAddr>,
    request_id: Option<String>,
}

impl Origin {
    /// A request with these parts.
    pub(crate) fn of(parts: &Parts, app: &App) -> Self {
        let ClientAddress(address) = ClientAddress::of(&parts.extensions, &parts.headers, app);
        let request_id = parts.extensions.get::<RequestId>();
        Self {
            at: app.clock.now(),
            address: Some(address),
            request_id: request_id.map(|it| it.0.clone()),
        }
    }

    /// The operator, at the machine itself.
    pub(crate) const fn operator(at: Timestamp) -> Self {
        Self {
            at,
            address: None,
            request_id: None,
        }
    }

    /// Whoever does it, in `account`.
    pub(crate) const fn witness(self, account: AccountId, who: Who) -> Witness {
        Witness {
            account,
            who,
            origin: self,
        }
    }
}

/// For operations that anybody may ask for; with a credential, the caller has a [`Witness`].
impl FromRequestParts<App> for Origin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        Ok(Self::of(parts, app))
    }
}

/// Tells the audit logs what one party does.
#[derive(Clone, Debug)]
pub(crate) struct Witness {
    account: AccountId,
    who: Who,
    origin: Origin,
}

impl Witness {
    /// The same, for what is done at this moment: long after the request began, where much had to
    /// be read first.
    pub(crate) fn at(self, at: Timestamp) -> Self {
        Self {
            origin: Origin { at, ..self.origin },
            ..self
        }
    }

    /// What was done, for the log of the account itself.
    pub(crate) fn saw(&self, action: Action, subject: Subject) -> [NewEntry; 1] {
        [NewEntry {
            account: self.account,
            at: self.origin.at,
            action,
            who: self.who,
            address: self.origin.address,
            request_id: self.origin.request_id.clone(),
            subject,
        }]
    }

    /// What was done, for the log of `other`, whom it concerns, too; nothing, if that is the
    /// account itself.
    ///
    /// It learns that this account did it. With which key, from where and in which request is not
    /// its to know.
    pub(crate) fn told(
        &self,
        other: AccountId,
        action: Action,
        subject: Subject,
    ) -> Option<NewEntry> {
        (other != self.account).then_some(NewEntry {
            account: other,
            at: self.origin.at,
            action,
            who: Who::Account(self.account),
            address: None,
            request_id: None,
            subject,
        })
    }

    /// What was done, for the logs of the account and of those of `sides` that are others'.
    pub(crate) fn both(
        &self,
        sides: impl IntoIterator<Item = AccountId>,
        action: Action,
        subject: &Subject,
    ) -> Vec<NewEntry> {
        let told = sides.into_iter();
        let told = told.filter_map(|it| self.told(it, action, subject.clone()));
        self.saw(action, subject.clone())
            .into_iter()
            .chain(told)
            .collect()
    }
}

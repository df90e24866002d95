//! Those who show no credential that works.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::ClientAddress;
use crate::api::error::{ApiError, Result};
use crate::app::App;
use crate::rates::Meter;

/// Whoever asks where no credential is needed; the request is charged to their address.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Anonymous(pub(crate) ClientAddress);

/// Whoever asks, while it is not known yet whether what they show works.
#[derive(Clone, Debug)]
pub(crate) struct Visitor {
    address: ClientAddress,
    meter: Meter,
}

impl Visitor {
    pub(super) fn of(parts: &Parts, app: &App) -> Self {
        Self {
            address: ClientAddress::of(&parts.extensions, &parts.headers, app),
            meter: Meter::of(&parts.extensions),
        }
    }

    /// Charges the request to the address, now that it shows nothing that works.
    pub(crate) fn charge(&self, app: &App) -> Result<()> {
        app.requests.charge_address(self.address, &self.meter)
    }
}

impl FromRequestParts<App> for Anonymous {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let visitor = Visitor::of(parts, app);
        visitor.charge(app)?;
        Ok(Self(visitor.address))
    }
}

impl FromRequestParts<App> for Visitor {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        Ok(Self::of(parts, app))
    }
}

//! What published clients report of their own scans.

use agentdrop_protocol::wire::shield::{AnalyzeScan, ScanVerdict};
use axum::Json;

use super::error::Result;
use super::extract::Body;
use super::openapi::Errors;
use crate::auth::Caller;

/// Judges a file by what the caller's own scanner said of it. Published clients ask after each
/// download; nothing of what they say is kept, and no file, name or hash is looked at.
#[utoipa::path(
    post, path = "/v1/shield/analyze", tag = "transfers", operation_id = "shield_analyze",
    request_body = AnalyzeScan, responses((status = 200, body = ScanVerdict), Errors)
)]
pub(crate) async fn analyze(_: Caller, Body(body): Body<AnalyzeScan>) -> Result<Json<ScanVerdict>> {
    Ok(Json(body.verdict()))
}

//! Whether the server works.

use agentdrop_protocol::wire::health::{Health, PartState, Readiness};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use crate::app::App;

/// Whether the process runs.
#[utoipa::path(
    get, path = "/healthz", tag = "operations", operation_id = "health_show", security(()),
    responses((status = 200, body = Health))
)]
pub(crate) async fn alive() -> Json<Health> {
    let version = env!("CARGO_PKG_VERSION").to_owned();
    Json(Health {
        status: "ok".to_owned(),
        version,
    })
}

/// Whether the server can do its work, and which part of it cannot; no more, once it is to stop.
#[utoipa::path(
    get, path = "/readyz", tag = "operations", operation_id = "health_show_readiness", security(()),
    responses((status = 200, body = Readiness), (status = 503, body = Readiness))
)]
pub(crate) async fn ready(State(app): State<App>) -> (StatusCode, Json<Readiness>) {
    let database = async {
        let mut reader = app.store.read().await?;
        reader.instance_value_count().await
    };
    let part = |works: bool| {
        if works {
            PartState::Ok
        } else {
            PartState::Unavailable
        }
    };
    let database = part(database.await.is_ok());
    let blobs = part(app.blobs.check().await.is_ok());
    let works = database == PartState::Ok && blobs == PartState::Ok;
    // All of it works, and nobody else is to be sent here.
    let ready = works && !app.draining.is_cancelled();
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (
        status,
        Json(Readiness {
            status: part(ready),
            database,
            blobs,
        }),
    )
}

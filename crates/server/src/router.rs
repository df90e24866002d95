//! The whole URL map, on one page.

use std::sync::Arc;

use agentdrop_protocol::ErrorCode;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, head};
use axum::{Router, middleware};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::error::ApiError;
use crate::api::{
    account, accounts, agent_keys, agents, audit, blocks, bundles, channels, connect, connections,
    docs, downloads, email_verifications, events, export, files, health, inbox, keys, links,
    openapi, pairings, password_resets, prekeys, profile, receive_passwords, send, sessions,
    shield, transfers, uploads, usage,
};
use crate::app::App;
use crate::observe::observe;
use crate::web::{reset, verify};

/// Every operation, each with its document.
fn operations() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(openapi::frame())
        .routes(routes!(accounts::create))
        .routes(routes!(usage::show))
        .routes(routes!(account::show, account::update, account::delete))
        .routes(routes!(export::export))
        .routes(routes!(
            receive_passwords::show,
            receive_passwords::set,
            receive_passwords::delete
        ))
        .routes(routes!(email_verifications::create))
        .routes(routes!(email_verifications::confirm))
        .routes(routes!(password_resets::create))
        .routes(routes!(password_resets::confirm))
        .routes(routes!(sessions::create, sessions::list))
        .routes(routes!(sessions::end))
        .routes(routes!(keys::create, keys::list))
        .routes(routes!(keys::revoke))
        .routes(routes!(connect::register))
        .routes(routes!(connect::connect))
        .routes(routes!(agents::list))
        .routes(routes!(agents::sendable))
        .routes(routes!(profile::show))
        .routes(routes!(agents::resolve))
        .routes(routes!(agents::show, agents::update, agents::delete))
        .routes(routes!(connect::disconnect))
        .routes(routes!(connect::rotate_key))
        .routes(routes!(agents::public_keys))
        .routes(routes!(bundles::publish, bundles::show))
        .routes(routes!(prekeys::add, prekeys::count))
        .routes(routes!(prekeys::claim))
        .routes(routes!(agent_keys::create, agent_keys::list))
        .routes(routes!(agent_keys::revoke))
        .routes(routes!(inbox::of_agent))
        .routes(routes!(channels::create, channels::list))
        .routes(routes!(channels::show, channels::revoke))
        .routes(routes!(
            connections::invite::create,
            connections::listed::list
        ))
        .routes(routes!(connections::revoke))
        .routes(routes!(connections::accept))
        .routes(routes!(connections::reject))
        .routes(routes!(connections::listed::agents))
        .routes(routes!(blocks::create))
        .routes(routes!(blocks::list))
        .routes(routes!(blocks::delete))
        .routes(routes!(pairings::terms::create, pairings::list))
        .routes(routes!(pairings::terms::update, pairings::revoke::revoke))
        .routes(routes!(pairings::confirm::confirm))
        .routes(routes!(send::create, transfers::list))
        .routes(routes!(uploads::announce::create))
        .routes(routes!(uploads::announce::create_in_parts))
        .routes(routes!(uploads::put::put))
        .routes(routes!(uploads::parts::list))
        .routes(routes!(uploads::parts::complete))
        .routes(routes!(uploads::parts::abort))
        .routes(routes!(uploads::confirm::confirm))
        .routes(routes!(inbox::of_caller))
        .routes(routes!(receive_passwords::public_key))
        .routes(routes!(transfers::show, transfers::delete))
        .routes(routes!(downloads::create))
        .route(
            "/v1/transfers/{transfer_id}/download",
            head(downloads::refuse_head),
        )
        .routes(routes!(downloads::acknowledge))
        .routes(routes!(files::show))
        .routes(routes!(links::show))
        .routes(routes!(links::download))
        .routes(routes!(links::acknowledge))
        .routes(routes!(links::verify))
        .routes(routes!(shield::analyze))
        .routes(routes!(audit::list))
        .routes(routes!(events::list))
        .routes(routes!(events::stream))
        .routes(routes!(health::alive))
        .routes(routes!(health::ready))
}

/// The document of the API.
pub(crate) fn document() -> OpenApi {
    operations().split_for_parts().1
}

/// The service.
pub(crate) fn router(app: App) -> Router {
    let (router, document) = operations().split_for_parts();
    router
        .route("/verify", get(verify::show).post(verify::confirm))
        .route("/reset", get(reset::show).post(reset::confirm))
        .with_state(app.clone())
        .route(
            "/openapi.json",
            get(openapi::show).with_state(Arc::new(document)),
        )
        .route("/docs", get(docs::enter))
        .route("/docs/", get(docs::page))
        .route("/docs/{file}", get(docs::part))
        .fallback(async || ApiError::NotFound)
        .method_not_allowed_fallback(async || {
            ApiError::refused(
                ErrorCode::MethodNotAllowed,
                "this path does not take this method",
            )
        })
        // Each handler has a limit of its own; files are counted as they come.
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(app, observe))
}

//! The web: a thin layer that reads a request, calls one module and renders.

mod answer;
mod assets;
mod conversation;
mod discovery;
mod error;
mod federation;
mod finish;
mod front;
mod hooks;
mod media_proxy;
mod pages;
mod prepared;
mod redirect;
mod source;
#[cfg(test)]
mod tests;

use activitypub_federation::config::{FederationConfig, FederationMiddleware};
use axum::Router;
use axum::middleware::map_response;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;

use crate::app::App;
use error::Failure;
use front::Front;
use prepared::Prepared;

/// All routes.
///
/// # Errors
/// When the federation library does not accept our configuration.
pub async fn router(app: App) -> anyhow::Result<Router> {
    // Of what is not prepared: a medium level costs little and saves most.
    let compression = CompressionLayer::new().quality(CompressionLevel::Precise(5));
    let [host, _] = app.urls.hosts();
    let config = FederationConfig::builder().domain(host.as_str()).app_data(app.clone()).build().await?;
    let prepared = Prepared::new(&app);
    let routes = Router::new()
        .merge(federation::routes())
        .merge(discovery::routes())
        .merge(hooks::routes())
        .merge(pages::routes())
        .merge(conversation::routes())
        .merge(media_proxy::routes(&app))
        .merge(assets::routes())
        .layer(axum::Extension(prepared.clone()))
        .fallback(async || Failure::NotFound("Nothing lives at this address."))
        .method_not_allowed_fallback(async || Failure::Method)
        .layer(axum::middleware::from_fn(finish::finish))
        .layer(compression)
        .layer(map_response(finish::weaken))
        .layer(FederationMiddleware::new(config));
    Ok(Router::new().fallback_service(Front::new(app, prepared, routes)))
}

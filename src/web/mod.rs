//! The web: a thin face that extracts, calls one room and renders.

use crate::app::App;

/// Everything that is served.
///
/// # Errors
/// When it cannot be put together.
pub async fn router(_app: App) -> anyhow::Result<axum::Router> {
    Ok(axum::Router::new())
}

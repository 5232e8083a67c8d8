//! Answers that redirect.

use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, LOCATION};
use http::{HeaderValue, StatusCode};

use super::answer::PUBLIC_MINUTE;
use super::error::Failure;

/// Redirects to `to`: 302, since the address of a page may change.
pub(super) fn lead_to(to: &str) -> Result<Response, Failure> {
    let location = HeaderValue::try_from(to).map_err(|_| Failure::Broken(format!("`{to}` is no address")))?;
    let headers = [(LOCATION, location), (CACHE_CONTROL, HeaderValue::from_static(PUBLIC_MINUTE))];
    Ok((StatusCode::FOUND, headers).into_response())
}

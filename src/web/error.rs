//! Any error as a status and application/problem+json (RFC 9457): the only place where errors become HTTP answers.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};

use super::answer::{ACTIVITY_JSON, PUBLIC_MINUTE};
use crate::inbox::rejection::Rejected;
use crate::net::signature::ACCEPT_SIGNATURE;

/// Why a request fails.
#[derive(Debug)]
pub(super) enum Failure {
    /// It never existed. Never for an error of ours: servers delete their copy (interop A22).
    NotFound(&'static str),
    /// It was deleted.
    Gone(&'static str),
    /// It was deleted, and this tombstone stands in its place (interop A23).
    Buried(Value),
    /// The request makes no sense.
    Bad(String),
    /// The client has not proved that it may read this.
    Forbidden(&'static str),
    /// The path is right, the method is not.
    Method,
    /// The body of a request exceeds the limit.
    TooLarge {
        /// In bytes.
        limit: usize,
    },
    /// The body of a request did not arrive in time.
    TooSlow,
    /// The inbox rejects it, or there is no room for its body.
    Rejected(Rejected),
    /// An error of the database; it may work again soon.
    Database(sqlx::Error),
    /// A bug of ours.
    Broken(String),
}

/// The text of an error answer, in its extensions, so that a page for people can show it too.
#[derive(Clone, Debug)]
pub(super) struct ErrorDetail {
    pub(super) status: StatusCode,
    /// One sentence.
    pub(super) detail: String,
}

impl Failure {
    fn told(&self) -> ErrorDetail {
        let (status, detail) = match self {
            Self::NotFound(what) => (StatusCode::NOT_FOUND, (*what).to_owned()),
            Self::Gone(what) => (StatusCode::GONE, (*what).to_owned()),
            Self::Buried(_) => (StatusCode::GONE, "This was taken down and will not come back.".to_owned()),
            Self::Bad(why) => (StatusCode::BAD_REQUEST, why.clone()),
            Self::Forbidden(why) => (StatusCode::FORBIDDEN, (*why).to_owned()),
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, "This address does not answer to this method.".to_owned()),
            Self::TooLarge { limit } => {
                (StatusCode::PAYLOAD_TOO_LARGE, format!("The body is longer than {limit} bytes; send less."))
            }
            Self::TooSlow => {
                (StatusCode::REQUEST_TIMEOUT, "The body did not arrive in time; send it again.".to_owned())
            }
            Self::Rejected(rejected) => (rejected.status, rejected.why.clone()),
            Self::Database(_) => {
                (StatusCode::SERVICE_UNAVAILABLE, "The database does not answer; try again later.".to_owned())
            }
            Self::Broken(_) => {
                (StatusCode::INTERNAL_SERVER_ERROR, "Something here is broken; its log says what.".to_owned())
            }
        };
        ErrorDetail { status, detail }
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl From<askama::Error> for Failure {
    fn from(error: askama::Error) -> Self {
        Self::Broken(format!("cannot render a page: {error}"))
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match &self {
            Self::Database(error) => tracing::error!(%error, "the database failed a request"),
            Self::Broken(why) => tracing::error!(why, "cannot answer a request"),
            _ => {}
        }
        let told = self.told();
        let retry_after = match &self {
            Self::Rejected(rejected) => rejected.retry_after,
            _ => None,
        };
        let (body, media_type, cache) = match self {
            Self::Buried(tombstone) => (tombstone, ACTIVITY_JSON, PUBLIC_MINUTE),
            _ => (problem(&told), "application/problem+json", "no-store"),
        };
        let mut response = (told.status, Json(body)).into_response();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(cache));
        if told.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert("accept-signature", HeaderValue::from_static(ACCEPT_SIGNATURE));
        }
        if let Some(wait) = retry_after {
            // Whole seconds, rounded up (RFC 9110 section 10.2.3).
            response.headers_mut().insert(
                RETRY_AFTER,
                HeaderValue::from(wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1)),
            );
        }
        response.extensions_mut().insert(told);
        response
    }
}

fn problem(told: &ErrorDetail) -> Value {
    json!({
        "type": "about:blank",
        "title": told.status.canonical_reason().unwrap_or("Error"),
        "status": told.status.as_u16(),
        "detail": told.detail,
    })
}

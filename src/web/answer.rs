//! What answers are made of: the form by `Accept`, whole bodies, and their `ETag`.

use aws_lc_rs::digest::{SHA256, digest};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName, IF_NONE_MATCH, REFERRER_POLICY,
    VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue};
use serde_json::Value;

use crate::base::hex::hex;

/// The spelling that every server accepts (interop A21).
pub(super) const ACTIVITY_JSON: &str = "application/activity+json; charset=utf-8";

/// Many servers ask for a new article at once; a cache may answer them (interop D13).
pub(super) const PUBLIC_MINUTE: &str = "public, max-age=60";

const ETAG_BYTES: usize = 16;

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// ActivityStreams, for programs.
    Document,
    Page,
}

impl Form {
    /// ActivityStreams if `Accept` names it, with any parameters and beside any other type (interop A21).
    pub(super) fn wanted(headers: &HeaderMap) -> Self {
        let named = accepts(headers, "application/activity+json") || accepts(headers, "application/ld+json");
        if named { Self::Document } else { Self::Page }
    }
}

/// Whether an answer of this media type is asked for by name.
pub(super) fn accepts(headers: &HeaderMap, media_type: &str) -> bool {
    headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|range| range.split(';').next().is_some_and(|name| name.trim().eq_ignore_ascii_case(media_type)))
}

/// A whole body that anybody may cache for a minute.
#[derive(Debug)]
pub(super) struct Document {
    media_type: &'static str,
    body: Bytes,
}

impl Document {
    pub(super) fn activity(value: &Value) -> Self {
        Self::json(ACTIVITY_JSON, value)
    }

    pub(super) fn json(media_type: &'static str, value: &Value) -> Self {
        Self::text(media_type, value.to_string())
    }

    pub(super) fn text(media_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self { media_type, body: body.into() }
    }
}

impl IntoResponse for Document {
    fn into_response(self) -> Response {
        let tag = tag_of(digest(&SHA256, &self.body).as_ref());
        let headers = [
            (CONTENT_TYPE, HeaderValue::from_static(self.media_type)),
            (CACHE_CONTROL, HeaderValue::from_static(PUBLIC_MINUTE)),
        ];
        let mut response = (headers, self.body).into_response();
        if let Ok(tag) = HeaderValue::try_from(tag) {
            response.headers_mut().insert(ETAG, tag);
        }
        response
    }
}

/// A strong `ETag` from a hash: another body has another (RFC 9110 section 8.8.3).
pub(super) fn tag_of(hash: &[u8]) -> String {
    format!("\"{}\"", hex(hash.iter().take(ETAG_BYTES)))
}

/// Marks an answer that another client would not get: no cache may share it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Personal;

/// Marks an answer in the reader's language.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spoken;

/// Whether the client has what this tag names (RFC 9110 section 13.1.2).
pub(super) fn is_known(asked: &HeaderMap, tag: &str) -> bool {
    asked
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

/// Pages load our own pictures, style and script and nothing else. Forms are sent to us, and redirected from here to the
/// reader's own server, to which browsers apply `form-action` too.
const PAGE_POLICY: &str = "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; form-action 'self' https:; \
     base-uri 'none'; frame-ancestors 'none'";

/// The headers that all answers have.
pub(super) fn give_common_headers(headers: &mut HeaderMap, spoken: bool) {
    let mut set = |name: HeaderName, value: &'static str| headers.insert(name, HeaderValue::from_static(value));
    set(VARY, if spoken { "accept, accept-language" } else { "accept" });
    set(X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(REFERRER_POLICY, "strict-origin-when-cross-origin");
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(PAGE_POLICY));
}

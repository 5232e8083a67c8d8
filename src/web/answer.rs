//! What all answers share: which form is wanted, caching and 304, the headers that keep pages harmless.

use std::fmt::Write;

use aws_lc_rs::digest::{SHA256, digest};
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName,
    IF_NONE_MATCH, LOCATION, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde_json::Value;

use super::error::{ErrorDetail, Failure};
use super::pages;

/// The one spelling that every peer takes (interop A21).
pub(super) const ACTIVITY_JSON: &str = "application/activity+json; charset=utf-8";

/// Many servers ask for a new article at once; a cache may answer them (interop D13).
pub(super) const PUBLIC_MINUTE: &str = "public, max-age=60";

/// Pages load our own pictures, style and script and nothing else. Forms are sent to us, and led on from here to the
/// reader's own server, which browsers hold to `form-action` too.
const PAGE_POLICY: &str = "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; form-action 'self' https:; \
     base-uri 'none'; frame-ancestors 'none'";

/// Bytes of the hash in an `ETag`.
const ETAG_BYTES: usize = 16;

/// The form in which an answer is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// ActivityStreams, for programs.
    Document,
    /// HTML, for people.
    Page,
}

impl Form {
    /// ActivityStreams for whoever names it, with any parameters and beside any other type (interop A21).
    pub(super) fn wanted(headers: &HeaderMap) -> Self {
        let named = accepts(headers, "application/activity+json") || accepts(headers, "application/ld+json");
        if named { Self::Document } else { Self::Page }
    }
}

fn accepts(headers: &HeaderMap, media_type: &str) -> bool {
    headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|range| range.split(';').next().is_some_and(|name| name.trim().eq_ignore_ascii_case(media_type)))
}

/// A whole body that anybody may keep for a minute.
#[derive(Debug)]
pub(super) struct Document {
    /// Its media type.
    media_type: &'static str,
    /// Itself.
    body: Bytes,
    /// Its `ETag` where that is known without the body.
    tag: Option<String>,
}

impl Document {
    /// An ActivityStreams document.
    pub(super) fn activity(value: &Value) -> Self {
        Self::json(ACTIVITY_JSON, value)
    }

    /// JSON of another type.
    pub(super) fn json(media_type: &'static str, value: &Value) -> Self {
        Self::text(media_type, value.to_string())
    }

    /// Any other text.
    pub(super) fn text(media_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self { media_type, body: body.into(), tag: None }
    }

    /// Any text under a tag of its own: another body always has another.
    pub(super) fn prepared(media_type: &'static str, body: Bytes, tag: String) -> Self {
        Self { media_type, body, tag: Some(tag) }
    }
}

impl IntoResponse for Document {
    fn into_response(self) -> Response {
        let tag = self.tag.unwrap_or_else(|| tag_of(digest(&SHA256, &self.body).as_ref()));
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

/// A strong `ETag` of a hash: another body has another (RFC 9110 section 8.8.3).
pub(super) fn tag_of(hash: &[u8]) -> String {
    let mut tag = String::from("\"");
    for byte in hash.iter().take(ETAG_BYTES) {
        // Writing to a String never fails.
        let _ = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    tag
}

/// Marks an answer that another asker would not get: no cache may share it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Personal;

/// Marks an answer that is in the reader's language.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spoken;

/// Leads on to `to`: 302, since where a page lives may change.
pub(super) fn lead_to(to: &str) -> Result<Response, Failure> {
    let location = HeaderValue::try_from(to).map_err(|_| Failure::Broken(format!("`{to}` is no address")))?;
    let headers = [(LOCATION, location), (CACHE_CONTROL, HeaderValue::from_static(PUBLIC_MINUTE))];
    Ok((StatusCode::FOUND, headers).into_response())
}

/// The last touch to every answer: 304 where nothing changed, errors as pages for people, and the common headers.
pub(super) async fn finish(request: Request, next: Next) -> Response {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD);
    let asked = request.headers().clone();
    let mut response = next.run(request).await;
    if safe {
        response = if is_unchanged(&asked, &response) { not_modified(response) } else { for_people(&asked, response) };
    }
    let personal = response.extensions().get::<Personal>().is_some();
    let spoken = response.extensions().get::<Spoken>().is_some();
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| headers.insert(name, HeaderValue::from_static(value));
    if personal {
        set(VARY, "accept, signature");
        set(CACHE_CONTROL, "private, no-cache");
    } else {
        set(VARY, if spoken { "accept, accept-language" } else { "accept" });
    }
    set(X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(REFERRER_POLICY, "strict-origin-when-cross-origin");
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(PAGE_POLICY));
    response
}

/// A compressed answer is equal to another only in meaning: its `ETag` says so (RFC 9110 section 8.8.1).
pub(super) async fn weaken(mut response: Response) -> Response {
    if response.headers().contains_key(CONTENT_ENCODING)
        && let Some(tag) = response.headers().get(ETAG).and_then(|tag| tag.to_str().ok())
        && !tag.starts_with("W/")
        && let Ok(weak) = HeaderValue::try_from(format!("W/{tag}"))
    {
        response.headers_mut().insert(ETAG, weak);
    }
    response
}

/// Whether the asker has this answer already.
fn is_unchanged(asked: &HeaderMap, response: &Response) -> bool {
    let tag = response.headers().get(ETAG).filter(|_| response.status() == StatusCode::OK);
    tag.and_then(|tag| tag.to_str().ok()).is_some_and(|tag| is_known(asked, tag))
}

/// Whether the asker has what this tag names (RFC 9110 section 13.1.2).
pub(super) fn is_known(asked: &HeaderMap, tag: &str) -> bool {
    asked
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

fn not_modified(mut response: Response) -> Response {
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    response.headers_mut().remove(CONTENT_TYPE);
    response.headers_mut().remove(CONTENT_LENGTH);
    *response.body_mut() = Body::empty();
    response
}

/// An error answer as a page, where a person asked.
fn for_people(asked: &HeaderMap, response: Response) -> Response {
    let person = accepts(asked, "text/html") && Form::wanted(asked) == Form::Page;
    let Some(told) = response.extensions().get::<ErrorDetail>().filter(|_| person) else { return response };
    let Ok(page) = pages::error(told, asked) else { return response };
    let (mut head, _) = response.into_parts();
    head.extensions.insert(Spoken);
    head.headers.remove(CONTENT_LENGTH);
    head.headers.insert(CONTENT_TYPE, HeaderValue::from_static(pages::HTML));
    Response::from_parts(head, page.into())
}

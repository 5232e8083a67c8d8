//! The last step of every answer: 304 where nothing changed, errors as pages for people, and the common headers.

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, VARY};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::answer::{Form, Personal, Spoken, accepts, give_common_headers, is_known};
use super::error::ErrorDetail;
use super::pages;
use super::prepared::Finished;

/// Finishes an answer.
pub(super) async fn finish(request: Request, next: Next) -> Response {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD);
    let asked = request.headers().clone();
    let mut response = next.run(request).await;
    let finished = response.extensions().get::<Finished>().is_some();
    if safe && !finished {
        response = if is_unchanged(&asked, &response) { not_modified(response) } else { for_people(&asked, response) };
    }
    let personal = response.extensions().get::<Personal>().is_some();
    let spoken = response.extensions().get::<Spoken>().is_some();
    let headers = response.headers_mut();
    if !finished {
        give_common_headers(headers, spoken);
    }
    if personal {
        headers.insert(VARY, HeaderValue::from_static("accept, signature"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    }
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

/// Whether the client has this answer already.
fn is_unchanged(asked: &HeaderMap, response: &Response) -> bool {
    let tag = response.headers().get(ETAG).filter(|_| response.status() == StatusCode::OK);
    tag.and_then(|tag| tag.to_str().ok()).is_some_and(|tag| is_known(asked, tag))
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

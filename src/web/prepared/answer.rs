//! One prepared answer: its bytes in each encoding, its headers, and what it was made from.

use axum::body::Body;
use axum::response::Response;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY};
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::BodyExt;

use super::basis::Basis;
use super::encodings::{Bodies, Encoding};
use crate::web::answer::{Spoken, give_common_headers, is_known};
use crate::web::error::Failure;

/// Bytes that an answer has besides its bodies, about.
const HEAD: usize = 1024;

/// Marks an answer that has all its headers.
#[derive(Clone, Copy, Debug)]
pub(in crate::web) struct Finished;

/// An answer for all who ask alike.
#[derive(Debug)]
pub(in crate::web) struct Answer {
    status: StatusCode,
    /// But those of an encoding.
    headers: HeaderMap,
    tag: Option<Tag>,
    bodies: Bodies,
    pub(in crate::web) basis: Basis,
}

/// The `ETag` of a body.
#[derive(Debug)]
struct Tag {
    text: String,
    strong: HeaderValue,
    /// Of its compressed forms: equal to it in meaning alone (RFC 9110 section 8.8.1).
    weak: HeaderValue,
}

impl Tag {
    fn of(strong: HeaderValue) -> Option<Self> {
        let text = strong.to_str().ok()?.to_owned();
        Some(Self { weak: HeaderValue::try_from(format!("W/{text}")).ok()?, text, strong })
    }
}

impl Answer {
    /// From a whole response.
    ///
    /// # Errors
    /// The response again, where it is not said what it was made from, or where it is one of an error.
    pub(super) async fn of(response: Response) -> Result<Self, Result<Response, Failure>> {
        let kept = response.status() == StatusCode::OK || response.status().is_redirection();
        let Some(basis) = response.extensions().get::<Basis>().filter(|_| kept).cloned() else {
            return Err(Ok(response));
        };
        let (mut head, body) = response.into_parts();
        let body = body.collect().await.map_err(|error| Err(Failure::Broken(format!("a body ended: {error}"))))?;
        let body = body.to_bytes();
        head.headers.remove(CONTENT_LENGTH);
        give_common_headers(&mut head.headers, head.extensions.get::<Spoken>().is_some());
        let compresses = !body.is_empty();
        if compresses {
            head.headers.append(VARY, ACCEPT_ENCODING.into());
        }
        let tag = head.headers.remove(ETAG).and_then(Tag::of);
        Ok(Self { status: head.status, headers: head.headers, tag, bodies: Bodies::new(body, compresses), basis })
    }

    /// About how many bytes of memory it takes at most.
    pub(super) fn weight(&self) -> usize {
        HEAD + self.bodies.weight()
    }

    /// Whether a client that sent these headers has it already.
    fn is_known(&self, asked: &HeaderMap) -> bool {
        asked.contains_key(IF_NONE_MATCH) && self.tag.as_ref().is_some_and(|tag| is_known(asked, &tag.text))
    }

    /// For a client that sent these headers.
    pub(in crate::web) async fn respond(&self, asked: &HeaderMap, is_head: bool) -> Response {
        let mut response = Response::new(Body::empty());
        *response.headers_mut() = self.headers.clone();
        response.extensions_mut().insert(Finished);
        let headers = response.headers_mut();
        let (tag, weak) = (self.tag.as_ref(), |tag: &Tag| tag.weak.clone());
        if self.is_known(asked) {
            headers.remove(CONTENT_TYPE);
            tag.map(|tag| headers.insert(ETAG, tag.strong.clone()));
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
        let (body, encoding) = self.bodies.get(Encoding::wanted(asked)).await;
        if let Some(name) = encoding.name() {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(name));
            tag.map(|tag| headers.insert(ETAG, weak(tag)));
        } else {
            tag.map(|tag| headers.insert(ETAG, tag.strong.clone()));
        }
        if is_head {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        }
        *response.status_mut() = self.status;
        if !is_head {
            *response.body_mut() = Body::from(body);
        }
        response
    }
}

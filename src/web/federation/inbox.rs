//! The inbox routes: a bounded body, then `inbox::receive`, then 202 (interop D1, R5).

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use activitypub_federation::config::Data;
use axum::body::Body;
use axum::extract::{ConnectInfo, OriginalUri, Request};
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST};
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::super::error::Failure;
use crate::app::App;
use crate::inbox::receive::{Post, receive};
use crate::net::address::is_public;

/// The longest activity read, in bytes.
pub(in crate::web) const BODY_MAX: usize = 1024 * 1024;

/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(30);

/// Takes an activity in.
pub(super) async fn take(
    data: Data<App>,
    OriginalUri(uri): OriginalUri,
    request: Request,
) -> Result<StatusCode, Failure> {
    let (head, body) = request.into_parts();
    let mut headers = head.headers;
    let from = caller(&head.extensions);
    let body = whole(&headers, body).await?;
    // HTTP/2 names the host in the address; signatures are over `host` all the same.
    if !headers.contains_key(HOST)
        && let Some(authority) = uri.authority()
        && let Ok(host) = HeaderValue::try_from(authority.as_str())
    {
        headers.insert(HOST, host);
    }
    let path_and_query = uri.path_and_query().map_or("/", |path| path.as_str());
    receive(&data, Post { path_and_query, headers: &headers, body: &body, from }).await.map_err(Failure::Turned)?;
    Ok(StatusCode::ACCEPTED)
}

/// Who sent a request, as far as its connection tells: an address of ours or of a private network is a proxy's, and stands
/// for everybody.
fn caller(extensions: &http::Extensions) -> Option<IpAddr> {
    let ConnectInfo(address) = extensions.get::<ConnectInfo<SocketAddr>>()?;
    is_public(address.ip()).then(|| address.ip())
}

/// The body, unless it is too long or too slow; what is announced as too long is not read at all.
async fn whole(headers: &HeaderMap, body: Body) -> Result<Bytes, Failure> {
    let too_large = Failure::TooLarge { limit: BODY_MAX };
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| usize::try_from(length).map_or(true, |length| length > BODY_MAX)) {
        return Err(too_large);
    }
    match tokio::time::timeout(BODY_TIME, Limited::new(body, BODY_MAX).collect()).await {
        Err(_) => Err(Failure::TooSlow),
        Ok(Ok(read)) => Ok(read.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large),
        Ok(Err(_)) => Err(Failure::Bad("The body broke off; send it again.".to_owned())),
    }
}

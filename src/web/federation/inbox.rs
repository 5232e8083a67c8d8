//! The inbox routes: rate limits by source, a bounded body, then `inbox::receive`, then 202 (interop D1, G9, R5).

use std::net::IpAddr;
use std::time::Duration;

use activitypub_federation::config::Data;
use axum::body::Body;
use axum::extract::{OriginalUri, Request};
use bytes::{Bytes, BytesMut};
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;

use super::super::error::Failure;
use super::super::source::source;
use super::with_host;
use crate::app::App;
use crate::inbox::receive::{Post, receive};
use crate::inbox::rejection::{Rejected, refuse, refuse_when_full, rejected, too_many};
use crate::net::body_limits::BodyPermit;
use crate::net::throttle::counted_as;

/// The largest activity read, in bytes.
pub(in crate::web) const BODY_MAX: usize = 1024 * 1024;

/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(30);

/// How long a body may pause.
const PAUSE: Duration = Duration::from_secs(10);

/// When to come back while too many bodies are under way.
const BUSY_FOR: Duration = Duration::from_secs(5);

pub(super) async fn take(
    data: Data<App>,
    OriginalUri(uri): OriginalUri,
    request: Request,
) -> Result<StatusCode, Failure> {
    let app: &App = &data;
    let (head, body) = request.into_parts();
    let from = source(&head.extensions, &head.headers, &app.config.server.trusted_proxies);
    let at_the_door = async {
        within_limits(app, from)?;
        refuse_when_full(app)?;
        let room = app.throttles.bodies.room(from.map(counted_as)).ok_or_else(busy)?;
        whole(&head.headers, body, room).await
    };
    // Held until the request is answered, and with it the room that the body takes.
    let (body, _room) = match at_the_door.await {
        Ok(read) => read,
        Err(rejected) => {
            refuse(app, &rejected).await;
            return Err(Failure::Rejected(rejected));
        }
    };
    let headers = with_host(head.headers, &uri);
    let path_and_query = uri.path_and_query().map_or("/", |path| path.as_str());
    receive(app, Post { path_and_query, headers: &headers, body: &body, from }).await.map_err(Failure::Rejected)?;
    Ok(StatusCode::ACCEPTED)
}

fn within_limits(app: &App, from: Option<IpAddr>) -> Result<(), Rejected> {
    let Some(from) = from else { return Ok(()) };
    app.throttles.sources.take(&counted_as(from)).map_err(|wait| {
        let rate = app.config.limits.inbox_per_source;
        too_many(wait, "too-many-of-source", format!("your address may send {rate} requests a minute"))
    })
}

/// The body, unless it is too long or too slow, and the room it takes; what is announced as too long is not read.
async fn whole(headers: &HeaderMap, body: Body, room: BodyPermit) -> Result<(Bytes, BodyPermit), Rejected> {
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| usize::try_from(length).map_or(true, |length| length > BODY_MAX)) {
        return Err(too_large());
    }
    let gives_way = room.gives_way();
    tokio::select! {
        biased;
        read = tokio::time::timeout(BODY_TIME, pieces(body, room)) => read.unwrap_or_else(|_| Err(too_slow())),
        () = gives_way => Err(busy()),
    }
}

/// Reads chunk by chunk; each takes its room when it comes, so that a client that only announces much takes none.
async fn pieces(mut body: Body, mut room: BodyPermit) -> Result<(Bytes, BodyPermit), Rejected> {
    let mut read = BytesMut::new();
    while let Some(frame) = tokio::time::timeout(PAUSE, body.frame()).await.map_err(|_| too_slow())? {
        let frame =
            frame.map_err(|_| rejected(StatusCode::BAD_REQUEST, "body-broken", "the body broke off; send it again"))?;
        let Ok(piece) = frame.into_data() else { continue };
        if read.len() + piece.len() > BODY_MAX {
            return Err(too_large());
        }
        if !room.take(piece.len()) {
            return Err(busy());
        }
        read.extend_from_slice(&piece);
    }
    room.is_whole();
    Ok((read.freeze(), room))
}

fn too_large() -> Rejected {
    let why = format!("the body is longer than {BODY_MAX} bytes; send less");
    rejected(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", why)
}

fn too_slow() -> Rejected {
    rejected(StatusCode::REQUEST_TIMEOUT, "body-too-slow", "the body did not arrive in time; send it again")
}

pub(in crate::web) fn busy() -> Rejected {
    let why = "too many requests are under way; come back in a moment";
    let busy = rejected(StatusCode::SERVICE_UNAVAILABLE, "no-room", why);
    Rejected { retry_after: Some(BUSY_FOR), ..busy }
}

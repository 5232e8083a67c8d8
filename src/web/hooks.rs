//! Webhooks of forges: `POST /hooks/sources/{name}` makes a source due.

use std::time::Duration;

use activitypub_federation::config::Data;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request};
use axum::routing::post;
use futures::StreamExt;
use http::StatusCode;
use http::header::CONTENT_LENGTH;

use super::error::Failure;
use super::federation::inbox::busy;
use super::source::source;
use crate::app::App;
use crate::net::body_limits::BodyPermit;
use crate::net::throttle::counted_as;
use crate::site::source::hooks::Call;

/// The largest body read, in bytes: GitHub sends no more. Only its hash is kept.
pub(super) const BODY_MAX: usize = 25 * 1024 * 1024;

/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(30);

pub(super) fn routes() -> Router {
    Router::new().route("/hooks/sources/{name}", post(take))
}

async fn take(data: Data<App>, Path(name): Path<String>, request: Request) -> Result<StatusCode, Failure> {
    let (head, body) = request.into_parts();
    let announced = head.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > BODY_MAX) {
        return Err(Failure::TooLarge { limit: BODY_MAX });
    }
    let mut call = Call::begin(&data, &name, &head.headers).await;
    if call.needs_body() {
        let from = source(&head.extensions, &head.headers, &data.config.server.trusted_proxies);
        let room = data.throttles.bodies.room(from.map(counted_as)).ok_or_else(|| Failure::Rejected(busy()))?;
        let gives_way = room.gives_way();
        tokio::select! {
            biased;
            read = tokio::time::timeout(BODY_TIME, hear(&mut call, body, room)) => read.map_err(|_| Failure::TooSlow)??,
            () = gives_way => return Err(Failure::Rejected(busy())),
        }
    }
    if call.end(&data).await? {
        Ok(StatusCode::ACCEPTED)
    } else {
        Err(Failure::Forbidden(
            "No source of this name takes this secret; set the same one here, in webhook_secret_file, and at the forge.",
        ))
    }
}

async fn hear(call: &mut Call, body: Body, mut room: BodyPermit) -> Result<(), Failure> {
    let mut read = 0;
    let mut parts = body.into_data_stream();
    while let Some(part) = parts.next().await {
        let part = part.map_err(|_| Failure::Bad("The body broke off; send it again.".to_owned()))?;
        read += part.len();
        if read > BODY_MAX {
            return Err(Failure::TooLarge { limit: BODY_MAX });
        }
        room.came(part.len());
        call.hear(&part);
    }
    Ok(())
}

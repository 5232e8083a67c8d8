//! `/follow/{handle}`: to the reader's own server, to follow one of ours from there.

use activitypub_federation::config::Data;
use axum::extract::{Path, Request};
use axum::response::Response;
use http::HeaderMap;

use super::Frame;
use super::account_card::AccountCard;
use super::content::cut;
use super::dialog::{self, Card, Subject};
use super::profile::standing;
use crate::activitypub::actor::ActorKind;
use crate::activitypub::intent::Intent;
use crate::app::App;
use crate::base::ids::split_handle;
use crate::model::interaction::conversation::media::MediaUrls;
use crate::web::conversation::person;
use crate::web::error::Failure;

/// Longest excerpt of a profile's text, in characters.
const EXCERPT: usize = 200;

pub(super) async fn show(
    data: Data<App>,
    Path(written): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let frame = Frame::new(&data, &headers)?;
    let subject = subject(&data, &frame, &written).await?;
    dialog::ask(&data, frame, &subject)
}

pub(super) async fn go(data: Data<App>, Path(written): Path<String>, request: Request) -> Result<Response, Failure> {
    let (head, from) = dialog::entered(request).await?;
    let frame = Frame::new(&data, &head.headers)?;
    let subject = subject(&data, &frame, &written).await?;
    dialog::lead(&data, frame, &subject, &head, from).await
}

/// The actor for `ann`, `@ann` or `@ann@example.org`.
async fn subject(app: &App, frame: &Frame<'_>, written: &str) -> Result<Subject, Failure> {
    const NOBODY: Failure = Failure::NotFound("Nobody here goes by this name.");
    let (name, host) = split_handle(written);
    if host.is_some_and(|host| !app.urls.hosts().iter().any(|ours| ours.as_str().eq_ignore_ascii_case(host))) {
        return Err(NOBODY);
    }
    let mut conn = app.db.read().await?;
    let who = standing(&mut conn, name).await?;
    if who.kind == ActorKind::Application {
        return Err(NOBODY);
    }
    let face = AccountCard::new(&person(app, &who), &mut MediaUrls::for_pages(app));
    Ok(Subject {
        intent: Intent::Follow,
        object: who.url(&app.urls),
        title: frame.say.with("follow-title", "name", &face.plain),
        lead: frame.say.say("follow-lead"),
        action: format!("/follow/{}", who.handle),
        by_hand: face.handle.clone(),
        card: Card { face, excerpt: cut(&html::text(&who.summary).replace('\n', " "), EXCERPT), language: None },
    })
}

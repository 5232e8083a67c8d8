//! An actor's page: name, how to follow, and published articles.

use activitypub_federation::config::Data;
use askama::Template;
use axum::extract::{Path, RawQuery};
use axum::response::Response;
use http::HeaderMap;

use super::account_card::AccountCard;
use super::listed::{Listed, listed, owners};
use super::{Frame, of_id, page};
use crate::activitypub::actor::ActorKind;
use crate::app::App;
use crate::base::ids::Handle;
use crate::db::{Conn, Page, Topic};
use crate::model::author::{self, Actor};
use crate::model::interaction::conversation::media::MediaUrls;
use crate::model::post;
use crate::web::answer::Form;
use crate::web::conversation::{from, person};
use crate::web::error::Failure;
use crate::web::prepared::Basis;
use crate::web::redirect::lead_to;

/// Articles on a page.
const SHOWN: i64 = 50;

#[derive(Template)]
#[template(path = "profile.html", config = "src/web/pages/askama.toml")]
struct Profile<'a> {
    frame: Frame<'a>,
    /// The actor's id.
    id: String,
    who: AccountCard,
    handle: &'a str,
    address: String,
    /// What is followed here, for people.
    kind: String,
    /// Whether anybody can follow: not the instance itself.
    followable: bool,
    /// Clean HTML.
    summary: &'a str,
    /// A plain name, and clean HTML.
    fields: &'a [(String, String)],
    articles: Vec<Listed>,
    newer: Option<i64>,
    older: Option<String>,
}

pub(super) async fn show(
    data: Data<App>,
    Path(written): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let app: &App = &data;
    let mut basis = Basis::of(app, &[Topic::Actors, Topic::Articles]);
    let mut conn = app.db.read().await?;
    basis.until(post::store::next_expiry(&mut conn, app.clock.now()).await?);
    let who = standing(&mut conn, &written).await?;
    let id = who.url(&app.urls);
    // An id is served at its own address alone (interop A22).
    if Form::wanted(&headers) == Form::Document {
        return Ok(basis.mark(lead_to(&id)?));
    }
    if who.handle.as_str() != written {
        return Ok(basis.mark(lead_to(&app.urls.profile(&who.handle))?));
    }
    let from = from(query.as_deref())?;
    let frame = Frame::new(app, &headers)?;
    let articles = post::store::spoken_of(&mut conn, who.id, (from, SHOWN + 1), app.clock.now()).await?;
    let part = Page::of(articles, SHOWN, |_| (from + SHOWN).to_string());
    let owners = owners(&mut conn).await?;
    let profile = Profile {
        id,
        who: AccountCard::new(&person(app, &who), &mut MediaUrls::for_pages(app)),
        handle: who.handle.as_str(),
        address: app.urls.acct(&who.handle),
        kind: kind(&frame, who.kind),
        followable: who.kind != ActorKind::Application,
        summary: &who.summary,
        fields: &who.fields,
        articles: listed(app, &frame, part.items, &owners, who.id),
        newer: (from > 0).then_some((from - SHOWN).max(0)),
        older: part.next,
        frame,
    };
    Ok(basis.mark(of_id(page(&profile.frame, &profile)?, &profile.id)))
}

/// An actor of ours that is not deleted, by a handle in any case.
pub(super) async fn standing(conn: &mut Conn, written: &str) -> Result<Actor, Failure> {
    const NOBODY: Failure = Failure::NotFound("Nobody here goes by this name.");
    let handle = Handle::parse(written).map_err(|_| NOBODY)?;
    let who = author::store::actor_by_handle(conn, &handle).await?.ok_or(NOBODY)?;
    if who.deleted_at.is_some() {
        return Err(Failure::Gone("This profile has been deleted."));
    }
    Ok(who)
}

fn kind(frame: &Frame<'_>, kind: ActorKind) -> String {
    match kind {
        ActorKind::Person => frame.say.say("kind-author"),
        ActorKind::Group => frame.say.say("kind-community"),
        ActorKind::Service => frame.say.say("kind-editors"),
        ActorKind::Application => frame.say.say("kind-server"),
    }
}

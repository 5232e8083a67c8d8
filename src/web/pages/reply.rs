//! `/reply?id=`: to the reader's own server, to answer an article or a post from there.

use activitypub_federation::config::Data;
use axum::extract::{RawQuery, Request};
use axum::response::Response;
use http::HeaderMap;
use url::form_urlencoded;

use super::Frame;
use super::account_card::AccountCard;
use super::content::cut;
use super::dialog::{self, Card, Subject};
use super::listed::title;
use crate::activitypub::intent::Intent;
use crate::activitypub::urls::Local;
use crate::app::App;
use crate::db::Conn;
use crate::model::interaction::conversation::media::MediaUrls;
use crate::model::interaction::{self, Kind, State};
use crate::model::{author, post};
use crate::web::conversation::{person, standing};
use crate::web::discovery::parameter;
use crate::web::error::Failure;

/// Longest excerpt of what is answered, in characters.
const EXCERPT: usize = 280;

const UNKNOWN: Failure = Failure::NotFound("Nothing that can be answered here has this id.");

pub(super) async fn show(data: Data<App>, RawQuery(query): RawQuery, headers: HeaderMap) -> Result<Response, Failure> {
    let frame = Frame::new(&data, &headers)?;
    let subject = subject(&data, &frame, query.as_deref()).await?;
    dialog::ask(&data, frame, &subject)
}

pub(super) async fn go(data: Data<App>, RawQuery(query): RawQuery, request: Request) -> Result<Response, Failure> {
    let (head, from) = dialog::entered(request).await?;
    let frame = Frame::new(&data, &head.headers)?;
    let subject = subject(&data, &frame, query.as_deref()).await?;
    dialog::lead(&data, frame, &subject, &head, from).await
}

async fn subject(app: &App, frame: &Frame<'_>, query: Option<&str>) -> Result<Subject, Failure> {
    let id = parameter(query, "id");
    let id = id.ok_or_else(|| Failure::Bad("Ask with ?id= and the id of what is to be answered.".to_owned()))?;
    let mut conn = app.db.read().await?;
    let card = match app.urls.local(&id) {
        Some(Local::Article(uuid)) => of_article(app, &mut conn, uuid).await?,
        _ => of_reply(app, &mut conn, &id).await?,
    };
    let query: String = form_urlencoded::Serializer::new(String::new()).append_pair("id", &id).finish();
    Ok(Subject {
        intent: Intent::Reply,
        title: frame.say.with("answer-title", "name", &card.face.plain),
        lead: frame.say.say("answer-lead"),
        action: format!("/reply?{query}"),
        by_hand: id.clone(),
        object: id,
        card,
    })
}

async fn of_article(app: &App, conn: &mut Conn, uuid: uuid::Uuid) -> Result<Card, Failure> {
    let article = standing(app, post::store::article_by_uuid(conn, uuid).await?.ok_or(UNKNOWN)?)?;
    let owner = author::store::actor(conn, article.owner).await?.ok_or(UNKNOWN)?;
    Ok(Card {
        face: AccountCard::new(&person(app, &owner), &mut MediaUrls::for_pages(app)),
        excerpt: cut(&title(&article), EXCERPT),
        language: Some(article.content.language).filter(|language| !language.is_empty()),
    })
}

async fn of_reply(app: &App, conn: &mut Conn, id: &str) -> Result<Card, Failure> {
    let post = interaction::store::post(conn, id).await?;
    let post = post.filter(|post| post.kind == Kind::Reply && post.state == State::Shown).ok_or(UNKNOWN)?;
    standing(app, post::store::article(conn, post.article).await?.ok_or(UNKNOWN)?)?;
    let shown = interaction::store::shown(conn, &app.urls, post.id).await?.ok_or(UNKNOWN)?;
    let words = shown.words.ok_or(UNKNOWN)?;
    let text = words.warning.unwrap_or_else(|| html::text(&words.content).replace('\n', " "));
    Ok(Card {
        face: AccountCard::new(&shown.author, &mut MediaUrls::for_pages(app)),
        excerpt: cut(&text, EXCERPT),
        language: words.language,
    })
}

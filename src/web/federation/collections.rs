//! Our collections: counts, an outbox in pages, a conversation (interop A16, A17, B18 to B20, F11).

use clock::Timestamp;
use serde_json::Value;
use url::form_urlencoded;

use super::super::error::Failure;
use crate::activitypub::collection::{self, PageRef};
use crate::activitypub::urls::Local;
use crate::app::App;
use crate::db::{Conn, Page};
use crate::federation::outbox;
use crate::federation::outbox::documents;
use crate::model::author::{self, Actor};
use crate::model::interaction::Note;
use crate::model::post::Article;
use crate::model::{follower, interaction};

/// Activities on a page.
const PAGE: i64 = 20;

pub(super) fn never_filled(id: &str) -> Value {
    collection::outbox(id, 0, None)
}

/// An outbox, or the page of it that `?before=number` asks for.
pub(super) async fn outbox(
    conn: &mut Conn,
    who: &Actor,
    id: &str,
    query: Option<&str>,
    now: Timestamp,
) -> Result<Value, Failure> {
    match number(query, "before")? {
        Some(before) => page(conn, who, id, before, now).await,
        None => whole(conn, who, id, now).await,
    }
}

async fn whole(conn: &mut Conn, who: &Actor, id: &str, now: Timestamp) -> Result<Value, Failure> {
    let total = outbox::store::count_listed(conn, who.id, now).await?;
    let newest = outbox::store::listed(conn, who.id, i64::MAX, 1, now).await?;
    let first = newest.first().map(|(number, _)| at_page(id, number.saturating_add(1)));
    Ok(collection::outbox(id, count(total), first.as_deref()))
}

async fn page(conn: &mut Conn, who: &Actor, id: &str, before: i64, now: Timestamp) -> Result<Value, Failure> {
    let items = outbox::store::listed(conn, who.id, before, PAGE + 1, now).await?;
    let part = Page::of(items, PAGE, |(number, _)| at_page(id, *number));
    let place = PageRef { id: &at_page(id, before), part_of: id, next: part.next.as_deref(), prev: None };
    Ok(collection::page(place, part.items.into_iter().map(|(_, body)| body).collect()))
}

fn at_page(id: &str, before: i64) -> String {
    format!("{id}?before={before}")
}

/// The page number asked for; only as we write it ourselves, so that a page's id is its address (interop A22).
fn number(query: Option<&str>, key: &str) -> Result<Option<i64>, Failure> {
    let asked = form_urlencoded::parse(query.unwrap_or_default().as_bytes()).find(|(name, _)| name == key);
    let Some((_, text)) = asked else { return Ok(None) };
    match text.parse::<i64>() {
        Ok(number) if number >= 0 && number.to_string() == text => Ok(Some(number)),
        _ => Err(Failure::Bad(format!("Ask with ?{key}= and a whole number, or follow `first` and `next`."))),
    }
}

/// The number of followers, without their names.
pub(super) async fn followers(conn: &mut Conn, who: &Actor, id: &str) -> Result<Value, Failure> {
    Ok(collection::counted(id, count(follower::store::count(conn, who.id).await?)))
}

/// `following` and `featured`: our actors follow nobody and pin nothing.
pub(super) fn nothing_chosen(local: &Local, id: &str) -> Value {
    if matches!(local, Local::Featured(_)) { collection::featured(id, &[]) } else { collection::counted(id, 0) }
}

/// The replies to an article, or the page of them that `?from=number` asks for (interop B18).
pub(super) async fn replies(
    app: &App,
    conn: &mut Conn,
    article: &Article,
    (id, query): (&str, Option<&str>),
) -> Result<Value, Failure> {
    let from = number(query, "from")?;
    let ids = documents::replies(app, conn, article, from.unwrap_or(0)).await?;
    Ok(match from {
        None => collection::standalone(collection::replies(id, ids.part())),
        Some(from) => collection::further(&from_page(id, from), id, false, ids.part()),
    })
}

/// The replies to an answer of ours, or the page of them that `?from=number` asks for (interop B18).
pub(super) async fn note_replies(
    app: &App,
    conn: &mut Conn,
    note: &Note,
    (id, query): (&str, Option<&str>),
) -> Result<Value, Failure> {
    let from = number(query, "from")?;
    let ids = documents::note_replies(app, conn, note, from.unwrap_or(0)).await?;
    Ok(match from {
        None => collection::standalone(collection::replies(id, ids.part())),
        Some(from) => collection::further(&from_page(id, from), id, false, ids.part()),
    })
}

/// How many liked or boosted an answer of ours, without their names (interop B19).
pub(super) async fn note_tally(conn: &mut Conn, note: &Note, local: &Local, id: &str) -> Result<Value, Failure> {
    let answers = interaction::store::answers_to_note(conn, note.id).await?;
    let total = if matches!(local, Local::NoteLikes(_)) { answers.likes } else { answers.boosts };
    Ok(collection::standalone(collection::tally(id, total)))
}

/// How many liked or boosted an article, without their names (interop B19).
pub(super) async fn tally(conn: &mut Conn, article: &Article, local: &Local, id: &str) -> Result<Value, Failure> {
    let answers = interaction::store::answers(conn, article.id).await?;
    let total = if matches!(local, Local::Likes(_)) { answers.likes } else { answers.boosts };
    Ok(collection::standalone(collection::tally(id, total)))
}

/// An article and its replies, or the page of them that `?from=number` asks for (interop B20).
pub(super) async fn conversation(
    app: &App,
    conn: &mut Conn,
    article: &Article,
    (id, query): (&str, Option<&str>),
) -> Result<Value, Failure> {
    let owner = author::store::actor(conn, article.owner).await?.ok_or(sqlx::Error::RowNotFound)?;
    let from = number(query, "from")?;
    let ids = documents::conversation(app, conn, article, from.unwrap_or(0)).await?;
    Ok(match from {
        None => collection::conversation(id, &owner.url(&app.urls), ids.part()),
        Some(from) => collection::further(&from_page(id, from), id, true, ids.part()),
    })
}

fn from_page(id: &str, from: i64) -> String {
    format!("{id}?from={from}")
}

fn count(rows: i64) -> u64 {
    u64::try_from(rows).unwrap_or(0)
}

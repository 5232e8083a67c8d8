//! Pictures from other servers, shown as our copies: `GET /pictures/{name}`. Only pictures of rows that are shown are ever
//! fetched (`model/interaction/conversation/media.rs`), by the one client, and kept on disk within limits (`cache.rs`).

mod cache;

use std::sync::Arc;
use std::time::Duration;

use activitypub_federation::config::Data;
use anyhow::{Context as _, anyhow, ensure};
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use bytes::Bytes;
use http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName,
};
use http::{HeaderValue, Request, StatusCode};
use moka::future::Cache;
use tokio::sync::{Mutex, Semaphore};
use url::Url;

use clock::Timestamp;

use self::cache::{Kept, Kind, MediaCache};
use super::assets::FOR_ALL;
use super::error::Failure;
use super::pages::content::figures;
use crate::app::App;
use crate::base::ids::ArticleId;
use crate::config::Pictures;
use crate::db::Conn;
use crate::model::interaction::conversation::media::{MediaRef, hash as hash_of};
use crate::model::post::Article;
use crate::model::{author, interaction, post};
use crate::net::client::{Limits, Reply, Wanted};
use crate::net::redirects;

/// Largest picture: of an avatar or an emoji, and of anything else.
const SMALL: usize = 2 * 1024 * 1024;
const LARGE: usize = 4 * 1024 * 1024;

/// Most pixels: a small file may still fill a browser's memory.
const PIXELS: usize = 40_000_000;

/// Longest wait for a picture.
const TIME_LIMIT: Duration = Duration::from_secs(20);

/// Pictures fetched at a time; others wait as long as for a picture.
const AT_A_TIME: usize = 8;

/// How long a picture that could not be fetched is not tried again.
const FAILED_FOR: Duration = Duration::from_mins(10);

/// How long our copy is used before the picture is fetched again.
const FRESH: Duration = Duration::from_hours(7 * 24);

/// Most failed pictures remembered, and most that are waited for.
const REMEMBERED: u64 = 10_000;

const ACCEPTED: &str = "image/avif, image/webp, image/png, image/jpeg, image/gif";

/// Nothing in a picture is ever run, even when it is opened by itself.
const POLICY: &str = "default-src 'none'; sandbox";

const NO_PICTURE: Failure = Failure::NotFound("There is no picture of this name, or it cannot be had just now.");

pub(super) fn routes(app: &App) -> Router {
    Router::new().route("/pictures/{name}", get(show)).layer(Extension(Arc::new(MediaProxy::new(app))))
}

/// The copies, and the fetches under way.
struct MediaProxy {
    shelf: MediaCache,
    failed: Cache<String, Timestamp>,
    /// Held while a picture is fetched, so that one fetch serves all who wait for it.
    flights: Cache<String, Arc<Mutex<()>>>,
    fetches: Semaphore,
}

impl MediaProxy {
    fn new(app: &App) -> Self {
        let pages = &app.config.pages;
        Self {
            shelf: MediaCache::new(&pages.pictures_folder, u64::from(pages.pictures_mib.get()) * 1024 * 1024),
            failed: Cache::new(REMEMBERED),
            flights: Cache::new(REMEMBERED),
            fetches: Semaphore::new(AT_A_TIME),
        }
    }
}

async fn show(
    data: Data<App>,
    Extension(copies): Extension<Arc<MediaProxy>>,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    let app: &App = &data;
    let (spot, hash) = MediaRef::parse(&name).ok_or(NO_PICTURE)?;
    if app.config.pages.pictures == Pictures::None {
        return Err(NO_PICTURE);
    }
    let url = {
        let mut conn = app.db.read().await?;
        address(app, &mut conn, spot).await?.filter(|url| hash_of(url) == hash).ok_or(NO_PICTURE)?
    };
    let picture = copy(app, &copies, hash, &url, limit(spot)).await.ok_or(NO_PICTURE)?;
    Ok(answer(hash, &picture))
}

const fn limit(spot: MediaRef) -> usize {
    match spot {
        MediaRef::Avatar(_) | MediaRef::NameEmoji(..) | MediaRef::LocalAvatar(_) | MediaRef::Emoji(..) => SMALL,
        MediaRef::Attachment(..) | MediaRef::Cover(_) | MediaRef::Figure(..) => LARGE,
    }
}

/// The present address of a picture in its row, if everyone may see it.
async fn address(app: &App, conn: &mut Conn, spot: MediaRef) -> sqlx::Result<Option<String>> {
    let now = app.clock.now();
    Ok(match spot {
        MediaRef::Avatar(id) => interaction::store::face(conn, id).await?.and_then(|(avatar, _)| avatar),
        MediaRef::NameEmoji(id, number) => {
            let face = interaction::store::face(conn, id).await?;
            face.and_then(|(_, emoji)| emoji.into_iter().nth(number)).map(|emoji| emoji.url)
        }
        MediaRef::LocalAvatar(id) => {
            let who = author::store::actor(conn, id).await?.filter(|who| who.deleted_at.is_none());
            who.and_then(|who| who.icon).map(|icon| icon.url)
        }
        MediaRef::Emoji(id, number) => {
            let words = interaction::store::shown_words(conn, id, now).await?;
            words.and_then(|words| words.emoji.into_iter().nth(number)).map(|emoji| emoji.url)
        }
        MediaRef::Attachment(id, number) => {
            let words = interaction::store::shown_words(conn, id, now).await?;
            words.and_then(|words| words.attachments.into_iter().nth(number)).map(|attachment| attachment.url)
        }
        MediaRef::Cover(id) => {
            standing(conn, id, now).await?.and_then(|article| article.content.image).map(|image| image.url)
        }
        MediaRef::Figure(id, number) => {
            let article = standing(conn, id, now).await?;
            article.and_then(|article| figures(&article.content.content).into_iter().nth(number))
        }
    })
}

async fn standing(conn: &mut Conn, id: ArticleId, now: Timestamp) -> sqlx::Result<Option<Article>> {
    Ok(post::store::article(conn, id).await?.filter(|article| article.stands(now)))
}

/// Our copy; fetched if there is none or it is old. An old one is used while the picture cannot be fetched.
async fn copy(app: &App, copies: &MediaProxy, hash: &str, url: &str, limit: usize) -> Option<Kept> {
    let is_fresh = |kept: &Kept| app.clock.now().since(kept.at) < FRESH;
    let kept = copies.shelf.take(hash, app.clock.now()).await;
    if kept.as_ref().is_some_and(is_fresh) || failed_lately(app, copies, hash).await {
        return kept;
    }
    let flight = copies.flights.get_with_by_ref(hash, std::future::ready(Arc::default())).await;
    let _flying = flight.lock().await;
    let again = copies.shelf.take(hash, app.clock.now()).await;
    if again.as_ref().is_some_and(is_fresh) || failed_lately(app, copies, hash).await {
        return again;
    }
    let fetch = async {
        // Never closed, so there always is a place in the end.
        let _place = copies.fetches.acquire().await;
        fetch(app, url, limit).await
    };
    let fetched = tokio::time::timeout(TIME_LIMIT, fetch).await;
    match fetched.unwrap_or_else(|_| Err(anyhow!("it did not come in time"))) {
        Ok((kind, body)) => {
            let kept = Kept { kind, at: app.clock.now(), body };
            copies.shelf.put(hash, &kept).await;
            Some(kept)
        }
        Err(why) => {
            tracing::debug!(url, %why, "a picture cannot be had");
            copies.failed.insert(hash.to_owned(), app.clock.now()).await;
            again
        }
    }
}

async fn failed_lately(app: &App, copies: &MediaProxy, hash: &str) -> bool {
    let failed = copies.failed.get(hash).await;
    failed.is_some_and(|failed| app.clock.now().since(failed) < FAILED_FOR)
}

/// Fetches a picture. Its format is known by its first bytes, not by its Content-Type.
async fn fetch(app: &App, url: &str, limit: usize) -> anyhow::Result<(Kind, Bytes)> {
    let mut first = Url::parse(url)?;
    first.set_fragment(None);
    let is_redirect = |reply: &Reply| reply.status.is_redirection() && redirects::location(reply).is_some();
    let reply = redirects::follow(&first, is_redirect, |at| ask(app, at, limit)).await?.reply;
    ensure!(reply.status == StatusCode::OK, "its server answered {}", reply.status);
    checked(reply.body)
}

async fn ask(app: &App, at: Url, limit: usize) -> anyhow::Result<Reply> {
    let request = Request::get(at.as_str()).header(ACCEPT, ACCEPTED).body(Bytes::new())?;
    let limits = Limits { total: TIME_LIMIT, wanted: Wanted::Whole(limit) };
    Ok(app.net.send(request, limits).await?)
}

fn checked(body: Bytes) -> anyhow::Result<(Kind, Bytes)> {
    let kind = Kind::of(&body).context("it is no picture of a kind that is shown")?;
    let size = imagesize::blob_size(&body)?;
    ensure!(size.width.saturating_mul(size.height) <= PIXELS, "it has more than {PIXELS} pixels");
    Ok((kind, body))
}

fn answer(hash: &str, picture: &Kept) -> Response {
    let text = |name: HeaderName, value: &'static str| (name, HeaderValue::from_static(value));
    let headers = [
        text(CONTENT_TYPE, picture.kind.media_type()),
        text(CACHE_CONTROL, "public, max-age=86400"),
        text(CONTENT_DISPOSITION, picture.kind.disposition()),
        text(CONTENT_SECURITY_POLICY, POLICY),
        FOR_ALL,
    ];
    let mut response = (headers, picture.body.clone()).into_response();
    if let Ok(tag) = HeaderValue::try_from(format!("\"{hash}-{}\"", picture.at.millis())) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

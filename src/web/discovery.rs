//! Discovery: WebFinger, NodeInfo, host-meta, from a page of the site to its article; and health.

use std::time::Duration;

use activitypub_federation::config::Data;
use axum::Router;
use axum::extract::RawQuery;
use axum::middleware::{from_fn, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::HeaderValue;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL};
use url::form_urlencoded;

use super::answer::Document;
use super::error::Failure;
use super::prepared::{Basis, keep};
use super::redirect::lead_to;
use crate::activitypub::actor::ActorKind;
use crate::activitypub::discovery::{self, JRD, NodeinfoFacts, NodeinfoVersion, XRD};
use crate::activitypub::urls::Local;
use crate::app::App;
use crate::db::{Conn, Topic};
use crate::model::author::{self, Actor};
use crate::model::interaction::named::{Named, named};
use crate::model::post;

/// How long `/readyz` waits for the database.
const READY_WITHIN: Duration = Duration::from_secs(5);

const DAY: Duration = Duration::from_hours(24);

/// How late who was active long ago is no longer counted.
const AGES: Duration = Duration::from_hours(1);

pub(super) fn routes() -> Router {
    let for_every_site = Router::new()
        .route("/.well-known/webfinger", get(webfinger))
        .route("/.well-known/nodeinfo", get(nodeinfo_links))
        .route("/nodeinfo/2.0", get(async |data| nodeinfo(data, NodeinfoVersion::V2_0).await))
        .route("/nodeinfo/2.1", get(async |data| nodeinfo(data, NodeinfoVersion::V2_1).await))
        .route("/.well-known/host-meta", get(host_meta))
        .layer(map_response(readable_by_all))
        .layer(from_fn(keep));
    Router::new()
        .merge(for_every_site)
        .route("/ap/resolve", get(resolve))
        .route("/healthz", get(async || health("alive\n")))
        .route("/readyz", get(ready))
        .route("/robots.txt", get(async || Document::text("text/plain; charset=utf-8", ROBOTS)))
}

/// Everything here is meant to be found.
const ROBOTS: &str = "User-agent: *\nDisallow:\n";

/// Scripts on other sites ask too (interop A1).
async fn readable_by_all(mut response: Response) -> Response {
    response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

/// The first query parameter of this name, percent-decoded (interop A4).
pub(super) fn parameter(query: Option<&str>, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).filter(|value| !value.is_empty())
}

async fn webfinger(data: Data<App>, RawQuery(query): RawQuery) -> Result<Response, Failure> {
    let urls = &data.urls;
    let resource = parameter(query.as_deref(), "resource").unwrap_or_default();
    let resource = discovery::parse_resource(&resource).map_err(|error| Failure::Bad(error.to_string()))?;
    let local = resource.local(urls).ok_or(NOBODY)?;
    let basis = Basis::of(&data, &[Topic::Actors]);
    let mut conn = data.db.read().await?;
    let who = actor_named(&mut conn, &local).await?.ok_or(NOBODY)?;
    if who.deleted_at.is_some() {
        // 404 would leave a copy elsewhere for ever (interop A4).
        return Err(Failure::Gone("The actor has been deleted."));
    }
    let uuid = (who.kind != ActorKind::Application).then_some(who.uuid);
    Ok(basis.mark(Document::json(JRD, &discovery::webfinger(urls, uuid, &who.handle))))
}

const NOBODY: Failure = Failure::NotFound("Nobody of ours goes by this name.");

/// The actor that a resource names; the instance has no id under `/ap/actors`.
async fn actor_named(conn: &mut Conn, local: &Local) -> sqlx::Result<Option<Actor>> {
    match local {
        Local::Profile(handle) => author::store::actor_by_handle(conn, handle).await,
        Local::Instance => author::store::instance(conn).await,
        Local::Actor(uuid) => {
            let who = author::store::actor_by_uuid(conn, *uuid).await?;
            Ok(who.filter(|who| who.kind != ActorKind::Application))
        }
        _ => Ok(None),
    }
}

async fn nodeinfo_links(data: Data<App>) -> Response {
    Basis::default().mark(Document::json(JRD, &discovery::nodeinfo_links(&data.urls)))
}

async fn nodeinfo(data: Data<App>, version: NodeinfoVersion) -> Result<Response, Failure> {
    let mut basis = Basis::of(&data, &[Topic::Actors, Topic::Articles]);
    let mut conn = data.db.read().await?;
    let now = data.clock.now();
    basis.until(Some(now + AGES));
    let count = |rows: i64| u64::try_from(rows).unwrap_or(0);
    let facts = NodeinfoFacts {
        version: env!("CARGO_PKG_VERSION"),
        repository: Some(env!("CARGO_PKG_REPOSITORY")).filter(|address| !address.is_empty()),
        users: count(author::store::count_people(&mut conn).await?),
        active_month: count(post::store::count_publishers(&mut conn, now - 30 * DAY).await?),
        active_half_year: count(post::store::count_publishers(&mut conn, now - 180 * DAY).await?),
        posts: count(post::store::count_standing(&mut conn).await?),
        comments: 0,
    };
    let body = discovery::nodeinfo(version, &facts);
    let mut response = basis.mark(Document::json("application/json", &body));
    if let Ok(media_type) = HeaderValue::try_from(version.media_type()) {
        response.headers_mut().insert(http::header::CONTENT_TYPE, media_type);
    }
    Ok(response)
}

async fn host_meta(data: Data<App>) -> Response {
    Basis::default().mark(Document::text(XRD, discovery::host_meta(&data.urls)))
}

/// From a page of the site to its article, so that a pasted link is found.
async fn resolve(data: Data<App>, RawQuery(query): RawQuery) -> Result<Response, Failure> {
    let page = parameter(query.as_deref(), "url")
        .ok_or_else(|| Failure::Bad("Ask with ?url= and the address of a page of the site.".to_owned()))?;
    let mut conn = data.db.read().await?;
    let found = named(&mut conn, &data.urls, &page).await?.and_then(Named::article);
    let found = found.ok_or(Failure::NotFound("No article of ours belongs to this page."))?;
    if !found.stands(data.clock.now()) {
        return Err(Failure::Gone("The article of this page has been taken down."));
    }
    lead_to(&data.urls.article(found.uuid))
}

fn health(body: &'static str) -> Response {
    ([(CACHE_CONTROL, "no-store")], body).into_response()
}

async fn ready(data: Data<App>) -> Result<Response, Failure> {
    let answered = async {
        let mut conn = data.db.read().await?;
        author::store::setting(&mut conn, "origin").await
    };
    tokio::time::timeout(READY_WITHIN, answered).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))?;
    Ok(health("ready\n"))
}

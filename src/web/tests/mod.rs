//! A small site on its own database, asked over HTTP without a network.

mod conversation;
mod dialogs;
mod discovery;
mod documents;
mod feeds;
mod gone;
mod hooks;
mod inbox;
mod interactions;
mod notes;
mod pages;
mod pictures;
mod posts;

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use clock::{Clock, Timestamp};
use futures::FutureExt;
use futures::future::BoxFuture;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hugo_content::{Entry, Visibility};
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt;

use crate::activitypub::actor::ActorKind;
use crate::activitypub::article::ArticleContent;
use crate::app::App;
use crate::app::worker;
use crate::base::ids::{ArticleId, Handle, Ids, PostId};
use crate::base::sealing::MasterKey;
use crate::config::Config;
use crate::db::Db;
use crate::federation::outbox;
use crate::model::author::{self, Actor, bootstrap};
use crate::model::post::{self, Article, Post, PostState};
use crate::net::client::{Client, SendError, Wire};
use crate::site::source;

const CONFIG: &str = r#"
[server]
listen = "127.0.0.1:8080"
origin = "https://social.example.org"
handle_domain = "example.org"
[[community]]
name = "Sailors & co"
handle = "sailors"
team_handle = "editors"
summary = "About <boats>"
[[source]]
name = "site"
kind = "hugo"
community = "sailors"
path = "site"
webhook_secret_file = "hook"
public_url = "https://example.org/"
authors = []
"#;

const ORIGIN: &str = "https://social.example.org";
const AS2: [(&str, &str); 1] = [("accept", "application/activity+json")];
const BROWSER: [(&str, &str); 1] = [("accept", "text/html,application/xhtml+xml,*/*;q=0.8")];

/// A status, a media type or a place to go to, and a body.
type There = (u16, &'static str, Bytes);

/// What is out there, by address: nothing, at first; and how often somebody asked.
#[derive(Clone, Default)]
struct World(Arc<Mutex<HashMap<String, There>>>, Arc<AtomicUsize>);

impl World {
    fn put(&self, url: &str, status: u16, header: &'static str, body: impl Into<Bytes>) {
        self.0.lock().expect("no panic").insert(url.to_owned(), (status, header, body.into()));
    }

    /// Requests so far.
    fn asked(&self) -> usize {
        self.1.load(Ordering::Relaxed)
    }
}

impl Wire for World {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Body>, SendError>> {
        async move {
            self.1.fetch_add(1, Ordering::Relaxed);
            let found = self.0.lock().expect("no panic").get(&request.uri().to_string()).cloned();
            let Some((status, header, body)) = found else {
                return Err(SendError::Connect("nobody is there".to_owned()));
            };
            let name = if (300..400).contains(&status) { "location" } else { "content-type" };
            Ok(Response::builder().status(status).header(name, header).body(body.into()).expect("a response"))
        }
        .boxed()
    }
}

/// A site with a community and the author @ann.
struct Site {
    router: Router,
    app: App,
    ann: Actor,
    // The database lives in it.
    folder: TempDir,
    world: World,
    /// Counts what is said, so that ids are the same in each run.
    said: AtomicUsize,
}

/// An answer, read to its end.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("text")
    }
}

impl Site {
    async fn new() -> Self {
        Self::configured("").await
    }

    /// With more at the end of its configuration.
    async fn configured(more: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let config = Config::parse(&format!("{CONFIG}{more}"), folder.path(), "veerpont.toml", &|_| None)
            .expect("a configuration");
        let db = Db::open(&config.database.url).await.expect("a database");
        bootstrap::fix_identity(&db, &config).await.expect("an identity");
        let clock = Clock::manual(Timestamp::parse_rfc3339("2026-08-07T10:00:00Z").expect("a date"));
        let world = World::default();
        let net = Client::memory(Arc::new(world.clone()), &config.network, "test".to_owned()).expect("a client");
        let master = MasterKey::from_base64(&MasterKey::generate().expect("chance")).expect("a key");
        let app = App::new(config, db, clock, net, master).expect("a home");
        bootstrap::create_missing(&app).await.expect("actors");
        source::register::register_all(&app).await.expect("sources");
        let ann = person(&app, "ann", "Ann de Vries").await;
        let router = super::router(app.clone()).await.expect("a router");
        Self { router, app, ann, folder, world, said: AtomicUsize::new(0) }
    }

    fn number(&self) -> usize {
        self.said.fetch_add(1, Ordering::Relaxed)
    }

    async fn ask(&self, request: Request<Body>) -> Answer {
        let (head, body) = self.router.clone().oneshot(request).await.expect("infallible").into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        Answer { status: head.status, headers: head.headers, body }
    }

    async fn with(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
        let path = path.strip_prefix(ORIGIN).unwrap_or(path);
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.ask(request.body(Body::empty()).expect("a request")).await
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.with(Method::GET, path, headers).await
    }

    /// An activity document of ours, whole and right.
    async fn document(&self, path: &str) -> Value {
        let answer = self.get(path, &AS2).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
        assert_eq!(answer.header("content-type"), "application/activity+json; charset=utf-8", "{path}");
        answer.json()
    }

    async fn group(&self) -> Actor {
        let mut conn = self.app.db.read().await.expect("a connection");
        let handle = Handle::parse("sailors").expect("a handle");
        author::store::actor_by_handle(&mut conn, &handle).await.expect("a row").expect("the group")
    }

    /// An article of @ann's, published `hours` ago, not said yet.
    async fn write(&self, key: &str, hours: u64, until: Option<Timestamp>) -> Article {
        let app = &self.app;
        let mut conn = app.db.read().await.expect("a connection");
        let community = author::store::communities(&mut conn).await.expect("rows").remove(0);
        let source = source::store::known(&mut conn).await.expect("rows").remove(0);
        drop(conn);
        let now = app.clock.now();
        let published = now - Duration::from_secs(3600 * hours);
        let id = ArticleId(app.ids.row());
        let entry = entry(key, published);
        let post = Post {
            id: PostId(app.ids.row()),
            source_id: source.id,
            key: key.to_owned(),
            state: PostState::Published,
            fingerprint: entry.fingerprint.clone(),
            body_hash: entry.body_hash.clone(),
            first_seen_at: now,
            hidden_seen_at: None,
            missing_since: None,
            missing_scans: 0,
            withheld_at: None,
            article: Some(id),
            article_stands: true,
            article_pushed: false,
            article_unlisted: false,
            entry,
        };
        let article = Article {
            id,
            uuid: Ids::uuid(),
            context_uuid: Ids::uuid(),
            post_id: post.id,
            community_id: community.id,
            owner: self.ann.id,
            url: post.entry.url.clone(),
            content: content(&post.entry),
            pushed: false,
            unlisted: false,
            published_at: published,
            updated_at: None,
            expires_at: until,
            revision: 1,
            published_revision: 0,
            created_at: now,
            deleted_at: None,
        };
        let stored = article.clone();
        app.db
            .write(move |conn| {
                Box::pin(async move {
                    post::store::save_post(conn, &post).await?;
                    post::store::insert_article(conn, &stored).await
                })
            })
            .await
            .expect("an article");
        article
    }

    /// Says what is to be said.
    async fn publish(&self) {
        worker::drain(&outbox::worker::worker(), &self.app).await.expect("said");
    }

    async fn take_down(&self, article: &Article) {
        let (id, now) = (article.id, self.app.clock.now());
        self.app
            .db
            .write(move |conn| Box::pin(async move { post::store::delete_article(conn, id, now).await }))
            .await
            .expect("deleted");
    }

    async fn delete_ann(&self) {
        let (id, now) = (self.ann.id, self.app.clock.now());
        self.app
            .db
            .write(move |conn| Box::pin(async move { author::store::set_deleted(conn, id, now).await }))
            .await
            .expect("deleted");
    }
}

async fn person(app: &App, handle: &str, name: &str) -> Actor {
    let handle = Handle::parse(handle).expect("a handle");
    let (actor, keys) =
        bootstrap::new_actor(app, ActorKind::Person, handle, name, "<p>Sails <em>slowly</em>.</p>").expect("keys");
    let stored = actor.clone();
    app.db
        .write(move |conn| Box::pin(async move { author::store::insert_actor(conn, &stored, &keys).await }))
        .await
        .expect("an actor");
    actor
}

fn entry(key: &str, published: Timestamp) -> Entry {
    Entry {
        key: key.to_owned(),
        file: format!("content/{key}.md"),
        url: format!("https://example.org/{key}/"),
        title: format!("Vec<T> & co: {key}"),
        summary: "<p>Short.</p>".to_owned(),
        content: "<p>Long.</p>".to_owned(),
        language: "nl".to_owned(),
        tags: vec!["rust".to_owned()],
        authors: vec!["ann".to_owned()],
        image: None,
        published: Some(published),
        modified: None,
        visibility: Visibility::Public { until: None },
        fingerprint: "1:aa".to_owned(),
        body_hash: "bb".to_owned(),
        guid: None,
        aliases: Vec::new(),
        unlisted: false,
        trace: None,
    }
}

fn content(entry: &Entry) -> ArticleContent {
    ArticleContent {
        title: entry.title.clone(),
        summary: entry.summary.clone(),
        content: entry.content.clone(),
        language: entry.language.clone(),
        tags: entry.tags.clone(),
        image: None,
        byline: vec!["Ann de Vries".to_owned()],
        co_authors: Vec::new(),
        owner_is_team: false,
    }
}

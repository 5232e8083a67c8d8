//! Answers that are cached until their content changes: a reader of an unchanged conversation costs three small
//! statements, however long it is.

use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use bytes::Bytes;
use http::HeaderMap;
use moka::future::Cache;

use super::answer::{Document, is_known, tag_of};
use super::assets;
use super::error::Failure;
use crate::app::App;
use crate::db::Conn;
use crate::model::author::{self, Actor};
use crate::model::interaction;
use crate::model::post::Article;

/// Most bytes of cached answers.
const KEPT: u64 = 16 * 1024 * 1024;

/// A form in which a conversation is shown.
#[derive(Clone, Copy)]
pub(super) enum Shape<'a> {
    /// As a page, in a language.
    Page(&'a str),
    /// As our own JSON.
    Conversation,
    /// In Mastodon's shapes.
    Status,
    Context,
    Likes,
    Boosts,
}

impl Shape<'_> {
    fn name(self) -> String {
        match self {
            Self::Page(language) => format!("page {language}"),
            Self::Conversation => "conversation".to_owned(),
            Self::Status => "status".to_owned(),
            Self::Context => "context".to_owned(),
            Self::Likes => "likes".to_owned(),
            Self::Boosts => "boosts".to_owned(),
        }
    }
}

/// The key of an answer: a different one whenever the body may differ.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Version(String);

/// Cleans or renders on a blocking thread, since that may take long.
pub(super) async fn rendered(
    render: impl FnOnce() -> Result<String, Failure> + Send + 'static,
) -> Result<Bytes, Failure> {
    let done = tokio::task::spawn_blocking(render).await;
    done.map_err(|error| Failure::Broken(format!("cannot render: {error}")))?.map(Bytes::from)
}

/// The cached answers, by version; an older version is never asked for again, and evicted when others need its room.
#[derive(Clone)]
pub(super) struct Prepared {
    answers: Cache<Version, Bytes>,
    /// What every answer depends on besides: this program, and its configuration.
    program: Arc<[u8]>,
}

impl Prepared {
    pub(super) fn new(app: &App) -> Self {
        let answers = Cache::builder()
            .max_capacity(KEPT)
            .weigher(|Version(name), body: &Bytes| u32::try_from(name.len() + body.len()).unwrap_or(u32::MAX))
            .build();
        let mut made_by = Context::new(&SHA256);
        made_by.update(env!("CARGO_PKG_VERSION").as_bytes());
        // The style changes with the templates more often than the version does.
        made_by.update(assets::STYLE.path().as_bytes());
        made_by.update(format!("{:?}", app.config).as_bytes());
        Self { answers, program: made_by.finish().as_ref().into() }
    }

    /// The present version of a conversation, from counters alone: of its interactions, of the article, and of our
    /// profiles. `part` is where the page begins, or its length.
    pub(super) async fn version(
        &self,
        conn: &mut Conn,
        (article, owner): (&Article, &Actor),
        shape: Shape<'_>,
        part: i64,
    ) -> Result<Version, Failure> {
        let said = interaction::store::changes(conn, article.id).await?;
        let profiles = author::store::profile_changes(conn).await?;
        let facts = format!(
            "{} {part} {} {} {said} {profiles} {} {} {:?} {:?} {}",
            shape.name(),
            article.id,
            article.url,
            article.revision,
            owner.handle,
            article.updated_at,
            article.published_at,
            article.unlisted
        );
        let mut hash = Context::new(&SHA256);
        hash.update(&self.program);
        hash.update(facts.as_bytes());
        Ok(Version(tag_of(hash.finish().as_ref())))
    }

    /// The answer of this version, made by `make` if it is not cached; other requests for it wait meanwhile. Without a
    /// body for a client that has it already.
    pub(super) async fn answer(
        &self,
        version: Version,
        media_type: &'static str,
        asked: &HeaderMap,
        make: impl Future<Output = Result<Bytes, Failure>> + Send,
    ) -> Result<Document, Failure> {
        let tag = version.0.clone();
        if is_known(asked, &tag) {
            return Ok(Document::prepared(media_type, Bytes::new(), tag));
        }
        // One failure is the answer for all that waited.
        let body = self.answers.try_get_with(version, make).await.map_err(|failure| match &*failure {
            Failure::Database(error) => Failure::Database(sqlx::Error::Protocol(error.to_string())),
            Failure::Broken(why) => Failure::Broken(why.clone()),
            other => Failure::Broken(format!("cannot prepare an answer: {other:?}")),
        })?;
        Ok(Document::prepared(media_type, body, tag))
    }
}

//! Articles: stored, revised, deleted.

use std::time::Duration;

use clock::Timestamp;
use sqlx::any::AnyRow;
use uuid::Uuid;

use crate::activitypub::article::ArticleContent;
use crate::base::ids::{ActorId, ArticleId, CommunityId, Handle, PostId, SourceId};
use crate::db::{Columns, Conn, Queue, Topic, added, changed, decode_error, json, query};
use crate::model::post::{Article, Listed};

macro_rules! articles {
    ($rest:literal) => {
        concat!(
            "SELECT id, uuid, context_uuid, post_id, community_id, owner_actor_id, url, content, pushed, unlisted, published_at,
             updated_at, expires_at, revision, published_revision, created_at, deleted_at FROM articles ",
            $rest
        )
    };
}

/// Says that the present write changes an article, and with it the lists in which it stands.
fn article_changed(id: ArticleId) {
    changed(Topic::Article(id));
    changed(Topic::Articles);
}

/// Stores a new article.
pub(crate) async fn insert_article(conn: &mut Conn, article: &Article) -> sqlx::Result<()> {
    query(
        "INSERT INTO articles (id, uuid, context_uuid, post_id, community_id, owner_actor_id, url, content, pushed,
         published_at, expires_at, revision, created_at, unlisted)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        (
            article.id,
            article.uuid,
            article.context_uuid,
            article.post_id,
            article.community_id,
            article.owner,
            &article.url,
            json(&article.content)?,
            article.pushed,
            article.published_at,
            article.expires_at,
            article.revision,
            article.created_at,
            article.unlisted,
        ),
    )
    .execute(conn)
    .await?;
    article_changed(article.id);
    added(Queue::Outbox);
    Ok(())
}

/// Gives an article a new text: raises its revision, and moves `updated` at least a second past the last one and the
/// publication (interop B6).
pub(crate) async fn revise_article(
    conn: &mut Conn,
    article: &Article,
    url: &str,
    content: &ArticleContent,
    now: Timestamp,
) -> sqlx::Result<()> {
    let last = article.updated_at.unwrap_or(article.published_at).max(article.published_at);
    let updated = now.max(last + Duration::from_secs(1));
    query(
        "UPDATE articles SET url = $2, content = $3, updated_at = $4, revision = revision + 1 WHERE id = $1 AND deleted_at IS NULL",
        (article.id, url, json(content)?, updated),
    )
    .execute(conn)
    .await?;
    article_changed(article.id);
    added(Queue::Outbox);
    Ok(())
}

/// Changes the expiry date of an article.
pub(crate) async fn set_expiry(conn: &mut Conn, id: ArticleId, until: Option<Timestamp>) -> sqlx::Result<()> {
    article_changed(id);
    query("UPDATE articles SET expires_at = $2 WHERE id = $1", (id, until)).execute(conn).await
}

/// Has an article that was only listed sent to the followers after all.
pub(crate) async fn push_article(conn: &mut Conn, id: ArticleId) -> sqlx::Result<()> {
    query(
        "UPDATE articles SET pushed = 1, published_revision = 0, revision = revision + 1
         WHERE id = $1 AND pushed = 0 AND deleted_at IS NULL",
        id,
    )
    .execute(conn)
    .await?;
    article_changed(id);
    added(Queue::Outbox);
    Ok(())
}

/// Deletes an article for ever, for the outbox to publish. Does nothing to one already deleted.
pub(crate) async fn delete_article(conn: &mut Conn, id: ArticleId, now: Timestamp) -> sqlx::Result<()> {
    query(
        "UPDATE articles SET deleted_at = $2, revision = revision + 1 WHERE id = $1 AND deleted_at IS NULL",
        (id, now),
    )
    .execute(conn)
    .await?;
    article_changed(id);
    added(Queue::Outbox);
    Ok(())
}

/// When the next article of those that are public at `now` expires.
pub(crate) async fn next_expiry(conn: &mut Conn, now: Timestamp) -> sqlx::Result<Option<Timestamp>> {
    query(
        "SELECT expires_at FROM articles WHERE deleted_at IS NULL AND expires_at > $1 ORDER BY expires_at LIMIT 1",
        now,
    )
    .maybe_scalar(conn)
    .await
}

pub(crate) async fn article(conn: &mut Conn, id: ArticleId) -> sqlx::Result<Option<Article>> {
    query(articles!("WHERE id = $1"), id).fetch_optional(conn, read_article).await
}

/// An article by UUID, the deleted ones too.
pub async fn article_by_uuid(conn: &mut Conn, uuid: Uuid) -> sqlx::Result<Option<Article>> {
    query(articles!("WHERE uuid = $1"), uuid).fetch_optional(conn, read_article).await
}

/// The article whose conversation has this UUID, the deleted ones too.
pub(crate) async fn article_by_context(conn: &mut Conn, context: Uuid) -> sqlx::Result<Option<Article>> {
    query(articles!("WHERE context_uuid = $1"), context.to_string()).fetch_optional(conn, read_article).await
}

/// The articles of these pages of the site, at most nine, the deleted ones too: row and page, the newest first.
pub async fn articles_on_pages(conn: &mut Conn, pages: &[String]) -> sqlx::Result<Vec<(ArticleId, String)>> {
    let Some(first) = pages.first() else { return Ok(Vec::new()) };
    let pages: [&String; PAGES] = std::array::from_fn(|place| pages.get(place).unwrap_or(first));
    query(
        "SELECT id, url FROM articles WHERE url IN ($1, $2, $3, $4, $5, $6, $7, $8, $9) ORDER BY created_at DESC, id DESC LIMIT 100",
        pages,
    )
    .fetch_all(conn, |row| Ok((ArticleId(row.int("id")?), row.text("url")?)))
    .await
}

/// Most pages that [`articles_on_pages`] looks for.
pub(crate) const PAGES: usize = 9;

/// The articles that an actor published or announced and that are public at `now`, the latest publication first.
pub async fn spoken_of(
    conn: &mut Conn,
    actor: ActorId,
    (from, limit): (i64, i64),
    now: Timestamp,
) -> sqlx::Result<Vec<Article>> {
    query(
        articles!(
            "WHERE deleted_at IS NULL AND (expires_at IS NULL OR expires_at > $2) AND id IN
         (SELECT article_id FROM activities WHERE actor_id = $1 AND kind IN ('Create', 'Announce') AND interaction_id IS NULL)
         ORDER BY published_at DESC, id DESC LIMIT $4 OFFSET $3"
        ),
        (actor, now, from, limit),
    )
    .fetch_all(conn, read_article)
    .await
}

/// The owners of a community's articles that are not deleted; who published last comes first.
pub(crate) async fn owners_in_community(
    conn: &mut Conn,
    community: CommunityId,
    limit: i64,
) -> sqlx::Result<Vec<ActorId>> {
    query(
        "SELECT a.owner_actor_id FROM articles a JOIN actors p ON p.id = a.owner_actor_id
         WHERE a.community_id = $1 AND a.deleted_at IS NULL AND p.deleted_at IS NULL AND p.kind = 'Person'
         GROUP BY a.owner_actor_id ORDER BY MAX(a.published_at) DESC, a.owner_actor_id LIMIT $2",
        (community, limit),
    )
    .scalars(conn)
    .await
}

/// How many articles of an actor are not deleted.
pub(crate) async fn count_standing_of(conn: &mut Conn, owner: ActorId) -> sqlx::Result<i64> {
    query("SELECT COUNT(*) FROM articles WHERE owner_actor_id = $1 AND deleted_at IS NULL", owner).scalar(conn).await
}

/// Articles of an actor that are not deleted, `most` at most.
pub async fn standing_articles(conn: &mut Conn, owner: ActorId, most: i64) -> sqlx::Result<Vec<Article>> {
    query(articles!("WHERE owner_actor_id = $1 AND deleted_at IS NULL LIMIT $2"), (owner, most))
        .fetch_all(conn, read_article)
        .await
}

/// The articles of a source that are public at `now`, in the order of their pages.
pub(crate) async fn standing_in(conn: &mut Conn, source: SourceId, now: Timestamp) -> sqlx::Result<Vec<Listed>> {
    let mut all = query(
        "SELECT t.id, t.uuid, t.url, t.revision, p.key, a.handle FROM articles t JOIN posts p ON p.id = t.post_id
         JOIN actors a ON a.id = t.owner_actor_id WHERE p.source_id = $1 AND t.deleted_at IS NULL
         AND (t.expires_at IS NULL OR t.expires_at > $2)",
        (source, now),
    )
    .fetch_all(conn, |row| {
        Ok(Listed {
            id: ArticleId(row.int("id")?),
            uuid: row.uuid("uuid")?,
            key: row.text("key")?,
            url: row.text("url")?,
            owner: Handle::parse(&row.text("handle")?).map_err(decode_error)?,
            revision: row.int("revision")?,
        })
    })
    .await?;
    // Sorted here, since the engines' collations differ.
    all.sort_by(|a, b| (&a.url, a.id.0).cmp(&(&b.url, b.id.0)));
    Ok(all)
}

/// How many articles are not deleted.
pub(crate) async fn count_standing(conn: &mut Conn) -> sqlx::Result<i64> {
    query("SELECT COUNT(*) FROM articles WHERE deleted_at IS NULL", ()).scalar(conn).await
}

/// How many persons of ours published since a given time.
pub(crate) async fn count_publishers(conn: &mut Conn, since: Timestamp) -> sqlx::Result<i64> {
    query(
        "SELECT COUNT(DISTINCT p.id) FROM articles a JOIN actors p ON p.id = a.owner_actor_id
         WHERE p.kind = 'Person' AND p.frozen_at IS NULL AND p.deleted_at IS NULL
         AND a.deleted_at IS NULL AND a.published_at >= $1",
        since,
    )
    .scalar(conn)
    .await
}

/// How many people own a community's articles, and how many those are.
pub(crate) async fn count_in_community(conn: &mut Conn, community: CommunityId) -> sqlx::Result<(i64, i64)> {
    query(
        "SELECT COUNT(DISTINCT CASE WHEN p.kind = 'Person' THEN p.id END) AS people, COUNT(*) AS articles
         FROM articles a JOIN actors p ON p.id = a.owner_actor_id WHERE a.community_id = $1 AND a.deleted_at IS NULL",
        community,
    )
    .fetch_one(conn, |row| Ok((row.int("people")?, row.int("articles")?)))
    .await
}

/// How many articles have an unpublished revision.
pub async fn count_unsaid(conn: &mut Conn) -> sqlx::Result<i64> {
    query("SELECT COUNT(*) FROM articles WHERE revision > published_revision", ()).scalar(conn).await
}

/// Articles with an unpublished revision, oldest publication first.
pub async fn unsaid(conn: &mut Conn, limit: i64) -> sqlx::Result<Vec<Article>> {
    query(articles!("WHERE revision > published_revision ORDER BY published_at, id LIMIT $1"), limit)
        .fetch_all(conn, read_article)
        .await
}

/// Notes that an article's revision is published; false when it was already, or changed meanwhile.
pub(crate) async fn mark_said(conn: &mut Conn, article: &Article) -> sqlx::Result<bool> {
    article_changed(article.id);
    query(
        "UPDATE articles SET published_revision = revision WHERE id = $1 AND revision = $2 AND published_revision = $3",
        (article.id, article.revision, article.published_revision),
    )
    .changed(conn)
    .await
}

fn read_article(row: &AnyRow) -> sqlx::Result<Article> {
    Ok(Article {
        id: ArticleId(row.int("id")?),
        uuid: row.uuid("uuid")?,
        context_uuid: row.uuid("context_uuid")?,
        post_id: PostId(row.int("post_id")?),
        community_id: CommunityId(row.int("community_id")?),
        owner: ActorId(row.int("owner_actor_id")?),
        url: row.text("url")?,
        content: row.json::<ArticleContent>("content")?,
        pushed: row.flag("pushed")?,
        unlisted: row.flag("unlisted")?,
        published_at: row.time("published_at")?,
        updated_at: row.maybe_time("updated_at")?,
        expires_at: row.maybe_time("expires_at")?,
        revision: row.int("revision")?,
        published_revision: row.int("published_revision")?,
        created_at: row.time("created_at")?,
        deleted_at: row.maybe_time("deleted_at")?,
    })
}

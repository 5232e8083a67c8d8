//! What a site has: posts, by source and key.

use std::collections::HashMap;

use clock::Timestamp;
use futures::TryStreamExt;
use hugo_content::Entry;
use sqlx::any::AnyRow;

use crate::base::ids::{ArticleId, PostId, SourceId};
use crate::db::{Columns, Conn, Cursor, Page, Topic, changed, json, query};
use crate::model::post::Post;

macro_rules! posts {
    ($rest:literal) => {
        concat!(
            "SELECT p.id, p.source_id, p.key, p.state, p.entry, p.fingerprint, p.body_hash, p.first_seen_at, p.hidden_seen_at,
             p.missing_since, p.missing_scans, p.withheld_at, p.article_id,
             CASE WHEN a.id IS NOT NULL AND a.deleted_at IS NULL THEN 1 ELSE 0 END AS article_stands,
             COALESCE(a.pushed, 0) AS article_pushed, COALESCE(a.unlisted, 0) AS article_unlisted
             FROM posts p LEFT JOIN articles a ON a.id = p.article_id ",
            $rest
        )
    };
}

/// All posts of a source, in the order of their keys.
pub async fn posts(conn: &mut Conn, source: SourceId) -> sqlx::Result<Vec<Post>> {
    let mut posts = query(posts!("WHERE p.source_id = $1"), source).fetch_all(conn, read_post).await?;
    // Sorted here, since the engines' collations differ.
    posts.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(posts)
}

/// A page of the posts of all sources, the first seen first; of those whose article is not deleted, or of all.
pub async fn posts_after(conn: &mut Conn, all: bool, after: Option<Cursor<1>>, limit: i64) -> sqlx::Result<Page<Post>> {
    let Cursor([after]) = after.unwrap_or(Cursor([0]));
    let posts = query(
        posts!("WHERE p.id > $1 AND ($2 = 1 OR a.deleted_at IS NULL AND a.id IS NOT NULL) ORDER BY p.id LIMIT $3"),
        (after, all, limit + 1),
    )
    .fetch_all(conn, read_post)
    .await?;
    Ok(Page::of(posts, limit, |last: &Post| Cursor([last.id.0]).to_string()))
}

/// The entries of posts for which a connector kept its own notes, by their posts' keys.
pub(crate) async fn traced(conn: &mut Conn, source: SourceId) -> sqlx::Result<HashMap<String, Entry>> {
    let mut rows = sqlx::query("SELECT key, entry FROM posts WHERE source_id = $1").bind(source.0).fetch(conn);
    let mut entries = HashMap::new();
    // One at a time: the rows of a large site need not be in memory beside their entries.
    while let Some(row) = rows.try_next().await? {
        let key = row.text("key")?;
        let entry: Entry = row.json("entry")?;
        if entry.trace.is_some() && entry.key == key {
            entries.insert(key, entry);
        }
    }
    Ok(entries)
}

/// A post by row.
pub async fn post(conn: &mut Conn, id: PostId) -> sqlx::Result<Option<Post>> {
    query(posts!("WHERE p.id = $1"), id).fetch_optional(conn, read_post).await
}

/// The posts with a key, one a source at most.
pub async fn posts_by_key(conn: &mut Conn, key: &str) -> sqlx::Result<Vec<Post>> {
    query(posts!("WHERE p.key = $1 ORDER BY p.source_id"), key).fetch_all(conn, read_post).await
}

/// Writes what a scan saw of a post, new or known. A scan does not change whether it is withheld ([`withhold`],
/// [`release`]).
pub(crate) async fn save_post(conn: &mut Conn, post: &Post) -> sqlx::Result<()> {
    query(
        "INSERT INTO posts (id, source_id, key, state, entry, fingerprint, body_hash, first_seen_at, hidden_seen_at,
         missing_since, missing_scans, withheld_at, article_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
         ON CONFLICT (id) DO UPDATE SET key = excluded.key, state = excluded.state, entry = excluded.entry,
         fingerprint = excluded.fingerprint, body_hash = excluded.body_hash, hidden_seen_at = excluded.hidden_seen_at,
         missing_since = excluded.missing_since, missing_scans = excluded.missing_scans, article_id = excluded.article_id",
        (
            post.id,
            post.source_id,
            &post.key,
            post.state,
            json(&post.entry)?,
            &post.fingerprint,
            &post.body_hash,
            post.first_seen_at,
            post.hidden_seen_at,
            post.missing_since,
            post.missing_scans,
            post.withheld_at,
            post.article,
        ),
    )
    .execute(conn)
    .await?;
    // Conversations are asked for by the key of their post.
    changed(Topic::Articles);
    Ok(())
}

/// Withholds a post: it stays unpublished until it is released.
pub(crate) async fn withhold(conn: &mut Conn, id: PostId, now: Timestamp) -> sqlx::Result<()> {
    query("UPDATE posts SET withheld_at = $2, state = 'withheld' WHERE id = $1", (id, now)).execute(conn).await
}

/// Ends the withholding: the site decides again.
pub(crate) async fn release(conn: &mut Conn, id: PostId) -> sqlx::Result<()> {
    query("UPDATE posts SET withheld_at = NULL WHERE id = $1", id).execute(conn).await
}

/// Removes a post's key for a moment, since another may get it in the same transaction.
pub(crate) async fn park_key(conn: &mut Conn, id: PostId) -> sqlx::Result<()> {
    query("UPDATE posts SET key = $2 WHERE id = $1", (id, format!("//{}", id.0))).execute(conn).await
}

/// Gives a post its key back.
///
/// # Errors
/// The database's, also when another has it now.
pub(crate) async fn restore_key(conn: &mut Conn, id: PostId, key: &str) -> sqlx::Result<()> {
    query("UPDATE posts SET key = $2 WHERE id = $1", (id, key)).execute(conn).await
}

/// Withholds the post of an article: its site still shows it, but it stays unpublished.
pub(crate) async fn withhold_post(conn: &mut Conn, article: ArticleId, now: Timestamp) -> sqlx::Result<()> {
    query("UPDATE posts SET withheld_at = $2, state = 'withheld' WHERE article_id = $1", (article, now))
        .execute(conn)
        .await
}

/// How many posts are in each state.
pub(crate) async fn count_states(conn: &mut Conn) -> sqlx::Result<Vec<(String, i64)>> {
    query("SELECT state, COUNT(*) FROM posts GROUP BY state", ()).counts(conn).await
}

fn read_post(row: &AnyRow) -> sqlx::Result<Post> {
    Ok(Post {
        id: PostId(row.int("id")?),
        source_id: SourceId(row.int("source_id")?),
        key: row.text("key")?,
        state: row.word("state")?,
        entry: row.json::<Entry>("entry")?,
        fingerprint: row.text("fingerprint")?,
        body_hash: row.text("body_hash")?,
        first_seen_at: row.time("first_seen_at")?,
        hidden_seen_at: row.maybe_time("hidden_seen_at")?,
        missing_since: row.maybe_time("missing_since")?,
        missing_scans: row.int("missing_scans")?,
        withheld_at: row.maybe_time("withheld_at")?,
        article: row.maybe_int("article_id")?.map(ArticleId),
        article_stands: row.flag("article_stands")?,
        article_pushed: row.flag("article_pushed")?,
        article_unlisted: row.flag("article_unlisted")?,
    })
}

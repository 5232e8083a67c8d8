//! Verified activities as people see them: what came, how it was verified, and what became of it.

use clock::Timestamp;
use serde::Serialize;
use sqlx::any::AnyRow;

use super::again::{Earlier, read_history};
use crate::base::ids::InboundId;
use crate::db::{Columns, Conn, Cursor, Page, query};

/// A verified activity, or a document that we fetched, for people.
#[derive(Clone, Debug, Serialize)]
pub struct Kept {
    #[serde(skip)]
    pub(crate) row: InboundId,
    /// Its own id.
    pub id: String,
    /// `Create` and so on.
    pub(crate) kind: String,
    /// The actor's id.
    #[serde(rename = "actor_id")]
    pub(crate) actor: String,
    /// The signer's id.
    #[serde(rename = "signer_id")]
    pub signer: String,
    pub(crate) object: Option<String>,
    /// The path of the inbox it was sent to, or `fetched`.
    pub path: String,
    /// The id of the key that verified it.
    pub(crate) key: Option<String>,
    /// The scheme of its signature.
    pub(crate) scheme: Option<String>,
    /// When it came first.
    #[serde(serialize_with = "clock::as_rfc3339")]
    pub(crate) received: Timestamp,
    /// How often it came.
    pub times: i64,
    /// `waiting` until it has one.
    pub verdict: String,
    /// Why.
    pub reason: Option<String>,
    /// What was considered on the way.
    pub steps: Vec<String>,
    /// When it had its verdict.
    #[serde(serialize_with = "clock::maybe_as_rfc3339")]
    pub settled: Option<Timestamp>,
    /// The document that it waits for.
    pub(crate) waits_for: Option<String>,
    /// Its earlier verdicts, the oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) earlier: Vec<Earlier>,
}

macro_rules! select_kept {
    ($rest:literal) => {
        concat!(
            "SELECT id, activity_id, kind, actor, signer, object_id, path, key_id, scheme, received_at, received_times,
             COALESCE(verdict, 'waiting') AS verdict, reason, steps, settled_at, waits_for, history FROM inbound ",
            $rest
        )
    };
}

/// A page of what came, the latest first; of one verdict, if one is named (`waiting` for none yet).
pub async fn latest(
    conn: &mut Conn,
    verdict: Option<&str>,
    after: Option<Cursor<1>>,
    limit: i64,
) -> sqlx::Result<Page<Kept>> {
    let Cursor([before]) = after.unwrap_or(Cursor([i64::MAX]));
    let part = (before, limit + 1);
    let select = match verdict {
        None => query(select_kept!("WHERE id < $1 ORDER BY id DESC LIMIT $2"), part),
        Some("waiting") => query(select_kept!("WHERE verdict IS NULL AND id < $1 ORDER BY id DESC LIMIT $2"), part),
        Some(verdict) => {
            query(select_kept!("WHERE verdict = $3 AND id < $1 ORDER BY id DESC LIMIT $2"), part).bind(verdict)
        }
    };
    let kept = select.fetch_all(conn, read_kept).await?;
    Ok(Page::of(kept, limit, |last: &Kept| Cursor([last.row.0]).to_string()))
}

/// Those that have this id or are about it, the oldest first.
pub async fn about(conn: &mut Conn, id: &str, limit: i64) -> sqlx::Result<Vec<Kept>> {
    let mut kept = query(select_kept!("WHERE activity_id = $1"), id).fetch_all(conn, read_kept).await?;
    let about = query(select_kept!("WHERE object_id = $1 AND activity_id <> $1 ORDER BY id LIMIT $2"), (id, limit));
    kept.extend(about.fetch_all(conn, read_kept).await?);
    kept.sort_by_key(|kept| kept.row);
    kept.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(kept)
}

fn read_kept(row: &AnyRow) -> sqlx::Result<Kept> {
    Ok(Kept {
        row: InboundId(row.int("id")?),
        id: row.text("activity_id")?,
        kind: row.text("kind")?,
        actor: row.text("actor")?,
        signer: row.text("signer")?,
        object: row.maybe_text("object_id")?,
        path: row.text("path")?,
        key: row.maybe_text("key_id")?,
        scheme: row.maybe_text("scheme")?,
        received: row.time("received_at")?,
        times: row.int("received_times")?,
        verdict: row.text("verdict")?,
        reason: row.maybe_text("reason")?,
        steps: row.maybe_json("steps")?.unwrap_or_default(),
        settled: row.maybe_time("settled_at")?,
        waits_for: row.maybe_text("waits_for")?,
        earlier: row.maybe_text("history")?.as_deref().map(read_history).unwrap_or_default(),
    })
}

//! Verified activities as people look at them: what came, how it was proved, and what became of it.

use serde::Serialize;
use sqlx::any::AnyRow;
use sqlx::query;

use super::again::{Earlier, read_history};
use crate::clock::Timestamp;
use crate::db::{Columns, Conn};
use crate::ids::InboundId;

/// A verified activity, or a document that we read ourselves, for people.
#[derive(Clone, Debug, Serialize)]
pub struct Kept {
    /// Row.
    #[serde(skip)]
    pub row: InboundId,
    /// Its own id.
    pub id: String,
    /// `Create` and so on.
    pub kind: String,
    /// Who says it.
    pub actor: String,
    /// Who signed it.
    pub signer: String,
    /// What it is about.
    pub object: Option<String>,
    /// Which of our inboxes it came to, or `fetched`.
    pub path: String,
    /// The key that proved it.
    pub key: Option<String>,
    /// In which scheme that key signed.
    pub scheme: Option<String>,
    /// When it came first.
    #[serde(serialize_with = "crate::clock::as_rfc3339")]
    pub received: Timestamp,
    /// How often it came.
    pub times: i64,
    /// What became of it; `waiting` until that is known.
    pub verdict: String,
    /// Why.
    pub reason: Option<String>,
    /// What was considered on the way.
    pub steps: Vec<String>,
    /// When it had its verdict.
    #[serde(serialize_with = "crate::clock::maybe_as_rfc3339")]
    pub settled: Option<Timestamp>,
    /// What it waits for.
    pub waits_for: Option<String>,
    /// What became of it when it came before, the oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Earlier>,
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

/// The latest, newest first; of one verdict, if one is named (`waiting` for none yet).
///
/// # Errors
/// The database's.
pub async fn latest(conn: &mut Conn, verdict: Option<&str>, limit: i64) -> sqlx::Result<Vec<Kept>> {
    let rows = query(select_kept!("WHERE $1 = '' OR COALESCE(verdict, 'waiting') = $1 ORDER BY id DESC LIMIT $2"))
        .bind(verdict.unwrap_or_default())
        .bind(limit)
        .fetch_all(conn)
        .await?;
    rows.iter().map(read_kept).collect()
}

/// Those that have this id or are about it, the oldest first.
///
/// # Errors
/// The database's.
pub async fn about(conn: &mut Conn, id: &str, limit: i64) -> sqlx::Result<Vec<Kept>> {
    let rows = query(select_kept!("WHERE activity_id = $1 OR object_id = $1 ORDER BY id LIMIT $2"))
        .bind(id)
        .bind(limit)
        .fetch_all(conn)
        .await?;
    rows.iter().map(read_kept).collect()
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

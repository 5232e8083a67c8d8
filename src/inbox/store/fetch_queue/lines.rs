//! Documents of the fetch queue, as people see them.

use clock::Timestamp;

use crate::base::ids::InboundId;
use crate::db::{Columns, Conn, query};

/// A document of the fetch queue, for people.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Line {
    pub(crate) url: String,
    pub(crate) purpose: String,
    #[serde(serialize_with = "clock::as_rfc3339")]
    pub(crate) asked: Timestamp,
    /// How often it was tried.
    pub attempts: i64,
    /// `waiting`, or how it ended.
    pub outcome: String,
    /// The result of the last attempt.
    pub reason: Option<String>,
    /// The activity that asked for it, where the line was found by its id.
    pub(crate) because: Option<String>,
    /// When it was fetched, or last tried.
    #[serde(serialize_with = "clock::maybe_as_rfc3339")]
    pub(crate) settled: Option<Timestamp>,
}

/// The documents with this id or asked for by an activity, the oldest first.
pub async fn because_of(conn: &mut Conn, url: &str, inbound: Option<InboundId>) -> sqlx::Result<Vec<Line>> {
    query(
        "SELECT w.url, w.purpose, w.asked_at, w.attempts, COALESCE(w.outcome, 'waiting') AS outcome, w.reason, w.settled_at,
         i.kind, i.activity_id, i.actor FROM fetch_queue w LEFT JOIN inbound i ON i.id = w.inbound_id AND w.url = $1
         WHERE w.url = $1 OR w.inbound_id = $2 ORDER BY w.id LIMIT 100",
        (url, inbound.map_or(0, |id| id.0)),
    )
    .fetch_all(conn, |row| {
        Ok(Line {
            url: row.text("url")?,
            purpose: row.text("purpose")?,
            asked: row.time("asked_at")?,
            attempts: row.int("attempts")?,
            outcome: row.text("outcome")?,
            reason: row.maybe_text("reason")?,
            because: match (row.maybe_text("kind")?, row.maybe_text("activity_id")?, row.maybe_text("actor")?) {
                (Some(kind), Some(id), Some(actor)) => Some(format!("{kind} of {actor} {id}")),
                _ => None,
            },
            settled: row.maybe_time("settled_at")?,
        })
    })
    .await
}

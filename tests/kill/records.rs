//! What the server's database says, read from outside.

use std::collections::HashSet;
use std::path::Path;

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Connection, Row, query, query_scalar};

use crate::bridge::ORIGIN;

/// An activity that followers are sent.
pub(crate) struct Published {
    pub(crate) id: String,
    pub(crate) kind: String,
    /// The handle of its actor.
    pub(crate) actor: String,
    /// The article's title, which the database keeps inside its content.
    pub(crate) title: String,
}

/// How much is still to be done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Rest {
    pub(crate) published: i64,
    pub(crate) not_said: i64,
    pub(crate) not_fanned_out: i64,
    pub(crate) unsettled: i64,
}

/// Every activity that followers are sent, in the order of publication.
pub(crate) async fn published(url: &str) -> Vec<Published> {
    let mut database = open(url).await;
    let rows = query(
        "SELECT a.uuid, a.kind, o.handle, t.content FROM activities a JOIN actors o ON o.id = a.actor_id
         JOIN articles t ON t.id = a.article_id WHERE a.audience <> 'outbox-only' ORDER BY a.id",
    )
    .fetch_all(&mut database)
    .await
    .expect("the activities");
    database.close().await.expect("the database is let go");
    let read = |row: &AnyRow| {
        let content: serde_json::Value = serde_json::from_str(row.get("content")).expect("an article's content");
        Published {
            id: activity_id(row.get("uuid")),
            kind: row.get("kind"),
            actor: row.get("handle"),
            title: content["title"].as_str().expect("a title").to_owned(),
        }
    };
    rows.iter().map(read).collect()
}

pub(crate) async fn rest(url: &str) -> Rest {
    let mut database = open(url).await;
    let mut counts = Vec::new();
    for statement in [
        "SELECT COUNT(*) FROM activities WHERE kind = 'Create' AND audience <> 'outbox-only'",
        "SELECT COUNT(*) FROM articles WHERE revision > published_revision",
        "SELECT COUNT(*) FROM activities WHERE fanned_out_at IS NULL",
        "SELECT COUNT(*) FROM deliveries WHERE settled_at IS NULL",
    ] {
        counts.push(query_scalar(statement).fetch_one(&mut database).await.expect("a count"));
    }
    database.close().await.expect("the database is let go");
    Rest { published: counts[0], not_said: counts[1], not_fanned_out: counts[2], unsettled: counts[3] }
}

/// Deliveries of posts by how they ended, as (outcome, how many).
pub(crate) async fn outcomes(url: &str) -> Vec<(String, i64)> {
    let mut database = open(url).await;
    let rows = query(
        "SELECT COALESCE(d.outcome, '(none)') AS outcome, COUNT(*) AS times FROM deliveries d
         JOIN activities a ON a.id = d.activity_id WHERE a.article_id IS NOT NULL GROUP BY 1 ORDER BY 1",
    )
    .fetch_all(&mut database)
    .await
    .expect("the outcomes");
    database.close().await.expect("the database is let go");
    rows.iter().map(|row| (row.get("outcome"), row.get("times"))).collect()
}

/// Inbox and activity id of every delivery that stands open while no server runs.
///
/// SQLite's files are copied first, so that the next server itself has to recover what the killed one left.
pub(crate) async fn unsettled(url: &str) -> HashSet<(String, String)> {
    let copy = tempfile::tempdir().expect("a temporary folder");
    let url = match url.strip_prefix("sqlite://") {
        None => url.to_owned(),
        Some(file) => {
            for suffix in ["", "-wal"] {
                let from = format!("{file}{suffix}");
                if Path::new(&from).exists() {
                    std::fs::copy(&from, copy.path().join(format!("copy.db{suffix}"))).expect("a copy");
                }
            }
            format!("sqlite://{}", copy.path().join("copy.db").display())
        }
    };
    let mut database = open(&url).await;
    let rows = query(
        "SELECT i.url, a.uuid FROM deliveries d JOIN inboxes i ON i.id = d.inbox_id
         JOIN activities a ON a.id = d.activity_id WHERE d.settled_at IS NULL",
    )
    .fetch_all(&mut database)
    .await
    .expect("the open deliveries");
    database.close().await.expect("the database is let go");
    rows.iter().map(|row| (row.get("url"), activity_id(row.get("uuid")))).collect()
}

async fn open(url: &str) -> AnyConnection {
    sqlx::any::install_default_drivers();
    AnyConnection::connect(url).await.expect("the database opens")
}

fn activity_id(uuid: &str) -> String {
    format!("{ORIGIN}/ap/activities/{uuid}")
}

//! How much waits in each queue, and since when.

use clock::Timestamp;
use sqlx::any::AnyRow;

use crate::db::{Columns, Conn, query};

/// What waits in a queue.
pub(super) struct Waiting {
    pub(super) many: i64,
    /// Since when the first of it does.
    pub(super) oldest: Option<Timestamp>,
}

/// Each queue by its name, `most` rows of it at most.
pub(super) async fn queues(conn: &mut Conn, most: i64) -> sqlx::Result<[(&'static str, Waiting); 4]> {
    let deliveries = query(
        "SELECT COUNT(*) AS many, MIN(since) AS oldest FROM
         (SELECT created_at AS since FROM deliveries WHERE settled_at IS NULL LIMIT $1) waiting",
        most,
    );
    let inbox = query(
        "SELECT COUNT(*) AS many, MIN(since) AS oldest FROM
         (SELECT received_at AS since FROM inbound WHERE verdict IS NULL LIMIT $1) waiting",
        most,
    );
    let outbox = query(
        "SELECT COUNT(*) AS many, MIN(since) AS oldest FROM
         (SELECT created_at AS since FROM activities WHERE fanned_out_at IS NULL ORDER BY id LIMIT $1) waiting",
        most,
    );
    let fetches = query(
        "SELECT COUNT(*) AS many, MIN(since) AS oldest FROM
         (SELECT asked_at AS since FROM fetch_queue WHERE outcome IS NULL ORDER BY id LIMIT $1) waiting",
        most,
    );
    Ok([
        ("deliveries", deliveries.fetch_one(conn, read).await?),
        ("inbox", inbox.fetch_one(conn, read).await?),
        ("outbox", outbox.fetch_one(conn, read).await?),
        ("fetches", fetches.fetch_one(conn, read).await?),
    ])
}

fn read(row: &AnyRow) -> sqlx::Result<Waiting> {
    Ok(Waiting { many: row.int("many")?, oldest: row.maybe_time("oldest")? })
}

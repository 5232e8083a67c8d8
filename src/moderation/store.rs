//! The only SQL for reports.

use sqlx::query;

use crate::clock::Timestamp;
use crate::db::{Conn, json};
use crate::ids::{Ids, InboundId};

/// A report about to be kept.
#[derive(Clone, Debug)]
pub struct NewReport<'a> {
    /// The Flag.
    pub inbound: InboundId,
    /// Who reports: often a server rather than a person (interop E15).
    pub reporter: &'a str,
    /// What is reported, by address.
    pub objects: &'a [String],
    /// Plain text.
    pub comment: &'a str,
}

/// Keeps a report; the same Flag again changes nothing.
///
/// # Errors
/// The database's.
pub async fn file_report(conn: &mut Conn, ids: &Ids, report: &NewReport<'_>, now: Timestamp) -> sqlx::Result<()> {
    query(
        "INSERT INTO reports (id, inbound_id, reporter, objects, comment, received_at) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (inbound_id) DO NOTHING",
    )
    .bind(ids.row())
    .bind(report.inbound.0)
    .bind(report.reporter)
    .bind(json(&report.objects)?)
    .bind(report.comment)
    .bind(now.millis())
    .execute(conn)
    .await?;
    Ok(())
}

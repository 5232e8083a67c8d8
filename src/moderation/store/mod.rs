//! The only SQL for blocks, lists and reports.

mod blocks;
mod review_log;

use serde::Serialize;

pub(crate) use self::blocks::{
    List, all_blocks, block, blocks_of_list, blocks_that_keep_out, lists, lists_with, note_enforced, put_list,
    remove_block, remove_list, remove_row, version,
};
pub use self::blocks::{NewBlock, blocks, changes, note_change, put_block};
pub(crate) use self::review_log::note_decision;
pub use self::review_log::{Decided, decisions_of};
use clock::Timestamp;
use sqlx::any::AnyRow;

use crate::base::ids::{Ids, InboundId, ReportId};
use crate::db::{Columns, Conn, Cursor, Page, json, query};

/// A report about to be kept.
#[derive(Clone, Debug)]
pub(crate) struct NewReport<'a> {
    /// The Flag.
    pub(crate) inbound: InboundId,
    /// Often a server rather than a person (interop E15).
    pub(crate) reporter: &'a str,
    /// The addresses that are reported.
    pub(crate) objects: &'a [String],
    /// How many more addresses it names.
    pub(crate) more: i64,
    /// Plain text.
    pub(crate) comment: &'a str,
}

/// Keeps a report; the same Flag again changes nothing.
pub(crate) async fn file_report(
    conn: &mut Conn,
    ids: &Ids,
    report: &NewReport<'_>,
    now: Timestamp,
) -> sqlx::Result<()> {
    query(
        "INSERT INTO reports (id, inbound_id, reporter, objects, comment, received_at, more) VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (inbound_id) DO NOTHING",
        (ids.row(), report.inbound, report.reporter, json(&report.objects)?, report.comment, now, report.more),
    )
    .execute(conn)
    .await
}

/// A report, for the operator.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Row.
    pub id: ReportId,
    /// Often a server rather than a person (interop E15).
    #[serde(rename = "reporter_id")]
    pub(crate) reporter: String,
    /// The addresses that are reported.
    pub objects: Vec<String>,
    /// How many more addresses it names, which were not kept.
    pub more: i64,
    /// Plain text.
    pub comment: String,
    #[serde(serialize_with = "clock::as_rfc3339")]
    pub(crate) received: Timestamp,
    #[serde(serialize_with = "clock::maybe_as_rfc3339")]
    pub(crate) resolved: Option<Timestamp>,
    /// What was done about it.
    pub resolution: Option<String>,
}

macro_rules! select_reports {
    ($condition:literal) => {
        concat!(
            "SELECT id, reporter, objects, more, comment, received_at, resolved_at, resolution FROM reports WHERE ",
            $condition,
            " ORDER BY id DESC LIMIT $2"
        )
    };
}

/// A page of the reports, the newest first: of the open ones, or of all.
pub async fn reports(conn: &mut Conn, all: bool, after: Option<Cursor<1>>, limit: i64) -> sqlx::Result<Page<Report>> {
    let Cursor([before]) = after.unwrap_or(Cursor([i64::MAX]));
    let statement = if all { select_reports!("id < $1") } else { select_reports!("resolved_at IS NULL AND id < $1") };
    let read = |row: &AnyRow| {
        Ok(Report {
            id: ReportId(row.int("id")?),
            reporter: row.text("reporter")?,
            objects: row.json("objects")?,
            more: row.int("more")?,
            comment: row.text("comment")?,
            received: row.time("received_at")?,
            resolved: row.maybe_time("resolved_at")?,
            resolution: row.maybe_text("resolution")?,
        })
    };
    let reports = query(statement, (before, limit + 1)).fetch_all(conn, read).await?;
    Ok(Page::of(reports, limit, |last: &Report| Cursor([last.id.0]).to_string()))
}

/// How many reports are open, `most` at most.
pub(crate) async fn count_open_reports(conn: &mut Conn, most: i64) -> sqlx::Result<i64> {
    query("SELECT COUNT(*) FROM (SELECT id FROM reports WHERE resolved_at IS NULL LIMIT $1) waiting", most)
        .scalar(conn)
        .await
}

/// Resolves an open report, with what was done about it; false when there is none.
pub async fn resolve_report(conn: &mut Conn, id: ReportId, note: &str, now: Timestamp) -> sqlx::Result<bool> {
    query("UPDATE reports SET resolved_at = $2, resolution = $3 WHERE id = $1 AND resolved_at IS NULL", (id, now, note))
        .changed(conn)
        .await
}

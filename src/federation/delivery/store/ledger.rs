//! The ledger of deliveries: what was tried, with which answer, and how it ended.

use clock::Timestamp;
use sqlx::any::AnyRow;

use crate::base::ids::{ActivityId, ArticleId, HostId, InboxId};
use crate::db::{Columns, Conn, Cursor, Page, query};
use crate::federation::delivery::{DeliveryEnd, Waiting};

/// The answer to an attempt, for people.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shown {
    pub(crate) answer: Option<u16>,
    /// What went wrong, or what the host said with a status that is no success.
    pub(crate) error: Option<String>,
}

/// Notes an attempt on a delivery, and its end if it has one.
pub(crate) async fn note_attempt(
    conn: &mut Conn,
    waiting: &Waiting,
    ending: Option<DeliveryEnd>,
    shown: &Shown,
    now: Timestamp,
) -> sqlx::Result<()> {
    let attempted = i64::from(!matches!(ending, Some(DeliveryEnd::Expired | DeliveryEnd::Withdrawn)));
    query(
        "UPDATE deliveries SET attempts = attempts + $3, attempted_at = CASE WHEN $3 = 1 THEN $4 ELSE attempted_at END,
         answer = CASE WHEN $3 = 1 THEN $5 ELSE answer END, error = CASE WHEN $3 = 1 THEN $6 ELSE error END, outcome = $7,
         settled_at = $8 WHERE inbox_id = $1 AND activity_id = $2 AND settled_at IS NULL",
        (
            waiting.inbox,
            waiting.activity,
            attempted,
            now,
            shown.answer.map(i64::from),
            shown.error.clone(),
            ending.map(DeliveryEnd::as_str),
            ending.map(|_| now.millis()),
        ),
    )
    .execute(conn)
    .await
}

/// From now on the object's id is sent instead of the object.
pub(crate) async fn send_reference(conn: &mut Conn, waiting: &Waiting) -> sqlx::Result<()> {
    query(
        "UPDATE deliveries SET by_reference = 1 WHERE inbox_id = $1 AND activity_id = $2",
        (waiting.inbox, waiting.activity),
    )
    .execute(conn)
    .await
}

/// A line of the ledger, for people.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Line {
    /// The inbox.
    #[serde(skip)]
    pub row: InboxId,
    /// Its host.
    #[serde(skip)]
    pub host: HostId,
    /// The activity's number, in the order of publication.
    pub activity: ActivityId,
    /// `Create` and so on.
    pub kind: String,
    /// The handle of the actor.
    pub(crate) actor: String,
    /// Where to.
    pub inbox: String,
    /// When it was queued.
    #[serde(rename = "queued", serialize_with = "clock::as_rfc3339")]
    pub(crate) created: Timestamp,
    /// `waiting`, or how it ended.
    pub state: String,
    /// How often it was tried.
    pub attempts: i64,
    /// The last status answered.
    pub answer: Option<i64>,
    /// The last error, or what the host said with its answer.
    pub(crate) error: Option<String>,
    /// RFC 3339; `null` once it is settled.
    pub(crate) next_attempt: Option<String>,
}

impl Line {
    /// The last answer with what was said, or the last error; `None` before the first attempt.
    #[must_use]
    pub fn last(&self) -> Option<String> {
        match (self.answer, &self.error) {
            (Some(status), Some(words)) => Some(format!("{status}: {words}")),
            (Some(status), None) => Some(status.to_string()),
            (None, error) => error.clone(),
        }
    }

    /// Its place among what waits.
    pub(crate) fn place_in_queue(&self) -> String {
        Cursor([self.host.0, self.row.0, self.activity.0]).to_string()
    }

    /// Its place among all.
    pub(crate) fn place_in_ledger(&self) -> String {
        Cursor([self.activity.0, self.row.0]).to_string()
    }
}

macro_rules! select_line {
    ($rest:literal) => {
        concat!(
            "SELECT d.activity_id, d.inbox_id, d.host_id, d.created_at, a.kind, t.handle, i.url, d.outcome, d.attempts, d.answer, d.error,
             COALESCE(h.backoff_until, i.next_attempt_at, CASE WHEN h.lease_owner IS NULL THEN h.next_attempt_at END) AS next_at
             FROM deliveries d JOIN activities a ON a.id = d.activity_id JOIN actors t ON t.id = a.actor_id
             JOIN inboxes i ON i.id = d.inbox_id JOIN hosts h ON h.id = d.host_id WHERE ",
            $rest
        )
    };
}

/// A page of the ledger, the newest first.
pub async fn ledger(conn: &mut Conn, after: Option<Cursor<2>>, limit: i64) -> sqlx::Result<Page<Line>> {
    let Cursor([activity, inbox]) = after.unwrap_or(Cursor([i64::MAX; 2]));
    let lines = query(
        select_line!("(d.activity_id, d.inbox_id) < ($1, $2) ORDER BY d.activity_id DESC, d.inbox_id DESC LIMIT $3"),
        (activity, inbox, limit + 1),
    )
    .fetch_all(conn, read_line)
    .await?;
    Ok(Page::of(lines, limit, Line::place_in_ledger))
}

/// A page of what waits, host by host, each inbox's oldest first.
pub async fn waiting(conn: &mut Conn, after: Option<Cursor<3>>, limit: i64) -> sqlx::Result<Page<Line>> {
    let Cursor([host, inbox, activity]) = after.unwrap_or(Cursor([0; 3]));
    let lines = query(
        select_line!(
            "d.settled_at IS NULL AND (d.host_id, d.inbox_id, d.activity_id) > ($1, $2, $3)
         ORDER BY d.host_id, d.inbox_id, d.activity_id LIMIT $4"
        ),
        (host, inbox, activity, limit + 1),
    )
    .fetch_all(conn, read_line)
    .await?;
    Ok(Page::of(lines, limit, Line::place_in_queue))
}

/// As [`waiting`], of one host.
pub async fn waiting_for(
    conn: &mut Conn,
    host: HostId,
    after: Option<Cursor<3>>,
    limit: i64,
) -> sqlx::Result<Page<Line>> {
    let Cursor([_, inbox, activity]) = after.unwrap_or(Cursor([0; 3]));
    let lines = query(
        select_line!(
            "d.settled_at IS NULL AND d.host_id = $1 AND (d.inbox_id, d.activity_id) > ($2, $3)
         ORDER BY d.inbox_id, d.activity_id LIMIT $4"
        ),
        (host, inbox, activity, limit + 1),
    )
    .fetch_all(conn, read_line)
    .await?;
    Ok(Page::of(lines, limit, Line::place_in_queue))
}

/// As [`ledger`], of what was said of an article.
pub async fn ledger_about(
    conn: &mut Conn,
    article: ArticleId,
    after: Option<Cursor<2>>,
    limit: i64,
) -> sqlx::Result<Page<Line>> {
    let Cursor([activity, inbox]) = after.unwrap_or(Cursor([i64::MAX; 2]));
    let lines = query(
        select_line!(
            "a.article_id = $1 AND a.id <= $2 AND (d.activity_id, d.inbox_id) < ($2, $3)
         ORDER BY a.id DESC, d.inbox_id DESC LIMIT $4"
        ),
        (article, activity, inbox, limit + 1),
    )
    .fetch_all(conn, read_line)
    .await?;
    Ok(Page::of(lines, limit, Line::place_in_ledger))
}

/// One delivery, by the activity and the inbox's address.
pub async fn line(conn: &mut Conn, activity: ActivityId, inbox: &str) -> sqlx::Result<Option<Line>> {
    query(select_line!("d.activity_id = $1 AND i.url = $2"), (activity, inbox)).fetch_optional(conn, read_line).await
}

/// The ledger of one activity, failed and waiting ones first.
pub(crate) async fn ledger_of(conn: &mut Conn, activity: ActivityId, limit: i64) -> sqlx::Result<Vec<Line>> {
    query(
        select_line!(
            "d.activity_id = $1 ORDER BY CASE WHEN d.outcome = 'delivered' THEN 1 ELSE 0 END, d.inbox_id LIMIT $2"
        ),
        (activity, limit),
    )
    .fetch_all(conn, read_line)
    .await
}

/// What of an article's activities was tried and not accepted, the newest first.
pub async fn untaken(conn: &mut Conn, article: ArticleId, limit: i64) -> sqlx::Result<Vec<Line>> {
    query(
        select_line!(
        "a.article_id = $1 AND d.attempts > 0 AND (d.outcome IS NULL OR d.outcome IN ('refused', 'gone', 'expired'))
         ORDER BY d.activity_id DESC, d.inbox_id LIMIT $2"
    ),
        (article, limit),
    )
    .fetch_all(conn, read_line)
    .await
}

/// How many deliveries of one activity there are.
pub(crate) async fn count_of(conn: &mut Conn, activity: ActivityId) -> sqlx::Result<i64> {
    query("SELECT COUNT(*) FROM deliveries WHERE activity_id = $1", activity).scalar(conn).await
}

fn read_line(row: &AnyRow) -> sqlx::Result<Line> {
    let outcome = row.maybe_text("outcome")?;
    let next = row.maybe_time("next_at")?.filter(|_| outcome.is_none());
    Ok(Line {
        row: InboxId(row.int("inbox_id")?),
        host: HostId(row.int("host_id")?),
        activity: ActivityId(row.int("activity_id")?),
        kind: row.text("kind")?,
        actor: row.text("handle")?,
        inbox: row.text("url")?,
        created: row.time("created_at")?,
        state: outcome.unwrap_or_else(|| "waiting".to_owned()),
        attempts: row.int("attempts")?,
        answer: row.maybe_int("answer")?,
        error: row.maybe_text("error")?,
        next_attempt: next.map(Timestamp::rfc3339),
    })
}

/// How many deliveries wait, `most` at most.
pub(crate) async fn count_waiting(conn: &mut Conn, most: i64) -> sqlx::Result<i64> {
    query("SELECT COUNT(*) FROM (SELECT activity_id FROM deliveries WHERE settled_at IS NULL LIMIT $1) waiting", most)
        .scalar(conn)
        .await
}

/// How many of the latest deliveries, `most` at most, ended in each way.
pub(crate) async fn count_outcomes(conn: &mut Conn, most: i64) -> sqlx::Result<Vec<(String, i64)>> {
    query(
        "SELECT outcome, COUNT(*) AS n FROM (SELECT outcome FROM deliveries ORDER BY activity_id DESC LIMIT $1)
         latest WHERE outcome IS NOT NULL GROUP BY outcome",
        most,
    )
    .counts(conn)
    .await
}

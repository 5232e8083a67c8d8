//! What moderators decided about each subject: who, when and why. The last few are kept.

use clock::Timestamp;
use serde::Serialize;

use crate::base::ids::Ids;
use crate::db::{Columns, Conn, query};
use crate::moderation::ModerationNote;

/// Most decisions kept of one subject.
const KEPT: i64 = 20;

/// A decision that was noted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decided {
    #[serde(serialize_with = "clock::as_rfc3339")]
    pub(crate) at: Timestamp,
    /// As the past tense of a verb, after the name of who decided.
    pub(crate) what: String,
    pub(crate) by: Option<String>,
    pub(crate) why: Option<String>,
}

impl Decided {
    /// Who decided what and why, in one sentence.
    #[must_use]
    pub fn told(&self) -> String {
        let why = self.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        format!("{} {}{why}", self.by.as_deref().unwrap_or("a moderator"), self.what)
    }
}

/// Notes a decision, and forgets the oldest of the same subject.
pub(crate) async fn note_decision(
    conn: &mut Conn,
    ids: &Ids,
    subject: &str,
    what: &str,
    note: &ModerationNote,
    now: Timestamp,
) -> sqlx::Result<()> {
    query(
        "INSERT INTO decisions (id, subject, what, why, decided_by, decided_at) VALUES ($1, $2, $3, $4, $5, $6)",
        (ids.row(), subject, what, &note.why, &note.by, now),
    )
    .execute(conn)
    .await?;
    query(
        "DELETE FROM decisions WHERE subject = $1 AND id NOT IN
         (SELECT d.id FROM decisions d WHERE d.subject = $1 ORDER BY d.id DESC LIMIT $2)",
        (subject, KEPT),
    )
    .execute(conn)
    .await
}

/// What was decided about a subject, the oldest first.
pub async fn decisions_of(conn: &mut Conn, subject: &str) -> sqlx::Result<Vec<Decided>> {
    query("SELECT what, why, decided_by, decided_at FROM decisions WHERE subject = $1 ORDER BY id", subject)
        .fetch_all(conn, |row| {
            Ok(Decided {
                at: row.time("decided_at")?,
                what: row.text("what")?,
                by: row.maybe_text("decided_by")?,
                why: row.maybe_text("why")?,
            })
        })
        .await
}

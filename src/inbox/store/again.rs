//! An activity that came again under the same id, and may mean something new.

use clock::Timestamp;

use super::{Arrival, give_turns};
use crate::db::{Conn, query};
use crate::inbox::FETCHED;

/// No verdict has an earlier time: a smaller number was cut off in the middle.
const FIRST_VERDICT: i64 = 1_000_000_000_000;

/// Makes an activity due again that came again: as a new one, unless it was made at the same time as before. Its
/// verdict joins its history, of whose 4000 characters the older half is forgotten when they are full. An activity that
/// waits for a document goes on waiting, and a Delete is interpreted again only where it ends a relation.
pub(super) async fn read_again(
    conn: &mut Conn,
    heard: i64,
    arrival: &Arrival,
    made: Option<i64>,
    now: Timestamp,
) -> sqlx::Result<()> {
    query(
        "UPDATE inbound SET heard = CASE WHEN made_at = $3 OR path = $13 THEN heard ELSE $4 END, path = $14, made_at = $3, sign = $5, object_id = $6, raw = $7, key_id = $8, scheme = $9,
         history = CASE WHEN verdict IS NULL THEN history ELSE CASE WHEN LENGTH(COALESCE(history, '')) > 4000 THEN SUBSTR(history, 2000)
             ELSE COALESCE(history, '') END || CAST(settled_at AS TEXT) || ' ' || verdict || ' ' || REPLACE(COALESCE(reason, ''), $10, ' ') || $10 END,
         verdict = NULL, reason = NULL, steps = NULL, settled_at = NULL, waits_for = NULL, begun = 0, lease_owner = NULL, next_attempt_at = $11
         WHERE activity_id = $1 AND signer = $2 AND kind = $12 AND actor = $2 AND COALESCE(verdict, '') <> 'deferred'
         AND (kind <> 'Delete' OR EXISTS (SELECT 1 FROM inbound r WHERE r.activity_id = $6 AND r.signer = $2 AND r.actor = $2
             AND r.kind IN ('Follow', 'Block', 'Like', 'Dislike', 'EmojiReact', 'Announce')))",
        (
            &arrival.activity_id,
            &arrival.signer,
            made,
            heard,
            arrival.sign.clone(),
            arrival.object_id.clone(),
            &arrival.raw,
            arrival.proof.as_ref().map(|(key, _)| key.clone()),
            arrival.proof.as_ref().map(|(_, scheme)| *scheme),
            "\n",
            now,
            &arrival.kind,
            FETCHED,
            &arrival.path,
        ),
    )
    .execute(conn)
    .await?;
    // It may stand behind what came after it now.
    give_turns(conn, &[(&arrival.signer, &arrival.signer)]).await
}

/// A verdict that an activity had before it came again.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Earlier {
    #[serde(serialize_with = "clock::as_rfc3339")]
    pub(crate) settled: Timestamp,
    pub(crate) verdict: String,
    pub(crate) reason: String,
}

/// The verdicts of a history, the oldest first; its first line may have been cut.
pub(super) fn read_history(history: &str) -> Vec<Earlier> {
    let line = |line: &str| {
        let mut parts = line.splitn(3, ' ');
        let settled = parts.next()?.parse().ok().filter(|settled| *settled >= FIRST_VERDICT)?;
        let (verdict, reason) = (parts.next()?.to_owned(), parts.next()?.to_owned());
        Some(Earlier { settled: Timestamp::from_millis(settled), verdict, reason })
    };
    history.lines().filter_map(line).collect()
}

//! A deleted post that comes again with the same id, as `NodeBB` restores it and `WordPress` takes it from the trash
//! (interop U11).

use std::time::Duration;

use clock::Timestamp;

use super::super::store::fetch_queue;
use super::super::{FETCHED, FetchJob, Inbound, Purpose, Verdict};
use crate::db::Conn;
use crate::model::interaction::{self, Reply};

/// How long its server may go on showing a deleted post, from a cache of its own.
const CACHED_FOR: Duration = Duration::from_mins(1);

/// Why a deleted post stays deleted for now; `None` where its origin shows it again. The activity itself proves
/// nothing: it may be the Create that its own Delete overtook (interop D7). So its origin is asked, once for each time
/// that it comes, and believed where it was asked after the Delete.
pub(super) async fn not_yet(
    conn: &mut Conn,
    inbound: &Inbound,
    known: &Reply,
    ended: Timestamp,
) -> sqlx::Result<Option<Verdict>> {
    if interaction::store::history(conn, known.id).await?.hidden.is_some() {
        return Ok(Some(Verdict::ignored("the reply was deleted, and a moderator had hidden or deleted it too")));
    }
    let id = &known.object_id;
    if inbound.path == FETCHED {
        let asked = fetch_queue::asked_at(conn, id, Purpose::Post).await?;
        let is_older = asked.is_none_or(|asked| asked < ended);
        return Ok(is_older.then(|| Verdict::ignored("the reply was deleted after its origin was asked for it")));
    }
    Ok(Some(match fetch_queue::ended_since(conn, id, Purpose::Post, inbound.received_at).await? {
        None => {
            let job = FetchJob { article: Some(known.article), after: CACHED_FOR, ..FetchJob::now(id, Purpose::Post) };
            Verdict::until_read("the reply was deleted; whether it is there again is seen at its origin first", job)
        }
        Some((outcome, _)) if outcome == "read" => Verdict::ignored("the reply was deleted"),
        Some((_, why)) => Verdict::ignored(format!("the reply was deleted, and its origin does not show it: {why}")),
    }))
}

/// The post that its origin shows again, reopened; it has no text yet.
pub(super) async fn reopened(conn: &mut Conn, inbound: &Inbound, known: &Reply) -> sqlx::Result<Option<Reply>> {
    interaction::store::reopen_post(conn, known.id, inbound.received_at).await?;
    interaction::store::post_by_row(conn, known.id).await
}

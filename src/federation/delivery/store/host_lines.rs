//! Hosts as people see them: how each fares, and how much waits for it.

use clock::Timestamp;
use sqlx::any::AnyRow;

use crate::base::ids::HostId;
use crate::db::{Columns, Conn, Cursor, Page, query};

/// A host, for people.
#[derive(Clone, Debug, serde::Serialize)]
pub struct HostLine {
    /// Row.
    #[serde(skip)]
    pub id: HostId,
    /// `host` or `host:port`.
    pub name: String,
    /// `ok`, `failing`, `gone` or `blocked`.
    pub state: &'static str,
    /// RFC 3339; since when every attempt fails.
    pub(crate) failing_since: Option<String>,
    /// RFC 3339; when it is next asked, if anything waits for it.
    pub(crate) next_attempt: Option<String>,
    /// The last error.
    pub(crate) error: Option<String>,
}

macro_rules! select_host {
    ($rest:literal) => {
        concat!(
            "SELECT id, name, failing_since, gone_at, blocked_at, error, COALESCE(backoff_until, next_attempt_at) AS next_at FROM hosts WHERE ",
            $rest
        )
    };
}

/// A page of the hosts, the first known first; of those that fail or are gone alone, or of all.
pub async fn hosts(
    conn: &mut Conn,
    failing: bool,
    after: Option<Cursor<1>>,
    limit: i64,
) -> sqlx::Result<Page<HostLine>> {
    let Cursor([after]) = after.unwrap_or(Cursor([i64::MIN]));
    let hosts = if failing {
        query(
            select_host!("(failing_since IS NOT NULL OR gone_at IS NOT NULL) AND id > $1 ORDER BY id LIMIT $2"),
            (after, limit + 1),
        )
    } else {
        query(select_host!("id > $1 ORDER BY id LIMIT $2"), (after, limit + 1))
    };
    let hosts = hosts.fetch_all(conn, read_host).await?;
    Ok(Page::of(hosts, limit, |host| Cursor([host.id.0]).to_string()))
}

/// A host by its name.
pub async fn host(conn: &mut Conn, name: &str) -> sqlx::Result<Option<HostLine>> {
    query(select_host!("name = $1"), name).fetch_optional(conn, read_host).await
}

/// How many inboxes of a host are known, and how many deliveries wait for it, `most` of each at most.
pub(crate) async fn load(conn: &mut Conn, host: HostId, most: i64) -> sqlx::Result<[i64; 2]> {
    let inboxes =
        query("SELECT COUNT(*) FROM (SELECT id FROM inboxes WHERE host_id = $1 LIMIT $2) known", (host, most));
    let waiting = query(
        "SELECT COUNT(*) FROM (SELECT activity_id FROM deliveries WHERE host_id = $1 AND settled_at IS NULL LIMIT $2) waiting",
        (host, most),
    );
    Ok([inboxes.scalar(conn).await?, waiting.scalar(conn).await?])
}

fn read_host(row: &AnyRow) -> sqlx::Result<HostLine> {
    let [failing, gone] = [row.maybe_time("failing_since")?, row.maybe_time("gone_at")?];
    let state = match (row.maybe_int("blocked_at")?, gone, failing) {
        (Some(_), ..) => "blocked",
        (_, Some(_), _) => "gone",
        (_, _, Some(_)) => "failing",
        _ => "ok",
    };
    Ok(HostLine {
        id: HostId(row.int("id")?),
        name: row.text("name")?,
        state,
        failing_since: failing.map(Timestamp::rfc3339),
        next_attempt: row.maybe_time("next_at")?.map(Timestamp::rfc3339),
        error: row.maybe_text("error")?.filter(|_| state != "ok"),
    })
}

//! The lease of a row, for each table that is a queue: `next_attempt_at` is when it is due, and while it is worked when its
//! lease runs out; `lease_owner` the node that has it; `lease_token` the fence, raised by each claim; `begun` counts the claims
//! in a row that nobody ended in order (ADR 14).

use std::time::Duration;

use clock::Timestamp;

use crate::db::{Conn, Statement, query};

/// What a claim sets: of the node `$3`, until `$2`.
macro_rules! taken_sql {
    () => {
        "next_attempt_at = $2, lease_owner = $3, lease_token = lease_token + 1, begun = begun + 1"
    };
}

/// Claims what is due at `$1`, at most `$4`; `due` selects the keys, in order. For [`claim`].
macro_rules! claim_sql {
    ($db:expr, $table:literal, $also:literal, $key:literal, $due:expr, $columns:literal) => {
        claiming!(
            $db,
            concat!("UPDATE ", $table, " SET ", taken_sql!(), $also, " WHERE ", $key, " IN (", $due, " LIMIT $4"),
            concat!(") RETURNING lease_token, begun, ", $columns)
        )
    };
}

/// Whether the lease `$2` still holds. What names the row is `$1`.
macro_rules! held_sql {
    () => {
        "lease_token = $2 AND lease_owner IS NOT NULL"
    };
}

/// What an end in order sets.
macro_rules! ended_sql {
    () => {
        "lease_owner = NULL, begun = 0"
    };
}

/// Frees what the node `$1` held, at `$2`: due at once, and given up after some times (`retry::BEGUN_MAX`). `open` is what all of
/// the queue that is not at its end has in common, so that no more is read. For [`free`].
macro_rules! free_sql {
    ($table:literal, $open:literal) => {
        concat!(
            "UPDATE ",
            $table,
            " SET lease_owner = NULL, lease_token = lease_token + 1, next_attempt_at = $2 WHERE lease_owner = $1 AND ",
            $open
        )
    };
}

/// When a row is due again that may not be given up and whose lease is freed at `$2`, as `retry::rest` says.
macro_rules! rested_sql {
    ($due:literal) => {
        concat!(
            "CASE WHEN begun > 9 THEN $2 + 3840000 WHEN begun > 2 THEN $2 + 60000 * (begun - 2) * (begun - 2) ELSE ",
            $due,
            " END"
        )
    };
}

/// As `free_sql!`, of what rests in place of being given up; `also` is set besides.
macro_rules! free_resting_sql {
    ($table:literal, $also:expr, $open:literal) => {
        concat!(
            "UPDATE ",
            $table,
            " SET lease_owner = NULL, lease_token = lease_token + 1, next_attempt_at = ",
            rested_sql!("$2"),
            $also,
            " WHERE lease_owner = $1 AND ",
            $open
        )
    };
}

/// Lets go of a row that made us fail, until `$3`: that is no end in order. `also` is set besides. What names the row is `$1`.
macro_rules! put_off_sql {
    ($table:literal, $also:literal, $key:literal) => {
        concat!(
            "UPDATE ",
            $table,
            " SET lease_owner = NULL, next_attempt_at = $3",
            $also,
            " WHERE ",
            $key,
            " = $1 AND ",
            held_sql!()
        )
    };
}

/// Renews a lease until `$3`. For [`renew`].
macro_rules! renew_sql {
    ($table:literal, $also:literal) => {
        concat!("UPDATE ", $table, " SET next_attempt_at = $3", $also, " WHERE id = $1 AND ", held_sql!())
    };
}

pub(crate) use crate::claiming;
pub(crate) use {
    claim_sql, ended_sql, free_resting_sql, free_sql, held_sql, put_off_sql, renew_sql, rested_sql, taken_sql,
};

/// A claim of `node` for a time of at most `limit` rows, whose statement may need more from `$5` on.
pub(crate) fn claim(statement: &'static str, node: &str, lease: Duration, limit: i64, now: Timestamp) -> Statement {
    query(statement, (now, now + lease, node, limit))
}

/// Proves that a lease still holds, and renews it; false when another has the row.
pub(crate) async fn renew(
    conn: &mut Conn,
    statement: &'static str,
    row: i64,
    token: i64,
    until: Timestamp,
) -> sqlx::Result<bool> {
    query(statement, (row, token, until)).changed(conn).await
}

/// Frees what a node held of one queue when it last stopped.
pub(crate) async fn free(conn: &mut Conn, statement: &'static str, node: &str, now: Timestamp) -> sqlx::Result<()> {
    query(statement, (node, now)).execute(conn).await
}

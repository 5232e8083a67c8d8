//! A claim of activities costs what it claims, however many wait, and of however many actors.

use sqlx::AssertSqlSafe;
use veerpont::db::Conn;
use veerpont::inbox::store;

use crate::support::Engine;
use crate::world::{World, on_each_engine};

/// What waits, and how much of it is claimed.
const BACKLOG: i64 = 50_000;
const CLAIMED: i64 = 64;

/// Rows of the table that a claim may fetch for each that it claims.
const FETCHED: i64 = 8;

/// Likes that wait, of this many actors.
async fn wait(world: &World, actors: i64) {
    let now = world.app.clock.now().millis();
    let write = world.app.db.write(move |conn| {
        Box::pin(async move {
            let who = format!("'https://crowd.test/u/' || (n.i % {actors})");
            let rows = format!(
                "INSERT INTO inbound (id, activity_id, signer, actor, kind, raw, path, received_at, next_attempt_at, heard, behind)
                 WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < {BACKLOG})
                 SELECT n.i, 'https://crowd.test/a/' || n.i, {who}, {who}, 'Like', '', '/ap/inbox', {now}, {now}, n.i,
                 CASE WHEN n.i <= {actors} THEN 0 ELSE 1 END FROM n"
            );
            sqlx::query(AssertSqlSafe(rows)).execute(&mut *conn).await?;
            sqlx::query("ANALYZE").execute(conn).await
        })
    });
    write.await.expect("they wait");
}

/// Rows of the table that this transaction fetched, where the engine counts them.
async fn fetched(conn: &mut Conn, engine: Engine) -> sqlx::Result<i64> {
    if engine == Engine::Sqlite {
        return Ok(0);
    }
    sqlx::query_scalar(
        "SELECT CAST(COALESCE(idx_tup_fetch, 0) + COALESCE(seq_tup_read, 0) AS BIGINT) FROM pg_stat_xact_user_tables
         WHERE relname = 'inbound'",
    )
    .fetch_one(conn)
    .await
}

#[tokio::test]
async fn a_claim_costs_what_it_claims() {
    on_each_engine(async |world| {
        for (actors, claimed) in [(BACKLOG, CLAIMED), (1, 1), (10, 10)] {
            wait(world, actors).await;
            let (app, engine) = (world.app.clone(), world.engine());
            // The second finds the first's under their leases.
            for expected in [claimed, if actors == BACKLOG { CLAIMED } else { 0 }] {
                let claimer = app.clone();
                let claim = app.db.write(move |conn| {
                    Box::pin(async move {
                        let before = fetched(conn, engine).await?;
                        let now = claimer.clock.now();
                        let claims = store::claim(conn, &claimer.db, "test", CLAIMED, now).await?;
                        Ok::<_, sqlx::Error>((claims.len(), fetched(conn, engine).await? - before))
                    })
                });
                let (number, rows) = claim.await.expect("a claim");
                assert_eq!(i64::try_from(number).expect("few"), expected, "of {actors} actors");
                assert!(rows <= FETCHED * CLAIMED, "{rows} rows for {number} of {actors} actors");
            }
            let write = world.app.db.write(|conn| {
                Box::pin(async move { sqlx::query("DELETE FROM inbound WHERE kind = 'Like'").execute(conn).await })
            });
            write.await.expect("they are gone");
        }
    })
    .await;
}

//! What a step of a fan-out costs, and that all of them together reach everyone once.

use sqlx::AssertSqlSafe;
use veerpont::app::worker::Worker;
use veerpont::federation::outbox;

use crate::statements::{Counting, Statements};
use crate::world::{World, on_each_engine};

/// Most statements of a step.
const STATEMENTS: usize = 16;

/// Most rows that a step has the database hand over.
const ROWS: u64 = 10;

/// Followers of every actor from `from` on by SQL, four on each host: two with inboxes of their own, two behind a shared one.
async fn followers(world: &World, from: i64, to: i64) {
    let write = world.app.db.write(move |conn| {
        Box::pin(async move {
            let number = |from: i64, to: i64| {
                format!("WITH RECURSIVE n (i) AS (SELECT CAST({from} AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < {to})")
            };
            for statement in [
                format!("INSERT INTO hosts (id, name) {} SELECT i, 'h' || i || '.test' FROM n", number(from / 4, to / 4 - 1)),
                format!(
                    "INSERT INTO inboxes (id, host_id, url, shared) {}
                     SELECT i, i / 4, 'https://h' || i || '.test/inbox', CASE WHEN i % 4 = 2 THEN 1 ELSE 0 END FROM n",
                    number(from, to - 1)
                ),
                format!(
                    "INSERT INTO remote_actors (id, url, kind, username, name, profile_url, inbox_id, shared_inbox_id, fetched_at) {}
                     SELECT i, 'https://h' || i || '.test/u', 'Person', 'u', 'U', '', i, CASE WHEN i % 4 >= 2 THEN i / 4 * 4 + 2 END, 0 FROM n",
                    number(from, to - 1)
                ),
                format!(
                    "INSERT INTO followers (actor_id, remote_actor_id, inbox_id, follow_id, since)
                     SELECT a.id, r.id, COALESCE(r.shared_inbox_id, r.inbox_id), '', 0 FROM actors a JOIN remote_actors r
                     ON r.id >= {from} AND r.id < {to} WHERE a.handle = 'maren'"
                ),
            ] {
                sqlx::query(AssertSqlSafe(statement)).execute(&mut *conn).await?;
            }
            Ok::<_, sqlx::Error>(())
        })
    });
    write.await.expect("followers");
}

async fn count(world: &World, query: &'static str) -> i64 {
    let mut conn = world.app.db.read().await.expect("a connection");
    sqlx::query_scalar(query).fetch_one(&mut *conn).await.expect("a number")
}

/// Publishes a post, and gives what each step of its fan-outs cost.
async fn publish(world: &World, slug: &str) -> Vec<Statements> {
    world.write_post(slug, slug, "It sails at ten.", &["maren"]);
    world.sync().await;
    let outbox = outbox::worker::worker();
    let counting = Counting::begin();
    let mut steps = Vec::new();
    loop {
        let waits = count(world, "SELECT COUNT(*) FROM activities WHERE fanned_out_at IS NULL").await;
        counting.take();
        let Some(step) = outbox.claim(&world.app, 1).await.expect("a look").pop() else { return steps };
        outbox.work(&world.app, step).await.expect("a step");
        let cost = counting.take();
        if waits > 0 {
            steps.push(cost);
        }
    }
}

#[tokio::test]
async fn a_step_costs_the_same_whatever_the_number_of_followers() {
    on_each_engine(async |world| {
        world.publish().await;
        for (slug, from, steps) in [("ferry", 4, 3), ("tides", 20_000, 5)] {
            followers(world, from, from + 12_000).await;
            let costs = publish(world, slug).await;
            // Steps of five thousand, and one for the team's Announce, which nobody follows.
            assert_eq!(costs.len(), steps + 1, "{slug}");
            for cost in costs {
                assert!(cost.len() <= STATEMENTS && cost.rows() <= ROWS, "{}", cost.breakdown());
            }
        }
        // Of four followers two are behind one inbox.
        let queued = count(world, "SELECT COUNT(*) FROM deliveries").await;
        assert_eq!(queued, 12_000 / 4 * 3 + 24_000 / 4 * 3);
        assert_eq!(count(world, "SELECT COUNT(*) FROM article_delivered").await, queued);
        assert_eq!(count(world, "SELECT COUNT(*) FROM hosts WHERE next_attempt_at IS NOT NULL").await, 24_000 / 4);
    })
    .await;
}

#[tokio::test]
async fn a_follower_who_changes_their_inbox_between_two_steps_is_reached() {
    on_each_engine(async |world| {
        world.publish().await;
        followers(world, 2_000_000, 2_008_000).await;
        let peer = world.peer("late.test", &["ann"]);
        world.follow(&peer, "ann", crate::world::MAREN).await;
        world.write_post("ferry", "The ferry", "It sails at ten.", &["maren"]);
        world.sync().await;
        let outbox = outbox::worker::worker();
        for _ in 0..2 {
            let step = outbox.claim(&world.app, 1).await.expect("a look").pop().expect("a step");
            outbox.work(&world.app, step).await.expect("a step");
        }
        assert!(count(world, "SELECT MAX(fanout_cursor) FROM activities WHERE fanned_out_at IS NULL").await > 0);
        // As if an inbox that the fan-out has passed were theirs now.
        let first = world.app.db.write(|conn| {
            Box::pin(async move {
                sqlx::query("UPDATE inboxes SET url = 'https://late.test/moved', host_id = (SELECT h.id FROM hosts h WHERE h.name = 'late.test') WHERE id = 2000001")
                    .execute(&mut *conn)
                    .await?;
                sqlx::query("DELETE FROM deliveries WHERE inbox_id = 2000001").execute(&mut *conn).await?;
                sqlx::query("DELETE FROM article_delivered WHERE inbox_id = 2000001").execute(&mut *conn).await
            })
        });
        first.await.map(drop).expect("an inbox");
        let moved = serde_json::json!({
            "@context": "https://www.w3.org/ns/activitystreams", "id": peer.actor_id("ann"), "type": "Person", "preferredUsername": "ann", "inbox": "https://late.test/moved",
        });
        let (ids, now) = (world.app.ids.clone(), world.app.clock.now());
        let actor = veerpont::activitypub::incoming::parse_actor(&moved).expect("an actor");
        let kept = world.app.db.write(move |conn| {
            Box::pin(async move { veerpont::federation::remote::actors::keep(conn, &ids, actor, None, now).await.map(drop) })
        });
        kept.await.expect("it is kept");
        while let Some(step) = outbox.claim(&world.app, 1).await.expect("a look").pop() {
            outbox.work(&world.app, step).await.expect("a step");
        }
        assert_eq!(count(world, "SELECT COUNT(*) FROM deliveries WHERE inbox_id = 2000001").await, 1);
    })
    .await;
}

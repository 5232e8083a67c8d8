//! What people and loops do at one moment means the same on both engines. On PostgreSQL the moment is forced with real
//! transactions that wait for each other; on SQLite the same story is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use sqlx::{Connection, Executor, PgConnection};
use tokio::sync::Barrier;
use veerpont::app::worker::{self, Worker};
use veerpont::base::ids::InboxId;
use veerpont::federation::delivery;
use veerpont::federation::outbox;
use veerpont::inbox::{self, store};
use veerpont::model::{author, post};
use veerpont::site::source;
use veerpont::site::source::apply::{self, Authors};
use veerpont::site::source::unpublish;

use crate::support::Engine;
use crate::threads::{Person, article, id};
use crate::world::{MAREN, World, on_each_engine, taken};

/// A transaction beside the bridge's that holds a row, on PostgreSQL; on SQLite there is but one at a time.
struct Holding(Option<PgConnection>);

impl Holding {
    async fn of(world: &World, select: &'static str) -> Self {
        if world.engine() == Engine::Sqlite {
            return Self(None);
        }
        let mut conn = PgConnection::connect(world.database_url()).await.expect("a connection");
        conn.execute("BEGIN").await.expect("a transaction");
        let held = conn.execute(select).await.expect("a row is held");
        assert!(held.rows_affected() > 0, "{select} finds nothing");
        Self(Some(conn))
    }

    /// Holds whoever is about to commit the verdict on a document that was read.
    async fn at_commit_of_what_was_read(world: &World) -> Self {
        if world.engine() == Engine::Postgres {
            let mut conn = PgConnection::connect(world.database_url()).await.expect("a connection");
            let waits = "CREATE FUNCTION waits() RETURNS trigger LANGUAGE plpgsql AS
                 'BEGIN PERFORM pg_advisory_xact_lock(42); RETURN NULL; END';
                 CREATE CONSTRAINT TRIGGER waits AFTER UPDATE ON inbound DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
                 WHEN (NEW.path = 'fetched' AND NEW.verdict IS NOT NULL) EXECUTE FUNCTION waits()";
            conn.execute(waits).await.expect("a trigger");
        }
        Self::of(world, "SELECT pg_advisory_xact_lock(42)").await
    }

    /// Waits until so many transactions wait for others, or `otherwise`.
    async fn until(world: &World, waiting: i64, otherwise: impl Fn() -> bool) {
        if world.engine() == Engine::Sqlite {
            return;
        }
        let mut conn = PgConnection::connect(world.database_url()).await.expect("a connection");
        for _ in 0..400 {
            let count =
                "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
            let now: i64 = sqlx::query_scalar(count).fetch_one(&mut conn).await.expect("a count");
            if now >= waiting || otherwise() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("{waiting} transactions never waited");
    }

    async fn let_go(self) {
        if let Some(mut conn) = self.0 {
            conn.execute("COMMIT").await.expect("it is let go");
        }
    }
}

#[tokio::test]
async fn what_an_operator_takes_down_while_a_sync_writes_stays_down() {
    on_each_engine(async |world| {
        let peer = world.peer("fan.test", &["ann"]);
        world.publish().await;
        world.follow(&peer, "ann", MAREN).await;
        world.write_post("ferry", "The ferry", "It sails at ten.", &["maren"]);
        world.publish().await;
        world.site.replace("ferry", "at ten", "at eleven");
        let mut conn = world.app.db.read().await.expect("a connection");
        let ferry = post::store::posts_by_key(&mut conn, "post/ferry").await.expect("posts").pop().expect("the ferry");
        drop(conn);
        // The operator's transaction is under way, and waits with its last statement; the sync's comes meanwhile.
        let article = "SELECT a.id FROM articles a JOIN posts p ON p.article_id = a.id WHERE p.key = 'post/ferry' FOR UPDATE OF a";
        let holding = Holding::of(world, article).await;
        let (taken_down, synced, ()) = tokio::join!(
            unpublish::unpublish(&world.app, ferry.id),
            async {
                Holding::until(world, 1, || false).await;
                world.try_sync(veerpont::site::source::sync::SyncOptions::default()).await
            },
            async {
                Holding::until(world, 2, || false).await;
                holding.let_go().await;
            }
        );
        taken_down.expect("it is taken down");
        synced.expect("a sync");
        let mut conn = world.app.db.read().await.expect("a connection");
        let after = post::store::post(&mut conn, ferry.id).await.expect("a post").expect("the ferry");
        drop(conn);
        assert_eq!(after.state.as_str(), "withheld");
        assert!(after.withheld_at.is_some() && !after.article_stands);
        world.publish().await;
        world.advance(Duration::from_mins(10));
        world.publish().await;
        assert_eq!(crate::world::kinds(&peer), ["Create", "Delete"]);
    })
    .await;
}

#[tokio::test]
async fn an_author_whom_an_operator_took_out_meanwhile_stays_out() {
    on_each_engine(async |world| {
        world.publish().await;
        let configured = world.app.config.sources[0].clone();
        let mut conn = world.app.db.read().await.expect("a connection");
        let source = source::store::known(&mut conn).await.expect("sources").pop().expect("the source");
        let known = author::store::authors(&mut conn, source.id).await.expect("authors");
        drop(conn);
        let maren =
            known.iter().find(|author| author.slug == "maren").and_then(|author| author.actor).expect("an actor");
        // A scan planned to let her speak; then the operator says no; then the scan writes.
        let planned = Authors { thaw: vec![maren], ..Authors::default() };
        author::choose::remove(&world.app, &configured, source.id, "maren").await.expect("she is out");
        let app = world.app.clone();
        let write = world
            .app
            .db
            .write(move |conn| Box::pin(async move { apply::authors(conn, &app, source.id, &planned).await }));
        write.await.expect("written");
        let mut conn = world.app.db.read().await.expect("a connection");
        let actor = author::store::actor(&mut conn, maren).await.expect("an actor").expect("hers");
        assert!(!actor.is_active(), "she stays out");
    })
    .await;
}

#[tokio::test]
async fn writes_that_would_wait_for_each_other_for_ever_are_run_again() {
    on_each_engine(async |world| {
        let together = Arc::new(Barrier::new(2));
        let runs = Arc::new(AtomicUsize::new(0));
        let is_postgres = world.engine() == Engine::Postgres;
        let touch = |first: &'static str, second: &'static str| {
            let (together, runs, is_first) = (together.clone(), runs.clone(), Arc::new(AtomicBool::new(true)));
            world.app.db.write(move |conn| {
                Box::pin(async move {
                    runs.fetch_add(1, Ordering::SeqCst);
                    let touch = "UPDATE counters SET value = value + 1 WHERE name = $1";
                    sqlx::query(touch).bind(first).execute(&mut *conn).await?;
                    if is_postgres && is_first.swap(false, Ordering::SeqCst) {
                        together.wait().await;
                    }
                    sqlx::query(touch).bind(second).execute(&mut *conn).await?;
                    Ok::<_, sqlx::Error>(())
                })
            })
        };
        let before = counters(world).await;
        let (one, other) = tokio::join!(touch("activity", "fanout"), touch("fanout", "activity"));
        one.expect("written");
        other.expect("written");
        let after = counters(world).await;
        assert_eq!((after.0 - before.0, after.1 - before.1), (2, 2), "each once");
        // The one that is run again may meet the other once more.
        let runs = runs.load(Ordering::SeqCst);
        assert!(if is_postgres { runs >= 3 } else { runs == 2 }, "{runs} runs");
    })
    .await;
}

async fn counters(world: &World) -> (i64, i64) {
    let mut conn = world.app.db.read().await.expect("a connection");
    let mut values = Vec::new();
    for name in ["activity", "fanout"] {
        let value = sqlx::query_scalar("SELECT value FROM counters WHERE name = $1").bind(name).fetch_one(&mut *conn);
        values.push(value.await.expect("a counter"));
    }
    (values[0], values[1])
}

#[tokio::test]
async fn a_reply_and_what_it_answers_find_each_other_when_both_are_understood_at_once() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let [ann, bob, cy] = ["ann.test", "bob.test", "cy.test"].map(|host| Person::new(world, host));
        let parent = bob.note(1, &article);
        bob.serve(&parent);
        let inbox = inbox::worker::worker();
        // A first reply has the parent read; a second one came before that ended.
        ann.post(&ann.activity("Create", "create", ann.note(1, &id(&parent)))).await;
        worker::drain(&inbox, &world.app).await.expect("a verdict");
        let second = cy.activity("Create", "create", cy.note(1, &id(&parent)));
        cy.post(&second).await;
        worker::drain(&inbox::fetcher::worker(), &world.app).await.expect("it is read");
        let claims = inbox.claim(&world.app, 64).await.expect("a claim");
        assert_eq!(claims.len(), 2);
        let (reply, read): (Vec<_>, Vec<_>) = claims.into_iter().partition(|claim| claim.activity_id == id(&second));
        let (reply, read) =
            (reply.into_iter().next().expect("the reply"), read.into_iter().next().expect("its parent"));
        // The parent is understood and has woken who waits for it, and its transaction is at its very end.
        let holding = Holding::at_commit_of_what_was_read(world).await;
        let is_done = AtomicBool::new(false);
        let (parents, replies, ()) = tokio::join!(
            inbox.work(&world.app, read),
            async {
                Holding::until(world, 1, || false).await;
                let result = inbox.work(&world.app, reply).await;
                is_done.store(true, Ordering::SeqCst);
                result
            },
            async {
                Holding::until(world, 2, || is_done.load(Ordering::SeqCst)).await;
                holding.let_go().await;
            }
        );
        parents.expect("a verdict");
        replies.expect("a verdict");
        world.drain().await;
        let mut conn = world.app.db.read().await.expect("a connection");
        let kept = store::about(&mut conn, &id(&second), 1).await.expect("verdicts").pop().expect("kept");
        assert_eq!(kept.verdict, "accepted", "{:?}", kept.reason);
    })
    .await;
}

#[tokio::test]
async fn followers_behind_a_shared_inbox_that_goes_between_two_steps_of_a_fan_out_are_reached() {
    on_each_engine(async |world| {
        let peer = world.peer("big.test", &["ann"]);
        world.publish().await;
        world.follow(&peer, "ann", MAREN).await;
        world.write_post("ferry", "The ferry", "It sails at ten.", &["maren"]);
        world.sync().await;
        // Said, and the first step of the fan-out came just up to the shared inbox, past the follower's own.
        let outbox = outbox::worker::worker();
        let step = outbox.claim(&world.app, 1).await.expect("a claim").pop().expect("a step");
        outbox.work(&world.app, step).await.expect("it is said");
        let mut conn = world.app.db.read().await.expect("a connection");
        let row: (i64, i64) =
            sqlx::query_as("SELECT inbox_id, shared_inbox_id FROM remote_actors WHERE shared_inbox_id IS NOT NULL")
                .fetch_one(&mut *conn)
                .await
                .expect("the follower");
        drop(conn);
        let (own, shared) = row;
        let now = world.app.clock.now();
        let first_step = world.app.db.write(move |conn| {
            Box::pin(async move {
                sqlx::query("UPDATE activities SET fanout_cursor = $1 WHERE fanned_out_at IS NULL")
                    .bind(own.max(shared - 1))
                    .execute(conn)
                    .await
            })
        });
        assert!(first_step.await.expect("written").rows_affected() > 0);
        // As a settle does when the shared inbox answers 410 to something else.
        let gone = world.app.db.write(move |conn| {
            Box::pin(async move {
                delivery::store::no_fan_out(conn).await?;
                delivery::store::reroute(conn, InboxId(shared), now).await?;
                delivery::store::drop_inbox(conn, InboxId(shared), now).await
            })
        });
        gone.await.expect("it is gone");
        world.drain().await;
        assert_eq!(taken(&peer, "Create").len(), 1, "by the follower's own inbox");
    })
    .await;
}

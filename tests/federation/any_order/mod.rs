//! A conversation ends in the same state in whatever order its activities come, and however often (interop D7, D12).

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;
use sqlx::Row;
use veerpont::activitypub::incoming;
use veerpont::app::App;
use veerpont::db::Conn;
use veerpont::federation::remote::actors;
use veerpont::inbox::store::{self, Arrival};
use veerpont::inbox::{Outcome, Purpose, handlers};

use crate::support::{Engine, engines};
use crate::world::{MAREN, MONDAY, World, taken};

mod deeds;

use deeds::{ACTORS, Said, actor_id, deed, said, shuffled};

const CONTEXT: &str = "https://www.w3.org/ns/activitystreams";

/// Hears activities one after the other, each understood before the next.
async fn hear(app: &App, heard: Vec<Said>) {
    let (writer, now) = (app.clone(), app.clock.now());
    let done = app.db.write(move |conn| {
        Box::pin(async move {
            for said in &heard {
                let incoming = incoming::parse(said.activity.to_string().as_bytes()).expect("an activity");
                let signer = incoming.actor.clone();
                let arrival = Arrival::of(incoming, signer, said.activity.to_string(), "/ap/inbox".to_owned());
                store::keep(conn, &writer.ids, &arrival, now).await?;
                loop {
                    let due = store::claim(conn, &writer.db, "test", 64, now).await?;
                    if due.is_empty() {
                        break;
                    }
                    for inbound in due {
                        let reading = handlers::Reading::of(&inbound);
                        let verdict = handlers::interpret(&writer, conn, &inbound, reading).await?;
                        assert_ne!(verdict.outcome, Outcome::Failed, "{}", verdict.reason);
                        assert!(store::settle(conn, &writer.ids, &inbound, &verdict, now).await?);
                    }
                }
            }
            Ok::<_, sqlx::Error>(())
        })
    });
    done.await.expect("they are understood");
}

/// Every server that is to be asked for a post has none, so that what waits for that has its verdict: what was deleted stays
/// so, whether its Create came before or after its Delete.
async fn ask(app: &App) {
    let now = app.clock.now();
    let asked = app.db.write(move |conn| {
        Box::pin(async move {
            let urls: Vec<String> =
                sqlx::query_scalar("SELECT url FROM fetch_queue WHERE outcome IS NULL AND purpose = 'post'")
                    .fetch_all(&mut *conn)
                    .await?;
            for url in urls {
                store::fail_waiting(conn, &url, Purpose::Post, "it is not there", now).await?;
            }
            Ok::<_, sqlx::Error>(())
        })
    });
    asked.await.expect("they are asked");
}

/// What is left of it all: posts with their history, standing opinions, followers.
async fn state(app: &App) -> Vec<String> {
    let mut conn = app.db.read().await.expect("a connection");
    let mut lines = Vec::new();
    for (what, sql) in [
        (
            "post",
            "SELECT COALESCE(i.object_id, '') || ' ' || COALESCE(p.object_id, 'article') || ' ' || r.url || ' ' || COALESCE(i.document, 'ended')
             || ' ' || CAST(i.published_at AS TEXT) || ' ' || COALESCE(CAST(i.updated_at AS TEXT), '-')
             FROM interactions i JOIN remote_actors r ON r.id = i.remote_actor_id LEFT JOIN interactions p ON p.id = i.parent_id
             WHERE i.kind = 'reply'",
        ),
        (
            "words",
            "SELECT i.object_id || ' ' || CAST(w.as_of AS TEXT) || ' ' || w.document FROM post_versions w
             JOIN interactions i ON i.id = w.interaction_id",
        ),
        (
            "opinion",
            "SELECT DISTINCT i.kind || ' ' || r.url || ' ' || COALESCE(i.reaction, '') FROM interactions i JOIN remote_actors r ON r.id = i.remote_actor_id
             WHERE i.object_id IS NULL AND i.ended_at IS NULL",
        ),
        ("follower", "SELECT r.url FROM followers f JOIN remote_actors r ON r.id = f.remote_actor_id"),
        ("block", "SELECT r.url FROM blocked_by b JOIN remote_actors r ON r.id = b.remote_actor_id"),
        ("waits", "SELECT activity_id FROM inbound WHERE verdict IS NULL OR verdict = 'deferred'"),
    ] {
        let rows = sqlx::query(sql).fetch_all(&mut *conn).await.expect("rows");
        lines.extend(rows.iter().map(|row| format!("{what} {}", row.get::<String, _>(0))));
    }
    lines.sort();
    lines
}

/// Forgets everything that was heard.
async fn forget(app: &App) {
    let forgotten = app.db.write(|conn: &mut Conn| {
        Box::pin(async move {
            for sql in [
                "DELETE FROM deliveries WHERE activity_id IN (SELECT id FROM activities WHERE inbound_id IS NOT NULL)",
                "DELETE FROM activities WHERE inbound_id IS NOT NULL",
                "DELETE FROM post_versions",
                "DELETE FROM interactions",
                "DELETE FROM followers",
                "DELETE FROM blocked_by",
                "DELETE FROM relations",
                "DELETE FROM fetch_queue",
                "DELETE FROM inbound",
            ] {
                sqlx::query(sql).execute(&mut *conn).await?;
            }
            Ok::<_, sqlx::Error>(())
        })
    });
    forgotten.await.expect("it is forgotten");
}

/// A bridge with an article, that knows the actors: its id, and its author's.
async fn town(engine: Engine) -> (World, String, String) {
    let mut world = World::new(engine, MONDAY).await;
    let peer = world.peer("peer.test", &["ann"]);
    world.publish().await;
    let author = world.follow(&peer, "ann", MAREN).await.actor_id;
    world.write_post("ferry", "The ferry", "It sails at ten.", &["maren"]);
    world.publish().await;
    let article = taken(&peer, "Create").pop().expect("a Create").object_id;
    for actor in 0..ACTORS {
        let id = actor_id(actor);
        let document = json!({ "@context": CONTEXT, "id": id, "type": "Person", "preferredUsername": "u", "inbox": format!("{id}/inbox") });
        let known = incoming::parse_actor(&document).expect("an actor");
        let (ids, now) = (world.app.ids.clone(), world.clock.now());
        let kept =
            world.app.db.write(move |conn| Box::pin(async move { actors::keep(conn, &ids, known, None, now).await }));
        kept.await.expect("they are known");
    }
    forget(&world.app).await;
    (world, article, author)
}

fn same_in_any_order(engine: Engine, cases: u32) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (world, article, author) = runtime.block_on(town(engine));
    let config = Config { cases, max_shrink_iters: 2000, failure_persistence: None, ..Config::default() };
    let conversations = (
        proptest::collection::vec(deed(), 1..24),
        proptest::collection::vec(any::<u32>(), 24),
        proptest::collection::vec(any::<usize>(), 0..8),
    );
    let outcome = TestRunner::new(config).run(&conversations, |(deeds, order, again)| {
        let all = said(&deeds, &article, &author);
        let heard = shuffled(&all, &order, &again);
        let (natural, other) = runtime.block_on(async {
            hear(&world.app, all.clone()).await;
            ask(&world.app).await;
            let natural = state(&world.app).await;
            forget(&world.app).await;
            hear(&world.app, heard.clone()).await;
            ask(&world.app).await;
            let other = state(&world.app).await;
            forget(&world.app).await;
            (natural, other)
        });
        prop_assert_eq!(
            natural,
            other,
            "heard as {:#?}",
            heard.iter().map(|said| said.activity.to_string()).collect::<Vec<_>>()
        );
        Ok(())
    });
    runtime.block_on(world.app.db.close());
    if let Err(error) = outcome {
        panic!("on {engine:?}: {error}");
    }
}

/// A thousand on SQLite; PostgreSQL speaks the same SQL, and a hundred show it.
#[test]
fn a_conversation_ends_the_same_in_any_order() {
    for engine in engines() {
        same_in_any_order(*engine, if *engine == Engine::Sqlite { 1000 } else { 100 });
    }
}

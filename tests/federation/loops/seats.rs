//! One process serves a SQLite file, and one is each node of a PostgreSQL database.

use std::sync::atomic::Ordering;
use std::time::Duration;

use clock::Clock;
use sqlx::{Connection, Executor, PgConnection};
use veerpont::app::worker;
use veerpont::db::{Db, InstanceLockError};
use veerpont::federation::delivery;
use veerpont::server::{self, Part, Parts};

use crate::support::{Engine, engines};
use crate::world::{MAREN, MONDAY, World, on_each_engine, on_each_engine_at, taken};

#[tokio::test]
async fn a_second_serve_is_refused_and_a_command_is_not() {
    on_each_engine(async |world| {
        let seat = world.app.db.take_seat("test").await.expect("nobody serves");
        let part = world.source_path();
        let beside = world.beside(&part, &part).await.expect("a command may run beside it");
        let refused = beside.db.take_seat("test").await.expect_err("it is taken").to_string();
        assert!(refused.contains("another `veerpont serve`") && refused.contains("stop it first"), "{refused}");
        // So `serve` itself fails before it frees anything of the first.
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("an address");
        assert!(server::start_on(beside.clone(), listener).await.is_err());
        drop(seat);
        drop(beside.db.take_seat("test").await.expect("it is free"));
        beside.db.close().await;
    })
    .await;
}

#[tokio::test]
async fn nodes_of_other_names_serve_together_on_postgresql_alone() {
    for engine in engines() {
        let database = engine.database().await;
        let (one, other) = (Db::open(&database.url).await.expect("open"), Db::open(&database.url).await.expect("open"));
        let seat = one.take_seat("one").await.expect("nobody serves");
        let second = other.take_seat("two").await;
        match engine {
            Engine::Sqlite => assert!(matches!(second, Err(InstanceLockError::File(_))), "{second:?}"),
            Engine::Postgres => assert!(second.is_ok(), "{second:?}"),
        }
        drop((seat, second));
        one.close().await;
        other.close().await;
    }
}

#[tokio::test]
async fn a_node_that_lost_its_connection_takes_its_place_again_or_stands_back() {
    if !engines().contains(&Engine::Postgres) {
        return;
    }
    let world = World::new(Engine::Postgres, MONDAY).await;
    let mut seat = world.app.db.take_seat("test").await.expect("nobody serves");
    seat.keep().await.expect("it is held");
    let mut admin = PgConnection::connect(world.database_url()).await.expect("a connection");
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'
               AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND pid <> pg_backend_pid()";
    admin.execute(cut).await.expect("the connection is cut");
    seat.keep().await.expect("it is had again");
    admin.execute(cut).await.expect("the connection is cut");
    let part = world.source_path();
    let beside = world.beside(&part, &part).await.expect("another process");
    let theirs = beside.db.take_seat("test").await.expect("it is free");
    assert!(matches!(seat.keep().await, Err(InstanceLockError::Node(_))));
    assert!(world.app.may_claim());
    world.app.replaced.store(true, Ordering::Relaxed);
    assert!(!world.app.may_claim(), "a node that was replaced takes nothing up");
    drop(theirs);
    beside.db.close().await;
    world.app.db.close().await;
}

#[tokio::test]
async fn a_node_runs_the_parts_that_it_is_told_to_on_postgresql_alone() {
    on_each_engine_at("2026-01-05T08:00:00Z", async |world| {
        world.publish().await;
        let peer = world.peer("peer.test", &["ann"]);
        world.follow(&peer, "ann", MAREN).await;
        // A node's clock has to be that of PostgreSQL.
        world.advance(Clock::system().now().since(world.clock.now()));
        world.write_post("ferry", "The ferry", "It sails at ten.", &["maren"]);
        world.sync().await;
        let part = world.source_path();
        let node = world.beside(&part, &part).await.expect("another process");
        world.advance(Clock::system().now().since(world.clock.now()));
        let started = server::start(node.clone(), &Parts::only(vec![Part::Outbox])).await;
        if world.engine() == Engine::Sqlite {
            let refused = started.err().expect("nobody would send").to_string();
            assert!(refused.contains("--only") && refused.contains("PostgreSQL"), "{refused}");
            return node.db.close().await;
        }
        let running = started.expect("a node");
        let queued = async {
            loop {
                let mut conn = world.app.db.read().await.expect("a connection");
                if !delivery::store::waiting(&mut conn, None, 1).await.expect("a list").items.is_empty() {
                    break;
                }
                drop(conn);
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), queued).await.expect("it queues");
        running.stop().await;
        assert!(taken(&peer, "Create").is_empty(), "sending is another's part");
        worker::drain(&delivery::worker::worker(), &world.app).await.expect("the other node");
        assert_eq!(taken(&peer, "Create").len(), 1);
    })
    .await;
}

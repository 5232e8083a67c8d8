//! The counter itself: it sees all of a test's own statements and none of another's.

use std::time::Duration;

use crate::statements::Counting;
use crate::support::engines;
use crate::world::{MONDAY, World, on_each_engine};

#[tokio::test]
async fn every_statement_of_a_test_is_counted_once() {
    on_each_engine(async |world| {
        let counting = Counting::begin();
        let mut conn = world.app.db.read().await.expect("a connection");
        for _ in 0..3 {
            sqlx::query("SELECT id FROM sources WHERE id > 0 ORDER BY id").fetch_all(&mut *conn).await.expect("rows");
        }
        drop(conn);
        // In the writer's task, which was begun before the counting.
        let job = world.app.db.write(|conn| {
            Box::pin(async move {
                sqlx::query("UPDATE sources SET error = NULL WHERE id = 0 AND error IS NOT NULL").execute(conn).await
            })
        });
        job.await.expect("a write");
        let statements = counting.take();
        assert_eq!(statements.len(), 4, "{}", statements.breakdown());
        assert_eq!(statements.with("FROM sources WHERE id > 0"), 3);
        assert_eq!(statements.writes(), 1);
        assert_eq!(statements.rows(), 3, "one source, asked for three times");
        assert_eq!(counting.take().len(), 0, "what was taken is not counted again");
    })
    .await;
}

#[tokio::test]
async fn statements_of_another_test_are_not_counted() {
    for engine in engines() {
        let counting = Counting::begin();
        let engine = *engine;
        let other = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let mine = Counting::begin();
                let world = World::new(engine, MONDAY).await;
                world.publish().await;
                assert!(mine.take().len() > 50);
                world.app.db.close().await;
            });
        });
        while !other.is_finished() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        other.join().expect("the other test");
        let statements = counting.take();
        assert_eq!(statements.len(), 0, "{}", statements.breakdown());
    }
}

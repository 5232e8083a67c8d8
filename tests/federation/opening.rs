//! How a database is opened, on both engines: as it is by who looks, and changed by nobody but who runs it.

use veerpont::db::{Access, Db, OpenError};

use crate::support::engines;

async fn settings(db: &Db) -> sqlx::Result<i64> {
    let mut conn = db.read().await?;
    sqlx::query_scalar("SELECT COUNT(*) FROM settings").fetch_one(&mut *conn).await
}

#[tokio::test]
async fn who_looks_makes_nothing_and_can_write_nothing() {
    for engine in engines() {
        let database = engine.database().await;
        for access in [Access::Read, Access::Write, Access::Copy] {
            let there = Db::existing(&database.url, access).await.expect("no failure");
            assert!(there.is_none(), "{:?}: nothing is in it", database.engine);
        }
        let made = Db::open(&database.url).await.expect("made");
        assert_eq!((made.upgraded(), settings(&made).await.expect("a table")), (None, 0));
        made.close().await;
        let looking = Db::existing(&database.url, Access::Read).await.expect("opened").expect("it is there");
        let refused = looking.write(|conn| {
            Box::pin(async move {
                sqlx::query("INSERT INTO settings (name, value) VALUES ('a', 'b')").execute(conn).await.map(drop)
            })
        });
        let refused: sqlx::Result<()> = refused.await;
        assert!(refused.is_err(), "{:?}: it was written", database.engine);
        assert_eq!(settings(&looking).await.expect("it still reads"), 0);
        looking.close().await;
    }
}

#[tokio::test]
async fn an_older_database_stays_as_it_is_until_it_is_run() {
    for engine in engines() {
        let database = engine.database().await;
        let made = Db::open(&database.url).await.expect("made");
        let all = made.versions().await.expect("versions");
        made.close().await;
        let (last, before) = all.split_last().expect("there are some");
        let older = engine.database().await;
        Db::open_like(&older.url, before).await.expect("made").close().await;
        for access in [Access::Read, Access::Write] {
            let refused = Db::existing(&older.url, access).await.expect_err("it is older");
            assert!(matches!(refused, OpenError::Older { now, .. } if now == *last), "{refused}");
        }
        let copying = Db::existing(&older.url, Access::Copy).await.expect("opened").expect("it is there");
        assert_eq!(copying.versions().await.expect("versions"), before);
        copying.close().await;
        let run = Db::open(&older.url).await.expect("brought up to date");
        assert_eq!(run.upgraded().map(|(_, now)| now), Some(*last));
        assert_eq!(run.versions().await.expect("versions"), all);
        run.close().await;
    }
}

//! The instance in one file, and back, on the same engine and across (docs/architecture.md#identity: every id and key is kept).

use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, Row};
use veerpont::db::Db;
use veerpont::server::backup;

use crate::support::engines;
use crate::world::{MAREN, on_each_engine, taken};

/// Every row of every table of a SQLite file as text, sorted.
async fn contents(file: &std::path::Path) -> Vec<String> {
    let mut conn = sqlx::SqliteConnection::connect(&format!("sqlite://{}", file.display())).await.expect("a file");
    let mut all = Vec::new();
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT IN ('_sqlx_migrations', 'backup_facts')",
    )
    .fetch_all(&mut conn)
    .await
    .expect("tables");
    assert!(tables.len() > 10, "{tables:?}");
    for table in tables {
        for row in
            sqlx::query(AssertSqlSafe(format!("SELECT * FROM {table}"))).fetch_all(&mut conn).await.expect("rows")
        {
            let cell = |at| {
                row.try_get::<Option<String>, _>(at)
                    .or_else(|_| {
                        row.try_get::<Option<i64>, _>(at).map(|number| number.map(|number| number.to_string()))
                    })
                    .expect("text or a number")
            };
            all.push(format!("{table}: {:?}", (0..row.len()).map(cell).collect::<Vec<_>>()));
        }
    }
    all.sort();
    all
}

#[tokio::test]
async fn a_restored_instance_is_the_same_and_goes_on_delivering() {
    on_each_engine(async |world| {
        world.publish().await;
        let fan = world.peer("fan.test", &["ann"]);
        let before = world.follow(&fan, "ann", MAREN).await.document;
        world.net.set_down("fan.test", true);
        world.write_post("ferry", "The ferry", "It sails at ten.", &["maren"]);
        world.publish().await;
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("instance.backup");
        let now = world.clock.now();
        let origin = "https://social.example.org";
        let made = backup::backup(&world.app.db, &file, now, &mut |_, _| {}).await.expect("a backup");
        assert!(made.tables["keys"] >= 2 && made.tables["deliveries"] >= 1, "{:?}", made.tables);
        let again = backup::backup(&world.app.db, &file, now, &mut |_, _| {}).await.expect_err("it is there");
        assert!(again.to_string().contains("is there already"), "{again}");
        #[cfg(unix)]
        {
            let permissions = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&file).expect("a file"));
            assert_eq!(permissions & 0o777, 0o600);
        }
        let mut last = None;
        for engine in engines() {
            let database = engine.database().await;
            let db = Db::open(&database.url).await.expect("an empty database");
            let foreign = backup::restore(&db, &file, "https://other.example", &mut |_, _| {}).await;
            assert!(foreign.expect_err("another origin").to_string().contains("origin"));
            backup::restore(&db, &file, origin, &mut |_, _| {}).await.expect("a restore");
            let twice = backup::restore(&db, &file, origin, &mut |_, _| {}).await.expect_err("it is not empty");
            assert!(twice.to_string().contains("not empty"), "{twice}");
            let back = folder.path().join(format!("{engine:?}.backup"));
            backup::backup(&db, &back, now, &mut |_, _| {}).await.expect("a backup of the restored");
            assert_eq!(contents(&file).await, contents(&back).await, "on {engine:?}");
            db.close().await;
            last = Some(database);
        }
        // Damage is seen, wherever it is.
        let mut bytes = std::fs::read(&file).expect("a file");
        let at = bytes.windows(8).position(|part| part == b"The ferr").expect("a title");
        bytes[at] ^= 1;
        let broken = folder.path().join("broken.backup");
        std::fs::write(&broken, bytes).expect("a file");
        let empty = engines()[0].database().await;
        let db = Db::open(&empty.url).await.expect("an empty database");
        let error = backup::restore(&db, &broken, origin, &mut |_, _| {}).await.expect_err("it is damaged");
        assert!(format!("{error:#}").contains("damaged"), "{error:#}");

        let database = last.expect("an engine");
        let old = world.app.config.database.url.clone();
        world.configure(&old, &database.url).await;
        world.net.set_down("fan.test", false);
        world.advance(Duration::from_hours(2));
        world.drain().await;
        assert_eq!(taken(&fan, "Create").len(), 1, "what waited is sent");
        fan.forget_actors();
        assert_eq!(fan.lookup(MAREN).await.expect("an actor").document, before, "the same ids and keys");
        world.write_post("pier", "The pier", "It is long.", &["maren"]);
        world.publish().await;
        assert_eq!(taken(&fan, "Create").len(), 2, "followers are there too");
    })
    .await;
}

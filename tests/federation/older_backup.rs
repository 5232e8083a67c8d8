//! Backups of older and newer Veerponts, and one made while another program writes.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use sqlx::migrate::Migrator;
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor};
use veerpont::db::Db;
use veerpont::server::backup::{self, store};

use crate::support::engines;
use crate::world::{GROUP, MAREN, MONDAY, World, kinds, on_each_engine, taken};

const ORIGIN: &str = "https://social.example.org";

async fn open(file: &Path) -> AnyConnection {
    sqlx::any::install_default_drivers();
    AnyConnection::connect(&format!("sqlite://{}?mode=rwc", file.display())).await.expect("a file")
}

/// The changes of the tables, as sqlx itself reads them from their folder.
async fn migrations() -> Migrator {
    Migrator::new(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations"))).await.expect("the migrations")
}

/// Writes what a backup says of itself, true of what `file` holds now.
async fn seal(file: &Path, version: &str) {
    let mut conn = open(file).await;
    let mut facts: Vec<(String, String)> =
        [("format", "1"), ("origin", ORIGIN), ("handle_domain", "example.org"), ("version", version)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
    facts.push(("made_at".to_owned(), "1793613600000".to_owned()));
    for table in store::tables(&mut conn).await.expect("tables") {
        let sum = store::sum(&mut conn, &table, store::Order::Written).await.expect("a sum");
        facts.push((format!("table:{}", table.name), format!("{}:{}", sum.rows, sum.hash)));
    }
    conn.execute("DROP TABLE IF EXISTS backup_facts").await.expect("an empty place");
    store::write_facts(&mut conn, &facts).await.expect("the facts");
    conn.close().await.expect("a goodbye");
}

/// Tables and columns to which migrations 5, 26 and 27 gave other names.
const RENAMED: [(&str, &str); 18] = [
    ("begun", "unfinished_work"),
    ("due_at", "next_attempt_at"),
    ("farewell_at", "delete_sent_at"),
    ("fetched", "article_fetched"),
    ("handbacks", "comment_exports"),
    ("host_manners", "peer_capabilities"),
    ("house_actor_id", "team_actor_id"),
    ("next_scan_at", "next_attempt_at"),
    ("passed_at", "exported_at"),
    ("pem", "public"),
    ("reach", "article_delivered"),
    ("refusals", "rejections"),
    ("rereads", "actor_refreshes"),
    ("talks", "conversations"),
    ("took", "accepted_scheme"),
    ("took_at", "accepted_at"),
    ("wanted", "fetch_queue"),
    ("wordings", "post_versions"),
];

/// The name that a table or column has now. A table has a column `begun` too, which keeps its name.
fn renamed(name: &str) -> &str {
    RENAMED.iter().find(|(old, _)| *old == name).map_or(name, |(_, new)| new)
}

/// The backup `new` as a Veerpont would have made it that knew the migrations up to `last` alone.
async fn older(new: &Path, old: &Path, last: i64) {
    let mut conn = open(old).await;
    migrations().await.run_to(last, &mut conn).await.expect("the first migrations");
    let tables = store::tables(&mut conn).await.expect("tables");
    conn.execute(AssertSqlSafe(format!("ATTACH DATABASE '{}' AS new", new.display()))).await.expect("both");
    for table in tables.iter().rev() {
        store::clear(&mut conn, table).await.expect("an empty table");
    }
    for table in &tables {
        let name = &table.name;
        let names = format!("SELECT name FROM pragma_table_info('{name}')");
        let columns: Vec<String> =
            sqlx::query_scalar(AssertSqlSafe(names)).fetch_all(&mut conn).await.expect("the columns");
        let value = |column: &String| match (name.as_str(), column.as_str()) {
            // Migration 27: the time of a lease is that of the next attempt.
            ("hosts" | "sources", "lease_until") => "NULL".to_owned(),
            ("inbound", "attempts") | (_, "begun") => "begun".to_owned(),
            (_, column) => renamed(column).to_owned(),
        };
        let values: Vec<String> = columns.iter().map(value).collect();
        let (columns, values, from) = (columns.join(", "), values.join(", "), renamed(name));
        let copy = format!("INSERT INTO {name} ({columns}) SELECT {values} FROM new.{from} ORDER BY rowid");
        conn.execute(AssertSqlSafe(copy)).await.expect("its rows");
    }
    conn.close().await.expect("a goodbye");
    seal(old, "0.0.1").await;
}

#[tokio::test]
async fn a_backup_of_every_older_schema_is_brought_up_to_date_and_the_instance_goes_on() {
    for engine in engines() {
        let versions: Vec<i64> = migrations().await.iter().map(|migration| migration.version).collect();
        let (_, older_ones) = versions.split_last().expect("migrations");
        assert!(older_ones.len() >= 3, "{versions:?}");
        for last in older_ones {
            let mut world = World::new(*engine, MONDAY).await;
            world.publish().await;
            let fan = world.peer("fan.test", &["ann"]);
            let before = world.follow(&fan, "ann", MAREN).await.document;
            let folder = tempfile::tempdir().expect("a folder");
            let (new, old) = (folder.path().join("new.backup"), folder.path().join("old.backup"));
            let now = world.clock.now();
            let made = backup::backup(&world.app.db, &new, now, &mut |_, _| {}).await.expect("a backup");
            older(&new, &old, *last).await;
            let bytes = std::fs::read(&old).expect("a file");

            let database = engine.database().await;
            let db = Db::open(&database.url).await.expect("an empty database");
            let restored = backup::restore(&db, &old, ORIGIN, &mut |_, _| {}).await.expect("a restore");
            db.close().await;
            assert_eq!(restored.tables["keys"], made.tables["keys"]);
            assert_eq!(std::fs::read(&old).expect("a file"), bytes, "the backup itself stays as it was");
            let was = world.app.config.database.url.clone();
            world.configure(&was, &database.url).await;
            fan.forget_actors();
            assert_eq!(fan.lookup(MAREN).await.expect("an actor").document["id"], before["id"]);
            world.write_post("ferry", "The ferry", "It sails at ten.", &["maren"]);
            world.publish().await;
            assert_eq!(taken(&fan, "Create").len(), 1, "migration {last}, on {engine:?}: {:?}", kinds(&fan));
            assert_eq!(fan.problems(), Vec::<String>::new());
        }
    }
}

/// `NodeBB` refuses what a Group announces that says `postingRestrictedToMods: true`, as ours did before migration 17 (U1).
#[tokio::test]
async fn the_groups_of_an_older_instance_say_once_that_nobody_is_kept_from_posting_u1() {
    for engine in engines() {
        let mut world = World::new(*engine, MONDAY).await;
        world.publish().await;
        let fan = world.peer("fan.test", &["ann", "bo", "cy"]);
        for (user, handle) in [("ann", GROUP), ("bo", GROUP), ("cy", MAREN)] {
            world.follow(&fan, user, handle).await;
        }
        world.write_post("early", "Early", "It sails at ten.", &["maren"]);
        world.publish().await;
        assert!(taken(&fan, "Update").is_empty(), "a new instance has nothing to correct: {:?}", kinds(&fan));
        let folder = tempfile::tempdir().expect("a folder");
        let (new, old) = (folder.path().join("new.backup"), folder.path().join("old.backup"));
        backup::backup(&world.app.db, &new, world.clock.now(), &mut |_, _| {}).await.expect("a backup");
        older(&new, &old, 12).await;

        let database = engine.database().await;
        let db = Db::open(&database.url).await.expect("an empty database");
        backup::restore(&db, &old, ORIGIN, &mut |_, _| {}).await.expect("a restore");
        db.close().await;
        let was = world.app.config.database.url.clone();
        world.configure(&was, &database.url).await;
        // Once, however often the program stops on the way.
        world.restart().await;
        world.publish().await;
        world.restart().await;
        world.advance(std::time::Duration::from_hours(1));
        world.publish().await;
        let updates = taken(&fan, "Update");
        assert_eq!(updates.len(), 1, "on {engine:?}: {:?}", kinds(&fan));
        let group = &updates[0].activity["object"];
        assert_eq!((&group["type"], &group["postingRestrictedToMods"]), (&"Group".into(), &false.into()));
        assert_eq!(fan.problems(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn what_a_newer_veerpont_made_is_refused_and_nothing_changes() {
    on_each_engine(async |world| {
        world.publish().await;
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("instance.backup");
        backup::backup(&world.app.db, &file, world.clock.now(), &mut |_, _| {}).await.expect("a backup");
        for engine in engines() {
            let database = engine.database().await;
            let db = Db::open(&database.url).await.expect("an empty database");
            let newer = folder.path().join(format!("newer-{engine:?}.backup"));
            std::fs::copy(&file, &newer).expect("a copy");
            let mut conn = open(&newer).await;
            conn.execute("ALTER TABLE posts ADD COLUMN mood TEXT").await.expect("a newer schema");
            let migration = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                 VALUES (9999, 'mood', 1, x'00', 0)";
            conn.execute(migration).await.expect("its migration");
            conn.close().await.expect("a goodbye");
            seal(&newer, "99.0.0").await;
            let error = backup::restore(&db, &newer, ORIGIN, &mut |_, _| {}).await.expect_err("it is newer");
            let said = format!("{error:#}");
            assert!(said.contains("was made by Veerpont 99.0.0") && said.contains("a newer one"), "{said}");

            let mut conn = open(&newer).await;
            conn.execute("UPDATE backup_facts SET value = '2' WHERE name = 'format'").await.expect("another form");
            conn.close().await.expect("a goodbye");
            let error = backup::restore(&db, &newer, ORIGIN, &mut |_, _| {}).await.expect_err("another form");
            assert!(format!("{error:#}").contains("newer than this Veerpont"), "{error:#}");
            backup::restore(&db, &file, ORIGIN, &mut |_, _| {}).await.expect("it is still empty");
            db.close().await;
        }
    })
    .await;
}

/// Writes pairs of settings, each pair in one transaction, until it is told to stop.
async fn write_pairs(url: String, written: Arc<AtomicU64>, stop: Arc<AtomicBool>) {
    let db = Db::open(&url).await.expect("another program's database");
    while !stop.load(Ordering::Relaxed) {
        let number = written.load(Ordering::Relaxed);
        let pair = db.write(move |conn| {
            Box::pin(async move {
                for side in ["left", "right"] {
                    let insert = sqlx::query("INSERT INTO settings (name, value) VALUES ($1, $2)");
                    insert.bind(format!("{side}-{number}")).bind("x").execute(&mut *conn).await?;
                }
                Ok::<_, sqlx::Error>(())
            })
        });
        pair.await.expect("a backup stops nobody from writing");
        written.fetch_add(1, Ordering::Relaxed);
    }
    db.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_while_another_program_writes_is_one_moment() {
    for engine in engines() {
        let world = World::new(*engine, MONDAY).await;
        world.publish().await;
        let (written, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let url = world.app.config.database.url.clone();
        let writer = tokio::spawn(write_pairs(url, written.clone(), stop.clone()));
        let folder = tempfile::tempdir().expect("a folder");
        let mut meanwhile = 0;
        for round in 0..200 {
            let before = written.load(Ordering::Relaxed);
            let file = folder.path().join(format!("{round}.backup"));
            backup::backup(&world.app.db, &file, world.clock.now(), &mut |_, _| {}).await.expect("a backup");
            let after = written.load(Ordering::Relaxed);
            let mut conn = open(&file).await;
            let count = async |conn: &mut AnyConnection, side: &str| {
                let count = sqlx::query_scalar::<_, i64>("SELECT COUNT(*) FROM settings WHERE name LIKE $1");
                count.bind(format!("{side}-%")).fetch_one(conn).await.expect("a count")
            };
            let (left, right) = (count(&mut conn, "left").await, count(&mut conn, "right").await);
            conn.close().await.expect("a goodbye");
            assert_eq!(left, right, "half a transaction, on {engine:?}");
            let pairs = u64::try_from(left).expect("a count");
            // The pair under way may be in it, and not be counted yet.
            assert!((before..=after + 1).contains(&pairs), "{pairs} pairs, not {before} to {after}");
            meanwhile += u64::from(after > before);
            if meanwhile >= 3 {
                break;
            }
        }
        stop.store(true, Ordering::Relaxed);
        writer.await.expect("the writer");
        assert_eq!(meanwhile, 3, "writes went on during backups, on {engine:?}");
        let empty = engine.database().await;
        let db = Db::open(&empty.url).await.expect("an empty database");
        let file = folder.path().join("0.backup");
        backup::restore(&db, &file, ORIGIN, &mut |_, _| {}).await.expect("it is whole");
        db.close().await;
    }
}

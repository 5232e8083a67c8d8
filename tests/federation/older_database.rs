//! A database that an older Veerpont left, opened by this one: every row is there, under the names it has now.

use std::path::Path;

use serde_json::Value;
use sqlx::migrate::Migrator;
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor};

use crate::support::engines;
use crate::threads::Person;
use crate::world::{World, kinds, taken};

/// What the demo of commit c4d7417 left, its addresses changed to those of [`World`], and the key that opens its keys.
const ROWS: &str = include_str!("../databases/version_12.sql");
const MASTER_KEY: &str = include_str!("../databases/version_12.key");

/// The last migration that c4d7417 had.
const VERSION: i64 = 12;

/// The day after it was left.
const NEXT_DAY: &str = "2026-11-30T10:00:00Z";

/// Tables by the names they had, and by those they have.
const RENAMED: [(&str, &str); 4] = [
    ("fetched", "article_fetched"),
    ("reach", "article_delivered"),
    ("wanted", "fetch_queue"),
    ("wordings", "post_versions"),
];

async fn fill(url: &str) {
    sqlx::any::install_default_drivers();
    let made = if url.starts_with("sqlite") { format!("{url}?mode=rwc") } else { url.to_owned() };
    let mut conn = AnyConnection::connect(&made).await.expect("a database");
    let mut migrator =
        Migrator::new(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations"))).await.expect("the migrations");
    migrator.migrations.to_mut().retain(|migration| migration.version <= VERSION);
    migrator.run(&mut conn).await.expect("the tables of then");
    conn.execute(ROWS).await.expect("the rows of then");
    conn.close().await.expect("a goodbye");
}

async fn count(world: &World, table: &str) -> i64 {
    let mut conn = world.app.db.read().await.expect("a connection");
    sqlx::query_scalar(AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"))).fetch_one(&mut *conn).await.expect(table)
}

#[tokio::test]
async fn a_database_of_version_12_opens_and_goes_on() {
    for engine in engines() {
        let mut world = World::new(*engine, NEXT_DAY).await;
        let database = engine.database().await;
        fill(&database.url).await;
        std::fs::write(&world.app.config.secrets.master_key_file, MASTER_KEY).expect("a file");
        let was = world.app.config.database.url.clone();
        world.configure(&was, &database.url).await;

        for table in
            ["actors", "articles", "followers", "inbound", "interactions", "fetched", "reach", "wanted", "wordings"]
        {
            let now = RENAMED.iter().find(|(old, _)| *old == table).map_or(table, |(_, new)| new);
            let kept = ROWS.matches(&format!("\nINSERT INTO {table} (")).count();
            assert!(kept > 0, "{table}");
            assert_eq!(count(&world, now).await, i64::try_from(kept).expect("few"), "{table} on {engine:?}");
        }
        let texts = world.reply_texts().await;
        assert!(texts.iter().any(|text| text.ends_with("It had a ticket, I saw it.")), "{texts:?}");

        // Each article is read in the form that was written then.
        let reader = Person::new(&world, "reader.test");
        let uuids: Vec<String> = {
            let mut conn = world.app.db.read().await.expect("a connection");
            let standing = sqlx::query_scalar("SELECT uuid FROM articles WHERE deleted_at IS NULL");
            standing.fetch_all(&mut *conn).await.expect("rows")
        };
        assert!(uuids.len() > 5, "{uuids:?}");
        for uuid in uuids {
            let told = reader.server.ask(&format!("https://social.example.org/ap/articles/{uuid}")).await;
            let document: Value = serde_json::from_str(&told.body).unwrap_or_else(|_| panic!("{}", told.body));
            assert_eq!((told.status, &document["type"]), (200, &"Article".into()), "{document}");
        }

        // Its keys sign, its ids lead to the same, and somebody new may follow and is heard.
        let fan = world.peer("fan.test", &["ann"]);
        let found = world.follow(&fan, "ann", "maren-oldham@example.org").await;
        assert!(
            ROWS.contains(&found.actor_id.replace("https://social.example.org/ap/actors/", "")),
            "{}",
            found.actor_id
        );
        assert_eq!(taken(&fan, "Accept").len(), 1, "on {engine:?}: {:?}", kinds(&fan));
        assert_eq!(fan.problems(), Vec::<String>::new());
        world.app.db.close().await;
    }
}

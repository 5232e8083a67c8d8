//! Ten thousand rows of others in every table that grows, filled from the schema itself, so that a new table is not forgotten.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::sqlite::{SqliteConnectOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, Row, SqliteConnection};
use veerpont::db::Db;

use crate::allowed::SMALL;
use crate::support::{Engine, TestDatabase};

/// Rows of each table that grows.
const ROWS: i64 = 10_000;

/// What columns hold where their type and name do not tell: mostly what is long done, as it is after a year.
const VALUES: [(&str, &str); 36] = [
    ("activities.audience", "CASE WHEN n.i % 3 = 0 THEN 'article-delivered' ELSE 'followers' END"),
    ("activities.fanned_out_at", "CASE WHEN n.i % 1000 = 0 THEN NULL ELSE n.i END"),
    ("activities.kind", "CASE WHEN n.i % 3 = 0 THEN 'Update' WHEN n.i % 3 = 1 THEN 'Announce' ELSE 'Create' END"),
    ("articles.deleted_at", "CASE WHEN n.i % 10 = 0 THEN n.i END"),
    ("articles.expires_at", "NULL"),
    ("articles.published_revision", "CASE WHEN n.i % 1000 = 0 THEN 0 ELSE 1 END"),
    ("articles.revision", "1"),
    ("blocks.actor_id", "NULL"),
    ("blocks.kind", "CASE WHEN n.i % 100 = 0 THEN 'keyword' WHEN n.i % 100 = 1 THEN 'actor' ELSE 'domain' END"),
    ("blocks.list_id", "n.i % 20 + 1"),
    ("deliveries.activity_id", "n.i / 20 + 1"),
    ("deliveries.holds_inbox_id", "NULL"),
    ("deliveries.inbox_id", "(n.i % 20) * 29 + n.i / 20 + 1"),
    ("deliveries.outcome", "CASE WHEN n.i % 500 = 0 THEN NULL ELSE 'delivered' END"),
    ("deliveries.settled_at", "CASE WHEN n.i % 500 = 0 THEN NULL ELSE n.i END"),
    ("hosts.backoff_until", "NULL"),
    ("hosts.blocked_at", "CASE WHEN n.i % 100 = 0 THEN n.i END"),
    ("hosts.lease_owner", "CASE WHEN n.i % 2000 = 0 THEN 'node' END"),
    ("hosts.next_attempt_at", "CASE WHEN n.i % 100 = 0 THEN n.i END"),
    ("inbound.ended_by", "CASE WHEN n.i % 100 = 0 THEN n.i END"),
    ("inbound.lease_owner", "CASE WHEN n.i % 2000 = 0 THEN 'node' END"),
    ("inbound.raw", "CASE WHEN n.i % 3 = 0 THEN '' ELSE 'raw' END"),
    ("inbound.settled_at", "CASE WHEN n.i % 500 = 0 THEN NULL ELSE n.i END"),
    ("inbound.verdict", "CASE WHEN n.i % 500 = 0 THEN NULL WHEN n.i % 50 = 0 THEN 'deferred' ELSE 'accepted' END"),
    ("inbound.waits_for", "CASE WHEN n.i % 50 = 0 THEN 'url' || n.i END"),
    ("interactions.actor_id", "CASE WHEN n.i % 50 = 0 THEN n.i % 499 + 1 END"),
    ("interactions.block_id", "CASE WHEN n.i % 100 = 7 THEN n.i END"),
    ("interactions.ended_at", "CASE WHEN n.i % 10 = 3 THEN n.i END"),
    ("interactions.held_at", "CASE WHEN n.i % 200 = 11 THEN n.i END"),
    ("interactions.hidden_at", "CASE WHEN n.i % 200 = 13 THEN n.i END"),
    ("interactions.kind", "CASE WHEN n.i % 3 = 0 THEN 'like' WHEN n.i % 3 = 1 THEN 'boost' ELSE 'reply' END"),
    ("interactions.remote_actor_id", "CASE WHEN n.i % 50 = 0 THEN NULL ELSE (n.i * 7919) % 499 + 1 END"),
    ("interactions.revision", "CASE WHEN n.i % 2000 = 0 THEN 1 ELSE 0 END"),
    ("fetch_queue.lease_owner", "CASE WHEN n.i % 2000 = 0 THEN 'node' END"),
    ("fetch_queue.outcome", "CASE WHEN n.i % 500 = 0 THEN NULL ELSE 'read' END"),
    ("fetch_queue.settled_at", "CASE WHEN n.i % 500 = 0 THEN NULL ELSE n.i END"),
];

/// Whose values are their own: columns that are unique alone, and the last of those that are unique together.
struct Table {
    name: String,
    /// Name, whether it is a number, whether it may be NULL.
    columns: Vec<(String, bool, bool)>,
    own: BTreeSet<String>,
}

/// Makes the tables, fills those that grow, and says which they are.
pub(crate) async fn fill(database: &TestDatabase) -> BTreeSet<String> {
    let db = Db::open(&database.url).await.expect("the database opens");
    db.close().await;
    let tables = match database.engine {
        Engine::Sqlite => tables(&mut sqlite(&database.url).await).await,
        // The schema is one, and SQLite tells more of it.
        Engine::Postgres => {
            let twin = Engine::Sqlite.database().await;
            Db::open(&twin.url).await.expect("the database opens").close().await;
            tables(&mut sqlite(&twin.url).await).await
        }
    };
    let small: BTreeMap<&str, &str> = SMALL.into();
    for name in small.keys() {
        assert!(tables.iter().any(|table| table.name == *name), "there is no table {name} any more");
    }
    let grow: Vec<&Table> = tables.iter().filter(|table| !small.contains_key(table.name.as_str())).collect();
    let mut script = vec!["BEGIN".to_owned()];
    script.extend(grow.iter().flat_map(|table| [format!("DELETE FROM {}", table.name), filling(table)]));
    script.push("COMMIT".to_owned());
    let counts: Vec<String> = grow.iter().map(|table| format!("SELECT COUNT(*) FROM {}", table.name)).collect();
    let mut rows = Vec::new();
    match database.engine {
        Engine::Sqlite => {
            let mut conn = sqlite(&database.url).await;
            for statement in script {
                conn.execute(AssertSqlSafe(statement)).await.expect("rows");
            }
            for count in counts {
                rows.push(conn.fetch_one(AssertSqlSafe(count)).await.expect("a count").get::<i64, _>(0));
            }
            // As in production, where nothing analyses either: plans do not change with what a database holds.
            let analysed = conn.fetch_all("SELECT name FROM sqlite_master WHERE name LIKE 'sqlite_stat%'").await;
            assert!(analysed.expect("a list").is_empty(), "Db::open analyses: let this test do the same");
        }
        Engine::Postgres => {
            let mut conn = PgConnection::connect(&database.url).await.expect("PostgreSQL answers");
            conn.execute("SET session_replication_role = replica").await.expect("no foreign keys");
            for statement in script {
                conn.execute(AssertSqlSafe(statement)).await.expect("rows");
            }
            for count in counts {
                rows.push(conn.fetch_one(AssertSqlSafe(count)).await.expect("a count").get::<i64, _>(0));
            }
            conn.execute("ANALYZE").await.expect("as its autovacuum does");
        }
    }
    for (table, rows) in grow.iter().zip(rows) {
        assert!(rows > ROWS * 9 / 10, "{} has {rows} rows: say in VALUES how they differ", table.name);
    }
    grow.iter().map(|table| table.name.clone()).collect()
}

/// The indexes that are there for speed alone.
pub(crate) async fn indexes() -> Vec<String> {
    let database = Engine::Sqlite.database().await;
    Db::open(&database.url).await.expect("the database opens").close().await;
    let indexes =
        "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND sql NOT LIKE 'CREATE UNIQUE%'";
    let rows = sqlite(&database.url).await.fetch_all(indexes).await.expect("indexes");
    rows.iter().map(|row| row.get(0)).collect()
}

async fn sqlite(url: &str) -> SqliteConnection {
    let options: SqliteConnectOptions = url.parse().expect("an address");
    options.foreign_keys(false).synchronous(SqliteSynchronous::Off).connect().await.expect("SQLite opens it")
}

async fn tables(conn: &mut SqliteConnection) -> Vec<Table> {
    let names = conn
        .fetch_all("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> '_sqlx_migrations'")
        .await
        .expect("tables");
    let mut tables = Vec::new();
    for name in names.iter().map(|row| row.get::<String, _>(0)) {
        let info = format!("SELECT name, type, \"notnull\" FROM pragma_table_info('{name}')");
        let info = conn.fetch_all(AssertSqlSafe(info)).await.expect("columns");
        let columns =
            info.iter().map(|row| (row.get(0), row.get::<String, _>(1) == "BIGINT", row.get::<i64, _>(2) == 0));
        let last = format!(
            "SELECT c.name FROM pragma_index_list('{name}') l, pragma_index_info(l.name) c WHERE l.\"unique\" = 1
             AND c.seqno = (SELECT MAX(d.seqno) FROM pragma_index_info(l.name) d) AND c.name IS NOT NULL"
        );
        let own = conn.fetch_all(AssertSqlSafe(last)).await.expect("indexes");
        let own = own.iter().map(|row| row.get(0)).collect();
        tables.push(Table { columns: columns.collect(), own, name });
    }
    tables
}

fn filling(table: &Table) -> String {
    let names: Vec<&str> = table.columns.iter().map(|(name, ..)| name.as_str()).collect();
    let values: Vec<String> = table.columns.iter().map(|column| value(table, column)).collect();
    format!(
        "INSERT INTO {} ({}) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS})
         SELECT {} FROM n WHERE 1 = 1 ON CONFLICT DO NOTHING",
        table.name,
        names.join(", "),
        values.join(", ")
    )
}

fn value(table: &Table, (column, is_number, may_be_null): &(String, bool, bool)) -> String {
    let key = format!("{}.{column}", table.name);
    if let Some((_, value)) = VALUES.iter().find(|(name, _)| *name == key) {
        return (*value).to_owned();
    }
    if table.own.contains(column) {
        return if *is_number { "n.i".to_owned() } else { format!("'{column}' || n.i") };
    }
    let value = match (*is_number, column.rsplit('_').next()) {
        (true, Some("id")) => "(n.i * 7919) % 499 + 1".to_owned(),
        (true, Some("at" | "until" | "since" | "cursor")) => "n.i * 1000".to_owned(),
        (true, _) => "n.i % 3".to_owned(),
        (false, _) => format!("'{column}' || (n.i % 997)"),
    };
    if *may_be_null { format!("CASE WHEN n.i % 2 = 0 THEN {value} END") } else { value }
}

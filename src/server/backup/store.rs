//! The SQL of backups: every table and column as the schema itself names them, so that a new table is never forgotten.

use aws_lc_rs::digest::{Context, SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::TryStreamExt;
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, AssertSqlSafe, Row, query, query_scalar};

use crate::db::{Columns, Conn};

/// What the backup knows of itself.
const FACTS: &str = "backup_facts";

/// Tables that are not ours to carry: migrations run by themselves, and the facts are read apart.
const NOT_CARRIED: [&str; 2] = ["_sqlx_migrations", FACTS];

/// Most values in one INSERT.
const VALUES_AT_ONCE: usize = 900;

/// A table, as SQLite describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its columns, and whether each holds numbers.
    columns: Vec<(String, bool)>,
}

/// A value of one of the two kinds there are (ADR 1).
#[derive(Clone, Debug)]
enum Cell {
    Text(Option<String>),
    Number(Option<i64>),
}

/// How many rows a table has, and a hash over them in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sum {
    /// Rows.
    pub rows: u64,
    /// SHA-256, base64.
    pub hash: String,
}

/// Which rows are read in which order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// As they come.
    Any,
    /// As they were written: SQLite only.
    Written,
}

/// All tables of a SQLite database in an order in which each refers only to those before it.
pub async fn tables(conn: &mut Conn) -> sqlx::Result<Vec<Table>> {
    let names: Vec<String> =
        query_scalar("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")
            .fetch_all(&mut *conn)
            .await?;
    let mut left = Vec::new();
    for name in names.into_iter().filter(|name| !NOT_CARRIED.contains(&name.as_str())) {
        let refers: Vec<String> =
            query_scalar("SELECT \"table\" FROM pragma_foreign_key_list($1)").bind(&name).fetch_all(&mut *conn).await?;
        let rows = query("SELECT name, type FROM pragma_table_info($1)").bind(&name).fetch_all(&mut *conn).await?;
        let columns = rows.iter().map(|row| Ok((row.text("name")?, row.text("type")? == "BIGINT")));
        left.push((refers, Table { columns: columns.collect::<sqlx::Result<_>>()?, name }));
    }
    let mut ordered: Vec<Table> = Vec::new();
    while !left.is_empty() {
        let is_done = |name: &String| ordered.iter().any(|table| table.name == *name);
        let (ready, later): (Vec<_>, Vec<_>) =
            left.into_iter().partition(|(refers, table)| refers.iter().all(|to| *to == table.name || is_done(to)));
        if ready.is_empty() {
            return Err(sqlx::Error::Protocol("tables refer to each other in a circle".to_owned()));
        }
        ordered.extend(ready.into_iter().map(|(_, table)| table));
        left = later;
    }
    Ok(ordered)
}

/// Empties a table of what its migration put in.
pub async fn clear(conn: &mut Conn, table: &Table) -> sqlx::Result<()> {
    query(AssertSqlSafe(format!("DELETE FROM {}", table.name))).execute(conn).await?;
    Ok(())
}

/// How many rows a table has.
pub(crate) async fn count(conn: &mut Conn, table: &Table) -> sqlx::Result<u64> {
    let rows: i64 = query_scalar(AssertSqlSafe(format!("SELECT COUNT(*) FROM {}", table.name))).fetch_one(conn).await?;
    Ok(u64::try_from(rows).unwrap_or_default())
}

/// Copies a table, a bounded number of rows at a time; says what was copied.
pub(crate) async fn copy(
    from: &mut Conn,
    to: &mut Conn,
    table: &Table,
    order: Order,
    progress: &mut (dyn FnMut(&str, u64) + Send),
) -> sqlx::Result<Sum> {
    let mut hash = Hash::default();
    let at_once = (VALUES_AT_ONCE / table.columns.len().max(1)).max(1);
    let select = select(table, order);
    let mut rows = query(AssertSqlSafe(select)).fetch(from);
    let mut waiting: Vec<Vec<Cell>> = Vec::with_capacity(at_once);
    while let Some(row) = rows.try_next().await? {
        let cells = read(&row, table)?;
        hash.add(&cells);
        waiting.push(cells);
        if waiting.len() == at_once {
            insert(to, table, &mut waiting).await?;
            progress(&table.name, hash.rows);
        }
    }
    insert(to, table, &mut waiting).await?;
    Ok(hash.sum())
}

/// Reads a table through.
pub async fn sum(conn: &mut Conn, table: &Table, order: Order) -> sqlx::Result<Sum> {
    let mut hash = Hash::default();
    let mut rows = query(AssertSqlSafe(select(table, order))).fetch(conn);
    while let Some(row) = rows.try_next().await? {
        hash.add(&read(&row, table)?);
    }
    Ok(hash.sum())
}

fn select(table: &Table, order: Order) -> String {
    let columns: Vec<&str> = table.columns.iter().map(|(name, _)| name.as_str()).collect();
    let order = if order == Order::Written { " ORDER BY rowid" } else { "" };
    format!("SELECT {} FROM {}{order}", columns.join(", "), table.name)
}

fn read(row: &AnyRow, table: &Table) -> sqlx::Result<Vec<Cell>> {
    let cell = |(at, (_, number)): (usize, &(String, bool))| {
        Ok(if *number { Cell::Number(row.try_get(at)?) } else { Cell::Text(row.try_get(at)?) })
    };
    table.columns.iter().enumerate().map(cell).collect()
}

async fn insert(conn: &mut Conn, table: &Table, rows: &mut Vec<Vec<Cell>>) -> sqlx::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let columns: Vec<&str> = table.columns.iter().map(|(name, _)| name.as_str()).collect();
    let mut place = 0;
    let tuples: Vec<String> = rows
        .iter()
        .map(|row| {
            let places: Vec<String> = row
                .iter()
                .map(|_| {
                    place += 1;
                    format!("${place}")
                })
                .collect();
            format!("({})", places.join(", "))
        })
        .collect();
    let text = format!("INSERT INTO {} ({}) VALUES {}", table.name, columns.join(", "), tuples.join(", "));
    let mut statement: Query<'_, Any, AnyArguments> = query(AssertSqlSafe(text));
    for cell in rows.drain(..).flatten() {
        statement = match cell {
            Cell::Text(text) => statement.bind(text),
            Cell::Number(number) => statement.bind(number),
        };
    }
    statement.execute(conn).await?;
    Ok(())
}

/// Frees what a node held when the backup was made.
pub(crate) async fn free(conn: &mut Conn, table: &Table) -> sqlx::Result<()> {
    if table.columns.iter().any(|(name, _)| name == "lease_owner") {
        query(AssertSqlSafe(format!("UPDATE {} SET lease_owner = NULL", table.name))).execute(&mut *conn).await?;
    }
    Ok(())
}

/// Writes what the backup knows of itself.
pub async fn write_facts(conn: &mut Conn, facts: &[(String, String)]) -> sqlx::Result<()> {
    query("CREATE TABLE backup_facts (name TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL)")
        .execute(&mut *conn)
        .await?;
    for (name, value) in facts {
        query("INSERT INTO backup_facts (name, value) VALUES ($1, $2)")
            .bind(name)
            .bind(value)
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

/// Reads them; none where the file is no backup.
pub(crate) async fn facts(conn: &mut Conn) -> sqlx::Result<Vec<(String, String)>> {
    let there: Option<String> =
        query_scalar("SELECT name FROM sqlite_master WHERE name = $1").bind(FACTS).fetch_optional(&mut *conn).await?;
    if there.is_none() {
        return Ok(Vec::new());
    }
    let rows = query("SELECT name, value FROM backup_facts ORDER BY name").fetch_all(conn).await?;
    rows.iter().map(|row| Ok((row.text("name")?, row.text("value")?))).collect()
}

/// Whether SQLite finds the file whole.
pub(crate) async fn is_whole(conn: &mut Conn) -> sqlx::Result<bool> {
    let found: Vec<String> = query_scalar("PRAGMA integrity_check").fetch_all(conn).await?;
    Ok(found == ["ok"])
}

/// One file without a log beside it.
pub(crate) async fn fold_log(conn: &mut Conn) -> sqlx::Result<()> {
    query("PRAGMA wal_checkpoint(TRUNCATE)").execute(conn).await?;
    Ok(())
}

struct Hash {
    rows: u64,
    context: Context,
}

impl Default for Hash {
    fn default() -> Self {
        Self { rows: 0, context: Context::new(&SHA256) }
    }
}

impl Hash {
    fn add(&mut self, cells: &[Cell]) {
        self.rows += 1;
        for cell in cells {
            match cell {
                Cell::Text(None) | Cell::Number(None) => self.context.update(b"-"),
                Cell::Number(Some(number)) => {
                    self.context.update(b"n");
                    self.context.update(&number.to_be_bytes());
                }
                Cell::Text(Some(text)) => {
                    self.context.update(b"t");
                    self.context.update(&text.len().to_be_bytes());
                    self.context.update(text.as_bytes());
                }
            }
        }
    }

    fn sum(self) -> Sum {
        Sum { rows: self.rows, hash: STANDARD.encode(self.context.finish()) }
    }
}

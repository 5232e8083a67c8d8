//! What the engines mean to do for a statement, and what of it is a fault.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sqlx::postgres::{PgDatabaseError, PgErrorPosition};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row};
use veerpont::db::{Columns, Db};

use crate::allowed::QUEUES;
use crate::reader::Statement;
use crate::support::{Engine, TestDatabase};

/// A statement that costs as much as a table is long.
pub(crate) struct Fault {
    pub(crate) statement: Statement,
    pub(crate) what: String,
}

/// The faults of all statements, and all plans as text.
pub(crate) async fn faults(
    database: &TestDatabase,
    statements: &[&Statement],
    grows: &BTreeSet<String>,
) -> (Vec<Fault>, String) {
    let (mut faults, mut plans) = (Vec::new(), String::new());
    let found = |statement: &Statement, whats: Vec<String>| {
        whats.into_iter().map(|what| Fault { statement: statement.clone(), what }).collect::<Vec<_>>()
    };
    match database.engine {
        Engine::Sqlite => {
            let db = Db::open(&database.url).await.expect("the database opens");
            let mut conn = db.read().await.expect("a connection");
            for statement in statements {
                let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", statement.text));
                let plan = sqlx::query(explain).fetch_all(&mut *conn).await;
                let plan = plan.unwrap_or_else(|error| panic!("{}: {error}\n{}", statement.place, statement.text));
                let plan: Vec<String> = plan.iter().map(|row| row.text("detail").expect("a line")).collect();
                plans.push_str(&(plan.join(" \n") + " \n"));
                faults.extend(found(statement, of_sqlite(&statement.text, &plan, grows)));
            }
            drop(conn);
            db.close().await;
        }
        Engine::Postgres => {
            let mut conn = PgConnection::connect(&database.url).await.expect("PostgreSQL answers");
            // Ten thousand rows are few for it. What is asked is whether there is a way by an index, which it takes among millions.
            for setting in [
                "plan_cache_mode = force_generic_plan",
                "enable_seqscan = off",
                "enable_hashjoin = off",
                "enable_mergejoin = off",
            ] {
                conn.execute(AssertSqlSafe(format!("SET {setting}"))).await.expect("a setting");
            }
            for statement in statements {
                let plan = generic_plan(&mut conn, statement).await;
                let mut whats = Vec::new();
                plans.push_str(&plan.to_string().replace('"', " "));
                of_postgres(&plan, false, grows, &mut whats);
                faults.extend(found(statement, whats));
            }
        }
    }
    (faults, plans)
}

/// What SQLite would read through, or sort whole to give a part.
fn of_sqlite(statement: &str, plan: &[String], grows: &BTreeSet<String>) -> Vec<String> {
    let tables = aliases(statement);
    let mut whats = Vec::new();
    for line in plan {
        if let Some(scan) = line.strip_prefix("SCAN ") {
            let name = scan.split(' ').next().unwrap_or_default();
            let meant = tables.get(name).cloned().unwrap_or_default();
            let is_queue = QUEUES.iter().any(|queue| scan.ends_with(&format!(" INDEX {queue}")));
            if let Some(table) = meant.iter().find(|table| grows.contains(**table) && !is_cut(statement, table))
                && !is_queue
            {
                whats.push(format!("SCAN {table} as {scan}"));
            }
        } else if line == "USE TEMP B-TREE FOR ORDER BY"
            && statement.contains("LIMIT")
            && tables.values().flatten().any(|table| grows.contains(*table))
        {
            whats.push("sorts all to give a few".to_owned());
        }
    }
    whats
}

/// Whether a table is read from one end, and only as far as a LIMIT goes: there is nothing that could be passed over.
fn is_cut(statement: &str, table: &str) -> bool {
    let from = format!(" FROM {table} ");
    let mut rests = statement.match_indices(&from).map(|(at, found)| &statement[at + found.len()..]);
    let words = |rest: &str| rest.split_whitespace().take(5).map(str::to_owned).collect::<Vec<_>>();
    rests.all(|rest| {
        matches!(
            words(rest).iter().map(String::as_str).collect::<Vec<_>>().as_slice(),
            ["LIMIT", ..] | ["ORDER", "BY", _, "LIMIT", ..] | ["ORDER", "BY", _, "DESC", "LIMIT"]
        )
    })
}

/// Which tables each name of a statement may mean.
fn aliases(statement: &str) -> BTreeMap<&str, BTreeSet<&str>> {
    let words: Vec<&str> =
        statement.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty()).collect();
    let mut found: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for at in 0..words.len().saturating_sub(1) {
        if !matches!(words[at], "FROM" | "JOIN" | "UPDATE" | "INTO") {
            continue;
        }
        let table = words[at + 1];
        let after = if words.get(at + 2) == Some(&"AS") { words.get(at + 3) } else { words.get(at + 2) };
        for name in [Some(&table), after].into_iter().flatten() {
            found.entry(name).or_default().insert(table);
        }
    }
    found
}

/// The plan that PostgreSQL has for any values: the types of parameters are learnt from what it says of them.
async fn generic_plan(conn: &mut PgConnection, statement: &Statement) -> Value {
    let most = (1..=40).rev().find(|number| mentions(&statement.text, *number)).unwrap_or_default();
    let mut types = vec!["unknown"; most];
    let name = |types: &[&str]| if types.is_empty() { String::new() } else { format!(" ({})", types.join(", ")) };
    for _ in 0..=most {
        let head = format!("PREPARE one{} AS ", name(&types));
        let Err(error) = conn.execute(AssertSqlSafe(format!("{head}{}", statement.text))).await else { break };
        let told = error.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>());
        let parameter = told.and_then(|told| {
            let Some(PgErrorPosition::Original(at)) = told.position() else { return None };
            // It names the parameter, or the expression that it stands in.
            let rest: String = format!("{head}{}", statement.text).chars().skip(at - 1).collect();
            let numbers = rest.split('$').skip(1).filter_map(|part| {
                part.chars().take_while(char::is_ascii_digit).collect::<String>().parse::<usize>().ok()
            });
            let number = numbers.into_iter().find(|number| types[number - 1] == "unknown")?;
            Some((number, told.message().contains("bigint")))
        });
        let Some((number, is_number)) = parameter else { panic!("{}: {error}\n{}", statement.place, statement.text) };
        types[number - 1] = if is_number { "bigint" } else { "text" };
    }
    let values = name(&vec!["NULL"; most]);
    let explained =
        conn.fetch_one(AssertSqlSafe(format!("EXPLAIN (FORMAT JSON, COSTS OFF) EXECUTE one{values}"))).await;
    let explained = explained.unwrap_or_else(|error| panic!("{}: {error}\n{}", statement.place, statement.text));
    conn.execute("DEALLOCATE one").await.expect("it is forgotten");
    // As text, since that is how it comes.
    let plan: String = explained.try_get_unchecked(0).expect("a plan");
    serde_json::from_str::<Value>(&plan).expect("JSON")[0]["Plan"].clone()
}

fn mentions(text: &str, number: usize) -> bool {
    let parameter = format!("${number}");
    text.match_indices(&parameter)
        .any(|(at, found)| !text[at + found.len()..].starts_with(|c: char| c.is_ascii_digit()))
}

/// What PostgreSQL would read through: a table, or an index from end to end where it is not to stop after a few rows.
fn of_postgres(plan: &Value, stops: bool, grows: &BTreeSet<String>, whats: &mut Vec<String>) {
    let kind = plan["Node Type"].as_str().unwrap_or_default();
    let table = plan["Relation Name"].as_str().unwrap_or_default();
    if grows.contains(table) {
        let index = plan["Index Name"].as_str().unwrap_or_default();
        let through = plan["Index Cond"].is_null() && (!plan["Filter"].is_null() || !stops) && !QUEUES.contains(&index);
        match kind {
            "Seq Scan" if !stops || !plan["Filter"].is_null() => whats.push(format!("Seq Scan {table}")),
            "Index Scan" | "Index Only Scan" if through => {
                whats.push(format!("{kind} {table} through {index}"));
            }
            _ => {}
        }
    }
    let index = plan["Index Name"].as_str().unwrap_or_default();
    if kind == "Bitmap Index Scan" && plan["Index Cond"].is_null() && !QUEUES.contains(&index) {
        whats.push(format!("{kind} through {index}"));
    }
    // A sort, a hash or a count asks for all that is below it.
    let stops = kind == "Limit"
        || (stops && matches!(kind, "Nested Loop" | "LockRows" | "Subquery Scan" | "Append" | "Merge Append"));
    let below = plan["Plans"].as_array().map(Vec::as_slice).unwrap_or_default();
    let narrowed = |plan: &Value| !plan["Index Cond"].is_null();
    // Of two sets that are laid over each other, one is enough to keep it small.
    let below = if kind == "BitmapAnd" && below.iter().any(narrowed) { &[] } else { below };
    for plan in below {
        of_postgres(plan, stops, grows, whats);
    }
}

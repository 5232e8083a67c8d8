//! Every statement of every store is explained on both engines beside ten thousand rows of others: none reads through a table
//! that grows, and none sorts all of one to give a few.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test may stop where it finds the world broken")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

#[path = "../support/mod.rs"]
mod support;

mod allowed;
mod crowd;
mod plans;
mod reader;

use support::{Engine, engines, say};

use allowed::{ALLOWED, MADE_AS_IT_RUNS, ONLY_ON, SMALL};
use plans::Fault;
use reader::Statement;

/// The files that may hold SQL, by their path in the package.
fn stores() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = BTreeMap::new();
    let mut folders: Vec<PathBuf> = vec![root.join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the package") {
            let path = entry.expect("an entry of it").path();
            let name = path.strip_prefix(root).expect("below the package").to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if name.ends_with("/store.rs") || name.contains("/store/") || name == "src/db/mod.rs" {
                found.insert(name, fs::read_to_string(&path).expect("Rust is UTF-8"));
            }
        }
    }
    found
}

fn runs_on(statement: &Statement, engine: Engine) -> bool {
    let named = ONLY_ON.iter().find(|(part, _)| statement.text.contains(part));
    statement.only.or(named.map(|(_, only)| *only)).is_none_or(|only| only == engine)
}

#[tokio::test]
async fn no_statement_reads_through_a_table_that_grows() {
    let (statements, unread) = reader::statements(&stores());
    let unread: Vec<&String> =
        unread.iter().filter(|fault| !MADE_AS_IT_RUNS.iter().any(|(file, _)| fault.starts_with(file))).collect();
    assert!(unread.is_empty(), "{unread:#?}");
    assert!(statements.len() > 250, "only {} statements were read", statements.len());
    say(&format!("statements: {}", statements.len()));
    let mut faults = Vec::new();
    let mut used = BTreeSet::new();
    let mut unused = crowd::indexes().await;
    for engine in engines() {
        let database = engine.database().await;
        let grows = crowd::fill(&database).await;
        let is_made = |one: &&Statement| MADE_AS_IT_RUNS.iter().any(|(file, _)| one.place.starts_with(file));
        let of_engine = statements.iter().filter(|one| runs_on(one, *engine) && !is_made(one));
        let of_engine: Vec<&Statement> = of_engine.collect();
        let (found, plans) = plans::faults(&database, &of_engine, &grows).await;
        unused.retain(|index| !plans.contains(&format!(" {index} ")));
        for Fault { statement, what } in found {
            let excuse = ALLOWED.iter().position(|one| {
                statement.place.starts_with(one.file) && statement.text.contains(one.part) && what.contains(one.fault)
            });
            match excuse {
                Some(number) => {
                    used.insert(number);
                }
                None => faults.push(format!("{engine:?} {}: {what}\n    {}", statement.place, statement.text)),
            }
        }
    }
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
    assert!(unused.is_empty() || engines().len() < 2, "no statement needs these indexes: {unused:#?}");
    let idle: Vec<&str> = (0..ALLOWED.len()).filter(|at| !used.contains(at)).map(|at| ALLOWED[at].part).collect();
    assert!(idle.is_empty() || engines().len() < 2, "no longer needed in tests/statements/allowed.rs: {idle:#?}");
}

#[test]
fn every_excuse_says_why() {
    let reasons = SMALL.iter().map(|(_, why)| why).chain(ALLOWED.iter().map(|one| &one.why));
    for why in reasons.chain(MADE_AS_IT_RUNS.iter().map(|(_, why)| why)) {
        assert!(why.len() > 15, "{why}");
    }
}

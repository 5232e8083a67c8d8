//! The map holds: `src/` is read, and an import upward, SQL out of its place, an unknown licence, a citation that leads
//! nowhere or an address that no page tells of fails.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test may stop where it finds the world broken")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

mod addresses;
mod circles;
mod citations;
mod code;
mod licences;
mod packages;
mod rules;
mod walks;

use rules::Map;

/// Every Rust file below `folder`, by its path relative to the package, with its text.
fn files(folder: &str) -> BTreeMap<String, String> {
    files_with(folder, &["rs"])
}

/// Every file below `folder` that ends so; nothing of what other programs put there.
fn files_with(folder: &str, ends: &[&str]) -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = BTreeMap::new();
    let mut folders: Vec<PathBuf> = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the package") {
            let path = entry.expect("an entry of it").path();
            if path.is_dir() {
                let foreign = ["node_modules", "target"].iter().any(|name| path.ends_with(name));
                folders.extend((!foreign).then_some(path));
            } else if path.extension().is_some_and(|end| ends.iter().any(|one| end == *one)) {
                let name = path.strip_prefix(root).expect("below the package").to_string_lossy().into_owned();
                found.insert(name, fs::read_to_string(&path).expect("a text is UTF-8"));
            }
        }
    }
    found
}

/// What is built into the program: the bridge, and the packages beside it.
fn product() -> BTreeMap<String, String> {
    let (mut all, beside) = (files("src"), files("crates"));
    assert!(!beside.is_empty(), "no package beside the bridge was found");
    all.extend(beside);
    all
}

fn holds(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn imports_go_down_the_maps_only() {
    let sources = files("src");
    let lib = Map::read("src/", &sources["src/lib.rs"]);
    assert!(lib.modules().count() > 10, "the map was not understood");
    let groups = sources.iter().filter(|(path, text)| path.ends_with("/mod.rs") && Map::stands_in(text));
    let groups: Vec<Map> = groups.map(|(path, text)| Map::read(path.trim_end_matches("mod.rs"), text)).collect();
    assert!(groups.len() > 2, "the maps of the groups were not found");
    for map in groups.iter().chain([&lib]) {
        let imports: Vec<_> = sources.iter().flat_map(|(path, text)| rules::imports(map, path, text)).collect();
        assert!(!imports.is_empty(), "the imports were not understood");
        holds(&rules::arrows(map, &imports));
        holds(&sources.keys().filter_map(|path| rules::unknown_module(map, path)).collect::<Vec<_>>());
    }
}

#[test]
fn modules_beside_each_other_stand_in_no_circle() {
    holds(&circles::circles(&product()));
}

#[test]
fn sql_stands_only_in_stores() {
    holds(&product().iter().flat_map(|(path, text)| rules::sql(path, text)).collect::<Vec<_>>());
}

#[test]
fn what_people_read_cites_no_papers_of_ours() {
    let templates = ["config/veerpont.example.toml", "src/config/template.toml.txt"].map(|path| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        (path.to_owned(), fs::read_to_string(root.join(path)).expect("a template"))
    });
    let all = product().into_iter().chain(templates);
    holds(&all.flat_map(|(path, text)| rules::citations(&path, &text)).collect::<Vec<_>>());
}

#[test]
fn citations_lead_to_facts_and_facts_are_cited() {
    let folders = ["benches", "config", "crates", "docs", "fuzz", "migrations", "src", "tests"];
    let there = folders.into_iter().filter(|folder| Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).is_dir());
    let mut all: BTreeMap<_, _> =
        there.flat_map(|folder| files_with(folder, &["json", "md", "rs", "sql", "toml", "txt"])).collect();
    for name in [".clippy.toml", "CHANGELOG.md", "FEDERATION.md", "README.md"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        all.insert(name.to_owned(), fs::read_to_string(path).expect("a text is UTF-8"));
    }
    // Of JSON only payloads cite; and what these tests try cites what is nowhere.
    all.retain(|path, _| {
        !path.starts_with("tests/architecture/") && (!path.ends_with("json") || path.contains("/payloads/"))
    });
    holds(&citations::faults(&all));
}

#[test]
fn every_address_is_told() {
    let web = files("src/web").into_iter().filter(|(path, _)| !path.contains("/tests/"));
    let served = web.flat_map(|(_, text)| addresses::served(&text)).collect();
    holds(&addresses::faults(&served, &files_with("docs", &["md"])["docs/api.md"]));
}

#[test]
fn the_walks_lead_somewhere() {
    holds(&walks::faults(&files_with("docs", &["md"])["docs/architecture.md"], &product()));
}

#[test]
fn the_binary_is_thin() {
    let lines = files("src")["src/main.rs"].lines().count();
    assert!(lines <= 40, "src/main.rs has {lines} lines, and 40 are enough: move what it does to cli/");
}

#[test]
fn every_file_says_what_it_is_for() {
    let all = product().into_iter().chain(files("tests"));
    holds(&all.filter_map(|(path, text)| rules::head(&path, &text)).collect::<Vec<_>>());
}

//! What each package beside the bridge may use of this workspace: its list of dependencies is read.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use toml::Table;

/// Every package below `crates/`, with those of the workspace that it may use. Simulated servers share no protocol code, so
/// that a mistake of the bridge cannot cancel itself out.
const MAY_USE: [(&str, &[&str]); 4] =
    [("clock", &[]), ("harness", &["clock"]), ("html", &[]), ("hugo-content", &["clock", "html"])];

fn manifest(folder: &Path) -> Table {
    fs::read_to_string(folder.join("Cargo.toml")).expect("a manifest").parse().expect("TOML")
}

fn is_by_path(dependency: &toml::Value) -> bool {
    dependency.get("path").is_some()
}

/// The names in all lists of dependencies of a package that lead to packages by their path: its own, or the workspace's.
fn used(package: &Table, workspace: &Table) -> Vec<String> {
    let of_targets =
        package.get("target").and_then(toml::Value::as_table).into_iter().flat_map(|targets| targets.values());
    let tables = of_targets.filter_map(toml::Value::as_table).chain([package]);
    let lists = tables.flat_map(|table| {
        ["dependencies", "dev-dependencies", "build-dependencies"]
            .into_iter()
            .filter_map(move |name| table.get(name)?.as_table())
    });
    let shared = |name: &String| workspace["dependencies"].get(name).is_some_and(is_by_path);
    let of_ours = lists.flatten().filter(|&(name, dependency)| is_by_path(dependency) || shared(name));
    of_ours.map(|(name, _)| name.clone()).collect()
}

#[test]
fn packages_use_what_they_may() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let workspace = manifest(root)["workspace"].as_table().expect("a workspace").clone();
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(root.join("crates")).expect("a folder of packages") {
        let entry = entry.expect("an entry of it");
        found.insert(entry.file_name().into_string().expect("a name"), used(&manifest(&entry.path()), &workspace));
    }
    let expected: BTreeMap<_, _> = MAY_USE
        .into_iter()
        .map(|(name, may)| (name.to_owned(), may.iter().map(ToString::to_string).collect::<Vec<_>>()))
        .collect();
    assert_eq!(found, expected, "a package uses others of the workspace than tests/architecture/packages.rs has it");
}

#[test]
fn each_way_to_a_package_is_seen() {
    let workspace: Table = "[dependencies]\nclock = { path = \"crates/clock\" }\nurl = \"2\"".parse().expect("TOML");
    for (text, expected) in [
        ("[dependencies]\nclock.workspace = true\nurl.workspace = true", &["clock"][..]),
        ("[dev-dependencies]\nbridge = { package = \"veerpont\", path = \"../..\" }", &["bridge"]),
        ("[target.'cfg(unix)'.dependencies]\nclock.workspace = true", &["clock"]),
        ("[dependencies]\nurl = \"2\"", &[]),
    ] {
        assert_eq!(used(&text.parse().expect("TOML"), &workspace), expected, "{text}");
    }
}

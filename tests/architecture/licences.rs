//! Every crate we build from has a licence we may use: the list is `.deny.toml`, which cargo-deny reads too.

use std::process::Command;

use serde_json::Value;

/// Whether an SPDX expression can be met with the licences `allowed`. `/` is the old spelling of OR; AND binds
/// tighter; an exception (`WITH`) only ever gives more, and belongs to the name before it.
fn satisfied(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    either(&mut rest, allowed) && rest.is_empty()
}

fn either(rest: &mut &[&str], allowed: &[String]) -> bool {
    let mut met = both(rest, allowed);
    while let [first, tail @ ..] = *rest
        && *first == "OR"
    {
        *rest = tail;
        met |= both(rest, allowed);
    }
    met
}

fn both(rest: &mut &[&str], allowed: &[String]) -> bool {
    let mut met = one(rest, allowed);
    while let [first, tail @ ..] = *rest
        && *first == "AND"
    {
        *rest = tail;
        met &= one(rest, allowed);
    }
    met
}

fn one(rest: &mut &[&str], allowed: &[String]) -> bool {
    match *rest {
        ["(", tail @ ..] => {
            *rest = tail;
            let met = either(rest, allowed);
            let [")", tail @ ..] = *rest else { return false };
            *rest = tail;
            met
        }
        [name, "WITH", _, tail @ ..] | [name, tail @ ..] => {
            *rest = tail;
            allowed.iter().any(|licence| licence == name)
        }
        [] => false,
    }
}

fn allowed() -> Vec<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/.deny.toml");
    let text = std::fs::read_to_string(path).expect("the list of licences");
    let file: toml::Table = text.parse().expect("TOML");
    let list = file["licenses"]["allow"].as_array().expect("a list");
    list.iter().map(|name| name.as_str().expect("a name").to_owned()).collect()
}

/// The machine we build on: only its crates are sure to be here without network.
fn host() -> String {
    let output = Command::new("rustc").arg("-vV").output().expect("rustc");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    text.lines().find_map(|line| line.strip_prefix("host: ")).expect("a line that names the host").to_owned()
}

#[test]
fn every_crate_has_a_licence_we_may_use() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline", "--filter-platform", &host()])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo speaks JSON");
    let packages = metadata["packages"].as_array().expect("a list of packages");
    assert!(packages.len() > 50, "the list of packages was not understood");
    let allowed = allowed();
    let faults: Vec<String> = packages
        .iter()
        .filter(|package| !package["license"].as_str().is_some_and(|licence| satisfied(licence, &allowed)))
        .map(|package| format!("{} {}: {}", package["name"], package["version"], package["license"]))
        .collect();
    assert!(faults.is_empty(), "not met by the list in .deny.toml:\n{}", faults.join("\n"));
}

#[test]
fn expressions_are_weighed() {
    let allowed = ["MIT".to_owned(), "ISC".to_owned(), "Apache-2.0".to_owned()];
    for good in [
        "MIT",
        "GPL-2.0 OR MIT",
        "X/MIT",
        "MIT AND (X OR ISC)",
        "X AND Y OR ISC",
        "Apache-2.0 WITH LLVM-exception OR X",
    ] {
        assert!(satisfied(good, &allowed), "{good}");
    }
    for bad in ["", "X", "MIT AND X", "(MIT OR ISC) AND X", "MIT MIT", "(MIT", "X WITH MIT"] {
        assert!(!satisfied(bad, &allowed), "{bad}");
    }
}

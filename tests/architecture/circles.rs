//! No circles: modules side by side in one folder that import each other round and round cannot be understood one by one.

use std::collections::{BTreeMap, BTreeSet};

use crate::code::{bare, test_lines};

/// Folders whose modules still stand in a circle; each leaves this list as soon as it does not.
pub(crate) const STILL: [&str; 2] = ["cli/demo", "web"];

/// The modules of each folder, by whom each imports, with where.
type Folders = BTreeMap<String, BTreeMap<String, BTreeMap<String, String>>>;

/// The path of a file's module below the root: `src/inbox/store/mod.rs` is `inbox`, `store`.
fn module_of(path: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = path.trim_start_matches("src/").trim_end_matches(".rs").split('/').collect();
    if parts.last() == Some(&"mod") {
        parts.pop();
    }
    parts
}

/// Each circle of modules in one folder, but for `STILL`; and what of that has none.
pub(crate) fn circles(sources: &BTreeMap<String, String>, still: &[&str]) -> Vec<String> {
    let modules: BTreeSet<Vec<&str>> = sources.keys().map(|path| module_of(path)).collect();
    let mut folders = Folders::new();
    for (path, text) in sources {
        let module = module_of(path);
        if module.contains(&"tests") || path.ends_with("tests.rs") {
            continue;
        }
        for (line, to) in paths(&bare(text), &module) {
            let same = module.iter().zip(&to).take_while(|(one, other)| **one == other.as_str()).count();
            let known =
                to.get(..=same).is_some_and(|to| modules.contains(&to.iter().map(String::as_str).collect::<Vec<_>>()));
            // The rooms have the map.
            if let (true, true, Some(from)) = (same > 0, known, module.get(same)) {
                let folder = folders.entry(module[..same].join("/")).or_default();
                let uses = folder.entry((*from).to_owned()).or_default();
                uses.entry(to[same].clone()).or_insert(format!("{path}:{line}"));
            }
        }
    }
    let mut faults = Vec::new();
    for (folder, uses) in &folders {
        let circle = uses.keys().find_map(|start| way_back(uses, start));
        match (circle, still.contains(&folder.as_str())) {
            (Some(way), false) => {
                let place = &uses[&way[0]][&way[1]];
                faults.push(format!(
                    "{place}: a circle in {folder}: {}; move what both need below them",
                    way.join(" → ")
                ));
            }
            (None, true) => faults.push(format!("{folder}: no circle is left there: take it off the list")),
            _ => {}
        }
    }
    let gone = still.iter().filter(|folder| !folders.contains_key(**folder));
    faults.extend(gone.map(|folder| format!("{folder}: there is no such folder: take it off the list")));
    faults
}

/// The shortest way from a module round to itself, if there is one.
fn way_back(uses: &BTreeMap<String, BTreeMap<String, String>>, start: &String) -> Option<Vec<String>> {
    let (mut ways, mut seen, mut at) = (vec![vec![start.clone()]], BTreeSet::new(), 0);
    while let Some(way) = ways.get(at).cloned() {
        at += 1;
        for next in way.last().and_then(|last| uses.get(last)).into_iter().flat_map(BTreeMap::keys) {
            let longer = [way.as_slice(), std::slice::from_ref(next)].concat();
            if next == start {
                return Some(longer);
            }
            if seen.insert(next.clone()) {
                ways.push(longer);
            }
        }
    }
    None
}

/// Every path from the root, or upward, that bare code outside of test modules names, as a path from the root, with its line.
fn paths(code: &str, module: &[&str]) -> Vec<(usize, Vec<String>)> {
    let tests = test_lines(code);
    let in_test = |line: usize| tests.iter().any(|(first, last)| (*first..=*last).contains(&line));
    let tokens = tokens(code);
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some((line, token)) = tokens.get(at) {
        let begins = at == 0 || tokens[at - 1].1 != "::";
        if begins && matches!(token.as_str(), "crate" | "super") && !in_test(*line) {
            at = tree(&tokens, at, Vec::new(), &mut found);
        } else {
            at += 1;
        }
    }
    found.into_iter().filter_map(|(line, path)| Some((line, from_root(&path, module)?))).collect()
}

/// What a path means that begins with `crate` or `super`.
fn from_root(path: &[String], module: &[&str]) -> Option<Vec<String>> {
    let up = path.iter().take_while(|part| *part == "super").count();
    let base = if up == 0 { &[] } else { module.get(..module.len().checked_sub(up)?)? };
    Some(base.iter().map(|part| (*part).to_owned()).chain(path[up.max(1)..].iter().cloned()).collect())
}

/// Reads a path, or all paths of a tree in braces; says where it ends.
fn tree(
    tokens: &[(usize, String)],
    mut at: usize,
    mut path: Vec<String>,
    found: &mut Vec<(usize, Vec<String>)>,
) -> usize {
    let line = tokens.get(at).map_or(0, |(line, _)| *line);
    while let Some((_, token)) = tokens.get(at) {
        if token == "{" {
            at += 1;
            while let Some((_, token)) = tokens.get(at).filter(|(_, token)| token != "}") {
                let is_path = token.starts_with(|c: char| c.is_alphabetic() || c == '_');
                at = if is_path { tree(tokens, at, path.clone(), found) } else { at + 1 };
            }
            return at + 1;
        }
        path.push(token.clone());
        if tokens.get(at + 1).is_none_or(|(_, token)| token != "::") {
            break;
        }
        at += 2;
    }
    found.push((line, path));
    at + 1
}

/// Words, `::` and single marks of bare code, with their lines.
fn tokens(code: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let (mut line, mut glued) = (1, false);
    for c in code.chars() {
        let is_word = c.is_alphanumeric() || c == '_';
        match found.last_mut() {
            Some((_, last)) if glued && is_word && last.ends_with(|c: char| c.is_alphanumeric() || c == '_') => {
                last.push(c);
            }
            Some((_, last)) if glued && c == ':' && last == ":" => last.push(c),
            _ if !c.is_whitespace() => found.push((line, c.to_string())),
            _ => {}
        }
        glued = !c.is_whitespace();
        line += usize::from(c == '\n');
    }
    found
}

#[test]
fn circles_are_found_wherever_they_are() {
    let found = |files: &[(&str, &str)], still: &[&str]| {
        circles(&files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect(), still)
    };
    let (down, up) =
        (("src/a/b.rs", "use super::{c::C, d};"), ("src/a/c.rs", "\nuse crate::a::{d, b::{self, B as E}};"));
    assert_eq!(found(&[down, ("src/a/c.rs", "use super::D; use crate::e::b;")], &[]), [""; 0]);
    let circle = found(&[down, up], &[]);
    assert_eq!(circle, ["src/a/b.rs:1: a circle in a: b → c → b; move what both need below them"]);
    assert_eq!(found(&[down, up], &["a"]), [""; 0]);
    assert_eq!(found(&[down], &["a", "e"]).len(), 2);
    // By a path in the code, and from a folder below.
    assert_eq!(
        found(&[down, ("src/a/c/mod.rs", ""), ("src/a/c/f.rs", "fn g() { super::super::b::h() }")], &[]).len(),
        1
    );
    let tests = "#[cfg(test)]\nmod tests {\n use super::super::b;\n}";
    assert_eq!(found(&[down, ("src/a/c.rs", tests), ("src/a/c/tests.rs", "use crate::a::b;")], &[]), [""; 0]);
}

//! No circles: modules side by side in one folder that import each other round and round cannot be understood one by one.

use std::collections::{BTreeMap, BTreeSet};

use crate::code::{bare, test_lines};

/// The modules of each folder, by whom each imports, with where.
type Folders = BTreeMap<String, Uses>;

/// The modules that a module imports, by whom, with where.
type Uses = BTreeMap<String, BTreeMap<String, String>>;

/// The path of a file's module, from the root of its package: `src/inbox/store/mod.rs` is `src`, `inbox`, `store`. None of
/// what is not in a package's `src/`.
fn module_of(path: &str) -> Option<Vec<&str>> {
    let (before, inside) = path.split_once("src/")?;
    let mut parts = vec![&path[..before.len() + "src".len()]];
    parts.extend(inside.trim_end_matches(".rs").split('/'));
    parts.pop_if(|last| matches!(*last, "lib" | "mod"));
    Some(parts)
}

/// Each circle of modules in one folder.
pub(crate) fn circles(sources: &BTreeMap<String, String>) -> Vec<String> {
    let modules: BTreeSet<Vec<&str>> = sources.keys().filter_map(|path| module_of(path)).collect();
    let mut folders = Folders::new();
    for (path, text) in sources {
        let Some(module) = module_of(path).filter(|module| !module.contains(&"tests") && !path.ends_with("tests.rs"))
        else {
            continue;
        };
        for (line, to) in paths(&bare(text), &module) {
            let same = module.iter().zip(&to).take_while(|(one, other)| **one == other.as_str()).count();
            let known =
                to.get(..=same).is_some_and(|to| modules.contains(&to.iter().map(String::as_str).collect::<Vec<_>>()));
            if let (true, Some(from)) = (known, module.get(same)) {
                let folder = folders.entry(module[..same].join("/")).or_default();
                let uses = folder.entry((*from).to_owned()).or_default();
                uses.entry(to[same].clone()).or_insert(format!("{path}:{line}"));
            }
        }
    }
    let circle = |(folder, uses): (&String, &Uses)| {
        let way = uses.keys().find_map(|start| way_back(uses, start))?;
        let place = &uses[&way[0]][&way[1]];
        Some(format!("{place}: a circle in {folder}: {}; move what both need below them", way.join(" → ")))
    };
    folders.iter().filter_map(circle).collect()
}

/// The shortest way from a module round to itself, if there is one.
fn way_back(uses: &Uses, start: &String) -> Option<Vec<String>> {
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
    let base = if up == 0 { &module[..1] } else { module.get(..module.len().checked_sub(up)?)? };
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
    let found = |files: &[(&str, &str)]| {
        circles(&files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect())
    };
    let (down, up) =
        (("src/a/b.rs", "use super::{c::C, d};"), ("src/a/c.rs", "\nuse crate::a::{d, b::{self, B as E}};"));
    assert_eq!(found(&[down, ("src/a/c.rs", "use super::D; use crate::e::b;")]), [""; 0]);
    assert_eq!(found(&[down, up]), ["src/a/b.rs:1: a circle in src/a: b → c → b; move what both need below them"]);
    // By a path in the code, and from a folder below.
    assert_eq!(found(&[down, ("src/a/c/mod.rs", ""), ("src/a/c/f.rs", "fn g() { super::super::b::h() }")]).len(), 1);
    // At the root of a package beside; one package knows nothing of the modules of another.
    let beside = ("crates/p/src/b.rs", "use crate::c::C;");
    let back = "use super::b;";
    assert_eq!(found(&[beside, ("crates/p/src/c.rs", back), ("crates/p/src/lib.rs", "pub use b::B;")]).len(), 1);
    assert_eq!(found(&[beside, ("crates/q/src/c.rs", back), ("crates/p/tests/c.rs", back)]), [""; 0]);
    let tests = "#[cfg(test)]\nmod tests {\n use super::super::b;\n}";
    assert_eq!(found(&[down, ("src/a/c.rs", tests), ("src/a/c/tests.rs", "use crate::a::b;")]), [""; 0]);
}

//! What the code may do where. Each fault names its line and the way out.

use std::sync::LazyLock;

use regex::Regex;

use crate::code::{bare, names_after, root_names, test_lines, texts};

/// The modules of lib.rs, or of a group's `mod.rs`, in their order, top first. Blank lines part them.
pub(crate) struct Map {
    /// Where their files are, as `src/` or `src/model/`.
    folder: String,
    /// Each with the number of its part.
    modules: Vec<(String, usize)>,
}

impl Map {
    /// Reads the lines `pub mod …;`, `pub(crate) mod …;` and `mod …;` of the file in `folder` that is a map.
    pub(crate) fn read(folder: &str, map: &str) -> Self {
        let (mut modules, mut group) = (Vec::new(), 0);
        for line in map.lines().map(str::trim) {
            if line.is_empty() {
                group += 1;
            } else if let Some(module) = module(line) {
                modules.push((module.to_owned(), group));
            }
        }
        Self { folder: folder.to_owned(), modules }
    }

    /// Whether a file has a map: it says so.
    pub(crate) fn stands_in(text: &str) -> bool {
        text.contains("//! THE MAP")
    }

    /// How paths to its modules begin.
    fn path(&self) -> String {
        self.folder.replacen("src/", "crate/", 1).replace('/', "::")
    }

    pub(crate) fn modules(&self) -> impl Iterator<Item = &str> {
        self.modules.iter().map(|(module, _)| module.as_str())
    }

    /// Greater is lower.
    fn group(&self, module: &str) -> Option<usize> {
        self.modules.iter().find(|(name, _)| name == module).map(|(_, group)| *group)
    }
}

/// The module that a line declares, whoever may see it.
fn module(line: &str) -> Option<&str> {
    let line = ["pub ", "pub(crate) "].iter().find_map(|seen| line.strip_prefix(seen)).unwrap_or(line);
    line.strip_prefix("mod ")?.strip_suffix(';')
}

/// One module's use of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Import {
    from: String,
    to: String,
    /// File and line.
    place: String,
}

/// The module of a map that a file belongs to; `lib.rs`, `main.rs` and the map itself belong to none.
fn module_of<'a>(map: &Map, path: &'a str) -> Option<&'a str> {
    let module = path.strip_prefix(&map.folder)?.split('/').next()?.trim_end_matches(".rs");
    (!["lib", "main", "mod"].contains(&module)).then_some(module)
}

/// What a file uses of other modules. `path` is relative to the package.
pub(crate) fn imports(map: &Map, path: &str, text: &str) -> Vec<Import> {
    let Some(module) = module_of(map, path) else { return Vec::new() };
    let (inside, base) = (path.trim_start_matches(&map.folder), map.path());
    let code = bare(text);
    let tests = test_lines(&code);
    let in_module = |line: usize| tests.iter().any(|(first, last)| (*first..=*last).contains(&line));
    // Inside a test module one `super::` more leads to the root.
    let outside =
        root_names(&code, &base, depth(inside)).into_iter().filter(|name| !name.by_super || !in_module(name.line));
    let within =
        root_names(&code, &base, depth(inside) + 1).into_iter().filter(|name| name.by_super && in_module(name.line));
    outside
        .chain(within)
        // What is not a module is a macro or an alias, and the compiler knows where it leads.
        .filter(|name| name.name != module && (name.name == "*" || map.group(&name.name).is_some()))
        .map(|name| Import { from: module.to_owned(), to: name.name, place: format!("{path}:{}", name.line) })
        .collect()
}

/// Every file whose module is not on the map.
pub(crate) fn unknown_module(map: &Map, path: &str) -> Option<String> {
    let module = module_of(map, path).filter(|module| map.group(module).is_none())?;
    Some(format!("{path}: the module `{module}` is not on the map of {}: declare it there", map.folder))
}

/// Every import that goes up the map, takes what it must not, or is part of a circle. Between groups imports go down
/// only. Within a group rustfmt keeps the modules in the order of the alphabet, so there the rule is: no circle.
pub(crate) fn arrows(map: &Map, imports: &[Import]) -> Vec<String> {
    let mut faults: Vec<String> = imports
        .iter()
        .filter_map(|import| {
            let Import { from, to, place, .. } = import;
            wrong(map, import).map(|why| format!("{place}: `{from}` imports `{to}`: {why}"))
        })
        .collect();
    let beside: Vec<&Import> = imports.iter().filter(|one| map.group(&one.from) == map.group(&one.to)).collect();
    for import in &beside {
        if let Some(way) = way_back(&beside, import) {
            faults.push(format!("{}: a circle: {way}; hand in what one of them needs", import.place));
        }
    }
    faults
}

fn wrong(map: &Map, import: &Import) -> Option<String> {
    let Import { from, to, .. } = import;
    if to == "*" {
        return Some("it takes everything from the root; name the modules".to_owned());
    }
    (map.group(to) < map.group(from)).then(|| {
        format!("`{to}` stands above `{from}` on the map; hand in what is needed, or move it to a module below both")
    })
}

/// The modules from an import round to where it started, if they lead there.
fn way_back(imports: &[&Import], start: &Import) -> Option<String> {
    let mut ways = vec![vec![start.from.as_str(), start.to.as_str()]];
    while let Some(way) = ways.pop() {
        let last = *way.last()?;
        for next in imports.iter().filter(|import| import.from == last) {
            let longer = [way.as_slice(), &[next.to.as_str()]].concat();
            if next.to == start.from {
                return Some(longer.join(" → "));
            }
            if !way.contains(&next.to.as_str()) {
                ways.push(longer);
            }
        }
    }
    None
}

/// How many `super::` lead from a file to the root.
fn depth(inside: &str) -> usize {
    let parts = inside.split('/').count();
    if inside.ends_with("/mod.rs") { parts - 1 } else { parts }
}

/// Words of sqlx and of `db` that carry SQL, by how they begin: `query_as`, `query_scalar` and `QueryBuilder` too. A text given to
/// an `Executor` is SQL as well.
const SQL_WORDS: [&str; 4] = ["query", "Query", "raw_sql", "Executor"];

/// SQL that stands elsewhere than in `store.rs`, `store/`, `db/` or tests.
pub(crate) fn sql(path: &str, text: &str) -> Vec<String> {
    let inside = path.trim_start_matches("src/");
    let mut parts = inside.split('/');
    let is_store = parts.any(|part| matches!(part, "store.rs" | "store"));
    let is_test = inside.ends_with("tests.rs") || inside.contains("/tests/");
    if is_store || is_test || inside.starts_with("db/") {
        return Vec::new();
    }
    let code = bare(text);
    let tests = test_lines(&code);
    ["sqlx::", "db::"]
        .into_iter()
        .flat_map(|of| names_after(&code, of).into_iter().map(move |(line, name)| (line, of, name)))
        .filter(|(_, _, name)| name == "*" || SQL_WORDS.iter().any(|word| name.starts_with(word)))
        .filter(|(line, ..)| !tests.iter().any(|(first, last)| (first..=last).contains(&line)))
        .map(|(line, of, name)| {
            format!("{path}:{line}: `{of}{name}`: SQL stands only in a module's store.rs and in db/; move it there")
        })
        .collect()
}

/// The fault of a file that does not begin by saying what it is for.
pub(crate) fn head(path: &str, text: &str) -> Option<String> {
    let says =
        text.lines().next().and_then(|line| line.strip_prefix("//!")).is_some_and(|rest| !rest.trim().is_empty());
    (!says).then(|| format!("{path}:1: begin the file with a line `//! …` that says what it is for"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIB: &str = "//! Map.\npub mod cli;\npub mod web;\n\npub mod inbox;\n\npub mod post;\n\npub mod db;\npub mod net;\npub mod telemetry;\n\npub(crate) mod ids;\n";

    fn faults(path: &str, text: &str) -> Vec<String> {
        let map = Map::read("src/", LIB);
        arrows(&map, &imports(&map, path, text))
    }

    #[test]
    fn the_map_is_read_in_order() {
        let map = Map::read("src/", LIB);
        assert_eq!(map.modules().collect::<Vec<_>>(), ["cli", "web", "inbox", "post", "db", "net", "telemetry", "ids"]);
    }

    #[test]
    fn a_way_down_is_free_and_a_way_up_is_not() {
        assert_eq!(faults("src/inbox/store.rs", "use crate::{post::Post, net};\nuse crate::inbox::X;"), [""; 0]);
        let up = faults("src/post/store.rs", "\nuse crate::inbox::X;");
        assert_eq!(up.len(), 1, "{up:?}");
        assert!(
            up[0].starts_with("src/post/store.rs:2: `post` imports `inbox`: `inbox` stands above `post`"),
            "{up:?}"
        );
        assert_eq!(faults("src/ids.rs", "fn f() -> crate::net::Client { todo() }").len(), 1);
        assert_eq!(faults("src/ids.rs", "// crate::net\n/// [`crate::net`]\nconst A: &str = \"crate::net\";"), [""; 0]);
    }

    #[test]
    fn a_group_has_a_map_of_its_own() {
        let map = Map::read("src/model/", "//! THE MAP\npub mod post;\n\npub mod author;\n");
        let found = |path: &str, text: &str| arrows(&map, &imports(&map, path, text)).len();
        assert_eq!(found("src/model/post/mod.rs", "use crate::model::author::Actor; use super::author;"), 0);
        assert_eq!(found("src/model/author/mod.rs", "use crate::model::{author, post::Post};"), 1);
        assert_eq!(found("src/model/author/store.rs", "use super::super::post;"), 1);
        assert_eq!(found("src/db.rs", "use crate::model::post;"), 0);
        assert!(unknown_module(&map, "src/model/attic.rs").is_some());
        assert!(unknown_module(&map, "src/model/mod.rs").is_none() && unknown_module(&map, "src/attic.rs").is_none());
    }

    #[test]
    fn a_way_round_through_super_counts() {
        assert_eq!(faults("src/ids.rs", "use super::net;").len(), 1);
        assert_eq!(faults("src/post/mod.rs", "use super::inbox;").len(), 1);
        assert_eq!(faults("src/post/store.rs", "use super::super::inbox;").len(), 1);
        assert_eq!(faults("src/post/store.rs", "use super::inbox;"), [""; 0]);
        assert_eq!(faults("src/post/store.rs", "use crate::*;").len(), 1);
        assert_eq!(faults("src/ids.rs", "#[cfg(test)]\nmod tests {\n use super::*;\n}"), [""; 0]);
        assert_eq!(faults("src/ids.rs", "#[cfg(test)]\nmod tests {\n use super::super::net;\n}").len(), 1);
    }

    #[test]
    fn neighbours_may_use_each_other_but_not_in_a_circle() {
        let map = Map::read("src/", LIB);
        let found = |files: &[(&str, &str)]| {
            let all: Vec<Import> = files.iter().flat_map(|(path, text)| imports(&map, path, text)).collect();
            arrows(&map, &all)
        };
        let (there, on) = (("src/net/a.rs", "use crate::db;"), ("src/db.rs", "use crate::telemetry::X;"));
        assert_eq!(found(&[there, on]), [""; 0]);
        let circle = found(&[there, on, ("src/telemetry.rs", "\nuse crate::net::Y;")]);
        assert_eq!(circle.len(), 3, "{circle:?}");
        assert!(circle[2].starts_with("src/telemetry.rs:2: a circle: telemetry → net → db → telemetry"), "{circle:?}");
    }

    #[test]
    fn tests_go_down_too() {
        let text = "#[cfg(test)]\nmod tests {\n    use crate::post::X;\n    use crate::web::Page;\n}\n";
        let found = faults("src/inbox/mod.rs", text);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("src/inbox/mod.rs:4: `inbox` imports `web`"), "{found:?}");
        assert_eq!(faults("src/inbox/tests.rs", "use crate::web::Page;").len(), 1);
    }

    #[test]
    fn a_room_off_the_map_is_a_fault() {
        let map = Map::read("src/", LIB);
        assert!(unknown_module(&map, "src/attic.rs").is_some());
        for known in ["src/lib.rs", "src/main.rs", "src/post/mod.rs", "src/ids.rs"] {
            assert_eq!(unknown_module(&map, known), None);
        }
    }

    #[test]
    fn sql_has_its_place() {
        for text in [
            "sqlx::query(\"SELECT 1\")",
            "use sqlx::query_as;",
            "use sqlx::{Any, query_scalar};",
            "use sqlx::{\n    Any,\n    QueryBuilder,\n};",
            "sqlx::raw_sql(X)",
            "use sqlx::Executor as _;",
            "use sqlx::*;",
            "use crate::db::{Conn, query};",
            "crate::db::query(\"SELECT 1\", ())",
        ] {
            assert_eq!(sql("src/post/mod.rs", text).len(), 1, "{text}");
            for place in ["src/post/store.rs", "src/post/store/rows.rs", "src/db/mod.rs", "src/db/writer.rs"] {
                assert_eq!(sql(place, text), [""; 0], "{place}");
            }
            assert_eq!(sql("src/post/tests.rs", text), [""; 0], "{text}");
            assert_eq!(sql("src/post/mod.rs", &format!("#[cfg(test)]\nmod tests {{\n{text}\n}}")), [""; 0], "{text}");
        }
        let found = sql("src/post/mod.rs", "use sqlx::{\n    Any,\n    query,\n};");
        assert!(found[0].starts_with("src/post/mod.rs:3: `sqlx::query`"), "{found:?}");
        assert_eq!(sql("src/post/mod.rs", "use sqlx::{AnyConnection, Error};\nfn f(q: http::Query) {}"), [""; 0]);
        assert_eq!(sql("src/post/mod.rs", "// sqlx::query"), [""; 0]);
    }

    #[test]
    fn a_head_is_a_sentence() {
        assert!(head("a.rs", "//! What it is for.\n").is_none());
        for text in ["", "//!\n", "// no\n", "use a;\n//! late\n"] {
            assert!(head("a.rs", text).is_some(), "{text:?}");
        }
    }
}

/// What our own papers are called by, of which nobody who runs the program knows: a rule's number, a section, an issue.
fn cites(text: &str) -> Option<String> {
    static PAPERS: LazyLock<Regex> = LazyLock::new(|| {
        let papers = r"(?i)\b(interop|(limits|design|sources|issue|adr)[ ,]+(section +)?\d|(limits|design), section)";
        Regex::new(papers).expect("a pattern")
    });
    PAPERS.find(text).map(|found| found.as_str().to_owned())
}

/// Texts that people may read and that cite our own papers: in code, or in a template.
pub(crate) fn citations(path: &str, text: &str) -> Vec<String> {
    let way_out = "say it in words that whoever runs the program knows";
    if std::path::Path::new(path).extension().is_none_or(|end| end != "rs") {
        let lines = text.lines().enumerate();
        let cited = lines.filter_map(|(at, line)| Some((at + 1, cites(line)?)));
        return cited.map(|(line, paper)| format!("{path}:{line}: it cites \"{paper}\": {way_out}")).collect();
    }
    // What tests say is read by who has the papers.
    if path.ends_with("tests.rs") || path.contains("/tests/") {
        return Vec::new();
    }
    let tests = test_lines(&bare(text));
    let in_test = |line: usize| tests.iter().any(|(first, last)| (*first..=*last).contains(&line));
    let spoken = texts(text).into_iter().filter(|(line, _)| !in_test(*line));
    let cited = spoken.filter_map(|(line, text)| Some((line, cites(&text)?)));
    cited.map(|(line, paper)| format!("{path}:{line}: a text cites \"{paper}\": {way_out}")).collect()
}

#[test]
fn texts_that_cite_are_found() {
    let code = "// interop R4\nfn a() { b(\"gone (interop R4)\"); c(\"by design\"); d(\"see issue 12\") }\n\
                #[cfg(test)]\nmod tests {\n fn e() { f(\"interop\") }\n}";
    assert_eq!(citations("src/a.rs", code).len(), 2);
    assert_eq!(citations("src/a.txt", "# limits 2.1 says so\n# no limits").len(), 1);
    assert_eq!(citations("src/a/tests.rs", "\"interop\"").len(), 0);
}

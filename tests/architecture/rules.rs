//! What the code may do where. Each fault names its line and the way out.

use crate::code::{bare, root_names, test_lines};

/// What simulated servers may use of ours: they share no protocol code, so that a mistake cannot cancel itself out.
const HARNESS_MAY_USE: [&str; 2] = ["clock", "ids"];

/// The rooms in the order of lib.rs, top first.
pub(crate) struct Map(Vec<String>);

impl Map {
    /// Reads the `pub mod` lines of lib.rs. Blank lines there group rooms for people; the order alone is the rule,
    /// and since it is one line of rooms, no circle can hide in it.
    pub(crate) fn read(lib: &str) -> Self {
        let rooms = lib.lines().filter_map(|line| line.trim().strip_prefix("pub mod ")?.strip_suffix(';'));
        Self(rooms.map(str::to_owned).collect())
    }

    pub(crate) fn rooms(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    fn height(&self, room: &str) -> Option<usize> {
        self.0.iter().position(|name| name == room)
    }
}

/// Every import that does not go down the map. `path` is relative to the package.
pub(crate) fn imports(map: &Map, path: &str, text: &str) -> Vec<String> {
    let inside = path.trim_start_matches("src/");
    let Some(room) = inside.split('/').next().map(|name| name.trim_end_matches(".rs")) else { return Vec::new() };
    if room == "lib" || room == "main" {
        return Vec::new();
    }
    let Some(own) = map.height(room) else {
        return vec![format!("{path}: the room `{room}` is not on the map: declare it in src/lib.rs")];
    };
    let code = bare(text);
    let tests = test_lines(&code);
    let all_tests = inside.ends_with("/tests.rs") || inside.contains("/tests/");
    let mut faults = Vec::new();
    for found in root_names(&code, depth(inside)) {
        let (line, name) = (found.line, found.name.as_str());
        let in_tests = all_tests || tests.iter().any(|(first, last)| (*first..=*last).contains(&line));
        let why = match map.height(name) {
            _ if name == room => None,
            None if name == "*" => Some("it takes everything from the root; name the rooms".to_owned()),
            // A macro at the root or an alias: the compiler knows where it leads.
            None => None,
            Some(_) if room == "harness" && !HARNESS_MAY_USE.contains(&name) => {
                Some(format!("simulated servers share no code with the program but {}", HARNESS_MAY_USE.join(" and ")))
            }
            Some(_) if name == "harness" && in_tests => None,
            Some(other) if other < own => Some(format!(
                "`{name}` stands above `{room}` in src/lib.rs; hand in what is needed, or move it to a room below both"
            )),
            Some(_) => None,
        };
        faults.extend(why.map(|why| format!("{path}:{line}: `{room}` imports `{name}`: {why}")));
    }
    faults
}

/// How many `super::` lead from a file to the root.
fn depth(inside: &str) -> usize {
    let parts = inside.split('/').count();
    if inside.ends_with("/mod.rs") { parts - 1 } else { parts }
}

/// SQL that stands elsewhere than in `store.rs`, `store/`, `db.rs` or `db/`.
pub(crate) fn sql(path: &str, text: &str) -> Vec<String> {
    let inside = path.trim_start_matches("src/");
    let is_store = inside.split('/').any(|part| matches!(part, "store.rs" | "store"));
    if is_store || inside == "db.rs" || inside.starts_with("db/") {
        return Vec::new();
    }
    let code = bare(text);
    let lines = code.lines().enumerate();
    lines
        .filter(|(_, line)| {
            let grouped = line.split_once("sqlx::{").is_some_and(|(_, names)| names.contains("query"));
            grouped || line.contains("sqlx::query") || line.contains("sqlx::raw_sql") || line.contains("QueryBuilder")
        })
        .map(|(index, _)| {
            format!("{path}:{}: SQL stands only in a room's store.rs and in db.rs; move it there", index + 1)
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

    const LIB: &str =
        "//! Map.\npub mod web;\npub mod harness;\n\npub mod inbox;\npub mod post;\n\npub mod net;\npub mod clock;\n";

    fn faults(path: &str, text: &str) -> Vec<String> {
        imports(&Map::read(LIB), path, text)
    }

    #[test]
    fn the_map_is_read_in_order() {
        let map = Map::read(LIB);
        assert_eq!(map.rooms().collect::<Vec<_>>(), ["web", "harness", "inbox", "post", "net", "clock"]);
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
        assert_eq!(faults("src/clock.rs", "fn f() -> crate::net::Client { todo() }").len(), 1);
        assert_eq!(
            faults("src/clock.rs", "// crate::net\n/// [`crate::net`]\nconst A: &str = \"crate::net\";"),
            [""; 0]
        );
    }

    #[test]
    fn a_way_round_through_super_counts() {
        assert_eq!(faults("src/clock.rs", "use super::net;").len(), 1);
        assert_eq!(faults("src/post/mod.rs", "use super::inbox;").len(), 1);
        assert_eq!(faults("src/post/store.rs", "use super::super::inbox;").len(), 1);
        assert_eq!(faults("src/post/store.rs", "use super::inbox;"), [""; 0]);
        assert_eq!(faults("src/post/store.rs", "use crate::*;").len(), 1);
    }

    #[test]
    fn a_circle_is_an_arrow_up_somewhere() {
        let there = faults("src/inbox/mod.rs", "use crate::post::A;");
        let back = faults("src/post/mod.rs", "use crate::inbox::B;");
        assert_eq!((there.len(), back.len()), (0, 1));
    }

    #[test]
    fn tests_may_use_the_harness_and_nothing_else_upward() {
        let text = "#[cfg(test)]\nmod tests {\n    use crate::harness::Peer;\n    use crate::web::X;\n}\n";
        let found = faults("src/inbox/mod.rs", text);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("`web`"), "{found:?}");
        assert_eq!(faults("src/inbox/mod.rs", "use crate::harness::Peer;").len(), 1);
        assert_eq!(faults("src/inbox/tests.rs", "use crate::harness::Peer;"), [""; 0]);
    }

    #[test]
    fn the_harness_shares_nothing() {
        assert_eq!(faults("src/harness/peer.rs", "use crate::clock::Clock; use crate::harness::Key;"), [""; 0]);
        let found = faults("src/harness/peer.rs", "use crate::net::sign;");
        assert!(found[0].contains("share no code"), "{found:?}");
    }

    #[test]
    fn a_room_off_the_map_is_a_fault() {
        assert_eq!(faults("src/attic.rs", "").len(), 1);
    }

    #[test]
    fn sql_has_its_place() {
        for text in
            ["sqlx::query(\"SELECT 1\")", "use sqlx::query_as;", "use sqlx::{Any, query_scalar};", "sqlx::raw_sql(X)"]
        {
            assert_eq!(sql("src/post/mod.rs", text).len(), 1, "{text}");
            for place in ["src/post/store.rs", "src/post/store/rows.rs", "src/db.rs", "src/db/writer.rs"] {
                assert_eq!(sql(place, text), [""; 0], "{place}");
            }
        }
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

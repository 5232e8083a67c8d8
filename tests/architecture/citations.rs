//! Citations: each leads to something that is written down in docs/, and nothing is written down there that nobody cites.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use regex::Regex;

/// A file's path, relative to the package, with its text.
type Files = BTreeMap<String, String>;

/// Where the facts on other servers stand.
const INTEROP: &str = "docs/interop.md";

/// How citations are spelled.
struct Spelling {
    /// A letter with a number, which is a citation wherever it stands by itself and there is such a section.
    fact: Regex,
    /// What follows where it does not stand by itself.
    longer: Regex,
    /// After the word any letter is one; so it is in what a payload says of itself.
    list: Regex,
    item: Regex,
    range: Regex,
    decision: Regex,
    /// A page of docs/, with or without a heading or an anchor in it. A text that begins with it is a path of a test's own.
    page: Regex,
    /// The same as a link of a page.
    link: Regex,
    /// Papers that are not in this repository: what of them is needed belongs into one of ours.
    elsewhere: Regex,
}

impl Spelling {
    fn new() -> Self {
        Self {
            fact: pattern(r"(?:^|[^\w%/#&+.$\\=`{-])([A-Z][1-9]\d?)"),
            longer: pattern(r"^(?:[\w%/{`]|[:.-]\d)"),
            list: pattern(r#"(?:(?i:\binterop) |"cites": ")((?:[A-Z](?:[1-9]\d?)?\b(?:, | and | to )?)+)"#),
            item: pattern(r"([A-Z]\d*)"),
            range: pattern(r"\b([A-Z])([1-9]\d?)(?: to |–)([A-Z])([1-9]\d?)\b"),
            decision: pattern(r"(?:\bADR |\badr/0*)(\d+)\b"),
            page: pattern(r#"(?:^|[^\w/"])docs/(?:[\w.-]+/)*([\w-]+\.md(?:#[\w-]+)?)"#),
            link: pattern(r"\]\((?:[\w.-]+/)*([\w-]+\.md(?:#[\w-]+)?)\)"),
            elsewhere: pattern(
                r"(?i)\b(?:limits|sources|features|complaint|design)[ ,]+(?:section +|row +)?\d|\b(?:limits|design|features), section|\bissue (?:\d|“)",
            ),
        }
    }

    /// What a line cites, of a page or of anything else.
    fn cited(&self, facts: &Facts, line: &str, of_page: bool) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for fact in self.fact.captures_iter(line).filter_map(|found| found.get(1)) {
            if facts.has_section(&fact.as_str()[..1]) && !self.longer.is_match(&line[fact.end()..]) {
                found.insert(format!("interop {}", fact.as_str()));
            }
        }
        let items = names(&self.list, line).into_iter().flat_map(|list| names(&self.item, list));
        found.extend(items.map(|item| format!("interop {item}")));
        for range in self.range.captures_iter(line) {
            let [first, last] = [2, 4].map(|at| range[at].parse().expect("a number"));
            if range[1] == range[3] && facts.has_section(&range[1]) {
                found.extend(facts.between(&range[1], first, last));
            }
        }
        found.extend(names(&self.decision, line).iter().map(|number| format!("ADR {number}")));
        found.extend(names(&self.page, line).into_iter().map(str::to_owned));
        found.extend(names(&self.link, line).into_iter().filter(|_| of_page).map(str::to_owned));
        found
    }
}

fn is_page(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|end| end == "md")
}

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern")
}

/// The first group of each match.
fn names<'a>(pattern: &Regex, text: &'a str) -> Vec<&'a str> {
    pattern.captures_iter(text).filter_map(|found| found.get(1)).map(|name| name.as_str()).collect()
}

/// What can be cited, as a citation names it (`interop A7`, `hugo.md#addresses`), and whether somebody must: a heading is
/// cited or not, and a section that has facts is cited by those.
struct Facts(BTreeMap<String, bool>);

impl Facts {
    fn read(files: &Files) -> Self {
        let (anchor, heading) = (pattern(r#"<a id="([^"]+)">"#), pattern(r"(?m)^#+ (?:<a[^>]*></a>)?(.*)$"));
        let decision = pattern(r"^docs/adr/0*(\d+)-");
        let mut facts = BTreeMap::new();
        for (path, text) in files.iter().filter(|(path, _)| is_page(path)) {
            let page = path.rsplit('/').next().unwrap_or(path);
            facts.insert(page.to_owned(), false);
            let headings = names(&heading, text).into_iter().map(|words| (format!("{page}#{}", slug(words)), false));
            facts.extend(headings);
            facts.extend(names(&decision, path).into_iter().map(|number| (format!("ADR {number}"), true)));
            let ids = names(&anchor, text);
            for id in &ids {
                let has_facts = ids.iter().any(|other| id.len() == 1 && other.len() > 1 && other.starts_with(id));
                let name = if path == INTEROP { format!("interop {id}") } else { format!("{page}#{id}") };
                facts.insert(name, !has_facts);
            }
        }
        Self(facts)
    }

    fn has_section(&self, letter: &str) -> bool {
        self.0.contains_key(&format!("interop {letter}"))
    }

    /// From one fact to another: those of them that there are, and both ends.
    fn between(&self, letter: &str, first: usize, last: usize) -> Vec<String> {
        let name = |number: usize| format!("interop {letter}{number}");
        let there = |number: &usize| [first, last].contains(number) || self.0.contains_key(&name(*number));
        (first..=last).filter(there).map(name).collect()
    }
}

/// A heading as a link names it.
fn slug(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// Citations that lead nowhere or out of the repository, and facts that nobody cites.
pub(crate) fn faults(files: &Files) -> Vec<String> {
    let (facts, spelling) = (Facts::read(files), Spelling::new());
    let (mut faults, mut used) = (Vec::new(), BTreeSet::new());
    for (path, text) in files {
        for (at, line) in text.lines().enumerate() {
            let place = format!("{path}:{}", at + 1);
            for citation in spelling.cited(&facts, line, is_page(path)) {
                if !facts.0.contains_key(&citation) {
                    faults.push(format!(
                        "{place}: `{citation}` leads nowhere: {INTEROP} says how to cite, and what there is"
                    ));
                } else if path != INTEROP {
                    used.insert(citation);
                }
            }
            // A migration is never edited, so what it says stays as it was said.
            if let Some(paper) = spelling.elsewhere.find(line).filter(|_| !path.starts_with("migrations/")) {
                let way_out = "it is in no paper of this repository: bring what is needed into docs/, and cite that";
                faults.push(format!("{place}: `{}`: {way_out}", paper.as_str()));
            }
        }
    }
    let idle = facts.0.iter().filter(|(fact, needed)| **needed && !used.contains(*fact));
    faults.extend(idle.map(|(fact, _)| format!("nobody cites `{fact}`: leave it out, or cite it where it is kept")));
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    const FACTS: &str = "## <a id=\"A\"></a>A. Names\n\n- <a id=\"A1\"></a>**A1** x (S)\n- <a id=\"A2\"></a>**A2** x\n\
                         - <a id=\"A9\"></a>**A9** x, as A1\n\n## <a id=\"S\"></a>S. Shapes\n";

    fn found(texts: &[(&str, &str)]) -> Vec<String> {
        let pages = [(INTEROP, FACTS), ("docs/adr/0002-ids.md", ""), ("docs/hugo.md", "# Hugo\n\n## Dates, places")];
        faults(&pages.iter().chain(texts).map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect())
    }

    #[test]
    fn what_is_cited_and_there_is_no_fault() {
        let all = "// interop A1 (ADR 2)\n// Interop A2 and S; A9; docs/hugo.md#dates-places";
        assert_eq!(found(&[("src/a.rs", all)]), [""; 0]);
        assert_eq!(found(&[("src/a.rs", "// interop A1 to A9, S (ADR 2)")]), [""; 0], "a range cites what is between");
        let lists = [("tests/payloads/a.json", "\"cites\": \"S, A1\","), ("a.md", "[8](adr/0002-ids.md) A1–A9")];
        assert_eq!(found(&lists), [""; 0]);
    }

    #[test]
    fn a_citation_that_leads_nowhere_is_found() {
        let all = "// interop A1 to A9, S, ADR 2\n";
        for (wrong, name) in [
            ("// interop A3", "interop A3"),
            ("// interop Z9", "interop Z9"),
            ("// interop Z", "interop Z"),
            ("return Err(\"A4: no name\")", "interop A4"),
            ("// A1 to A8", "interop A8"),
            ("\"cites\": \"A1, X\"", "interop X"),
            ("// ADR 3", "ADR 3"),
            ("// docs/hugo.md#dates", "hugo.md#dates"),
            ("// (docs/api.md)", "api.md"),
        ] {
            let faults = found(&[("src/a.rs", &format!("{all}{wrong}"))]);
            assert_eq!(faults.len(), 1, "{wrong}: {faults:?}");
            assert!(faults[0].starts_with(&format!("src/a.rs:2: `{name}` leads nowhere")), "{faults:?}");
        }
        let link = found(&[("src/a.rs", all), ("docs/x.md", "[dates](hugo.md#dates-places), [x](y.md), ")]);
        assert!(link.len() == 1 && link[0].starts_with("docs/x.md:1: `y.md` leads nowhere"), "{link:?}");
        for none in [
            "%C3%A7",
            "IpAddr::V4",
            "A3.5",
            "T10:00",
            "/A4",
            "A0",
            "AA3",
            "`A4`",
            "A4-7",
            "Z9",
            "](post/a.md)",
            "a.md#x",
        ] {
            assert_eq!(found(&[("src/a.rs", &format!("{all}{none}"))]), [""; 0], "{none}");
        }
    }

    #[test]
    fn a_fact_that_nobody_cites_is_found() {
        let faults = found(&[("src/a.rs", "// interop A1, A2")]);
        let names: Vec<&str> = faults.iter().filter_map(|fault| fault.split('`').nth(1)).collect();
        assert_eq!(names, ["ADR 2", "interop A9", "interop S"], "what the page itself says cites nothing");
    }

    #[test]
    fn a_paper_of_elsewhere_is_found() {
        let all = "// interop A1 to A9, S, ADR 2\n";
        for paper in
            ["limits 2.1, row 3", "design, section 5", "design section 4", "sources 1.4", "complaint 18", "issue 13"]
        {
            let faults = found(&[("src/a.rs", &format!("{all}// ({paper})"))]);
            assert!(faults.len() == 1 && faults[0].contains("it is in no paper"), "{paper}: {faults:?}");
            assert_eq!(found(&[("migrations/1.sql", &format!("{all}-- ({paper})"))]), [""; 0]);
        }
        assert_eq!(found(&[("src/a.rs", &format!("{all}// by design, for limits and sources"))]), [""; 0]);
    }
}

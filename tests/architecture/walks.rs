//! The walks of docs/architecture.md lead somewhere: each step names a file and a function that are there.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

/// A file and a function of it, as the walks name them.
static STEP: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"`((?:src|crates)/[\w./-]+\.rs)` `(\w+)`").expect("a pattern"));

/// What the walks are of.
const WALKS: [&str; 5] =
    ["A post goes out", "A follow comes in", "A reply comes in", "An author answers", "A server dies"];

/// Each step of a walk that begins with no file and function, or with one that is not there; and each walk that is missing.
pub(crate) fn faults(page: &str, sources: &BTreeMap<String, String>) -> Vec<String> {
    let mut faults = Vec::new();
    for walk in WALKS {
        let Some(text) = page.split("\n## ").find_map(|section| section.strip_prefix(walk)) else {
            faults.push(format!("there is no walk `{walk}`"));
            continue;
        };
        let is_step = |line: &&str| line.split_once(". ").is_some_and(|(number, _)| number.parse::<u32>().is_ok());
        let steps: Vec<&str> = text.lines().filter(is_step).collect();
        if steps.len() < 3 {
            faults.push(format!("the walk `{walk}` has {} steps", steps.len()));
        }
        let unled = steps.iter().filter(|step| STEP.find(step).is_none_or(|found| found.start() > 4));
        faults.extend(unled.map(|step| format!("{walk}: this step begins with no file and function: {step}")));
    }
    for (_, [path, item]) in STEP.captures_iter(page).map(|found| found.extract()) {
        match sources.get(path) {
            None => faults.push(format!("there is no file {path}")),
            Some(text) if !defines(text, item) => faults.push(format!("{path} has no function `{item}`")),
            Some(_) => {}
        }
    }
    faults
}

fn defines(text: &str, item: &str) -> bool {
    text.match_indices(&format!("fn {item}")).any(|(at, found)| {
        let next = text[at + found.len()..].chars().next();
        next.is_some_and(|c| c == '(' || c == '<')
    })
}

#[test]
fn a_step_that_leads_nowhere_is_found() {
    let sources = BTreeMap::from([("src/a.rs".to_owned(), "pub fn go<T>() {} fn gone_by() {}".to_owned())]);
    let walk = |steps: &str| WALKS.map(|walk| format!("\n## {walk}\n\n{steps}")).concat();
    let good = "1. `src/a.rs` `go` goes\n2. `src/a.rs` `gone_by` went\n10. `src/a.rs` `go` goes\n";
    assert_eq!(faults(&walk(good), &sources), [""; 0]);
    assert_eq!(faults("\n## A post goes out\n", &sources).len(), 5, "four are missing, and one has no steps");
    assert_eq!(faults(&walk(&good.replace("`gone_by`", "`gone`")), &sources).len(), 5);
    assert_eq!(faults(&walk(&good.replace("2. `src/a.rs` `gone_by`", "2. then `src/b.rs` `go`")), &sources).len(), 10);
}

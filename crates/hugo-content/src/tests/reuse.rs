//! A scan that knows the last one's pages brings what a scan brings that reads them all (ADR 8).

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use clock::Clock;

use super::*;
use crate::Memory;

/// After every file was written, by any machine's clock, so that none is too fresh to be trusted.
const LATER: &str = "2199-01-07T10:00:00Z";

/// Longer than the grain in which file systems keep time.
const GRAIN: Duration = Duration::from_millis(12);

/// What is done to a site.
type Change<'a> = &'a dyn Fn(&Site);

fn at(hours: u32) -> Timestamp {
    Timestamp::parse_rfc3339(LATER).expect("a date") + Duration::from_hours(u64::from(hours))
}

fn memory(scan: &Scan) -> Memory {
    scan.entries.iter().map(|entry| (entry.key.clone(), entry.clone())).collect()
}

fn whole(scan: &Scan) -> String {
    serde_json::to_string_pretty(scan).expect("JSON")
}

/// Marks what is remembered of the posts, so that it shows which were not read.
fn marked(scan: &Scan) -> Memory {
    let mut memory = memory(scan);
    for entry in memory.values_mut() {
        "kept".clone_into(&mut entry.content);
    }
    memory
}

fn kept(site: &Site, memory: Memory) -> BTreeSet<String> {
    let scan = scan(&site.settings(), memory, at(0), &mut |_, _| {}).expect("a scan");
    scan.entries.into_iter().filter(|entry| entry.content == "kept").map(|entry| entry.key).collect()
}

fn site() -> Site {
    Site::new(&[
        ("content/post/_index.md", ""),
        ("content/post/a/index.md", "---\ntitle: A\nimage: /img/a.png\n---\nx ![](here.png)"),
        ("content/post/b.md", "---\ntitle: B\nimage: /img/b.png\n---\n[a]({{< ref \"/post/a\" >}})"),
        ("content/post/c.md", "---\ntitle: C\nauthors: [ann]\ntitle: C again\n---\n{{< odd >}}"),
        ("content/post/d.md", "d"),
        ("content/authors/ann/_index.md", "---\ntitle: Ann\n---\n"),
    ])
}

fn first(site: &Site) -> Scan {
    std::thread::sleep(GRAIN);
    let scan = scan(&site.settings(), Memory::new(), at(0), &mut |_, _| {}).expect("a scan");
    assert!(scan.entries.iter().all(|entry| entry.trace.is_some()));
    scan
}

#[test]
fn only_what_a_change_reaches_is_read() {
    let steps: &[(&str, Change, &str)] = &[
        ("nothing", &|_| {}, "a b c d"),
        ("one page", &|site| site.write("content/post/d.md", "another"), "a b c"),
        ("a picture beside it", &|site| site.write("content/post/a/here.png", "x"), "b c d"),
        ("a cover elsewhere", &|site| site.write("static/img/b.png", "x"), "a c d"),
        ("a picture of no page", &|site| site.write("static/img/z.png", "x"), "a b c d"),
        (
            "the address of a page that another refers to",
            &|site| site.write("content/post/a/index.md", "---\nslug: z\n---\n"),
            "c d",
        ),
        ("the words of a page that another refers to", &|site| site.write("content/post/a/index.md", "y"), "b c d"),
        (
            "an author's profile",
            &|site| site.write("content/authors/ann/_index.md", "---\ntitle: Anne\n---\n"),
            "a b c d",
        ),
        ("a section's own page", &|site| site.write("content/post/_index.md", "---\ntitle: Posts\n---\n"), "a b c d"),
        (
            "what a section hands down",
            &|site| site.write("content/post/_index.md", "---\ncascade: {tags: [x]}\n---\n"),
            "",
        ),
        ("the configuration", &|site| site.write("hugo.yaml", "summaryLength: 3\n"), ""),
        ("one more page", &|site| site.write("content/post/e.md", "e"), "a b c d"),
        ("a template of the site's own", &|site| site.write("layouts/shortcodes/odd.html", ""), ""),
    ];
    for (what, step, expected) in steps {
        let site = site();
        let known = marked(&first(&site));
        std::thread::sleep(GRAIN);
        step(&site);
        let expected: BTreeSet<String> = expected.split_whitespace().map(|name| format!("post/{name}")).collect();
        assert_eq!(kept(&site, known), expected, "{what}");
    }
}

#[test]
fn files_of_this_moment_are_not_remembered() {
    let site = site();
    let now = Clock::system().now();
    let scan = scan(&site.settings(), Memory::new(), now, &mut |_, _| {}).expect("a scan");
    assert!(scan.entries.iter().all(|entry| entry.trace.is_none()));
}

#[test]
fn a_section_that_cannot_be_read_closes_what_is_remembered() {
    let site = site();
    let known = memory(&first(&site));
    site.write("content/post/_index.md", "---\n[unclosed");
    let scan = scan(&site.settings(), known, at(0), &mut |_, _| {}).expect("a scan");
    assert!(scan.entries.is_empty(), "{:?}", keys(&scan));
    assert_eq!(scan.unreadable.len(), 4);
}

/// The property: whatever is done to the site, and however much time passes.
#[test]
fn a_scan_with_memory_equals_one_without() {
    let mut chance: u64 = 20_260_807;
    let mut draw = |below: u64| {
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (chance >> 33) % below
    };
    let site = site();
    let mut last = first(&site);
    let (mut remembered, mut hours) = (0, 0);
    for round in 0..150 {
        std::thread::sleep(GRAIN);
        let name = format!("p{}", draw(6));
        let (page, bundle) = (format!("content/post/{name}.md"), format!("content/post/{name}/index.md"));
        let path = |file: &str| site.0.path().join(file);
        match draw(14) {
            0 => site.write(&page, &format!("---\nslug: s{}\nauthors: [Bo {}, ann]\n---\nText.", draw(3), draw(2))),
            1 => site
                .write(&bundle, &format!("---\nimage: /img/{}.png\ntags: [a, A]\n---\n![](x{}.png)", draw(2), draw(2))),
            2 => site.write(
                &page,
                &format!("---\npublishDate: 2199-01-{:02}\nexpiryDate: 2199-01-{:02}\n---\n", 7 + draw(4), 9 + draw(4)),
            ),
            3 => site.write(&page, &format!("[r]({{{{< ref \"p{}\" >}}}}) {{{{< odd >}}}}", draw(6))),
            4 => site.write(&page, "---\ndate: no date\ntitle: x\ntitle: y\n---\n{{< odd >}}"),
            5 => site.write(&format!("content/post/{name}/x{}.png", draw(2)), "no picture"),
            6 => site.write(&format!("static/img/{}.png", draw(2)), "no picture"),
            7 => drop(fs::remove_file(path(&page))),
            8 => drop(fs::remove_dir_all(path(&format!("content/post/{name}")))),
            9 => drop(fs::rename(path(&page), path(&format!("content/post/p{}.md", draw(6))))),
            10 => site.write("content/post/_index.md", &format!("---\ncascade: {{draft: {}}}\n---\n", draw(2) == 0)),
            11 => site.write("hugo.yaml", &format!("summaryLength: {}\n", draw(3))),
            12 => site.write(
                "content/authors/ann/_index.md",
                &format!("---\ntitle: Ann {}\nauthors: [bo-0]\n---\n", draw(2)),
            ),
            _ => hours += 12,
        }
        let settings = site.settings();
        let known = memory(&last);
        let plain = scan(&settings, Memory::new(), at(hours), &mut |_, _| {}).expect("a scan");
        let again = scan(&settings, known, at(hours), &mut |_, _| {}).expect("a scan");
        assert_eq!(whole(&again), whole(&plain), "round {round}");
        remembered += last.entries.iter().filter(|old| again.entries.iter().any(|new| new.trace == old.trace)).count();
        last = again;
    }
    assert!(remembered > 300, "{remembered}: it remembered at times");
}

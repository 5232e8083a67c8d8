//! Pages that cost much for their length: each is read in steps in proportion to it, or held and told.

use super::*;
use crate::bounds::{Meter, Over};
use crate::markdown;
use crate::markup::Markup;

/// Shapes that are cheap to write; repeated, each is about so many bytes.
fn shapes(bytes: usize) -> Vec<(&'static str, String)> {
    let many = |part: &str| part.repeat(bytes / part.len());
    let wide = |columns: usize| format!("{}\n{}\n", "a|".repeat(columns), "-|".repeat(columns));
    vec![
        ("shortcodes begun", many("{{< x ")),
        ("shortcodes within each other", many("{{< a >}}")),
        ("shortcodes ended", many("{{< /a >}}")),
        ("pairs", many("{{< a >}}b{{< /a >}}")),
        ("a wide table", wide(bytes / 4)),
        ("a wide table of short rows", wide(bytes / 8) + &"a\n".repeat(bytes / 4)),
        ("many tables", many("a|b\n-|-\nc|d\n\n")),
        ("lines that part tables", many("-|-\n")),
        ("footnotes", (0..bytes / 24).map(|n| format!("a[^{n}]\n\n[^{n}]: b\n\n")).collect::<Vec<_>>().concat()),
        ("one footnote", format!("[^1]: b\n\n{}", many("a[^1] "))),
        ("quotes", many("> ")),
        ("quotes and lines", many("> ") + &many("\n> a")),
        ("lists", many("- ")),
        ("deeper lists", (0..200).map(|n| format!("{}- a\n", "  ".repeat(n))).collect::<Vec<_>>().concat()),
        ("emphasis", many("*a **b ")),
        ("emphasis that closes", many("a**b*c* ")),
        ("brackets", many("[")),
        ("closing brackets", many("a](b")),
        ("links begun", many("[a](<b")),
        ("definitions", (0..bytes / 20).map(|n| format!("[d{n}]: /x\n[d{n}]\n")).collect::<Vec<_>>().concat()),
        ("backticks", (1..300).map(|n| format!("a{}", "`".repeat(n))).collect::<Vec<_>>().concat()),
        ("remarks", many("<!-- a ")),
        ("declarations", many("<?a <!A <![CDATA[")),
        ("entities", many("&amp;&#x41;&")),
        ("one long line", many("word ")),
        ("quotation marks", many("\"a' ")),
        ("strikes", many("~~a ~b")),
        ("addresses", many("www.a.example/( ")),
        ("mail", many("a@b.")),
        ("definition lists", many("a\n: b\n\n")),
        ("marks of ours", many("VEERPONTSHORTCODEX")),
        ("hard breaks", many("a  \n")),
        ("escapes", many("\\*")),
        ("headings", many("# a\n")),
        ("pictures", many("![](a.png)")),
        ("passthrough", many("\\(a ")),
    ]
}

#[test]
fn markdown_takes_steps_in_proportion_to_its_length() {
    let markup = Markup::new(None, false);
    for ((name, once), (_, twice)) in shapes(16 * 1024).into_iter().zip(shapes(32 * 1024)) {
        let steps = |text: &str| {
            let asked = std::cell::Cell::new(0_u64);
            let meter = Meter::with(u64::MAX, || {
                asked.set(asked.get() + 1);
                false
            });
            markdown::render(text, "", &markup, &meter);
            drop(meter);
            asked.get() * 256
        };
        let (few, more) = (steps(&once), steps(&twice));
        assert!(more <= 3 * few + 1024, "{name}: {few} steps, then {more}");
        let length = u64::try_from(twice.len()).expect("a length");
        assert!(more <= 16 * length + 4096, "{name}: {more} steps for {length} bytes");
    }
}

#[test]
fn nothing_is_made_when_the_steps_or_the_time_are_used_up() {
    let text = "a *b* c\n\n".repeat(2000);
    for (steps, is_late, over) in [(1000, false, Over::Steps), (u64::MAX, true, Over::Time)] {
        let meter = Meter::with(steps, || is_late);
        assert_eq!(markdown::render(&text, "", &Markup::new(None, false), &meter), "");
        assert_eq!(meter.over(), Some(over));
    }
}

#[test]
fn a_page_that_costs_too_much_is_held_and_the_others_are_read() {
    let site = Site::new(&[
        ("content/post/a.md", "---\ntitle: A\n---\nWords."),
        ("content/post/vain.md", &format!("---\ntitle: B\n---\n{} \" >}}}}", "{{< a x".repeat(20_000))),
    ]);
    let wide = format!("{}\n{}\n{}", "a|".repeat(1000), "-|".repeat(1000), "a\n".repeat(100));
    site.write("content/post/wide.md", &format!("---\ntitle: C\n---\n{wide}"));
    site.write("content/authors/wide/_index.md", &format!("---\ntitle: D\n---\n{wide}"));
    let scan = site.scan();
    assert_eq!(keys(&scan), ["post/a"]);
    assert_eq!(scan.unreadable.iter().collect::<Vec<_>>(), ["post/vain", "post/wide"]);
    assert!(scan.unread_profiles.contains("wide"));
    let wide = scan.warnings.iter().find(|warning| warning.file == "content/post/wide.md").expect("a warning");
    assert!(wide.message.contains("50000 cells"), "{}", wide.message);
}

#[test]
fn no_page_has_warnings_without_end() {
    let scan =
        Site::new(&[("content/post/a.md", &format!("---\ntitle: A\n---\n{}", "{{< x >}}\n".repeat(5000)))]).scan();
    assert_eq!((keys(&scan).len(), scan.warnings.len()), (1, 101));
    assert!(scan.warnings.iter().any(|warning| warning.message.contains("4900 more")), "{:?}", scan.warnings.last());
}

#[test]
fn bombs_in_front_matter_are_bounded() {
    let laughs =
        (1..30).map(|n| format!("a{n}: &a{n} [{}]\n", format!("*a{}, ", n - 1).repeat(9))).collect::<Vec<_>>().concat();
    for (name, head) in [
        ("aliases", format!("---\na0: &a0 [x]\n{laughs}---\nw")),
        ("depth", format!("---\na: {}\n---\nw", "[".repeat(100_000))),
        ("maps", format!("---\n{}\n---\nw", "{a: ".repeat(50_000))),
        ("toml depth", format!("+++\na = {}\n+++\nw", "[".repeat(100_000))),
        ("json depth", format!("{{\"a\": {}\nw", "[".repeat(100_000))),
    ] {
        let scan = Site::new(&[("content/post/a.md", &head)]).scan();
        assert_eq!(scan.unreadable.len(), 1, "{name}");
        assert_eq!(scan.warnings.iter().filter(|warning| warning.file.ends_with("a.md")).count(), 1, "{name}");
    }
    let keys = (0..20_000).map(|n| format!("k{n}: {n}\n")).collect::<Vec<_>>().concat();
    assert_eq!(only("content/post/a.md", &format!("---\n{keys}title: A\n---\nw")).title, "A");
}

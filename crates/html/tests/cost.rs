//! HTML that is made to be dear is read at a cost that is linear in its length: counted in nodes, steps and bytes, never
//! in time.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test may stop where it finds the world broken")]

use std::sync::{Mutex, MutexGuard, PoisonError};

use peak_alloc::PeakAlloc;
use proptest::prelude::*;
use veerpont_html::Cost;

mod hostile_html;

use hostile_html::shapes;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Most memory that cleaning a text of 64 KB may need.
const MEMORY_MAX: usize = 64 << 20;

/// Rounds there may be: eight, and as many again in all where a text is cut to half, and to half again.
const ROUNDS: usize = 16;

/// The memory of one test at a time is measured.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a piece of work costs, and how much memory it needs above what was in use.
fn measured(work: impl FnOnce() -> String) -> (Cost, usize, String) {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let (cost, made) = Cost::of(work);
    (cost, MEMORY.peak_usage().saturating_sub(before), made)
}

/// The limits of `src/cost.rs` for each round, and something for the token that passes one.
fn is_linear(what: &str, bytes: usize, cost: &Cost) {
    let within = |count: usize, each: usize, more: usize| count <= ROUNDS * (each * bytes + more);
    // A token may pass a limit by what is open then.
    assert!(cost.deep <= 250 && cost.open <= 1_000, "{what}: {cost:?}");
    assert!(within(cost.nodes, 1, 2_000), "{what}: {cost:?}");
    assert!(within(cost.steps, 64, 300_000), "{what}: {cost:?}");
    assert!(within(cost.written, 12, 128_000), "{what}: {cost:?}");
    assert!(within(cost.bytes, 12, 64_000), "{what}: {cost:?}");
}

/// A way to have a text cleaned, by its name.
type Way = (&'static str, fn(&str) -> String);

/// Every way there is.
fn ways() -> [Way; 5] {
    [
        ("strangers", veerpont_html::clean_strangers),
        ("clean", veerpont_html::clean),
        ("again", veerpont_html::clean_strangers_again),
        ("text", veerpont_html::text),
        ("at", |html| veerpont_html::clean_at(html, &"https://a.example/b/".parse().expect("an address"))),
    ]
}

#[test]
fn every_shape_of_a_hundred_kilobytes_is_read_at_a_linear_cost() {
    let _alone = alone();
    for (number, (shape, dirty)) in shapes(100_000).into_iter().enumerate() {
        let (way, clean) = ways()[number % 5];
        let (cost, memory, made) = measured(|| clean(&dirty));
        is_linear(&format!("{shape}, {way}"), dirty.len(), &cost);
        assert!(memory <= MEMORY_MAX, "{shape}, {way}: {memory} bytes for {cost:?}");
        assert!(made.len() <= 12 * dirty.len() + 64_000, "{shape}, {way}: {} bytes", made.len());
    }
}

#[test]
fn a_dear_shape_of_any_length_stays_below_one_line() {
    let _alone = alone();
    for bytes in [5_000, 20_000, 60_000] {
        for (shape, dirty) in shapes(bytes) {
            let (cost, ..) = measured(|| veerpont_html::clean(&dirty));
            // As often as it is read at most: as it comes, and in each round until nothing changes.
            assert!(cost.steps <= 64 * cost.bytes + 8 * 200_000, "{shape}, {bytes}: {cost:?}");
            assert!(cost.bytes <= 8 * (12 * dirty.len() + 64_000), "{shape}, {bytes}: {cost:?}");
        }
    }
}

#[test]
fn what_people_write_is_far_from_the_limits() {
    let _alone = alone();
    let paragraph = "<p>Some <strong>words</strong> with <a href=\"https://a.example/b\">a <em>link</em></a>, and more of \
                     them.</p><ul><li>one</li><li>two <code>three</code></li></ul><blockquote><p>said</p></blockquote>";
    let sloppy = "<p><font color=red><b>never closed <p><i>again<div>x</b>y</div>";
    for (what, piece) in [("tidy", paragraph), ("sloppy", sloppy), ("table", "<tr><td>a</td><td>b</td></tr>")] {
        let html = format!("<table>{}", piece.repeat(100_000 / piece.len()));
        let html = if what == "table" { html } else { html.replacen("<table>", "", 1) };
        let (cost, memory, made) = measured(|| veerpont_html::clean(&html));
        assert!(made.matches('<').count() > 1_000, "{what}: only its words are left");
        assert!(cost.steps < 3 * 24 * html.len(), "{what}: {cost:?}");
        assert!(memory < MEMORY_MAX, "{what}: {memory}");
    }
}

fn pieces() -> impl Strategy<Value = String> {
    let names = ["a", "b", "i", "u", "s", "em", "font", "code", "nobr", "big", "tt", "strong"];
    let blocks = ["p", "div", "h1", "ul", "li", "dl", "dd", "blockquote", "pre", "form", "button", "section", "center"];
    let odd = [
        "table",
        "tr",
        "td",
        "caption",
        "tbody",
        "colgroup",
        "select",
        "option",
        "template",
        "svg",
        "math",
        "desc",
        "mtext",
        "object",
        "marquee",
        "ruby",
        "rt",
        "script",
        "style",
        "textarea",
        "title",
        "body",
        "html",
        "frameset",
        "selectedcontent",
        "input",
        "br",
        "img",
        "hr",
        "plaintext",
        "noscript",
        "iframe",
        "annotation-xml",
    ];
    let name = prop_oneof![
        4 => prop::sample::select(names.to_vec()),
        3 => prop::sample::select(blocks.to_vec()),
        2 => prop::sample::select(odd.to_vec()),
    ];
    let attributes = prop_oneof![
        3 => Just(String::new()),
        2 => "[a-c][0-9]{0,3}".prop_map(|name| format!(" {name}")),
        1 => "[a-c] ?= ?[\"']?[<>/a-b ]{0,4}[\"']?".prop_map(|text| format!(" {text}")),
        1 => Just(" href=\"https://a.example/b\"".to_owned()),
        1 => (2..400_usize).prop_map(|many| (0..many).fold(String::new(), |all, n| all + &format!(" d{n}"))),
        1 => (1..3_000_usize).prop_map(|long| format!(" href=\"https://a.example/{}\"", "e".repeat(long))),
    ];
    prop_oneof![
        6 => (name.clone(), attributes).prop_map(|(name, attributes)| format!("<{name}{attributes}>")),
        3 => name.prop_map(|name| format!("</{name}>")),
        2 => "[a-z &;#\n]{0,6}",
        1 => prop::sample::select(vec!["<!--", "-->", "<![CDATA[", "]]>", "&amp;", "&#x41;", "<", "</", "<?", "\0", "\""])
            .prop_map(str::to_owned),
    ]
}

/// Up to 64 KB of nested and unclosed formatting, blocks, tables and links: a start, and a part that comes again and
/// again.
fn dear() -> impl Strategy<Value = String> {
    let part = |most: usize| prop::collection::vec(pieces(), 0..most).prop_map(|pieces| pieces.concat());
    (part(60), 1..200_usize, part(8), 0..64_000_usize, part(6)).prop_map(|(start, times, again, bytes, end)| {
        let mut html = start.repeat(times.min(64_000 / start.len().max(1)));
        while !again.is_empty() && html.len() < bytes {
            html.push_str(&again);
        }
        html.push_str(&end);
        html.truncate(html.floor_char_boundary(64_000));
        html
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn nothing_of_64_kilobytes_needs_more_memory_or_steps_than_is_said(dirty in dear(), way in 0..5_usize) {
        let _alone = alone();
        let (way, clean) = ways()[way];
        let (cost, memory, made) = measured(|| clean(&dirty));
        is_linear(way, dirty.len(), &cost);
        prop_assert!(memory <= MEMORY_MAX, "{}: {} bytes for {:?}", way, memory, cost);
        if matches!(way, "clean" | "strangers") {
            prop_assert!(!made.contains("<script"));
            prop_assert_eq!(&clean(&made), &made);
        }
    }
}

//! Texts that are nearly the same.

use clock::Timestamp;
use hugo_content::Visibility;
use proptest::prelude::*;

use super::*;
use crate::model::post::PostState;

fn words(text: &[u64]) -> Words {
    let mut sorted = text.to_vec();
    sorted.sort_unstable();
    Words { ordered: text.to_vec(), sorted }
}

/// The textbook's way, for comparison.
fn longest_common(a: &[u64], b: &[u64]) -> usize {
    let mut row = vec![0; b.len() + 1];
    for x in a {
        let mut before = 0;
        for (at, y) in b.iter().enumerate() {
            let above = row[at + 1];
            row[at + 1] = if x == y { before + 1 } else { above.max(row[at]) };
            before = above;
        }
    }
    row[b.len()]
}

/// A text, and the same with a few words changed.
fn edited() -> impl Strategy<Value = (Vec<u64>, Vec<u64>)> {
    (
        proptest::collection::vec(0_u64..60, 20..300),
        proptest::collection::vec((0_usize..300, 0_u64..60, 0_u8..3), 0..30),
    )
        .prop_map(|(text, edits)| {
            let mut other = text.clone();
            for (at, word, kind) in edits {
                let at = at % other.len().max(1);
                match kind {
                    0 if other.len() > 1 => drop(other.remove(at)),
                    1 => other.insert(at, word),
                    _ => other[at] = word,
                }
            }
            (text, other)
        })
}

proptest! {
    #[test]
    fn likeness_is_the_share_of_common_words_in_order((a, b) in edited()) {
        let (left, right) = (words(&a), words(&b));
        let exact = dice(longest_common(&a, &b), &left, &right);
        let found = left.likeness(&right);
        if (exact - ENOUGH).abs() > 1e-9 {
            prop_assert_eq!(found.is_some(), exact > ENOUGH);
        }
        if let Some(found) = found {
            prop_assert!((found - exact).abs() < 1e-9);
            prop_assert!(right.likeness(&left).is_some_and(|back| (back - found).abs() < 1e-9));
        }
    }

    #[test]
    fn what_is_alike_passes_the_cheap_looks((a, b) in edited()) {
        let (left, right) = (words(&a), words(&b));
        let common = longest_common(&a, &b);
        prop_assert!(left.common(&right) >= common);
        if dice(common, &left, &right) >= ENOUGH && b.len() >= SHORTEST {
            prop_assert!(left.may_be_like(&right));
        }
    }
}

fn entry(key: &str, content: &str) -> Entry {
    Entry {
        key: key.to_owned(),
        file: key.to_owned(),
        url: format!("https://site.example/{key}/"),
        title: key.to_owned(),
        summary: String::new(),
        content: format!("<p>{content}</p>"),
        language: "en".to_owned(),
        tags: Vec::new(),
        authors: Vec::new(),
        image: None,
        published: None,
        modified: None,
        visibility: Visibility::Public { until: None },
        fingerprint: String::new(),
        body_hash: String::new(),
        guid: None,
        aliases: Vec::new(),
        unlisted: false,
        trace: None,
    }
}

fn post(key: &str, content: &str) -> Post {
    Post {
        id: crate::base::ids::PostId(1),
        source_id: crate::base::ids::SourceId(1),
        key: key.to_owned(),
        state: PostState::Published,
        entry: entry(key, content),
        fingerprint: String::new(),
        body_hash: String::new(),
        first_seen_at: Timestamp::from_millis(0),
        hidden_seen_at: None,
        missing_since: None,
        missing_scans: 0,
        withheld_at: None,
        article: None,
        article_stands: true,
        article_pushed: true,
        article_unlisted: false,
    }
}

/// Thirty words, of which those from `odd` on are of `kind`.
fn text(kind: &str, odd: usize) -> String {
    let word = |at: usize| if at < odd { format!("w{at}") } else { format!("{kind}{at}") };
    (0..30).map(word).collect::<Vec<_>>().join(" ")
}

fn told(entries: &[Entry], posts: &[Post], budget: u64) -> (Vec<(String, String, u8)>, usize) {
    let (entries, posts): (Vec<_>, Vec<_>) = (entries.iter().collect(), posts.iter().collect());
    let (pairs, left) = pairs_within(&entries, &posts, budget);
    (pairs.into_iter().map(|(entry, post, percent)| (entry.key.clone(), post.key.clone(), percent)).collect(), left)
}

fn pair(entry: &str, post: &str, percent: u8) -> (String, String, u8) {
    (entry.to_owned(), post.to_owned(), percent)
}

#[test]
fn the_best_pairs_are_found_and_ties_are_not() {
    let whole = text("", 30);
    let found = |entries: &[Entry], posts: &[Post]| told(entries, posts, BUDGET).0;
    // 27 of 30 words is enough, 26 is not; an image makes no difference.
    assert_eq!(found(&[entry("n", &text("x", 27))], &[post("o", &whole)]), [pair("n", "o", 90)]);
    assert_eq!(found(&[entry("n", &text("x", 26))], &[post("o", &whole)]), []);
    assert_eq!(
        found(&[entry("n", &format!("<img src=\"a.png\"> {whole}"))], &[post("o", &whole)]),
        [pair("n", "o", 100)]
    );
    // The better of two, whichever comes first.
    for (first, second) in [("a", "b"), ("b", "a")] {
        let posts = [post(first, &text("x", 27)), post(second, &text("y", 29))];
        assert_eq!(found(&[entry("n", &whole)], &posts), [pair("n", second, 96)]);
    }
    // Two that are equally good: nothing is said, on either side.
    assert_eq!(found(&[entry("n", &whole)], &[post("a", &text("x", 28)), post("b", &text("y", 28))]), []);
    assert_eq!(found(&[entry("m", &text("x", 28)), entry("n", &text("y", 28))], &[post("a", &whole)]), []);
    // Few words are alike by chance.
    assert_eq!(found(&[entry("n", "five words are too few")], &[post("o", "five words are too few")]), []);
}

#[test]
fn many_rewritten_posts_are_compared_at_a_bounded_cost() {
    let text = |kind: &str, number: usize| -> String {
        (0..300).map(|at| if at % 20 == 0 { format!("{kind} ") } else { format!("w{number}x{at} ") }).collect()
    };
    let entries: Vec<_> = (0..60).map(|number| entry(&format!("n{number:03}"), &text("new", number))).collect();
    let posts: Vec<_> = (0..60).map(|number| post(&format!("o{number:03}"), &text("old", number))).collect();
    let (pairs, left) = told(&entries, &posts, BUDGET);
    assert_eq!((pairs.len(), left), (60, 0));
    assert!(pairs.iter().all(|(entry, post, _)| entry.trim_start_matches('n') == post.trim_start_matches('o')));
    let (pairs, left) = told(&entries, &posts, 1_000_000);
    assert!(pairs.len() < 60 && left > 0, "the budget ends it: {left}");
    let (again, left_again) = told(&entries, &posts, 1_000_000);
    assert_eq!((pairs, left), (again, left_again));
}

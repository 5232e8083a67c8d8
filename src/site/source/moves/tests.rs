//! Which post an entry is taken for.

use clock::Timestamp;
use hugo_content::Visibility;

use super::*;
use crate::base::ids::{PostId, SourceId};

/// An entry of `key`, with its title, date and body where the test has them as `title|day|body`.
fn entry(key: &str, said: &str) -> Entry {
    let mut said = said.split('|');
    let mut next = || said.next().unwrap_or_default();
    let (title, day, body) = (next(), next(), next());
    Entry {
        key: key.to_owned(),
        file: format!("content/{key}.md"),
        url: format!("https://site.example/{key}/"),
        title: title.to_owned(),
        summary: String::new(),
        content: if body.is_empty() { String::new() } else { format!("<p>{body}</p>") },
        language: "en".to_owned(),
        tags: Vec::new(),
        authors: Vec::new(),
        image: None,
        published: day.parse().ok().map(Timestamp::from_millis),
        modified: None,
        visibility: Visibility::Public { until: None },
        fingerprint: format!("1:{title}{body}"),
        body_hash: body.to_owned(),
        guid: None,
        aliases: Vec::new(),
        unlisted: false,
        trace: None,
    }
}

fn post(entry: Entry) -> Post {
    let number = entry.key.bytes().fold(7_i64, |sum, byte| sum.wrapping_mul(31).wrapping_add(i64::from(byte)));
    Post {
        id: PostId(number),
        source_id: SourceId(1),
        key: entry.key.clone(),
        state: PostState::Published,
        fingerprint: entry.fingerprint.clone(),
        body_hash: entry.body_hash.clone(),
        entry,
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

fn scan(entries: Vec<Entry>) -> Scan {
    Scan { entries, complete: true, ..Scan::default() }
}

/// `entry <- post: why` for each entry that was recognised.
fn told(scan: &Scan, known: &[Post]) -> Vec<String> {
    let found = recognise(scan, known);
    let line = |(key, found): (&&str, &Match<'_>)| match &found.why {
        Some(why) => format!("{key} <- {}: {why}", found.post.key),
        None => format!("{key} <- {}", found.post.key),
    };
    found.matches.iter().map(line).collect()
}

/// Known posts and entries as `key=title|day|body` parted by blanks, and what was recognised.
fn case(known: &str, seen: &str) -> Vec<String> {
    let read = |text: &str| -> Vec<Entry> {
        let one = |item: &str| item.split_once('=').map(|(key, said)| entry(key, said));
        text.split_whitespace().filter_map(one).collect()
    };
    let known: Vec<Post> = read(known).into_iter().map(post).collect();
    told(&scan(read(seen)), &known)
}

#[test]
fn posts_are_recognised_by_text_or_by_title_and_date_and_never_by_a_guess() {
    for (known, seen, expected) in [
        ("a=T|1|x", "a=T|1|x", vec!["a <- a"]),
        ("a=T|1|x", "a=U|2|y", vec!["a <- a"]),
        ("a=T|1|x", "b=U|2|x", vec!["b <- a: same text"]),
        ("a=T|1|x", "b=T|1|y", vec!["b <- a: same title and date"]),
        ("a=T|1|x", "b=T|2|y", vec!["b <- a: same folder and title"]),
        ("a=T||x", "b=T||y", vec!["b <- a: same folder and title"]),
        // Elsewhere, or where others have the title too, it is no evidence.
        ("o/a=T|1|x", "n/b=T|2|y", vec![]),
        ("a=T|1|x c=T|3|z", "b=T|2|y c=T|3|z", vec!["c <- c"]),
        ("a=T|1|x", "b=T|2|y c=T|3|z", vec![]),
        // Without a title, the date is none.
        ("a=|1|x", "b=|1|y", vec![]),
        // Two have the text: title, date or name tell them apart, else nothing does.
        ("a=T|1|x b=U|2|x", "c=T|3|x", vec!["c <- a: same text"]),
        ("a=T|1|x b=U|2|x", "c=V|2|x", vec!["c <- b: same text"]),
        ("o/a=T|1|x o/b=U|2|x", "n/b=V|3|x", vec!["n/b <- o/b: same text"]),
        ("a=T|1|x b=U|2|x", "c=V|3|x", vec![]),
        ("a=T|1|x", "b=U|2|x c=V|3|x", vec![]),
        // A stub that another post has too is no evidence.
        ("a=T|1|tbd b=U|2|tbd", "b=U|2|tbd c=V|3|tbd", vec!["b <- b"]),
        // Over the place of another: that one's text is nowhere, so it is gone.
        ("a=T|1|x b=U|2|y", "b=T|1|x", vec!["b <- a: same text"]),
        // They changed places, in a circle too.
        ("a=T|1|x b=U|2|y", "a=U|2|y b=T|1|x", vec!["a <- b: same text", "b <- a: same text"]),
        (
            "a=T|1|x b=U|2|y c=V|3|z",
            "a=V|3|z b=T|1|x c=U|2|y",
            vec!["a <- c: same text", "b <- a: same text", "c <- b: same text"],
        ),
        ("a=T|1|x b=U|2|y", "b=T|1|x c=U|2|y", vec!["b <- a: same text", "c <- b: same text"]),
        // The place itself is stronger than a new text elsewhere.
        ("a=T|1|x", "a=T|1|y b=U|2|x", vec!["a <- a"]),
    ] {
        assert_eq!(case(known, seen), expected, "{known} => {seen}");
    }
}

#[test]
fn the_only_page_of_a_folder_is_the_same_whatever_it_is_called() {
    let at = |file: &str, key: &str, said: &str| Entry { file: format!("content/{file}"), ..entry(key, said) };
    let long = || vec![post(at("post/f/Long name.md", "post/f/Long name", "T|1|x")), post(entry("post/g", "U|2|y"))];
    let beside = || entry("post/g", "U|2|y");
    let renamed = scan(vec![at("post/f/index.md", "post/f", "T|3|z"), beside()]);
    assert_eq!(told(&renamed, &long()), ["post/f <- post/f/Long name: same folder and title", "post/g <- post/g"]);
    let retitled = scan(vec![at("post/f/index.md", "post/f", "V|3|z"), beside()]);
    assert_eq!(told(&retitled, &long())[0], "post/f <- post/f/Long name: the only page of its folder");
    let other = scan(vec![at("post/f/Short.md", "post/f/Short", "V|3|z"), beside()]);
    assert_eq!(told(&other, &long()), ["post/g <- post/g"], "neither is a bundle's own page");
    let mut two = long();
    two.push(post(at("post/f/Second.md", "post/f/Second", "W|4|w")));
    assert_eq!(told(&retitled, &two), ["post/g <- post/g"], "two are gone");
    let again = scan(vec![at("post/f/index.nl.md", "nl:post/f", "V|3|z"), beside()]);
    assert_eq!(told(&again, &long()), ["post/g <- post/g"], "a translation is another post");
}

#[test]
fn an_id_is_stronger_than_place_and_text() {
    let with = |id: &str, mut entry: Entry| {
        entry.guid = Some(id.to_owned());
        entry
    };
    let known = [post(with("1", entry("a", "T|1|x"))), post(with("2", entry("b", "U|2|y")))];
    let moved = scan(vec![with("2", entry("a", "T|1|x")), with("1", entry("c", "V|3|z"))]);
    assert_eq!(told(&moved, &known), ["a <- b: same id", "c <- a: same id"]);
    // Another id says that it is another post, but for one that stayed in its place.
    let other = scan(vec![with("3", entry("c", "T|1|x")), with("4", entry("b", "U|2|y"))]);
    assert_eq!(told(&other, &known), ["b <- b"]);
    // A copied id stays with the one that had it, and the copy is told of.
    let copied = scan(vec![with("1", entry("a", "T|1|x")), with("1", entry("c", "V|3|z"))]);
    assert_eq!(told(&copied, &known), ["a <- a"]);
    let warnings = recognise(&copied, &known).warnings;
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].file == "content/c.md" && warnings[0].message.contains("content/a.md"), "{warnings:?}");
    // It holds even where not everything could be seen.
    let incomplete = Scan { complete: false, ..scan(vec![with("1", entry("c", "V|3|z"))]) };
    assert_eq!(told(&incomplete, &known), ["c <- a: same id"]);
}

#[test]
fn the_site_itself_says_where_an_address_leads() {
    let known = [post(entry("a", "T|1|x")), post(entry("b", "U|2|y"))];
    let alias = |key: &str, old: &str| Entry { aliases: vec![old.to_owned()], ..entry(key, "V|3|z") };
    let one = scan(vec![alias("c", "https://site.example/a"), entry("b", "U|2|y")]);
    assert_eq!(told(&one, &known), ["b <- b", "c <- a: alias names the old address"]);
    let two = scan(vec![alias("c", "https://site.example/a"), alias("d", "https://site.example/a")]);
    assert_eq!(told(&two, &known), Vec::<String>::new(), "an address that two pages claim says nothing");
    let kept = scan(vec![entry("a", "T|1|x"), alias("c", "https://site.example/a/")]);
    assert_eq!(told(&kept, &known), ["a <- a"], "a page that is still there has not moved");
    let mut merged = scan(vec![alias("c", "https://site.example/a")]);
    merged.entries[0].aliases.push("https://site.example/b".to_owned());
    assert_eq!(told(&merged, &known), Vec::<String>::new(), "two posts became one page");
    let mut rules = Redirects::of(&url::Url::parse("https://site.example/").expect("an address"));
    rules.add_pattern("^/(.*)$", "/blog/${1}", "_redirects:1".to_owned()).expect("a rule");
    let renamed = Scan { redirects: rules, ..scan(vec![entry("blog/a", "V|3|z"), entry("blog/c", "W|4|w")]) };
    assert_eq!(told(&renamed, &known), ["blog/a <- a: redirect in _redirects:1"]);
}

#[test]
fn what_may_still_be_there_has_not_moved() {
    let known = [post(entry("a", "T|1|x"))];
    let incomplete = Scan { complete: false, ..scan(vec![entry("b", "T|1|x"), entry("c", "U|2|y")]) };
    let found = recognise(&incomplete, &known);
    assert!(found.matches.is_empty());
    assert_eq!(found.unsure.iter().copied().collect::<Vec<_>>(), ["b"]);
    assert!(found.warnings[0].file == "content/b.md" && found.warnings[0].message.contains("`a` moved here"));
    let mut unreadable = scan(vec![entry("b", "T|1|x")]);
    unreadable.unreadable.insert("a".to_owned());
    assert_eq!(told(&unreadable, &known), Vec::<String>::new(), "its file is there, though it cannot be read");
}

#[test]
fn what_was_removed_is_found_again_only_in_its_place() {
    let mut removed = post(entry("a", "T|1|x"));
    (removed.state, removed.article_stands) = (PostState::Removed, false);
    let known = [removed];
    assert_eq!(told(&scan(vec![entry("b", "T|1|x")]), &known), Vec::<String>::new());
    assert_eq!(told(&scan(vec![entry("a", "T|1|x")]), &known), ["a <- a"]);
}

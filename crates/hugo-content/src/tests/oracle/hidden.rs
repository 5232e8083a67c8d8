//! Whatever any Hugo hides, we never publish: front matter in every form, each kind of value in each deciding key.

use super::*;

const HEAD: &str = "title: A\ndraft: true\ndate: 2024-01-01\n";

fn yaml(head: &str) -> String {
    format!("---\n{head}---\nWords.\n")
}

/// Forms of a draft that every Hugo, or one of its versions, reads as one.
fn drafts() -> Vec<String> {
    let plain = yaml(HEAD);
    let bom = '\u{feff}';
    let mut all =
        vec![plain.clone(), plain.replace('\n', "\r\n"), plain.replace('\n', "\r"), plain.replace('\n', "\n\r")];
    let before =
        ["\u{feff}", "\u{feff}\u{feff}", "\n\u{feff}", " \t\u{feff}\n\u{feff}", "\n\n \t", "\u{c}", "\u{b}", "<!--\n"];
    all.extend(before.map(|before| format!("{before}{plain}")));
    for (open, close) in [
        ("---  ", "---  "),
        ("--- # a remark", "---"),
        ("---", "---w"),
        ("---", "-----"),
        ("--- ", "--- # x"),
        ("  ---", "---"),
        ("---\r", "---\r"),
    ] {
        all.push(format!("{open}\n{HEAD}{close}\nWords.\n"));
    }
    all.extend(
        [
            "--- {draft: true}\n---\nw",
            "---\n{\"draft\": true}\n---\nw",
            "---\ntitle: x\rdraft: true\n---\nw",
            "---\r\ntitle: x\n\rdraft: true\n\r---\r\nw",
            "#+title: x\n#+draft: true\n\nw",
            "#+TITLE: x\r\n#+DRAFT: true\r\n\r\nw",
            "\n #+draft: true\nw",
            "#+date: 2088-01-01\nw",
            "#+expirydate: 2001-01-01\nw",
            "<!--\n+++\ndraft = true\n+++\n-->\nx",
            "<!--\n{\"draft\": true}\n-->\nx",
            "<!--\n#+draft: true\n-->\nx",
            "{\"draft\":true}\nw",
            " \n{\"title\":\"x\",\"draft\":\"true\"}\nw",
            "{\r\"draft\":true\r}\rw",
            "{\"a\":\"\\\"}\",\"draft\":true} trailing\nw",
            "{\"draft\":false,\"draft\":true}\nw",
            "+++\ntitle=\"x\"\ndraft=true\n+++\nw",
            "+++ \nDRAFT=\"true\"\n+++ \nw",
            "+++\ndraft=2\n+++\nw",
            "+++\n\"draft\"=true\n+++\nw",
            "+++\ntitle='a'\ndraft=true # yes\n+++\nw",
        ]
        .map(str::to_owned),
    );
    all.push(format!("{bom}{bom}{{\"draft\":true}}\nw"));
    all.push(format!("---\n{bom}{HEAD}---\nw"));
    for lines in [
        "<<: {draft: true}\ntitle: x",
        "a: &x {draft: true}\n<<: *x",
        "a: &x true\ndraft: *x",
        "draft: false\nDraft: true",
        "Draft: true\ndraft: false",
        "draft:\n  true",
        "? draft\n: true",
        "draft: !!bool \"true\"",
        "draft: &a true",
        "draft: \"\\x74rue\"",
        "cascade: {draft: true}",
        "cascade: [{draft: true}]",
        "cascade: {build: {render: never}}",
    ] {
        all.push(yaml(&format!("{lines}\n")));
    }
    all
}

const YES: &[&str] = &[
    "true", "True", "TRUE", "t", "T", "1", "2", "-1", "0x1", "'true'", "\"1\"", "1.0", "2.5", ".nan", ".inf", "0b1",
    "0o1", "1_0",
];
const OLD_YES: &[&str] = &["yes", "Yes", "on", "y", "18446744073709551615", "!!int 1", "true # c", ">-\n  true"];
const NEITHER: &[&str] =
    &["[true]", "{a: true}", "nope", "maybe", "2024-01-01", "'2'", "' true'", "tRuE", "1e3", "|\n  true", "tru\u{435}"];
const NEVER: &[&str] = &["never", "false", "0", "'0'", "no", "off"];

/// Each value in each key that hides a page; those of a date are in `dates`.
fn values() -> Vec<String> {
    let mut heads = Vec::new();
    for value in YES.iter().chain(OLD_YES).chain(NEITHER) {
        heads.extend(["draft", "Draft", "DRAFT", "\"draft\"", "headless"].map(|key| format!("{key}: {value}")));
    }
    for value in ["false", "no", "off", "n", "f", "0", "00", "0x0", "'0'", "'false'", "null", "~", ""] {
        heads.push(format!("published: {value}"));
    }
    for table in ["build", "_build", "Build", "BUILD"] {
        for key in ["render", "list", "Render", "LIST"] {
            heads.extend(NEVER.iter().map(|value| format!("{table}: {{{key}: {value}}}")));
        }
    }
    for date in [
        "2088-01-01",
        "\"2088-01-01\"",
        "2088-01-01T00:00:00Z",
        "3724000000",
        "2088-01-01 10:00:00 +0100",
        "Mon, 01 Jan 2088 00:00:00 GMT",
        "2088-01-01T00:00:00.123456789Z",
        "2088-01-01 00:00:00Z",
        "9999-12-31",
        "!!timestamp 2088-01-01",
    ] {
        heads
            .extend(["date", "publishDate", "PUBLISHDATE", "pubdate", "published"].map(|key| format!("{key}: {date}")));
    }
    for date in
        ["2001-01-01", "0", "2088", "20880101", "-3724000000", "3:04PM", "Jan 1 10:00:00", "\"2001-01-01T00:00:00Z\""]
    {
        heads
            .extend(["expiryDate", "expirydate", "unpublishdate", "UnpublishDate"].map(|key| format!("{key}: {date}")));
    }
    heads.into_iter().map(|head| yaml(&format!("{head}\n"))).collect()
}

/// Forms at which one Hugo or the other stops.
fn refused() -> Vec<String> {
    let mut all: Vec<String> = [
        "---\ndraft: true\n",
        "---\ndraft: true\n...\nw",
        "---\ndraft: true\n ---\nw\n---\nx",
        "----\ndraft: true\n----\nw",
        "---\ndraft = true\n---\nw",
        "---\ndraft: true\n+++\nw",
        "+++\ndraft: true\n+++\nw",
        "+++\rtitle=\"x\"\rdraft=true\r+++\rw",
        "---title: x\ntitle: y\ndraft: true\n---\nw",
        "---\ndraft: true\ndraft: false\n---\nw",
        "---\ndraft: false\ndraft: true\n---\nw",
        "---\u{feff}\ndraft: true\n---\nw",
        "---\ndraft: true\0\n---\nw",
        "---\u{2028}draft: true\u{2028}---\u{2028}w",
        "{\"draft\":true,}\nw",
        "{\"draft\":true\nw",
        "{draft: true}\nw",
        "{'draft':true}\nw",
        "{{< x >}}\ndraft",
        "- draft: true\nw",
        "+ draft: true\nw",
        "<!----><!--\n---\ndraft: true\n---\n-->\nw",
        "---\nbuild: never\n---\nw",
        "---\nbuild: {render: [never]}\n---\nw",
        "---\nbuild: [{render: never}]\n---\nw",
        "---\ncascade: draft\n---\nw",
        "---\ndate: 1 January 2088\n---\nw",
        "---\ndate: [2088-01-01]\n---\nw",
        "---\npublishDate: true\n---\nw",
        "---\npublishDate: 01/01/2088\n---\nw",
        "---\nexpiryDate: {a: 1}\n---\nw",
        "---\npublished: nope\n---\nw",
    ]
    .map(str::to_owned)
    .to_vec();
    // No Hugo stops at these, nor hides them: somebody meant them to.
    all.extend(
        [
            "",
            "\n\n \t\r\n",
            "\u{feff}",
            "\0---\ndraft: true\n---\nw",
            "\u{a0}---\ndraft: true\n---\nw",
            "\u{200b}---\ndraft: true\n---\nw",
            "Words.\n---\ndraft: true\n---\nw",
            "%YAML 1.2\n---\ndraft: true\n---\nw",
            "# Draft\n---\ndraft: true\n---\nw",
            "---\n---\ndraft: true\n---\nw",
            "---\ntitle: x\n--- \ndraft: true\n---\nw",
            "#+title: x\r#+draft: true\r\rw",
            "<!-- a -->\n---\ndraft: true\n---\nw",
            "publishDate: 2088-01-01\n\nWords.",
        ]
        .map(str::to_owned),
    );
    all
}

/// Forms in which pages are published by every Hugo, and by us.
fn usual() -> Vec<String> {
    [
        "---\ntitle: a\n---\nw",
        "---\ntitle: a\ndraft: false\n---\nw",
        "---\ntitle: a\ndraft:\n---\nw",
        "---\ndraft: 0\nheadless: false\nbuild: {list: always, render: always}\n---\nw",
        "\u{feff}---\r\ntitle: a\r\n---\r\nw",
        "---\rtitle: a\r---\rw",
        "--- # a remark\ntitle: a\n---\nw",
        "--- \ntitle: a\n-----\nw",
        "\n\n  ---\ntitle: a\n---\nw",
        "+++\ntitle='a'\ndraft=false\n+++\nw",
        "{\"title\": \"a\", \"draft\": false}\nw",
        "Words alone, of a draft: true love.",
        "# A heading\n\nWords.",
        "---\ntitle: a\nTitle: b\n---\nw",
        "---\ntitle: a\n---\nFirst words.\n\ndraft: true\n",
    ]
    .iter()
    .map(|text| (*text).to_owned())
    .collect()
}

fn tree(forms: &[String]) -> Tree {
    let folder = |number: usize| format!("content/post/p{number:03}/index.md");
    let new = Tree::new("hidden", "disableKinds: [taxonomy, term, RSS, sitemap]");
    forms.iter().enumerate().fold(new, |tree, (number, text)| tree.file(&folder(number), text))
}

/// The forms that we publish.
fn published(forms: &[String]) -> Vec<String> {
    let site = tempfile::tempdir().expect("a folder");
    let tree = tree(forms);
    tree.write(site.path());
    let (ours, scan) = ours(site.path());
    let is_public =
        |file: &str| ours.get(file).is_some_and(|said| matches!(said.visibility, Visibility::Public { .. }));
    for (file, text) in tree.files.iter().skip(1) {
        let is_told = scan.warnings.iter().any(|warning| warning.file == *file);
        assert!(ours.contains_key(file) || is_told, "nothing is said of {text:?}");
    }
    let texts = tree.files.iter().skip(1);
    texts.filter(|(file, _)| is_public(file)).map(|(_, text)| text.clone()).collect()
}

/// Those of the forms that this Hugo lists as public; `None` where it stops.
fn listed(hugo: &Hugo, forms: &[String]) -> Option<Vec<String>> {
    let site = tempfile::tempdir().expect("a folder");
    let tree = tree(forms);
    tree.write(site.path());
    let rows = hugo.list(site.path()).ok()?;
    let is_public = |row: &Row| matches!(hugos(row).visibility, Visibility::Public { .. });
    let public: Vec<&str> = rows.iter().filter(|row| is_public(row)).map(|row| row.path.as_str()).collect();
    let texts = tree.files.iter().skip(1);
    Some(texts.filter(|(file, _)| public.contains(&file.as_str())).map(|(_, text)| text.clone()).collect())
}

#[test]
fn what_any_hugo_hides_is_never_published() {
    let hidden = [drafts(), values(), refused()].concat();
    assert_eq!(published(&hidden), Vec::<String>::new());
}

#[test]
fn what_is_usual_is_published() {
    assert_eq!(published(&usual()), usual());
    // Old versions stop at these.
    let newer = ["<!-- a remark -->\nWords.", "<p>Words.</p>"].map(str::to_owned);
    assert_eq!(published(&newer), newer);
    for hugo in program::all() {
        assert_eq!(listed(&hugo, &usual()).as_ref(), Some(&usual()), "0.{}", hugo.minor);
    }
}

#[test]
fn what_we_publish_every_hugo_lists() {
    // Beside the above, all pairs of an opening and a value, of which some are public.
    let values =
        YES.iter().chain(OLD_YES).chain(NEITHER).chain(NEVER).chain(&["", "null", "~", "[]", "{}", "''", "f", "0.0"]);
    let mut forms = Vec::new();
    for (number, value) in values.enumerate() {
        let key = ["draft", "headless", "_Draft", "published"][number % 3];
        let open = ["---\n", "---  \n", "\n---\n", "\u{feff}---\n", "--- # x\n"][number % 5];
        forms.push(format!("{open}{key}: {value}\n---\nw"));
        forms.push(format!("---\nbuild:\n  list: {value}\n---\nw"));
        forms.push(format!("---\nparams: {{draft: {value}}}\n---\nw"));
    }
    forms.extend(drafts());
    forms.extend(self::values());
    let ours = published(&forms);
    assert!(ours.len() > 20, "{ours:?}");
    for hugo in program::all() {
        for chunk in ours.chunks(40) {
            let each = || chunk.iter().filter_map(|form| listed(&hugo, std::slice::from_ref(form))).flatten().collect();
            let theirs: Vec<String> = listed(&hugo, chunk).unwrap_or_else(each);
            let refused = |form: &&String| listed(&hugo, std::slice::from_ref(*form)).is_none();
            let faults: Vec<&String> = chunk.iter().filter(|form| !theirs.contains(form) && !refused(form)).collect();
            assert!(faults.is_empty(), "0.{} hides {faults:?}", hugo.minor);
        }
    }
}

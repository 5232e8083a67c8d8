//! The connector on small trees made here.

mod bodies;
mod bombs;
mod broken;
mod building;
mod languages;
mod oracle;
mod pictures;
mod profiles;
mod reuse;

use tempfile::TempDir;

use super::*;
use crate::entry::{Entry, Visibility};

const NOW: &str = "2026-11-01T12:00:00Z";

fn now() -> Timestamp {
    Timestamp::parse_rfc3339(NOW).expect("a date")
}

/// A small site in a folder of its own.
struct Site(TempDir);

impl Site {
    fn new(files: &[(&str, &str)]) -> Self {
        let site = Self(tempfile::tempdir().expect("a folder"));
        site.write("hugo.yaml", "markup: {goldmark: {renderer: {unsafe: true}}}\n");
        site.write("content/_index.md", "");
        for (name, text) in files {
            site.write(name, text);
        }
        site
    }

    fn write(&self, name: &str, text: &str) {
        let file = self.0.path().join(name);
        std::fs::create_dir_all(file.parent().expect("a parent")).expect("a folder");
        std::fs::write(file, text).expect("a file");
    }

    fn settings(&self) -> Settings {
        let public_url = Url::parse("https://site.example/").expect("an address");
        let sections = vec!["post".to_owned(), "news".to_owned()];
        Settings { profile_fields: true, ..Settings::new(self.0.path().to_owned(), public_url, sections) }
    }

    fn scan(&self) -> Scan {
        self.write("content/news/_index.md", "");
        self.write("content/post/_index.md", "");
        scan(&self.settings(), Memory::new(), now(), &mut |_, _| {}).expect("a scan")
    }
}

/// The only entry of a site with this one post.
fn only(file: &str, text: &str) -> Entry {
    let mut scan = Site::new(&[(file, text)]).scan();
    assert_eq!(scan.entries.len(), 1, "{:?}", scan.warnings);
    scan.entries.remove(0)
}

fn keys(scan: &Scan) -> Vec<&str> {
    scan.entries.iter().map(|entry| entry.key.as_str()).collect()
}

fn said(scan: &Scan) -> Vec<(String, Option<u64>)> {
    scan.warnings.iter().map(|warning| (warning.file.clone(), warning.line)).collect()
}

#[test]
fn pages_are_told_from_sections_resources_and_hidden_files() {
    let scan = Site::new(&[
        ("content/post/single.md", "x"),
        ("content/post/bundle/index.md", "x"),
        ("content/post/bundle/resource.md", "x"),
        ("content/post/bundle/deeper/index.md", "x"),
        ("content/post/folder/Page.markdown", "x"),
        ("content/post/page.html", "<p>x</p>"),
        ("content/post/.hidden.md", "x"),
        ("content/post/old.md~", "x"),
        ("content/post/data_cache/x.md", "x"),
        ("content/post/x.en.md", "x"),
        ("content/post/x.nl.md", "x"),
        ("content/about/x.md", "x"),
        ("content/top.md", "x"),
        ("content/post/notes.org", "x"),
        ("config/_default/hugo.yaml", "ignoreFiles: ['_cache$']\nlanguages: {en: {}, nl: {}}\n"),
    ])
    .scan();
    assert_eq!(keys(&scan), ["nl:post/x", "post/bundle", "post/folder/Page", "post/page", "post/single", "post/x"]);
    assert_eq!(scan.unreadable.iter().collect::<Vec<_>>(), ["post/notes"]);
    assert_eq!(said(&scan), [("content/post/notes.org".to_owned(), None)]);
    assert!(scan.complete);
}

#[test]
fn addresses_are_hugos() {
    // As Hugo 0.168 gives them.
    for (file, head, path) in [
        ("content/post/Hello World.md", "", "post/hello-world/"),
        ("content/post/v1.2.md", "", "post/v1.2/"),
        ("content/post/we  --  two.md", "", "post/we------two/"),
        ("content/post/Été & Co.md", "", "post/%C3%A9t%C3%A9--co/"),
        ("content/post/a+b~c@d#e_f.md", "", "post/a+b~c@d%23e_f/"),
        ("content/post/日本.md", "", "post/%E6%97%A5%E6%9C%AC/"),
        ("content/post/It's (a) test, ok?.md", "", "post/its-a-test-ok/"),
        ("content/post/deep/er/Page.md", "", "post/deep/er/page/"),
        ("content/post/Bundle Dir/index.md", "", "post/bundle-dir/"),
        ("content/post/slugged/index.md", "slug: My Slug!", "post/my-slug/"),
        ("content/post/slug2.md", "slug: ÉTÉ/sub", "post/%C3%A9t%C3%A9/sub/"),
        ("content/post/a.md", "url: /Custom/Path", "Custom/Path/"),
        ("content/post/a.md", "url: /Custom/Page.html", "Custom/Page.html"),
        ("content/post/a.md", "url: rel/path here/é/", "rel/path%20here/%C3%A9/"),
        ("content/post/a.md", "{slug: sl, url: '/:section/:slug/x'}", "post/sl/x/"),
    ] {
        let head = if head.starts_with('{') { head.to_owned() } else { format!("title: t\n{head}") };
        let entry = only(file, &format!("---\n{head}\n---\nx"));
        assert_eq!(entry.url, format!("https://site.example/{path}"), "{file} {head}");
    }
}

#[test]
fn the_configuration_changes_addresses() {
    let post = "---\ntitle: 'Hello, Big World: été!'\ndate: 2024-03-05\n---\nx";
    for (config, path) in [
        ("permalinks: {news: '/n/:year/:title/'}", "n/2024/hello-big-world-%C3%A9t%C3%A9/"),
        (
            "permalinks: {page: {news: '/:section/:year/:month/:day/:monthname-:weekday-:yearday/:slugorfilename/'}}",
            "news/2024/03/05/march-2-65/one-%C3%A9/",
        ),
        ("permalinks: {news: '/N x/:sections[last]/:contentbasename-:filename'}", "n-x/news/one-%C3%A9-one-%C3%A9/"),
        ("removePathAccents: true", "news/one-e/"),
        ("disablePathToLower: true", "news/One-%C3%A9/"),
        ("uglyURLs: true", "news/one-%C3%A9.html"),
        ("defaultContentLanguageInSubdir: true", "en/news/one-%C3%A9/"),
        ("languages: {en: {contentDir: content}}", "news/one-%C3%A9/"),
    ] {
        let scan = Site::new(&[("content/news/One é.md", post), ("config/_default/config.yaml", config)]).scan();
        assert_eq!(scan.entries[0].url, format!("https://site.example/{path}"), "{config}");
    }
    let site = Site::new(&[("content/news/a.md", post)]);
    let settings = Settings { public_url: Url::parse("https://a.example/sub").expect("an address"), ..site.settings() };
    let scan = scan(&settings, Memory::new(), now(), &mut |_, _| {}).expect("a scan");
    assert_eq!(scan.entries[0].url, "https://a.example/sub/news/a/");
}

#[test]
fn what_the_public_may_see_follows_hugos_rules() {
    let at = |text: &str| Timestamp::parse_rfc3339(text).expect("a date");
    for (head, visibility) in [
        ("title: a", Visibility::Public { until: None }),
        ("draft: true", Visibility::Draft),
        ("draft: yes", Visibility::Draft),
        ("date: 2027-01-01", Visibility::Scheduled { at: at("2027-01-01T00:00:00Z") }),
        ("{date: 2027-01-01, publishDate: 2024-01-01}", Visibility::Public { until: None }),
        ("{date: 2024-01-01, publishDate: 2027-01-01}", Visibility::Scheduled { at: at("2027-01-01T00:00:00Z") }),
        ("expiryDate: 2026-10-31", Visibility::Expired),
        ("expiryDate: 2027-10-31", Visibility::Public { until: Some(at("2027-10-31T00:00:00Z")) }),
        ("publishDate: 2026-11-01T12:00:00Z", Visibility::Public { until: None }),
        ("expiryDate: 2026-11-01T12:00:00Z", Visibility::Expired),
        ("fediverse: false", Visibility::Withheld),
        ("params: {fediverse: false}", Visibility::Withheld),
        ("fediverse: unlisted", Visibility::Public { until: None }),
        ("{fediverse: Unlisted, build: {list: never}}", Visibility::Public { until: None }),
        ("{fediverse: unlisted, draft: true}", Visibility::Draft),
        ("{fediverse: false, draft: true}", Visibility::Withheld),
        ("headless: true", Visibility::Withheld),
        ("_build: {render: never}", Visibility::Withheld),
        ("build: {render: link}", Visibility::Withheld),
        ("build: {list: never}", Visibility::Withheld),
        ("build: {render: always, list: local}", Visibility::Public { until: None }),
    ] {
        assert_eq!(only("content/post/a/index.md", &format!("---\n{head}\n---\nx")).visibility, visibility, "{head}");
    }
    let handed = Site::new(&[
        ("content/post/a/_index.md", "---\ncascade: {build: {render: never}}\n---\n"),
        ("content/post/a/b.md", "x"),
        ("content/post/c.md", "x"),
    ])
    .scan();
    assert_eq!(handed.entries[0].visibility, Visibility::Withheld);
    assert_eq!(handed.entries[1].visibility, Visibility::Public { until: None });
}

#[test]
fn faults_are_warned_of_and_never_read_as_removals() {
    let site = Site::new(&[
        ("content/post/unclosed.md", "---\ntitle: a\n\nb"),
        ("content/post/tab.md", "---\ntitle: a\n\tb: c\n---\n"),
        ("content/post/toml.md", "+++\na = \n+++\n"),
        ("content/post/when.md", "---\npublishDate: soon\n---\n"),
        ("content/post/twice.md", "---\r\ntitle: a\r\ndraft: true\r\n\r\ndraft: false\r\n---\r\nb"),
        ("content/post/someday.md", "---\ndate: someday\n---\nb"),
    ]);
    site.write("content/post/large.md", &"x".repeat(2 * 1024 * 1024 + 1));
    std::fs::write(site.0.path().join("content/post/latin.md"), b"a\n\xe9").expect("a file");
    let scan = site.scan();
    assert_eq!(keys(&scan), Vec::<&str>::new());
    let unreadable =
        ["large", "latin", "someday", "tab", "toml", "twice", "unclosed", "when"].map(|name| format!("post/{name}"));
    assert_eq!(scan.unreadable.iter().cloned().collect::<Vec<_>>(), unreadable);
    let lines = [("large", None), ("latin", Some(2)), ("someday", None), ("tab", Some(2)), ("toml", Some(2))];
    let lines = lines.into_iter().chain([("twice", Some(5)), ("unclosed", Some(1)), ("when", None)]);
    let expected: Vec<_> = lines.map(|(name, line)| (format!("content/post/{name}.md"), line)).collect();
    assert_eq!(said(&scan), expected);
    assert!(scan.complete);
}

#[cfg(unix)]
#[test]
fn links_are_followed_only_within_the_site() {
    let elsewhere = Site::new(&[("content/post/secret.md", "x")]);
    let site = Site::new(&[("content/post/a.md", "x"), ("drafts/b.md", "x")]);
    let link = |to: std::path::PathBuf, name: &str| {
        std::os::unix::fs::symlink(to, site.0.path().join("content/post").join(name)).expect("a link");
    };
    link(elsewhere.0.path().join("content/post"), "out");
    link(elsewhere.0.path().join("content/post/secret.md"), "secret.md");
    link(site.0.path().join("drafts"), "in");
    link(site.0.path().join("content"), "loop");
    link(site.0.path().join("nothing.md"), "nothing.md");
    let scan = site.scan();
    assert_eq!(keys(&scan), ["post/a", "post/in/b"]);
    assert!(scan.complete, "{:?}", scan.warnings);
}

#[test]
fn a_site_that_cannot_be_scanned_is_told_what_to_do() {
    let site = Site::new(&[]);
    let missing = Settings { root: site.0.path().join("nowhere"), ..site.settings() };
    let error = scan(&missing, Memory::new(), now(), &mut |_, _| {}).expect_err("no folder").to_string();
    assert!(error.contains("nowhere is not there; set `path`"), "{error}");
    site.write("hugo.yaml", "a: 1\nb: [");
    let error =
        scan(&site.settings(), Memory::new(), now(), &mut |_, _| {}).expect_err("a broken configuration").to_string();
    assert!(error.contains("hugo.yaml, line ") && error.contains("mend it"), "{error}");
}

#[test]
fn authors_are_found_in_all_the_ways_of_the_corpus() {
    let scan = Site::new(&[
        ("content/authors/_index.md", "---\ntitle: Authors\n---"),
        (
            "content/authors/jane-doe/_index.md",
            "---\ntitle: Jane  Doe\nemail: jane@example.org\nbio: '*Writes* <script>x</script>[here](/x/)'\n---\n",
        ),
        ("content/authors/jane-doe/My Avatar.JPG", ""),
        (
            "content/authors/roe/_index.md",
            "---\ntitle: R. Roe\nauthors: [richard-roe]\nbuild: {render: never}\n---\nBody.",
        ),
        ("content/authors/roe/avatar.png", ""),
        ("content/post/a.md", "---\nauthors: [Jane Doe , null, richard-roe, Lone Coder, jane-doe]\n---\nx"),
        ("content/post/b.md", "---\nauthor: {name: Ted, email: ted@example.org}\n---\nx"),
        ("content/post/c.md", "x"),
    ])
    .scan();
    assert_eq!(scan.entries[0].authors, ["jane-doe", "roe", "lone-coder"]);
    assert_eq!(scan.entries[1].authors, ["ted"]);
    assert!(scan.entries[2].authors.is_empty());
    let profiles: Vec<_> = scan.authors.iter().map(|p| (p.slug.as_str(), p.name.as_str(), p.has_profile)).collect();
    let expected = [
        ("jane-doe", "Jane  Doe", true),
        ("lone-coder", "Lone Coder", false),
        ("roe", "R. Roe", true),
        ("ted", "Ted", false),
    ];
    assert_eq!(profiles, expected);
    let jane = &scan.authors[0];
    assert_eq!(
        jane.bio,
        "<p><em>Writes</em> <a href=\"https://site.example/x/\" rel=\"nofollow noopener\">here</a></p>"
    );
    let avatar = jane.avatar.as_ref().expect("an avatar");
    assert_eq!(
        (avatar.url.as_str(), avatar.media_type.as_str()),
        ("https://site.example/authors/jane-doe/My%20Avatar.JPG", "image/jpeg")
    );
    assert_eq!((scan.authors[2].bio.as_str(), &scan.authors[2].avatar), ("<p>Body.</p>", &None));
    assert_eq!(said(&scan), [("content/post/a.md".to_owned(), None)]);
    assert!(!format!("{scan:?}").contains("@example.org"));
}

#[test]
fn content_is_rendered_as_hugo_does_and_cleaned() {
    let page = "https://site.example/post/a/";
    let link = |to: &str, text: &str| format!("<a href=\"{to}\" rel=\"nofollow noopener\">{text}</a>");
    for (body, expected) in [
        ("# T!\n\nText.", "<p>Text.</p>".to_owned()),
        ("![](h.png)\n# t\nText.", format!("<p><img src=\"{page}h.png\" alt=\"\"></p>\n<p>Text.</p>")),
        ("# Not the title\n", "<h2>Not the title</h2>".to_owned()),
        (
            "[![](./a.png)](../b/)",
            format!("<p>{}</p>", link("https://site.example/post/b/", &format!("<img src=\"{page}a.png\" alt=\"\">"))),
        ),
        ("a <img src='./x.png' onerror=1><script>1</script>", format!("<p>a <img src=\"{page}x.png\"></p>")),
        ("\"q\" -- it's... ~~x~~", "<p>“q” – it’s… <del>x</del></p>".to_owned()),
        ("www.a.example", format!("<p>{}</p>", link("http://www.a.example", "www.a.example"))),
        ("a[^1]\n\n[^1]: note", "<p>a<sup>[1]</sup></p>\n<ol>\n<li>\n<p>note</p>\n</li>\n</ol>".to_owned()),
        ("## H {#id}\n\n- [x] done", "<h2>H</h2>\n<ul>\n<li>☑ done</li>\n</ul>".to_owned()),
        ("{{< figure src=\"f.png\" alt=\"F\" >}}", format!("<p><img src=\"{page}f.png\" alt=\"F\"></p>")),
        ("[b]({{< ref \"a.md#x\" >}})", format!("<p>{}</p>", link(&format!("{page}#x"), "b"))),
    ] {
        let content = only("content/post/a/index.md", &format!("---\ntitle: T\n---\n{body}\n")).content;
        assert_eq!(content, expected, "{body}");
    }
    let plain =
        Site::new(&[("content/post/a.md", "a <b>b</b> :smile:\n\n<p>c</p>\n"), ("hugo.yaml", "enableEmoji: true")]);
    assert_eq!(plain.scan().entries[0].content, "<p>a b 😄</p>");
}

#[test]
fn summaries_come_from_the_first_place_that_has_one() {
    for (file, summary) in [
        ("---\ntitle: T\nsummary: S\n---\nA.\n\n<!--more-->\n\nB.", "<p>A.</p>"),
        ("---\ntitle: T\nsummary: '*S* & s'\ndescription: D\n---\nA.", "<p>S &amp; s</p>"),
        ("---\ntitle: T\ndescription: D\n---\nA.", "<p>D</p>"),
        ("---\ntitle: T\n---\n# H\n\nA.\n\nB.", "<p>A.</p><p>B.</p>"),
        ("---\ntitle: T\nsummary: T\n---\nA.", "<p>T</p>"),
        ("---\ntitle: T\n---\n![](a.png)", ""),
    ] {
        assert_eq!(only("content/post/a.md", file).summary, summary, "{file}");
    }
}

#[test]
fn covers_are_found_in_the_bundle_or_the_front_matter() {
    let site = Site::new(&[
        ("content/post/a/index.md", "---\nimage: {alt_text: Seen}\n---\nx"),
        ("content/post/a/My-Featured.PNG", ""),
        ("content/post/b/index.md", "---\nimage: {filename: b.webp}\n---\nx"),
        ("content/post/b/b.webp", ""),
        ("content/post/c.md", "---\nimage: /img/c.jpg\n---\nx"),
        ("content/post/d.md", "---\nimage: {placement: 1}\n---\nx"),
    ]);
    let scan = site.scan();
    let covers: Vec<_> = scan
        .entries
        .iter()
        .map(|entry| {
            entry.image.as_ref().map(|image| (image.url.as_str(), image.alt.as_str(), image.media_type.as_str()))
        })
        .collect();
    assert_eq!(
        covers,
        [
            Some(("https://site.example/post/a/My-Featured.PNG", "Seen", "image/png")),
            Some(("https://site.example/post/b/b.webp", "", "image/webp")),
            Some(("https://site.example/img/c.jpg", "", "image/jpeg")),
            None,
        ]
    );
}

#[test]
fn only_a_change_of_the_source_changes_the_fingerprint() {
    let base =
        "---\ntitle: T\ndate: 2024-01-01\nlastmod: 2024-01-01\ntags: [a]\nauthors: [x]\nsummary: s\n---\nOne.\nTwo.\n";
    let print = |text: &str| only("content/post/a.md", text).fingerprint;
    let first = print(base);
    assert!(first.starts_with("1:") && first.len() == 66);
    for same in [
        base.replace('\n', "\r\n"),
        base.replace("One.", "One.  "),
        base.replace("lastmod: 2024-01-01", "lastmod: 2025-01-01"),
        base.replace("title: T", "title: 'T  '"),
        format!("{base}\n\n"),
    ] {
        assert_eq!(print(&same), first, "{same}");
    }
    for other in [
        "title: T>title: U",
        "tags: [a]>tags: [b]",
        "[x]>[y]",
        "summary: s>summary: t",
        "Two>2",
        "title: T>title: T\nslug: b",
    ] {
        let (from, to) = other.split_once('>').expect("a change");
        assert_ne!(print(&base.replace(from, to)), first, "{other}");
    }
    let body = only("content/post/a.md", base).body_hash;
    assert_eq!(only("content/post/b.md", &base.replace("title: T", "title: U")).body_hash, body);
}

#[test]
fn fields_are_brought_into_shape() {
    let entry = only(
        "content/post/a.md",
        "---\ntitle: ' A  & B '\nTags: [Rust, rust, null, ' two words ', 7]\nlang: nl\ndate: 2024-01-01\n---\nx",
    );
    assert_eq!((entry.title.as_str(), entry.language.as_str()), ("A & B", "nl"));
    assert_eq!(entry.tags, ["Rust", "two words", "7"]);
    assert_eq!(entry.published, Timestamp::parse_rfc3339("2024-01-01T00:00:00Z"));
    assert_eq!(only("content/post/my-first_post.md", "x").title, "my first post");
    assert_eq!(only("content/post/a.md", "# Heading *one*\n\nx").title, "Heading one");
}

#[test]
fn a_word_on_the_fediverse_that_is_none_leaves_the_post_as_it_was() {
    for word in ["unlistd", "private", "2"] {
        let page = format!("---\nfediverse: {word}\n---\nx");
        let scan = Site::new(&[("content/post/a.md", &page), ("content/post/b.md", "x")]).scan();
        assert_eq!(keys(&scan), ["post/b"], "{word}");
        assert!(scan.unreadable.contains("post/a") && scan.complete);
        let [warning] = scan.warnings.as_slice() else { panic!("{:?}", scan.warnings) };
        assert!(warning.message.contains(word) && warning.message.contains("unlisted"), "{}", warning.message);
    }
    for word in ["true", "yes", "''", "'@ann@m.example'", "https://m.example/@ann", "null"] {
        let page = format!("---\nfediverse: {word}\n---\nx");
        assert_eq!(only("content/post/a.md", &page).visibility, Visibility::Public { until: None }, "{word}");
    }
}

#[test]
fn the_usual_sections_need_not_all_be_there() {
    let scan_all = |site: &Site| {
        let settings = Settings { sections: Vec::new(), ..site.settings() };
        scan(&settings, Memory::new(), now(), &mut |_, _| {}).expect("a scan")
    };
    let site = Site::new(&[("content/blog/a.md", "x")]);
    let found = scan_all(&site);
    assert_eq!((keys(&found), found.warnings.len()), (vec!["blog/a"], 0));
    let found = scan_all(&Site::new(&[("content/essays/a.md", "x")]));
    assert!(found.entries.is_empty());
    let [warning] = found.warnings.as_slice() else { panic!("{:?}", found.warnings) };
    assert!(warning.message.contains("`sections`"), "{}", warning.message);
}

#[test]
fn progress_is_told_to_the_end() {
    let site = Site::new(&[("content/post/a.md", "x"), ("content/post/b.md", "x")]);
    let mut told = Vec::new();
    scan(&site.settings(), Memory::new(), now(), &mut |done, all| told.push((done, all))).expect("a scan");
    assert_eq!(told, [(1, 3), (2, 3), (3, 3)]);
}

//! Front matter, dates, configuration and languages, each in all its forms.

use super::Tree;

pub(super) fn all() -> Vec<Tree> {
    let mut all = vec![scalars(), published(), formats()];
    let words =
        ["published: true", "published: false", "{published: false, draft: false}", "{published: true, draft: true}"];
    all.push(Tree { refused_since: Some(123), ..Tree::new("published in words", "").heads("post", &words) });
    all.push(Tree {
        refused_since: Some(145),
        ..Tree::new("built, older word", "")
            .heads("post", &["_build: {render: never}", "_build: {render: link}", "_build: {list: never}"])
    });
    all.push(
        Tree::new("built", "")
            .heads("post", BUILT)
            .file("content/post/headless/index.md", "---\nheadless: true\n---\nx"),
    );
    all.extend(dates());
    all.extend(orders());
    all.extend(cascades());
    all.extend(configured());
    all.extend(languages());
    all.extend(sections());
    all
}

/// What YAML makes of plain words, seen through the slug.
fn scalars() -> Tree {
    Tree::new("scalars", "").heads(
        "post",
        &[
            "slug: 010",
            "slug: 08",
            "slug: 0x1F",
            "slug: 1_000",
            "slug: 1e3",
            "slug: .5",
            "slug: +5",
            "slug: 0b11",
            "slug: 0o17",
            "slug: ~",
            "slug: null",
            "slug: No",
            "slug: 'off'",
            "slug: '010'",
            "slug: 1.0",
            "slug: -3",
            "slug: 0",
            "slug: [a]",
            "slug: {a: b}",
            "slug: >-\n  a\n  b",
            "slug: |\n  line\n",
            "Slug: upper",
            "url: 12",
            "url: true",
            "title: [x]\nslug: z",
            "slug: 1.10",
            "slug: 20230401",
            "slug: !!str 12",
            "slug: &x anchored\ntitle: *x",
            "\"slug\": quoted",
            "? slug\n: complex",
        ],
    )
}

fn published() -> Tree {
    Tree::new("published", "").heads(
        "post",
        &[
            "draft: true",
            "draft: 'true'",
            "draft: yes",
            "draft: 1",
            "draft: 0",
            "draft: 'no'",
            "draft: TRUE",
            "draft: t",
            "draft: ''",
            "draft: null",
            "Draft: true",
            "DRAFT: false",
            "date: 2999-01-01",
            "{date: 2999-01-01, publishDate: 2024-01-01}",
            "{date: 2024-01-01, publishDate: 2999-01-01}",
            "expiryDate: 2020-10-31",
            "expiryDate: 2999-10-31",
            "unpublishdate: 2020-01-01",
            "pubdate: 2999-01-01",
            "published: 2999-01-01",
            "lastmod: 2024-01-01",
            "modified: 2024-02-01",
            "lastmod: 2999-01-01\ndate: 2024-01-01",
            "{expiryDate: 2999-01-01, publishDate: 2998-01-01}",
            "{publishDate: '', date: 2024-01-01}",
            "{date: null, lastmod: 2024-01-01}",
            "{params: {draft: true}}",
            "{params: {date: 2024-05-05}}",
            "{params: {slug: x, url: /y/}}",
            "{params: {expiryDate: 2020-01-01}}",
        ],
    )
}

const BUILT: &[&str] = &[
    "build: {render: never}",
    "build: {render: link}",
    "build: {list: never}",
    "build: {list: local}",
    "build: {render: always}",
    "build: {render: false}",
    "build: {publishResources: false}",
    "build: {list: false}",
    "build: {render: NEVER}",
    "headless: true",
];

/// Front matter in other clothes.
fn formats() -> Tree {
    Tree::new("formats", "timeZone: Europe/Amsterdam")
        .file("content/post/toml.md", "+++\ntitle = 'a'\ndate = 2024-03-05\nslug = 'tml'\n+++\nx")
        .file("content/post/toml-time.md", "+++\ndate = 2024-03-05T10:00:00\n+++\nx")
        .file("content/post/toml-zulu.md", "+++\ndate = 2024-03-05T10:00:00Z\n+++\nx")
        .file("content/post/toml-offset.md", "+++\ndate = 2024-03-05 10:00:00+05:30\n+++\nx")
        .file("content/post/toml-text.md", "+++\ndate = '2024-03-05'\nDraft = true\n+++\nx")
        .file("content/post/toml-fraction.md", "+++\ndate = 2024-07-05T10:00:00.5\n+++\nx")
        .file("content/post/json.md", "{\n\"title\": \"a\", \"date\": \"2024-03-05\", \"slug\": \"j}s\"\n}\nx")
        .file("content/post/json-number.md", "{\"slug\": 12.0, \"draft\": \"true\"}\nx")
        .file("content/post/json-case.md", "{\"SLUG\": \"up\"}\n\nx")
        .file("content/post/bom.md", "\u{feff}---\nslug: bommed\n---\nx")
        .file("content/post/blank.md", "\n\n---\nslug: blanked\n---\nx")
        .file("content/post/crlf.md", "---\r\nslug: crlfed\r\ndate: 2024-03-05\r\n---\r\nx")
        .file("content/post/empty.md", "")
        .file("content/post/only-text.md", "Text")
        .file("content/post/empty-head.md", "---\n---\nx")
        .file("content/post/comment.md", "---\n# nothing\n---\nx")
        .file("content/post/rule.md", "Text\n\n---\nslug: no\n---\n")
        .file("content/post/no-body.md", "---\nslug: nobody\n---")
        .file("content/post/trailing.md", "--- \nslug: trailing\n--- \nx")
        .file("content/post/inner.md", "---\nslug: inner\ntext: |\n  a\n  ---\n  b\n---\nx")
        .file("content/post/page.html", "---\nslug: html\n---\n<p>x</p>")
        .file("content/post/quoted-tabs.md", "---\nslug: \"a\\tb\"\n---\nx")
}

const DATES: &[&str] = &[
    "2024-03-05",
    "'2024-03-05'",
    "2024-03-05T10:00:00",
    "2024-03-05T10:00:00Z",
    "2024-03-05T10:00:00+02:00",
    "2024-03-05 10:00:00",
    "2024-03-05 10:00:00 +0200",
    "2024-03-05 10:00:00 +02:00",
    "2024-03-05 10:00:00+02:00",
    "'2024-03-05T10:00:00+0200'",
    "'2024-03-05T10:00:00.123456Z'",
    "'15 Oct 2023'",
    "'Mon, 02 Jan 2006 15:04:05 -0700'",
    "'Mon, 02 Jan 2006 15:04:05 MST'",
    "'Mon Jan  2 15:04:05 2006'",
    "'Mon Jan 2 15:04:05 MST 2006'",
    "'02 Jan 06 15:04 MST'",
    "'02 Jan 06 15:04 -0700'",
    "'Monday, 02-Jan-06 15:04:05 MST'",
    "'Mon Jan 02 15:04:05 -0700 2006'",
    "'2006-01-02 15:04:05.999999999 -0700 MST'",
    "'2023-10-15 13:18:00 +0000 UTC'",
    "1709596800",
    "'2024-07-05T10:00:00'",
    "2024-07-05 10:00:00.5",
    "'2024-03-31T02:30:00'",
    "'2024-10-27T02:30:00'",
    "'0001-01-01'",
    "'1970-01-01'",
    "'2006-01-02T15:04:05'",
    "'2024-02-29'",
    "2024-03-05T10:00:00 ",
    "'Jan  2 15:04:05'",
    "'2024-03-05 10:00:00Z'",
    "20240305",
];

/// Newer versions stop at these; older ones showed no date.
const NO_DATES: &[&str] = &[
    "'1709596800'",
    "2024-3-5",
    "2024-03-05t10:00:00z",
    "1.5",
    "'Jan _2 15:04:05.000'",
    "2001-12-14 21:59:43.10 -5",
    "2001-12-14t21:59:43.10-05:00",
    "' 2024-03-05'",
    "'2024-03-05 '",
    "'2024/03/05'",
    "'05.03.2024'",
    "'March 5, 2024'",
    "'5 March 2024'",
    "'2023-10-15 13:18'",
];

fn dates() -> Vec<Tree> {
    let heads: Vec<String> = DATES.iter().map(|date| format!("date: {date}")).collect();
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let in_zone =
        |zone: &str| Tree::new(&format!("dates in {zone}"), &format!("timeZone: {zone}")).heads("post", &heads);
    let mut all = ["UTC", "Europe/Amsterdam", "America/New_York", "Asia/Kolkata"].map(in_zone).to_vec();
    for date in NO_DATES {
        let head = format!("date: {date}");
        all.push(Tree { refused_since: Some(123), ..Tree::new(&head, "").heads("post", &[&head]) });
    }
    all
}

/// The configuration's `frontmatter`.
fn orders() -> Vec<Tree> {
    let names = [
        "2024-01-02-named.md",
        "2024-01-02.md",
        "2024-01-02 - Two Words/index.md",
        "2024-13-45-no.md",
        "2024-01-02T10-00-x.md",
        "x.md",
        "20240102-x.md",
        "2024-01-02_a_b.md",
    ];
    let configs = [
        "date: [':filename', ':default']",
        "date: [':default', ':filename']",
        "publishDate: [':filename']",
        "date: [':fileModTime', date]",
        "lastmod: [':fileModTime']",
        "date: [mydate, date]",
        "expiryDate: [until]",
        "date: ':filename'",
        "date: [':git', date]",
        "{date: [publishDate], publishDate: [date]}",
        "date: [lastmod]",
        "date: [':Filename', ':Default']",
    ];
    let mut all = Vec::new();
    for config in configs {
        let table = if config.starts_with('{') { config.to_owned() } else { format!("{{{config}}}") };
        let mut tree = Tree::new(config, &format!("frontmatter: {table}")).names("post", &names);
        for name in names {
            tree = tree.file(&format!("content/news/{name}"), "---\ntitle: T\n---\nx");
        }
        all.push(tree.heads(
            "blog",
            &[
                "mydate: 2023-01-01\ndate: 2022-01-01",
                "until: 2020-01-01",
                "slug: own\ndate: 2024-01-01",
                "publishDate: 2021-01-01\ndate: 2022-01-01\nlastmod: 2023-01-01",
                "modified: 2020-02-02",
            ],
        ));
    }
    all
}

fn cascades() -> Vec<Tree> {
    let below = |cascade: &str| {
        Tree::new(cascade, "")
            .file("content/post/_index.md", &format!("---\n{cascade}\n---\n"))
            .file("content/post/a.md", "---\ntitle: A\n---\nx")
            .file("content/post/own.md", "---\ndraft: false\ndate: 2020-01-01\nparams: {a: 1}\n---\nx")
            .file("content/post/deep/_index.md", "---\ntitle: deep\n---\n")
            .file("content/post/deep/b.md", "x")
            .file("content/post/deep/bundle/index.md", "x")
            .file("content/post/nearer/_index.md", "---\ncascade: {date: 2021-01-01}\n---\n")
            .file("content/post/nearer/c.md", "x")
            .file("content/news/d.md", "x")
    };
    [
        "cascade: {draft: true}",
        "cascade: {date: 2024-01-01}",
        "cascade: [{date: 2024-01-01}, {draft: true}]",
        "cascade: [{date: 2024-01-01}, {date: 2025-01-01, draft: true}]",
        "cascade: {_target: {path: '/post/deep/**'}, draft: true}",
        "cascade: [{_target: {path: '/post/a'}, draft: true}, {date: 2022-01-01}]",
        "cascade: {_target: {path: '/post/*'}, draft: true}",
        "cascade: {_target: {path: '{/post/a,/post/deep/*}'}, draft: true}",
        "cascade: {_target: {kind: page}, draft: true}",
        "cascade: {_target: {kind: section}, draft: true}",
        "cascade: {_target: {kind: '{page,section}'}, draft: true}",
        "cascade: {_target: {kind: PAGE}, draft: true}",
        "cascade: {_target: {environment: production}, draft: true}",
        "cascade: {_target: {environment: staging}, draft: true}",
        "cascade: {_target: {environment: 'prod*'}, draft: true}",
        "cascade: {_target: {path: '**'}, draft: true}",
        "cascade: {_target: {path: '/news/**'}, draft: true}",
        "cascade: {params: {draft: true}}",
        "cascade: {Draft: true}",
        "cascade: {_target: {path: '/POST/A'}, draft: true}",
        "cascade: {url: '/u/:slug/'}",
        "cascade: {expiryDate: 2020-01-01}",
        "cascade: {_target: {path: '/post/?'}, draft: true}",
        "cascade: {_target: {path: '/post/[ab]'}, draft: true}",
        "cascade: {_target: {path: '/post/deep'}, draft: true}",
        "cascade: {_target: {path: 'post/a'}, draft: true}",
        "cascade: {_target: {path: '/post/deep/**', kind: section}, draft: true}",
    ]
    .into_iter()
    .map(below)
    .chain([
        Tree { refused_since: Some(150), ..below("cascade: {_target: {lang: en}, draft: true}") },
        Tree { refused_since: Some(150), ..below("cascade: {_target: {lang: nl}, draft: true}") },
        Tree { since: 146, ..below("cascade: {target: {path: '/post/deep/**'}, draft: true}") },
        Tree::new("of the site", "cascade: {date: 2024-01-01}")
            .names("news", &["n.md"])
            .file("content/post/a.md", "x")
            .file("content/post/_index.md", "---\ncascade: {date: 2023-01-01}\n---\n"),
        Tree::new("of the site, in a list", "cascade: [{_target: {path: /post/**}, draft: true}, {date: 2024-01-01}]")
            .file("content/post/a.md", "x")
            .file("content/news/a.md", "x"),
        Tree::new("from the home page", "")
            .file("content/_index.md", "---\ncascade: {draft: true}\n---\n")
            .file("content/post/a.md", "x")
            .file("content/post/b/index.md", "---\ndraft: false\n---\nx"),
    ])
    .collect()
}

/// A section's own `slug` and `url`.
fn sections() -> Vec<Tree> {
    [
        "slug: other",
        "url: /elsewhere/",
        "title: Deep",
        "headless: true",
        "draft: true",
        "build: {render: never}",
        "_build: {render: never}",
    ]
    .map(|head| {
        let refused_since = head.starts_with('_').then_some(145);
        let tree = Tree::new(&format!("section {head}"), "")
            .names("post", &["a.md", "deep/b.md", "deep/er/c/index.md"])
            .file("content/post/deep/_index.md", &format!("---\n{head}\n---\n"));
        Tree { refused_since, ..tree }
    })
    .to_vec()
}

fn configured() -> Vec<Tree> {
    let site = |config: &str| {
        Tree::new(config, config)
            .names("post", &["a.md", "B C/index.md", "deep/x.md"])
            .names("news", &["a.md", "2024/b.md"])
            .heads("blog", &["slug: s", "url: /u/", "date: 2024-03-05\ntitle: Long Title"])
    };
    vec![
        site("permalinks: {post: '/p/:filename/', news: '/:year/:slug'}"),
        site("permalinks: {Post: '/p/:filename/'}"),
        site("permalinks: {/: '/root/:filename/'}"),
        Tree { since: 115, ..site("permalinks: {page: {post: '/p/:filename/'}, section: {post: '/s/'}}") },
        Tree { since: 123, ..site("permalinks: {page: {post: '/p/:filename/'}, news: '/n/:filename'}") },
        Tree { since: 131, ..site("permalinks: {post: '/p/:contentbasename/:slugorcontentbasename/'}") },
        Tree {
            since: 161,
            ..site(
                "permalinks: [{target: {kind: page, path: '/post/**'}, pattern: '/p/:slug/'}, {target: {path: '/news/*'}, pattern: '/n/:slug/'}, {pattern: '/rest/:slug'}]",
            )
        },
        Tree {
            since: 161,
            ..site(
                "permalinks: [{target: {kind: section}, pattern: '/p/:slug/'}, {target: {path: '{/post/a,/blog/**}'}, pattern: '/n/:contentbasename/'}]",
            )
        },
        // Of two patterns that both fit, Hugo takes one by chance.
        Tree { since: 161, ..site("permalinks: {post/deep: '/deep/:contentbasename/'}") },
        Tree { since: 161, ..site(r"permalinks: {post: '/p\:x/:contentbasename'}") },
        site("uglyURLs: {post: true}"),
        site("uglyURLs: {post: false, news: true, blog: true}"),
        site("ignoreFiles: ['B C', '\\.x$', 'deep/']"),
        site("ignoreFiles: ['news/a']"),
        site("ignoreFiles: ['^content/post']"),
        site("contentDir: content"),
        site("buildDrafts: true\nbuildFuture: true\nbuildExpired: true"),
        site("disableKinds: [taxonomy, term, RSS, sitemap]"),
        site("timeZone: America/New_York\npermalinks: {post: '/:year/:month/:day/:filename'}"),
    ]
}

fn languages() -> Vec<Tree> {
    let files = |tree: Tree| {
        tree.names(
            "post",
            &[
                "a.md",
                "a.nl.md",
                "b.nl.md",
                "c/index.md",
                "c/index.nl.md",
                "d.en.md",
                "e.fr.md",
                "f.pt-br.md",
                "v1.2.md",
                "v1.2.nl.md",
                "g/index.nl.md",
                "sub/_index.nl.md",
                "sub/h.md",
                "sub/h.nl.md",
            ],
        )
        .file("content/post/u.nl.md", "---\nurl: /vast/\ndate: 2024-03-05\n---\nx")
        .file("content/post/r.nl.md", "---\nurl: los/\ndate: 2024-03-05\n---\nx")
        .file("content/post/s.nl.md", "---\nslug: Eigen Naam\ndate: 2024-03-05\ntranslationKey: k\n---\nx")
        .file("content/post/n.nl.md", "---\nurl: /nl/al/\ndate: 2024-03-05\n---\nx")
    };
    let tree = |name: &str, config: &str| files(Tree::new(name, config));
    vec![
        tree("one", ""),
        tree("two", "languages: {en: {weight: 1}, nl: {weight: 2}}"),
        tree("all in folders", "defaultContentLanguageInSubdir: true\nlanguages: {en: {weight: 1}, nl: {weight: 2}}"),
        tree("Dutch first", "defaultContentLanguage: nl\nlanguages: {en: {weight: 1}, nl: {weight: 2}}"),
        tree("three", "languages: {en: {weight: 1}, nl: {weight: 2}, pt-br: {weight: 3}, fr: {disabled: true}}"),
        tree("left out", "disableLanguages: [fr]\nlanguages: {en: {weight: 1}, nl: {weight: 2}, fr: {weight: 3}}"),
        tree("folders", "languages: {en: {weight: 1, contentDir: content}, nl: {weight: 2, contentDir: inhoud}}").file("inhoud/post/z.md", "---\ndate: 2024-03-05\n---\nx").file("inhoud/post/q/index.md", "x").file("inhoud/post/w.en.md", "x"),
        tree("own permalinks", "permalinks: {post: '/p/:filename/'}\nlanguages: {en: {weight: 1}, nl: {weight: 2, permalinks: {post: '/b/:filename/'}}}"),
        Tree { since: 123, ..tree("own zone", "timeZone: UTC\nlanguages: {en: {weight: 1}, nl: {weight: 2, timeZone: Europe/Amsterdam}}") },
        Tree { since: 123, ..tree("own switches", "languages: {en: {weight: 1}, nl: {weight: 2, uglyURLs: true, disablePathToLower: true}}") },
        tree("hosts", "languages: {en: {weight: 1, baseURL: 'https://site.example/'}, nl: {weight: 2, baseURL: 'https://nl.example/'}}"),
        Tree { since: 153, ..tree("mounts for languages", "languages: {en: {weight: 1}, nl: {weight: 2}, fr: {weight: 3}}\nmodule: {mounts: [{source: content, target: content}, {source: nl, target: content, sites: {matrix: {languages: [nl]}}}, {source: both, target: content/news, sites: {matrix: {languages: ['{nl,fr}']}}}]}").file("nl/post/k.md", "x").file("both/l.md", "x") },
        Tree { since: 112, refused_since: Some(153), ..tree("mounts", "languages: {en: {weight: 1}, nl: {weight: 2}}\nmodule: {mounts: [{source: content, target: content}, {source: docs, target: content/docs}, {source: nl, target: content, lang: nl}]}").file("docs/m.md", "x").file("docs/m.nl.md", "x").file("nl/post/k.md", "x").file("nl/docs/l.md", "x") },
        Tree::new("cascades of languages", "languages: {en: {weight: 1}, nl: {weight: 2}}").names("post", &["a.md", "a.nl.md"]).file("content/post/_index.md", "---\ncascade: {draft: true}\n---\n").file("content/post/_index.nl.md", "---\ncascade: {expiryDate: 2020-01-01}\n---\n"),
        Tree::new("cascade of one language", "languages: {en: {weight: 1}, nl: {weight: 2}}").names("post", &["a.md", "a.nl.md"]).file("content/post/_index.md", "---\ncascade: {draft: true}\n---\n"),
    ]
}

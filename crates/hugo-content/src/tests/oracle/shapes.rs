//! Trees that each show one thing in all its forms.

use super::Tree;

pub(super) fn all() -> Vec<Tree> {
    let mut all = vec![names(), kinds()];
    all.extend(addresses());
    all.extend(super::more_shapes::all());
    all
}

const PLAIN: &[&str] = &[
    "a.md",
    "B Dir/index.md",
    "c  d.md",
    "v1.2.md",
    "日本.md",
    "Été & Co.md",
    "It's (a) test, ok?.md",
    "a+b~c@d#e_f.md",
    "under_score.md",
    "A.B.C.md",
    "100%.md",
    "50%25.md",
    "dot.dir/x.md",
    "trail .md",
    "-lead-.md",
    "x--y.md",
    "İstanbul.md",
    "ﬁ.md",
    "ß.md",
    "e\u{301}x.md",
    "emoji😀.md",
    "comma,semi;colon.md",
    "q=1&b.md",
    "back\\slash.md",
    "deep/er/Page.md",
    "ΣΑΣ.md",
    "a_b-C.md",
    "a - b.md",
    "tab\there.md",
    "a..b.md",
    "a...md",
    "…dots.md",
    "“quoted”.md",
    "ａｂ.md",
    "x²y.md",
    "№5.md",
    "a\u{a0}b.md",
    "हिन्दी.md",
    "a–b.md",
    "a—b.md",
    "_Index2.md",
    "readme.MD",
    "a:b.md",
    "a*b.md",
    "a|b.md",
    "[x].md",
    "{y}.md",
    "z!.md",
    "$1.md",
    "~.x.md",
];

fn names() -> Tree {
    Tree::new("names", "").names("post", PLAIN)
}

fn kinds() -> Tree {
    Tree::new("kinds", "")
        .names(
            "post",
            &[
                "single.md",
                "bundle/index.md",
                "bundle/resource.md",
                "bundle/sub/resource.md",
                "bundle/sub/index.md",
                "bundle/sub/_index.md",
                "html.html",
                "htm.htm",
                "markdown.markdown",
                "mdown.mdown",
                "x.mmark",
                "a.txt",
                "_index.md",
                "sec/_index.md",
                "sec/a.md",
                "sec/b/index.md",
                "sec/deep/er/a.md",
                ".hidden.md",
                ".dir/a.md",
                "back~",
                "back.md~",
                "#x.md",
                "o.org",
                "r.rst",
                "ad.adoc",
                "pa.pandoc",
                "as.asciidoc",
                "adx.ad",
                "pd.pdc",
                "x.md.bak",
                "both/index.md",
                "both/index.html",
                "both2/a.md",
                "both2/a.html",
                "noindex/a/index.md",
                "htmlbundle/index.html",
                "htmlbundle/x.md",
                "orgbundle/index.org",
                "orgbundle/x.md",
                "z/_index.md",
                "z/index.md",
                "z/other.md",
                "node_modules/x.md",
                "sec.html/a.md",
            ],
        )
        .file("content/post/nofm.md", "Text.")
        .file("content/post/nofm2.html", "<p>Text.</p>")
        .file("content/news/a.md", "x")
}

const HEADS: &[&str] = &[
    "slug: My Slug!",
    "slug: ÉTÉ/sub",
    "slug: -a-",
    "slug: 007",
    "slug: 1.50",
    "slug: true",
    "slug: 12",
    "slug: ''",
    "slug: ' a '",
    "slug: a/",
    "slug: /a",
    "slug: a.b",
    "slug: a.html",
    "slug: index",
    "url: /Custom/Path01",
    "url: /Custom/Page.html",
    "url: rel/path here/é/",
    "url: rel/x",
    "url: /a.b/c01",
    "url: /v1.0/",
    "url: /v1.1",
    "url: /a//b01/",
    "url: /a/../b02/",
    "url: /q03?x=1",
    "url: /h04#x",
    "url: ' /s05/ '",
    "url: /e06/index.html",
    "url: /E07/INDEX.HTML",
    "url: /%41/08/",
    "url: /ü09/",
    "url: /a b10/",
    "url: /en/11",
    "url: a12.htm",
    "url: ''",
    "url: /It's 13/",
    "url: /x_14/(a)",
    "url: /nl/16/",
    "title: 'Hello, Big World: été!'",
    "title: 12",
    "title: ''",
    "title: 'x'\nslug: y",
    "title: '  a   b  '",
    "title: 'A & B / C'",
];

const PATTERNS: &[&str] = &[
    "/n/:year/:title/",
    "/:section/:year/:month/:day/:monthname-:weekday-:yearday/:slugorfilename/",
    "/N x/:sections[last]/:filename",
    "/:weekdayname/:slug",
    ":title",
    "/:year/:slug.html",
    "/:sections/:filename/",
    "/:sections[1]/:filename",
    "/:sections[0]/:filename",
    "/:sections[1:]/:filename",
    "/:sections[:1]/:filename",
    "/:sections[1:last]/:filename",
    "/:sections[:last]/:filename",
    "/:sections[last:]/:filename",
    "/:2006/:01/:02/:filename",
    "/:2006-01-02/:filename/",
    "/:Jan/:_2/:filename",
    "/:20060102-:filename",
    "/x.y/:filename",
    "/É/:filename",
    "/a b/:filename",
    "/:filename.:slug",
    "/p/:title.html",
    "/:filename/index.html",
    "/Mon/:Mon/:filename",
    "/:January/:Monday/:06/:1/:2/:002/:filename",
    "/:filename/x/",
];

const TITLED: &[(&str, &str)] = &[
    ("One é.md", "title: 'Hello, Big World: été!'\ndate: 2024-03-05"),
    ("two.md", "title: T/U\ndate: 2024-12-31T23:30:00-05:00\nslug: Zwei Drei"),
    ("Three  Blanks/index.md", "title: 'a  b'\ndate: 1999-01-01"),
    ("deep/Er/four.md", "title: 'über'\ndate: 2024-03-05"),
    ("deep/_index.md", "title: Deep Section"),
    ("deep/Er/five/index.md", "title: Five."),
    ("C++.md", "title: About C++\ndate: 2024-03-05"),
    ("v1.2.md", "title: v1.2\ndate: 2024-11-09"),
];

fn titled(mut tree: Tree) -> Tree {
    for (name, head) in TITLED {
        tree = tree.file(&format!("content/post/{name}"), &format!("---\n{head}\n---\nText."));
    }
    tree
}

fn addresses() -> Vec<Tree> {
    let mut all = vec![Tree::new("heads", "").heads("post", HEADS)];
    for config in [
        "removePathAccents: true",
        "disablePathToLower: true",
        "uglyURLs: true",
        "defaultContentLanguageInSubdir: true",
        "{removePathAccents: true, disablePathToLower: true}",
    ] {
        let config = config.trim_matches(['{', '}']).replace(", ", "\n");
        all.push(titled(Tree::new(&config, &config).names("post", PLAIN)));
        all.push(Tree::new(&format!("heads {config}"), &config).heads("post", HEADS));
    }
    all.push(Tree { since: 123, ..titled(Tree::new("beyond", "permalinks: {post: '/:sections[5]/:filename'}")) });
    for pattern in PATTERNS {
        all.push(titled(Tree::new(pattern, &format!("permalinks: {{post: '{pattern}'}}"))));
    }
    all
}

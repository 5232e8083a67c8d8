//! What bodies say: beside each real Hugo of this machine, and where Veerpont knows better than a text comparison.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::*;

/// A body, the first minor version of Hugo 0.x whose text it has, and settings it needs beyond the usual.
struct Case(&'static str, u32, &'static str);

const PLAIN: &str = "";
const BLOCK: &str = "markup: {goldmark: {parser: {attribute: {block: true}}}}";
const EXTRAS: &str = "markup: {goldmark: {extensions: {strikethrough: false, extras: {subscript: {enable: true}, \
    superscript: {enable: true}, insert: {enable: true}, mark: {enable: true}, delete: {enable: true}}}}}";
const MATHS: &str = "markup: {goldmark: {extensions: {passthrough: {enable: true, delimiters: {block: [['\\[', '\\]'], \
    ['$$', '$$']], inline: [['\\(', '\\)']]}}}}}";
const QUOTES: &str = "markup: {goldmark: {extensions: {typographer: {leftDoubleQuote: '&bdquo;', rightDoubleQuote: '&ldquo;', \
    leftSingleQuote: '&sbquo;', rightSingleQuote: '&lsquo;'}}}}";
const TYPED: &str = "markup: {goldmark: {extensions: {typographer: {disable: true}, linkify: false, footnote: false}}}";
const UNSAFE: &str = "markup: {goldmark: {renderer: {unsafe: true}}}";

const CASES: &[Case] = &[
    Case(
        "a *b* **c** `d` [e](f.md \"t\") ![g \"h\"](i.png) <https://a.example>\n\n[r][x] [x]\n\n[x]: http://r.example\n",
        111,
        PLAIN,
    ),
    Case("# One\n\nTwo\n===\n\nThree\n---\n\n#NoSpace\n\n### H ###\n", 111, PLAIN),
    Case("1. a\n   - b\n\n     c\n2. d\n\n10) x\n\na  \nb\\\nc\nd\n", 111, PLAIN),
    Case("    code \"q\" --\n\n```\nfence \"q\" -- {{</* x */>}}\n```\n\n`a \"b\" --`\n", 111, PLAIN),
    Case("&copy; &amp; &lt; &#8364; &nosuch; \\* \\\" \\'x\\' {{ x }} {% y %}\n", 111, PLAIN),
    Case("| a | b |\n|:--|--:|\n| `x|y` | **\"b\"** |\n| 1 \\| 2 | |\n\nText | not\n", 111, PLAIN),
    Case("~~a~~ and ~~two words~~\n", 111, PLAIN),
    Case("~b~ a~b~c\n", 130, PLAIN),
    Case(
        "www.example.org and https://a.example/x_(y). mail a@b.example, <me@x.example> http://x.example/?a=b--c&d='e'!\n",
        111,
        PLAIN,
    ),
    Case("- [ ] open\n- [x] done\n- plain\n  - [X] nested\n", 111, PLAIN),
    Case(
        "A[^1] and B[^note] and[^nodef].\n\n[^1]: First *note*.\n[^note]: Second\n    more.\n\n    Para two.\n\nEnd.\n",
        111,
        PLAIN,
    ),
    Case(
        "Term\n: One\n: *Two*\n\nOther term\nAlso\n: It has\n  more\n\n    second\n\ntext : not\n:nospace\n",
        111,
        PLAIN,
    ),
    Case("Term\n\n: After a blank\n", 111, PLAIN),
    Case("\"Double\" 'single' it's '90s -- a --- b ... <<guil>> don't (\"x\") 5'10\" tall\n", 111, PLAIN),
    Case(
        "\"'nested'\" rock 'n' roll, the '60s, l'été, O'Neil's \"quote,\" he said. \"A\"-\"B\" ('x') 'Tis\n",
        111,
        PLAIN,
    ),
    Case("the Smiths' house, doin' it. \"*a*\" \"`b`\" '**c**' \"Monitor 21\"\" --x-- a--b 1--2 .... ..\n", 111, PLAIN),
    Case("\"a\nb\" and 'c\nd' it's \"I've\", 'you're', \"he'll\"\n\n\"unclosed\n\nclosed\"\n", 111, PLAIN),
    Case(
        "## Head {.cls #id}\n\n## Two {data-x=\"y\"}\n\nSetext {.z}\n===\n\nPara {.not} this\n{.nor}\n\n## Not {this}\n",
        111,
        PLAIN,
    ),
    Case(
        "Para\n{.para}\n\n> quote\n{.q title=\"x\"}\n\n- a\n- b\n{.list}\n\n| a |\n|---|\n| 1 |\n{.table}\n\nEnd\n",
        111,
        BLOCK,
    ),
    Case("H~2~O x^2^ ==mark== ++ins++ ~~gone~~\n", 130, EXTRAS),
    Case("H~~2~~O x^2^ ==mark== ++ins++\n", 111, PLAIN),
    Case("\\(a_b *c* \"d\"\\) and \\[x < y\\] and $$a*b*c$$ `\\(k\\)`\n", 130, MATHS),
    Case("$a_b_c$ and \\(y_z\\) and \\[w\\]\n", 111, PLAIN),
    Case("\"a\" 'b' it's -- \"c\"\n", 112, QUOTES),
    Case("\"a\" 'b' it's -- ... www.example.org A[^1]\n", 112, TYPED),
    Case("<div class=\"x\">\n\n*in*\n\n</div>\n\n<b>raw</b> <!-- c --> t <span>s</span>\n\n<p>para</p>\n", 111, PLAIN),
    Case("<div class=\"x\">\n\n*in*\n\n</div>\n\n<b>raw</b> <!-- c --> t <span>s</span>\n\n<p>para</p>\n", 111, UNSAFE),
    Case("> [!NOTE]\n> Watch *this*.\n", 111, PLAIN),
    Case("你好\n世界 **强调**文字 :smile: :+1: :nosuch: 10:30:20\n", 111, "enableEmoji: true"),
    Case("not :smile: here\n", 111, PLAIN),
    Case("a {{</* youtube x */>}} b {{%/* y */%}}\n", 111, PLAIN),
    Case("{{< figure src=\"a.png\" caption=\"A *b*\" title=\"T\" >}}\n", 111, PLAIN),
    Case("before\n{{< highlight go >}}\nx := \"y\" // <a>\n{{< /highlight >}}\nafter\n", 111, PLAIN),
    Case("```go {linenos=false}\ncode\n```\n", 111, PLAIN),
    Case("[t]({{< ref \"p00.md\" >}}) and [u]({{% relref \"p01\" %}})\n", 111, PLAIN),
    Case("{{< details summary=\"S\" >}}\nin *here*\n{{< /details >}}\n", 140, PLAIN),
    Case("{{% plain %}}*a* -- b{{% /plain %}} {{< plain >}}c{{< /plain >}}\n", 111, PLAIN),
    Case("{{< param \"motto\" >}} {{% param \"motto\" %}}\n", 111, "params: {motto: 'a & b'}"),
];

/// Every `hugo` on the search path, each version once.
fn programs() -> Vec<(u32, PathBuf)> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let mut versions = BTreeSet::new();
    let mut found = Vec::new();
    for program in std::env::split_paths(&folders).map(|folder| folder.join("hugo")).filter(|file| file.is_file()) {
        let Ok(output) = Command::new(&program).arg("version").output() else { continue };
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let Some((_, minor)) = text.split_once("hugo v0.") else { continue };
        let minor = minor.split('.').next().and_then(|minor| minor.parse().ok()).expect("a version");
        if versions.insert(minor) {
            found.push((minor, program));
        }
    }
    found
}

/// What Hugo makes of a page, as text without what differs between renderers.
fn hugos(file: &Path) -> String {
    let page = Url::parse("https://site.example/post/p/").expect("an address");
    let text = html::text(&html::clean_at(&std::fs::read_to_string(file).expect("Hugo's page"), &page));
    words(&text.replace("↩\u{fe0e}", ""))
}

fn ours(entry: &Entry) -> String {
    let text = html::text(&entry.content);
    let text = (1..=3).fold(text, |text, n| text.replace(&format!("[{n}]"), &n.to_string()));
    words(&text.replace(['☐', '☑'], " "))
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn bodies_say_what_real_hugo_makes_of_them() {
    let programs = programs();
    if programs.is_empty() {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "there is no `hugo` on the search path");
        println!("SKIPPED: there is no `hugo` on the search path");
        return;
    }
    let settings: BTreeSet<&str> = CASES.iter().map(|case| case.2).collect();
    for (version, program) in programs {
        let mut differences = Vec::new();
        for setting in &settings {
            let site = Site::new(&[
                ("layouts/_default/single.html", "{{ .Content }}"),
                ("layouts/shortcodes/plain.html", "{{ .Inner }}"),
            ]);
            site.write("hugo.yaml", &format!("baseURL: https://site.example/\ndisableKinds: [home, section, taxonomy, term, RSS, sitemap, '404']\n{setting}\n"));
            let cases: Vec<&Case> = CASES.iter().filter(|case| case.2 == *setting && case.1 <= version).collect();
            if cases.is_empty() {
                continue;
            }
            for (n, case) in cases.iter().enumerate() {
                site.write(
                    &format!("content/post/p{n:02}.md"),
                    &format!("---\ntitle: Case number {n}\n---\n{}", case.0),
                );
            }
            for n in cases.len()..2 {
                site.write(&format!("content/post/p{n:02}.md"), "filler");
            }
            let output = Command::new(&program).args(["--source"]).arg(site.0.path()).output().expect("hugo runs");
            assert!(
                output.status.success(),
                "{setting}: {}",
                String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr)
            );
            let scan = site.scan();
            for (n, case) in cases.iter().enumerate() {
                let theirs = hugos(&site.0.path().join(format!("public/post/p{n:02}/index.html")));
                let entry = scan.entries.iter().find(|entry| entry.key == format!("post/p{n:02}")).expect("our post");
                if ours(entry) != theirs {
                    differences.push(format!("{}\n  hugo: {theirs}\n  ours: {}", case.0, ours(entry)));
                }
            }
        }
        assert!(differences.is_empty(), "beside Hugo 0.{version}:\n{}", differences.join("\n"));
    }
}

#[test]
fn a_heading_that_says_the_title_again_is_left_out() {
    for (title, body, says) in [
        ("The Ferry", "# The ferry!\n\nText.", "Text."),
        ("The Ferry", "The Ferry\n=========\n\nText.", "Text."),
        ("The Ferry", "<h1 class=\"x\">The <em>Ferry</em></h1>\n\nText.", "Text."),
        ("Building collaborative platforms", "# Building colaborative platforms\n\nText.", "Text."),
        ("The Ferry: a story", "# The Ferry\n\nText.", "Text."),
        ("The Ferry", "# The Ferry {#top .big}\n\nText.", "Text."),
        ("The Ferry", "# Another thing\n\nText.", "Another thing\n\nText."),
        ("The Ferry", "## The Ferry\n\nText.", "The Ferry\n\nText."),
        ("The Ferry", "Text.\n\n# The Ferry", "Text.\n\nThe Ferry"),
    ] {
        let entry = only("content/post/a.md", &format!("---\ntitle: '{title}'\n---\n{body}\n"));
        assert_eq!(html::text(&entry.content), says, "{body}");
    }
    let page = only(
        "content/post/a.html",
        "---\ntitle: T & u\n---\n<h1>T &amp; u</h1><p>a {{< br >}} *b*</p>{{< details \"S\" >}}*c*{{< /details >}}",
    );
    assert_eq!(page.content, "<p>a <br> *b*</p><p><strong>S</strong></p><em>c</em>");
}

#[test]
fn raw_html_is_kept_only_where_the_site_says_so() {
    let body = "a <b>b</b>\n\n<p>c</p>\n\n{{< html >}}<b>d</b>{{< /html >}}\n";
    for (setting, content) in [
        ("markup: {goldmark: {renderer: {unsafe: true}}}", "<p>a <b>b</b></p>\n<p>c</p>\n<b>d</b>"),
        ("markup: {goldmark: {renderer: {unsafe: false}}}", "<p>a b</p>\n\n<b>d</b>"),
    ] {
        let site =
            Site::new(&[("content/post/a.md", body), ("hugo.yaml", setting), ("layouts/shortcodes/html.html", "")]);
        let scan = site.scan();
        assert_eq!(scan.entries[0].content, content, "{setting}");
        assert_eq!(said(&scan), [("content/post/a.md".to_owned(), Some(5))]);
        assert!(scan.warnings[0].message.contains("the site's own"), "{:?}", scan.warnings);
    }
}

#[test]
fn code_keeps_its_language_and_tasks_their_marks() {
    let entry = only("content/post/a.md", "```rust\nlet a = 1;\n```\n\n- [x] a\n- [ ] b\n");
    assert_eq!(
        entry.content,
        "<pre><code class=\"language-rust\">let a = 1;\n</code></pre>\n<ul>\n<li>☑ a</li>\n<li>☐ b</li>\n</ul>"
    );
}

#[test]
fn the_language_is_the_pages_own_else_what_the_text_shows() {
    let dutch = "De veerpont vaart elke dag van de ene oever naar de andere. Wie te laat komt, wacht een uur aan de kade en ziet \
        het water stijgen. Vroeger roeide de veerman zelf, tegenwoordig doet een motor het werk, maar het uitzicht over de \
        rivier is hetzelfde gebleven.";
    let several = "languages: {en: {weight: 1}, nl: {weight: 2}}";
    for (head, config, language) in [
        ("title: a", "", "nl"),
        ("lang: fr", "", "fr"),
        ("language: pt_BR", "", "pt-BR"),
        ("params: {locale: de-AT}", "", "de-AT"),
        ("title: a", several, "en"),
        ("title: a", "languageCode: nl-nl", "nl"),
    ] {
        let file = format!("---\n{head}\n---\n{dutch}\n");
        let site = Site::new(&[("content/post/a.md", &file), ("hugo.yaml", config)]);
        let scanned = site.scan();
        assert_eq!(scanned.entries[0].language, language, "{head} {config}");
        let settings = Settings { detect_language: false, ..site.settings() };
        let plain = scan(&settings, Memory::new(), now(), &mut |_, _| {}).expect("a scan");
        assert_eq!(plain.entries[0].fingerprint, scanned.entries[0].fingerprint);
        if head == "title: a" && config.is_empty() {
            assert_eq!(plain.entries[0].language, "en");
        }
    }
}

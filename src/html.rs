//! The one HTML cleaner: what sites and strangers write becomes the small subset that is safe to show and to
//! send (interop B23, E22), and plain text.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};
use regex::{Captures, Regex};
use url::Url;

/// What may stand in content: interop B23, tables, and the marks whose loss would change what is said (`sup` in
/// a formula, `hr` between two parts).
const CONTENT: &[&str] = &[
    "p",
    "br",
    "hr",
    "a",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "ul",
    "ol",
    "li",
    "blockquote",
    "pre",
    "code",
    "em",
    "strong",
    "b",
    "i",
    "u",
    "del",
    "sup",
    "sub",
    "img",
    "ruby",
    "rt",
    "rp",
    "table",
    "thead",
    "tbody",
    "tfoot",
    "tr",
    "th",
    "td",
    "caption",
];

/// Blocks outside the subset: they become paragraphs, so that their words do not run into their neighbours'.
const BLOCKS: &[&str] = &[
    "div",
    "section",
    "article",
    "aside",
    "header",
    "footer",
    "main",
    "nav",
    "figure",
    "figcaption",
    "details",
    "summary",
    "center",
    "address",
    "dl",
    "dt",
    "dd",
    "fieldset",
    "form",
];

/// Other names of elements in the subset.
const SYNONYMS: &[(&str, &str)] = &[("h1", "h2"), ("s", "del"), ("strike", "del"), ("tt", "code"), ("kbd", "code")];

/// Removed with all they hold; everything else unknown is unwrapped.
const GONE: &[&str] = &[
    "script",
    "style",
    "template",
    "noscript",
    "iframe",
    "object",
    "svg",
    "math",
    "title",
    "textarea",
    "select",
    "xmp",
    "noembed",
    "noframes",
    "plaintext",
];

const SUMMARY: &[&str] = &["p", "br", "em", "strong"];

/// Blocks of content that become paragraphs in a summary.
const SUMMARY_BLOCKS: &[&str] = &["h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "pre"];

/// The cleaner's output differs from its input mostly once; this is for what strangers make on purpose.
const ROUNDS: usize = 6;

static CLEANER: LazyLock<Builder<'static>> = LazyLock::new(|| content_builder(UrlRelative::Deny));
static SUMMARY_CLEANER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = content_builder(UrlRelative::Deny);
    builder.tags(SUMMARY.iter().chain(SUMMARY_BLOCKS).copied().chain(paragraph_like()).collect());
    builder.tag_attributes(HashMap::new()).link_rel(None);
    builder
});
static STRIPPER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = content_builder(UrlRelative::Deny);
    builder.tag_attributes(HashMap::new()).link_rel(None);
    builder
});

/// Cleans content: the subset of interop B23 and tables, links only to `http`, `https` and `mailto` and with
/// `rel="nofollow noopener"`, images only from `http` and `https`. Relative addresses are dropped. Cleaning what
/// is clean changes nothing.
#[must_use]
pub fn clean(html: &str) -> String {
    settle(html, |html| tidy(&CLEANER.clean(html).to_string()))
}

/// As [`clean`], with relative addresses of links and images made absolute against the page they stand on.
#[must_use]
pub fn clean_at(html: &str, page: &Url) -> String {
    let absolute = content_builder(UrlRelative::RewriteWithBase(page.clone())).clean(html).to_string();
    clean(&absolute)
}

/// Cleans a summary down to paragraphs with line breaks and emphasis, which is all that Mastodon shows of it
/// (interop B2). Text outside any paragraph gets one.
#[must_use]
pub fn clean_summary(html: &str) -> String {
    static BLOCK: LazyLock<Regex> = LazyLock::new(|| pattern(&format!("<(/?)(?:{})>", SUMMARY_BLOCKS.join("|"))));
    let pass = |html: &str| {
        let html = SUMMARY_CLEANER.clean(html).to_string();
        tidy(&BLOCK.replace_all(&html, "<${1}p>"))
    };
    let clean = settle(html, pass);
    if clean.is_empty() || clean.starts_with("<p>") { clean } else { settle(&format!("<p>{clean}</p>"), pass) }
}

/// The words of a piece of HTML: blocks are parted by an empty line, list items, table rows and line breaks by a
/// line end; other white space is single blanks.
#[must_use]
pub fn text(html: &str) -> String {
    static LINE: LazyLock<Regex> = LazyLock::new(|| pattern(r"<br>|</(?:li|tr)>"));
    static CELL: LazyLock<Regex> = LazyLock::new(|| pattern(r"</t[dh]>"));
    static BLOCK: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"</?(?:p|h[2-6]|ul|ol|blockquote|pre|table|caption)>|<hr>"));
    static TAG: LazyLock<Regex> = LazyLock::new(|| pattern("<[^>]*>"));

    let html = settle(html, |html| tidy(&STRIPPER.clean(html).to_string()));
    let html = html.replace(['\n', '\r'], " ");
    let html = LINE.replace_all(&html, "\n");
    let html = CELL.replace_all(&html, " ");
    let html = BLOCK.replace_all(&html, "\n\n");
    let plain = unescape(&TAG.replace_all(&html, ""));

    let mut out = String::with_capacity(plain.len());
    let mut gap = 0;
    for line in plain.lines() {
        let words = line.split_whitespace().collect::<Vec<_>>().join(" ");
        if words.is_empty() {
            gap += 1;
            continue;
        }
        if !out.is_empty() {
            out.push_str(if gap > 0 { "\n\n" } else { "\n" });
        }
        gap = 0;
        out.push_str(&words);
    }
    out
}

/// Plain text made safe to stand in HTML, also between the quotes of an attribute.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\0' => {}
            c => out.push(c),
        }
    }
    out
}

/// Paragraphs of plain text (parted by empty lines, as [`text`] gives them) as HTML.
#[must_use]
pub fn paragraphs(text: &str) -> String {
    text.split("\n\n")
        .filter(|paragraph| !paragraph.trim().is_empty())
        .map(|paragraph| format!("<p>{}</p>", escape(paragraph.trim()).replace('\n', "<br>")))
        .collect()
}

/// Clean HTML without its headings.
#[must_use]
pub fn without_headings(clean: &str) -> String {
    static HEADING: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?s)<h[2-6]>.*?</h[2-6]>"));
    HEADING.replace_all(clean, "").into_owned()
}

fn content_builder(relative: UrlRelative<'static>) -> Builder<'static> {
    let mut builder = Builder::empty();
    let synonyms = SYNONYMS.iter().map(|(name, _)| *name);
    builder
        .tags(CONTENT.iter().copied().chain(synonyms).chain(paragraph_like()).collect())
        .clean_content_tags(GONE.iter().copied().collect())
        .generic_attributes(HashSet::new())
        .tag_attributes(HashMap::from([
            ("a", HashSet::from(["href"])),
            ("img", HashSet::from(["src", "alt"])),
            ("ol", HashSet::from(["start"])),
        ]))
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(relative)
        .link_rel(Some("nofollow noopener"))
        .strip_comments(true)
        .attribute_filter(fitting);
    builder
}

fn paragraph_like() -> impl Iterator<Item = &'static str> {
    BLOCKS.iter().copied()
}

/// Drops attribute values that the rules on schemes let through but that make no sense there.
fn fitting<'u>(element: &str, attribute: &str, value: &'u str) -> Option<Cow<'u, str>> {
    let fits = match (element, attribute) {
        ("img", "src") => !value.trim_start().get(..7).is_some_and(|start| start.eq_ignore_ascii_case("mailto:")),
        ("ol", "start") => !value.is_empty() && value.len() < 9 && value.bytes().all(|b| b.is_ascii_digit()),
        ("a", "href") => !value.trim().is_empty(),
        _ => true,
    };
    fits.then_some(Cow::Borrowed(value))
}

/// Works on the cleaner's output only, whose form is known: no `<` or `>` but those of allowed tags.
fn tidy(html: &str) -> String {
    static NAME: LazyLock<Regex> = LazyLock::new(|| {
        let names: Vec<&str> = SYNONYMS.iter().map(|(name, _)| *name).chain(paragraph_like()).collect();
        pattern(&format!("<(/?)({})>", names.join("|")))
    });
    static NO_ADDRESS: LazyLock<Regex> =
        LazyLock::new(|| pattern(r#"(?s)<img(?: alt="[^"]*")?>|<a rel="nofollow noopener">(.*?)</a>"#));
    static EMPTY: LazyLock<Regex> = LazyLock::new(|| pattern(r"<p>(?:\s|&nbsp;)*</p>"));

    let html = NAME.replace_all(html, |found: &Captures<'_>| {
        let (slash, name) = (found.get(1).map_or("", |m| m.as_str()), found.get(2).map_or("", |m| m.as_str()));
        let name = SYNONYMS.iter().find(|(from, _)| *from == name).map_or("p", |(_, to)| to);
        format!("<{slash}{name}>")
    });
    let html = NO_ADDRESS.replace_all(&html, "$1");
    EMPTY.replace_all(&html, "").trim().to_owned()
}

/// Cleans until nothing changes any more; what never settles is shown as its words alone.
fn settle(html: &str, pass: impl Fn(&str) -> String) -> String {
    let mut html = pass(&html.replace('\0', ""));
    for _ in 0..ROUNDS {
        let again = pass(&html);
        if again == html {
            return html;
        }
        html = again;
    }
    static TAG: LazyLock<Regex> = LazyLock::new(|| pattern("<[^>]*>"));
    TAG.replace_all(&html, " ").trim().to_owned()
}

/// Undoes the only entities the cleaner writes.
fn unescape(text: &str) -> String {
    text.replace("&nbsp;", " ").replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

#[expect(clippy::expect_used, reason = "the patterns are constants, and every one is run by a test")]
fn pattern(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a valid pattern")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn content_keeps_the_subset_and_loses_the_rest() {
        for (dirty, expected) in [
            ("<p>a<script>alert(1)</script>b<style>p{}</style></p>", "<p>ab</p>"),
            ("<h1>Title</h1>", "<h2>Title</h2>"),
            ("<p onclick=x style=y class=z id=w>a</p>", "<p>a</p>"),
            (
                "<a href=https://a.example/ target=_blank>x</a>",
                r#"<a href="https://a.example/" rel="nofollow noopener">x</a>"#,
            ),
            ("<a href=javascript:alert(1)>x</a>", "x"),
            ("<a href='/relative'>x</a> <img src='b.png' alt='c'>", "x"),
            ("<img src='data:image/png;base64,AA'><img src='mailto:a@b.example'>", ""),
            (
                "<img src=https://a.example/b.png alt='>' onerror=x>",
                r#"<img src="https://a.example/b.png" alt="&gt;">"#,
            ),
            ("<div>a</div><div>b</div>", "<p>a</p><p>b</p>"),
            (
                "<figure><img src=https://a.example/b.png><figcaption>c</figcaption></figure>",
                "<p><img src=\"https://a.example/b.png\"></p><p>c</p>",
            ),
            ("<s>a</s> H<sub>2</sub>O <span>b</span><!-- c -->", "<del>a</del> H<sub>2</sub>O b"),
            ("<table><tr><td style=x>a</td></tr></table>", "<table><tbody><tr><td>a</td></tr></tbody></table>"),
            ("<ol start=3><li>a</li></ol>", "<ol start=\"3\"><li>a</li></ol>"),
            ("<p>a &amp;lt; b\0</p><p> &nbsp;</p>", "<p>a &amp;lt; b</p>"),
            ("<iframe src=https://a.example/></iframe><svg><script>1</script></svg>x", "x"),
        ] {
            assert_eq!(clean(dirty), expected, "{dirty}");
        }
    }

    #[test]
    fn relative_addresses_become_absolute_against_the_page() {
        let page = Url::parse("https://a.example/post/x/").expect("an address");
        assert_eq!(
            clean_at("<a href='../y/'>y</a><img src='./ü b.png'><a href='#z'>z</a><a href='javascript:1'>n</a>", &page),
            "<a href=\"https://a.example/post/y/\" rel=\"nofollow noopener\">y</a>\
             <img src=\"https://a.example/post/x/%C3%BC%20b.png\">\
             <a href=\"https://a.example/post/x/#z\" rel=\"nofollow noopener\">z</a>n"
        );
    }

    #[test]
    fn a_summary_is_paragraphs_only() {
        for (dirty, expected) in [
            ("plain & simple", "<p>plain &amp; simple</p>"),
            ("<h1>a</h1><ul><li>b</li></ul>", "<p>a</p><p>b</p>"),
            ("<p>a <a href=https://b.example/>b</a> <em>c</em><br>d</p>", "<p>a b <em>c</em><br>d</p>"),
            ("", ""),
        ] {
            assert_eq!(clean_summary(dirty), expected, "{dirty}");
        }
    }

    #[test]
    fn text_keeps_blocks_and_lines_apart() {
        assert_eq!(
            text("<h2>A</h2><p>b\n <em>c</em><br>d &lt;e&gt; &amp;amp;</p><ul><li>f</li><li>g</li></ul><div>h</div>i"),
            "A\n\nb c\nd <e> &amp;\n\nf\ng\n\nh\n\ni"
        );
        assert_eq!(paragraphs("a < b\nc\n\nd"), "<p>a &lt; b<br>c</p><p>d</p>");
        assert_eq!(without_headings("<h2>A</h2><p>b</p>"), "<p>b</p>");
    }

    fn hostile() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("<script>".to_owned()),
            Just("</script>".to_owned()),
            Just("<p>".to_owned()),
            Just("</p>".to_owned()),
            Just("<a href=\"https://a.example/\">".to_owned()),
            Just("<a>".to_owned()),
            Just("</a>".to_owned()),
            Just("<a href='java\tscript:1'>".to_owned()),
            Just("<img src=x onerror=1>".to_owned()),
            Just("<table>".to_owned()),
            Just("<tr>".to_owned()),
            Just("<td>".to_owned()),
            Just("<div>".to_owned()),
            Just("<svg>".to_owned()),
            Just("<math><mtext>".to_owned()),
            Just("<style>".to_owned()),
            Just("<h1>".to_owned()),
            Just("<h2>".to_owned()),
            Just("<ruby><rt>".to_owned()),
            Just("<li>".to_owned()),
            Just("<!--".to_owned()),
            Just("-->".to_owned()),
            Just("<![CDATA[".to_owned()),
            Just("&lt;script&gt;".to_owned()),
            Just("<pre>\n\n".to_owned()),
            Just("<b><i>".to_owned()),
            Just("</b>".to_owned()),
            Just("<template>".to_owned()),
            Just("<select><option>".to_owned()),
            Just("<dl><dt>".to_owned()),
            Just("<details><summary>".to_owned()),
            Just("<plaintext>".to_owned()),
            Just("<textarea>".to_owned()),
            Just("<form>".to_owned()),
            "[a-z<>&\"'/= \u{0}\n]{0,6}",
            ".{0,4}",
        ];
        prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn cleaning_is_idempotent_and_lets_no_script_out(dirty in hostile()) {
            let once = clean(&dirty);
            prop_assert_eq!(&clean(&once), &once);
            static TAG: LazyLock<Regex> = LazyLock::new(|| pattern("<(/?)([a-z0-9]+)([^<>]*)>"));
            let rest = TAG.replace_all(&once, |found: &Captures<'_>| {
                assert!(CONTENT.contains(&&found[2]), "{once}");
                assert!(!found[3].contains("script:") && !found[3].contains(" on"), "{once}");
                String::new()
            });
            prop_assert!(!rest.contains(['<', '>', '\0']), "{}", once);
            let summary = clean_summary(&dirty);
            prop_assert_eq!(&clean_summary(&summary), &summary);
            prop_assert!(summary.is_empty() || summary.starts_with("<p>"), "{}", summary);
            let _ = text(&dirty);
        }
    }
}

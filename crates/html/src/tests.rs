//! What the cleaner keeps, and what it never lets out.

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
        ("<a href='java\nscript:alert(1)'>x</a><a href='java&Tab;script&NewLine;:1'>y</a>", "xy"),
        ("<a href='&#1; java&#13;script:1'>x</a><a href='\u{a0}javascript:1'>y</a><a href=' '>z</a>", "xyz"),
        ("<img src='ma\nilto:a@b.example'><img src=' mailto:a@b.example'>", ""),
        (
            "<a href=' ht\n\ttps://a.example/&#10;b '>x</a>",
            r#"<a href="https://a.example/b" rel="nofollow noopener">x</a>"#,
        ),
        ("<a href='/relative'>x</a> <img src='b.png' alt='c'>", "x"),
        ("<img src='data:image/png;base64,AA'><img src='mailto:a@b.example'>", ""),
        ("<img src=https://a.example/b.png alt='>' onerror=x>", r#"<img src="https://a.example/b.png" alt="&gt;">"#),
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
fn what_is_nested_deeper_than_people_nest_is_words_alone() {
    let deep = |piece: &str, times: usize| format!("{}deep", piece.repeat(times));
    assert_eq!(clean(&deep("<blockquote>", 201)), "deep");
    assert_eq!(clean(&deep("<b></x>", 201)), "deep");
    assert_eq!(clean(&deep("<ul><li>", 50_000)), "deep");
    assert!(clean(&deep("<blockquote>", 100)).starts_with("<blockquote><blockquote>"));
    assert_eq!(clean(&deep("<b>a</b>", 500)).matches("<b>").count(), 500);
    assert_eq!(clean(&deep("a<br>", 500)).matches("<br>").count(), 500);
}

#[test]
fn text_keeps_blocks_and_lines_apart() {
    assert_eq!(
        text("<h2>A</h2><p>b\n <em>c</em><br>d &lt;e&gt; &amp;amp;</p><ul><li>f</li><li>g</li></ul><div>h</div>i"),
        "A\n\nb c\nd <e> &amp;\n\nf\ng\n\nh\n\ni"
    );
    assert_eq!(paragraphs("a < b\nc\n\nd"), "<p>a &lt; b</p><p>c</p><p>d</p>");
    assert_eq!(without_headings("<h2>A</h2><p>b</p>"), "<p>b</p>");
}

#[test]
fn what_strangers_write_is_bounded_e22() {
    assert_eq!(
        clean_strangers(
            "<p>a<img src=https://a.example/b.png><a href=https://a.example/ style=x>b</a><script>1</script></p>"
        ),
        r#"<p>a<a href="https://a.example/" rel="nofollow noopener ugc">b</a></p>"#
    );
    assert_eq!(clean_strangers("<a href='javascript:1'>a</a> <a href=data:text/html,x>b</a>"), "a b");
    let links = clean_strangers(&"<a href=https://a.example/>b</a> ".repeat(150));
    assert_eq!((links.matches("<a ").count(), links.matches('b').count()), (100, 150));
    for long in ["<p>é</p>".repeat(30_000), "&".repeat(STRANGERS_MAX), "<".repeat(STRANGERS_MAX), "<b>x".repeat(50_000)]
    {
        let once = clean_strangers(&long);
        assert!(!once.is_empty() && once.len() <= STRANGERS_MAX, "{} bytes", once.len());
        assert_eq!(clean_strangers(&once), once);
    }
}

static NAMED_TAG: LazyLock<Regex> = LazyLock::new(|| pattern("<(/?)([a-z0-9]+)([^<>]*)>"));

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

#[test]
fn short_texts_do_not_turn_what_stands_around_them() {
    for (text, expected) in [
        ("Bob", "Bob"),
        ("ليلى حسن", "ليلى حسن"),
        ("\u{202e}Reversed\u{2066}\u{202d} Z\u{0351}\u{200f}", "Reversed Z\u{0351}"),
        ("one\r\ntwo\tthree\u{0}\u{1b}[31m", "one\r\ntwo\tthree[31m"),
        ("👩\u{200d}🚀", "👩\u{200d}🚀"),
    ] {
        assert_eq!(straight(text), expected, "{text:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn cleaning_is_idempotent_and_lets_no_script_out(dirty in hostile()) {
        let once = clean(&dirty);
        prop_assert_eq!(&clean(&once), &once);
        let rest = NAMED_TAG.replace_all(&once, |found: &Captures<'_>| {
            assert!(CONTENT.contains(&&found[2]), "{once}");
            assert!(!found[3].contains("script:") && !found[3].contains(" on"), "{once}");
            String::new()
        });
        prop_assert!(!rest.contains(['<', '>', '\0']), "{}", once);
        let strangers = clean_strangers(&dirty);
        prop_assert_eq!(&clean_strangers(&strangers), &strangers);
        prop_assert!(!strangers.contains("<img") && !strangers.contains("<script"), "{}", strangers);
        let summary = paragraphs(&text(&dirty));
        let tags = NAMED_TAG.replace_all(&summary, |found: &Captures<'_>| {
            assert_eq!(&found[2], "p", "{summary}");
            String::new()
        });
        prop_assert!(!tags.contains(['<', '>']), "{}", summary);
    }
}

#[test]
fn no_tag_has_more_attributes_than_are_read() {
    let many = (0..100_000).fold(String::new(), |all, number| all + &format!(" a{number}"));
    let link = r#"<a href="https://a.example/" rel="nofollow noopener">x</a> y"#;
    for (dirty, expected) in [
        (format!("<a href='https://a.example/'{many}>x</a> y"), link),
        (format!("<a href='https://a.example/'{many} b='>'/>x</a> y"), link),
        (format!("<a{many} href='https://a.example/'>x</a> y"), "x y"),
        // No tag: what looks like one is a part of something else.
        (format!("<!-- <b{many} --><b>x</b> y"), "<b>x</b> y"),
        (format!("<script>'<b{many}'</script><b>x</b> y"), "<b>x</b> y"),
        (format!("<b title='<i{many}'>x</b> y"), "<b>x</b> y"),
        (format!("<<b{many}>x</b> y"), "&lt;<b>x</b> y"),
        (format!("</<b{many}>x y"), "x y"),
        // Quotes that open nothing, before a tag whose quotes do.
        (format!("&<b x=\"<a b=\"{many}>x</b> y"), "&amp;<b>x</b> y"),
        (format!("</b{many}>x y"), "x y"),
        (format!("<b{many}"), ""),
    ] {
        let start: String = dirty.chars().take(30).collect();
        let (cost, made) = Cost::of(|| clean(&dirty));
        assert_eq!(made, expected, "{start}");
        assert!(cost.steps < 100_000, "{start}: {cost:?}");
    }
}

#[test]
fn what_is_too_dear_is_left_as_its_words() {
    let open = (0..190).fold("<p>".to_owned(), |all, number| all + &format!("<b a{number}>"));
    for (dirty, expected) in [
        (open.clone() + &"<p>x".repeat(2_000), vec!["x"; 2_000].join(" ")),
        ("<b a=\"</b>\">".repeat(300) + "x", "x".to_owned()),
        (
            format!("<script>1</script><svg><style>2</style><desc>3</desc></svg>{open}{}", "<p>x".repeat(500)),
            vec!["x"; 500].join(" "),
        ),
        (format!("a &amp;lt; b<title>2</title>{}", "<i>".repeat(300)), "a &amp;lt; b".to_owned()),
        (format!("<select><option>1</select>a\u{a0}b{}", "<i>".repeat(300)), "a&nbsp;b".to_owned()),
    ] {
        assert_eq!(clean(&dirty), expected);
        assert_eq!(clean_strangers(&dirty), expected);
        assert_eq!(escape(&text(&dirty)).replace('\u{a0}', "&nbsp;"), expected.replace("&nbsp;", " "));
    }
    // Not closed, as people write it, and each time with another colour.
    let sloppy = (0..300).fold(String::new(), |all, number| all + &format!("<p><b>a{number}<p><i>b</i></b>"));
    assert!(clean(&sloppy).matches("<p>").count() >= 600);
}

#[test]
fn a_long_text_is_parted_without_a_trace() {
    for (piece, expected) in
        [("&", "&amp;"), ("&amp;", "&amp;"), ("&am", "&amp;am"), ("x\u{a0}", "x&nbsp;"), ("&notin;é©", "∉é©")]
    {
        let (dirty, text) = (piece.repeat(5_000), expected.repeat(5_000));
        assert_eq!(clean(&dirty), text);
        assert_eq!(clean(&format!("<p><!-- <b> {dirty} --><b>x{dirty}</b></p>")), format!("<p><b>x{text}</b></p>"));
        assert_eq!(
            clean(&format!("<style>{dirty}</style><table><tr><td>{dirty}")),
            format!("<table><tbody><tr><td>{text}</td></tr></tbody></table>")
        );
        assert_eq!(clean(&format!("<!{dirty}> y<svg><![CDATA[{dirty}]]></svg>{dirty}")), format!("y{text}"));
    }
    assert_eq!(clean(&format!("<a href='https://a.example/?{}'>x</a>", "&".repeat(9_000))), "x");
}

//! What becomes of each shortcode, and what is said about it.

use super::*;

/// The HTML a body's shortcodes leave, with its Markdown as it is, and the lines of the warnings.
fn expanded(body: &str) -> (String, Vec<u64>) {
    let mut lines = Vec::new();
    let around = Surroundings {
        resolve: &|path| (path == "post/a.md").then(|| "https://site.example/post/a/".to_owned()),
        render: &|text| format!("<p>{}</p>", text.trim()),
        param: &|key| (key == "motto").then(|| "a & b".to_owned()),
        own: &BTreeSet::from(["box".to_owned()]),
    };
    let expanded = expand(body, &around, &mut |line, _| lines.push(line));
    (expanded.fill(&expanded.text), lines)
}

#[test]
fn each_shortcode_becomes_what_it_means() {
    let link = |to: &str| format!("<a href=\"{to}\">{to}</a>");
    for (body, expected) in [
        (
            r#"{{< figure src="a b.png" alt="An \"a\"" >}}"#,
            "<figure><p><img src=\"a b.png\" alt=\"An &quot;a&quot;\"></p></figure>".to_owned(),
        ),
        (
            r#"{{<figure src="a.png" caption="C" link="/x">}}"#,
            "<figure><p><a href=\"/x\"><img src=\"a.png\" alt=\"C\"></a></p><figcaption><p>C</p></figcaption></figure>"
                .to_owned(),
        ),
        ("{{< youtube w7Ft2ymGmfc >}}", link("https://www.youtube.com/watch?v=w7Ft2ymGmfc")),
        (r#"{{< vimeo id="1" />}}"#, link("https://vimeo.com/1")),
        ("{{< instagram A1 >}}", link("https://www.instagram.com/p/A1")),
        (r#"{{< x user="a" id="2" >}}"#, link("https://x.com/a/status/2")),
        ("{{< tweet 3 >}}", link("https://x.com/i/status/3")),
        ("{{< gist ann 4 >}}", link("https://gist.github.com/ann/4")),
        (
            "{{< highlight go \"linenos=table\" >}}\na < b {{</* x */>}}\n{{< /highlight >}}",
            "<pre><code class=\"language-go\">a &lt; b {{&lt; x &gt;}}\n</code></pre>".to_owned(),
        ),
        (r#"{{< details summary="S" >}}in{{< /details >}}"#, "<p><strong>S</strong></p>in".to_owned()),
        ("{{% callout note %}}\n*in*\n{{% /callout %}}", "<blockquote>\n\n\n*in*\n\n\n</blockquote>".to_owned()),
        (r#"{{< spoiler text="T" >}}a {{< br >}} b{{< /spoiler >}}"#, "<p><strong>T</strong></p>a <br> b".to_owned()),
        ("{{< param motto >}}", "a &amp; b".to_owned()),
        (r#"{{< qr text="https://a.example/" />}}"#, link("https://a.example/")),
        ("{{< qr >}}words{{< /qr >}}", "words".to_owned()),
        (r#"{{< button href="/go" >}}Go{{< /button >}}"#, "<p><a href=\"/go\">Go</a></p>".to_owned()),
        (
            r#"{{< card url="post/a.md" title="A" subtitle="B" >}}"#,
            "<p><a href=\"https://site.example/post/a/\">A</a></p><p>B</p>".to_owned(),
        ),
        (r#"{{< cards >}}{{< card link="/x" title="X" >}}{{< /cards >}}"#, "<a href=\"/x\">X</a>".to_owned()),
        (r#"{{< icon name="star" >}}{{< toc >}}"#, String::new()),
        (
            r#"{{< cite page="post/a.md" view="4" >}}"#,
            "<p><a href=\"https://site.example/post/a/\">post/a.md</a></p>".to_owned(),
        ),
        (r#"{{< table path="r.csv" caption="R" >}}"#, "<p><a href=\"r.csv\">R</a></p>".to_owned()),
        (r#"{{< chart data="line" >}}"#, "<p><a href=\"line.json\">line</a></p>".to_owned()),
        (r#"{{< audio src="a.mp3" >}}"#, "<p><a href=\"a.mp3\">a.mp3</a></p>".to_owned()),
        (r#"{{< video src="v.mp4" controls="yes" >}}"#, "<p><a href=\"v.mp4\">v.mp4</a></p>".to_owned()),
        (r#"{{< staticref "f.pdf" "newtab" >}}F{{< /staticref >}}"#, "<p><a href=\"/f.pdf\">F</a></p>".to_owned()),
        ("{{< math >}}$$x<y$$\n{{< /math >}}", "<p>$$x&lt;y$$</p>".to_owned()),
        (r#"[t]({{< ref "post/a.md" >}})"#, "[t](https://site.example/post/a/)".to_owned()),
        ("[t]({{% relref path=`post/a.md` %}})", "[t](https://site.example/post/a/)".to_owned()),
    ] {
        let (html, lines) = expanded(body);
        assert_eq!(html, expected, "{body}");
        assert!(lines.is_empty(), "{body}: {lines:?}");
    }
}

#[test]
fn what_is_escaped_is_text() {
    for (body, expected) in [
        ("a {{</* youtube x */>}} {{%/* y */%}}", "a {{< youtube x >}} {{% y %}}"),
        ("`{{</* figure src=\"x\" >}} */>}}`", "`{{< figure src=\"x\" >}} >}}`"),
        ("{{ not }} {% this %} {{", "{{ not }} {% this %} {{"),
    ] {
        assert_eq!(expanded(body), (expected.to_owned(), vec![]), "{body}");
    }
}

#[test]
fn what_is_not_known_is_said_with_its_line() {
    for (body, expected, line) in [
        ("a\n{{% odd 1 %}}b", "a\nb", 2),
        ("\n\n{{< box >}}in{{< /box >}}", "\n\nin", 3),
        (
            "{{< outer >}}{{< youtube a >}}{{< /outer >}}",
            "<a href=\"https://www.youtube.com/watch?v=a\">https://www.youtube.com/watch?v=a</a>",
            1,
        ),
        ("{{% outer %}}*a*{{% /outer %}}", "*a*", 1),
        ("[t]({{< relref \"post/b.md\" >}})", "[t]()", 1),
        ("a\nb {{< youtube", "a\nb {{< youtube", 2),
        ("{{< /box >}}", "", 1),
        ("{{< param nothing >}}", "", 1),
    ] {
        assert_eq!(expanded(body), (expected.to_owned(), vec![line]), "{body}");
    }
}

#[test]
fn pairs_are_found_as_hugo_finds_them() {
    let names = |nodes: &[Node]| {
        let code = |node: &Node| {
            if let Node::Code(code) = node { Some((code.name.clone(), code.inner.is_some())) } else { None }
        };
        nodes.iter().filter_map(code).collect::<Vec<_>>()
    };
    let (nodes, faults) = scan("{{< a >}}{{< b >}}{{< a >}}x{{< /a >}}{{< /a >}}{{< c/>}}{{< d >}}");
    assert_eq!(names(&nodes), [("a".to_owned(), true), ("c".to_owned(), false), ("d".to_owned(), false)]);
    assert!(faults.is_empty());
    let Some(Node::Code(outer)) = nodes.first() else { panic!("no shortcode") };
    assert_eq!(names(outer.inner.as_deref().expect("an inner")), [("b".to_owned(), false), ("a".to_owned(), true)]);
    let (nodes, _) = scan("{{< v a=`x >}}` \"q\\\\\" n-m=1\n\tlast/path >}}");
    let Some(Node::Code(code)) = nodes.first() else { panic!("no shortcode") };
    let arguments: Vec<_> = code.arguments.iter().map(|(key, value)| (key.as_deref(), value.as_str())).collect();
    assert_eq!(arguments, [(Some("a"), "x >}}"), (None, "q\\"), (Some("n-m"), "1"), (None, "last/path")]);
}

#[test]
fn pairs_within_pairs_are_bounded_and_what_is_in_them_is_kept() {
    let deep = format!("{}x\n{}", "{{< box >}}".repeat(20_000), "{{< /box >}}".repeat(20_000));
    let (text, warned) = expanded(&deep);
    assert!(text.contains('x'), "{}", text.len());
    assert!(warned.contains(&2), "{warned:?}");
    let many = "{{< figure src=a >}}\n".repeat(100);
    let (nodes, faults) = scan(&many);
    assert_eq!((nodes.len(), faults.len()), (200, 0), "those that hold nothing are not within each other");
    let last = nodes.iter().rev().find_map(|node| if let Node::Code(code) = node { Some(code.line) } else { None });
    assert_eq!(last, Some(100));
}

/// Shapes of which each part was once looked at to the end of the text.
#[test]
fn the_scanner_looks_at_each_byte_a_few_times() {
    let shapes = [
        "{{< x ",
        "{{<x",
        "{{% x \"",
        "{{< \"",
        "{{< `",
        "{{</* x ",
        "{{%/* x */%",
        "{{< a x",
        "{{< a=\"b\\\" ",
        "{{< x >}}",
        "{{< x >}}a{{< /y >}}",
        "{{< x >}}{{< y >}}{{< /x >}}",
        "{{",
        "{{<",
        "{{< / ",
    ];
    let ends = ["", ">}}", "\" >}}", "\" >}}\"", "` >}}", "*/>}}", "{{< /x >}}"];
    for shape in shapes {
        for end in ends {
            let body = shape.repeat(64 * 1024 / shape.len()) + end;
            let mut in_vain = 0;
            let (_, faults) = scanner::scan_counted(&body, &mut in_vain);
            assert!(in_vain <= 10 * body.len() + 64 * 1024, "{shape} {end}: {in_vain}");
            let gave_up = faults.iter().any(|fault| matches!(fault, Fault::TooCostly(_)));
            assert!(!gave_up || in_vain > 8 * body.len(), "{shape} {end}");
        }
    }
}

#[test]
fn what_would_take_the_square_of_the_time_is_held() {
    let body = "{{< a x".repeat(20_000) + " \" >}}";
    let around = Surroundings { resolve: &|_| None, render: &str::to_owned, param: &|_| None, own: &BTreeSet::new() };
    let expanded = expand(&body, &around, &mut |_, _| {});
    assert_eq!(expanded.held.map(|(_, why)| why), Some(Held::TooMuch));
}

//! HTML that is made to be dear: what grows with the square of its length, or worse, in a parser that bounds nothing.

use std::fmt::Write;

/// One of each shape, of about so many bytes.
pub(crate) fn shapes(bytes: usize) -> Vec<(&'static str, String)> {
    let fill = |start: &str, piece: &str| {
        let times = bytes.saturating_sub(start.len()) / piece.len();
        format!("{start}{}", piece.repeat(times))
    };
    let numbered = |start: &str, most: usize, piece: &dyn Fn(usize) -> String| {
        let mut html = start.to_owned();
        for number in 0..most {
            if html.len() >= bytes {
                break;
            }
            html.push_str(&piece(number));
        }
        html
    };
    let all = usize::MAX;
    let open = numbered("<p>", 190, &|n| format!("<b a{n}>"));
    let attributes = numbered("<b", all, &|n| format!(" a{n}"));
    let quoted = numbered("&<b x=\"<a b=\"", all, &|n| format!(" c{n}"));
    let wide = numbered("", 256, &|n| format!(" a{n}"));
    let long = "x".repeat(bytes / 4);
    let mut shapes = vec![
        ("formatting open in each paragraph", fill(&open, "<p>x")),
        ("formatting that hides its depth", fill("<p>", "<b a=\"</b>\">")),
        ("formatting with other attributes", numbered("", all, &|n| format!("<b a{n}>"))),
        ("formatting with values", numbered("", all, &|n| format!("<font color=c{n}><p>"))),
        ("links open in each paragraph", fill(&format!("<a href=\"https://a.example/{long}\">"), "<p>x")),
        ("unclosed links", fill("", "<a href=https://a.example/>x")),
        ("links without a name", fill("", "<a><p>")),
        ("nobr", fill("", "<nobr><p>")),
        (
            "every kind of formatting",
            fill("<b><big><code><em><font><i><s><small><strike><strong><tt><u>".repeat(3).as_str(), "<p>x"),
        ),
        ("mis-nested formatting", fill("", "<b><i><p></b></i>")),
        ("the adoption agency", fill("<b><i><u><s><em>", "<p><b><div></b></i></u></s></em>")),
        ("blocks in formatting", fill("", "<b><div>")),
        ("children moved again and again", fill(&fill("<b><div>", "<br>")[..bytes / 2], "</b><b>")),
        ("markers", fill("", "<b><object>")),
        ("blockquotes", fill("", "<blockquote>")),
        ("lists", fill("", "<ul><li>")),
        ("paragraphs in buttons", fill("", "<button><p>")),
        ("foster parents", fill("<table>", "x<b></b>")),
        ("foster parents below many", fill(&fill("", "<br>")[..bytes / 2], "<table>x</table>")),
        ("nested tables", fill("", "<table><tr><td>")),
        ("tables in links", fill("", "<a href=https://a.example/><table><td>")),
        ("cells", fill("<table><tr>", "<td>")),
        ("column groups", fill("<table><colgroup>", "a b ")),
        ("selects", fill("", "<select><option>")),
        ("select with content to copy", fill("<select><selectedcontent></selectedcontent>", "<option><b>x")),
        ("templates", fill("", "<template>")),
        ("forms", fill("", "<form><input>")),
        ("foreign content", fill("", "<svg><desc><math><mtext>")),
        ("foreign elements closed by others", fill(&fill("", "<svg>")[..bytes / 2], "<p>")),
        ("attributes", attributes.clone()),
        ("attributes of a closed tag", format!("{attributes}>x")),
        ("attributes behind a reference", format!("{quoted}>x")),
        ("the same attribute", fill("<b", " a=b")),
        (
            "formatting with many attributes",
            format!("{}{}", format!("<b{wide}>").repeat(bytes / 4000), "<b></b>".repeat(bytes / 14)),
        ),
        ("many attributes in each block", fill(&format!("<b{wide}>"), "<p>x")),
        ("a long attribute in each block", fill(&format!("<code class=\"{long}\">"), "<p>x")),
        ("a long name", fill("<", "a")),
        ("references", fill("", "&")),
        ("blanks that do not break", fill("", "\u{a0}")),
        ("references after a comment", fill("<!-- x -->", "&")),
        ("references in an address", format!("<a href=\"https://a.example/?{}\">x</a>", "&".repeat(bytes))),
        ("named references", fill("", "&notin")),
        ("numbered references", fill("&#", "0")),
        ("quotes", fill("", "&quot;\"")),
        ("unclosed comments", fill("", "<!--")),
        ("comments", fill("", "<!-- x --!")),
        ("character data", fill("<svg>", "<![CDATA[")),
        ("instructions", fill("", "<?x")),
        ("document types", fill("", "<!DOCTYPE html>")),
        ("tags", fill("", "<")),
        ("ends", fill("", "</")),
        ("ends of what is not open", fill(&fill("", "<blockquote>")[..2_000], "</b></p>")),
        ("bodies", fill("", "<body a=b><html c=d>")),
        ("scripts", fill("<script>", "<!--<script>")),
        ("styles", fill("", "<style></styl")),
        ("plain text", fill("<plaintext>", "<b>")),
        ("headings", fill("", "<h2>x")),
        ("ruby", fill("<ruby>", "<rt>x<rp>")),
        ("frames", fill("<frameset>", "<frame>")),
        ("line ends", fill("<pre>", "\n")),
        ("blanks", fill("<p>", " ")),
        ("nothing", fill("", "\0")),
    ];
    let mut spiral = String::new();
    for number in 0.. {
        if spiral.len() >= bytes {
            break;
        }
        let _ = write!(spiral, "<a href=\"https://a.example/{number}\"><table><tr><td><b c{number}><p>");
    }
    shapes.push(("a spiral of links, cells and formatting", spiral));
    shapes
}

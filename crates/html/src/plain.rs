//! Between HTML and plain text.

use std::sync::LazyLock;

use regex::Regex;

use super::{STRIPPER, TAG, pattern, settle, tidy};

/// The words of a piece of HTML: blocks are parted by an empty line, list items, table rows and line breaks by a
/// line end; other white space is single blanks. Bounded as [`clean`](super::clean) is.
#[must_use]
pub fn text(html: &str) -> String {
    text_of_clean(&settle(html, |html| tidy(&STRIPPER.clean(html).to_string())))
}

/// As [`text`], of HTML that is clean: it is not read anew.
#[must_use]
pub fn text_of_clean(clean: &str) -> String {
    static LINE: LazyLock<Regex> = LazyLock::new(|| pattern(r"<br>|</(?:li|tr)>"));
    static CELL: LazyLock<Regex> = LazyLock::new(|| pattern(r"</t[dh]>"));
    static BLOCK: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"</?(?:p|h[2-6]|ul|ol|blockquote|pre|table|caption)(?: [^>]*)?>|<hr>"));

    let html = clean.replace(['\n', '\r'], " ");
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

/// Each line of plain text (as [`text`] gives it) as a paragraph of HTML, and nothing else: peers show no other
/// element in a summary (interop B2).
#[must_use]
pub fn paragraphs(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.fold(String::new(), |html, line| html + "<p>" + &escape(line) + "</p>")
}

/// Undoes the only entities the cleaner writes.
#[must_use]
pub fn unescape(text: &str) -> String {
    text.replace("&nbsp;", " ").replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

//! Text that Goldmark's passthrough extension leaves alone, such as mathematics between `\(` and `\)`.

use super::marker::Marker;

/// What was taken out, with the marks that stand for it.
pub(super) struct Kept {
    marker: Marker,
    pieces: Vec<String>,
}

/// Takes each delimited piece out of Markdown, but not out of its code.
pub(super) fn take_out(markdown: &str, delimiters: &[(String, String)]) -> (String, Kept) {
    let mut kept = Kept { marker: Marker::unlike(markdown, "PASSTHROUGH"), pieces: Vec::new() };
    if delimiters.is_empty() {
        return (markdown.to_owned(), kept);
    }
    let mut out = String::with_capacity(markdown.len());
    let mut fence: Option<String> = None;
    let mut rest = markdown;
    while !rest.is_empty() {
        let at_line_start = out.is_empty() || out.ends_with('\n');
        if at_line_start && let Some(mark) = fence_of(rest) {
            match &fence {
                Some(open) if mark.starts_with(open.as_str()) => fence = None,
                None => fence = Some(mark),
                Some(_) => {}
            }
            rest = copy(rest, line_length(rest), &mut out);
        } else if fence.is_some() {
            rest = copy(rest, line_length(rest), &mut out);
        } else if rest.starts_with('`') {
            let ticks: String = rest.chars().take_while(|c| *c == '`').collect();
            let after = rest.get(ticks.len()..).unwrap_or_default();
            let length = after.find(&ticks).map_or(ticks.len(), |end| end + 2 * ticks.len());
            rest = copy(rest, length, &mut out);
        } else if let Some(length) = delimited(rest, delimiters) {
            out.push_str(&kept.marker.mark(kept.pieces.len()));
            kept.pieces.push(html::escape(rest.get(..length).unwrap_or_default()));
            rest = rest.get(length..).unwrap_or_default();
        } else {
            let length = rest.chars().next().map_or(1, char::len_utf8);
            rest = copy(rest, length, &mut out);
        }
    }
    (out, kept)
}

/// Puts the pieces back into the HTML that was made of the Markdown.
pub(super) fn put_back(html: String, kept: &Kept) -> String {
    if kept.pieces.is_empty() { html } else { kept.marker.replace(&html, &kept.pieces) }
}

fn copy<'r>(rest: &'r str, length: usize, out: &mut String) -> &'r str {
    let (head, tail) = rest.split_at_checked(length).unwrap_or((rest, ""));
    out.push_str(head);
    tail
}

fn line_length(rest: &str) -> usize {
    rest.find('\n').map_or(rest.len(), |end| end + 1)
}

fn fence_of(rest: &str) -> Option<String> {
    let line = rest.trim_start_matches(' ');
    let mark = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let fence: String = line.chars().take_while(|c| *c == mark).collect();
    (fence.len() >= 3 && rest.len() - line.len() <= 3).then_some(fence)
}

fn delimited(rest: &str, delimiters: &[(String, String)]) -> Option<usize> {
    delimiters.iter().find_map(|(open, close)| {
        let after = rest.strip_prefix(open.as_str())?;
        after.find(close.as_str()).filter(|end| *end > 0).map(|end| open.len() + end + close.len())
    })
}

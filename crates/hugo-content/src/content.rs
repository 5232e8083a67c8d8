//! From a page's source to the HTML of its content.

use super::bounds::Meter;
use super::markdown;
use super::markup::Markup;

/// HTML of a text, still to be cleaned.
pub(super) fn html_of(source: &str, title: &str, is_html: bool, markup: &Markup, meter: &Meter<'_>) -> String {
    if is_html {
        markdown::without_title(source, title).to_owned()
    } else {
        markdown::render(source, title, markup, meter)
    }
}

/// The text above the line `<!--more-->`, if there is one.
pub(super) fn above_more(body: &str) -> Option<&str> {
    body.split_once("<!--more-->").or_else(|| body.split_once("<!-- more -->")).map(|(above, _)| above)
}

/// The body as it is compared: `\n` line ends, no blanks at the ends of lines, no empty lines around it.
pub(super) fn normalized(body: &str) -> String {
    let lines: Vec<&str> = body.lines().map(str::trim_end).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}

/// Plain text of a title: one line, trimmed.
pub(super) fn title_text(title: &str) -> String {
    title.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a summary says anything.
pub(super) fn says_something(summary: &str) -> bool {
    !html::text(summary).is_empty()
}

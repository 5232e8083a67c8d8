//! Markdown as Hugo's Goldmark renders it, without the title said twice.

use std::sync::LazyLock;

use comrak::nodes::{Node, NodeValue};
use comrak::{Arena, Options};
use regex::Regex;

use super::bounds::Meter;
use super::markup::Markup;
use super::{passthrough, typographer};

/// Headings and titles as much alike say the same: one letter in ten may differ.
const ALIKE: f64 = 0.9;

/// Bytes; a longer heading says the title again only where the title holds it whole.
const MAX_COMPARED: usize = 1000;

/// Renders Markdown to HTML that still has to be cleaned. A leading heading 1 that says what `title` says is left
/// out, since readers show the title above. Nothing, where it costs more than the meter has.
pub(super) fn render(markdown: &str, title: &str, markup: &Markup, meter: &Meter<'_>) -> String {
    if markup.table && !meter.may_hold_tables(markdown) {
        return String::new();
    }
    let (markdown, kept) = passthrough::take_out(markdown, &markup.passthrough);
    let hidden = typographer::hide_angles(&markdown, markup.typographer.as_ref());
    let options = options(markup);
    let arena = Arena::new();
    let text = hidden.as_deref().unwrap_or(&markdown);
    let Ok(root) = comrak::try_parse_document(&arena, text, &options, &|| meter.must_stop()) else {
        return String::new();
    };
    if let Some(heading) = leading_heading(root).filter(|heading| repeats(&words(heading), title)) {
        heading.detach();
    }
    // Collected first, since some are taken out.
    let nodes: Vec<Node<'_>> = root.descendants().collect();
    let mut open_quotes = typographer::Open::default();
    for node in nodes {
        plain_footnote(node);
        if markup.heading_attributes {
            without_heading_attributes(node);
        }
        if markup.block_attributes {
            without_block_attributes(node);
        }
        loose_description(node);
        if let Some(marks) = &markup.typographer
            && holds_text(node)
        {
            typographer::smarten(node, marks, &mut open_quotes);
        }
    }
    let mut html = String::new();
    // Writing to a String does not fail.
    let _ = comrak::format_html(root, &options, &mut html);
    if !meter.may_make(&html) || meter.must_stop() {
        return String::new();
    }
    let html = without_back_references(&html);
    let html = if hidden.is_some() { typographer::show_angles(&html) } else { html };
    // What is left of a task list where forms are taken out.
    let html = html.replace("<input type=\"checkbox\" checked=\"\" disabled=\"\" />", "☑");
    passthrough::put_back(html.replace("<input type=\"checkbox\" disabled=\"\" />", "☐"), &kept)
}

/// The blocks whose inline nodes are read as one run.
fn holds_text(node: Node<'_>) -> bool {
    matches!(node.data.borrow().value, NodeValue::Paragraph | NodeValue::Heading(_) | NodeValue::TableCell)
}

/// The words of a leading heading 1, for pages without a title.
pub(super) fn first_heading(markdown: &str, markup: &Markup) -> Option<String> {
    let meter = Meter::of(markdown.len());
    if markup.table && !meter.may_hold_tables(markdown) {
        return None;
    }
    let arena = Arena::new();
    let root = comrak::try_parse_document(&arena, markdown, &options(markup), &|| meter.must_stop()).ok()?;
    leading_heading(root).map(words).filter(|words| !words.is_empty())
}

fn options(markup: &Markup) -> Options<'static> {
    let mut options = Options::default();
    let on = &mut options.extension;
    on.table = markup.table;
    on.strikethrough = markup.strikethrough;
    on.autolink = markup.linkify;
    on.tasklist = markup.task_list;
    on.footnotes = markup.footnote;
    on.description_lists = markup.definition_list;
    on.subscript = markup.subscript;
    on.superscript = markup.superscript;
    on.insert = markup.insert;
    on.highlight = markup.mark;
    on.shortcodes = markup.emoji;
    options.parse.escaped_char_spans = true;
    options.render.hardbreaks = markup.hard_wraps;
    options.render.r#unsafe = markup.raw_html;
    options
}

/// The first block if it is a heading 1; pictures and remarks in raw HTML may stand above it.
fn leading_heading(root: Node<'_>) -> Option<Node<'_>> {
    let first = root.children().find(|node| !is_ornament(node))?;
    let is_heading = match &first.data.borrow().value {
        NodeValue::Heading(heading) => heading.level == 1,
        NodeValue::HtmlBlock(block) => html_heading(&block.literal).is_some(),
        _ => false,
    };
    is_heading.then_some(first)
}

fn is_ornament(node: Node<'_>) -> bool {
    match &node.data.borrow().value {
        NodeValue::HtmlBlock(block) => html_heading(&block.literal).is_none(),
        NodeValue::Paragraph => {
            let mut children = node.children().peekable();
            let starts_raw =
                children.peek().is_some_and(|first| matches!(first.data.borrow().value, NodeValue::HtmlInline(_)));
            starts_raw
                || children.all(|child| {
                    matches!(
                        child.data.borrow().value,
                        NodeValue::Image(_) | NodeValue::SoftBreak | NodeValue::LineBreak | NodeValue::HtmlInline(_)
                    )
                })
        }
        _ => false,
    }
}

fn words(node: Node<'_>) -> String {
    if let NodeValue::HtmlBlock(block) = &node.data.borrow().value {
        return html_heading(&block.literal).unwrap_or_default();
    }
    let mut words = String::new();
    for inner in node.descendants() {
        match &inner.data.borrow().value {
            NodeValue::Text(text) => words.push_str(text),
            NodeValue::Code(code) => words.push_str(&code.literal),
            NodeValue::SoftBreak | NodeValue::LineBreak => words.push(' '),
            _ => {}
        }
    }
    heading_attributes().map_or(words.clone(), |pattern| pattern.replace(&words, "").into_owned()).trim().to_owned()
}

/// The words of a piece of HTML that is a heading 1 and nothing else.
fn html_heading(html: &str) -> Option<String> {
    let (words, rest) = leading_html_heading(html)?;
    rest.trim().is_empty().then_some(words)
}

/// HTML without a heading 1 at its start that says what `title` says.
pub(super) fn without_title<'h>(html: &'h str, title: &str) -> &'h str {
    leading_html_heading(html).filter(|(words, _)| repeats(words, title)).map_or(html, |(_, rest)| rest)
}

fn leading_html_heading(html: &str) -> Option<(String, &str)> {
    static HEADING: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?is)^\s*(?:<!--.*?-->\s*)*<h1\b[^>]*>(.*?)</h1\s*>").ok());
    let found = HEADING.as_ref()?.captures(html)?;
    let rest = html.get(found.get(0)?.end()..)?;
    Some((html::text(found.get(1)?.as_str()), rest))
}

/// Whether a heading says nothing that the title does not, whatever its capitals and punctuation.
pub(super) fn repeats(heading: &str, title: &str) -> bool {
    let plain = |text: &str| {
        let words: Vec<String> =
            text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect();
        format!(" {} ", words.join(" "))
    };
    let (heading, title) = (plain(heading), plain(title));
    // Comparing two long texts letter by letter takes the product of their lengths.
    let are_short = heading.len().max(title.len()) <= MAX_COMPARED;
    !heading.trim().is_empty()
        && (title.contains(&heading) || are_short && strsim::normalized_levenshtein(&heading, &title) >= ALIKE)
}

/// A footnote's mark without its link: the names of anchors differ between renderers.
fn plain_footnote(node: Node<'_>) {
    let mut data = node.data.borrow_mut();
    if let NodeValue::FootnoteReference(reference) = &data.value {
        data.value = NodeValue::Raw(format!("<sup>[{}]</sup>", reference.ix));
    }
}

const ATTRIBUTES: &str = r#"\{\s*(?:(?:[#.][^\s{}]+|[\w:-]+=(?:"[^"{}]*"|'[^'{}]*'|[^\s"'{}]+))\s*)+\}"#;

fn heading_attributes() -> Option<&'static Regex> {
    static PATTERN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(&format!(r"\s*{ATTRIBUTES}\s*$")).ok());
    PATTERN.as_ref()
}

/// Goldmark reads `## Heading {#id .class}`; none of it shows.
fn without_heading_attributes(node: Node<'_>) {
    if !matches!(node.data.borrow().value, NodeValue::Heading(_)) {
        return;
    }
    let Some(last) = node.last_child() else { return };
    let mut data = last.data.borrow_mut();
    if let (NodeValue::Text(text), Some(pattern)) = (&mut data.value, heading_attributes()) {
        *text = pattern.replace(text, "").into_owned().into();
    }
}

/// With `parser.attribute.block`, a line of attributes below a block does not show.
fn without_block_attributes(node: Node<'_>) {
    static LINE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(&format!(r"^\s*{ATTRIBUTES}\s*$")).ok());
    let is_attributes = |node: Node<'_>| match &node.data.borrow().value {
        NodeValue::Text(text) => LINE.as_ref().is_some_and(|line| line.is_match(text)),
        _ => false,
    };
    let is_paragraph = matches!(node.data.borrow().value, NodeValue::Paragraph);
    let is_row = matches!(node.data.borrow().value, NodeValue::TableRow(false));
    if is_paragraph && node.last_child().is_some_and(is_attributes) {
        let Some(last) = node.last_child() else { return };
        match last.previous_sibling() {
            None => node.detach(),
            Some(before) if matches!(before.data.borrow().value, NodeValue::SoftBreak) => {
                last.detach();
                before.detach();
            }
            Some(_) => {}
        }
    } else if is_row {
        let mut cells = node.children();
        let only = |cell: Node<'_>| cell.first_child().is_some_and(is_attributes);
        if cells.next().is_some_and(only) && cells.all(|cell| cell.first_child().is_none()) {
            node.detach();
        }
    }
}

/// Each term of several stands on its own line, and paragraphs of a description stay apart.
fn loose_description(node: Node<'_>) {
    match &mut node.data.borrow_mut().value {
        NodeValue::DescriptionItem(item) => item.tight = false,
        NodeValue::SoftBreak => {}
        _ => return,
    }
    let term = |node: Node<'_>| matches!(node.data.borrow().value, NodeValue::DescriptionTerm);
    let in_term = node.ancestors().skip(1).take(2).any(term);
    let mut data = node.data.borrow_mut();
    if in_term && matches!(data.value, NodeValue::SoftBreak) {
        data.value = NodeValue::LineBreak;
    }
}

fn without_back_references(html: &str) -> String {
    static BACK: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r##"(?s)\s*<a href="#fnref-[^>]*>.*?</a>"##).ok());
    BACK.as_ref().map_or_else(|| html.to_owned(), |back| back.replace_all(html, "").into_owned())
}

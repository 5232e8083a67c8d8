//! Markdown as Hugo's Goldmark renders it, without the title said twice.

use std::sync::LazyLock;

use comrak::nodes::{Node, NodeValue};
use comrak::{Arena, Options};
use regex::Regex;

use super::config::SiteConfig;

/// Renders Markdown to HTML that still has to be cleaned. A leading heading 1 whose words all stand in `title` is left
/// out, since readers show the title above.
pub(super) fn render(markdown: &str, title: &str, config: &SiteConfig) -> String {
    let options = options(config);
    let arena = Arena::new();
    let root = comrak::parse_document(&arena, markdown, &options);
    if let Some(heading) = leading_heading(root).filter(|heading| repeats(&words(heading), title)) {
        heading.detach();
    }
    for node in root.descendants() {
        plain_footnote(node);
        without_attributes(node);
    }
    let mut html = String::new();
    // Writing to a String does not fail.
    let _ = comrak::format_html(root, &options, &mut html);
    without_back_references(&html)
}

/// The words of a leading heading 1, for pages without a title.
pub(super) fn first_heading(markdown: &str, config: &SiteConfig) -> Option<String> {
    let arena = Arena::new();
    let root = comrak::parse_document(&arena, markdown, &options(config));
    leading_heading(root).map(words).filter(|words| !words.is_empty())
}

fn options(config: &SiteConfig) -> Options<'static> {
    let mut options = Options::default();
    let on = &mut options.extension;
    on.table = true;
    on.strikethrough = true;
    on.autolink = true;
    on.tasklist = true;
    on.footnotes = true;
    on.description_lists = true;
    on.shortcodes = config.emoji;
    options.parse.smart = config.typographer;
    options.render.r#unsafe = config.raw_html;
    options
}

/// The first block if it is a heading 1; pictures and remarks in raw HTML may stand above it.
fn leading_heading(root: Node<'_>) -> Option<Node<'_>> {
    let first = root.children().find(|node| !is_ornament(node))?;
    let is_heading = matches!(&first.data.borrow().value, NodeValue::Heading(heading) if heading.level == 1);
    is_heading.then_some(first)
}

fn is_ornament(node: Node<'_>) -> bool {
    match &node.data.borrow().value {
        NodeValue::HtmlBlock(_) => true,
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
    let mut words = String::new();
    for inner in node.descendants() {
        match &inner.data.borrow().value {
            NodeValue::Text(text) => words.push_str(text),
            NodeValue::Code(code) => words.push_str(&code.literal),
            NodeValue::SoftBreak | NodeValue::LineBreak => words.push(' '),
            _ => {}
        }
    }
    words.trim().to_owned()
}

/// Whether a heading says nothing that the title does not, whatever its capitals and punctuation.
fn repeats(heading: &str, title: &str) -> bool {
    let plain = |text: &str| {
        let words: Vec<String> =
            text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect();
        format!(" {} ", words.join(" "))
    };
    let heading = plain(heading);
    !heading.trim().is_empty() && plain(title).contains(&heading)
}

/// A footnote's mark without its link: the names of anchors differ between renderers.
fn plain_footnote(node: Node<'_>) {
    let mut data = node.data.borrow_mut();
    if let NodeValue::FootnoteReference(reference) = &data.value {
        data.value = NodeValue::Raw(format!("<sup>[{}]</sup>", reference.ix));
    }
}

/// Goldmark reads `## Heading {#id .class}`; none of it shows.
fn without_attributes(node: Node<'_>) {
    static ATTRIBUTES: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\s*\{\s*[#.][^{}]*\}\s*$").ok());
    if !matches!(node.data.borrow().value, NodeValue::Heading(_)) {
        return;
    }
    let Some(last) = node.last_child() else { return };
    let mut data = last.data.borrow_mut();
    if let (NodeValue::Text(text), Some(pattern)) = (&mut data.value, ATTRIBUTES.as_ref()) {
        *text = pattern.replace(text, "").into_owned().into();
    }
}

fn without_back_references(html: &str) -> String {
    static BACK: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r##"(?s)\s*<a href="#fnref-[^>]*>.*?</a>"##).ok());
    BACK.as_ref().map_or_else(|| html.to_owned(), |back| back.replace_all(html, "").into_owned())
}

//! Goldmark's typographer: quotes, dashes, dots and angle quotes as its extension of that name reads them.

use comrak::nodes::{Node, NodeValue};

use super::markup::Marks;

/// Stands for `<<` while Markdown is parsed, which would take what follows for a tag.
const LEFT_ANGLE: char = '\u{E000}';

/// Hides `<<` from the parser, where the typographer will want it.
pub(super) fn hide_angles(markdown: &str, marks: Option<&Marks>) -> Option<String> {
    let wanted = marks.is_some_and(|marks| marks.left_angle.is_some()) && markdown.contains("<<");
    (wanted && !markdown.contains(LEFT_ANGLE)).then(|| markdown.replace("<<", &LEFT_ANGLE.to_string()))
}

/// Shows it again in HTML where it was no quote.
pub(super) fn show_angles(html: &str) -> String {
    html.replace(LEFT_ANGLE, "&lt;&lt;")
}

/// Which quotes stand open in a document.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Open {
    singles: usize,
    doubles: usize,
}

/// Changes the texts of one block's inline nodes, which follow one another as the reader sees them.
pub(super) fn smarten(block: Node<'_>, marks: &Marks, open: &mut Open) {
    let mut run = Run { marks, before: '\n', open };
    let inlines: Vec<Node<'_>> = block.descendants().skip(1).collect();
    for (at, node) in inlines.iter().enumerate() {
        let stays = stays_as_typed(node);
        let mut data = node.data.borrow_mut();
        match &mut data.value {
            NodeValue::Text(text) if stays => run.before = text.chars().last().unwrap_or(run.before),
            NodeValue::Text(text) => {
                let next = inlines.get(at + 1..).unwrap_or_default().iter().find_map(|next| first_char(next));
                *text = run.text(text, next).into();
            }
            NodeValue::SoftBreak | NodeValue::LineBreak => run.before = '\n',
            NodeValue::Code(code) => run.before = code.literal.chars().last().unwrap_or('`'),
            NodeValue::HtmlInline(_) => run.before = '>',
            _ => {}
        }
    }
}

/// An escaped character, and an address that is its own link.
fn stays_as_typed(text: Node<'_>) -> bool {
    let Some(parent) = text.parent() else { return false };
    match (&parent.data.borrow().value, &text.data.borrow().value) {
        (NodeValue::Escaped, _) => true,
        (NodeValue::Link(link), NodeValue::Text(text)) => link.url.ends_with(text.as_ref()) && text.contains('.'),
        _ => false,
    }
}

fn first_char(node: Node<'_>) -> Option<char> {
    match &node.data.borrow().value {
        NodeValue::Text(text) => text.chars().next(),
        NodeValue::SoftBreak | NodeValue::LineBreak => Some('\n'),
        NodeValue::Code(_) => Some('`'),
        NodeValue::HtmlInline(_) => Some('<'),
        _ => None,
    }
}

/// Where in a block the reading is, and which quotes stand open.
struct Run<'m> {
    marks: &'m Marks,
    before: char,
    open: &'m mut Open,
}

impl Run<'_> {
    fn text(&mut self, text: &str, next: Option<char>) -> String {
        let chars: Vec<char> = text.chars().chain(next).collect();
        let end = text.chars().count();
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        while at < end {
            let rest = chars.get(at..).unwrap_or_default();
            let own = end - at;
            let (taken, mark) = self.mark(rest, own).unwrap_or((1, None));
            match mark {
                Some(mark) => out.push_str(&mark),
                None => out.extend(rest.iter().take(taken)),
            }
            self.before = rest.get(taken - 1).copied().unwrap_or(self.before);
            at += taken;
        }
        out
    }

    /// How many characters become a mark, and which.
    fn mark(&mut self, rest: &[char], own: usize) -> Option<(usize, Option<String>)> {
        let marks = self.marks;
        if rest.first() == Some(&LEFT_ANGLE) {
            return Some((1, marks.left_angle.clone()));
        }
        let starts = |with: &str| own >= with.len() && with.chars().zip(rest).all(|(a, b)| a == *b);
        let long = [("---", &marks.em_dash), ("...", &marks.ellipsis), ("--", &marks.en_dash)];
        for (typed, mark) in long.into_iter().chain([(">>", &marks.right_angle)]) {
            if mark.is_some() && starts(typed) {
                return Some((typed.len(), mark.clone()));
            }
        }
        match rest.first()? {
            '\'' => Some((1, self.single(rest))),
            '"' => Some((1, self.double(rest))),
            _ => None,
        }
    }

    fn single(&mut self, rest: &[char]) -> Option<String> {
        let marks = self.marks;
        let after = rest.get(1).copied().unwrap_or('\n');
        let (opens, closes) = flanks(self.before, after);
        let at = |index: usize| rest.get(index).copied();
        let ends_at = |index: usize| at(index).is_none_or(|c| c.is_whitespace() || is_punctuation(c));
        if marks.apostrophe.is_some() {
            let digit = |index: usize| at(index).is_some_and(|c| c.is_ascii_digit());
            let is_decade = opens && !closes && digit(1) && digit(2) && at(3) == Some('s') && ends_at(4);
            let is_short =
                (is_punctuation(self.before) || self.before.is_whitespace()) && matches!(after, 't' | 'e' | 'n' | 'l');
            let is_within = self.before.is_alphanumeric() && after.is_alphabetic();
            if is_decade || is_short || is_within {
                return marks.apostrophe.clone();
            }
        }
        if opens && !closes && marks.left_single.is_some() {
            let is_letter = matches!(after, 'm' | 't' | 's' | 'd') && ends_at(2);
            let is_pair = matches!((after, at(2)), ('v' | 'r', Some('e')) | ('l', Some('l'))) && ends_at(3);
            if is_letter || is_pair {
                return marks.right_single.clone();
            }
            self.open.singles += 1;
            return marks.left_single.clone();
        }
        // Plural possessives and abbreviations: Smiths', doin'.
        if marks.right_single.is_some() && at(1).is_some() && at(2).is_some() && !after.is_ascii_digit() {
            return marks.right_single.clone();
        }
        if self.open.singles > 0 && Self::ends_quote(rest, opens, closes) {
            self.open.singles -= 1;
            return marks.right_single.clone();
        }
        None
    }

    fn double(&mut self, rest: &[char]) -> Option<String> {
        let after = rest.get(1).copied().unwrap_or('\n');
        let (opens, closes) = flanks(self.before, after);
        if opens && !closes && self.marks.left_double.is_some() {
            self.open.doubles += 1;
            return self.marks.left_double.clone();
        }
        if self.open.doubles > 0 && Self::ends_quote(rest, opens, closes) {
            // An inch sign before the closing quote: "Monitor 21"".
            if after == '"' && self.before.is_ascii_digit() {
                return None;
            }
            self.open.doubles -= 1;
            return self.marks.right_double.clone();
        }
        None
    }

    fn ends_quote(rest: &[char], opens: bool, closes: bool) -> bool {
        let after = rest.get(1).copied().unwrap_or('\n');
        let then = rest.get(2).copied();
        closes && (!opens || (is_punctuation(after) && then.is_none_or(|c| is_punctuation(c) || c.is_whitespace())))
    }
}

/// Whether a mark between two characters may open and may close (`CommonMark`'s flanking, with no rule for words).
fn flanks(before: char, after: char) -> (bool, bool) {
    let space = |c: char| c.is_whitespace();
    let left = !space(after) && (!is_punctuation(after) || space(before) || is_punctuation(before));
    let right = !space(before) && (!is_punctuation(before) || space(after) || is_punctuation(after));
    (left, right)
}

fn is_punctuation(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_punctuation() } else { !c.is_alphanumeric() && !c.is_whitespace() }
}

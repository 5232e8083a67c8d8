//! Finds shortcodes in a body as Hugo's lexer does: `{{< name a b="c" >}}`, `{{% %}}`, raw and quoted arguments,
//! self-closing ones, pairs within pairs, and escaped ones, which are text.

/// A piece of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// As it stands; an escaped shortcode without its escape.
    Text(String),
    /// A shortcode.
    Code(Shortcode),
}

/// A shortcode, with what stands between it and its closing one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shortcode {
    /// Lower case.
    pub(super) name: String,
    /// By name or position, in their order.
    pub(super) arguments: Vec<(Option<String>, String)>,
    /// `{{% %}}`: what it holds is Markdown of the page.
    pub(super) is_markdown: bool,
    /// `None` where nothing closes it.
    pub(super) inner: Option<Vec<Node>>,
    /// Of the body, counted from 1.
    pub(super) line: u64,
}

impl Shortcode {
    /// An argument by name, or by position where arguments have none; empty ones count as absent.
    pub(super) fn argument(&self, name: &str, position: usize) -> Option<&str> {
        let named = self.arguments.iter().find(|(key, _)| key.as_deref().is_some_and(|k| k.eq_ignore_ascii_case(name)));
        let found = named.or_else(|| self.arguments.get(position).filter(|(key, _)| key.is_none()));
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// An argument that is only ever given by name.
    pub(super) fn named(&self, name: &str) -> Option<&str> {
        self.argument(name, usize::MAX)
    }
}

/// What is wrong with a body's shortcodes, and on which of its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// `{{<` without `>}}`: kept as text.
    Unclosed(u64),
    /// A closing one without its opening one: left out.
    Unopened(u64, String),
    /// Pairs around too many pairs: what is within them is taken to stand after them.
    TooDeep(u64, String),
}

/// Pairs within pairs; nobody writes as many, and each costs a part of the stack.
const MAX_DEPTH: usize = 32;

/// What is open, and what follows it so far; the first is the body itself, which is no shortcode.
struct Open {
    code: Option<Shortcode>,
    nodes: Vec<Node>,
    /// How many pairs stand within each other in `nodes`.
    depth: usize,
}

impl Open {
    fn new(code: Option<Shortcode>) -> Self {
        Self { code, nodes: Vec::new(), depth: 0 }
    }

    fn is_named(&self, name: &str) -> bool {
        self.code.as_ref().is_some_and(|code| code.name == name)
    }
}

/// Takes a body apart.
pub(super) fn scan(body: &str) -> (Vec<Node>, Vec<Fault>) {
    let mut faults = Vec::new();
    let mut open = vec![Open::new(None)];
    let (mut at, mut line) = (0, 1);
    while let Some(found) = body.get(at..).and_then(next_opening).map(|found| found + at) {
        push_text(&mut open, body.get(at..found).unwrap_or_default());
        line += lines_in(body.get(at..found).unwrap_or_default());
        let before = found;
        match tag(body.get(found..).unwrap_or_default()) {
            Some((Tag::Escaped(text), length)) => {
                push_text(&mut open, &text);
                at = found + length;
            }
            Some((Tag::Closing(name), length)) => {
                faults.extend(close(&mut open, name, line));
                at = found + length;
            }
            Some((Tag::Opening(code, ends_itself), length)) => {
                let code = Shortcode { line, ..code };
                if ends_itself {
                    push(&mut open, Node::Code(code));
                } else {
                    open.push(Open::new(Some(code)));
                }
                at = found + length;
            }
            None => {
                faults.push(Fault::Unclosed(line));
                push_text(&mut open, body.get(found..found + 3).unwrap_or_default());
                at = found + 3;
            }
        }
        line += lines_in(body.get(before..at).unwrap_or_default());
    }
    push_text(&mut open, body.get(at..).unwrap_or_default());
    leave_unpaired(&mut open, 0);
    (open.pop().map(|body| body.nodes).unwrap_or_default(), faults)
}

fn next_opening(body: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let found = from + body.get(from..)?.find("{{")?;
        match body.get(found + 2..)?.chars().next() {
            Some('<' | '%') => return Some(found),
            _ => from = found + 1,
        }
    }
}

fn lines_in(text: &str) -> u64 {
    u64::try_from(text.matches('\n').count()).unwrap_or(u64::MAX)
}

fn push(open: &mut [Open], node: Node) {
    if let Some(last) = open.last_mut() {
        last.nodes.push(node);
    }
}

fn push_text(open: &mut [Open], text: &str) {
    let Some(Open { nodes, .. }) = open.last_mut() else { return };
    match nodes.last_mut() {
        _ if text.is_empty() => {}
        Some(Node::Text(before)) => before.push_str(text),
        _ => nodes.push(Node::Text(text.to_owned())),
    }
}

/// Ends the nearest open shortcode of a name; those opened within it were never paired.
fn close(open: &mut Vec<Open>, name: String, line: u64) -> Option<Fault> {
    let Some(place) = open.iter().rposition(|open| open.is_named(&name)) else {
        return Some(Fault::Unopened(line, name));
    };
    leave_unpaired(open, place);
    if open.last().is_some_and(|last| last.depth >= MAX_DEPTH) {
        // All that is open at once: one by one would take the square of the time.
        leave_unpaired(open, 0);
        return Some(Fault::TooDeep(line, name));
    }
    if let Some(Open { code: Some(code), nodes, depth }) = open.pop() {
        push(open, Node::Code(Shortcode { inner: Some(nodes), ..code }));
        if let Some(around) = open.last_mut() {
            around.depth = around.depth.max(depth + 1);
        }
    }
    None
}

/// What seemed to stand within the open shortcodes after this place stands after them.
fn leave_unpaired(open: &mut Vec<Open>, place: usize) {
    for Open { code, nodes, depth } in open.split_off((place + 1).min(open.len())) {
        if let Some(code) = code {
            push(open, Node::Code(code));
        }
        for node in nodes {
            match node {
                Node::Text(text) => push_text(open, &text),
                code @ Node::Code(_) => push(open, code),
            }
        }
        if let Some(around) = open.last_mut() {
            around.depth = around.depth.max(depth);
        }
    }
}

enum Tag {
    Escaped(String),
    Closing(String),
    /// And whether it closes itself.
    Opening(Shortcode, bool),
}

/// Reads what begins with `{{<` or `{{%`, and says how long it is.
fn tag(text: &str) -> Option<(Tag, usize)> {
    let is_markdown = text.get(2..3)? == "%";
    let end = if is_markdown { "%}}" } else { ">}}" };
    let after = text.get(3..)?;
    if let Some(escaped) = after.strip_prefix("/*") {
        let (inner, _) = escaped.split_once(&format!("*/{end}"))?;
        let literal = format!("{}{inner}{end}", text.get(..3)?);
        return Some((Tag::Escaped(literal), 3 + 2 + inner.len() + 2 + end.len()));
    }
    let (mut words, length) = words(after, end)?;
    let ends_itself = words.last().is_some_and(|word| *word == (None, "/".to_owned(), false)) && words.len() > 1;
    if ends_itself {
        words.pop();
    }
    let length = 3 + length;
    let mut words = words.into_iter();
    let (_, first, _) = words.next()?;
    if let Some(name) = first.strip_prefix('/') {
        let name = if name.is_empty() { words.next()?.1 } else { name.to_owned() };
        return Some((Tag::Closing(name.to_lowercase()), length));
    }
    let arguments = words.map(|(key, value, _)| (key, value)).collect();
    let code = Shortcode { name: first.to_lowercase(), arguments, is_markdown, inner: None, line: 0 };
    Some((Tag::Opening(code, ends_itself), length))
}

/// A word: its key if it has one, its value, and whether that stood in quotes.
type Word = (Option<String>, String, bool);

/// The words up to `end`, and how far that is, `end` included.
fn words(text: &str, end: &str) -> Option<(Vec<Word>, usize)> {
    let mut words = Vec::new();
    let mut at = 0;
    loop {
        let rest = text.get(at..)?;
        let blank = rest.len() - rest.trim_start().len();
        let rest = rest.trim_start();
        at += blank;
        if rest.starts_with(end) {
            return Some((words, at + end.len()));
        }
        if rest.is_empty() || rest.starts_with("{{") {
            return None;
        }
        let key_length = rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-'))).unwrap_or(rest.len());
        let key = rest
            .get(..key_length)
            .filter(|key| !key.is_empty() && rest.get(key_length..).is_some_and(|r| r.starts_with('=')));
        let skipped = key.map_or(0, |key| key.len() + 1);
        let (value, quoted, length) = value(rest.get(skipped..)?, end)?;
        words.push((key.map(str::to_owned), value, quoted));
        at += skipped + length;
    }
}

fn value(text: &str, end: &str) -> Option<(String, bool, usize)> {
    if let Some(raw) = text.strip_prefix('`') {
        let close = raw.find('`')?;
        return Some((raw.get(..close)?.to_owned(), true, close + 2));
    }
    if let Some(quoted) = text.strip_prefix('"') {
        let mut value = String::new();
        let mut chars = quoted.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => return Some((value, true, at + 2)),
                '\\' => match chars.next()? {
                    (_, next @ ('"' | '\\')) => value.push(next),
                    (_, 'n') => value.push('\n'),
                    (_, other) => value.extend(['\\', other]),
                },
                c => value.push(c),
            }
        }
        return None;
    }
    let stop = text.find(|c: char| c.is_whitespace()).unwrap_or(text.len()).min(text.find(end).unwrap_or(text.len()));
    // A slash before the end closes; elsewhere it is a part of the word.
    let word = text.get(..stop)?;
    let closes = word.len() > 1 && word.ends_with('/') && text.get(stop..).is_some_and(|rest| rest.starts_with(end));
    let word = if closes { word.strip_suffix('/')? } else { word };
    Some((word.to_owned(), false, word.len()))
}

//! Finds shortcodes in a body as Hugo's lexer does: `{{< name a b="c" >}}`, `{{% %}}`, raw and quoted arguments,
//! self-closing ones, pairs within pairs, and escaped ones, which are text.

use std::collections::HashMap;

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
    /// `{{<` without `>}}`: kept as text. With the words that follow it.
    Unclosed(u64, String),
    /// A closing one without its opening one: left out.
    Unopened(u64, String),
    /// Pairs around too many pairs: what is within them is taken to stand after them.
    TooDeep(u64, String),
    /// So much was begun and not ended that looking on would take the square of the time; the rest is text.
    TooCostly(u64),
}

/// Pairs within pairs; nobody writes as many, and each costs a part of the stack.
const MAX_DEPTH: usize = 32;

/// Bytes that may be looked at in vain for each byte of a body, beside [`SPARE`].
const COST_PER_BYTE: usize = 8;
const SPARE: usize = 64 * 1024;

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

/// Takes a body apart. The time is linear in its length.
pub(super) fn scan(body: &str) -> (Vec<Node>, Vec<Fault>) {
    scan_counted(body, &mut 0)
}

/// As [`scan`], and counts the bytes looked at in vain.
pub(super) fn scan_counted(body: &str, in_vain: &mut usize) -> (Vec<Node>, Vec<Fault>) {
    let mut faults = Vec::new();
    let mut open = Stack::new();
    let ends = Ends::of(body);
    let (mut at, mut line) = (0, 1);
    while let Some(found) = body.get(at..).and_then(next_opening).map(|found| found + at) {
        open.push_text(body.get(at..found).unwrap_or_default());
        line += lines_in(body.get(at..found).unwrap_or_default());
        if *in_vain > COST_PER_BYTE * body.len() + SPARE {
            faults.push(Fault::TooCostly(line));
            at = found;
            break;
        }
        let before = found;
        let rest = body.get(found..).unwrap_or_default();
        let mut looked_at = 0;
        match ends.may_follow(rest, found).then(|| tag(rest, &mut looked_at)).flatten() {
            Some((Tag::Escaped(text), length)) => {
                open.push_text(&text);
                at = found + length;
            }
            Some((Tag::Closing(name), length)) => {
                faults.extend(open.close(name, line));
                at = found + length;
            }
            Some((Tag::Opening(code, ends_itself), length)) => {
                let code = Shortcode { line, ..code };
                if ends_itself {
                    open.push(Node::Code(code));
                } else {
                    open.open(code);
                }
                at = found + length;
            }
            None => {
                *in_vain += looked_at;
                let start = body.get(found + 3..).unwrap_or_default().chars().take(100).collect();
                faults.push(Fault::Unclosed(line, start));
                open.push_text(body.get(found..found + 3).unwrap_or_default());
                at = found + 3;
            }
        }
        line += lines_in(body.get(before..at).unwrap_or_default());
    }
    open.push_text(body.get(at..).unwrap_or_default());
    open.leave_unpaired(0);
    (open.open.pop().map(|body| body.nodes).unwrap_or_default(), faults)
}

/// Where the last of each kind of ending stands, so that none is looked for behind it.
struct Ends([(&'static str, Option<usize>, Option<usize>); 2]);

impl Ends {
    fn of(body: &str) -> Self {
        let last = |start, end: &str, escaped: &str| (start, body.rfind(end), body.rfind(escaped));
        Self([last("{{<", ">}}", "*/>}}"), last("{{%", "%}}", "*/%}}")])
    }

    /// Whether what begins with `rest`, at this place, may end at all.
    fn may_follow(&self, rest: &str, at: usize) -> bool {
        let kind = self.0.iter().find(|(start, ..)| rest.starts_with(start));
        kind.is_some_and(|(start, end, escaped)| {
            let is_escaped = rest.get(start.len()..).is_some_and(|rest| rest.starts_with("/*"));
            if is_escaped { *escaped > Some(at) } else { *end > Some(at) }
        })
    }
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

/// All that is open; the first is the body itself.
struct Stack {
    open: Vec<Open>,
    /// How many of each name are open.
    names: HashMap<String, usize>,
}

impl Stack {
    fn new() -> Self {
        Self { open: vec![Open::new(None)], names: HashMap::new() }
    }

    fn open(&mut self, code: Shortcode) {
        *self.names.entry(code.name.clone()).or_default() += 1;
        self.open.push(Open::new(Some(code)));
    }

    fn forget(&mut self, code: Option<&Shortcode>) {
        if let Some(count) = code.and_then(|code| self.names.get_mut(&code.name)) {
            *count = count.saturating_sub(1);
        }
    }

    fn push(&mut self, node: Node) {
        if let Some(last) = self.open.last_mut() {
            last.nodes.push(node);
        }
    }

    fn push_text(&mut self, text: &str) {
        let Some(Open { nodes, .. }) = self.open.last_mut() else { return };
        match nodes.last_mut() {
            _ if text.is_empty() => {}
            Some(Node::Text(before)) => before.push_str(text),
            _ => nodes.push(Node::Text(text.to_owned())),
        }
    }

    /// Ends the nearest open shortcode of a name; those opened within it were never paired.
    fn close(&mut self, name: String, line: u64) -> Option<Fault> {
        if self.names.get(&name).is_none_or(|count| *count == 0) {
            return Some(Fault::Unopened(line, name));
        }
        let place = self.open.iter().rposition(|open| open.is_named(&name))?;
        self.leave_unpaired(place);
        if self.open.last().is_some_and(|last| last.depth >= MAX_DEPTH) {
            // All that is open at once: one by one would take the square of the time.
            self.leave_unpaired(0);
            return Some(Fault::TooDeep(line, name));
        }
        if let Some(Open { code: Some(code), nodes, depth }) = self.open.pop() {
            self.forget(Some(&code));
            self.push(Node::Code(Shortcode { inner: Some(nodes), ..code }));
            if let Some(around) = self.open.last_mut() {
                around.depth = around.depth.max(depth + 1);
            }
        }
        None
    }

    /// What seemed to stand within the open shortcodes after this place stands after them.
    fn leave_unpaired(&mut self, place: usize) {
        for Open { code, nodes, depth } in self.open.split_off((place + 1).min(self.open.len())) {
            self.forget(code.as_ref());
            if let Some(code) = code {
                self.push(Node::Code(code));
            }
            for node in nodes {
                match node {
                    Node::Text(text) => self.push_text(&text),
                    code @ Node::Code(_) => self.push(code),
                }
            }
            if let Some(around) = self.open.last_mut() {
                around.depth = around.depth.max(depth);
            }
        }
    }
}

enum Tag {
    Escaped(String),
    Closing(String),
    /// And whether it closes itself.
    Opening(Shortcode, bool),
}

/// Reads what begins with `{{<` or `{{%`, and says how long it is; counts the bytes it looks at.
fn tag(text: &str, looked_at: &mut usize) -> Option<(Tag, usize)> {
    let is_markdown = text.get(2..3)? == "%";
    let end = if is_markdown { "%}}" } else { ">}}" };
    let after = text.get(3..)?;
    if let Some(escaped) = after.strip_prefix("/*") {
        *looked_at += escaped.len();
        let (inner, _) = escaped.split_once(&format!("*/{end}"))?;
        let literal = format!("{}{inner}{end}", text.get(..3)?);
        return Some((Tag::Escaped(literal), 3 + 2 + inner.len() + 2 + end.len()));
    }
    let (mut words, length) = words(after, end, looked_at)?;
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
fn words(text: &str, end: &str, looked_at: &mut usize) -> Option<(Vec<Word>, usize)> {
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
        let found = value(rest.get(skipped..)?, end);
        *looked_at += blank + key_length + found.as_ref().map_or(rest.len(), |(.., length)| *length);
        let (value, quoted, length) = found?;
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
    let ends = |at: usize, c: char| c.is_whitespace() || text.get(at..).is_some_and(|rest| rest.starts_with(end));
    let stop = text.char_indices().find(|(at, c)| ends(*at, *c)).map_or(text.len(), |(at, _)| at);
    // A slash before the end closes; elsewhere it is a part of the word.
    let word = text.get(..stop)?;
    let closes = word.len() > 1 && word.ends_with('/') && text.get(stop..).is_some_and(|rest| rest.starts_with(end));
    let word = if closes { word.strip_suffix('/')? } else { word };
    Some((word.to_owned(), false, word.len()))
}

//! Hands HTML to the real tokenizer, piece by piece, and changes what html5ever takes the square of: it compares each
//! attribute of a tag with all before it, and looks to the end of a text for each character that it escapes.

use std::borrow::Cow;
use std::cell::Cell;

use html5ever::TokenizerResult;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{BufferQueue, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};

/// Most attributes of one tag that are read; the others are left out.
const ATTRIBUTES: usize = 256;

/// Longest text in one node, as far as something in it is escaped, in bytes.
const TEXT: usize = 4_096;

/// Parts two text nodes, and is gone from what is cleaned.
const PARTING: &str = "<!---->";

/// Who reads tokens, until they have had enough.
pub(super) trait Reader: TokenSink {
    /// Whether nothing more need be read.
    fn is_over(&self) -> bool;
}

/// Counts the tokens of a reader, so that it can be told whether the tokenizer is within a tag.
pub(super) struct Counted<S> {
    /// Who reads them.
    pub(super) reader: S,
    /// How many came so far, without those that say that something is wrong.
    pub(super) tokens: Cell<usize>,
}

impl<S: Reader> TokenSink for Counted<S> {
    type Handle = S::Handle;

    fn process_token(&self, token: Token, line: u64) -> TokenSinkResult<S::Handle> {
        if matches!(token, Token::ParseError(_)) {
            return TokenSinkResult::Continue;
        }
        self.tokens.set(self.tokens.get() + 1);
        if self.reader.is_over() { TokenSinkResult::Continue } else { self.reader.process_token(token, line) }
    }

    fn end(&self) {
        self.reader.end();
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        self.reader.adjusted_current_node_present_but_not_in_html_namespace()
    }
}

/// Lets a reader read HTML; gives it back without the attributes that were left out.
pub(super) fn read<S: Reader>(html: &str, reader: S) -> (Cow<'_, str>, Counted<S>) {
    let sink = Counted { reader, tokens: Cell::new(0) };
    let mut feed = Feed {
        tokenizer: Tokenizer::new(sink, TokenizerOpts::default()),
        html,
        scan: Scan::Done,
        attributes: 0,
        tokens: 0,
        kept: String::new(),
        kept_to: 0,
        leaves_out: false,
    };
    let mut at = 0;
    while at < html.len() && !feed.tokenizer.sink.reader.is_over() {
        let text = html.get(at + 1..).unwrap_or_default();
        let end = text.find('<').map_or(html.len(), |found| at + 1 + found);
        feed.piece(at, end);
        at = end;
    }
    if !feed.tokenizer.sink.reader.is_over() {
        feed.tokenizer.end();
    }
    let kept = feed.kept();
    (kept, feed.tokenizer.sink)
}

struct Feed<'a, S: Reader> {
    tokenizer: Tokenizer<Counted<S>>,
    html: &'a str,
    scan: Scan,
    attributes: usize,
    /// How many tokens there were when the tag that is scanned began.
    tokens: usize,
    kept: String,
    kept_to: usize,
    leaves_out: bool,
}

impl<'a, S: Reader> Feed<'a, S> {
    /// What stands from one `<` to the next.
    fn piece(&mut self, start: usize, end: usize) {
        let mut fed = start;
        let mut bytes = self.html.as_bytes().get(start..end).unwrap_or_default().iter().enumerate();
        if self.html.get(start..=start) == Some("<") && !self.leaves_out {
            bytes.next();
            fed = self.feed(start, start + 1);
            if self.is_silent() && self.scan != Scan::Done {
                self.step(b'<');
            } else {
                (self.scan, self.attributes, self.tokens) = (Scan::Open, 0, self.tokens_so_far());
            }
        }
        for (offset, byte) in bytes {
            let at = start + offset;
            if matches!(self.scan, Scan::Done | Scan::Other) {
                break;
            }
            let begins = self.step(*byte);
            if self.leaves_out {
                fed = at;
                if self.scan == Scan::Done {
                    (self.leaves_out, self.kept_to) = (false, at);
                    break;
                }
            } else if begins && self.attributes > ATTRIBUTES {
                fed = self.feed(fed, at);
                if !self.is_silent() {
                    // What looks like a tag stands in a script or the like.
                    self.scan = Scan::Done;
                    break;
                }
                self.leaves_out = true;
                self.kept.push_str(self.html.get(self.kept_to..at).unwrap_or_default());
            }
        }
        if !self.leaves_out {
            self.text(fed, end);
        }
    }

    /// The rest of a piece, parted where it is long and much of it would be escaped.
    fn text(&mut self, mut start: usize, end: usize) {
        while end - start > TEXT {
            let bytes = self.html.as_bytes().get(start + TEXT..end).unwrap_or_default();
            // What begins with 0xC2 may be a blank that does not break.
            let Some(at) = bytes.iter().position(|byte| matches!(byte, b'&' | 0xc2)) else { break };
            start = self.feed(start, start + TEXT + at);
            if !self.is_silent() {
                self.give(PARTING);
                self.kept.push_str(self.html.get(self.kept_to..start).unwrap_or_default());
                self.kept.push_str(PARTING);
                self.kept_to = start;
            }
        }
        self.feed(start, end);
    }

    fn tokens_so_far(&self) -> usize {
        self.tokenizer.sink.tokens.get()
    }

    /// Whether the tokenizer has said nothing since what may be a tag began: then it is within it.
    fn is_silent(&self) -> bool {
        self.tokens == self.tokens_so_far()
    }

    fn feed(&self, from: usize, to: usize) -> usize {
        self.give(self.html.get(from..to).unwrap_or_default());
        to
    }

    fn give(&self, piece: &str) {
        let input = BufferQueue::default();
        if !piece.is_empty() {
            input.push_back(StrTendril::from(piece));
            while !matches!(self.tokenizer.feed(&input), TokenizerResult::Done) {}
        }
    }

    /// Goes on by a byte; tells whether an attribute begins with it.
    fn step(&mut self, byte: u8) -> bool {
        let (next, begins) = self.scan.after(byte);
        self.scan = next;
        self.attributes += usize::from(begins);
        begins
    }

    fn kept(&mut self) -> Cow<'a, str> {
        if self.kept.is_empty() {
            return Cow::Borrowed(self.html);
        }
        if !self.leaves_out {
            self.kept.push_str(self.html.get(self.kept_to..).unwrap_or_default());
        }
        Cow::Owned(std::mem::take(&mut self.kept))
    }
}

/// Where in a tag a reader is (WHATWG HTML 13.2.5, from the "tag open state" to the "self-closing start tag state").
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scan {
    Open,
    EndOpen,
    Name,
    /// Before the name of an attribute.
    Before,
    Attribute,
    /// After the name of an attribute.
    After,
    Slash,
    BeforeValue,
    Quoted(u8),
    Unquoted,
    AfterQuoted,
    /// A comment or another thing without attributes.
    Other,
    /// After it.
    Done,
}

impl Scan {
    /// The state after a byte, and whether an attribute begins with it.
    fn after(self, byte: u8) -> (Self, bool) {
        let is_blank = matches!(byte, b'\t' | b'\n' | b'\r' | b'\x0c' | b' ');
        let next = match (self, byte) {
            (Self::Open, b'/') => Self::EndOpen,
            (Self::Open, b'!' | b'?') => Self::Other,
            (Self::Open, b'<') => Self::Open,
            (Self::Open | Self::EndOpen, b'a'..=b'z' | b'A'..=b'Z') => Self::Name,
            (Self::EndOpen, b'>') | (Self::Open, _) => Self::Done,
            (Self::EndOpen, _) => Self::Other,
            (Self::Quoted(quote), _) if quote == byte => Self::AfterQuoted,
            (Self::BeforeValue, b'"' | b'\'') => Self::Quoted(byte),
            (Self::BeforeValue, _) if is_blank => Self::BeforeValue,
            (Self::Quoted(_) | Self::Other | Self::Done, _) => self,
            (_, b'>') => Self::Done,
            (Self::Name | Self::Unquoted | Self::AfterQuoted | Self::Slash, _) if is_blank => Self::Before,
            (Self::Attribute, _) if is_blank => Self::After,
            (Self::Before | Self::After, _) if is_blank => self,
            (Self::BeforeValue | Self::Unquoted, _) => Self::Unquoted,
            (_, b'/') => Self::Slash,
            (Self::Name, _) => Self::Name,
            (Self::Attribute | Self::After, b'=') => Self::BeforeValue,
            (Self::Attribute, _) => Self::Attribute,
            (Self::Before | Self::After | Self::Slash | Self::AfterQuoted, _) => return (Self::Attribute, true),
        };
        (next, false)
    }
}

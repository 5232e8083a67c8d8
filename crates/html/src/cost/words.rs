//! The words of HTML that is too dear to be read as a tree.

use std::cell::{Cell, RefCell};

use crate::{GONE, escape};
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{Tag, TagKind, Token, TokenSink, TokenSinkResult};

use super::feed::{self, Reader};

/// The text between tags, without that of scripts and the like, escaped; a blank stands for each tag.
pub(crate) fn words(html: &str) -> String {
    let (_, sink) = feed::read(html, Words::default());
    escape(sink.reader.text.borrow().trim())
}

#[derive(Default)]
struct Words {
    text: RefCell<String>,
    /// The element that is left out with all it holds, and how many of its name are open.
    gone: RefCell<Option<String>>,
    depth: Cell<usize>,
}

impl Words {
    fn tag(&self, tag: &Tag) -> TokenSinkResult<()> {
        let mut text = self.text.borrow_mut();
        if !text.ends_with(' ') {
            text.push(' ');
        }
        let name = &*tag.name;
        let mut gone = self.gone.borrow_mut();
        let is_foreign = gone.as_deref().is_some_and(|gone| matches!(gone, "svg" | "math"));
        if let Some(known) = gone.as_deref() {
            match tag.kind {
                _ if known != name => {}
                TagKind::StartTag if tag.self_closing && is_foreign => {}
                TagKind::StartTag => self.depth.set(self.depth.get() + 1),
                TagKind::EndTag if self.depth.get() <= 1 => *gone = None,
                TagKind::EndTag => self.depth.set(self.depth.get() - 1),
            }
        } else if tag.kind == TagKind::StartTag
            && GONE.contains(&name)
            && !(tag.self_closing && matches!(name, "svg" | "math"))
        {
            *gone = Some(name.to_owned());
            self.depth.set(1);
        }
        match (tag.kind, name) {
            (TagKind::EndTag, _) => TokenSinkResult::Continue,
            _ if is_foreign => TokenSinkResult::Continue,
            (_, "script") => TokenSinkResult::RawData(RawKind::ScriptData),
            (_, "title" | "textarea") => TokenSinkResult::RawData(RawKind::Rcdata),
            (_, "style" | "xmp" | "iframe" | "noembed" | "noframes" | "noscript") => {
                TokenSinkResult::RawData(RawKind::Rawtext)
            }
            (_, "plaintext") => TokenSinkResult::Plaintext,
            _ => TokenSinkResult::Continue,
        }
    }
}

impl Reader for Words {
    fn is_over(&self) -> bool {
        false
    }
}

impl TokenSink for Words {
    type Handle = ();

    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<()> {
        match token {
            Token::TagToken(tag) => return self.tag(&tag),
            Token::CharacterTokens(text) if self.gone.borrow().is_none() => self.text.borrow_mut().push_str(&text),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

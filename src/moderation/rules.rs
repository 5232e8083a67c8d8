//! Which block matches whom and what: pure.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization;

use super::{Block, BlockKind, Severity};
use crate::base::ids::{ActorId, Domain};

/// A remote actor, as blocks are matched with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Who {
    pub(crate) url: String,
    /// The domain of their id, and that of the handle that they claim (interop E25).
    pub(crate) domains: Vec<Domain>,
    /// Their names, for keywords.
    pub(crate) names: String,
}

impl Who {
    pub(crate) fn new(url: &str, webfinger: Option<&str>, names: String) -> Self {
        let domains = [Domain::of(url), webfinger.and_then(Domain::of_handle)];
        let mut domains: Vec<Domain> = domains.into_iter().flatten().collect();
        domains.dedup();
        Self { url: url.to_owned(), domains, names }
    }
}

/// Blocks, indexed for matching.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    domains: HashMap<String, Vec<Block>>,
    actors: HashMap<String, Vec<Block>>,
    keywords: Vec<Block>,
}

impl Rules {
    pub(crate) fn of(blocks: Vec<Block>) -> Self {
        let mut rules = Self::default();
        for block in blocks {
            match block.kind {
                BlockKind::Domain => rules.domains.entry(block.value.clone()).or_default().push(block),
                BlockKind::Actor => rules.actors.entry(block.value.clone()).or_default().push(block),
                BlockKind::Keyword => rules.keywords.push(block),
            }
        }
        rules
    }

    /// Whether the text of posts matters, or only their authors.
    pub(crate) fn have_keywords(&self) -> bool {
        !self.keywords.is_empty()
    }

    /// The strongest block of a domain for everyone, and of those the oldest.
    pub(crate) fn of_domain(&self, domain: &Domain) -> Option<&Block> {
        strongest(self.about(domain).into_iter().filter(|block| block.actor.is_none()))
    }

    /// As [`of_domain`](Self::of_domain), of an actor by their id.
    pub(crate) fn of_actor(&self, url: &str) -> Option<&Block> {
        strongest(self.actors.get(url).into_iter().flatten().filter(|block| block.actor.is_none()))
    }

    fn about(&self, domain: &Domain) -> Vec<&Block> {
        domain.with_those_above().filter_map(|name| self.domains.get(name)).flatten().collect()
    }

    /// The strongest block of an actor for any of these actors of ours, and of those the oldest.
    pub(crate) fn of_person(&self, who: &Who, ours: &[ActorId]) -> Option<&Block> {
        strongest(self.all_of_person(who, ours).into_iter())
    }

    fn all_of_person(&self, who: &Who, ours: &[ActorId]) -> Vec<&Block> {
        let by_domain = who.domains.iter().flat_map(|domain| self.about(domain));
        let by_actor = self.actors.get(&who.url).into_iter().flatten();
        by_domain.chain(by_actor).filter(|block| block.keeps_from(ours)).collect()
    }

    /// As [`of_person`](Self::of_person), or by a keyword in their names or in their text.
    pub(crate) fn of_post(&self, who: &Who, ours: &[ActorId], said: &str) -> Option<&Block> {
        let mut found = self.all_of_person(who, ours);
        if !self.keywords.is_empty() {
            let text = plain(&format!("{}\n{said}", who.names));
            let matches = |block: &&Block| block.keeps_from(ours) && has_word(&text, &plain(&block.value));
            found.extend(self.keywords.iter().filter(matches));
        }
        strongest(found.into_iter())
    }
}

fn strongest<'a>(blocks: impl Iterator<Item = &'a Block>) -> Option<&'a Block> {
    blocks.min_by_key(|block| (block.severity != Severity::Block, block.id))
}

/// Text without case, spelling variants and invisible characters.
pub(crate) fn plain(text: &str) -> String {
    let hidden = |c: &char| matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}');
    let text: String = text.nfkc().filter(|c| !hidden(c)).flat_map(char::to_lowercase).nfkc().collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a text has a word in it, and not only as a part of a longer one; both as [`plain`] returns them.
fn has_word(text: &str, word: &str) -> bool {
    if word.is_empty() {
        return false;
    }
    let edges = |inside: Option<char>, outside: Option<char>| {
        !(inside.is_some_and(is_of_word) && outside.is_some_and(is_of_word))
    };
    text.match_indices(word).any(|(at, found)| {
        let (before, after) = (text.get(..at).unwrap_or_default(), text.get(at + found.len()..).unwrap_or_default());
        edges(found.chars().next(), before.chars().next_back())
            && edges(found.chars().next_back(), after.chars().next())
    })
}

/// Whether a letter belongs to the word beside it; in scripts without spaces between words it does not.
fn is_of_word(c: char) -> bool {
    let unparted = matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{2e80}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}');
    (c.is_alphanumeric() || c == '_') && !unparted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ids::BlockId;

    fn block(id: i64, kind: BlockKind, value: &str, severity: Severity, actor: Option<i64>) -> Block {
        let (value, actor) = (value.to_owned(), actor.map(ActorId));
        let created_at = clock::Timestamp::from_millis(0);
        Block { id: BlockId(id), kind, value, severity, actor, list: None, reason: None, created_at }
    }

    fn ann() -> Who {
        Who::new("https://a.peer.test/users/ann", Some("ann@Names.Test."), "Ann ann".to_owned())
    }

    fn found(blocks: Vec<Block>, said: &str) -> Option<i64> {
        Rules::of(blocks).of_post(&ann(), &[ActorId(1), ActorId(2)], said).map(|block| block.id.0)
    }

    #[test]
    fn a_domain_matches_where_somebody_lives_and_what_their_handle_says() {
        for (value, expected) in [
            ("peer.test", Some(1)),
            ("a.peer.test", Some(1)),
            ("names.test", Some(1)),
            ("b.peer.test", None),
            ("eer.test", None),
            ("test", Some(1)),
        ] {
            assert_eq!(found(vec![block(1, BlockKind::Domain, value, Severity::Block, None)], ""), expected, "{value}");
        }
    }

    #[test]
    fn a_block_of_one_author_keeps_from_that_author_alone() {
        let of = |actor| block(1, BlockKind::Actor, "https://a.peer.test/users/ann", Severity::Block, Some(actor));
        assert_eq!((found(vec![of(1)], ""), found(vec![of(2)], ""), found(vec![of(3)], "")), (Some(1), Some(1), None));
        let domain = block(1, BlockKind::Domain, "peer.test", Severity::Block, Some(1));
        let peer = Domain::parse("peer.test").expect("a domain");
        assert!(Rules::of(vec![domain]).of_domain(&peer).is_none(), "not at the door, which is everyone's");
    }

    #[test]
    fn the_strongest_counts() {
        let silence = block(1, BlockKind::Domain, "peer.test", Severity::Silence, None);
        let keyword = block(2, BlockKind::Keyword, "casino", Severity::Block, None);
        assert_eq!(found(vec![silence.clone(), keyword.clone()], "hello"), Some(1));
        assert_eq!(found(vec![silence, keyword], "a Casino"), Some(2));
    }

    #[test]
    fn keywords_are_whole_words_in_any_spelling() {
        for (word, said, expected) in [
            ("casino", "The CASINO!", true),
            ("casino", "casinos", false),
            ("casino", "my_casino", false),
            ("casino", "a ca\u{ad}si\u{200b}no", true),
            ("casino", "ｃａｓｉｎｏ", true),
            ("Online  Casino", "an online\ncasino here", true),
            ("c++", "C++ is fun", true),
            ("#win", "see #winter", false),
            ("straße", "Die STRASSE", false),
            ("ÜBER", "über uns", true),
            ("賭博", "無料賭博です", true),
            ("ann", "nothing", true),
        ] {
            let keyword = block(1, BlockKind::Keyword, word, Severity::Block, None);
            assert_eq!(found(vec![keyword], said).is_some(), expected, "{word} in {said}");
        }
    }
}

//! What hangs on a post: mentions, hashtags, custom emoji, attachments and quotes, each bounded in number.

use serde_json::Value;

use super::line;
use crate::activitypub::incoming::shape::{address, address_of, each};

/// Somebody whom a post names.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Mention {
    /// Their id.
    pub(crate) href: String,
    /// `@user@host`, as the sender wrote it.
    pub(crate) name: Option<String>,
}

/// A picture for a `:shortcode:`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Emoji {
    /// With its colons.
    pub(crate) shortcode: String,
    /// The picture's address.
    pub(crate) url: String,
}

/// A picture, film, sound or link.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Attachment {
    /// Where it is.
    pub(crate) url: String,
    /// `image/png` and the like, where the sender says.
    pub(crate) media_type: Option<String>,
    /// For those who cannot see it.
    pub(crate) alt: Option<String>,
}

/// Most of each that are read; a post with more mentions is counted to this many and one, so that a limit shows it.
const MENTIONS_MAX: usize = 501;
const HASHTAGS_MAX: usize = 100;
const EMOJI_MAX: usize = 100;
const ATTACHMENTS_MAX: usize = 32;

/// Longest alternative text, in characters: Mastodon's.
const ALT_MAX: usize = 1500;
const NAME_MAX: usize = 300;

/// The tags of a type; null members and odd shapes are passed over (interop E2).
fn tags<'a>(document: &'a Value, kind: &'static str) -> impl Iterator<Item = &'a Value> {
    each(document.get("tag")).filter(move |tag| tag.get("type").and_then(Value::as_str) == Some(kind))
}

fn name(value: &Value) -> Option<String> {
    line(value.get("name")?.as_str()?, NAME_MAX)
}

pub(super) fn mentions(document: &Value) -> Vec<Mention> {
    let read = |tag: &Value| Some(Mention { href: tag.get("href").and_then(address)?, name: name(tag) });
    tags(document, "Mention").filter_map(read).take(MENTIONS_MAX).collect()
}

pub(super) fn hashtags(document: &Value) -> Vec<String> {
    let read = |tag: &Value| {
        let name = name(tag)?;
        let word = name.trim_start_matches('#');
        (!word.is_empty()).then(|| word.to_owned())
    };
    tags(document, "Hashtag").filter_map(read).take(HASHTAGS_MAX).collect()
}

pub(in crate::activitypub::incoming) fn emoji(document: &Value) -> Vec<Emoji> {
    let read = |tag: &Value| {
        let name = name(tag)?;
        let word = name.trim_matches(':');
        let url = each(tag.get("icon")).find_map(|icon| icon.get("url").and_then(href))?;
        let is_word = !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '+'));
        is_word.then(|| Emoji { shortcode: format!(":{word}:"), url })
    };
    tags(document, "Emoji").filter_map(read).take(EMOJI_MAX).collect()
}

/// Interop B13's shapes: Document, Image and the like with `url`, Link with `href`; `icon` and lists of links too.
pub(super) fn attachments(document: &Value) -> Vec<Attachment> {
    let read = |value: &Value| {
        let links = || each(value.get("url")).find_map(href);
        let media_type = value.get("mediaType").and_then(Value::as_str);
        let of_link = || each(value.get("url")).find_map(|link| link.get("mediaType")?.as_str());
        let alt = value.get("name").or_else(|| value.get("summary")).and_then(Value::as_str);
        Some(Attachment {
            url: links().or_else(|| href(value))?,
            media_type: media_type.or_else(of_link).and_then(|text| line(text, 100)),
            alt: alt.and_then(|text| line(text, ALT_MAX)),
        })
    };
    // A text in the list is an address alone.
    each(document.get("attachment")).filter_map(read).take(ATTACHMENTS_MAX).collect()
}

fn href(value: &Value) -> Option<String> {
    value.get("href").and_then(address).or_else(|| address(value))
}

/// The four spellings of a quote, and FEP-e232's link (interop E20).
pub(super) fn quote(document: &Value) -> Option<String> {
    let named = ["quote", "_misskey_quote", "quoteUrl", "quoteUri"];
    named.iter().find_map(|key| document.get(*key).and_then(address_of)).or_else(|| {
        let is_object = |tag: &&Value| {
            let media_type = tag.get("mediaType").and_then(Value::as_str).unwrap_or_default();
            media_type.starts_with("application/activity+json") || media_type.starts_with("application/ld+json")
        };
        tags(document, "Link").find(is_object).and_then(|tag| tag.get("href").and_then(address))
    })
}

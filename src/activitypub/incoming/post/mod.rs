//! A remote post, in the shapes that different servers give it (interop E6). All of it is a claim of its sender's;
//! texts are cut, never cleaned: that is for whoever stores them.

mod parts;
#[cfg(test)]
mod tests;

use serde_json::Value;

pub(super) use self::parts::emoji;
pub(crate) use self::parts::{Attachment, Emoji, Mention};
use clock::Timestamp;

use self::parts::{attachments, hashtags, mentions, quote};
use super::Malformed;
use super::shape::{address, address_of, cut, each, text_type};
use crate::activitypub::PUBLIC;

/// The types that are read as posts: anything people write. Videos and events have a page of their own but are answers
/// too.
const KINDS: [&str; 8] = ["Note", "Article", "Page", "Question", "Image", "Video", "Audio", "Event"];

/// Longest content read, in bytes (interop E22).
pub(crate) const CONTENT_MAX: usize = 100 * 1024;

/// Longest title or content warning, in characters.
const LINE_MAX: usize = 500;

/// Most options of a question.
const OPTIONS_MAX: usize = 32;

/// Most posts that one post answers.
const ANSWERED_MAX: usize = 8;

/// Who may read a post (interop B8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Audience {
    /// Everyone, and it may be shown in timelines.
    Public,
    /// Everyone who comes upon it.
    Unlisted,
    /// Followers or single people: never to be shown (interop E6).
    Private,
}

/// A post of somebody else's.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct IncomingPost {
    /// Its id.
    pub id: String,
    /// Its type.
    pub(crate) kind: String,
    /// Who is said to have written it. That they share their origin with the id is for the caller to check (E3).
    pub author: String,
    /// What it answers: of a list, the first.
    pub(crate) in_reply_to: Option<String>,
    /// What else it says that it answers, as `WordPress` may: one of them may be ours (interop E7, U11).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) also_in_reply_to: Vec<String>,
    /// Who may read it.
    pub(crate) audience: Audience,
    /// Plain text.
    pub(crate) title: Option<String>,
    /// Plain text: why it should be shown folded.
    pub(crate) warning: Option<String>,
    /// Whether pictures should be covered.
    pub(crate) sensitive: bool,
    /// HTML as it came, at most [`CONTENT_MAX`] bytes.
    pub(crate) content: String,
    /// A question's choices, plain text.
    pub(crate) options: Vec<String>,
    /// BCP 47 tag.
    pub(crate) language: Option<String>,
    /// Its page for people; its id where it names none.
    pub(crate) url: String,
    /// When it was written.
    pub(crate) published: Option<Timestamp>,
    /// When it was last edited.
    pub(crate) updated: Option<Timestamp>,
    /// Whom it names.
    pub(crate) mentions: Vec<Mention>,
    /// Without the `#`.
    pub(crate) hashtags: Vec<String>,
    /// Pictures, films, sounds and links.
    pub(crate) attachments: Vec<Attachment>,
    /// Pictures for `:shortcodes:` of its texts.
    pub(crate) emoji: Vec<Emoji>,
    /// What it quotes (interop E20).
    pub(crate) quotes: Option<String>,
    /// The community it is posted to (interop F4).
    pub(crate) community: Option<String>,
    /// Where its whole conversation can be read (interop B20).
    pub(crate) context: Option<String>,
    /// Where its answers can be read (interop B18).
    pub(crate) replies: Option<String>,
    /// Whether it is a vote in a poll, which comes as a note with a name, without content and attachment (interop E8).
    pub(crate) is_vote: bool,
}

/// Reads a post, from inside an activity or as fetched.
///
/// # Errors
/// When it is no post with an id and an author.
pub fn parse_post(document: &Value) -> Result<IncomingPost, Malformed> {
    let property = Malformed::Property;
    let text = |key: &str| document.get(key).and_then(Value::as_str);
    let id = document.get("id").and_then(address).ok_or(property("object.id"))?;
    let kind = kind(document).ok_or(property("object.type"))?;
    let author = document.get("attributedTo").or_else(|| document.get("actor")).and_then(author);
    let author = author.ok_or(property("object.attributedTo"))?;
    let mut answered = each(document.get("inReplyTo")).filter_map(address_of).take(ANSWERED_MAX);
    let (in_reply_to, also_in_reply_to) = (answered.next(), answered.collect());
    let content = content(document);
    let attachments = attachments(document);
    let title = text("name").and_then(|name| line(name, LINE_MAX));
    let time = |key: &str| text(key).and_then(Timestamp::parse_rfc3339);
    // A picture with a name and no words is an answer (Pixelfed and others).
    let is_wordless = content.is_empty() && attachments.is_empty();
    let is_vote = kind == "Note" && title.is_some() && is_wordless && in_reply_to.is_some();
    Ok(IncomingPost {
        audience: audience(document),
        // The summary of an article is its teaser, not a warning (FEP-b2b8).
        warning: text("summary").filter(|_| kind == "Note" || kind == "Question").and_then(|text| line(text, LINE_MAX)),
        sensitive: document.get("sensitive").and_then(Value::as_bool).unwrap_or(false),
        options: options(document),
        language: language(document),
        url: document.get("url").and_then(page).unwrap_or_else(|| id.clone()),
        published: time("published"),
        updated: time("updated"),
        mentions: mentions(document),
        hashtags: hashtags(document),
        attachments,
        emoji: emoji(document),
        quotes: quote(document),
        community: document.get("audience").and_then(first_address),
        context: document.get("context").and_then(first_address),
        replies: document.get("replies").and_then(address_of),
        title,
        id,
        kind,
        author,
        in_reply_to,
        also_in_reply_to,
        content,
        is_vote,
    })
}

/// A post as an activity brings it. Where it says nothing of who may read it, what the activity says counts for it, as
/// servers agree that both say the same (ActivityPub, section 6.2); where it says anything, that alone.
///
/// # Errors
/// As [`parse_post`].
pub(crate) fn parse_embedded_post(activity: &Value, document: &Value) -> Result<IncomingPost, Malformed> {
    let mut post = parse_post(document)?;
    let says = |key: &str| document.get(key).is_some_and(|value| !value.is_null());
    if !["to", "cc", "bto", "bcc", "directMessage"].into_iter().any(says) {
        post.audience = audience(activity);
    }
    Ok(post)
}

/// The first address of a thing or list of things (interop E7: `inReplyTo` as text, object, null or list).
fn first_address(value: &Value) -> Option<String> {
    each(Some(value)).find_map(address_of)
}

fn kind(document: &Value) -> Option<String> {
    let known = |text: &str| KINDS.contains(&text);
    match document.get("type")? {
        Value::Array(texts) => texts.iter().filter_map(Value::as_str).find(|text| known(text)).map(str::to_owned),
        value => text_type(value).filter(|kind| known(kind)),
    }
}

/// Of several, the first that is said to be a person, since some list their channel too; else the first (interop R1).
fn author(value: &Value) -> Option<String> {
    let person = |value: &&Value| value.get("type").and_then(Value::as_str) == Some("Person");
    each(Some(value)).find(person).and_then(address_of).or_else(|| first_address(value))
}

/// Interop B8, in the three spellings of the public.
fn audience(document: &Value) -> Audience {
    let names_public = |key: &str| {
        each(document.get(key)).filter_map(Value::as_str).any(|text| [PUBLIC, "as:Public", "Public"].contains(&text))
    };
    match () {
        // A direct message of Pleroma's says so in words.
        () if document.get("directMessage").and_then(Value::as_bool) == Some(true) => Audience::Private,
        () if names_public("to") => Audience::Public,
        () if names_public("cc") => Audience::Unlisted,
        () => Audience::Private,
    }
}

/// `content`, or the first of its translations where a server sends only those.
fn content(document: &Value) -> String {
    let translated = || document.get("contentMap")?.as_object()?.values().find_map(Value::as_str);
    let html = document.get("content").and_then(Value::as_str).or_else(translated).unwrap_or_default();
    let end = (0..=CONTENT_MAX.min(html.len())).rev().find(|end| html.is_char_boundary(*end)).unwrap_or(0);
    html.get(..end).unwrap_or_default().to_owned()
}

/// Plain text of one line, or `None` when nothing is left of it.
fn line(text: &str, most: usize) -> Option<String> {
    let words: String = cut(text, most * 4).split_whitespace().collect::<Vec<_>>().join(" ");
    let shown: String = words.chars().filter(|c| !c.is_control()).take(most).collect();
    (!shown.is_empty()).then_some(shown)
}

/// The first key of a map (interop B15), or Lemmy's own property.
fn language(document: &Value) -> Option<String> {
    let of_map = |key: &str| document.get(key)?.as_object()?.keys().next().cloned();
    let of_lemmy = || Some(document.get("language")?.get("identifier")?.as_str()?.to_owned());
    let tag = of_map("contentMap").or_else(|| of_map("nameMap")).or_else(of_lemmy)?;
    let is_tag = (2..=35).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    // `und` and the like say that nobody knows.
    (is_tag && !["und", "mul", "mis", "zxx"].contains(&tag.as_str())).then_some(tag)
}

/// A page as an address, a Link, or the first of a list of them; `PeerTube` and others list several.
fn page(value: &Value) -> Option<String> {
    let is_page = |link: &&Value| link.get("mediaType").and_then(Value::as_str) == Some("text/html");
    let href = |link: &Value| link.get("href").and_then(address).or_else(|| address(link));
    each(Some(value)).find(is_page).and_then(href).or_else(|| each(Some(value)).find_map(href))
}

fn options(document: &Value) -> Vec<String> {
    let choices = document.get("oneOf").or_else(|| document.get("anyOf"));
    let name = |choice: &Value| choice.get("name").and_then(Value::as_str).and_then(|name| line(name, LINE_MAX));
    each(choices).filter_map(name).take(OPTIONS_MAX).collect()
}

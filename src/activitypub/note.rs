//! An answer of one of our authors as a `Note`, in the shape that every server reads (interop R1, B6, B8, B11, F4, F6).

use activitypub_federation::kinds::object::NoteType;
use activitypub_federation::protocol::context::WithContext;
use clock::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::incoming::Mention;
use super::{PUBLIC, Urls, collection, context, put};
use crate::base::ids::split_handle;

/// Whom an answer addresses: it begins with their name (interop B11).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Addressee<'a> {
    /// Their page for people: Mastodon knows a mention by it.
    pub(crate) page: &'a str,
    /// `@user@host`.
    pub(crate) handle: &'a str,
}

/// The content of a note's document.
#[derive(Clone, Debug)]
pub(crate) struct NoteFacts<'a> {
    pub(crate) uuid: Uuid,
    /// The UUID of its conversation.
    pub(crate) context: Uuid,
    pub(crate) author: Uuid,
    /// The community of the article.
    pub(crate) group: Uuid,
    /// Not for public timelines: `Public` is in `cc` and the followers in `to` (interop B8).
    pub(crate) unlisted: bool,
    /// The id of what it answers.
    pub(crate) answers: &'a str,
    /// Whom it addresses; `None` where its author answers themselves.
    pub(crate) addressee: Option<Addressee<'a>>,
    pub(crate) mentions: &'a [Mention],
    /// Clean HTML.
    pub(crate) content: &'a str,
    /// What the author wrote, in Markdown.
    pub(crate) source: &'a str,
    /// BCP 47 tag; empty where it is not known.
    pub(crate) language: &'a str,
    pub(crate) published: Timestamp,
    /// Strictly later than the one before (interop B6).
    pub(crate) updated: Option<Timestamp>,
    /// The ids of its public replies, oldest first, as far as they fit.
    pub(crate) replies: collection::Part<'a>,
    pub(crate) likes: u64,
    pub(crate) shares: u64,
}

/// The note's document, with `@context`, as it is served; the activities of [`super::outgoing`] take it from here.
///
/// `url` is the id, which leads people to where it stands on our page of the article. `source` is there, since it is truly Markdown (interop B14).
pub(crate) fn note(urls: &Urls, facts: &NoteFacts<'_>) -> Value {
    let id = urls.note(facts.uuid);
    let conversation = urls.context(facts.context);
    let content = addressed(facts.content, facts.addressee);
    let tags: Vec<Value> = facts.mentions.iter().map(mention).collect();
    let mut note = json!({
        "id": id,
        "type": NoteType::Note,
        "attributedTo": urls.actor(facts.author),
        "inReplyTo": facts.answers,
        "to": if facts.unlisted { [urls.followers(facts.author)] } else { [PUBLIC.to_owned()] },
        "cc": carbon_copies(urls, facts),
        "audience": urls.actor(facts.group),
        "content": content,
        "mediaType": "text/html",
        "source": { "content": facts.source, "mediaType": "text/markdown" },
        "url": id,
        "published": facts.published.rfc3339(),
        "context": conversation,
        "conversation": conversation,
        "attachment": [],
        "tag": tags,
        "replies": collection::replies(&urls.note_replies(facts.uuid), facts.replies),
        "likes": collection::tally(&urls.note_likes(facts.uuid), facts.likes),
        "shares": collection::tally(&urls.note_shares(facts.uuid), facts.shares),
        // Only articles have permissions to give (FEP-044f); nobody but its author may quote an answer (interop B21).
        "interactionPolicy": { "canQuote": { "automaticApproval": [urls.actor(facts.author)] } },
    });
    if !facts.language.is_empty() {
        // GoToSocial wants the same content in both places (interop B15).
        put(&mut note, "contentMap", json!({ facts.language: content }));
    }
    if let Some(updated) = facts.updated {
        put(&mut note, "updated", updated.rfc3339());
    }
    json!(WithContext::new(note, context()))
}

/// The author's followers, the community, and whoever is mentioned: a tag without an address notifies nobody (interop B11).
fn carbon_copies(urls: &Urls, facts: &NoteFacts<'_>) -> Vec<String> {
    let first = if facts.unlisted { PUBLIC.to_owned() } else { urls.followers(facts.author) };
    let mut cc = vec![first, urls.actor(facts.group)];
    for mention in facts.mentions {
        if !cc.contains(&mention.href) {
            cc.push(mention.href.clone());
        }
    }
    cc
}

fn mention(mention: &Mention) -> Value {
    json!({ "type": "Mention", "href": mention.href, "name": mention.name })
}

/// Content that begins with the name of whom it addresses, as a link in Mastodon's own form: only that one it shows as
/// a mention (interop B11).
fn addressed(content: &str, addressee: Option<Addressee<'_>>) -> String {
    let Some(Addressee { page, handle }) = addressee else { return content.to_owned() };
    let (page, user) = (html::escape(page), html::escape(split_handle(handle).0));
    let link = format!(
        r#"<span class="h-card" translate="no"><a href="{page}" class="u-url mention">@<span>{user}</span></a></span>"#
    );
    match content.strip_prefix("<p>") {
        Some(rest) => format!("<p>{link} {rest}"),
        None => format!("<p>{link}</p>{content}"),
    }
}

/// An author's Markdown as clean HTML: raw HTML in it is removed, bare addresses become links.
pub(crate) fn rendered(markdown: &str) -> String {
    let mut options = comrak::Options::default();
    options.extension.autolink = true;
    options.extension.strikethrough = true;
    options.extension.table = true;
    html::clean(&comrak::markdown_to_html(markdown, &options))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activitypub::samples::{at, urls, uuid};

    const PARENT: &str = "https://m.example/users/ann/statuses/60";

    fn plain<'a>() -> NoteFacts<'a> {
        NoteFacts {
            uuid: uuid(20),
            context: uuid(11),
            author: uuid(1),
            group: uuid(2),
            unlisted: false,
            answers: PARENT,
            addressee: None,
            mentions: &[],
            content: "<p>It does.</p>",
            source: "It does.",
            language: "",
            published: at("2026-08-07T10:05:00Z"),
            updated: None,
            replies: collection::Part::default(),
            likes: 0,
            shares: 0,
        }
    }

    fn named(href: &str, name: &str) -> Mention {
        Mention { href: href.to_owned(), name: Some(name.to_owned()) }
    }

    #[test]
    fn the_least_an_answer_says() {
        insta::assert_json_snapshot!(note(&urls(), &plain()));
    }

    #[test]
    fn an_answer_with_everything() {
        let (ann, bo) = (
            named("https://m.example/users/ann", "@ann@m.example"),
            named("https://n.example/users/bo", "@bo@n.example"),
        );
        let facts = NoteFacts {
            addressee: Some(Addressee { page: "https://m.example/@ann?a&b", handle: "@ann@m.example" }),
            mentions: &[ann.clone(), bo, ann],
            content: "<p>It <em>does</em>.</p>",
            source: "It *does*.",
            language: "en",
            updated: Some(at("2026-08-07T10:06:00Z")),
            replies: collection::Part { items: &["https://m.example/notes/1".to_owned()], total: 1, next: None },
            likes: 3,
            shares: 2,
            ..plain()
        };
        insta::assert_json_snapshot!(note(&urls(), &facts));
    }

    #[test]
    fn an_unlisted_answer_is_for_followers_and_whoever_has_its_address() {
        let urls = urls();
        let mentions = [named("https://m.example/users/ann", "@ann@m.example")];
        let document = note(&urls, &NoteFacts { unlisted: true, mentions: &mentions, ..plain() });
        assert_eq!(document["to"], json!([urls.followers(uuid(1))]));
        assert_eq!(document["cc"], json!([PUBLIC, urls.actor(uuid(2)), "https://m.example/users/ann"]));
    }

    #[test]
    fn the_name_of_whom_it_turns_to_stands_first_and_stays_text() {
        let to = |handle| Some(Addressee { page: "https://m.example/@ann", handle });
        let link = |user: &str| {
            format!(
                r#"<span class="h-card" translate="no"><a href="https://m.example/@ann" class="u-url mention">@<span>{user}</span></a></span>"#
            )
        };
        for (content, handle, expected) in [
            ("<p>Yes.</p>", "@ann@m.example", format!("<p>{} Yes.</p>", link("ann"))),
            ("<ul><li>a</li></ul>", "@ann@m.example", format!("<p>{}</p><ul><li>a</li></ul>", link("ann"))),
            ("<p>Yes.</p>", "@a<b>@m.example", format!("<p>{} Yes.</p>", link("a&lt;b&gt;"))),
        ] {
            assert_eq!(addressed(content, to(handle)), expected);
        }
        assert_eq!(addressed("<p>Yes.</p>", None), "<p>Yes.</p>");
    }

    #[test]
    fn markdown_becomes_clean_html() {
        for (markdown, expected) in [
            (
                "It *does*, see https://example.org/",
                "<p>It <em>does</em>, see <a href=\"https://example.org/\" rel=\"nofollow noopener\">https://example.org/</a></p>",
            ),
            ("~~no~~ `x<y`", "<p><del>no</del> <code>x&lt;y</code></p>"),
            ("a <script>alert(1)</script> b", "<p>a alert(1) b</p>"),
            ("<b onclick=\"x()\">bold</b>", "<p>bold</p>"),
            ("[x](javascript:alert(1))", "<p>x</p>"),
            ("<!-- nothing -->", ""),
            ("1. one\n2. two", "<ol>\n<li>one</li>\n<li>two</li>\n</ol>"),
        ] {
            assert_eq!(rendered(markdown), expected, "{markdown}");
        }
    }
}

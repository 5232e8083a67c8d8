//! A post as an `Article`: one document in the shape that every server reads (interop R1, B1 to B24, F4).

use activitypub_federation::kinds::object::ArticleType;
use activitypub_federation::protocol::context::WithContext;
use clock::Timestamp;
use hugo_content::Image;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{PUBLIC, Urls, collection, context, escape, picture, put};
use crate::base::ids::{ActorId, Handle};

mod byline;
mod hashtag;

/// What a post says, and who wrote it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ArticleContent {
    /// Plain text.
    pub(crate) title: String,
    /// Clean HTML of paragraphs; empty when there is none.
    pub(crate) summary: String,
    /// Clean HTML with absolute addresses (interop B23).
    pub(crate) content: String,
    /// BCP 47 tag.
    pub(crate) language: String,
    /// As the site writes them.
    pub(crate) tags: Vec<String>,
    pub(crate) image: Option<Image>,
    /// Display names of all its authors, with or without an actor, in the order of the page.
    pub(crate) byline: Vec<String>,
    /// Actors of its authors beside the owner.
    #[serde(with = "crate::base::ids::actors_as_numbers")]
    pub(crate) co_authors: Vec<ActorId>,
    /// Whether the team account owns it rather than an author: then the byline names its authors. In stored JSON the field
    /// keeps its old name.
    #[serde(rename = "owner_is_house")]
    pub(crate) owner_is_team: bool,
}

/// The content of an article's document.
#[derive(Clone, Debug)]
pub(crate) struct ArticleFacts<'a> {
    pub(crate) uuid: Uuid,
    /// The UUID of its conversation.
    pub(crate) context: Uuid,
    /// The only actor in `attributedTo` (interop R1).
    pub(crate) owner: Uuid,
    pub(crate) group: Uuid,
    /// Not for public timelines: `Public` is in `cc` and the followers in `to` (interop B8).
    pub(crate) unlisted: bool,
    /// Authors beside the owner who have an actor: they are mentioned.
    pub(crate) co_authors: &'a [(Uuid, &'a Handle)],
    pub(crate) content: &'a ArticleContent,
    /// The site's own page, absolute.
    pub(crate) url: &'a str,
    pub(crate) published: Timestamp,
    /// `None` before the first edit. Later than `published`, and strictly later than the edit before (interop B6).
    pub(crate) updated: Option<Timestamp>,
    /// The ids of its public replies, oldest first, as far as they fit.
    pub(crate) replies: collection::Part<'a>,
    pub(crate) likes: u64,
    pub(crate) shares: u64,
}

/// The article's document, with `@context`, as it is served; the activities of [`super::outgoing`] take it from here.
///
/// Without `source` (the site's Markdown is the site's own dialect, interop B14), without `sensitive` (B17),
/// and without the cover among the attachments, which would cost the link card (B12). `attachment` is empty:
/// Lemmy would read a Link there as the post's link, but Misskey of 2023 drops a post whose
/// attachment has no `url` (B13), so the link belongs on a copy for Lemmy alone.
pub(crate) fn article(urls: &Urls, facts: &ArticleFacts<'_>) -> Value {
    let id = urls.article(facts.uuid);
    let owner = urls.actor(facts.owner);
    let group = urls.actor(facts.group);
    let content = facts.content;
    let name = guard_title(&content.title);
    let summary = byline::summary_with_byline(content);
    let conversation = urls.context(facts.context);
    let published = facts.published.rfc3339();
    let mut article = json!({
        "id": id,
        "type": ArticleType::Article,
        "attributedTo": owner,
        "to": if facts.unlisted { [urls.followers(facts.owner)] } else { [PUBLIC.to_owned()] },
        "cc": carbon_copies(urls, facts),
        "audience": group,
        "name": name,
        "content": content.content,
        "mediaType": "text/html",
        "url": facts.url,
        "published": published,
        "context": conversation,
        "conversation": conversation,
        "attachment": [],
        "tag": tags(urls, facts),
        "replies": collection::replies(&urls.replies(facts.uuid), facts.replies),
        "likes": collection::tally(&urls.likes(facts.uuid), facts.likes),
        "shares": collection::tally(&urls.shares(facts.uuid), facts.shares),
        "interactionPolicy": { "canQuote": { "automaticApproval": [PUBLIC] } },
        "preview": {
            "type": "Note",
            "attributedTo": owner,
            "content": format!("<p><strong>{}</strong></p>{summary}", escape(&content.title)),
            "published": published,
        },
    });
    if !summary.is_empty() {
        put(&mut article, "summary", summary.as_str());
    }
    if !content.language.is_empty() {
        put_language(&mut article, &content.language, &name, &summary, &content.content);
    }
    if let Some(updated) = facts.updated {
        put(&mut article, "updated", updated.rfc3339());
    }
    if let Some(image) = &content.image {
        put(&mut article, "image", picture(image));
    }
    json!(WithContext::new(article, context()))
}

/// The owner's followers, the Group and the mentioned (interop B8, B11); never the Group's followers, who get the
/// Group's Announce.
fn carbon_copies(urls: &Urls, facts: &ArticleFacts<'_>) -> Vec<String> {
    let first = if facts.unlisted { PUBLIC.to_owned() } else { urls.followers(facts.owner) };
    let mut cc = vec![first, urls.actor(facts.group)];
    for (actor, _) in facts.co_authors {
        let actor = urls.actor(*actor);
        if !cc.contains(&actor) {
            cc.push(actor);
        }
    }
    cc
}

/// Maps of one entry, equal to what they map: Mastodon takes the language from the first key, GoToSocial wants
/// the same content in both places (interop B15).
fn put_language(article: &mut Value, language: &str, name: &str, summary: &str, content: &str) {
    put(article, "contentMap", json!({ language: content }));
    put(article, "nameMap", json!({ language: name }));
    if !summary.is_empty() {
        put(article, "summaryMap", json!({ language: summary }));
    }
}

fn tags(urls: &Urls, facts: &ArticleFacts<'_>) -> Vec<Value> {
    let mention = |(actor, handle): &(Uuid, &Handle)| json!({ "type": "Mention", "href": urls.actor(*actor), "name": format!("@{}", urls.acct(handle)) });
    let hashtag = |tag: hashtag::Hashtag| json!({ "type": "Hashtag", "name": tag.name, "href": tag.href });
    facts
        .co_authors
        .iter()
        .map(mention)
        .chain(hashtag::hashtags(&facts.content.tags, facts.url).into_iter().map(hashtag))
        .collect()
}

/// Mastodon puts a title into `<h2>` as it is, others escape it: so it stays plain text, and a zero-width space
/// keeps `Vec<T>` from becoming a tag (interop B4).
fn guard_title(title: &str) -> String {
    let mut guarded = String::with_capacity(title.len());
    let mut opened = false;
    for c in title.trim().chars() {
        if opened && (c.is_alphabetic() || matches!(c, '/' | '!' | '?')) {
            guarded.push('\u{200B}');
        }
        opened = c == '<';
        guarded.push(c);
    }
    guarded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activitypub::samples::{at, handle, image, urls, uuid};

    fn ferry() -> ArticleContent {
        ArticleContent {
            title: "The ferry".to_owned(),
            summary: String::new(),
            content: "<p>It crosses.</p>".to_owned(),
            language: "en".to_owned(),
            tags: Vec::new(),
            image: None,
            byline: vec!["Ann Müller".to_owned()],
            co_authors: Vec::new(),
            owner_is_team: false,
        }
    }

    fn plain(content: &ArticleContent) -> ArticleFacts<'_> {
        ArticleFacts {
            uuid: uuid(10),
            context: uuid(11),
            owner: uuid(1),
            group: uuid(2),
            unlisted: false,
            co_authors: &[],
            content,
            url: "https://example.org/post/ferry/",
            published: at("2026-08-07T09:59:00Z"),
            updated: None,
            replies: collection::Part::default(),
            likes: 0,
            shares: 0,
        }
    }

    #[test]
    fn the_least_an_article_says() {
        insta::assert_json_snapshot!(article(&urls(), &plain(&ferry())));
    }

    #[test]
    fn an_article_with_everything() {
        let (bo, cy) = (handle("bo"), handle("cy"));
        let content = ArticleContent {
            byline: ["Ann Müller", "Bo <b>", "Cy & Co"].map(str::to_owned).to_vec(),
            title: "Why Vec<T> & not [T]".to_owned(),
            summary: "<p>A teaser.</p>".to_owned(),
            language: "nl".to_owned(),
            tags: ["Open Source", "rust", "Rust", "2024", "c++"].map(str::to_owned).to_vec(),
            image: Some(image("https://example.org/f.jpg", "A ferry", "image/jpeg")),
            ..ferry()
        };
        let facts = ArticleFacts {
            co_authors: &[(uuid(3), &bo), (uuid(4), &cy)],
            updated: Some(at("2026-08-08T09:59:00Z")),
            replies: collection::Part { items: &["https://m.example/notes/1".to_owned()], total: 1, next: None },
            likes: 3,
            shares: 2,
            ..plain(&content)
        };
        insta::assert_json_snapshot!(article(&urls(), &facts));
    }

    #[test]
    fn a_post_that_the_team_account_signs_names_its_author() {
        let content = ArticleContent { owner_is_team: true, ..ferry() };
        let facts = ArticleFacts { owner: uuid(5), ..plain(&content) };
        assert_eq!(article(&urls(), &facts)["summary"], "<p>By Ann Müller</p>");
    }

    #[test]
    fn an_unlisted_article_is_for_followers_and_whoever_has_its_address() {
        let (urls, bo, ferry) = (urls(), handle("bo"), ferry());
        let facts = ArticleFacts { unlisted: true, co_authors: &[(uuid(3), &bo)], ..plain(&ferry) };
        let document = article(&urls, &facts);
        assert_eq!(document["to"], json!([urls.followers(uuid(1))]));
        assert_eq!(document["cc"], json!([PUBLIC, urls.actor(uuid(2)), urls.actor(uuid(3))]));
    }

    #[test]
    fn titles_stay_text_and_never_become_tags() {
        for (title, shown) in [
            ("a < b & c", "a < b & c"),
            ("Vec<T>", "Vec<\u{200B}T>"),
            ("</h2><script>", "<\u{200B}/h2><\u{200B}script>"),
            ("<!-- ?", "<\u{200B}!-- ?"),
            ("I <3 🦀", "I <3 🦀"),
            ("a <é", "a <\u{200B}é"),
            ("שלום <עולם>", "שלום <\u{200B}עולם>"),
            (" ends with < ", "ends with <"),
        ] {
            assert_eq!(guard_title(title), shown);
        }
        let long = "é".repeat(300);
        assert_eq!(guard_title(&long), long);
    }

    #[test]
    fn the_followers_of_the_group_are_never_addressed() {
        let urls = urls();
        let document = article(&urls, &plain(&ferry())).to_string();
        assert!(!document.contains(&urls.followers(uuid(2))));
    }
}

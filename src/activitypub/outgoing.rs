//! Our activities, each with exactly the addresses that the rules give it (interop B8, D8, F2).

use activitypub_federation::protocol::context::WithContext;
use clock::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::collection::without_context;
use super::{ACTIVITY_STREAMS, PUBLIC, Urls, actor, put};

/// The id, time and the like of an activity.
#[derive(Clone, Debug)]
pub(crate) struct ActivityMeta {
    id: String,
    at: Timestamp,
}

impl ActivityMeta {
    /// The activity's public name, and when it happens.
    pub(crate) fn new(urls: &Urls, activity: Uuid, at: Timestamp) -> Self {
        Self { id: urls.activity(activity), at }
    }
}

/// A Follow, as it must be embedded in our answer (interop D8).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Follow<'a> {
    /// Need not lead anywhere.
    pub(crate) id: &'a str,
    /// The follower.
    pub(crate) actor: &'a str,
    /// Our actor.
    pub(crate) object: &'a str,
}

/// The owner's Create of an article, from the document of [`super::article::article`].
pub(crate) fn create(stamp: &ActivityMeta, article: &Value) -> Value {
    about_article("Create", stamp, article, without_context(article.clone()))
}

/// A stored Create or Update with its object's id instead of the object, for a host that answered 413 (interop R3);
/// `None` where there is no embedded object.
pub(crate) fn by_reference(body: &str) -> Option<String> {
    let mut activity: Value = serde_json::from_str(body).ok()?;
    let id = activity.get("object")?.get("id")?.clone();
    activity.as_object_mut()?.insert("object".to_owned(), id);
    Some(activity.to_string())
}

/// The owner's Update of an article, from its new document. Each Update has its own id, or Fedify ignores the second
/// (interop O6).
pub(crate) fn update(stamp: &ActivityMeta, article: &Value) -> Value {
    about_article("Update", stamp, article, without_context(article.clone()))
}

/// The owner's Delete of an article, from its last document: to everyone it was addressed to (interop E10).
pub(crate) fn delete(stamp: &ActivityMeta, article: &Value) -> Value {
    let text = |key| article.get(key).and_then(Value::as_str).unwrap_or_default();
    let gone = actor::buried(text("id"), text("type"), stamp.at);
    about_article("Delete", stamp, article, gone)
}

/// An actor's Announce of an article's id (interop F2), to its `followers` collection and the article's `author`: the
/// Group's, or a co-author's. `published` is now, since Misskey drops an Announce that is older than its object (F14).
pub(crate) fn announce(stamp: &ActivityMeta, announcer: &str, followers: &str, article: &str, author: &str) -> Value {
    plain("Announce", stamp, announcer, json!({ "to": [PUBLIC], "cc": [followers, author], "object": article }))
}

/// Accept of a Follow, which is embedded: Misskey would look up a bare id, and Lemmy needs all three of its properties
/// (interop D8).
pub(crate) fn accept(stamp: &ActivityMeta, follow: &Follow<'_>) -> Value {
    answer("Accept", stamp, follow)
}

/// Reject of a Follow, also of one that was accepted before (interop D9).
pub(crate) fn reject(stamp: &ActivityMeta, follow: &Follow<'_>) -> Value {
    answer("Reject", stamp, follow)
}

/// A `QuoteRequest`, as it must be embedded in our answer (FEP-044f, interop E20).
#[derive(Clone, Copy, Debug)]
pub(crate) struct QuoteRequest<'a> {
    pub(crate) id: &'a str,
    pub(crate) actor: &'a str,
    /// What of ours it quotes.
    pub(crate) object: &'a str,
    /// The post that quotes it.
    pub(crate) instrument: &'a str,
}

/// Accept of a `QuoteRequest`, with the address of the permission.
pub(crate) fn accept_quote(stamp: &ActivityMeta, actor: &str, request: &QuoteRequest<'_>, permission: &str) -> Value {
    let embedded = json!({
        "id": request.id, "type": "QuoteRequest", "actor": request.actor, "object": request.object,
        "instrument": request.instrument,
    });
    let rest = json!({ "to": [request.actor], "object": embedded, "result": permission });
    let mut accept = plain("Accept", stamp, actor, rest);
    put(
        &mut accept,
        "@context",
        json!([ACTIVITY_STREAMS, { "QuoteRequest": "https://w3id.org/fep/044f#QuoteRequest" }]),
    );
    accept
}

/// The permission itself, as it is served (FEP-044f): `author` of `article` lets `quote` show it.
pub(crate) fn quote_permission(id: &str, author: &str, quote: &str, article: &str) -> Value {
    json!({
        "@context": [ACTIVITY_STREAMS, {
            "QuoteAuthorization": "https://w3id.org/fep/044f#QuoteAuthorization",
            "gts": "https://gotosocial.org/ns#",
            "interactingObject": { "@id": "gts:interactingObject", "@type": "@id" },
            "interactionTarget": { "@id": "gts:interactionTarget", "@type": "@id" },
        }],
        "id": id,
        "type": "QuoteAuthorization",
        "attributedTo": author,
        "interactingObject": quote,
        "interactionTarget": article,
    })
}

/// Delete of a permission, for whoever fetched it (FEP-044f).
pub(crate) fn delete_permission(stamp: &ActivityMeta, actor: &str, permission: &str, quoter: &str) -> Value {
    plain("Delete", stamp, actor, json!({ "to": [quoter], "object": permission }))
}

/// Update of an actor: its whole new document, from [`actor::actor`].
pub(crate) fn update_actor(stamp: &ActivityMeta, actor: &Value) -> Value {
    let mut addressed = Map::new();
    addressed.insert("to".to_owned(), json!([PUBLIC]));
    if let Some(followers) = actor.get("followers") {
        addressed.insert("cc".to_owned(), json!([followers]));
    }
    addressed.insert("object".to_owned(), without_context(actor.clone()));
    let context = property(actor, "@context");
    let activity = activity("Update", stamp, &property(actor, "id"), addressed);
    json!(WithContext::new(activity, context))
}

/// Delete of an actor: the object is its bare id, by which servers recognise a self-delete (interop E11).
pub(crate) fn delete_actor(stamp: &ActivityMeta, actor: &str) -> Value {
    plain("Delete", stamp, actor, json!({ "to": [PUBLIC], "object": actor }))
}

/// An activity of the article's owner with the article's own addresses, since Misskey joins the two, Mastodon prefers
/// the object's and Lemmy checks both (interop B8), and with `audience` (F4).
fn about_article(kind: &str, stamp: &ActivityMeta, article: &Value, object: Value) -> Value {
    let mut rest = Map::new();
    for key in ["to", "cc", "audience"] {
        rest.insert(key.to_owned(), property(article, key));
    }
    let embedded = object.get("content").is_some();
    rest.insert("object".to_owned(), object);
    let activity = activity(kind, stamp, &property(article, "attributedTo"), rest);
    let context = if embedded { property(article, "@context") } else { json!(ACTIVITY_STREAMS) };
    json!(WithContext::new(activity, context))
}

fn answer(kind: &str, stamp: &ActivityMeta, follow: &Follow<'_>) -> Value {
    let embedded = json!({ "id": follow.id, "type": "Follow", "actor": follow.actor, "object": follow.object });
    plain(kind, stamp, follow.object, json!({ "to": [follow.actor], "object": embedded }))
}

fn plain(kind: &str, stamp: &ActivityMeta, actor: &str, rest: Value) -> Value {
    let rest = if let Value::Object(rest) = rest { rest } else { Map::new() };
    json!(WithContext::new_default(activity(kind, stamp, &json!(actor), rest)))
}

fn activity(kind: &str, stamp: &ActivityMeta, actor: &Value, rest: Map<String, Value>) -> Value {
    let mut activity = json!({ "id": stamp.id, "type": kind, "actor": actor, "published": stamp.at.rfc3339() });
    if let Some(properties) = activity.as_object_mut() {
        properties.extend(rest);
    }
    activity
}

fn property(document: &Value, key: &str) -> Value {
    document.get(key).cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activitypub::article::{ArticleContent, ArticleFacts, article};
    use crate::activitypub::samples::{at, handle, urls, uuid};

    fn stamp() -> ActivityMeta {
        ActivityMeta::new(&urls(), uuid(0xac), at("2026-08-07T10:00:00Z"))
    }

    fn ferry(content: &str, updated: Option<Timestamp>) -> Value {
        let bo = handle("bo");
        let content = ArticleContent {
            title: "The ferry".to_owned(),
            summary: "<p>A teaser.</p>".to_owned(),
            content: content.to_owned(),
            language: "en".to_owned(),
            tags: vec!["rust".to_owned()],
            image: None,
            byline: vec!["Ann".to_owned(), "Bo".to_owned()],
            co_authors: Vec::new(),
            owner_is_team: false,
        };
        let facts = ArticleFacts {
            uuid: uuid(10),
            context: uuid(11),
            owner: uuid(1),
            group: uuid(2),
            unlisted: false,
            co_authors: &[(uuid(3), &bo)],
            content: &content,
            url: "https://example.org/post/ferry/",
            published: at("2026-08-07T09:59:00Z"),
            updated,
            replies: crate::activitypub::collection::Part::default(),
            likes: 0,
            shares: 0,
        };
        article(&urls(), &facts)
    }

    #[test]
    fn an_article_comes_and_goes() {
        let article = ferry("<p>It crosses.</p>", None);
        let edited = ferry("<p>It crosses twice.</p>", Some(at("2026-08-07T10:00:00Z")));
        insta::assert_json_snapshot!("create", create(&stamp(), &article));
        insta::assert_json_snapshot!("update", update(&stamp(), &edited));
        insta::assert_json_snapshot!("delete", delete(&stamp(), &article));
    }

    #[test]
    fn the_group_and_co_authors_announce() {
        let (urls, group) = (urls(), uuid(2));
        let (article, author) = (urls.article(uuid(10)), urls.actor(uuid(1)));
        insta::assert_json_snapshot!(announce(&stamp(), &urls.actor(group), &urls.followers(group), &article, &author));
    }

    #[test]
    fn a_follower_is_answered() {
        let (actor, object) = ("https://m.example/users/ann", urls().actor(uuid(1)));
        let follow = Follow { id: "https://m.example/1ea87517-63c5", actor, object: &object };
        insta::assert_json_snapshot!("accept", accept(&stamp(), &follow));
        insta::assert_json_snapshot!("reject", reject(&stamp(), &follow));
    }

    #[test]
    fn an_actor_changes_and_goes() {
        let urls = urls();
        let (id, followers) = (urls.actor(uuid(1)), urls.followers(uuid(1)));
        let document = json!({ "@context": ["here", {}], "id": id, "type": "Person", "followers": followers });
        insta::assert_json_snapshot!("update_actor", update_actor(&stamp(), &document));
        insta::assert_json_snapshot!("delete_actor", delete_actor(&stamp(), &id));
    }

    #[test]
    fn a_stored_activity_goes_by_reference_after_a_413() {
        let stored = create(&stamp(), &ferry(&"x".repeat(1 << 20), None));
        let short: Value = serde_json::from_str(&by_reference(&stored.to_string()).expect("shorter")).expect("JSON");
        assert_eq!(short["object"], stored["object"]["id"]);
        for same in ["id", "type", "actor", "to", "cc", "audience"] {
            assert_eq!(short[same], stored[same], "{same}");
        }
        assert_eq!(by_reference(&short.to_string()), None, "there is nothing left to leave out");
    }
}

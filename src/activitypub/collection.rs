//! Our collections: counts, pages of activities, conversations (interop A16, A17, B18 to B20).

use activitypub_federation::protocol::context::WithContext;
use serde_json::{Value, json};

use super::{context, put};

/// Followers or following: a number without names, so without `first` (interop A17).
pub(crate) fn counted(id: &str, total: u64) -> Value {
    standalone(json!({ "id": id, "type": "OrderedCollection", "totalItems": total }))
}

/// An outbox, whose pages begin at `first`; `None` when it is always empty.
pub(crate) fn outbox(id: &str, total: u64, first: Option<&str>) -> Value {
    let mut outbox = json!({ "id": id, "type": "OrderedCollection", "totalItems": total });
    match first {
        Some(first) => put(&mut outbox, "first", first),
        None => put(&mut outbox, "orderedItems", Vec::<Value>::new()),
    }
    standalone(outbox)
}

/// The address of a page of a collection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PageRef<'a> {
    pub(crate) id: &'a str,
    /// The collection.
    pub(crate) part_of: &'a str,
    /// The page of older items, if there are any.
    pub(crate) next: Option<&'a str>,
    /// The page of newer items, if there are any.
    pub(crate) prev: Option<&'a str>,
}

/// A page of whole activities, newest first (interop F11). They are without `@context`, since the page's own defines
/// every term that an article uses.
pub(crate) fn page(place: PageRef<'_>, activities: Vec<Value>) -> Value {
    let mut page = json!({ "id": place.id, "type": "OrderedCollectionPage", "partOf": place.part_of });
    if let Some(next) = place.next {
        put(&mut page, "next", next);
    }
    if let Some(prev) = place.prev {
        put(&mut page, "prev", prev);
    }
    put(&mut page, "orderedItems", activities.into_iter().map(without_context).collect::<Vec<_>>());
    json!(WithContext::new(page, context()))
}

/// The ids of what an actor pinned (interop A16).
pub(crate) fn featured(id: &str, items: &[String]) -> Value {
    standalone(json!({
        "id": id, "type": "OrderedCollection", "totalItems": items.len(), "orderedItems": items,
    }))
}

/// A part of a list of ids, with the address of the next part.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Part<'a> {
    pub(crate) items: &'a [String],
    /// Of the whole list.
    pub(crate) total: u64,
    pub(crate) next: Option<&'a str>,
}

/// A conversation in order of time, the article first, with its owner (FEP-7888, interop B20). A long one comes in
/// pages, the first of which is embedded.
pub(crate) fn conversation(id: &str, owner: &str, part: Part<'_>) -> Value {
    let mut whole = json!({ "id": id, "type": "OrderedCollection", "attributedTo": owner, "totalItems": part.total });
    if part.next.is_some() {
        put(&mut whole, "first", list("OrderedCollectionPage", None, id, part));
    } else {
        put(&mut whole, "orderedItems", part.items);
    }
    standalone(whole)
}

/// The ids of replies, embedded in an article (interop B18); [`standalone`] makes them a document.
pub(crate) fn replies(id: &str, part: Part<'_>) -> Value {
    json!({
        "id": id,
        "type": "Collection",
        "totalItems": part.total,
        "first": list("CollectionPage", None, id, part),
    })
}

/// A further page of replies, or of a conversation when `ordered`.
pub(crate) fn further(id: &str, part_of: &str, ordered: bool, part: Part<'_>) -> Value {
    let kind = if ordered { "OrderedCollectionPage" } else { "CollectionPage" };
    standalone(list(kind, Some(id), part_of, part))
}

fn list(kind: &str, id: Option<&str>, part_of: &str, part: Part<'_>) -> Value {
    let mut page = json!({ "type": kind, "partOf": part_of });
    if let Some(id) = id {
        put(&mut page, "id", id);
    }
    if let Some(next) = part.next {
        put(&mut page, "next", next);
    }
    let items = if kind.starts_with("Ordered") { "orderedItems" } else { "items" };
    put(&mut page, items, part.items);
    page
}

/// Likes or boosts as a number embedded in an article: Mastodon reads it nowhere else (interop B19); [`standalone`]
/// makes it a document.
pub(crate) fn tally(id: &str, total: u64) -> Value {
    json!({ "id": id, "type": "Collection", "totalItems": total })
}

/// With the plain `@context`, to be served.
pub(crate) fn standalone(collection: Value) -> Value {
    json!(WithContext::new_default(collection))
}

/// Without `@context`, to be embedded in another document. The order of the other properties stays.
pub(super) fn without_context(mut document: Value) -> Value {
    if let Some(properties) = document.as_object_mut() {
        properties.shift_remove("@context");
    }
    document
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activitypub::samples::{urls, uuid};

    #[test]
    fn collections() {
        let (urls, ann, article) = (urls(), uuid(1), uuid(10));
        let ids = ["https://m.example/1".to_owned(), "https://m.example/2".to_owned()];
        let whole = Part { items: &ids, total: 2, next: None };
        let outbox_id = urls.outbox(ann);
        let (first, second, third) =
            (format!("{outbox_id}?page=1"), format!("{outbox_id}?page=2"), format!("{outbox_id}?page=3"));
        let place = PageRef { id: &second, part_of: &outbox_id, next: Some(&third), prev: Some(&first) };
        let create = json!({ "@context": "https://www.w3.org/ns/activitystreams", "id": "x", "type": "Create" });
        insta::assert_json_snapshot!(json!({
            "followers": counted(&urls.followers(ann), 12),
            "outbox": outbox(&outbox_id, 41, Some(&first)),
            "empty outbox": outbox(&outbox_id, 0, None),
            "page": page(place, vec![create]),
            "featured": featured(&urls.featured(ann), &[]),
            "conversation": conversation(&urls.context(uuid(11)), &urls.actor(ann), whole),
            "long conversation": conversation(&urls.context(uuid(11)), &urls.actor(ann), Part { total: 9, next: Some("n"), ..whole }),
            "replies": standalone(replies(&urls.replies(article), whole)),
            "further replies": further("p", &urls.replies(article), false, Part { total: 9, next: Some("n"), ..whole }),
            "likes": standalone(tally(&urls.likes(article), 3)),
        }));
    }
}

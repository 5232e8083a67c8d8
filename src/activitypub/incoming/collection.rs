//! A remote collection, or a page of one: what a conversation is completed from (interop B18, B20).

use serde_json::Value;

use super::shape::{address, address_of, each, text_type};

/// Most members read of one page.
const ITEMS_MAX: usize = 500;

/// The content of a collection or a page of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RemoteCollection {
    /// The ids of its items, in its order; an embedded item counts by its id alone (interop E4).
    pub(crate) items: Vec<String>,
    /// The first page, or the next one.
    pub(crate) next: Option<String>,
}

/// Reads a collection, or a page; `None` when it is neither.
pub(crate) fn parse_collection(document: &Value) -> Option<RemoteCollection> {
    let kind = document.get("type").and_then(text_type)?;
    if !["Collection", "OrderedCollection", "CollectionPage", "OrderedCollectionPage"].contains(&kind.as_str()) {
        return None;
    }
    let mut found = RemoteCollection::default();
    // A first page may be embedded in the collection.
    let first = document.get("first");
    for page in [Some(document), first.filter(|first| first.is_object())].into_iter().flatten() {
        let members = ["orderedItems", "items"].into_iter().flat_map(|key| each(page.get(key)));
        found.items.extend(members.filter_map(address_of).take(ITEMS_MAX - found.items.len().min(ITEMS_MAX)));
        found.next = page.get("next").and_then(address_of).or(found.next);
    }
    found.next = found.next.or_else(|| first.and_then(address));
    Some(found)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn collections_and_pages_in_their_shapes() {
        let ids = |value: Value| parse_collection(&value).map(|found| (found.items, found.next));
        let (one, two) = ("https://m.example/1".to_owned(), "https://m.example/2".to_owned());
        // Mastodon: the first page inside, its members by id or whole.
        assert_eq!(
            ids(
                json!({ "type": "Collection", "first": { "type": "CollectionPage", "next": two, "items": [{ "id": one, "type": "Note" }, null] } })
            ),
            Some((vec![one.clone()], Some(two.clone())))
        );
        assert_eq!(ids(json!({ "type": "OrderedCollection", "first": two })), Some((vec![], Some(two.clone()))));
        assert_eq!(
            ids(json!({ "type": ["OrderedCollectionPage"], "orderedItems": one, "next": { "id": two } })),
            Some((vec![one], Some(two)))
        );
        assert_eq!(ids(json!({ "type": "Note" })), None);
        assert_eq!(ids(json!({})), None);
    }
}

//! What all documents have in common: texts, a context, pictures and an audience.

use serde_json::Value;

use super::{ACTIVITYSTREAMS, PUBLIC, origin, require};

/// The text under a key.
pub(super) fn text<'a>(document: &'a Value, key: &str) -> Option<&'a str> {
    document.get(key).and_then(Value::as_str)
}

/// Whether the context names ActivityStreams literally (A7).
pub(super) fn has_context(document: &Value) -> bool {
    match document.get("@context") {
        Some(Value::String(one)) => one == ACTIVITYSTREAMS,
        Some(Value::Array(several)) => several.iter().any(|one| one == ACTIVITYSTREAMS),
        _ => false,
    }
}

/// One `Image` whose `url` is a plain absolute address (A14, B13).
pub(super) fn is_single_image(image: &Value) -> bool {
    text(image, "type") == Some("Image") && text(image, "url").is_some_and(|url| origin(url).is_some())
}

/// `to` and `cc` are lists of addresses, and the activity is public or unlisted (B8).
pub(super) fn check_audience(document: &Value) -> Result<(), String> {
    for key in ["to", "cc"] {
        let list = document.get(key).and_then(Value::as_array).ok_or(format!("B8: {key} is not a list"))?;
        let addresses = list.iter().all(|one| one.as_str().is_some_and(|one| origin(one).is_some()));
        require(addresses, format!("B8: {key} holds something that is no address"))?;
    }
    require(addresses(document).any(|one| one == PUBLIC), "B8: neither to nor cc names Public")
}

/// Everybody in `to` and `cc`.
pub(super) fn addresses(document: &Value) -> impl Iterator<Item = &str> {
    ["to", "cc"].into_iter().filter_map(|key| document.get(key)).flat_map(|value| match value {
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        Value::String(one) => vec![one.as_str()],
        _ => Vec::new(),
    })
}

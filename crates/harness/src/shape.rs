//! What an honest receiver can hold against an activity's JSON, each rule a check of its own.

use serde_json::Value;

use super::json::{addresses, check_audience, has_context, text};
use super::{PUBLIC, article, note, require, same_origin};

/// Deepest nesting a peer reads (E1).
const DEPTH_MAX: usize = 64;

/// Checks an activity of any type, and what is special to its type.
///
/// # Errors
/// The broken rule, by its number.
pub(super) fn check(activity: &Value) -> Result<(), String> {
    check_envelope(activity)?;
    let object = activity.get("object").unwrap_or(&Value::Null);
    match text(activity, "type").unwrap_or_default() {
        "Accept" | "Reject" => check_answer(activity, object),
        "Create" | "Update" => check_published(activity, object),
        "Announce" => check_announce(activity, object),
        "Delete" => check_delete(activity, object),
        "Undo" => require(object.is_object(), "E14: the Undo does not embed what it undoes"),
        _ => Ok(()),
    }
}

/// The parts every activity has.
fn check_envelope(activity: &Value) -> Result<(), String> {
    require(activity.is_object(), "E1: the body is no JSON object")?;
    check_tree(activity, 0)?;
    require(has_context(activity), "A7: the context does not name ActivityStreams")?;
    let id = text(activity, "id").ok_or("E2: id is not one string")?;
    let actor = text(activity, "actor").ok_or("E2: actor is not one string")?;
    require(text(activity, "type").is_some(), "E2: type is not one string")?;
    require(same_origin(id, actor), format!("E2: {id} and its actor {actor} differ in origin"))?;
    for key in ["bto", "bcc"] {
        require(activity.get(key).is_none(), format!("D5: {key} was not stripped"))?;
    }
    if let Some(published) = activity.get("published") {
        article::time(published).ok_or("B16: published is not RFC 3339 with Z")?;
    }
    require(activity.get("object").is_some(), "E2: there is no object")
}

/// Neither too deep, nor with the keys that restructure a graph (E1).
fn check_tree(value: &Value, depth: usize) -> Result<(), String> {
    require(depth <= DEPTH_MAX, "E1: the document is nested too deep")?;
    match value {
        Value::Array(items) => items.iter().try_for_each(|item| check_tree(item, depth + 1)),
        Value::Object(map) => map.iter().try_for_each(|(key, item)| {
            let graph = matches!(key.as_str(), "@graph" | "@included" | "@reverse");
            require(!graph, format!("E1: the document has {key}"))?;
            check_tree(item, depth + 1)
        }),
        _ => Ok(()),
    }
}

/// An Accept or Reject embeds the Follow it answers, whole (D8).
fn check_answer(activity: &Value, follow: &Value) -> Result<(), String> {
    require(text(follow, "type") == Some("Follow"), "D8: the answer does not embed a Follow")?;
    for key in ["id", "actor", "object"] {
        require(text(follow, key).is_some(), format!("D8: the embedded Follow has no {key}"))?;
    }
    require(text(follow, "object") == text(activity, "actor"), "D8: who answers is not who was followed")
}

fn check_published(activity: &Value, object: &Value) -> Result<(), String> {
    let actor = text(activity, "actor").unwrap_or_default();
    check_audience(activity)?;
    if let Some(id) = object.as_str() {
        // By reference (R3): the receiver fetches it and checks it then.
        return require(same_origin(id, actor), format!("E3: {id} is of another origin than {actor}"));
    }
    let id = text(object, "id").ok_or("E2: the object has no id")?;
    require(same_origin(id, actor), format!("E3: {id} is of another origin than {actor}"))?;
    let kind = text(object, "type").unwrap_or_default();
    if !matches!(kind, "Article" | "Note") {
        let itself = id == actor || text(object, "attributedTo") == Some(actor);
        return require(itself, format!("E3: {id} is not {actor}'s"));
    }
    for key in ["to", "cc", "audience"] {
        require(activity.get(key) == object.get(key), format!("B8: {key} differs between activity and object"))?;
    }
    check_post(object)?;
    let owner = object.get("attributedTo");
    require(owner.and_then(Value::as_str) == Some(actor), "R1: attributedTo is not one string equal to the actor")
}

/// An article, or a note that answers something.
///
/// # Errors
/// The broken rule.
pub(super) fn check_post(post: &Value) -> Result<(), String> {
    if text(post, "type") == Some("Note") { note::check(post) } else { article::check(post) }
}

fn check_announce(activity: &Value, object: &Value) -> Result<(), String> {
    require(object.is_string(), "F2: the Announce does not name its object by id")?;
    check_audience(activity)?;
    let owner = text(activity, "actor").unwrap_or_default();
    require(object.as_str() != Some(owner), "F2: the Announce is of its own actor")
}

/// A Delete names something of its actor's origin, by id or as a Tombstone (E10).
fn check_delete(activity: &Value, object: &Value) -> Result<(), String> {
    let actor = text(activity, "actor").unwrap_or_default();
    let id = match object {
        Value::String(id) => id,
        Value::Object(_) => {
            require(text(object, "type") == Some("Tombstone"), "E10: the Delete embeds something but a Tombstone")?;
            text(object, "id").ok_or("E10: the Tombstone has no id")?
        }
        _ => return Err("E10: the Delete names nothing".to_owned()),
    };
    require(same_origin(id, actor), format!("E3: {id} is of another origin than {actor}"))?;
    require(addresses(activity).any(|one| one == PUBLIC), "O: the Delete is addressed to nobody")
}

/// The id of what an activity is about.
pub(super) fn object_id(activity: &Value) -> Option<&str> {
    let object = activity.get("object")?;
    object.as_str().or_else(|| text(object, "id"))
}

#[cfg(test)]
#[path = "shape_tests.rs"]
mod tests;

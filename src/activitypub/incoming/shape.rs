//! The shapes that the same thing has in different servers' JSON, and the limits for all of them.

use serde_json::Value;
use url::Url;

use super::Malformed;
use crate::activitypub::ACTIVITY_STREAMS;

/// How deep objects and lists may nest (interop E1). `serde_json` itself stops at 128, so nothing overflows before.
pub(crate) const DEPTH_MAX: usize = 64;

/// Longest address read, in bytes: two of them and more must fit one row of a PostgreSQL index (2704 bytes).
pub const URL_MAX: usize = 1024;

/// A JSON object without tricks: not too deep, no rearranged graph, no NUL (interop E1).
///
/// # Errors
/// When it is anything else.
pub fn document(body: &[u8]) -> Result<Value, Malformed> {
    let document: Value = serde_json::from_slice(body).map_err(|error| {
        // The only sign of the recursion limit that serde_json gives.
        if error.to_string().starts_with("recursion limit") { Malformed::TooDeep } else { Malformed::NotJson }
    })?;
    if !document.is_object() {
        return Err(Malformed::NotAnObject);
    }
    let mut rest = vec![(&document, 1)];
    while let Some((value, depth)) = rest.pop() {
        match value {
            Value::Array(_) | Value::Object(_) if depth > DEPTH_MAX => return Err(Malformed::TooDeep),
            Value::String(text) if text.contains('\0') => return Err(Malformed::Nul),
            Value::Array(members) => rest.extend(members.iter().map(|member| (member, depth + 1))),
            Value::Object(properties) => {
                for (key, member) in properties {
                    check_key(key)?;
                    rest.push((member, depth + 1));
                }
            }
            _ => {}
        }
    }
    Ok(document)
}

fn check_key(key: &str) -> Result<(), Malformed> {
    if matches!(key, "@graph" | "@included" | "@reverse") {
        return Err(Malformed::Graph);
    }
    if key.contains('\0') { Err(Malformed::Nul) } else { Ok(()) }
}

/// Mastodon's rule: the exact text, alone or in a list (interop A7).
pub(super) fn requires_activity_streams(document: &Value) -> Result<(), Malformed> {
    let named = match document.get("@context") {
        Some(Value::String(context)) => context == ACTIVITY_STREAMS,
        Some(Value::Array(contexts)) => contexts.iter().any(|context| context == ACTIVITY_STREAMS),
        _ => false,
    };
    if named { Ok(()) } else { Err(Malformed::Context) }
}

/// A value, or the only member of a list.
pub(super) fn one(value: &Value) -> Option<&Value> {
    match value {
        Value::Array(members) => match members.as_slice() {
            [Value::Array(_)] => None,
            [member] => Some(member),
            _ => None,
        },
        value => Some(value),
    }
}

/// A value, or each member of a list; servers send one where they have one, and null where they have none.
pub(super) fn each(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    let members = match value {
        Some(Value::Array(members)) => members.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    members.iter().filter(|member| !member.is_null())
}

/// An absolute http(s) address, byte for byte as it came, given as a text or as the only member of a list. Refused are
/// those that a URL parser would quietly repair, and those with a login: they would mean one thing to us and another to
/// somebody else.
pub(super) fn address(value: &Value) -> Option<String> {
    let text = one(value)?.as_str()?;
    let url = url_of(text)?;
    url.has_host().then(|| text.to_owned())
}

/// An address, or the id of an embedded object (interop E2).
pub(super) fn address_of(value: &Value) -> Option<String> {
    match one(value)? {
        Value::Object(properties) => properties.get("id").and_then(address),
        value => address(value),
    }
}

fn url_of(text: &str) -> Option<Url> {
    let clean = text.len() <= URL_MAX && !text.contains(|c: char| c.is_control() || c.is_whitespace() || c == '\\');
    let web = text.starts_with("https://") || text.starts_with("http://");
    let url = Url::parse(text).ok().filter(|_| clean && web)?;
    (url.username().is_empty() && url.password().is_none()).then_some(url)
}

/// Whether two addresses share scheme, host and port (interop E3).
pub(crate) fn same_origin(one: &str, other: &str) -> bool {
    match (url_of(one), url_of(other)) {
        (Some(one), Some(other)) => one.origin() == other.origin(),
        _ => false,
    }
}

/// Whether two texts are one address: alike, or of one URL however it is spelled (no slash after the host, a host in
/// capitals, the scheme's own port). An id is kept as it is spelled; this only says where it leads.
pub(crate) fn same_address(one: &str, other: &str) -> bool {
    match (url_of(one), url_of(other)) {
        (Some(one_url), Some(other_url)) => one == other || one_url == other_url,
        _ => false,
    }
}

/// A type as a text, or the first of a list; at most 64 characters.
pub(super) fn text_type(value: &Value) -> Option<String> {
    let text = match value {
        Value::Array(texts) => texts.iter().find_map(Value::as_str)?,
        value => value.as_str()?,
    };
    Some(cut(text, super::KIND_MAX))
}

/// The first `most` characters.
pub(super) fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

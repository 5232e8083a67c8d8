//! What the union of peers needs of a `Note` that answers something, each rule a check of its own.

use serde_json::Value;

use super::article;
use super::json::{addresses, check_audience, text};
use super::{origin, require};

/// Checks an answer as it stands.
///
/// # Errors
/// The broken rule, by its number.
pub(super) fn check(note: &Value) -> Result<(), String> {
    let id = text(note, "id").ok_or("E2: the note has no id")?;
    let owner = text(note, "attributedTo").ok_or("R1: attributedTo is not one string")?;
    require(super::same_origin(id, owner), format!("E3: {id} is of another origin than {owner}"))?;
    let answered = text(note, "inReplyTo").ok_or("F6: inReplyTo is not one string")?;
    require(origin(answered).is_some() && answered != id, format!("F6: {id} answers `{answered}`"))?;
    let page = text(note, "url").ok_or("B24: url is not one string")?;
    require(origin(page).is_some(), format!("B24: url is `{page}`"))?;
    check_audience(note)?;
    if note.get("audience").is_some() {
        article::check_group(note)?;
    }
    let content = text(note, "content").ok_or("F6: there is no content")?;
    require(!content.trim().is_empty(), "F6: the content is empty")?;
    article::check_content(content)?;
    article::check_times(note)?;
    article::check_tags(note)?;
    check_mentions(note, content)?;
    check_source(note)?;
    for key in ["name", "summary"] {
        // A name makes it a vote (E8), a summary a content warning (B3).
        require(note.get(key).is_none_or(Value::is_null), format!("E8, B3: an answer has a {key}"))?;
    }
    article::check_shapes(note)?;
    article::check_counts(note)
}

/// Whoever the content calls by name is told of it: each link in Mastodon's form has a tag (B11).
fn check_mentions(note: &Value, content: &str) -> Result<(), String> {
    let links = content.matches(r#"class="u-url mention">@<span>"#).count();
    let tags = note.get("tag").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mentions = tags.iter().filter(|tag| text(tag, "type") == Some("Mention")).count();
    require(links <= mentions, format!("B11: {links} are called by name, {mentions} are told"))?;
    let group = text(note, "audience");
    let told = tags.iter().filter_map(|tag| text(tag, "href")).filter(|href| Some(*href) != group);
    let unaddressed = told.clone().find(|href| !addresses(note).any(|one| one == *href));
    require(unaddressed.is_none(), format!("B11: {} is not addressed", unaddressed.unwrap_or_default()))
}

/// Lemmy and `NodeBB` show the source rather than the content, so it has to be Markdown (B14).
fn check_source(note: &Value) -> Result<(), String> {
    let Some(source) = note.get("source") else { return Ok(()) };
    require(text(source, "mediaType") == Some("text/markdown"), "B14: the source is no Markdown")?;
    require(text(source, "content").is_some_and(|content| !content.is_empty()), "B14: the source is empty")
}

/// Whom a note tells: the ids in its Mention tags that are addressed too (B11).
pub(super) fn told(note: &Value) -> impl Iterator<Item = &str> {
    let tags = note.get("tag").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mentions = tags.iter().filter(|tag| text(tag, "type") == Some("Mention"));
    mentions.filter_map(|tag| text(tag, "href")).filter(|href| addresses(note).any(|one| one == *href))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::PUBLIC;
    use super::*;

    fn note() -> Value {
        json!({
            "id": "https://b.test/ap/notes/1", "type": "Note", "attributedTo": "https://b.test/ap/actors/1",
            "inReplyTo": "https://a.test/users/ann/statuses/1", "url": "https://b.test/ap/notes/1",
            "to": [PUBLIC], "cc": ["https://b.test/ap/actors/1/followers", "https://b.test/ap/actors/9", "https://a.test/users/ann"],
            "audience": "https://b.test/ap/actors/9", "published": "2026-08-07T09:59:00Z", "mediaType": "text/html",
            "content": r#"<p><a href="https://a.test/@ann" class="u-url mention">@<span>ann</span></a> yes</p>"#,
            "source": { "content": "yes", "mediaType": "text/markdown" },
            "tag": [{ "type": "Mention", "href": "https://a.test/users/ann", "name": "@ann@a.test" }],
            "interactionPolicy": { "canQuote": { "automaticApproval": [PUBLIC] } },
        })
    }

    #[test]
    fn each_broken_rule_is_named() {
        assert_eq!(check(&note()), Ok(()));
        assert_eq!(told(&note()).collect::<Vec<_>>(), ["https://a.test/users/ann"]);
        for (rule, key, value) in [
            ("R1", "attributedTo", json!(["https://b.test/ap/actors/1"])),
            ("E3", "attributedTo", json!("https://c.test/ap/actors/1")),
            ("F6", "inReplyTo", json!(["https://a.test/users/ann/statuses/1"])),
            ("F6", "inReplyTo", Value::Null),
            ("F6", "content", json!(" ")),
            ("F4", "audience", json!("https://b.test/ap/actors/8")),
            ("B8", "to", json!([])),
            ("B11", "tag", json!([])),
            ("B11", "cc", json!([PUBLIC, "https://b.test/ap/actors/9"])),
            ("B23", "content", json!("<p><a href=\"/x\">x</a></p>")),
            ("B14", "source", json!({ "content": "yes", "mediaType": "text/html" })),
            ("B20", "context", json!("https://b.test/ap/contexts/1")),
            ("B6", "updated", json!("2026-08-07T09:58:59Z")),
            ("E8", "name", json!("a title")),
            ("B21", "interactionPolicy", json!({})),
        ] {
            let mut broken = note();
            broken[key] = value;
            let why = check(&broken).expect_err(key);
            assert!(why.starts_with(rule), "{rule}: {why}");
        }
    }
}

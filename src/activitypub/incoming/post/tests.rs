//! What the posts of real software mean, from `tests/payloads`, and the bounds of every part.

use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::activitypub::incoming;

fn payloads(software: &str) -> Vec<Value> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/payloads/{software}.json"));
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{software}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{software}: {error}"))
}

/// What is embedded in a payload, down to the post within the activity within an Announce.
fn meanings(payload: &Value) -> Value {
    let incoming = incoming::parse(payload.to_string().as_bytes()).unwrap_or_else(|error| panic!("{payload}: {error}"));
    let mut embedded = incoming.object.and_then(|object| object.embedded);
    if let Some(inner) = embedded.as_ref().and_then(|object| object.get("object")).filter(|inner| inner.is_object()) {
        embedded = Some(inner.clone());
    }
    let post = embedded.map(|document| match parse_post(&document) {
        Ok(statement) => json!(statement),
        Err(why) => json!(format!("no post: {why}")),
    });
    json!({ "says": incoming.kind.as_str(), "post": post })
}

#[test]
fn what_the_posts_of_real_software_mean() {
    for software in [
        "mastodon",
        "gotosocial",
        "misskey",
        "pleroma",
        "lemmy",
        "mbin",
        "piefed",
        "nodebb",
        "discourse",
        "wordpress",
        "others",
    ] {
        let meanings: serde_json::Map<String, Value> = payloads(software)
            .iter()
            .map(|sample| (sample["what"].as_str().expect("a name").to_owned(), meanings(&sample["payload"])))
            .collect();
        insta::assert_json_snapshot!(software, meanings);
    }
}

fn note() -> Value {
    json!({ "id": "https://m.example/1", "type": "Note", "attributedTo": "https://m.example/a", "content": "x" })
}

fn with(key: &str, value: Value) -> IncomingPost {
    let mut note = note();
    note[key] = value;
    parse_post(&note).unwrap_or_else(|error| panic!("{key}: {error}"))
}

#[test]
fn a_post_needs_an_id_a_type_and_an_author() {
    for (key, value) in [
        ("id", Value::Null),
        ("id", json!("acct:a@m.example")),
        ("type", json!("Person")),
        ("type", json!(["Tombstone"])),
        ("attributedTo", json!([])),
        ("attributedTo", json!(7)),
    ] {
        let mut broken = note();
        broken[key] = value.clone();
        assert!(parse_post(&broken).is_err(), "{key}: {value}");
    }
}

/// Interop B8 and E6.
#[test]
fn the_audience_is_read_in_every_spelling() {
    for (to, cc, audience) in [
        (json!(PUBLIC), Value::Null, Audience::Public),
        (json!(["as:Public"]), json!([]), Audience::Public),
        (json!(["https://m.example/a/followers"]), json!("Public"), Audience::Unlisted),
        (json!(["https://m.example/a/followers"]), json!([]), Audience::Private),
        (Value::Null, Value::Null, Audience::Private),
        (json!([{ "id": PUBLIC }]), json!([7, null]), Audience::Private),
    ] {
        let mut post = note();
        post["to"] = to.clone();
        post["cc"] = cc;
        assert_eq!(parse_post(&post).expect("a post").audience, audience, "{to}");
    }
}

/// Interop E20.
#[test]
fn quotes_are_read_in_all_spellings() {
    let us = "https://us.example/ap/a/1";
    for key in ["quote", "_misskey_quote", "quoteUrl", "quoteUri"] {
        assert_eq!(with(key, json!(us)).quotes.as_deref(), Some(us), "{key}");
    }
    let profile = r#"application/ld+json; profile="https://www.w3.org/ns/activitystreams""#;
    assert_eq!(with("tag", json!({"type": "Link", "mediaType": profile, "href": us})).quotes.as_deref(), Some(us));
    assert_eq!(with("tag", json!({"type": "Link", "mediaType": "text/html", "href": us})).quotes, None);
}

/// Interop E22: every federated string and list has an end (GHSA-gg8q-rcg7-p79g).
#[test]
fn everything_is_bounded() {
    let long = "é".repeat(CONTENT_MAX);
    let content = with("content", json!(long)).content;
    assert!(content.len() <= CONTENT_MAX && long.starts_with(&content));
    assert_eq!(with("summary", json!("a \n\u{7}b ".repeat(1000))).warning.expect("a warning").chars().count(), 500);
    let mentions: Vec<Value> =
        (0..10_000).map(|n| json!({"type": "Mention", "href": format!("https://m.example/{n}")})).collect();
    assert_eq!(with("tag", json!(mentions)).mentions.len(), 501);
    let pictures: Vec<Value> =
        (0..1000).map(|n| json!({"type": "Image", "url": format!("https://m.example/{n}")})).collect();
    assert_eq!(with("attachment", json!(pictures)).attachments.len(), 32);
    let choices: Vec<Value> = (0..1000).map(|n| json!({"name": n.to_string()})).collect();
    assert_eq!(with("anyOf", json!(choices)).options.len(), 32);
    assert_eq!(with("contentMap", json!({ "x".repeat(99): "x" })).language, None);
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        Just(json!("https://m.example/1")),
        Just(json!(PUBLIC)),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        let key = prop::sample::select(vec!["type", "href", "name", "url", "icon", "id", "mediaType", "content"]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            prop::collection::vec((key, inner), 0..5).prop_map(|members| Value::Object(
                members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
            )),
        ]
    })
}

proptest! {
    /// Whatever shape a property has, a post is read or refused, and never more than its bounds.
    #[test]
    fn no_shape_hurts(key in prop::sample::select(vec![
        "to", "cc", "tag", "attachment", "url", "inReplyTo", "contentMap", "content", "name", "summary", "published",
        "oneOf", "attributedTo", "type", "quote", "replies", "context", "audience", "language",
    ]), value in json_value()) {
        let mut post = note();
        post[key] = value;
        if let Ok(read) = parse_post(&post) {
            prop_assert!(read.mentions.len() <= 501 && read.attachments.len() <= 32 && read.emoji.len() <= 100);
            prop_assert!(read.url.starts_with("https://") || read.url.starts_with("http://"));
        }
    }
}

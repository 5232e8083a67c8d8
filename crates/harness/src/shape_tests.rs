//! A good article passes; each broken rule is named.

use serde_json::json;

use super::*;

fn create() -> Value {
    let (to, cc) = (json!([PUBLIC]), json!(["https://b.test/ap/actors/1/followers", "https://b.test/ap/actors/9"]));
    json!({
        "@context": ["https://www.w3.org/ns/activitystreams"],
        "id": "https://b.test/ap/activities/1", "type": "Create", "actor": "https://b.test/ap/actors/1",
        "published": "2026-08-07T09:59:00Z", "to": to, "cc": cc, "audience": "https://b.test/ap/actors/9",
        "object": {
            "id": "https://b.test/ap/articles/1", "type": "Article", "attributedTo": "https://b.test/ap/actors/1",
            "name": "a < b & c", "summary": "<p>Teaser.</p>", "url": "https://site.test/post/a/",
            "content": "<p>Body, <a href=\"https://site.test/x?a>b\">link</a></p>", "mediaType": "text/html",
            "published": "2026-08-07T09:59:00Z", "to": to, "cc": cc, "audience": "https://b.test/ap/actors/9",
            "tag": [{"type": "Hashtag", "name": "#ferry", "href": "https://site.test/tags/ferry/"}],
            "interactionPolicy": {"canQuote": {"automaticApproval": [PUBLIC]}}
        }
    })
}

fn broken(path: &str, value: Value) -> String {
    let mut activity = create();
    let (parent, key) = path.rsplit_once('/').expect("a path");
    let map = activity.pointer_mut(parent).and_then(Value::as_object_mut).expect("an object");
    map.insert(key.to_owned(), value);
    check(&activity).expect_err(path)
}

#[test]
fn a_good_article_passes() {
    assert_eq!(check(&create()), Ok(()));
}

#[test]
fn each_broken_rule_is_named() {
    let cases = [
        ("E2", "/id", json!("https://other.test/1")),
        ("E2", "/actor", json!(["https://b.test/ap/actors/1"])),
        ("A7", "/@context", json!("http://www.w3.org/ns/activitystreams")),
        ("B8", "/to", json!([])),
        ("B8", "/object/cc", json!([])),
        ("E3", "/object/id", json!("https://other.test/1")),
        ("R1", "/object/attributedTo", json!(["https://b.test/ap/actors/1"])),
        ("R1", "/object/attributedTo", json!("https://b.test/ap/actors/2")),
        ("B24", "/object/url", json!("/post/a/")),
        ("B4", "/object/name", json!("Vec<T>")),
        ("B3", "/object/summary", json!("")),
        ("B2", "/object/summary", json!("<p><a href=\"https://x.test/\">more</a></p>")),
        ("B2", "/object/summary", json!("x".repeat(501))),
        ("B23", "/object/content", json!("<p><a href=\"/post/b/\">b</a></p>")),
        ("B23", "/object/content", json!("<script>1</script>")),
        ("B23", "/object/content", json!("<p onclick=\"x\">b</p>")),
        ("B16", "/object/published", json!("2026-08-07T09:59:00+00:00")),
        ("B6", "/object/updated", json!("2026-08-07T09:58:59Z")),
        ("B10", "/object/tag", json!([{"type": "Hashtag", "name": "#2024", "href": "https://site.test/"}])),
        ("B11", "/object/tag", json!([{"type": "Mention", "name": "@a@b.test", "href": "https://b.test/x"}])),
        ("B13", "/object/attachment", json!({})),
        ("B21", "/object/interactionPolicy", json!({})),
        ("E1", "/object/@reverse", json!({})),
    ];
    for (rule, path, value) in cases {
        let why = broken(path, value);
        assert!(why.starts_with(rule), "{path}: {why}");
    }
}

#[test]
fn an_accept_embeds_the_whole_follow() {
    let accept = |object: Value| {
        json!({"@context": "https://www.w3.org/ns/activitystreams", "id": "https://b.test/1", "type": "Accept",
               "actor": "https://b.test/ap/actors/1", "object": object})
    };
    let follow = json!({"id": "https://a.test/1", "type": "Follow", "actor": "https://a.test/users/ann",
                        "object": "https://b.test/ap/actors/1"});
    assert_eq!(check(&accept(follow)), Ok(()));
    assert!(check(&accept(json!("https://a.test/1"))).expect_err("a refusal").starts_with("D8"));
}

#[test]
fn a_delete_stays_within_its_origin() {
    let delete = |object: &str| {
        json!({"@context": "https://www.w3.org/ns/activitystreams", "id": "https://b.test/1", "type": "Delete",
               "actor": "https://b.test/ap/actors/1", "to": [PUBLIC], "object": object})
    };
    assert_eq!(check(&delete("https://b.test/ap/articles/1")), Ok(()));
    assert!(check(&delete("https://other.test/1")).expect_err("a refusal").starts_with("E3"));
}

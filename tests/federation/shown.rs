//! A conversation as people and scripts see it here: what was said elsewhere is on the page and in the JSON, and what is
//! not to be shown is in neither.

use axum::body::Body;
use harness::{Peer, SignOptions};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;
use veerpont::model::interaction::{self, State};
use veerpont::web;

use crate::threads::{Person, article};
use crate::world::{MAREN, World, on_each_engine, taken};

const PUBLIC: &str = "https://www.w3.org/ns/activitystreams#Public";
const PAGE: &str = "https://example.org/post/ferry/";

/// Asks our own web as a stranger's browser or script does.
async fn get(world: &World, path: &str, headers: &[(&str, &str)]) -> (StatusCode, String, String) {
    let router = web::router(world.app.clone()).await.expect("a router");
    let request = headers.iter().fold(Request::get(path), |request, (name, value)| request.header(*name, *value));
    let response = router.oneshot(request.body(Body::empty()).expect("a request")).await.expect("infallible");
    let (head, body) = response.into_parts();
    let tag = head.headers.get("etag").map_or_else(String::new, |tag| tag.to_str().expect("text").to_owned());
    let body = body.collect().await.expect("a body").to_bytes();
    (head.status, tag, String::from_utf8(body.to_vec()).expect("text"))
}

async fn json_of(world: &World) -> Value {
    let (status, _, body) = get(world, &format!("/api/v1/conversation?url={PAGE}"), &[]).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    serde_json::from_str(&body).expect("JSON")
}

async fn send(world: &World, peer: &Peer, user: &str, kind: &str, id: &str, object: Value) {
    let actor = peer.actor_id(user);
    let activity = json!({
        "@context": "https://www.w3.org/ns/activitystreams", "id": format!("{actor}/{id}"), "type": kind, "actor": actor,
        "object": object, "to": [PUBLIC],
    });
    let inbox = "https://social.example.org/ap/inbox";
    let answer = peer.post_signed(user, inbox, &activity, &SignOptions::default()).await.expect("an answer");
    assert_eq!(answer.status, 202, "{}", answer.body);
    world.drain().await;
}

/// A reply of a peer's user, by its id; the later the number, the earlier it claims to be.
async fn reply(world: &World, peer: &Peer, user: &str, number: u32, answered: &str) -> String {
    let author = peer.actor_id(user);
    let id = format!("{author}/statuses/{number}");
    let note = json!({
        "id": id, "type": "Note", "attributedTo": author, "inReplyTo": answered, "to": [PUBLIC],
        "content": format!("<p>Words {number}</p>"), "published": format!("2026-11-02T09:{:02}:00Z", 50 - number),
    });
    send(world, peer, user, "Create", &format!("c{number}"), note).await;
    id
}

/// Has a moderator decide.
async fn decide(world: &World, object_id: &str, state: State) {
    let (id, now) = (object_id.to_owned(), world.clock.now());
    let done = world.app.db.write(move |conn| {
        Box::pin(async move {
            let post = interaction::store::post(conn, &id).await?.expect("the reply");
            interaction::store::decide(conn, post.id, state, Some("a test"), now).await
        })
    });
    done.await.expect("decided");
}

fn ids(seen: &Value) -> Vec<&str> {
    let items = seen["replies"]["items"].as_array().expect("a list");
    items.iter().map(|item| item["id"].as_str().expect("an id")).collect()
}

#[tokio::test]
async fn what_is_said_elsewhere_is_seen_here() {
    on_each_engine(async |world| {
        let peer = world.peer("peer.test", &["ann", "bob"]);
        world.publish().await;
        world.follow(&peer, "ann", MAREN).await;
        world.write_post("ferry", "The ferry", "It sails at ten.", &["maren"]);
        world.publish().await;
        let article = taken(&peer, "Create").pop().expect("a Create").object_id;
        assert_eq!(ids(&json_of(world).await), Vec::<&str>::new());

        let first = reply(world, &peer, "ann", 1, &article).await;
        let second = reply(world, &peer, "bob", 2, &first).await;
        let third = reply(world, &peer, "ann", 3, &second).await;
        let other = reply(world, &peer, "bob", 4, &article).await;
        send(world, &peer, "bob", "Like", "l1", json!(article)).await;
        let seen = json_of(world).await;
        // Each claims to be older than what it answers, and stands after it all the same.
        assert_eq!(ids(&seen), [&other, &first, &second, &third]);
        assert_eq!(
            (seen["article"]["id"].as_str(), seen["likes"]["total"].as_u64()),
            (Some(article.as_str()), Some(1))
        );
        let page = seen["article"]["page"].as_str().expect("a page").replace("https://social.example.org", "");
        let path = format!("/api/v1/conversation?url={PAGE}");
        let (_, tag, _) = get(world, &path, &[]).await;
        let known = [("if-none-match", tag.as_str())];
        assert_eq!(get(world, &path, &known).await.0, StatusCode::NOT_MODIFIED);

        decide(world, &second, State::Hidden).await;
        decide(world, &other, State::Held).await;
        assert_eq!(get(world, &path, &known).await.0, StatusCode::OK, "it is another conversation now");
        let seen = json_of(world).await;
        assert_eq!(ids(&seen), [&first, &second, &third], "what is hidden leaves its place, as it has an answer");
        assert_eq!(seen["replies"]["items"][1]["gone"], true);
        assert_eq!(
            (seen["replies"]["total"].as_u64(), seen["replies"]["items"][1]["author"].is_null()),
            (Some(2), true)
        );
        let (status, _, html) = get(world, &page, &[("accept", "text/html")]).await;
        assert_eq!(status, StatusCode::OK);
        for (words, shown) in [("Words 1", true), ("Words 2", false), ("Words 3", true), ("Words 4", false)] {
            assert_eq!(html.contains(words), shown, "{words}: {html}");
        }
        assert_eq!(get(world, &format!("/reply?id={second}"), &[]).await.0, StatusCode::NOT_FOUND);

        send(world, &peer, "ann", "Delete", "d3", json!({ "id": third, "type": "Tombstone" })).await;
        assert_eq!(ids(&json_of(world).await), [&first], "nor is the place of what nobody answers");
        world.sync_removal("ferry").await;
        assert_eq!(get(world, &path, &[]).await.0, StatusCode::GONE);
        assert_eq!(get(world, &page, &[("accept", "text/html")]).await.0, StatusCode::GONE);
    })
    .await;
}

#[tokio::test]
async fn a_changed_name_is_shown_at_once_wherever_somebody_spoke() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let ann = Person::new(world, "ann.test");
        ann.says_of_itself("name", "Ann Before");
        ann.send(world, &ann.activity("Create", "c1", ann.note(1, &article))).await;
        let path = format!("/api/v1/conversation?id={article}");
        let (_, mut tag, body) = get(world, &path, &[]).await;
        assert!(body.contains("Ann Before"), "{body}");
        assert_eq!(get(world, &path, &[("if-none-match", &tag)]).await.0, StatusCode::NOT_MODIFIED);
        let mut embedded = ann.server.actor("/users/u");
        embedded["name"] = "Ann Embedded".into();
        // Sent with the Update, and read at its origin.
        for (update, object, name) in [("u1", embedded, "Ann Embedded"), ("u2", ann.id.as_str().into(), "Ann Read")] {
            ann.says_of_itself("name", name);
            world.advance(std::time::Duration::from_mins(2));
            ann.send(world, &ann.activity("Update", update, object)).await;
            let (status, new, body) = get(world, &path, &[("if-none-match", &tag)]).await;
            assert_eq!(status, StatusCode::OK, "{name}");
            assert!(body.contains(name) && !body.contains("Ann Before"), "{body}");
            tag = new;
        }
    })
    .await;
}

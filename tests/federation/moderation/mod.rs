//! What strangers say is shown, held, hidden and blocked as the operator wants it, and everyone else sees just that.

mod blocked_hosts;
mod blocks;
mod holds;
mod remembered;

use std::time::Duration;

use bytes::Bytes;
use harness::{Peer, SignOptions};
use http::Request;
use serde_json::{Value, json};
use veerpont::base::ids::ActorId;
use veerpont::inbox;
use veerpont::inbox::review;
use veerpont::model::interaction::{self, State};
use veerpont::moderation::enforcement::Enforced;
use veerpont::moderation::listing::{self, BlockRequest};
use veerpont::moderation::review::Decision;
use veerpont::moderation::{BlockKind, ModerationNote, Severity};

use crate::stranger::{CONTEXT, Cavage, Key, Stranger};
use crate::world::{World, on_each_engine, shared_key};

const PUBLIC: &str = "https://www.w3.org/ns/activitystreams#Public";
const INBOX: &str = "https://social.example.org/ap/inbox";

/// An article of Maren's, by its id.
async fn article(world: &World) -> String {
    world.publish().await;
    world.write_post("ferry", "The ferry", "It sails at ten.", &["maren"]);
    world.publish().await;
    let mut conn = world.app.db.read().await.expect("a connection");
    let uuid: String = sqlx::query_scalar("SELECT uuid FROM articles ORDER BY published_at DESC, id DESC LIMIT 1")
        .fetch_one(&mut *conn)
        .await
        .expect("an article");
    format!("https://social.example.org/ap/articles/{uuid}")
}

fn note(peer: &Peer, user: &str, number: u32, answered: &str, content: &str) -> Value {
    let author = peer.actor_id(user);
    json!({ "id": format!("{author}/statuses/{number}"), "type": "Note", "attributedTo": author, "inReplyTo": answered,
        "content": content, "published": "2026-11-02T09:00:00Z", "to": [PUBLIC] })
}

fn about(peer: &Peer, user: &str, kind: &str, id: &str, object: impl Into<Value>) -> Value {
    json!({ "@context": CONTEXT, "id": format!("{}/{id}", peer.actor_id(user)),
        "type": kind, "actor": peer.actor_id(user), "object": object.into() })
}

/// Sends an activity to our shared inbox, and works what follows; says what was answered.
async fn knock(world: &World, peer: &Peer, user: &str, activity: &Value) -> u16 {
    // So that what came last has the last row.
    world.advance(Duration::from_millis(1));
    let answer = peer.post_signed(user, INBOX, activity, &SignOptions::default()).await.expect("an answer");
    world.drain().await;
    answer.status
}

/// As [`knock`], where it must be taken.
async fn send(world: &World, peer: &Peer, user: &str, activity: Value) {
    assert_eq!(knock(world, peer, user, &activity).await, 202, "{activity}");
}

/// Answers an article; the id of the reply.
async fn reply(world: &World, peer: &Peer, user: &str, number: u32, article: &str, content: &str) -> String {
    let note = note(peer, user, number, article, content);
    let id = note["id"].as_str().expect("an id").to_owned();
    send(world, peer, user, about(peer, user, "Create", &format!("c{number}"), note)).await;
    id
}

/// An unsigned GET, as anybody may make it.
async fn read(world: &World, address: &str) -> (u16, Value) {
    let request =
        Request::get(address).header("host", "social.example.org").header("accept", "application/activity+json");
    let (head, body) =
        world.net.dispatch(request.body(Bytes::new()).expect("a request")).await.expect("an answer").into_parts();
    let body = axum::body::to_bytes(body, 1_000_000).await.expect("a body");
    (head.status.as_u16(), serde_json::from_slice(&body).unwrap_or_default())
}

/// What an outsider sees of an article: the replies in its document, in their collection and in its conversation, which
/// must agree, and how many likes and boosts.
async fn seen(world: &World, article: &str) -> (Vec<String>, u64, u64) {
    let document = read(world, article).await.1;
    let replies = read(world, document["replies"]["id"].as_str().expect("an id")).await.1;
    let context = read(world, document["context"].as_str().expect("an id")).await.1;
    let texts = |list: &Value| -> Vec<String> {
        let items = list.as_array().expect("a list").iter();
        items.map(|item| item.as_str().expect("an id").to_owned()).collect()
    };
    let shown = texts(&replies["first"]["items"]);
    assert_eq!(shown, texts(&document["replies"]["first"]["items"]), "in the article itself");
    let (first, rest) = texts(&context["orderedItems"])
        .split_first()
        .map(|(first, rest)| (first.clone(), rest.to_vec()))
        .expect("items");
    assert_eq!((first.as_str(), &rest), (article, &shown), "in the conversation");
    let json = read(world, &format!("https://social.example.org/api/v1/conversation?id={article}")).await.1;
    let told = json["replies"]["items"].as_array().expect("items").iter().filter(|item| item["gone"] != true);
    let told: Vec<&str> = told.map(|item| item["id"].as_str().expect("an id")).collect();
    assert_eq!(told, rest, "in JSON");
    let count = |key: &str| document[key]["totalItems"].as_u64().expect("a number");
    for (key, page) in [("likes", "/likes"), ("shares", "/shares")] {
        let alone = read(world, &format!("{article}{page}")).await.1;
        assert_eq!(alone["totalItems"], document[key]["totalItems"], "{page} alone");
    }
    (shown, count("likes"), count("shares"))
}

/// What those are told who show the conversation: of each post its words, or that something was there.
async fn conversation(world: &World, article: &str) -> Vec<(String, Option<String>)> {
    let answer = read(world, &format!("https://social.example.org/api/v1/conversation?id={article}")).await.1;
    let items = answer["replies"]["items"].as_array().expect("items");
    let told = |item: &Value| {
        let text = html::text(item["content"].as_str().expect("content"));
        if item["gone"] == true { ("gone".to_owned(), None) } else { ("shown".to_owned(), Some(text)) }
    };
    items.iter().map(told).collect()
}

fn owned((state, words): (&str, Option<&str>)) -> (String, Option<String>) {
    (state.to_owned(), words.map(str::to_owned))
}

async fn state(world: &World, id: &str) -> State {
    let mut conn = world.app.db.read().await.expect("a connection");
    interaction::store::post(&mut conn, id).await.expect("a row").expect("a reply").state
}

/// Why a reply stands as it does.
async fn why(world: &World, id: &str) -> Option<String> {
    let mut conn = world.app.db.read().await.expect("a connection");
    let post = interaction::store::post(&mut conn, id).await.expect("a row").expect("a reply");
    interaction::store::ruling(&mut conn, post.id).await.expect("a ruling").why
}

/// Why the last activity that came was declined.
async fn last_reason(world: &World) -> (String, String) {
    let mut conn = world.app.db.read().await.expect("a connection");
    sqlx::query_as("SELECT verdict, reason FROM inbound ORDER BY id DESC LIMIT 1")
        .fetch_one(&mut *conn)
        .await
        .expect("a verdict")
}

async fn decide(world: &World, id: &str, decision: Decision, why: &str) -> State {
    let state = review::decide(&world.app, id, decision, ModerationNote::because(why)).await.expect("a decision");
    world.drain().await;
    state
}

async fn block(world: &World, kind: BlockKind, value: &str, severity: Severity) -> Enforced {
    let done = listing::add(
        &world.app,
        BlockRequest { kind, value, actor: None },
        severity,
        ModerationNote::because("a reason"),
    )
    .await;
    world.drain().await;
    done.expect("a block").1
}

async fn unblock(world: &World, kind: BlockKind, value: &str) -> Enforced {
    let done = listing::remove(&world.app, BlockRequest { kind, value, actor: None }, ModerationNote::default()).await;
    world.drain().await;
    done.expect("there was a block").1
}

/// One of ours by handle.
async fn ours(world: &World, handle: &str) -> ActorId {
    let handle = veerpont::base::ids::Handle::parse(handle).expect("a handle");
    let mut conn = world.app.db.read().await.expect("a connection");
    veerpont::model::author::store::actor_by_handle(&mut conn, &handle).await.expect("a row").expect("an actor").id
}

/// How often something was refused for a reason.
async fn refused(world: &World, reason: &str) -> i64 {
    inbox::housekeeping::tidy(&world.app).await.expect("written");
    let mut conn = world.app.db.read().await.expect("a connection");
    let counts = inbox::store::rejections(&mut conn, "2026-01-01", 100).await.expect("counts");
    counts.into_iter().filter(|(_, _, counted, _)| counted == reason).map(|(.., times)| times).sum()
}

/// The story of a moderator's day.
#[tokio::test]
async fn what_a_moderator_decides_is_what_an_outsider_sees() {
    on_each_engine(async |world| {
        world.configure("policy = \"open\"", "policy = \"first-held\"").await;
        let article = article(world).await;
        let peer = world.peer("peer.test", &["ann"]);

        let first = reply(world, &peer, "ann", 1, &article, "<p>First</p>").await;
        assert_eq!((state(world, &first).await, seen(world, &article).await.0), (State::Held, vec![]));
        assert_eq!(
            why(world, &first).await.as_deref(),
            Some("nothing of its author was approved so far (policy first-held)")
        );
        assert_eq!(decide(world, &first, Decision::Approve, "fine").await, State::Shown);
        let second = reply(world, &peer, "ann", 2, &article, "<p>Second</p>").await;
        assert_eq!(seen(world, &article).await.0, [first.clone(), second.clone()], "the second needs nobody");

        assert_eq!(decide(world, &second, Decision::Hide, "off topic").await, State::Hidden);
        assert_eq!(
            (seen(world, &article).await.0, why(world, &second).await),
            (vec![first.clone()], Some("off topic".to_owned()))
        );
        let below = note(&peer, "ann", 3, &second, "<p>Below</p>");
        send(world, &peer, "ann", about(&peer, "ann", "Create", "c3", below)).await;
        let told = conversation(world, &article).await;
        assert_eq!(
            told,
            [("shown", Some("First")), ("gone", None), ("shown", Some("Below"))].map(owned),
            "a gap, and no words"
        );
        send(world, &peer, "ann", about(&peer, "ann", "Delete", "d3", format!("{}/statuses/3", peer.actor_id("ann"))))
            .await;
        let mut edit = note(&peer, "ann", 2, &article, "<p>Second, nicer</p>");
        edit["updated"] = "2026-11-02T09:30:00Z".into();
        send(world, &peer, "ann", about(&peer, "ann", "Update", "e2", edit)).await;
        assert_eq!(state(world, &second).await, State::Hidden, "an edit does not bring it back");
        assert_eq!(decide(world, &second, Decision::Approve, "fine now").await, State::Shown);
        assert_eq!(world.reply_texts().await, ["First", "Second, nicer"]);

        assert_eq!(decide(world, &first, Decision::Delete, "an insult").await, State::Deleted);
        assert_eq!(seen(world, &article).await.0, [second]);
        let words: Option<String> = sqlx::query_scalar("SELECT document FROM interactions WHERE object_id = $1")
            .bind(&first)
            .fetch_one(&mut *world.app.db.read().await.expect("a connection"))
            .await
            .expect("the row stays");
        assert_eq!((words, why(world, &first).await), (None, Some("an insult".to_owned())), "but not its words");
        // Its author can neither edit nor restore it.
        let mut again = note(&peer, "ann", 1, &article, "<p>First, again</p>");
        again["updated"] = "2026-11-02T09:40:00Z".into();
        send(world, &peer, "ann", about(&peer, "ann", "Update", "e1", again)).await;
        let delete = about(&peer, "ann", "Delete", "d1", first.as_str());
        send(world, &peer, "ann", delete.clone()).await;
        send(world, &peer, "ann", about(&peer, "ann", "Undo", "u1", delete)).await;
        assert_eq!((state(world, &first).await, world.reply_texts().await.len()), (State::Deleted, 1));
        assert!(
            review::decide(&world.app, &first, Decision::Approve, ModerationNote::default()).await.is_err(),
            "nor can we"
        );
        assert!(
            review::decide(&world.app, "https://peer.test/none", Decision::Hide, ModerationNote::default())
                .await
                .is_err()
        );
    })
    .await;
}

/// What was held is not approved by its author's taking it away and back.
#[tokio::test]
async fn a_restored_reply_is_held_as_before() {
    on_each_engine(async |world| {
        world.configure("policy = \"open\"", "policy = \"first-held\"").await;
        let article = article(world).await;
        let stranger = Stranger::new(world, "peer.test");
        let key = Key::Rsa(shared_key());
        let (ann, key_id) = stranger.serve_actor("/users/ann", &key);
        let id = stranger.id("/notes/1");
        let note = json!({ "@context": CONTEXT, "id": id, "type": "Note",
            "attributedTo": ann, "inReplyTo": article, "content": "First", "to": [PUBLIC] });
        stranger.serve("/notes/1", &note);
        let say = |number: u32, kind: &str, object: Value| {
            json!({ "@context": CONTEXT, "id": stranger.id(&format!("/{number}")),
                "type": kind, "actor": ann, "object": object })
        };
        let delete = say(2, "Delete", json!(id));
        for activity in [say(1, "Create", note.clone()), delete.clone(), say(3, "Undo", delete)] {
            let how = Cavage { key: &key, key_id: &key_id, ..Cavage::default() };
            let told = stranger.send(stranger.cavage(&how, INBOX, &activity)).await;
            assert_eq!(told.status, 202, "{}", told.body);
            world.drain().await;
        }
        assert_eq!((state(world, &id).await, seen(world, &article).await.0), (State::Held, vec![]));
        assert_eq!(decide(world, &id, Decision::Approve, "fine").await, State::Shown);
        assert_eq!(world.reply_texts().await, ["First"], "its words were read again");
    })
    .await;
}

/// FEP-044f: a quote that is hidden loses its permission, and its server is told.
#[tokio::test]
async fn a_hidden_quote_loses_its_permission() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let stranger = Stranger::new(world, "peer.test");
        let key = Key::Rsa(shared_key());
        let (ann, key_id) = stranger.serve_actor("/users/ann", &key);
        let id = stranger.id("/notes/1");
        let quote = json!({ "id": id, "type": "Note", "attributedTo": ann, "quote": article, "content": "Look",
            "to": [PUBLIC] });
        let request = json!({ "@context": CONTEXT, "id": stranger.id("/1"), "type": "QuoteRequest", "actor": ann,
            "object": article, "instrument": quote });
        let how = Cavage { key: &key, key_id: &key_id, ..Cavage::default() };
        assert_eq!(stranger.send(stranger.cavage(&how, INBOX, &request)).await.status, 202);
        world.drain().await;
        let told = |kind: &str| -> Vec<Value> {
            let seen = stranger.take_seen().into_iter();
            let posts = seen.filter_map(|seen| serde_json::from_slice::<Value>(&seen.body).ok());
            posts.filter(|post| post["type"] == kind).collect()
        };
        let accepts = told("Accept");
        let [accept] = accepts.as_slice() else { panic!("one Accept: {accepts:?}") };
        let permission = accept["result"].as_str().expect("an address").to_owned();
        assert_eq!(read(world, &permission).await.0, 200);

        for by_block in [false, true] {
            if by_block {
                block(world, BlockKind::Actor, &ann, Severity::Block).await;
            } else {
                decide(world, &id, Decision::Hide, "no").await;
            }
            assert_eq!(read(world, &permission).await.0, 404, "{by_block}");
            let deletes = told("Delete");
            let [delete] = deletes.as_slice() else { panic!("one Delete: {deletes:?}") };
            assert_eq!((&delete["object"], &delete["to"]), (&json!(permission), &json!([ann])), "{by_block}");
            if !by_block {
                decide(world, &id, Decision::Approve, "after all").await;
                assert_eq!(read(world, &permission).await.0, 200);
            }
        }
    })
    .await;
}

//! Replies, likes and boosts come in, in whatever order, and are seen by others as they are.

use harness::{Peer, SignOptions};
use serde_json::{Value, json};

use crate::world::{MAREN, World, on_each_engine, taken};

const PUBLIC: &str = "https://www.w3.org/ns/activitystreams#Public";

/// An article of Maren's that everyone on the peer was sent, by its id.
async fn article(world: &mut World, peer: &Peer) -> String {
    world.publish().await;
    world.follow(peer, "ann", MAREN).await;
    world.write_post("ferry", "The ferry", "It sails at ten.", &["maren"]);
    world.publish().await;
    let create = taken(peer, "Create").pop().expect("a Create");
    create.object_id
}

/// A reply of a peer's user, in Mastodon's shape (interop S).
fn note(peer: &Peer, user: &str, number: u32, answered: &str, content: &str) -> Value {
    let author = peer.actor_id(user);
    json!({
        "id": format!("{author}/statuses/{number}"), "type": "Note", "attributedTo": author, "inReplyTo": answered,
        "content": content, "published": "2026-11-02T09:00:00Z", "to": [PUBLIC], "cc": [format!("{author}/followers")],
    })
}

fn about(peer: &Peer, user: &str, kind: &str, id: &str, object: impl Into<Value>) -> Value {
    json!({ "id": format!("{}/{id}", peer.actor_id(user)), "type": kind, "actor": peer.actor_id(user), "object": object.into() })
}

/// Sends an activity to our shared inbox, which must take it, and works what follows.
async fn send(world: &World, peer: &Peer, user: &str, mut activity: Value) {
    activity["@context"] = "https://www.w3.org/ns/activitystreams".into();
    let inbox = "https://social.example.org/ap/inbox";
    let answer = peer.post_signed(user, inbox, &activity, &SignOptions::default()).await.expect("an answer");
    assert_eq!(answer.status, 202, "{}", answer.body);
    world.drain().await;
}

/// What an outsider sees: direct replies, the whole conversation, likes, boosts.
async fn seen(peer: &Peer, article: &str) -> (Vec<String>, usize, u64, u64) {
    let read = async |id: &str| peer.fetch(id).await.expect("a document").2;
    let document = read(article).await;
    let items = |list: &Value| -> Vec<String> {
        let items = list.as_array().expect("a list").iter();
        items.map(|item| item.as_str().expect("an id").to_owned()).collect()
    };
    let replies = read(document["replies"]["id"].as_str().expect("an id")).await;
    let context = read(document["context"].as_str().expect("an id")).await;
    assert_eq!(replies["first"]["items"], document["replies"]["first"]["items"], "B18: inside and alone they are one");
    assert_eq!(context["orderedItems"][0], article, "B20: the article is the first");
    let count = |key: &str| document[key]["totalItems"].as_u64().expect("a number");
    (items(&replies["first"]["items"]), items(&context["orderedItems"]).len() - 1, count("likes"), count("shares"))
}

#[tokio::test]
async fn replies_likes_and_boosts_are_kept_and_shown() {
    on_each_engine(async |world| {
        let peer = world.peer("peer.test", &["ann", "bob"]);
        let article = article(world, &peer).await;
        let reply = note(&peer, "ann", 1, &article, "<p>Nice <script>alert(1)</script>boat</p>");
        send(world, &peer, "ann", about(&peer, "ann", "Create", "c1", reply.clone())).await;
        let nested = note(&peer, "bob", 2, reply["id"].as_str().expect("an id"), "<p>It is</p>");
        send(world, &peer, "bob", about(&peer, "bob", "Create", "c2", nested)).await;
        let like = about(&peer, "bob", "Like", "l1", article.as_str());
        send(world, &peer, "bob", like.clone()).await;
        send(world, &peer, "bob", about(&peer, "bob", "EmojiReact", "l2", article.as_str())).await;
        send(world, &peer, "ann", about(&peer, "ann", "Announce", "b1", article.as_str())).await;
        let ids = vec![reply["id"].as_str().expect("an id").to_owned()];
        assert_eq!(seen(&peer, &article).await, (ids.clone(), 2, 1, 1), "E13: a like and a reaction of one are one");

        send(world, &peer, "bob", about(&peer, "bob", "Undo", "u1", like)).await;
        let reaction = json!({ "id": "https://peer.test/new", "type": "EmojiReact", "object": article });
        send(world, &peer, "bob", about(&peer, "bob", "Undo", "u2", reaction)).await;
        send(world, &peer, "ann", about(&peer, "ann", "Undo", "u3", format!("{}/b1", peer.actor_id("ann")))).await;
        assert_eq!(seen(&peer, &article).await, (ids, 2, 0, 0), "E14: by embedded object, by shape, by bare id");

        let mut edit = note(&peer, "ann", 1, &article, "<p>Nicer</p>");
        edit["updated"] = "2026-11-02T09:30:00Z".into();
        send(world, &peer, "ann", about(&peer, "ann", "Update", "e1", edit)).await;
        assert_eq!(world.reply_texts().await, ["It is", "Nicer"]);
        let tombstone = json!({ "id": reply["id"], "type": "Tombstone" });
        send(world, &peer, "ann", about(&peer, "ann", "Delete", "d1", tombstone)).await;
        assert_eq!(seen(&peer, &article).await, (Vec::new(), 1, 0, 0), "the reply below it stays");
        peer.delete_account("bob").await.expect("the Delete is taken");
        send(world, &peer, "bob", about(&peer, "bob", "Delete", "gone", peer.actor_id("bob"))).await;
        assert_eq!(seen(&peer, &article).await, (Vec::new(), 0, 0, 0));
    })
    .await;
}

/// Interop D7 and T8.
#[tokio::test]
async fn what_overtakes_each_other_ends_right() {
    on_each_engine(async |world| {
        let peer = world.peer("peer.test", &["ann", "bob"]);
        let article = article(world, &peer).await;
        let first = note(&peer, "ann", 1, &article, "<p>First</p>");
        let id = first["id"].as_str().expect("an id").to_owned();
        let below = note(&peer, "bob", 2, &id, "<p>Below</p>");
        send(world, &peer, "bob", about(&peer, "bob", "Create", "c2", below)).await;
        assert_eq!(world.reply_texts().await, Vec::<String>::new());
        let mut edit = note(&peer, "ann", 1, &article, "<p>Edited</p>");
        edit["updated"] = "2026-11-02T09:30:00Z".into();
        send(world, &peer, "ann", about(&peer, "ann", "Update", "e1", edit)).await;
        send(world, &peer, "ann", about(&peer, "ann", "Create", "c1", first)).await;
        assert_eq!(world.reply_texts().await, ["Below", "Edited"], "the reply below waited for the one above");

        let gone = note(&peer, "ann", 3, &article, "<p>Gone</p>");
        send(world, &peer, "ann", about(&peer, "ann", "Delete", "d3", gone["id"].clone())).await;
        send(world, &peer, "ann", about(&peer, "ann", "Create", "c3", gone)).await;
        let like = about(&peer, "ann", "Like", "l1", article.as_str());
        send(world, &peer, "ann", about(&peer, "ann", "Undo", "u1", like.clone())).await;
        send(world, &peer, "ann", like).await;
        assert_eq!(seen(&peer, &article).await, (vec![id], 2, 0, 0));
    })
    .await;
}

/// Interop E3 to E6, E8, T13, T14: each is taken with 202, has its verdict, and is shown nowhere.
#[tokio::test]
async fn what_may_not_be_shown_is_declined_with_a_reason() {
    on_each_engine(async |world| {
        let peer = world.peer("peer.test", &["ann", "eve"]);
        let article = article(world, &peer).await;
        let good = note(&peer, "ann", 1, &article, "<p>Mine</p>");
        send(world, &peer, "ann", about(&peer, "ann", "Create", "c1", good.clone())).await;
        let but = |number: u32, key: &str, value: Value| {
            let mut changed = note(&peer, "eve", number, &article, "<p>Hidden</p>");
            changed[key] = value;
            changed
        };
        let bad = [
            but(2, "attributedTo", peer.actor_id("ann").into()),
            but(3, "id", "https://victim.test/notes/1".into()),
            but(4, "to", json!([peer.actor_id("ann")])),
            but(5, "type", "Person".into()),
            but(6, "inReplyTo", "https://social.example.org/ap/articles/none".into()),
        ];
        for (number, object) in bad.into_iter().enumerate() {
            send(world, &peer, "eve", about(&peer, "eve", "Create", &format!("x{number}"), object)).await;
        }
        let mut stolen = good.clone();
        stolen["attributedTo"] = peer.actor_id("eve").into();
        stolen["updated"] = "2026-11-02T09:45:00Z".into();
        send(world, &peer, "eve", about(&peer, "eve", "Update", "steal", stolen)).await;
        send(world, &peer, "eve", about(&peer, "eve", "Delete", "kill", good["id"].clone())).await;
        assert_eq!(world.reply_texts().await, ["Mine"]);
        let verdicts = world.verdicts().await;
        let declined = verdicts.iter().find(|(verdict, _)| verdict == "declined").map(|(_, count)| *count);
        assert_eq!(declined, Some(7), "{verdicts:?}");
    })
    .await;
}

/// Interop D6: who answered hears of the end, though they follow nobody.
#[tokio::test]
async fn who_answered_is_told_what_becomes_of_the_article() {
    on_each_engine(async |world| {
        let peer = world.peer("peer.test", &["ann"]);
        let article = article(world, &peer).await;
        let other = world.peer("other.test", &["cleo"]);
        send(world, &other, "cleo", about(&other, "cleo", "Like", "l1", article.as_str())).await;
        world.sync_removal("ferry").await;
        assert_eq!(taken(&other, "Delete").len(), 1);
    })
    .await;
}

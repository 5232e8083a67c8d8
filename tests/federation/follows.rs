//! Follows come, come again, and end, in whatever order and shape peers send them.

use std::time::Duration;

use harness::{Found, Peer, SignOptions};
use serde_json::{Value, json};

use crate::threads::Person;
use crate::world::{GROUP, MAREN, World, on_each_engine, taken};

/// A Follow as Mastodon sends it (interop S), its `@context` left to who embeds it.
fn follow(peer: &Peer, user: &str, id: &str, found: &Found) -> Value {
    json!({ "id": id, "type": "Follow", "actor": peer.actor_id(user), "object": found.actor_id })
}

fn undo(peer: &Peer, user: &str, id: &str, object: &Value) -> Value {
    json!({ "id": id, "type": "Undo", "actor": peer.actor_id(user), "object": object })
}

/// Posts to an inbox of ours, which must take it, and works what follows.
async fn send(world: &World, peer: &Peer, user: &str, inbox: &str, mut activity: Value) {
    activity["@context"] = "https://www.w3.org/ns/activitystreams".into();
    let answer = peer.post_signed(user, inbox, &activity, &SignOptions::default()).await.expect("an answer");
    assert_eq!(answer.status, 202, "{}", answer.body);
    world.drain().await;
}

#[tokio::test]
async fn t9_an_undo_that_comes_before_its_follow_leaves_no_follower() {
    on_each_engine(async |world| {
        world.publish().await;
        let maren = world.peer("peer.test", &["ann"]).lookup(MAREN).await.expect("an actor");
        let ann = Person::new(world, "ann.test");
        let late = ann.activity("Follow", "f1", maren.actor_id);
        ann.send(world, &ann.activity("Undo", "u1", late.clone())).await;
        ann.server.take_seen();
        ann.send(world, &late).await;
        assert_eq!(world.followers().await, 0);
        let sent = ann.server.take_seen();
        let kinds: Vec<Value> =
            sent.iter().filter_map(|seen| serde_json::from_slice::<Value>(&seen.body).ok()).collect();
        assert_eq!(kinds.iter().map(|answer| &answer["type"]).collect::<Vec<_>>(), ["Reject"], "each is answered");
    })
    .await;
}

#[tokio::test]
async fn t10_a_follow_is_undone_by_its_id_alone_or_by_who_follows_whom() {
    on_each_engine(async |world| {
        world.publish().await;
        let peer = world.peer("peer.test", &["ann", "bob"]);
        let maren = peer.lookup(MAREN).await.expect("an actor");
        for (number, user) in ["ann", "bob"].into_iter().enumerate() {
            let sent = peer.follow(user, &maren).await.expect("the Follow is taken");
            world.drain().await;
            assert_eq!(world.followers().await, 1);
            let undone = match user {
                "ann" => Value::from(sent.id),
                // Lemmy embeds a Follow with a fresh id (interop S).
                _ => follow(&peer, user, "https://peer.test/follows/never-seen", &maren),
            };
            let id = format!("https://peer.test/undos/{number}");
            send(world, &peer, user, &maren.inbox, undo(&peer, user, &id, &undone)).await;
            assert_eq!(world.followers().await, 0, "{user}");
        }
        world.write_post("ferry", "The ferry", "It sails at ten.", &["maren"]);
        world.publish().await;
        assert!(taken(&peer, "Create").is_empty());
    })
    .await;
}

#[tokio::test]
async fn t11_two_follows_are_two_accepts_and_one_follower() {
    on_each_engine(async |world| {
        world.publish().await;
        let peer = world.peer("peer.test", &["ann"]);
        world.follow(&peer, "ann", MAREN).await;
        world.follow(&peer, "ann", MAREN).await;
        assert_eq!(taken(&peer, "Accept").len(), 2);
        assert_eq!(world.followers().await, 1);
    })
    .await;
}

#[tokio::test]
async fn the_same_follow_again_is_accepted_again_while_the_follower_stands() {
    on_each_engine(async |world| {
        world.publish().await;
        let peer = world.peer("peer.test", &["ann"]);
        let maren = peer.lookup(MAREN).await.expect("an actor");
        let sent = peer.follow("ann", &maren).await.expect("the Follow is taken");
        world.drain().await;
        let again = follow(&peer, "ann", &sent.id, &maren);
        send(world, &peer, "ann", &maren.inbox, again.clone()).await;
        let accepts = taken(&peer, "Accept");
        assert_eq!(accepts.len(), 2, "D8: the first may have been lost");
        assert_ne!(accepts[0].id, accepts[1].id, "D12: the same id again would be passed over");
        assert_eq!(world.followers().await, 1);

        peer.unfollow("ann", &maren).await.expect("the Undo is taken");
        world.drain().await;
        send(world, &peer, "ann", &maren.inbox, again).await;
        assert_eq!(world.followers().await, 1, "U12: after an Undo the same id is a new Follow, as Pixelfed has it");
        assert_eq!(taken(&peer, "Accept").len(), 3);
    })
    .await;
}

#[tokio::test]
async fn a_deleted_actor_follows_nobody() {
    on_each_engine(async |world| {
        world.publish().await;
        let peer = world.peer("peer.test", &["ann"]);
        world.follow(&peer, "ann", MAREN).await;
        world.follow(&peer, "ann", GROUP).await;
        assert_eq!(world.followers().await, 2);
        peer.delete_account("ann").await.expect("the Delete is taken");
        world.drain().await;
        assert_eq!(world.followers().await, 0);
        world.write_post("ferry", "The ferry", "It sails at ten.", &["maren"]);
        world.publish().await;
        assert!(peer.received().iter().all(|post| post.kind == "Accept"));
    })
    .await;
}

#[tokio::test]
async fn t7_the_delete_of_an_unknown_actor_costs_nothing() {
    on_each_engine(async |world| {
        world.publish().await;
        let peer = world.peer("peer.test", &["ann"]);
        let maren = peer.lookup(MAREN).await.expect("an actor");
        let shared = maren.shared_inbox.expect("a shared inbox");
        let (actor, requests) = (peer.actor_id("ann"), world.requests(""));
        let delete = json!({ "id": format!("{actor}#delete"), "type": "Delete", "actor": actor, "object": actor,
            "to": ["https://www.w3.org/ns/activitystreams#Public"] });
        send(world, &peer, "ann", &shared, delete).await;
        assert_eq!(world.requests(""), requests, "nothing is fetched for it");
        assert_eq!(world.verdicts().await, [], "nothing is kept of it");
    })
    .await;
}

#[tokio::test]
async fn what_else_is_said_to_an_actor_has_its_verdict_and_what_is_not_understood_is_kept() {
    on_each_engine(async |world| {
        world.publish().await;
        let peer = world.peer("peer.test", &["ann"]);
        let maren = peer.lookup(MAREN).await.expect("an actor");
        let shared = maren.shared_inbox.clone().expect("a shared inbox");
        for (number, kind) in ["Block", "Add", "Flag", "Move", "ChatMessage"].into_iter().enumerate() {
            let activity = json!({ "id": format!("https://peer.test/{number}"), "type": kind,
                "actor": peer.actor_id("ann"), "object": maren.actor_id });
            send(world, &peer, "ann", &shared, activity).await;
        }
        let verdicts = [("accepted", 2), ("declined", 1), ("deferred", 1), ("ignored", 1)];
        assert_eq!(world.verdicts().await, verdicts.map(|(verdict, count)| (verdict.to_owned(), count)));
        let nobody = Found { actor_id: format!("{}x", maren.actor_id), ..maren };
        send(world, &peer, "ann", &shared, follow(&peer, "ann", "https://peer.test/follows/9", &nobody)).await;
        assert_eq!(
            world.verdicts().await.iter().find(|(verdict, _)| verdict == "declined"),
            Some(&("declined".to_owned(), 2))
        );
    })
    .await;
}

#[tokio::test]
async fn nobody_undoes_what_another_did() {
    on_each_engine(async |world| {
        world.publish().await;
        let peer = world.peer("peer.test", &["ann"]);
        let other = world.peer("other.test", &["eve"]);
        let maren = peer.lookup(MAREN).await.expect("an actor");
        let sent = peer.follow("ann", &maren).await.expect("the Follow is taken");
        world.drain().await;
        for (number, object) in
            [Value::from(sent.id.clone()), follow(&peer, "ann", &sent.id, &maren)].iter().enumerate()
        {
            let id = format!("https://other.test/undos/{number}");
            send(world, &other, "eve", &maren.inbox, undo(&other, "eve", &id, object)).await;
        }
        assert_eq!(world.followers().await, 1);
        world.advance(Duration::from_mins(1));
        world.write_post("ferry", "The ferry", "It sails at ten.", &["maren"]);
        world.publish().await;
        assert_eq!(taken(&peer, "Create").len(), 1);
    })
    .await;
}

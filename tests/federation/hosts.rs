//! A host that fails is asked rarely, gets everything in order when it is back, and nothing that is too old.

use std::time::Duration;

use harness::{Fault, Peer, SignOptions};
use serde_json::json;

use crate::world::{MAREN, World, kinds, on_each_engine, taken};

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

fn write(world: &World, slug: &str) {
    // Each has a body of its own, else one that goes and one that comes would be one that moved.
    world.write_post(slug, &format!("About {slug}"), &format!("The {slug} sails at ten."), &["maren"]);
}

/// Lets time pass in steps, working what comes due in each.
async fn wait(world: &World, steps: u32, step: Duration) {
    for _ in 0..steps {
        world.advance(step);
        world.drain().await;
    }
}

#[tokio::test]
async fn a_dead_host_costs_one_attempt_however_much_waits() {
    on_each_engine(async |world| {
        world.publish().await;
        let peer = world.peer("peer.test", &["ann"]);
        world.follow(&peer, "ann", MAREN).await;
        world.net.set_down("peer.test", true);
        for slug in ["one", "two", "three", "four", "five"] {
            write(world, slug);
        }
        let before = world.requests("POST https://peer.test/");
        world.publish().await;
        assert_eq!(world.requests("POST https://peer.test/") - before, 1);
        write(world, "six");
        world.publish().await;
        assert_eq!(world.requests("POST https://peer.test/") - before, 1, "a new post does not wake it");
        world.net.set_down("peer.test", false);
        world.advance(Duration::from_mins(2));
        world.drain().await;
        assert_eq!(kinds(&peer), ["Create"; 6]);
    })
    .await;
}

#[tokio::test]
async fn a_dead_host_of_many_inboxes_costs_one_attempt_a_try() {
    on_each_engine(async |world| {
        world.publish().await;
        let users = ["ann", "bob", "cat", "dan", "eve", "fay", "gus", "hal"];
        let peer = world.peer_with("peer.test", &users, |settings| settings.shared_inbox = false);
        for user in users {
            world.follow(&peer, user, MAREN).await;
        }
        world.net.set_down("peer.test", true);
        write(world, "one");
        world.publish().await;
        let before = world.requests("POST https://peer.test/");
        for _ in 0..3 {
            world.advance(HOUR);
            world.drain().await;
        }
        assert_eq!(world.requests("POST https://peer.test/") - before, 3, "one attempt for each of three tries");
        world.net.set_down("peer.test", false);
        world.advance(HOUR);
        world.drain().await;
        assert_eq!(kinds(&peer), ["Create"; 8]);
    })
    .await;
}

/// For each article the peer took: its activities in order.
fn stories(peer: &Peer) -> std::collections::BTreeMap<String, Vec<String>> {
    let mut stories = std::collections::BTreeMap::<String, Vec<String>>::new();
    for post in peer.received().into_iter().filter(|post| post.taken && post.kind != "Accept") {
        stories.entry(post.object_id).or_default().push(post.kind);
    }
    stories
}

#[tokio::test]
async fn the_order_of_an_inbox_outlasts_faults() {
    on_each_engine(async |world| {
        world.publish().await;
        let peer = world.peer("peer.test", &["ann"]);
        world.follow(&peer, "ann", MAREN).await;
        peer.set_fault(Fault::Random { share: 0.5, seed: 7 });
        let slugs = ["one", "two", "three", "four", "five"];
        for slug in slugs {
            write(world, slug);
        }
        world.publish().await;
        wait(world, 1, Duration::from_mins(3)).await;
        for slug in slugs {
            world.site.replace(slug, "at ten", "at eleven");
        }
        world.publish().await;
        wait(world, 1, Duration::from_mins(3)).await;
        // While something of each may still wait.
        for slug in slugs {
            world.site.replace(slug, "at eleven", "at noon");
        }
        world.publish().await;
        wait(world, 24, HOUR).await;
        peer.set_fault(Fault::None);
        wait(world, 2, 6 * HOUR).await;
        for slug in slugs {
            world.site.remove(slug);
        }
        assert_eq!(world.sync_confirmed().await.removed, 5);
        world.drain().await;
        let stories = stories(&peer);
        assert_eq!(stories.len(), 5);
        assert!(stories.values().all(|story| *story == ["Create", "Update", "Update", "Delete"]), "{stories:?}");
    })
    .await;
}

#[tokio::test]
async fn a_delivery_expires_by_its_own_age() {
    on_each_engine(async |world| {
        world.publish().await;
        let peer = world.peer("peer.test", &["ann"]);
        world.follow(&peer, "ann", MAREN).await;
        write(world, "early");
        world.publish().await;
        world.net.set_down("peer.test", true);
        write(world, "late");
        world.sync_removal("early").await;
        wait(world, 12, 6 * HOUR).await;
        world.advance(HOUR);
        world.net.set_down("peer.test", false);
        wait(world, 4, 6 * HOUR).await;
        assert_eq!(kinds(&peer), ["Create", "Delete"], "after three days only the Delete is worth sending");
    })
    .await;
}

#[tokio::test]
async fn a_delete_is_worth_sending_for_fourteen_days() {
    on_each_engine(async |world| {
        world.publish().await;
        let [patient, dead] = ["patient.test", "dead.test"].map(|host| world.peer(host, &["ann"]));
        for peer in [&patient, &dead] {
            world.follow(peer, "ann", MAREN).await;
        }
        write(world, "one");
        world.publish().await;
        for peer in [&patient, &dead] {
            world.net.set_down(peer.host(), true);
        }
        world.sync_removal("one").await;
        wait(world, 24, 12 * HOUR).await;
        world.net.set_down("patient.test", false);
        wait(world, 5, 12 * HOUR).await;
        world.net.set_down("dead.test", false);
        wait(world, 3, 12 * HOUR).await;
        assert_eq!(kinds(&patient), ["Create", "Delete"]);
        assert_eq!(kinds(&dead), ["Create"]);
    })
    .await;
}

#[tokio::test]
async fn a_host_that_is_gone_is_probed_daily_and_healed_by_its_own_word() {
    on_each_engine(async |world| {
        world.publish().await;
        let peer = world.peer("peer.test", &["ann"]);
        let maren = world.follow(&peer, "ann", MAREN).await;
        write(world, "one");
        world.publish().await;
        peer.set_fault(Fault::Down);
        world.sync_removal("one").await;
        // Seven days, and the wait under way at their end.
        wait(world, 8 * 24, HOUR).await;
        let before = world.requests("POST https://peer.test/");
        while world.requests("POST https://peer.test/") == before {
            wait(world, 1, HOUR).await;
        }
        wait(world, 23, HOUR).await;
        assert_eq!(world.requests("POST https://peer.test/") - before, 1, "not within a day");
        wait(world, 1, HOUR).await;
        assert_eq!(world.requests("POST https://peer.test/") - before, 2, "once a day");
        peer.set_fault(Fault::None);
        wait(world, 1, HOUR).await;
        assert_eq!(taken(&peer, "Delete").len(), 0, "nobody knows yet that it is back");

        let like = json!({ "@context": "https://www.w3.org/ns/activitystreams", "id": "https://peer.test/likes/1",
            "type": "Like", "actor": peer.actor_id("ann"), "object": maren.actor_id });
        let answer = peer.post_signed("ann", &maren.inbox, &like, &SignOptions::default()).await.expect("an answer");
        assert_eq!(answer.status, 202, "{}", answer.body);
        world.drain().await;
        assert_eq!(kinds(&peer), ["Create", "Delete"]);
    })
    .await;
}

#[tokio::test]
async fn an_article_deleted_before_it_was_sent_is_withdrawn() {
    on_each_engine(async |world| {
        world.publish().await;
        let peer = world.peer("peer.test", &["ann"]);
        world.follow(&peer, "ann", MAREN).await;
        world.net.set_down("peer.test", true);
        write(world, "one");
        world.publish().await;
        world.sync_removal("one").await;
        world.net.set_down("peer.test", false);
        world.advance(DAY);
        world.drain().await;
        assert!(taken(&peer, "Create").is_empty(), "it is no longer to be told");
        // An attempt without an answer may have arrived all the same, so the Delete is sent.
        assert_eq!(kinds(&peer), ["Delete"]);
    })
    .await;
}

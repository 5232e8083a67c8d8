//! The first crossing: found by handle, followed, and each post of the site sent, edited and taken back.

use std::collections::BTreeSet;
use std::time::Duration;

use clock::Timestamp;
use harness::{FollowState, Peer, PeerShape, Received};

use crate::world::{GROUP, MAREN, World, ids, kinds, on_each_engine, taken};

const DAY: Duration = Duration::from_hours(24);

#[tokio::test]
async fn an_author_is_found_by_handle_and_followed() {
    on_each_engine(async |world| {
        assert_eq!(world.publish().await.created, 2);
        let peer = world.peer("peer.test", &["ann"]);
        let found = peer.lookup(MAREN).await.expect("an actor");
        assert_eq!(
            (found.kind.as_str(), found.handle.as_str(), found.name.as_str()),
            ("Person", MAREN, "Maren Oldham")
        );
        assert!(found.actor_id.starts_with("https://social.example.org/ap/actors/"), "{}", found.actor_id);
        let by_our_host = peer.lookup("maren@social.example.org").await.expect("an actor");
        assert_eq!((by_our_host.actor_id, by_our_host.handle), (found.actor_id.clone(), MAREN.to_owned()));
        assert!(peer.lookup("nobody@example.org").await.is_err());

        world.follow(&peer, "ann", MAREN).await;
        let accepts = taken(&peer, "Accept");
        assert_eq!(accepts.len(), 1);
        assert_eq!(accepts[0].inbox, "/users/ann/inbox", "D8: an Accept goes to the personal inbox");
        assert_eq!(peer.follow_state("ann", &found.actor_id), Some(FollowState::Accepted));
        assert_eq!(peer.received().len(), 1, "the first import delivers nothing");
    })
    .await;
}

#[tokio::test]
async fn a_new_post_arrives_is_edited_and_removed() {
    on_each_engine(async |world| {
        world.publish().await;
        let peer = world.peer("peer.test", &["ann"]);
        let maren = world.follow(&peer, "ann", MAREN).await;

        world.write_post("ferry", "The ferry", "It sails at ten.", &["maren"]);
        assert_eq!(world.publish().await.created, 1);
        assert_eq!(kinds(&peer), ["Create"]);
        let article = taken(&peer, "Create")[0].object_id.clone();
        let seen = peer.timeline("ann");
        assert_eq!((seen[0].title.as_str(), seen[0].url.as_str()), ("The ferry", "https://example.org/post/ferry/"));

        edit_strictly_later(world, &peer).await;

        world.site.remove("ferry");
        world.publish().await;
        world.advance(Duration::from_mins(24 * 60 - 1));
        world.publish().await;
        assert_eq!(taken(&peer, "Delete").len(), 0, "within the grace nothing is removed");
        world.advance(Duration::from_mins(1));
        assert_eq!(world.publish().await.removed, 1);
        assert_eq!(kinds(&peer), ["Create", "Update", "Update", "Delete"]);
        assert_eq!(taken(&peer, "Delete")[0].object_id, article);
        assert_eq!(peer.fetch(&article).await.expect("an answer").0, 410);
        assert_eq!(peer.fetch(&maren.actor_id).await.expect("an answer").0, 200);

        world.write_post("ferry", "The ferry", "It sails at ten.", &["maren"]);
        assert_eq!(world.publish().await.created, 1);
        let creates = taken(&peer, "Create");
        assert_eq!(creates.len(), 2);
        assert_ne!(creates[1].object_id, article, "R4: a deleted id is burned for ever");
    })
    .await;
}

/// Two edits without any time between them; what is no edit is not said.
async fn edit_strictly_later(world: &World, peer: &Peer) {
    for (before, after) in [("at ten", "at eleven"), ("at eleven", "at noon")] {
        world.site.replace("ferry", before, after);
        assert_eq!(world.publish().await.updated, 1);
    }
    let updates = taken(peer, "Update");
    let time = |post: &Received, field: &str| {
        let text = post.activity["object"][field].as_str().unwrap_or_default();
        Timestamp::parse_rfc3339(text).unwrap_or_else(|| panic!("{field} is `{text}`"))
    };
    assert_eq!(updates.len(), 2);
    assert!(time(&updates[0], "updated") > time(&updates[0], "published"), "B6");
    assert!(time(&updates[1], "updated") > time(&updates[0], "updated"), "B6");

    world.site.replace("ferry", "It sails at noon.", "It sails at noon.   ");
    world.site.replace("ferry", "title: The ferry", "lastmod: 2026-11-02T11:00:00Z\ntitle: The ferry");
    assert_eq!(world.publish().await.updated, 0);
    assert_eq!(taken(peer, "Update").len(), 2, "neither blanks at the end of a line nor lastmod are an edit");
}

#[tokio::test]
async fn a_follower_of_the_group_hears_by_announce() {
    on_each_engine(async |world| {
        world.publish().await;
        let peer = world.peer("peer.test", &["ann"]);
        let group = world.follow(&peer, "ann", GROUP).await;
        assert_eq!(group.kind, "Group");

        world.write_post("ferry", "The ferry", "It sails at ten.", &["maren"]);
        world.publish().await;
        world.site.replace("ferry", "at ten", "at eleven");
        world.advance(Duration::from_mins(1));
        world.publish().await;
        world.site.remove("ferry");
        world.publish().await;
        world.advance(DAY);
        world.publish().await;
        assert_eq!(kinds(&peer), ["Announce", "Update", "Delete"]);
        assert_eq!(taken(&peer, "Announce")[0].activity["actor"], group.actor_id);
        let seen = peer.timeline("ann");
        assert_eq!(seen.len(), 1);
        assert!(seen[0].edited && seen[0].deleted);
    })
    .await;
}

#[tokio::test]
async fn a_follower_of_author_and_group_gets_no_activity_twice() {
    on_each_engine(async |world| {
        world.publish().await;
        let peer = world.peer("peer.test", &["ann"]);
        world.follow(&peer, "ann", MAREN).await;
        world.follow(&peer, "ann", GROUP).await;

        world.write_post("ferry", "The ferry", "It sails at ten.", &["maren"]);
        world.publish().await;
        world.site.replace("ferry", "at ten", "at eleven");
        world.publish().await;
        world.sync_removal("ferry").await;
        assert_eq!(kinds(&peer), ["Create", "Announce", "Update", "Delete"]);
        let ids = ids(&peer);
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
        assert_eq!(peer.timeline("ann").len(), 1);
    })
    .await;
}

#[tokio::test]
async fn two_followers_behind_one_shared_inbox_cost_one_post() {
    on_each_engine(async |world| {
        world.publish().await;
        let shared = world.peer("shared.test", &["ann", "bob"]);
        let personal = world.peer_with("personal.test", &["cat", "dan"], |settings| settings.shared_inbox = false);
        for (peer, user) in [(&shared, "ann"), (&shared, "bob"), (&personal, "cat"), (&personal, "dan")] {
            world.follow(peer, user, MAREN).await;
        }
        world.write_post("ferry", "The ferry", "It sails at ten.", &["maren"]);
        world.publish().await;
        let creates = taken(&shared, "Create");
        assert_eq!(creates.len(), 1, "D5");
        assert_eq!(creates[0].inbox, "/inbox");
        for user in ["ann", "bob"] {
            assert_eq!(shared.timeline(user).len(), 1, "{user}");
        }
        let inboxes: BTreeSet<_> = taken(&personal, "Create").into_iter().map(|post| post.inbox).collect();
        assert_eq!(inboxes, ["/users/cat/inbox", "/users/dan/inbox"].map(str::to_owned).into());
    })
    .await;
}

#[tokio::test]
async fn a_strict_server_with_keys_of_their_own_hears_the_same() {
    on_each_engine(async |world| {
        world.publish().await;
        let peer = world.peer_with("gts.test", &["ann"], |settings| settings.shape = PeerShape::GoToSocial);
        let maren = world.follow(&peer, "ann", MAREN).await;
        world.follow(&peer, "ann", GROUP).await;
        world.write_post("ferry", "The ferry", "It sails at ten.", &["maren"]);
        world.publish().await;
        world.sync_removal("ferry").await;
        assert_eq!(kinds(&peer), ["Create", "Announce", "Delete"]);
        peer.unfollow("ann", &maren).await.expect("the Undo is taken");
        world.drain().await;
        assert_eq!(world.followers().await, 1);
    })
    .await;
}

//! When a post is pushed, and when it is only listed: drafts, dates, opting out, and the first import.

use std::time::Duration;

use veerpont::base::ids::Handle;
use veerpont::model::author;
use veerpont::site::source::sync::{SyncError, SyncOptions};

use crate::world::{GROUP, MAREN, World, kinds, on_each_engine, taken};

const HOUR: Duration = Duration::from_hours(1);

#[tokio::test]
async fn a_draft_that_becomes_public_is_pushed_whatever_its_date() {
    on_each_engine(async |world| {
        let head = format!("title: The ferry\ndate: {}\nauthors: [maren]\ndraft: true", world.days_ago(60));
        world.publish().await;
        let peer = world.peer("peer.test", &["ann"]);
        world.follow(&peer, "ann", MAREN).await;
        world.site.page("ferry", &head, "It sails at ten.");
        assert_eq!(world.publish().await.created, 0);
        world.advance(HOUR);
        world.site.replace("ferry", "draft: true", "draft: false");
        assert_eq!(world.publish().await.created, 1);
        assert_eq!(kinds(&peer), ["Create"]);

        world.site.replace("ferry", "draft: false", "draft: true");
        assert_eq!(world.publish().await.removed, 1);
        assert_eq!(kinds(&peer), ["Create", "Delete"], "a draft again is gone at once");
    })
    .await;
}

#[tokio::test]
async fn a_scheduled_post_becomes_public_and_expires_by_time_alone() {
    on_each_engine(async |world| {
        world.publish().await;
        let peer = world.peer("peer.test", &["ann"]);
        world.follow(&peer, "ann", MAREN).await;
        let (from, until) = (world.clock.now() + 2 * HOUR, world.clock.now() + 5 * HOUR);
        let head =
            format!("title: The ferry\ndate: {}\nexpiryDate: {}\nauthors: [maren]", from.rfc3339(), until.rfc3339());
        world.site.page("ferry", &head, "It sails at ten.");
        world.publish().await;
        world.advance(Duration::from_secs(2 * 3600 - 1));
        world.drain().await;
        assert!(kinds(&peer).is_empty());
        world.advance(Duration::from_secs(1));
        world.drain().await;
        assert_eq!(kinds(&peer), ["Create"]);
        let article = taken(&peer, "Create")[0].object_id.clone();
        assert_eq!(peer.fetch(&article).await.expect("an answer").0, 200);
        world.advance(3 * HOUR);
        world.drain().await;
        assert_eq!(kinds(&peer), ["Create", "Delete"]);
        assert_eq!(peer.fetch(&article).await.expect("an answer").0, 410);
    })
    .await;
}

#[tokio::test]
async fn an_old_post_is_listed_but_not_pushed() {
    on_each_engine(async |world| {
        world.publish().await;
        let peer = world.peer("peer.test", &["ann"]);
        world.follow(&peer, "ann", MAREN).await;
        world.site.post("old", "An old one", "Old.", &["maren"], &world.days_ago(8));
        assert_eq!(world.publish().await.created, 1);
        assert!(kinds(&peer).is_empty());
        world.site.replace("old", "Old.", "Older.");
        assert_eq!(world.publish().await.updated, 1);
        assert!(kinds(&peer).is_empty(), "who was not sent it hears of no Update");

        world.site.post("young", "A young one", "Young.", &["maren"], &world.days_ago(6));
        world.publish().await;
        assert_eq!(kinds(&peer), ["Create"]);

        world.site.post("wanted", "An old one that is wanted", "Old.", &["maren"], &world.days_ago(90));
        let wish = SyncOptions { deliver: Some("post/wanted".to_owned()), ..SyncOptions::default() };
        world.try_sync(wish).await.expect("a sync");
        world.drain().await;
        assert_eq!(kinds(&peer), ["Create", "Create"]);
        let wish = SyncOptions { deliver: Some("post/nothing".to_owned()), ..SyncOptions::default() };
        assert!(matches!(world.try_sync(wish).await, Err(SyncError::NothingToDeliver(key)) if key == "post/nothing"));
    })
    .await;
}

#[tokio::test]
async fn who_opts_out_is_frozen_and_the_team_account_speaks() {
    on_each_engine(async |world| {
        world.configure("authors = \"published\"", "authors = [\"maren\", \"joris\"]").await;
        world.publish().await;
        let [fan, member] = ["fan.test", "member.test"].map(|host| world.peer(host, &["ann"]));
        let maren = world.follow(&fan, "ann", MAREN).await;
        world.follow(&member, "ann", GROUP).await;
        world.configure("authors = [\"maren\", \"joris\"]", "authors = [\"joris\"]").await;
        world.write_post("ferry", "The ferry", "It sails at ten.", &["maren"]);
        assert_eq!(world.publish().await.created, 1);
        assert!(kinds(&fan).is_empty());
        let seen = member.timeline("ann");
        let team = member.lookup("editors@example.org").await.expect("the team account");
        assert_eq!((team.kind.as_str(), &seen[0].author), ("Service", &team.actor_id));
        assert!(seen[0].summary.ends_with("<p>By Maren Oldham</p>"), "{}", seen[0].summary);
        assert_eq!(fan.fetch(&maren.actor_id).await.expect("an answer").0, 200, "frozen, not gone");

        world.configure("authors = [\"joris\"]", "authors = [\"maren\", \"joris\"]").await;
        world.write_post("quay", "The quay", "It is wet.", &["maren"]);
        world.publish().await;
        assert_eq!(kinds(&fan), ["Create"], "who opts in again speaks again");
    })
    .await;
}

#[tokio::test]
async fn a_taken_handle_stops_a_sync_before_it_writes() {
    on_each_engine(async |world| {
        world.publish().await;
        let said = world.activities().await;
        world.site.author("community", "Somebody Else");
        world.write_post("ferry", "The ferry", "It sails at ten.", &["maren"]);
        world.write_post("quay", "The quay", "It is wet.", &["community"]);
        let error = world.try_sync(SyncOptions::default()).await.expect_err("a collision");
        assert!(matches!(error, SyncError::Handle(_)));
        assert!(error.to_string().contains("[source.handles] community ="), "it says what to do: {error}");
        world.drain().await;
        assert_eq!(world.activities().await, said, "not even the other post was written");

        let mapped = "removal_grace = \"24h\"\n[source.handles]\ncommunity = \"somebody\"";
        world.configure("removal_grace = \"24h\"", mapped).await;
        assert_eq!(world.publish().await.opted_in, ["somebody"]);
        let mut conn = world.app.db.read().await.expect("a connection");
        let handle = Handle::parse("somebody").expect("a handle");
        let actor = author::store::actor_by_handle(&mut conn, &handle).await.expect("an answer");
        assert_eq!(actor.expect("an actor").name, "Somebody Else");
    })
    .await;
}

/// Makes a folder whose path is too long to be read: an I/O error for everybody, root included.
fn bury(world: &World) {
    let part = "x".repeat(200);
    let deep = |root: std::path::PathBuf| (0..15).fold(root, |path, _| path.join(&part));
    let (below, above) = (world.site.path().join("below"), world.site.path().join("content/post/above"));
    std::fs::create_dir_all(deep(below.clone())).expect("a folder");
    std::fs::create_dir_all(deep(above.clone())).expect("a folder");
    std::fs::rename(below, deep(above).join("below")).expect("a folder moved");
}

#[tokio::test]
async fn until_the_first_complete_scan_nothing_is_pushed_or_removed() {
    on_each_engine(async |world| {
        bury(world);
        let report = world.publish().await;
        assert_eq!((report.created, report.complete), (2, false));
        let peer = world.peer("peer.test", &["ann"]);
        world.follow(&peer, "ann", MAREN).await;
        world.write_post("ferry", "The ferry", "It sails at ten.", &["maren"]);
        assert_eq!(world.publish().await.created, 1);
        assert!(kinds(&peer).is_empty(), "the import is not over");

        world.site.remove("old-joris");
        assert_eq!(world.sync_confirmed().await.removed, 0, "nothing follows from what an incomplete scan misses");
        std::fs::remove_dir_all(world.site.folder_of("above")).expect("the buried folder");
        assert!(world.publish().await.complete);
        world.write_post("quay", "The quay", "It is wet.", &["maren"]);
        world.publish().await;
        assert_eq!(kinds(&peer), ["Create"]);
    })
    .await;
}

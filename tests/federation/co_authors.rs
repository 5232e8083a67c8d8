//! A real page with three authors: one Article, told by all of them and the Group.

use std::time::Duration;

use harness::{Found, Peer};
use serde_json::Value;

use crate::shared::corpus;
use crate::site;
use crate::world::{GROUP, World, kinds, on_each_engine_at, taken};

const PAGE: &str = "2022-06-riconline";

/// As the page names them.
const AUTHORS: [&str; 3] = ["torrance-kathleen", "smyth-neil", "ros-birgit"];

#[tokio::test]
async fn a_page_by_three_is_one_article_and_three_announces() {
    let Some(corpus) = corpus() else { return };
    on_each_engine_at("2022-06-23T10:00:00Z", async |world| {
        for author in AUTHORS {
            let folder = format!("content/authors/{author}");
            site::copy(&corpus.join("content/en/authors").join(author), &world.site.path().join(folder));
        }
        // So that they can be followed before the page comes.
        world.site.post("old-all", "An old post of all three", "Old.", &AUTHORS, &world.days_ago(100));
        world.publish().await;
        let followers = followers(world).await;

        site::copy(&corpus.join("content/en/post").join(PAGE), &world.site.folder_of(PAGE));
        world.publish().await;
        let heard: Vec<_> = followers.iter().map(|(peer, _)| kinds(peer)).collect();
        assert_eq!(heard, [["Create"], ["Announce"], ["Announce"], ["Announce"]]);
        let create = &taken(&followers[0].0, "Create")[0].activity;
        is_owned_by_the_first(&create["object"], &followers);
        for (peer, found) in &followers[1..] {
            let announce = &taken(peer, "Announce")[0];
            assert_eq!(announce.activity["actor"], found.actor_id);
            assert_eq!(announce.activity["object"], create["object"]["id"]);
            assert_eq!(peer.timeline("ann")[0].announced_by, std::slice::from_ref(&found.actor_id));
        }

        world.advance(Duration::from_mins(5));
        world.site.replace(PAGE, "Building collaborative platforms", "Building platforms");
        world.publish().await;
        world.sync_removal(PAGE).await;
        for (peer, found) in &followers {
            assert_eq!(kinds(peer)[1..], ["Update", "Delete"], "{}", found.handle);
            let seen = peer.timeline("ann");
            assert!(matches!(seen.as_slice(), [entry] if entry.edited && entry.deleted), "{}: {seen:?}", found.handle);
        }
    })
    .await;
}

/// A server each for who follows the three authors and the Group.
async fn followers(world: &mut World) -> Vec<(Peer, Found)> {
    let mut followers = Vec::new();
    for (number, name) in
        AUTHORS.map(|slug| format!("{slug}@example.org")).iter().map(String::as_str).chain([GROUP]).enumerate()
    {
        let peer = world.peer(&format!("peer{number}.test"), &["ann"]);
        let found = world.follow(&peer, "ann", name).await;
        followers.push((peer, found));
    }
    followers
}

fn is_owned_by_the_first(article: &Value, followers: &[(Peer, Found)]) {
    let [(_, owner), (_, second), (_, third), (_, group)] = followers else { panic!("four follow") };
    assert_eq!(article["attributedTo"], owner.actor_id, "R1");
    assert_eq!(article["audience"], group.actor_id, "F4");
    let summary = article["summary"].as_str().unwrap_or_default();
    // The page is in Dutch, though its site is in English (interop B15).
    let byline = format!("<p>Door {}, {} en {}</p>", owner.name, second.name, third.name);
    assert!(summary.ends_with(&byline), "{summary} does not end with {byline}");
    let tags = article["tag"].as_array().expect("tags");
    let mentioned: Vec<_> = tags.iter().filter(|tag| tag["type"] == "Mention").map(|tag| &tag["href"]).collect();
    assert_eq!(mentioned, [&second.actor_id, &third.actor_id]);
}

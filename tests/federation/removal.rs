//! What vanishes is not always gone: mistakes are held, unreadable files stand, moved ones keep their id.

use std::time::Duration;

use harness::Peer;

use crate::world::{GROUP, World, kinds, on_each_engine, taken};

const DAY: Duration = Duration::from_hours(24);

/// A site of `posts` posts beside the two it has, all young, and a follower who was sent them.
async fn site_of(world: &mut World, posts: usize) -> Peer {
    world.publish().await;
    let peer = world.peer("peer.test", &["ann"]);
    world.follow(&peer, "ann", GROUP).await;
    for number in 0..posts {
        world.write_post(&format!("p{number}"), &format!("Post {number}"), &format!("Number {number}."), &["maren"]);
    }
    world.publish().await;
    assert_eq!(taken(&peer, "Announce").len(), posts);
    peer
}

/// Two scans a day apart, and a third: what is not held is removed by then.
async fn three_scans(world: &World) -> (usize, usize) {
    let first = world.publish().await;
    world.advance(DAY);
    let second = world.publish().await;
    world.advance(DAY);
    let third = world.publish().await;
    (first.removed + second.removed + third.removed, third.held)
}

async fn vanish_and_confirm(world: &World, peer: &Peer, gone: usize, held: bool) {
    for number in 0..gone {
        world.site.remove(&format!("p{number}"));
    }
    let expected = if held { (0, gone) } else { (gone, 0) };
    assert_eq!(three_scans(world).await, expected, "{gone} vanish");
    assert_eq!(taken(peer, "Delete").len(), if held { 0 } else { gone });
    if held {
        assert_eq!(world.sync_confirmed().await.removed, gone);
        world.drain().await;
        assert_eq!(taken(peer, "Delete").len(), gone);
    }
}

#[tokio::test]
async fn more_than_ten_at_once_are_held_until_confirmed() {
    on_each_engine(async |world| {
        let peer = site_of(world, 58).await;
        vanish_and_confirm(world, &peer, 11, true).await;
    })
    .await;
}

#[tokio::test]
async fn three_that_are_more_than_a_fifth_are_held_until_confirmed() {
    on_each_engine(async |world| {
        let peer = site_of(world, 12).await;
        vanish_and_confirm(world, &peer, 3, true).await;
    })
    .await;
}

#[tokio::test]
async fn fewer_are_removed_after_their_grace() {
    on_each_engine(async |world| {
        // Three are a fifth and not more; two of a small site are never many.
        let peer = site_of(world, 13).await;
        vanish_and_confirm(world, &peer, 3, false).await;
    })
    .await;
}

#[tokio::test]
async fn all_at_once_are_held_until_confirmed_or_back() {
    on_each_engine(async |world| {
        world.publish().await;
        for slug in ["old-maren", "old-joris"] {
            world.site.remove(slug);
        }
        assert_eq!(three_scans(world).await, (0, 2));
        for (slug, name) in [("maren", "Maren Oldham"), ("joris", "Joris Dekker")] {
            let title = format!("An old post of {name}");
            world.site.post(&format!("old-{slug}"), &title, &title, &[slug], &world.days_ago(102));
        }
        let back = world.publish().await;
        assert_eq!((back.created, back.updated, back.held, back.unchanged), (0, 0, 0, 2), "they were never away");
    })
    .await;
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_never_removed() {
    on_each_engine(async |world| {
        let peer = site_of(world, 3).await;
        world.site.replace("p1", "title: Post 1", "title: [Post 1");
        assert_eq!(three_scans(world).await, (0, 0));
        assert_eq!(world.sync_confirmed().await.removed, 0);
        assert_eq!(taken(&peer, "Delete").len(), 0);
        assert!(world.sync().await.warnings.iter().any(|warning| warning.file.contains("p1")));
        world.site.replace("p1", "title: [Post 1", "title: Post 1");
        assert_eq!(world.publish().await.unchanged, 5);
        assert_eq!(kinds(&peer), ["Announce"; 3]);
    })
    .await;
}

#[tokio::test]
async fn a_moved_post_keeps_its_id() {
    on_each_engine(async |world| {
        let peer = site_of(world, 3).await;
        let article = |title: &str| {
            let seen = peer.timeline("ann");
            let entry = seen.into_iter().find(|entry| entry.title == title).expect("the post");
            (entry.id, entry.url)
        };
        let (id, url) = article("Post 1");
        assert_eq!(url, "https://example.org/post/p1/");
        world.advance(Duration::from_mins(1));
        world.site.rename("p1", "better-name");
        let report = world.publish().await;
        assert_eq!((report.moved, report.created, report.updated, report.removed), (1, 0, 0, 0));
        assert_eq!(taken(&peer, "Update").len(), 1);
        assert_eq!(article("Post 1"), (id, "https://example.org/post/better-name/".to_owned()));
        assert_eq!(three_scans(world).await, (0, 0), "the old name is not missed");
        assert_eq!(kinds(&peer), ["Announce", "Announce", "Announce", "Update"]);
    })
    .await;
}

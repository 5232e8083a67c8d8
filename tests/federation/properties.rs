//! Whatever a site holds, a second sync of it publishes nothing.

use proptest::prelude::*;
use tokio::runtime::Runtime;

use crate::world::{GROUP, World, on_each_engine};

/// What a generated post says.
#[derive(Clone, Debug)]
struct Generated {
    title: String,
    body: String,
    authors: Vec<&'static str>,
    tags: Vec<String>,
    /// Days from now; those ahead are scheduled.
    day: i64,
    draft: bool,
}

fn posts() -> impl Strategy<Value = Vec<Generated>> {
    let authors = proptest::sample::subsequence(vec!["maren", "joris", "nobody"], 0..=3);
    let tags = proptest::collection::vec("[\\PC]{1,12}", 0..3);
    let post =
        ("\\PC{0,40}", "[\\PC\n*_#<>\\[\\]()`{}%|-]{0,200}", authors, tags, -30_i64..5, proptest::bool::weighted(0.2));
    let post =
        post.prop_map(|(title, body, authors, tags, day, draft)| Generated { title, body, authors, tags, day, draft });
    proptest::collection::vec(post, 0..6)
}

fn write(world: &World, posts: &[Generated]) {
    for (number, post) in posts.iter().enumerate() {
        let date = (world.clock.now().date_time() + chrono::Duration::days(post.day)).to_rfc3339();
        // JSON is YAML too.
        let head = serde_json::json!({ "title": post.title, "date": date, "authors": post.authors, "tags": post.tags,
            "draft": post.draft });
        let fields = head.as_object().expect("a map").iter().map(|(key, value)| format!("{key}: {value}"));
        world.site.page(&format!("p{number}"), &fields.collect::<Vec<_>>().join("\n"), &post.body);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, max_shrink_iters: 20, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_second_sync_publishes_nothing(posts in posts()) {
        Runtime::new().expect("a runtime").block_on(on_each_engine(async |world| {
            world.publish().await;
            let peer = world.peer("peer.test", &["ann"]);
            world.follow(&peer, "ann", GROUP).await;
            write(world, &posts);
            let first = world.publish().await;
            let (said, heard) = (world.activities().await, peer.received().len());
            let second = world.publish().await;
            assert_eq!((second.created, second.updated, second.moved, second.removed, second.held), (0, 0, 0, 0, 0));
            assert_eq!(second.unchanged, first.unchanged + first.created);
            assert_eq!((world.activities().await, peer.received().len()), (said, heard));
        }));
    }
}

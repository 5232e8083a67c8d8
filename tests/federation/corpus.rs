//! The shared corpus, synced: exactly the pages that Hugo makes, all listed and none delivered.

use std::collections::BTreeSet;

use veerpont::activitypub::actor::ActorKind;
use veerpont::app::worker;
use veerpont::inbox;
use veerpont::model::author;
use veerpont::model::post::{self, PostState};
use veerpont::site::source::store;

use crate::shared::corpus;
use crate::world::{GROUP, World, on_each_engine};

/// Where the corpus says a thing twice (its README).
const DOUBLED_KEYS: [(&str, Option<u64>); 3] = [
    ("content/en/authors/spoelstra-flori/_index.md", Some(46)),
    ("content/en/post/2022-06-28-domain/index.md", Some(23)),
    ("content/en/post/2022-06-30-one-year/index.md", Some(23)),
];

#[tokio::test]
async fn the_corpus_is_imported_once_and_delivered_to_nobody() {
    let Some(folder) = corpus() else { return };
    let listed = std::fs::read_to_string(folder.join("EXPECTED-hugo-list.csv")).expect("the expected list");
    // No permalink holds a comma, and it is the last field.
    let permalinks = listed.lines().skip(1).filter_map(|line| line.rsplit(',').next());
    let expected: BTreeSet<String> =
        permalinks.map(|link| link.replace("https://site.example/", "https://example.org/")).collect();
    on_each_engine(async |world| {
        let path = world.source_path();
        world.configure(&path, &format!("path = \"{}\"", folder.display())).await;
        let peer = world.peer("peer.test", &["ann"]);
        let group = peer.lookup(GROUP).await.expect("an actor");
        peer.follow("ann", &group).await.expect("the Follow is taken");
        worker::drain(&inbox::worker::worker(), &world.app).await.expect("a verdict");
        assert_eq!(world.followers().await, 1, "there is a follower before the import");

        let report = world.publish().await;
        assert_eq!((report.created, report.complete), (30, true));
        // The corpus is text alone, and each picture that is not there is told.
        let others = report.warnings.iter().filter(|warning| !warning.message.starts_with("the picture `"));
        let lines: Vec<_> = others.map(|warning| (warning.file.as_str(), warning.line)).collect();
        assert_eq!(lines, DOUBLED_KEYS);
        assert_eq!(published(world).await, expected);
        let persons = persons(world).await;
        assert_eq!(persons.len(), 17);
        for handle in persons.iter().take(3) {
            world.follow(&peer, "ann", &format!("{handle}@example.org")).await;
        }

        let activities = world.activities().await;
        let again = world.publish().await;
        assert_eq!((again.created, again.updated, again.moved, again.removed, again.held), (0, 0, 0, 0, 0));
        assert_eq!(again.unchanged, 30);
        assert_eq!(world.activities().await, activities, "nothing is said of what did not change");
        assert!(peer.received().iter().all(|post| post.kind == "Accept"), "nothing old is delivered");
    })
    .await;
}

async fn published(world: &World) -> BTreeSet<String> {
    let mut conn = world.app.db.read().await.expect("a connection");
    let source = store::known(&mut conn).await.expect("sources")[0].id;
    let posts = post::store::posts(&mut conn, source).await.expect("posts");
    let published: Vec<_> = posts.into_iter().filter(|post| post.state == PostState::Published).collect();
    assert_eq!(published.len(), 30);
    published.into_iter().map(|post| post.entry.url).collect()
}

async fn persons(world: &World) -> Vec<String> {
    let mut conn = world.app.db.read().await.expect("a connection");
    let actors = author::store::actors(&mut conn).await.expect("actors");
    actors.into_iter().filter(|actor| actor.kind == ActorKind::Person).map(|actor| actor.handle.to_string()).collect()
}

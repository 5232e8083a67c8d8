//! What a delivery costs in statements: most are done together with those of other hosts.

use veerpont::app::worker;
use veerpont::federation::{delivery, outbox};

use crate::statements::Counting;
use crate::world::{MAREN, on_each_engine};

/// Hosts, each with one inbox, and posts for each.
const HOSTS: usize = 20;
const POSTS: usize = 10;

/// Most statements for each two deliveries, those of their hosts' claims and releases included.
const STATEMENTS: usize = 1;

#[tokio::test]
async fn deliveries_share_their_statements() {
    on_each_engine(async |world| {
        world.publish().await;
        for number in 0..HOSTS {
            let peer = world.peer(&format!("peer{number}.test"), &["ann"]);
            world.follow(&peer, "ann", MAREN).await;
        }
        for number in 0..POSTS {
            world.write_post(&format!("ferry-{number}"), "The ferry", "It sails at ten.", &["maren"]);
        }
        world.sync().await;
        worker::drain(&outbox::worker::worker(), &world.app).await.expect("all is queued");
        let counting = Counting::begin();
        worker::drain(&delivery::worker::worker(), &world.app).await.expect("all is sent");
        let statements = counting.take();
        let deliveries = HOSTS * POSTS;
        assert!(statements.len() <= STATEMENTS * deliveries / 2, "{}", statements.breakdown());
        let mut conn = world.app.db.read().await.expect("a connection");
        let done = delivery::store::ledger(&mut conn, None, 1000).await.expect("a list");
        assert!(
            done.items.iter().filter(|line| line.kind == "Create" && line.state == "delivered").count() >= deliveries
        );
    })
    .await;
}

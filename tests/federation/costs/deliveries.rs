//! What a delivery costs in statements, however many there are.

use veerpont::app::worker;
use veerpont::federation::{delivery, outbox};

use crate::statements::Counting;
use crate::world::{MAREN, on_each_engine};

/// Hosts, each with one inbox, and posts for each.
const HOSTS: usize = 20;
const POSTS: usize = 5;

/// Most statements of a delivery, those of its host's claim and release included.
const STATEMENTS: usize = 8;

#[tokio::test]
async fn a_delivery_costs_a_few_statements() {
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
        assert!(statements.len() >= deliveries, "{}", statements.breakdown());
        let each = statements.len().div_ceil(deliveries);
        assert!(each <= STATEMENTS, "{each} for each\n{}", statements.breakdown());
    })
    .await;
}

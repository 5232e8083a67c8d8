//! A bridge that has nothing to do.

use crate::statements::Counting;
use crate::world::{MAREN, on_each_engine};

/// Statements of a look at every queue, when nothing is due in any.
const LOOKS: usize = 12;

#[tokio::test]
async fn a_look_at_every_empty_queue_costs_a_few_statements_and_writes_nothing() {
    on_each_engine(async |world| {
        world.publish().await;
        let peer = world.peer("peer.test", &["ann"]);
        world.follow(&peer, "ann", MAREN).await;
        world.write_post("ferry", "The ferry", "It sails at ten.", &["maren"]);
        world.publish().await;
        let counting = Counting::begin();
        world.drain().await;
        let statements = counting.take();
        assert!(statements.len() <= LOOKS, "{}", statements.breakdown());
        assert_eq!(statements.writes(), 0, "{}", statements.breakdown());
    })
    .await;
}

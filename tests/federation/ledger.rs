//! What an operator sees of deliveries, and decides about them.

use harness::Fault;
use veerpont::base::ids::ArticleId;
use veerpont::federation::delivery::store::{self, Spread};

use crate::costs::crowded;
use crate::world::{MAREN, World, on_each_engine, taken};

async fn spread(world: &World, ended: bool) -> Spread {
    let article = ArticleId(crowded::article(world, "post/ferry").await.0);
    let mut conn = world.app.db.read().await.expect("a connection");
    store::spread(&mut conn, article, ended, 1000).await.expect("counts")
}

#[tokio::test]
async fn a_post_says_how_many_servers_have_it_wait_and_gave_up() {
    on_each_engine(async |world| {
        world.publish().await;
        let peers: Vec<_> = ["good.test", "slow.test", "no.test"].map(|host| world.peer(host, &["ann"])).into();
        for peer in &peers {
            world.follow(peer, "ann", MAREN).await;
        }
        peers[1].set_fault(Fault::Status(503));
        peers[2].set_fault(Fault::Status(400));
        world.write_post("ferry", "The ferry", "It sails at ten.", &["maren"]);
        world.publish().await;
        assert_eq!(spread(world, false).await, Spread { taken: 1, waiting: 1, given_up: 1 });

        let mut conn = world.app.db.read().await.expect("a connection");
        let failing = store::hosts(&mut conn, true, None, 10).await.expect("hosts").items;
        assert_eq!(
            failing.iter().map(|host| (host.name.as_str(), host.state)).collect::<Vec<_>>(),
            [("slow.test", "failing")]
        );
        let all = store::hosts(&mut conn, false, None, 2).await.expect("hosts");
        assert!(all.items.len() == 2 && all.next.is_some());
        let article = ArticleId(crowded::article(world, "post/ferry").await.0);
        let about = store::ledger_about(&mut conn, article, None, 100).await.expect("lines").items;
        let [refused, waits] =
            ["refused", "waiting"].map(|state| about.iter().find(|line| line.state == state).expect("a line"));
        let host = store::host(&mut conn, "slow.test").await.expect("a row").expect("the host");
        let queue = store::waiting_for(&mut conn, host.id, None, 100).await.expect("lines").items;
        assert_eq!(
            queue.iter().map(|line| (&line.inbox, &line.kind)).collect::<Vec<_>>(),
            [(&waits.inbox, &waits.kind)]
        );
        drop(conn);

        // Once more to who refused it, now that it would take it.
        for peer in &peers {
            peer.set_fault(Fault::None);
        }
        let now = world.clock.now();
        let of = (refused.row, refused.activity, refused.host, host.id);
        let write = world.app.db.write(move |conn| {
            Box::pin(async move {
                let (inbox, activity, given_up, slow) = of;
                assert!(store::reopen(conn, inbox, activity, now + std::time::Duration::from_hours(72)).await?);
                store::retry_host(conn, given_up, now).await?;
                store::retry_host(conn, slow, now).await
            })
        });
        write.await.expect("a decision");
        world.drain().await;
        assert_eq!(spread(world, false).await, Spread { taken: 3, waiting: 0, given_up: 0 });
        assert!(peers.iter().all(|peer| taken(peer, "Create").len() == 1));
        let again = world.app.db.write(move |conn| Box::pin(async move { store::reopen(conn, of.0, of.1, now).await }));
        assert!(!again.await.expect("a decision"), "what was taken is not sent again");

        // Its end: one confirms, of one it waits, for one it is dropped.
        peers[1].set_fault(Fault::Status(503));
        peers[2].set_fault(Fault::Status(503));
        world.sync_removal("ferry").await;
        assert_eq!(spread(world, true).await, Spread { taken: 1, waiting: 2, given_up: 0 });
        let dropped =
            world.app.db.write(move |conn| Box::pin(async move { store::drop_all(conn, host.id, now).await }));
        assert_eq!(dropped.await.expect("dropped"), 1);
        assert_eq!(spread(world, true).await, Spread { taken: 1, waiting: 1, given_up: 1 });
    })
    .await;
}

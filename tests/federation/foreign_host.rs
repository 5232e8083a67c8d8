//! A proxy that does not pass Host on: what came is kept for the operator, a few of them, whatever is sent.

use std::time::Duration;

use harness::SignOptions;
use veerpont::inbox::{receive, store};

use crate::world::{MAREN, on_each_engine};

#[tokio::test]
async fn the_host_that_came_is_kept_and_only_a_few_of_them() {
    on_each_engine(async |world| {
        world.publish().await;
        let peer = world.peer("peer.test", &["ann"]);
        let maren = peer.lookup(MAREN).await.expect("an actor");
        let like = serde_json::json!({ "@context": "https://www.w3.org/ns/activitystreams", "type": "Like",
            "id": format!("{}/likes/1", peer.actor_id("ann")), "actor": peer.actor_id("ann"), "object": maren.actor_id });
        let send = async |host: &str| {
            let options = SignOptions { host: Some(host.to_owned()), ..SignOptions::default() };
            let answer = peer.post_signed("ann", &maren.inbox, &like, &options).await.expect("an answer");
            assert_eq!(answer.status, 401, "{host}: {}", answer.body);
        };
        let kept = async || {
            receive::write_waiting_counts(&world.app).await;
            let mut conn = world.app.db.read().await.expect("a connection");
            let since = world.clock.now() - Duration::from_hours(1);
            store::foreign_hosts(&mut conn, since).await.expect("hosts")
        };
        for _ in 0..3 {
            send("127.0.0.1:8080").await;
        }
        let hosts = kept().await;
        let [(host, times, _)] = hosts.as_slice() else { panic!("one host: {hosts:?}") };
        assert_eq!((host.as_str(), *times), ("127.0.0.1:8080", 3));
        for number in 0..40 {
            world.advance(Duration::from_secs(2));
            send(&format!("h{number}.example")).await;
        }
        let hosts = kept().await;
        assert_eq!(hosts.len(), 20, "the latest alone");
        assert!(hosts.iter().any(|(host, ..)| host == "h39.example") && hosts.iter().all(|(host, ..)| host != "h1.example"));
    })
    .await;
}

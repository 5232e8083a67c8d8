//! What each class of a peer's answer does to what waits for it (T21).

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::middleware::Next;
use axum::routing::post;
use harness::{Fault, FollowState};
use http::{Request, StatusCode};

use crate::world::{GROUP, MAREN, World, kinds, on_each_engine, taken};

fn write(world: &World, slug: &str) {
    world.write_post(slug, &format!("About {slug}"), "It sails at ten.", &["maren"]);
}

#[tokio::test]
async fn retry_after_is_waited_for_exactly() {
    on_each_engine(async |world| {
        world.publish().await;
        let peer = world.peer("peer.test", &["ann"]);
        world.follow(&peer, "ann", MAREN).await;
        peer.set_fault(Fault::RetryAfter { status: 503, seconds: 600 });
        write(world, "one");
        write(world, "two");
        world.publish().await;
        assert_eq!(world.requests("POST https://peer.test/inbox"), 1, "the host waits, whatever else is queued");
        peer.set_fault(Fault::None);
        world.advance(Duration::from_secs(599));
        world.drain().await;
        assert_eq!(world.requests("POST https://peer.test/inbox"), 1);
        world.advance(Duration::from_secs(1));
        world.drain().await;
        assert_eq!(kinds(&peer), ["Create", "Create"]);
    })
    .await;
}

#[tokio::test]
async fn a_401_or_a_500_is_tried_again() {
    on_each_engine(async |world| {
        world.publish().await;
        let peer = world.peer("peer.test", &["ann"]);
        world.follow(&peer, "ann", MAREN).await;
        for (number, status) in [401, 408, 500, 429, 502, 504].into_iter().enumerate() {
            peer.set_fault(Fault::Status(status));
            write(world, &format!("post-{status}"));
            world.publish().await;
            assert_eq!(taken(&peer, "Create").len(), number, "{status}");
            peer.set_fault(Fault::None);
            world.advance(Duration::from_mins(2));
            world.drain().await;
            assert_eq!(taken(&peer, "Create").len(), number + 1, "{status}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_permanent_answer_settles_that_delivery_alone() {
    on_each_engine(async |world| {
        world.publish().await;
        let peer = world.peer("peer.test", &["ann"]);
        world.follow(&peer, "ann", MAREN).await;
        let faults = [400, 403, 422, 501].map(Fault::Status);
        let faults = faults.into_iter().chain([Fault::Redirect("https://localhost/".to_owned())]);
        for (number, fault) in faults.enumerate() {
            let before = world.requests("");
            peer.set_fault(fault.clone());
            write(world, &format!("lost-{number}"));
            world.publish().await;
            peer.set_fault(Fault::None);
            world.advance(Duration::from_hours(12));
            world.drain().await;
            // A 400 may be about the signature: one knock in the other scheme (C14).
            let knocks = if number == 0 { 2 } else { 1 };
            assert_eq!(world.requests("") - before, knocks, "{fault:?} is final, and a redirect is not followed");
        }
        assert!(kinds(&peer).is_empty());
        write(world, "after");
        world.publish().await;
        assert_eq!(kinds(&peer), ["Create"], "the follower still follows");
    })
    .await;
}

#[tokio::test]
async fn a_personal_inbox_that_is_gone_ends_its_follow() {
    on_each_engine(async |world| {
        world.publish().await;
        let peer = world.peer_with("peer.test", &["ann"], |settings| settings.shared_inbox = false);
        world.follow(&peer, "ann", MAREN).await;
        peer.set_fault(Fault::Status(410));
        write(world, "one");
        world.publish().await;
        assert_eq!(world.followers().await, 0);
        peer.set_fault(Fault::None);
        write(world, "two");
        world.publish().await;
        assert_eq!(world.requests("POST https://peer.test/"), 2, "an Accept and one Create");

        world.follow(&peer, "ann", MAREN).await;
        write(world, "three");
        world.publish().await;
        assert_eq!(kinds(&peer), ["Create"], "who follows anew is heard of anew");
    })
    .await;
}

#[tokio::test]
async fn a_shared_inbox_that_is_gone_is_only_an_address_less() {
    on_each_engine(async |world| {
        world.publish().await;
        let peer = world.peer("peer.test", &["ann"]);
        world.follow(&peer, "ann", MAREN).await;
        write(world, "before");
        world.publish().await;
        let gone = Router::new().route("/inbox", post(async || StatusCode::GONE)).fallback_service(peer.router());
        world.net.host("peer.test", gone);
        write(world, "one");
        world.publish().await;
        assert_eq!(world.followers().await, 1);
        world.site.replace("before", "title: About before", "title: Afterwards");
        write(world, "two");
        world.publish().await;
        let inboxes = |kind| taken(&peer, kind).into_iter().map(|post| post.inbox).collect::<Vec<_>>();
        assert_eq!(inboxes("Create"), ["/inbox", "/users/ann/inbox", "/users/ann/inbox"], "none is lost");
        assert_eq!(inboxes("Update"), ["/users/ann/inbox"], "who was sent an article there hears of its edit");
    })
    .await;
}

#[tokio::test]
async fn of_a_host_one_inbox_gets_a_thing_first_and_the_others_once_it_has_u11() {
    on_each_engine(async |world| {
        world.publish().await;
        let users = ["ann", "bo", "cy", "di"];
        let peer = world.peer_with("wordpress.test", &users, |settings| settings.shared_inbox = false);
        for user in users {
            world.follow(&peer, user, MAREN).await;
        }
        let log = Arc::new(Mutex::new(Vec::new()));
        let writing = log.clone();
        let slow = peer.router().layer(axum::middleware::from_fn(move |request: Request<Body>, next: Next| {
            let log = writing.clone();
            async move {
                let is_post = request.method() == http::Method::POST;
                let note = |what: char| log.lock().expect("no panic").push(what);
                if is_post {
                    note('+');
                    tokio::time::sleep(Duration::from_millis(300)).await;
                }
                let answer = next.run(request).await;
                if is_post {
                    note('-');
                }
                answer
            }
        }));
        world.net.host("wordpress.test", slow);
        write(world, "one");
        world.publish().await;
        let log: String = log.lock().expect("no panic").iter().collect();
        assert!(log.starts_with("+-"), "the first goes alone: {log}");
        assert_eq!(log, "+-+++---", "and the others do not wait for each other");
        assert_eq!(taken(&peer, "Create").len(), users.len());
    })
    .await;
}

#[tokio::test]
async fn what_is_too_large_goes_by_reference() {
    on_each_engine(async |world| {
        world.publish().await;
        let peer = world.peer_with("misskey.test", &["ann"], |settings| settings.body_limit = 65_536);
        world.follow(&peer, "ann", MAREN).await;
        world.write_post("long", "A long one", &"It sails at ten. ".repeat(5000), &["maren"]);
        world.publish().await;
        let statuses: Vec<_> =
            peer.received().iter().filter(|post| post.kind == "Create").map(|post| post.status).collect();
        assert_eq!(statuses, [Some(413), Some(202)], "R3, T16");
        assert!(taken(&peer, "Create")[0].activity["object"].is_string());
        let seen = peer.timeline("ann");
        assert!(seen[0].content.len() > 65_536, "the peer has fetched it");
        world.site.replace("long", "title: A long one", "title: Still a long one");
        world.publish().await;
        assert_eq!(peer.timeline("ann")[0].title, "Still a long one");
    })
    .await;
}

#[tokio::test]
async fn an_unsettled_accept_holds_the_shared_inbox_for_ten_minutes() {
    on_each_engine(async |world| {
        world.publish().await;
        let peer = world.peer("peer.test", &["ann"]);
        let group = peer.lookup(GROUP).await.expect("an actor");
        let broken = Router::new()
            .route("/users/{user}/inbox", post(async || StatusCode::INTERNAL_SERVER_ERROR))
            .fallback_service(peer.router());
        world.net.host("peer.test", broken);
        peer.follow("ann", &group).await.expect("the Follow is taken");
        world.drain().await;
        write(world, "one");
        world.publish().await;
        world.advance(Duration::from_secs(599));
        world.drain().await;
        assert!(peer.received().is_empty(), "nothing overtakes the Accept");
        world.advance(Duration::from_secs(1));
        world.drain().await;
        assert_eq!(kinds(&peer), ["Announce"]);
        assert_eq!(peer.follow_state("ann", &group.actor_id), Some(FollowState::Pending));

        world.net.host("peer.test", peer.router());
        world.advance(Duration::from_hours(1));
        world.drain().await;
        assert_eq!(peer.follow_state("ann", &group.actor_id), Some(FollowState::Accepted));
    })
    .await;
}

#[tokio::test]
async fn an_accept_that_gets_through_frees_the_shared_inbox_at_once() {
    on_each_engine(async |world| {
        world.publish().await;
        let peer = world.peer("peer.test", &["ann"]);
        let maren = peer.lookup(MAREN).await.expect("an actor");
        peer.set_fault(Fault::Status(500));
        peer.follow("ann", &maren).await.expect("the Follow is taken");
        world.drain().await;
        peer.set_fault(Fault::None);
        write(world, "one");
        world.publish().await;
        assert!(kinds(&peer).is_empty(), "nothing overtakes the Accept");
        world.advance(Duration::from_mins(2));
        world.drain().await;
        assert_eq!(kinds(&peer), ["Create"]);
        assert_eq!(peer.follow_state("ann", &maren.actor_id), Some(FollowState::Accepted));
    })
    .await;
}

#[tokio::test]
async fn a_413_to_what_cannot_be_shorter_is_final() {
    on_each_engine(async |world| {
        world.publish().await;
        let peer = world.peer("peer.test", &["ann"]);
        world.follow(&peer, "ann", GROUP).await;
        peer.set_fault(Fault::Status(413));
        write(world, "one");
        world.publish().await;
        let announces = peer.received().iter().filter(|post| post.kind == "Announce").count();
        assert_eq!(announces, 1, "an Announce holds no object to leave out, so there is no second try");
    })
    .await;
}

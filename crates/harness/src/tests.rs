//! Two simulated servers meet in memory: what one sends, the other takes, and the other way round.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use clock::{Clock, Timestamp};
use serde_json::json;

use super::*;

struct Town {
    net: MemoryNet,
    ann: Peer,
    bob: Peer,
}

fn town(bob_shape: PeerShape) -> Town {
    let net = MemoryNet::new();
    let clock = Clock::manual(Timestamp::from_millis(1_790_000_000_000));
    let key = PeerKey::generate().expect("a key");
    let settle = |origin: &str, user: &str, shape: PeerShape| {
        let wire: Arc<dyn Wire> = Arc::new(net.clone());
        let settings = PeerSettings::new(origin, &[user], clock.clone(), wire);
        let peer = Peer::new(PeerSettings { key: Some(key.clone()), shape, ..settings }).expect("a peer");
        net.host(peer.host(), peer.router());
        peer
    };
    let ann = settle("http://a.test", "ann", PeerShape::Mastodon);
    let bob = settle("http://b.test", "bob", bob_shape);
    Town { net, ann, bob }
}

fn bob(town: &Town) -> Found {
    let id = town.bob.actor_id("bob");
    Found {
        inbox: format!("{id}/inbox"),
        shared_inbox: None,
        name: "bob".into(),
        kind: "Person".into(),
        handle: "bob@b.test".into(),
        actor_id: id,
        document: serde_json::Value::Null,
    }
}

async fn until(what: impl Fn() -> bool) {
    while !what() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_lookup_goes_the_round() {
    let town = town(PeerShape::Mastodon);
    let found = town.ann.lookup("@bob@b.test").await;
    assert_eq!(found.expect("bob").actor_id, town.bob.actor_id("bob"));
    assert!(town.ann.lookup("@eve@b.test").await.expect_err("nobody").starts_with("A1"));
    assert!(town.ann.lookup("@bob@c.test").await.is_err());
}

#[tokio::test]
async fn a_follow_is_accepted_in_either_shape() {
    for shape in [PeerShape::Mastodon, PeerShape::GoToSocial] {
        let town = town(shape);
        let found = bob(&town);
        town.ann.follow("ann", &found).await.expect("a follow");
        until(|| town.ann.follow_state("ann", &found.actor_id) == Some(FollowState::Accepted)).await;
        town.ann.unfollow("ann", &found).await.expect("an undo");
        assert_eq!(town.ann.follow_state("ann", &found.actor_id), Some(FollowState::Undone));
        let kinds: Vec<String> = town.bob.received().into_iter().map(|post| post.kind).collect();
        assert_eq!(kinds, ["Follow", "Undo"]);
        assert_eq!((town.ann.problems(), town.bob.problems()), (vec![], vec![]));
    }
}

#[tokio::test]
async fn a_forged_request_is_refused_and_recorded() {
    let town = town(PeerShape::Mastodon);
    let inbox = format!("{}/inbox", town.bob.actor_id("bob"));
    let like = json!({"@context": ACTIVITYSTREAMS, "id": "http://a.test/1", "type": "Like",
                      "actor": town.ann.actor_id("ann"), "object": "http://b.test/1"});
    let tampered = town.ann.post_raw("ann", &inbox, &like, |request| {
        *request.body_mut() = Bytes::from(request.body().to_vec().into_iter().rev().collect::<Vec<u8>>());
    });
    assert_eq!(tampered.await.expect("an answer").status, 401);
    let foreign = SignOptions { key: Some(PeerKey::generate().expect("a key")), ..SignOptions::default() };
    assert_eq!(town.ann.post_signed("ann", &inbox, &like, &foreign).await.expect("an answer").status, 401);
    let other = SignOptions { key_id: Some(town.bob.key_id("bob")), ..SignOptions::default() };
    // The key is shared, so the signature fits; but bob's key says nothing for ann.
    assert_eq!(town.ann.post_signed("ann", &inbox, &like, &other).await.expect("an answer").status, 401);
    assert_eq!(town.ann.post_signed("ann", &inbox, &like, &SignOptions::default()).await.expect("ok").status, 202);
    let rules: Vec<String> =
        town.bob.problems().iter().filter_map(|why| Some(why.split(": ").nth(1)?.to_owned())).collect();
    assert_eq!(rules, ["C5", "C1", "C9"]);
    assert_eq!(town.bob.received().iter().filter(|post| post.taken).count(), 1);
}

#[tokio::test]
async fn faults_are_what_they_say() {
    let town = town(PeerShape::Mastodon);
    let inbox = format!("{}/inbox", town.bob.actor_id("bob"));
    let like = |number: u8| {
        json!({"@context": ACTIVITYSTREAMS, "id": format!("http://a.test/{number}"), "type": "Like",
               "actor": town.ann.actor_id("ann"), "object": "http://b.test/1"})
    };
    let post = async |number| town.ann.post_signed("ann", &inbox, &like(number), &SignOptions::default()).await;
    town.bob.set_fault(Fault::Down);
    assert!(post(1).await.is_err());
    town.bob.set_fault(Fault::DropAfterAccepting);
    assert!(post(2).await.is_err());
    town.bob.set_fault(Fault::Every(2, Box::new(Fault::Status(503))));
    assert_eq!((post(3).await.expect("ok").status, post(4).await.expect("ok").status), (202, 503));
    town.bob.set_fault(Fault::None);
    let posts = town.bob.received();
    assert_eq!(posts.iter().map(|post| post.status).collect::<Vec<_>>(), [None, Some(202), Some(503)]);
    assert_eq!(posts.iter().map(|post| post.taken).collect::<Vec<_>>(), [true, true, false]);
    town.net.set_down("b.test", true);
    assert!(town.ann.fetch(&town.bob.actor_id("bob")).await.is_err());
}

#[tokio::test]
async fn sockets_carry_the_same_and_can_hang_up() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let names = ["a.test", "b.test"].map(|name| (name.to_owned(), address)).into();
    let wire: Arc<dyn Wire> = Arc::new(SocketWire::new(names));
    let key = Some(PeerKey::generate().expect("a key"));
    let settle = |origin: &str, user: &str| {
        let settings = PeerSettings::new(origin, &[user], Clock::system(), wire.clone());
        Peer::new(PeerSettings { key: key.clone(), ..settings }).expect("a peer")
    };
    let (ann, bob) = (settle("http://a.test", "ann"), settle("http://b.test", "bob"));
    let serving = tokio::spawn(serve(listener, by_host(vec![ann.clone(), bob.clone()])));
    let found = ann.lookup("bob@b.test").await.expect("bob");
    bob.set_fault(Fault::Down);
    assert!(ann.follow("ann", &found).await.is_err());
    assert!(bob.received().is_empty());
    bob.set_fault(Fault::None);
    ann.follow("ann", &found).await.expect("a follow");
    while ann.follow_state("ann", &found.actor_id) != Some(FollowState::Accepted) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!((ann.problems(), bob.problems()), (vec![], vec![]));
    serving.abort();
}

#[tokio::test]
async fn a_deleted_account_is_gone_at_once() {
    let town = town(PeerShape::Mastodon);
    let found = bob(&town);
    town.ann.follow("ann", &found).await.expect("a follow");
    until(|| town.ann.follow_state("ann", &found.actor_id) == Some(FollowState::Accepted)).await;
    assert_eq!(town.ann.delete_account("ann").await.expect("a goodbye").len(), 1);
    assert_eq!(town.bob.fetch(&town.ann.actor_id("ann")).await.expect("an answer").0, 410);
}

#[tokio::test]
async fn a_body_over_the_limit_is_recorded_and_answered_413() {
    let town = town(PeerShape::Mastodon);
    let inbox = format!("{}/inbox", town.bob.actor_id("bob"));
    let long = json!({"id": "http://a.test/1", "type": "Like", "content": "x".repeat(1_000_000)});
    let answer = town.ann.post_signed("ann", &inbox, &long, &SignOptions::default()).await.expect("an answer");
    let received = town.bob.received();
    assert_eq!(answer.status, 413);
    assert!(matches!(received.as_slice(), [post] if post.status == Some(413) && !post.taken));
}

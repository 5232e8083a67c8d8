//! How we sign to whom: draft-cavage first, one knock in another scheme, and what a host took is remembered (C11, C14, C17, C19).

use std::time::Duration;

use harness::Found;
use serde_json::json;

use crate::honest::maren;
use crate::stranger::{CONTEXT, Cavage, Key, Message, Stranger};
use crate::world::{World, on_each_engine, shared_key};

/// A server whose user follows one of ours.
async fn follower(world: &mut World) -> (Stranger, Found) {
    let maren = maren(world).await;
    let stranger = Stranger::new(world, "peer.test");
    let key = Key::Rsa(shared_key());
    let (actor, key_id) = stranger.serve_actor("/users/ann", &key);
    let follow = json!({ "@context": CONTEXT, "id": stranger.id("/follows/1"), "type": "Follow",
        "actor": actor, "object": maren.actor_id });
    let how = Cavage { key: &key, key_id: &key_id, ..Cavage::default() };
    let told = stranger.send(stranger.cavage(&how, &maren.inbox, &follow)).await;
    assert_eq!(told.status, 202, "{}", told.body);
    world.drain().await;
    assert_eq!(stranger.take_schemes(), ["cavage"], "an Accept");
    (stranger, maren)
}

/// Publishes a post and tells how its Create was signed, knock by knock.
async fn schemes(world: &World, stranger: &Stranger, slug: &str) -> Vec<&'static str> {
    world.write_post(slug, slug, "It sails at ten.", &["maren"]);
    world.publish().await;
    stranger.take_schemes()
}

#[tokio::test]
async fn a_host_that_reads_only_rfc_9421_is_knocked_at_once_and_remembered_c19() {
    on_each_engine(async |world| {
        let (stranger, _) = follower(world).await;
        for refusal in [400, 401] {
            stranger.answering(move |seen| if seen.scheme() == "cavage" { refusal } else { 202 });
            world.advance(Duration::from_hours(8 * 24));
            assert_eq!(schemes(world, &stranger, &format!("one-{refusal}")).await, ["cavage", "rfc9421"]);
            assert_eq!(schemes(world, &stranger, &format!("two-{refusal}")).await, ["rfc9421"], "one knock");
        }
        // It reads only the older one again.
        stranger.answering(|seen| if seen.scheme() == "cavage" { 202 } else { 401 });
        assert_eq!(schemes(world, &stranger, "three").await, ["rfc9421", "cavage"]);
        assert_eq!(schemes(world, &stranger, "four").await, ["cavage"]);
        // What is remembered outlives the process.
        stranger.answering(|seen| if seen.scheme() == "cavage" { 401 } else { 202 });
        assert_eq!(schemes(world, &stranger, "five").await, ["cavage", "rfc9421"]);
        world.restart().await;
        assert_eq!(schemes(world, &stranger, "six").await, ["rfc9421"]);
    })
    .await;
}

#[tokio::test]
async fn who_refuses_both_is_knocked_twice_an_attempt_and_waited_for_d2() {
    on_each_engine(async |world| {
        let (stranger, _) = follower(world).await;
        stranger.answering(|seen| if seen.scheme() == "cavage" { 401 } else { 400 });
        assert_eq!(schemes(world, &stranger, "one").await, ["cavage", "rfc9421"]);
        for _ in 0..2 {
            world.advance(Duration::from_hours(1));
            world.drain().await;
            assert_eq!(stranger.take_schemes(), ["cavage", "rfc9421"], "never a third, and the 401 is no end");
        }
        stranger.answering(|_| 202);
        world.advance(Duration::from_hours(6));
        world.drain().await;
        assert_eq!(stranger.take_schemes(), ["cavage"]);
        // A server that answers what it does not know with 404, 410 or 500 loses nothing by it.
        for other in [403, 404, 410, 500] {
            stranger.answering(move |seen| if seen.scheme() == "cavage" { 401 } else { other });
            assert_eq!(schemes(world, &stranger, &format!("post-{other}")).await, ["cavage", "rfc9421"]);
            stranger.answering(|_| 202);
            world.advance(Duration::from_hours(6));
            world.drain().await;
            assert_eq!(stranger.take_schemes(), ["cavage"], "after {other}");
        }
        assert_eq!(world.followers().await, 1);
    })
    .await;
}

#[tokio::test]
async fn ed25519_goes_to_those_who_use_it_or_are_named() {
    on_each_engine(async |world| {
        let (stranger, maren) = follower(world).await;
        assert_eq!(schemes(world, &stranger, "one").await, ["cavage"]);
        // It signs to us with Ed25519.
        let key = Key::ed25519();
        let id = stranger.id("/users/bo");
        let mut actor = stranger.actor("/users/bo");
        actor["assertionMethod"] = json!([{ "id": format!("{id}#key"), "type": "Multikey", "controller": id,
            "publicKeyMultibase": key.public() }]);
        stranger.serve("/users/bo", &actor);
        let key_id = format!("{id}#key");
        let how = Message {
            key: &key,
            key_id: &key_id,
            label: "sig1",
            signed: "@method @target-uri content-digest",
            parameters: ";alg=\"ed25519\"",
        };
        let told = stranger.send(stranger.message(&how, &maren.inbox, &stranger.like(&id, 9, &maren.actor_id))).await;
        assert_eq!(told.status, 202, "{}", told.body);
        assert_eq!(schemes(world, &stranger, "two").await, ["ed25519"]);
        // It does not read what it writes: it gets what it reads.
        stranger.answering(|seen| if seen.scheme() == "cavage" { 202 } else { 401 });
        assert_eq!(schemes(world, &stranger, "three").await, ["ed25519", "cavage"]);
        assert_eq!(schemes(world, &stranger, "four").await, ["cavage"]);
        world.drain().await;
    })
    .await;
    on_each_engine(async |world| {
        let (stranger, _) = follower(world).await;
        world.configure("[[community]]", "[federation]\ned25519_hosts = [\"peer.test\"]\n[[community]]").await;
        assert_eq!(schemes(world, &stranger, "one").await, ["ed25519"]);
    })
    .await;
}

#[tokio::test]
async fn a_get_is_signed_anew_for_each_address_and_without_its_query_where_that_is_refused_c11_c17() {
    on_each_engine(async |world| {
        let maren = maren(world).await;
        let (stranger, other) = (Stranger::new(world, "peer.test"), Stranger::new(world, "other.test"));
        let key = Key::Rsa(shared_key());
        let (actor, key_id) = stranger.serve_actor("/users/ann", &key);
        let like = |number: u32, key_id: &str| {
            let how = Cavage { key: &key, key_id, ..Cavage::default() };
            stranger.cavage(&how, &maren.inbox, &stranger.like(&actor, number, &maren.actor_id))
        };

        // A key at an address with a query, at a server that checks the path alone.
        let signed = |seen: &crate::stranger::Seen| {
            seen.headers.get("signature").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
        };
        let first = std::sync::Mutex::new(None::<String>);
        stranger.answering(move |seen| {
            let mut first = first.lock().expect("no panic");
            if seen.target.contains('?') && first.as_ref().is_none_or(|first| *first == signed(seen)) {
                *first = Some(signed(seen));
                return 401;
            }
            200
        });
        let mut stub = stranger.actor("/users/ann");
        stub["publicKey"] = json!({ "id": key_id, "owner": actor, "publicKeyPem": key.public() });
        stranger.serve("/key?of=ann", &stub);
        let told = stranger.send(like(1, &stranger.id("/key?of=ann"))).await;
        assert_eq!(told.status, 401, "its owner does not list that key: {}", told.body);
        let gets = stranger.take_seen();
        let targets: Vec<_> = gets.iter().map(|seen| (seen.target.as_str(), seen.scheme())).collect();
        assert_eq!(targets, [("/key?of=ann", "cavage"), ("/key?of=ann", "cavage"), ("/users/ann", "cavage")]);

        // A redirect to another host: a signature of its own, for that host.
        stranger.answering(|_| 200);
        stranger.redirect("/moved", "https://other.test/users/ann");
        world.advance(Duration::from_mins(6));
        let told = stranger.send(like(2, &format!("{}#main-key", stranger.id("/moved")))).await;
        assert_eq!(told.status, 401, "another host speaks for nobody here: {}", told.body);
        let (here, there) = (stranger.take_seen(), other.take_seen());
        assert_eq!((here.len(), there.len()), (1, 1));
        assert_eq!(there[0].headers["host"], "other.test");
        assert_ne!(signed(&here[0]), signed(&there[0]), "C17");
        assert!(signed(&there[0]).contains("https://social.example.org/ap/instance#main-key"), "by the instance");
    })
    .await;
}

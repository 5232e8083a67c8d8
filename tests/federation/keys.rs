//! Whose key it is, in every shape that servers give it, and how little strangers can make us fetch (interop C7, C8, G8).

use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::ConnectInfo;
use bytes::Bytes;
use futures::future::join_all;
use harness::{Found, PeerKey};
use http::Request;
use serde_json::{Value, json};

use crate::honest::maren;
use crate::stranger::{Cavage, Key, Message, Stranger, Told};
use crate::world::{on_each_engine, shared_key};

fn pem(id: &str, owner: &str, key: &Key) -> Value {
    json!({ "id": id, "owner": owner, "publicKeyPem": key.public() })
}

fn multikey(id: &str, owner: &str, key: &Key) -> Value {
    json!({ "id": id, "type": "Multikey", "controller": owner, "publicKeyMultibase": key.public() })
}

/// What is shown of a key, by its id, its owner's, and itself.
type Show = fn(&str, &str, &Key) -> Value;

/// A signed Like.
fn liked(stranger: &Stranger, maren: &Found, actor: &str, number: u32, key: &Key, key_id: &str) -> Request<Bytes> {
    let like = stranger.like(actor, number, &maren.actor_id);
    match key {
        Key::Rsa(_) => stranger.cavage(&Cavage { key, key_id, ..Cavage::default() }, &maren.inbox, &like),
        Key::Ed25519(_) => {
            let signed = "@method @target-uri content-digest";
            let how = Message { key, key_id, label: "sig1", signed, parameters: "" };
            stranger.message(&how, &maren.inbox, &like)
        }
    }
}

#[tokio::test]
async fn every_honest_shape_of_a_key_is_found_c7() {
    on_each_engine(async |world| {
        let maren = maren(world).await;
        let (rsa, other, ed25519) =
            (Key::Rsa(shared_key()), Key::Rsa(PeerKey::generate().expect("a key")), Key::ed25519());
        // The key's place below its actor, the key, what the actor shows, and what is served at the key's own address.
        let shapes: [(&str, &Key, Show, Option<Show>); 6] = [
            ("#main-key", &rsa, |id, owner, key| json!({ "publicKey": pem(id, owner, key) }), None),
            (
                "#second",
                &rsa,
                |id, owner, key| json!({ "publicKey": ["no", null, multikey("x", owner, key), pem(id, owner, key)] }),
                None,
            ),
            ("/keys/bare", &rsa, |id, owner, key| json!({ "publicKey": pem(id, owner, key) }), Some(pem)),
            ("/keys/named", &rsa, |id, _, _| json!({ "publicKey": id }), Some(pem)),
            ("#multikey", &ed25519, |id, owner, key| json!({ "assertionMethod": [multikey(id, owner, key)] }), None),
            ("/keys/multi", &ed25519, |id, _, _| json!({ "assertionMethod": id }), Some(multikey)),
        ];
        for (number, (place, key, shown, apart)) in (1..).zip(shapes) {
            let stranger = Stranger::new(world, &format!("peer-{number}.test"));
            let id = stranger.id("/users/ann");
            let key_id = format!("{id}{place}");
            let mut actor = stranger.actor("/users/ann");
            for (name, value) in shown(&key_id, &id, key).as_object().expect("an object") {
                actor[name] = value.clone();
            }
            stranger.serve("/users/ann", &actor);
            if let Some(apart) = apart {
                let mut document = apart(&key_id, &id, key);
                document["@context"] = json!(["https://www.w3.org/ns/cid/v1", "https://w3id.org/security/v1"]);
                stranger.serve(&format!("/users/ann{place}"), &document);
            }
            let told = stranger.send(liked(&stranger, &maren, &id, 1, key, &key_id)).await;
            assert_eq!(told.status, 202, "{place}: {}", told.body);
            // And from the cache.
            stranger.take_seen();
            let told = stranger.send(liked(&stranger, &maren, &id, 2, key, &key_id)).await;
            assert_eq!((told.status, stranger.take_seen().len()), (202, 0), "{place}");
            let forged = liked(&stranger, &maren, &id, 3, &other, &key_id);
            assert_eq!(stranger.send(forged).await.status, 401, "{place}");
        }
        world.drain().await;
    })
    .await;
}

#[tokio::test]
async fn a_key_that_its_owner_does_not_confirm_counts_for_nothing_c7() {
    on_each_engine(async |world| {
        let maren = maren(world).await;
        let (evil, peer) = (Stranger::new(world, "evil.test"), Stranger::new(world, "peer.test"));
        let (key, honest) = (Key::Rsa(PeerKey::generate().expect("a key")), Key::Rsa(shared_key()));
        let (ann, _) = peer.serve_actor("/users/ann", &honest);
        // A bare key that names somebody of another host, or of its own host, as its owner.
        evil.serve("/key", &pem(&evil.id("/key"), &ann, &key));
        peer.serve("/uploads/key", &pem(&peer.id("/uploads/key"), &ann, &key));
        // An actor that lists a key of somebody else's, or as somebody else's.
        let mut eve = evil.actor("/users/eve");
        eve["publicKey"] =
            json!([pem(&format!("{ann}#main-key"), &ann, &key), pem(&evil.id("/users/eve#k"), &ann, &key)]);
        evil.serve("/users/eve", &eve);
        // An actor of the other host, served from this one.
        let mut mask = peer.actor("/users/ann");
        mask["publicKey"] = pem(&evil.id("/users/mask#k"), &ann, &key);
        evil.serve("/users/mask", &mask);
        let keys = [evil.id("/key"), peer.id("/uploads/key"), evil.id("/users/eve#k"), evil.id("/users/mask#k")];
        for (number, key_id) in (1..).zip(keys) {
            let told = peer.send(liked(&peer, &maren, &ann, number, &key, &key_id)).await;
            assert_eq!(told.status, 401, "{key_id}: {}", told.body);
        }
        assert_eq!(world.verdicts().await, [], "nothing is kept");
    })
    .await;
}

#[tokio::test]
async fn an_old_key_is_asked_for_again_and_serves_while_that_fails_c8() {
    on_each_engine(async |world| {
        let maren = maren(world).await;
        let stranger = Stranger::new(world, "peer.test");
        let key = Key::Rsa(shared_key());
        let (actor, key_id) = stranger.serve_actor("/users/ann", &key);
        let send = async |number| stranger.send(liked(&stranger, &maren, &actor, number, &key, &key_id)).await.status;
        assert_eq!((send(1).await, stranger.take_seen().len()), (202, 1));
        world.advance(Duration::from_hours(6 * 24));
        assert_eq!((send(2).await, stranger.take_seen().len()), (202, 0));
        world.advance(Duration::from_hours(24));
        assert_eq!((send(3).await, stranger.take_seen().len()), (202, 1), "a week old");
        world.advance(Duration::from_hours(8 * 24));
        stranger.answering(|_| 503);
        assert_eq!(send(4).await, 202, "its server is busy");
        stranger.answering(|_| 410);
        world.advance(Duration::from_mins(10));
        assert_eq!(send(5).await, 401, "its server says it is gone");
        world.drain().await;
    })
    .await;
}

#[tokio::test]
async fn one_fetch_serves_all_who_wait_for_it_limits_2_1_row_8() {
    on_each_engine(async |world| {
        let maren = maren(world).await;
        let stranger = Stranger::new(world, "peer.test");
        let key = Key::Rsa(shared_key());
        let (actor, key_id) = stranger.serve_actor("/users/ann", &key);
        world.net.set_slow("peer.test", Duration::from_millis(100));
        let sent = (1..=8).map(|number| stranger.send(liked(&stranger, &maren, &actor, number, &key, &key_id)));
        let told: Vec<u16> = join_all(sent).await.iter().map(|told| told.status).collect();
        assert_eq!(told, [202; 8]);
        assert_eq!(world.requests("GET https://peer.test/"), 1);
        world.drain().await;
    })
    .await;
}

async fn from(address: &str, stranger: &Stranger, mut request: Request<Bytes>) -> Told {
    let address: SocketAddr = format!("{address}:40000").parse().expect("an address");
    request.extensions_mut().insert(ConnectInfo(address));
    stranger.send(request).await
}

#[tokio::test]
async fn forged_requests_make_us_fetch_no_more_than_a_little_g8() {
    on_each_engine(async |world| {
        let maren = maren(world).await;
        let (victim, evil) = (Stranger::new(world, "victim.test"), Stranger::new(world, "evil.test"));
        let key = Key::Rsa(shared_key());
        let forged = |number: u32| {
            let key_id = victim.id(&format!("/users/{number}#main-key"));
            liked(&evil, &maren, &evil.id("/users/eve"), number, &key, &key_id)
        };
        // From one address: thirty, then none; and no longer than five minutes.
        for number in 1..=40 {
            let told = from("9.9.9.9", &evil, forged(number)).await;
            assert_eq!(told.status, if number <= 30 { 401 } else { 503 }, "{number}: {}", told.body);
        }
        assert_eq!(victim.take_seen().len(), 30);
        let told = from("[2620:fe::9]", &evil, forged(41)).await;
        assert_eq!(told.status, 401, "another address has its own: {}", told.body);
        world.advance(Duration::from_mins(6));
        assert_eq!(from("9.9.9.9", &evil, forged(42)).await.status, 401);
        victim.take_seen();
        // From everywhere: one host is asked for so many keys in five minutes.
        for number in 100..300 {
            evil.send(forged(number)).await;
        }
        assert_eq!(victim.take_seen().len(), 149, "and the one above");
        // A key that is known needs no fetch, and other hosts have their own budget.
        let honest = Stranger::new(world, "peer.test");
        let (ann, key_id) = honest.serve_actor("/users/ann", &key);
        assert_eq!(honest.send(liked(&honest, &maren, &ann, 1, &key, &key_id)).await.status, 202);
        world.drain().await;
    })
    .await;
}

#[tokio::test]
async fn who_proves_what_it_makes_us_fetch_is_not_held_back_g8() {
    on_each_engine(async |world| {
        let maren = maren(world).await;
        let stranger = Stranger::new(world, "big.test");
        let key = Key::Rsa(shared_key());
        for number in 1..=40 {
            let (actor, key_id) = stranger.serve_actor(&format!("/users/{number}"), &key);
            let told = from("9.9.9.9", &stranger, liked(&stranger, &maren, &actor, number, &key, &key_id)).await;
            assert_eq!(told.status, 202, "{number}: {}", told.body);
        }
        world.drain().await;
    })
    .await;
}

//! Actors that others read: ids without a slash, behind a redirect, in capitals; and whose a key is (interop A22, C7).

use harness::{Found, PeerKey};
use http::Method;
use serde_json::{Value, json};

use crate::honest::maren;
use crate::shared::{Case, LocalAddresses};
use crate::stranger::{CONTEXT, Cavage, Key, Stranger, Told};
use crate::world::{World, on_each_engine, shared_key};

fn follow(stranger: &Stranger, actor: &str, maren: &Found) -> Value {
    json!({ "@context": CONTEXT, "id": stranger.id("/follows/1"), "type": "Follow", "actor": actor, "object": maren.actor_id })
}

async fn send(stranger: &Stranger, maren: &Found, key: &Key, key_id: &str, body: &Value) -> Told {
    stranger.send(stranger.cavage(&Cavage { key, key_id, ..Cavage::default() }, &maren.inbox, body)).await
}

/// A Follow is taken, has its effect, and is answered.
async fn is_let_in(world: &World, stranger: &Stranger, maren: &Found, key_id: &str, body: &Value) {
    let before = world.followers().await;
    stranger.take_seen();
    let told = send(stranger, maren, &Key::Rsa(shared_key()), key_id, body).await;
    assert_eq!(told.status, 202, "{key_id}: {}", told.body);
    world.drain().await;
    assert_eq!(world.followers().await, before + 1, "{key_id}");
    let posts: Vec<_> = stranger.take_seen().into_iter().filter(|seen| seen.method == Method::POST).collect();
    assert_eq!(posts.len(), 1, "{key_id}: one Accept");
    assert!(String::from_utf8_lossy(&posts[0].body).contains("\"Accept\""), "{key_id}");
}

fn ours(maren: &Found) -> LocalAddresses<'_> {
    static PEM: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    let pem = PEM.get_or_init(|| shared_key().public_pem().to_owned());
    LocalAddresses { actor: &maren.actor_id, pem, ..LocalAddresses::default() }
}

#[tokio::test]
async fn case_01_an_id_without_a_slash_after_its_host() {
    let Some(case) = Case::open(1) else { return };
    on_each_engine(async |world| {
        let maren = maren(world).await;
        let stranger = Stranger::new(world, "micro.test");
        stranger.serve("/", &case.document("actor.json", ours(&maren)));
        let follow = case.document("follow.json", ours(&maren));
        is_let_in(world, &stranger, &maren, "https://micro.test#main-key", &follow).await;
    })
    .await;
}

#[tokio::test]
async fn case_02_an_id_that_redirects_to_the_page_that_shows_it() {
    let Some(case) = Case::open(2) else { return };
    on_each_engine(async |world| {
        let maren = maren(world).await;
        let stranger = Stranger::new(world, "emis.test");
        stranger.redirect("/@67a0a0808121", "https://emis.test/@prinlu");
        stranger.serve("/@prinlu", &case.document("actor.json", ours(&maren)));
        let follow = case.document("follow.json", ours(&maren));
        is_let_in(world, &stranger, &maren, "https://emis.test/@67a0a0808121#main-key", &follow).await;
    })
    .await;
}

#[tokio::test]
async fn hosts_in_capitals_and_with_the_port_they_have_anyway() {
    on_each_engine(async |world| {
        let maren = maren(world).await;
        for (number, id) in
            (1..).zip(["https://PEER-1.test/users/ann", "https://peer-2.test:443/users/ann", "https://peer-3.TEST:443"])
        {
            let stranger = Stranger::new(world, &format!("peer-{number}.test"));
            let mut actor = stranger.actor("/users/ann");
            actor["id"] = json!(id);
            actor["publicKey"] =
                json!({ "id": format!("{id}#main-key"), "owner": id, "publicKeyPem": shared_key().public_pem() });
            stranger.serve(if id.contains("/users/") { "/users/ann" } else { "/" }, &actor);
            let mut follow = follow(&stranger, id, &maren);
            follow["id"] = json!(format!("{id}/follows/1"));
            is_let_in(world, &stranger, &maren, &format!("{id}#main-key"), &follow).await;
        }
    })
    .await;
}

#[tokio::test]
async fn an_id_asked_for_is_believed_only_where_its_own_server_led() {
    on_each_engine(async |world| {
        let maren = maren(world).await;
        let (peer, evil) = (Stranger::new(world, "peer.test"), Stranger::new(world, "evil.test"));
        let forger = Key::Rsa(PeerKey::generate().expect("a key"));
        // Ann's server redirects to anywhere, and holds what its users put there.
        let ann = peer.id("/users/ann");
        let mask = |key_id: &str| {
            let mut mask = peer.actor("/users/ann");
            mask["publicKey"] = json!({ "id": key_id, "owner": ann, "publicKeyPem": forger.public() });
            mask
        };
        let key_id = format!("{ann}#main-key");
        peer.serve("/uploads/mask", &mask(&key_id));
        evil.serve("/mask", &mask(&key_id));
        // Away, and away and back again; an upload that is asked for by its own address.
        peer.redirect("/users/ann", &evil.id("/mask"));
        let refused = async |key_id: &str, what: &str| {
            let told = send(&peer, &maren, &forger, key_id, &follow(&peer, &ann, &maren)).await;
            assert_eq!(told.status, 401, "{what}: {}", told.body);
            world.advance(std::time::Duration::from_mins(6));
        };
        refused(&key_id, "away").await;
        peer.redirect("/users/ann", &evil.id("/back"));
        evil.redirect("/back", &peer.id("/uploads/mask"));
        refused(&key_id, "away and back").await;
        let upload = peer.id("/uploads/mask#main-key");
        peer.serve("/uploads/mask", &mask(&upload));
        refused(&upload, "an upload").await;
        world.drain().await;
        assert_eq!((world.followers().await, world.verdicts().await), (0, Vec::new()));
    })
    .await;
}

#[tokio::test]
async fn case_23_an_inbox_on_another_host_is_named_as_the_reason() {
    let Some(case) = Case::open(23) else { return };
    on_each_engine(async |world| {
        let maren = maren(world).await;
        let (stranger, hub) = (Stranger::new(world, "new.test"), Stranger::new(world, "hub.test"));
        stranger.serve("/about.jsonld", &case.document("actor.json", ours(&maren)));
        let follow = case.document("follow.json", ours(&maren));
        for times in 1..=2 {
            let key_id = "https://new.test/about.jsonld#main-key";
            let told = send(&stranger, &maren, &Key::Rsa(shared_key()), key_id, &follow).await;
            assert_eq!(told.status, 401, "{}", told.body);
            assert!(told.body.contains("`inbox` is on hub.test"), "{times}: {}", told.body);
        }
        world.drain().await;
        assert_eq!(stranger.take_seen().len(), 1, "its document is read once");
        assert_eq!(hub.take_seen().len(), 0, "who is named is left in peace");
    })
    .await;
}

#[tokio::test]
async fn a_key_that_cannot_be_had_is_refused_alike_for_as_long_as_that_is_remembered() {
    on_each_engine(async |world| {
        let maren = maren(world).await;
        for (status, expected) in [(404, 401), (403, 401), (410, 401), (500, 503), (503, 503)] {
            let stranger = Stranger::new(world, &format!("peer-{status}.test"));
            stranger.answering(move |_| status);
            let (ann, key_id) = stranger.serve_actor("/users/ann", &Key::Rsa(shared_key()));
            for times in ["at first", "a moment later"] {
                let body = follow(&stranger, &ann, &maren);
                let told = send(&stranger, &maren, &Key::Rsa(shared_key()), &key_id, &body).await;
                assert_eq!(told.status, expected, "{status} {times}: {}", told.body);
            }
            let asked = world.requests(&format!("GET https://peer-{status}.test/"));
            assert!(asked <= 2, "{status}: one look in each way of signing at most: {asked}");
            stranger.answering(|seen| if seen.method == Method::POST { 202 } else { 200 });
            world.advance(std::time::Duration::from_mins(6));
            is_let_in(world, &stranger, &maren, &key_id, &follow(&stranger, &ann, &maren)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_neighbour_takes_nobody_s_key_by_listing_it() {
    on_each_engine(async |world| {
        let maren = maren(world).await;
        let peer = Stranger::new(world, "peer.test");
        let (honest, forger) = (Key::Rsa(shared_key()), Key::Rsa(PeerKey::generate().expect("a key")));
        let (ann, anns_key) = peer.serve_actor("/users/ann", &honest);
        let (_, eves_key) = peer.serve_actor("/users/eve", &forger);
        let eve = peer.id("/users/eve");
        let mut document = peer.actor("/users/eve");
        document["publicKey"] = json!([
            { "id": eves_key, "owner": eve, "publicKeyPem": forger.public() },
            { "id": anns_key, "publicKeyPem": forger.public() },
        ]);
        peer.serve("/users/eve", &document);
        let like = async |number: u32, key: &Key, key_id: &str, actor: &str| {
            send(&peer, &maren, key, key_id, &peer.like(actor, number, &maren.actor_id)).await.status
        };
        // Eve comes first: what she lists is Ann's all the same, once her own document says so.
        assert_eq!(like(1, &forger, &eves_key, &eve).await, 202);
        world.advance(std::time::Duration::from_mins(2));
        assert_eq!(like(2, &honest, &anns_key, &ann).await, 202, "Ann's document lists it where it leads");
        // Eve is read again, and does not take it back.
        let update = json!({ "@context": CONTEXT, "id": peer.id("/updates/1"), "type": "Update", "actor": eve, "object": document });
        assert_eq!(send(&peer, &maren, &forger, &eves_key, &update).await.status, 202);
        world.drain().await;
        peer.take_seen();
        assert_eq!(like(3, &honest, &anns_key, &ann).await, 202);
        assert_eq!(peer.take_seen().len(), 0, "Ann's key is still known");
        assert_eq!(like(4, &forger, &anns_key, &eve).await, 401, "and signs for nobody else");
        world.drain().await;
    })
    .await;
}

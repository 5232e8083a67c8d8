//! Honest requests of independent make are taken: each in the shape of its software, signed by hand (interop C1, C12 to C14, O1, O5).

use harness::{Found, PeerKey};
use serde_json::json;

use crate::stranger::{Cavage, Key, Message, Stranger, To};
use crate::world::{MAREN, World, on_each_engine, shared_key};

pub(crate) async fn maren(world: &mut World) -> Found {
    world.publish().await;
    world.peer("look.test", &["cy"]).lookup(MAREN).await.expect("an actor")
}

/// A draft-cavage request in one software's shape, whose actor shows its key as Mastodon does.
async fn takes_cavage(software: &str, signed: &str, algorithm: &str, content_type: &str) {
    on_each_engine(async |world| {
        let maren = maren(world).await;
        let stranger = Stranger::new(world, "peer.test");
        let key = Key::Rsa(shared_key());
        let (actor, key_id) = stranger.serve_actor("/users/ann", &key);
        // PieFed and others send to `/inbox` of the origin (U8).
        let shared = ["/ap/inbox", "/inbox"].map(|path| format!("https://social.example.org{path}"));
        for (number, inbox) in [(1, &maren.inbox), (2, &shared[0]), (3, &shared[1])] {
            let how = Cavage { key: &key, key_id: &key_id, signed, algorithm, content_type, ..Cavage::default() };
            let like = stranger.like(&actor, number, &maren.actor_id);
            let told = stranger.send(stranger.cavage(&how, inbox, &like)).await;
            assert_eq!(told.status, 202, "{software}: {}", told.body);
        }
        world.drain().await;
        assert_eq!(world.verdicts().await, [("declined".to_owned(), 3)], "{software}");
    })
    .await;
}

const LD_JSON: &str = r#"application/ld+json; profile="https://www.w3.org/ns/activitystreams""#;

#[tokio::test]
async fn mastodon_4_3() {
    let signed = "(request-target) host date digest content-type";
    takes_cavage("Mastodon 4.3", signed, "rsa-sha256", "application/activity+json").await;
}

#[tokio::test]
async fn lemmy() {
    // The library's compatible mode: header names in the order of the alphabet, hs2019 with a Date.
    takes_cavage("Lemmy", "(request-target) content-type date digest host", "hs2019", "application/activity+json")
        .await;
}

#[tokio::test]
async fn misskey() {
    takes_cavage("Misskey", "(request-target) date host digest", "rsa-sha256", "application/activity+json").await;
}

#[tokio::test]
async fn pleroma() {
    let signed = "(request-target) content-length date digest host";
    takes_cavage("Pleroma", signed, "rsa-sha256", LD_JSON).await;
}

#[tokio::test]
async fn discourse_with_created_and_expires() {
    let signed = "(request-target) (created) (expires) host digest";
    takes_cavage("Discourse (F15)", signed, "hs2019", LD_JSON).await;
}

#[tokio::test]
async fn gotosocial_and_its_stub_of_a_key_t4() {
    on_each_engine(async |world| {
        let maren = maren(world).await;
        let stranger = Stranger::new(world, "peer.test");
        let (key, id) = (Key::Rsa(shared_key()), stranger.id("/users/ann"));
        let key_id = format!("{id}/main-key");
        let mut actor = stranger.actor("/users/ann");
        actor["publicKey"] = json!({ "id": key_id, "owner": id, "publicKeyPem": key.public() });
        stranger.serve("/users/ann", &actor);
        actor.as_object_mut().expect("an object").retain(|name, _| !matches!(name.as_str(), "inbox" | "outbox"));
        stranger.serve("/users/ann/main-key", &actor);
        stranger.answering(|seen| if seen.scheme() == "unsigned" { 401 } else { 200 });
        let how = Cavage {
            key: &key,
            key_id: &key_id,
            signed: "(request-target) host date digest content-type",
            algorithm: "hs2019",
            ..Cavage::default()
        };
        let like = stranger.like(&id, 1, &maren.actor_id);
        let told = stranger.send(stranger.cavage(&how, &maren.inbox, &like)).await;
        assert_eq!(told.status, 202, "{}", told.body);
        world.drain().await;
    })
    .await;
}

#[tokio::test]
async fn mastodon_4_7_knocks_the_second_time_with_rfc_9421() {
    on_each_engine(async |world| {
        let maren = maren(world).await;
        let stranger = Stranger::new(world, "peer.test");
        let key = Key::Rsa(shared_key());
        // Accounts since 4.5 have numbers (A25).
        let (actor, key_id) = stranger.serve_actor("/ap/users/115300000000000001", &key);
        let how = Message {
            key: &key,
            key_id: &key_id,
            label: "sig1",
            signed: "@method @target-uri content-digest",
            parameters: "",
        };
        let like = stranger.like(&actor, 1, &maren.actor_id);
        let told = stranger.send(stranger.message(&how, &maren.inbox, &like)).await;
        assert_eq!(told.status, 202, "{}", told.body);
        world.drain().await;
        assert_eq!(world.verdicts().await, [("declined".to_owned(), 1)]);
    })
    .await;
}

/// Observed with Fedify 2.3 (interop O5): its own set of components first, RSA-4096 keys with a Multikey beside them, and
/// draft-cavage where that is refused.
#[tokio::test]
async fn fedify_with_rfc_9421_first_and_draft_cavage_then() {
    on_each_engine(async |world| {
        let maren = maren(world).await;
        let stranger = Stranger::new(world, "peer.test");
        let (key, beside) = (Key::Rsa(shared_key()), Key::ed25519());
        let id = stranger.id("/users/ann");
        let key_id = format!("{id}#main-key");
        let mut actor = stranger.actor("/users/ann");
        actor["publicKey"] =
            json!({ "id": key_id, "type": "CryptographicKey", "owner": id, "publicKeyPem": key.public() });
        actor["assertionMethod"] = json!([{ "id": format!("{id}#multikey-1"), "type": "Multikey", "controller": id,
            "publicKeyMultibase": beside.public() }]);
        stranger.serve("/users/ann", &actor);
        let newer = Message {
            key: &key,
            key_id: &key_id,
            label: "sig1",
            signed: "@method @target-uri @authority host date content-digest",
            parameters: ";alg=\"rsa-v1_5-sha256\"",
        };
        // An embedded actor, and a context of several parts.
        let mut like = stranger.like(&id, 1, &maren.actor_id);
        like["actor"] = actor.clone();
        like["@context"] =
            json!([crate::stranger::CONTEXT, "https://w3id.org/security/data-integrity/v1", { "x": "y" }]);
        like["proof"] = json!({ "type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022", "proofValue": "z1" });
        let told = stranger.send(stranger.message(&newer, &maren.inbox, &like)).await;
        assert_eq!(told.status, 202, "{}", told.body);

        // What it cannot have right behind a proxy of its own: refused with 401 and what we would take, and knocked again.
        like["id"] = json!(stranger.id("/likes/2"));
        let lacking = Message { signed: "@method @authority content-digest", ..newer };
        let told = stranger.send(stranger.message(&lacking, &maren.inbox, &like)).await;
        assert_eq!(told.status, 401, "{}", told.body);
        let wanted = told.headers.get("accept-signature").and_then(|value| value.to_str().ok());
        assert_eq!(wanted, Some(r#"sig1=("@method" "@target-uri" "content-digest");created"#), "C15");
        let older = Cavage { key: &key, key_id: &key_id, ..Cavage::default() };
        let told = stranger.send(stranger.cavage(&older, &maren.inbox, &like)).await;
        assert_eq!(told.status, 202, "{}", told.body);
        world.drain().await;
        assert_eq!(world.verdicts().await, [("declined".to_owned(), 2)]);
    })
    .await;
}

#[tokio::test]
async fn a_proxy_that_writes_its_own_host_is_named_by_the_operator_c16() {
    on_each_engine(async |world| {
        let maren = maren(world).await;
        let stranger = Stranger::new(world, "peer.test");
        let key = Key::Rsa(PeerKey::generate().expect("a key"));
        let (actor, key_id) = stranger.serve_actor("/users/ann", &key);
        let passed_on = |number: u32, signed_for: &str| {
            let how = Cavage { key: &key, key_id: &key_id, ..Cavage::default() };
            let inbox = maren.inbox.replace("social.example.org", signed_for);
            let like = stranger.like(&actor, number, &maren.actor_id);
            let mut request = stranger.cavage(&how, &inbox, &like);
            *request.uri_mut() = maren.inbox.parse().expect("an address");
            request.headers_mut().insert("host", http::HeaderValue::from_static("127.0.0.1:8080"));
            request
        };
        let told = stranger.send(passed_on(1, "social.example.org")).await;
        assert_eq!(told.status, 401, "not named yet: {}", told.body);
        world.configure("node = \"test\"", "node = \"test\"\nproxy_hosts = [\"127.0.0.1:8080\"]").await;
        assert_eq!(stranger.send(passed_on(2, "social.example.org")).await.status, 202);
        assert_eq!(
            stranger.send(passed_on(3, "example.org")).await.status,
            202,
            "the domain of the handles is ours too"
        );
        assert_eq!(stranger.send(passed_on(4, "evil.example")).await.status, 401, "H14");
        assert_eq!(stranger.send(passed_on(5, "127.0.0.1:8080")).await.status, 401, "the proxy's name proves nothing");
        let to = To { actor: &actor, object: &maren.actor_id, inbox: &maren.inbox };
        assert_eq!(stranger.send_like(6, &key, &key_id, &to).await.status, 202, "and without the proxy as ever");
        world.drain().await;
    })
    .await;
}

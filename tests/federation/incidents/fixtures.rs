//! Fixtures T1 to T7, T18 to T22 and T24 of docs/interop.md, each against the whole bridge.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request};
use serde_json::{Value, json};

use veerpont::federation::outbox::actor_deletion;
use veerpont::model::author;

use super::scene;
use crate::stranger::{CONTEXT, Cavage, Key, Message};
use crate::world::{GROUP, MAREN, on_each_engine};

#[tokio::test]
async fn t1_a_tampered_body_under_honest_headers() {
    on_each_engine(async |world| {
        let scene = scene(world).await;
        let mut request = scene.honestly(&scene.peer.like(&scene.ann, 1, &scene.maren.actor_id));
        *request.body_mut() = Bytes::from(scene.follow().to_string());
        scene.refused(world, request, 401, "draft-cavage").await;
        let signed = "@method @target-uri content-digest";
        let how = Message { key: &scene.honest, key_id: &scene.key_id, label: "sig1", signed, parameters: "" };
        let like = scene.peer.like(&scene.ann, 1, &scene.maren.actor_id);
        let mut request = scene.peer.message(&how, &scene.maren.inbox, &like);
        *request.body_mut() = Bytes::from(scene.follow().to_string());
        scene.refused(world, request, 401, "RFC 9421").await;
        // With the digest made to fit, the signature no longer does.
        let mut request = scene.honestly(&scene.peer.like(&scene.ann, 1, &scene.maren.actor_id));
        let forged = scene.signed(&scene.forger, &scene.key_id, &scene.follow());
        request.headers_mut().insert("digest", forged.headers()["digest"].clone());
        *request.body_mut() = forged.into_body();
        scene.refused(world, request, 401, "another digest").await;
        scene.ann_follows(world).await;
    })
    .await;
}

#[tokio::test]
async fn t2_a_signature_over_the_digest_alone() {
    on_each_engine(async |world| {
        let scene = scene(world).await;
        let how = Cavage { key: &scene.honest, key_id: &scene.key_id, signed: "digest", ..Cavage::default() };
        scene.refused(world, scene.peer.cavage(&how, &scene.maren.inbox, &scene.follow()), 401, "digest").await;
        scene.ann_follows(world).await;
    })
    .await;
}

#[tokio::test]
async fn t3_dates_two_hours_ahead_66_and_30_minutes_old() {
    on_each_engine(async |world| {
        let scene = scene(world).await;
        let signed_now = scene.honestly(&scene.follow());
        world.advance(Duration::from_mins(66));
        scene.refused(world, signed_now, 401, "66 minutes old").await;
        let mut ahead = scene.follow();
        ahead["id"] = json!(scene.peer.id("/follows/2"));
        let date = (world.clock.now() + Duration::from_hours(2)).http_date();
        let how = Cavage { key: &scene.honest, key_id: &scene.key_id, date: Some(&date), ..Cavage::default() };
        let request = scene.peer.cavage(&how, &scene.maren.inbox, &ahead);
        scene.refused(world, request, 401, "two hours ahead").await;
        let late = scene.honestly(&scene.follow());
        world.advance(Duration::from_mins(30));
        assert_eq!(scene.peer.send(late).await.status, 202);
        world.drain().await;
        assert_eq!(world.followers().await, 1);
    })
    .await;
}

#[tokio::test]
async fn t4_gotosocials_key_is_believed_only_if_its_owner_lists_it() {
    on_each_engine(async |world| {
        let scene = scene(world).await;
        let key_id = scene.peer.id("/users/ann/main-key");
        let stub = |key: &Key| {
            json!({ "@context": CONTEXT, "id": scene.ann, "type": "Person", "preferredUsername": "ann",
                "publicKey": { "id": key_id, "owner": scene.ann, "publicKeyPem": key.public() } })
        };
        scene.peer.serve("/users/ann/main-key", &stub(&scene.forger));
        let request = scene.signed(&scene.forger, &key_id, &scene.follow());
        scene.refused(world, request, 401, "a stub that Ann does not confirm").await;
        world.advance(Duration::from_mins(6));
        let mut actor = scene.peer.actor("/users/ann");
        actor["publicKey"] = stub(&scene.honest)["publicKey"].clone();
        scene.peer.serve("/users/ann", &actor);
        let told = scene.peer.send(scene.signed(&scene.honest, &key_id, &scene.follow())).await;
        assert_eq!(told.status, 202, "{}", told.body);
        world.drain().await;
        assert_eq!(world.followers().await, 1);
    })
    .await;
}

#[tokio::test]
async fn t5_a_rotated_key_is_fetched_once() {
    on_each_engine(async |world| {
        let scene = scene(world).await;
        scene.ann_follows(world).await;
        world.advance(Duration::from_mins(10));
        scene.peer.serve_actor("/users/ann", &scene.forger);
        scene.peer.take_seen();
        for number in 1..=3 {
            let like = scene.peer.like(&scene.ann, number, &scene.maren.actor_id);
            let told = scene.peer.send(scene.signed(&scene.forger, &scene.key_id, &like)).await;
            assert_eq!(told.status, 202, "the new key: {}", told.body);
        }
        assert_eq!(scene.peer.take_seen().len(), 1);
        for number in 4..=6 {
            let like = scene.peer.like(&scene.ann, number, &scene.maren.actor_id);
            assert_eq!(scene.peer.send(scene.honestly(&like)).await.status, 401, "the old key");
        }
        assert_eq!(scene.peer.take_seen().len(), 0, "C8: once a minute at most");
        world.drain().await;
    })
    .await;
}

#[tokio::test]
async fn t6_rfc_9421_is_verified_or_401_and_never_dropped() {
    on_each_engine(async |world| {
        let scene = scene(world).await;
        let signed = "@method @target-uri content-digest";
        let how = |key| Message { key, key_id: &scene.key_id, label: "sig1", signed, parameters: "" };
        let mut bare = scene.peer.message(&how(&scene.honest), &scene.maren.inbox, &scene.follow());
        bare.headers_mut().remove("signature");
        scene.refused(world, bare, 401, "Signature-Input alone").await;
        let forged = scene.peer.message(&how(&scene.forger), &scene.maren.inbox, &scene.follow());
        let told = scene.refused(world, forged, 401, "another's key").await;
        assert!(told.headers.contains_key("accept-signature"), "C15");
        let told = scene.peer.send(scene.peer.message(&how(&scene.honest), &scene.maren.inbox, &scene.follow())).await;
        assert_eq!(told.status, 202, "{}", told.body);
        world.drain().await;
        assert_eq!(world.followers().await, 1);
    })
    .await;
}

#[tokio::test]
async fn t7_the_delete_of_an_actor_nobody_knows_costs_no_request() {
    on_each_engine(async |world| {
        let scene = scene(world).await;
        let delete = json!({ "@context": CONTEXT, "id": format!("{}#delete", scene.ann), "type": "Delete",
            "actor": scene.ann, "object": scene.ann });
        let before = world.requests("");
        assert_eq!(scene.peer.send(scene.honestly(&delete)).await.status, 202);
        assert_eq!(world.requests(""), before);
        assert_eq!(world.verdicts().await, []);
    })
    .await;
}

#[tokio::test]
async fn t18_webfinger_on_split_domains_confirms_itself() {
    on_each_engine(async |world| {
        let scene = scene(world).await;
        let ask = async |host: &str, account: &str| -> Value {
            let url = format!("https://{host}/.well-known/webfinger?resource=acct:{account}");
            serde_json::from_str(&scene.peer.ask(&url).await.body).expect("a document")
        };
        for (host, account) in
            [("example.org", MAREN), ("social.example.org", "maren@social.example.org"), ("social.example.org", MAREN)]
        {
            let found = ask(host, account).await;
            assert_eq!(found["subject"], format!("acct:{MAREN}"), "{account} at {host}");
            let links = found["links"].as_array().expect("links");
            let own = links.iter().find(|link| link["rel"] == "self").expect("a link to the actor");
            assert_eq!(own["href"], scene.maren.actor_id.as_str());
        }
        let told = scene.peer.ask("https://example.org/.well-known/webfinger?resource=acct:maren@evil.test").await;
        assert_eq!(told.status, 404);
    })
    .await;
}

#[tokio::test]
async fn t19_nodeinfo_has_all_that_its_schema_requires() {
    on_each_engine(async |world| {
        let scene = scene(world).await;
        let links: Value =
            serde_json::from_str(&scene.peer.ask("https://social.example.org/.well-known/nodeinfo").await.body)
                .expect("JSON");
        let all = links["links"].as_array().expect("links");
        let schema = "http://nodeinfo.diaspora.software/ns/schema/2.0";
        let href = all.iter().find(|link| link["rel"] == schema).expect("2.0")["href"].as_str().expect("an address");
        let told = scene.peer.ask(href).await;
        let found: Value = serde_json::from_str(&told.body).expect("JSON");
        let required = ["version", "software", "protocols", "services", "openRegistrations", "usage", "metadata"];
        assert!(required.iter().all(|name| found.get(name).is_some()), "{found}");
        assert_eq!((&found["version"], &found["protocols"]), (&json!("2.0"), &json!(["activitypub"])));
        assert!(found["openRegistrations"].is_boolean() && found["metadata"].is_object());
        assert!(found["services"]["inbound"].is_array() && found["services"]["outbound"].is_array());
        assert!(found["usage"]["users"].is_object() && found["usage"]["localPosts"].is_u64());
        let name = found["software"]["name"].as_str().expect("a name");
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'), "{name}");
        assert!(found["software"]["version"].is_string());
    })
    .await;
}

/// The whole table of addresses stands beside `net/address.rs`; here is that no inbox leads us there.
#[tokio::test]
async fn t20_an_actor_cannot_point_our_deliveries_inside() {
    on_each_engine(async |world| {
        let scene = scene(world).await;
        for (number, place) in super::INSIDE.iter().enumerate() {
            let mut actor = scene.peer.actor("/users/ann");
            actor["inbox"] = json!(format!("{place}/inbox"));
            let key_id = format!("{}#k{number}", scene.ann);
            actor["publicKey"] = json!({ "id": key_id, "owner": scene.ann, "publicKeyPem": scene.honest.public() });
            scene.peer.serve("/users/ann", &actor);
            let request = scene.signed(&scene.honest, &key_id, &scene.follow());
            scene.refused(world, request, 401, place).await;
        }
    })
    .await;
}

#[tokio::test]
async fn t21_what_an_answer_means_for_a_delivery() {
    on_each_engine(async |world| {
        let scene = scene(world).await;
        scene.ann_follows(world).await;
        let sent = async |slug: &str| {
            world.write_post(slug, slug, "It sails at ten.", &["maren"]);
            world.publish().await;
            scene.peer.take_schemes().len()
        };
        sent("before").await;
        scene.peer.answering(|_| 401);
        sent("one").await;
        scene.peer.answering(|_| 202);
        world.advance(Duration::from_mins(5));
        world.drain().await;
        assert_eq!(scene.peer.take_schemes().len(), 1, "401 is tried again");
        scene.peer.answering(|_| 413);
        assert_eq!(sent("two").await, 2, "413: once more with the article's id");
        world.advance(Duration::from_hours(12));
        scene.peer.answering(|_| 202);
        world.drain().await;
        assert_eq!(scene.peer.take_schemes().len(), 0, "then never again");
        scene.peer.answering(|_| 410);
        assert_eq!(sent("three").await, 1);
        assert_eq!(world.followers().await, 0, "410: dropped and forgotten");
    })
    .await;
}

#[tokio::test]
async fn t22_no_inbox_answers_404_or_410() {
    on_each_engine(async |world| {
        let scene = scene(world).await;
        let gone = scene.maren.inbox.clone();
        let actors = {
            let mut conn = world.app.db.read().await.expect("a connection");
            author::store::actors(&mut conn).await.expect("actors")
        };
        let deleted = actors.iter().find(|actor| actor.url(&world.app.urls) == scene.maren.actor_id).expect("an actor");
        actor_deletion::delete_actor(&world.app, deleted.id).await.expect("a deletion");
        world.drain().await;
        let nobody = "https://social.example.org/ap/actors/00000000-0000-4000-8000-000000000000/inbox".to_owned();
        for (number, inbox) in [(1, gone), (2, nobody)] {
            let like = scene.peer.like(&scene.ann, number, &scene.maren.actor_id);
            let how = Cavage { key: &scene.honest, key_id: &scene.key_id, ..Cavage::default() };
            assert_eq!(scene.peer.send(scene.peer.cavage(&how, &inbox, &like)).await.status, 202, "{inbox}");
        }
        assert_eq!(scene.peer.ask(&scene.maren.actor_id).await.status, 410, "the actor itself is gone (A23)");
        assert_eq!(
            scene
                .peer
                .ask(&format!("https://social.example.org/.well-known/webfinger?resource=acct:{GROUP}"))
                .await
                .status,
            200
        );
        world.drain().await;
    })
    .await;
}

#[tokio::test]
async fn t24_a_digest_of_several_algorithms() {
    on_each_engine(async |world| {
        let scene = scene(world).await;
        let with = |digest: &str| -> Request<Bytes> {
            let how = Cavage { key: &scene.honest, key_id: &scene.key_id, digest: Some(digest), ..Cavage::default() };
            scene.peer.cavage(&how, &scene.maren.inbox, &scene.follow())
        };
        let right = scene.honestly(&scene.follow()).headers()["digest"].to_str().expect("text").to_owned();
        scene.refused(world, with(&format!("{right},SHA-256=AAAA")), 400, "two of one algorithm").await;
        scene.refused(world, with("SHA-512=AAAA"), 400, "no SHA-256").await;
        let mut second = with(&right);
        second.headers_mut().append("digest", HeaderValue::from_static("SHA-256=AAAA"));
        scene.refused(world, second, 400, "H13: two headers").await;
        let several = format!("SHA-512=AAAA, {}", right.replace("SHA", "sha"));
        let told = scene.peer.send(with(&several)).await;
        assert_eq!(told.status, 202, "{}", told.body);
        world.drain().await;
    })
    .await;
}

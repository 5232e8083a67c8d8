//! Each incident of this field that touches what exists here, by its number (interop G, "Known incidents"), and the
//! fixtures of signatures and discovery. Each test fails when its guard is taken out: docs/security.md says where that is.

mod fixtures;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use harness::{Found, PeerKey};
use http::{HeaderValue, Request};
use serde_json::{Value, json};

use crate::honest::maren;
use crate::stranger::{CONTEXT, Cavage, Key, Message, Stranger, Told};
use crate::world::{World, on_each_engine, shared_key};

/// Ann, whom everything here pretends to be; her server and key are honest.
struct Scene {
    peer: Stranger,
    evil: Stranger,
    maren: Found,
    ann: String,
    key_id: String,
    honest: Key,
    forger: Key,
}

async fn scene(world: &mut World) -> Scene {
    static FORGER: std::sync::OnceLock<PeerKey> = std::sync::OnceLock::new();
    let maren = maren(world).await;
    let (peer, evil) = (Stranger::new(world, "peer.test"), Stranger::new(world, "evil.test"));
    let honest = Key::Rsa(shared_key());
    let forger = Key::Rsa(FORGER.get_or_init(|| PeerKey::generate().expect("a key")).clone());
    let (ann, key_id) = peer.serve_actor("/users/ann", &honest);
    Scene { peer, evil, maren, ann, key_id, honest, forger }
}

impl Scene {
    /// What would make Ann a follower.
    fn follow(&self) -> Value {
        json!({ "@context": CONTEXT, "id": self.peer.id("/follows/1"), "type": "Follow", "actor": self.ann,
            "object": self.maren.actor_id })
    }

    fn signed(&self, key: &Key, key_id: &str, body: &Value) -> Request<Bytes> {
        self.peer.cavage(&Cavage { key, key_id, ..Cavage::default() }, &self.maren.inbox, body)
    }

    fn honestly(&self, body: &Value) -> Request<Bytes> {
        self.signed(&self.honest, &self.key_id, body)
    }

    /// Sends what must be turned away, and sees that it did nothing.
    async fn refused(&self, world: &World, request: Request<Bytes>, status: u16, what: &str) -> Told {
        let told = self.peer.send(request).await;
        assert_eq!(told.status, status, "{what}: {}", told.body);
        world.drain().await;
        assert_eq!((world.followers().await, world.verdicts().await), (0, Vec::new()), "{what}");
        told
    }

    /// The honest request still works, so what was refused was refused for its fault.
    async fn ann_follows(&self, world: &World) {
        let told = self.peer.send(self.honestly(&self.follow())).await;
        assert_eq!(told.status, 202, "{}", told.body);
        world.drain().await;
        assert_eq!(world.followers().await, 1);
    }
}

#[tokio::test]
async fn cve_2024_23832_nobody_is_impersonated_from_elsewhere() {
    on_each_engine(async |world| {
        let scene = scene(world).await;
        let follow = scene.follow();
        // Ann's server redirects to anywhere, as many do; what stands there calls itself Ann.
        let key_id = scene.peer.id("/out#main-key");
        let mut mask = scene.peer.actor("/users/ann");
        mask["publicKey"] = json!({ "id": key_id, "owner": scene.ann, "publicKeyPem": scene.forger.public() });
        scene.evil.serve("/mask", &mask);
        scene.peer.redirect("/out", &scene.evil.id("/mask"));
        scene.refused(world, scene.signed(&scene.forger, &key_id, &follow), 401, "a redirect").await;
        // The same without one: the key's address, its owner and its actor are of three minds.
        let (eve, eves_key) = scene.evil.serve_actor("/users/eve", &scene.forger);
        let mut foreign = follow.clone();
        foreign["actor"] = json!(eve);
        scene.refused(world, scene.signed(&scene.forger, &eves_key, &foreign), 400, "an id of Ann's server").await;
        scene.ann_follows(world).await;
    })
    .await;
}

#[tokio::test]
async fn cve_2024_25623_ghsa_jhrq_an_upload_is_no_actor() {
    on_each_engine(async |world| {
        let scene = scene(world).await;
        let id = scene.peer.id("/uploads/ann.json");
        let mut upload = scene.peer.actor("/uploads/ann.json");
        upload["publicKey"] = json!({ "id": format!("{id}#k"), "owner": id, "publicKeyPem": scene.forger.public() });
        let mut follow = scene.follow();
        follow["actor"] = json!(id);
        for media in ["application/json", "text/html", "application/ld+json", "text/plain; charset=utf-8", "image/png"]
        {
            scene.peer.serve_as("/uploads/ann.json", media, &upload.to_string());
            scene.refused(world, scene.signed(&scene.forger, &format!("{id}#k"), &follow), 401, media).await;
            world.advance(std::time::Duration::from_mins(6));
        }
        scene.ann_follows(world).await;
    })
    .await;
}

#[tokio::test]
async fn cve_2022_24307_cve_2026_46349_cve_2026_48028_no_graph_is_rearranged() {
    on_each_engine(async |world| {
        let scene = scene(world).await;
        for word in ["@graph", "@included", "@reverse"] {
            let deep = json!({ "a": [{ "b": { word: { "type": "Follow" } } }] });
            for (place, value) in [(word, json!([scene.follow()])), ("x", deep)] {
                let mut body = scene.follow();
                body[place] = value;
                scene.refused(world, scene.honestly(&body), 400, word).await;
            }
        }
        scene.ann_follows(world).await;
    })
    .await;
}

#[tokio::test]
async fn ghsa_9rfg_ghsa_2vxv_a_linked_data_signature_proves_nothing() {
    on_each_engine(async |world| {
        let scene = scene(world).await;
        let (_, eves_key) = scene.evil.serve_actor("/users/eve", &scene.forger);
        // Ann is known here, so that nothing but the rule stands between the forger and her follow.
        let like = scene.peer.like(&scene.ann, 1, &scene.maren.actor_id);
        assert_eq!(scene.peer.send(scene.honestly(&like)).await.status, 202);
        let mut follow = scene.follow();
        follow["signature"] = json!({ "type": "RsaSignature2017", "creator": scene.key_id,
            "created": "2026-11-02T10:00:00Z", "signatureValue": "AAAA" });
        let told = scene.peer.send(scene.signed(&scene.forger, &eves_key, &follow)).await;
        assert_eq!(told.status, 202, "forwarded, as Mastodon forwards (E24): {}", told.body);
        world.drain().await;
        assert_eq!(world.followers().await, 0, "and without effect");
        scene.ann_follows(world).await;
    })
    .await;
}

#[tokio::test]
async fn cve_2026_28432_every_part_of_a_signature_is_needed_once() {
    on_each_engine(async |world| {
        let scene = scene(world).await;
        let follow = scene.follow();
        let parts = ["(request-target)", "host", "date", "digest"];
        for missing in parts {
            let signed: Vec<&str> = parts.into_iter().filter(|part| *part != missing).collect();
            let signed = signed.join(" ");
            let how = Cavage { key: &scene.honest, key_id: &scene.key_id, signed: &signed, ..Cavage::default() };
            scene.refused(world, scene.peer.cavage(&how, &scene.maren.inbox, &follow), 401, missing).await;
        }
        for doubled in ["host", "date", "digest", "signature", "content-type"] {
            let mut request = scene.honestly(&follow);
            let value = request.headers()[doubled].clone();
            request.headers_mut().append(doubled, value);
            scene.refused(world, request, 400, doubled).await;
        }
        for parameter in ["keyId", "headers", "signature", "algorithm"] {
            let mut request = scene.honestly(&follow);
            let text = request.headers()["signature"].to_str().expect("text").to_owned();
            let (_, after) = text.split_once(&format!("{parameter}=\"")).expect("a parameter");
            let value = after.split('"').next().expect("a value");
            let twice = format!("{parameter}=\"{value}\",{text}");
            request.headers_mut().insert("signature", HeaderValue::try_from(twice).expect("a value"));
            scene.refused(world, request, 400, parameter).await;
        }
        let components = ["@method", "@target-uri", "content-digest"];
        for missing in components {
            let signed: Vec<&str> = components.into_iter().filter(|part| *part != missing).collect();
            let signed = signed.join(" ");
            let how =
                Message { key: &scene.honest, key_id: &scene.key_id, label: "sig1", signed: &signed, parameters: "" };
            scene.refused(world, scene.peer.message(&how, &scene.maren.inbox, &follow), 401, missing).await;
        }
        scene.ann_follows(world).await;
    })
    .await;
}

/// Where a stranger would like to see us knock, and how they would have us led there.
const INSIDE: [&str; 16] = [
    "https://0.0.0.0",
    "https://127.0.0.1",
    "https://2130706433",
    "https://0177.0.0.1",
    "https://0x7f.1",
    "https://10.0.0.1",
    "https://100.64.0.1",
    "https://169.254.169.254",
    "https://[::]",
    "https://[::1]",
    "https://[::ffff:127.0.0.1]",
    "https://[::127.0.0.1]",
    "https://[64:ff9b::7f00:1]",
    "https://[fd00::1]",
    "https://peer.test:8443",
    "http://peer.test",
];

#[tokio::test]
async fn cve_2025_25194_cve_2026_33693_ghsa_vwhj_crr4_xfrj_no_key_leads_us_inside() {
    on_each_engine(async |world| {
        let scene = scene(world).await;
        let follow = scene.follow();
        let before = world.requests("");
        for place in INSIDE {
            let request = scene.signed(&scene.forger, &format!("{place}/latest#k"), &follow);
            scene.refused(world, request, 401, place).await;
        }
        assert_eq!(world.requests(""), before, "nothing was sent");
        for (number, place) in INSIDE.iter().enumerate() {
            scene.evil.redirect(&format!("/{number}"), &format!("{place}/latest"));
            let request = scene.signed(&scene.forger, &scene.evil.id(&format!("/{number}#k")), &follow);
            scene.refused(world, request, 401, place).await;
        }
        assert_eq!(world.requests("") - before, INSIDE.len(), "one request each, and the redirect is not followed");
        assert_eq!(world.requests("GET https://evil.test/"), INSIDE.len());
        scene.ann_follows(world).await;
    })
    .await;
}

#[tokio::test]
async fn ghsa_gg8q_what_strangers_write_is_capped() {
    on_each_engine(async |world| {
        let scene = scene(world).await;
        let mut actor = scene.peer.actor("/users/ann");
        actor["name"] = json!("n".repeat(300_000));
        actor["preferredUsername"] = json!("u".repeat(300_000));
        let keys = (0..500).map(|number| {
            json!({ "id": format!("{}#{number}", scene.ann), "owner": scene.ann, "publicKeyPem": scene.honest.public() })
        });
        actor["publicKey"] = keys.collect();
        scene.peer.serve("/users/ann", &actor);
        let told = scene.peer.send(scene.signed(&scene.honest, &format!("{}#0", scene.ann), &scene.follow())).await;
        assert_eq!(told.status, 202, "{}", told.body);
        world.drain().await;
        let mut conn = world.app.db.read().await.expect("a connection");
        let longest = "SELECT MAX(LENGTH(name)) + MAX(LENGTH(username)) FROM remote_actors";
        let longest: i64 = sqlx::query_scalar(longest).fetch_one(&mut *conn).await.expect("a length");
        assert_eq!(longest, 2048, "A24, and a user name that is none is left out");
        let keys: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM remote_keys").fetch_one(&mut *conn).await.expect("a count");
        assert_eq!(keys, 10, "A9");
        drop(conn);
        // An address longer than any index holds, and a body deeper than anybody needs.
        let mut long = scene.follow();
        long["id"] = json!(scene.peer.id(&format!("/{}", "a".repeat(2000))));
        assert_eq!(scene.peer.send(scene.honestly(&long)).await.status, 400);
        let mut deep = scene.follow();
        deep["x"] = (0..70).fold(json!(1), |inner, _| json!([inner]));
        assert_eq!(scene.peer.send(scene.honestly(&deep)).await.status, 400);
    })
    .await;
}

#[tokio::test]
async fn nodebb_14241_what_we_hash_is_what_we_send_and_sign() {
    on_each_engine(async |world| {
        let scene = scene(world).await;
        scene
            .peer
            .answering(|seen| if seen.scheme() == "cavage" && seen.method == http::Method::POST { 401 } else { 200 });
        scene.ann_follows(world).await;
        let posts: Vec<_> =
            scene.peer.take_seen().into_iter().filter(|seen| seen.method == http::Method::POST).collect();
        let [older, newer] = posts.as_slice() else { panic!("an Accept in both schemes: {posts:?}") };
        let hash = STANDARD.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &older.body));
        assert_eq!(older.headers["digest"], format!("SHA-256={hash}"));
        let signature = older.headers["signature"].to_str().expect("text");
        let (_, list) = signature.split_once("headers=\"").expect("a list");
        assert!(list.split('"').next().expect("a list").split(' ').any(|name| name == "digest"), "{signature}");
        assert_eq!(older.body, newer.body);
        assert_eq!(newer.headers["content-digest"], format!("sha-256=:{hash}:"));
        let input = newer.headers["signature-input"].to_str().expect("text");
        assert!(input.contains("\"content-digest\""), "{input}");
    })
    .await;
}

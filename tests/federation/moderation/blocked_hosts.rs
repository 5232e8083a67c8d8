//! Interop E25: a blocked domain is kept out by whichever host names it, with all below it and in every spelling. Each
//! test fails when its guard is taken out: docs/security.md says where that is.

use serde_json::{Value, json};
use veerpont::moderation::listing::{self, BlockRequest};
use veerpont::moderation::{BlockKind, ModerationNote, Severity};

use super::{INBOX, PUBLIC, about, article, block, knock, last_reason, note, refused, reply, send};
use crate::stranger::{CONTEXT, Cavage, Key, Stranger};
use crate::world::{MAREN, World, on_each_engine, shared_key, taken};

async fn block_bad(world: &World) {
    block(world, BlockKind::Domain, "bad.test", Severity::Block).await;
}

#[tokio::test]
async fn e25_the_signers_host_before_anything_is_fetched() {
    on_each_engine(async |world| {
        let article = article(world).await;
        block_bad(world).await;
        for (times, host) in [(1, "bad.test"), (3, "deep.down.bad.test")] {
            let bad = world.peer(host, &["eve"]);
            let like = about(&bad, "eve", "Like", "l1", article.as_str());
            assert_eq!(knock(world, &bad, "eve", &like).await, 403);
            assert_eq!(refused(world, "blocked-domain").await, times);
            assert_eq!(world.requests(&format!("GET https://{host}")), 0, "nothing is asked of it");
            // Also where the body is no activity at all.
            assert_eq!(knock(world, &bad, "eve", &json!({})).await, 403);
        }
        for host in ["notbad.test", "bad.test.example"] {
            let good = world.peer(host, &["ann"]);
            assert_eq!(knock(world, &good, "ann", &about(&good, "ann", "Like", "l1", article.as_str())).await, 202);
        }
    })
    .await;
}

/// What a good server brings of a bad one is turned away, by each place that may name it.
async fn is_kept_out(bring: impl Fn(&str, Value) -> Value) {
    on_each_engine(async |world| {
        let article = article(world).await;
        let good = world.peer("good.test", &["ann"]);
        let activity = |number: u32, host: &str| {
            let note = note(&good, "ann", number, &article, "<p>Hello</p>");
            bring(host, about(&good, "ann", "Create", &format!("c{number}"), note))
        };
        assert_eq!(knock(world, &good, "ann", &activity(1, "bad.test")).await, 202, "it is blocked for its host");
        block_bad(world).await;
        for (number, host) in (2..).zip(["bad.test", "sub.bad.test", "Bad.Test."]) {
            assert_eq!(knock(world, &good, "ann", &activity(number, host)).await, 403, "{host}");
        }
        assert_eq!(refused(world, "blocked-domain").await, 3);
        assert_eq!(knock(world, &good, "ann", &activity(9, "other.test")).await, 202);
    })
    .await;
}

#[tokio::test]
async fn e25_the_actors_host() {
    is_kept_out(|host, mut activity| {
        let number = activity["id"].as_str().expect("an id").rsplit('/').next().expect("a number").to_owned();
        activity["id"] = json!(format!("https://{host}/{number}"));
        activity["actor"] = json!(format!("https://{host}/users/eve"));
        activity
    })
    .await;
}

#[tokio::test]
async fn e25_the_objects_host() {
    is_kept_out(|host, mut activity| {
        let number = activity["id"].as_str().expect("an id").rsplit('/').next().expect("a number").to_owned();
        activity["type"] = json!("Announce");
        activity["object"] = json!(format!("https://{host}/notes/{number}"));
        activity
    })
    .await;
}

#[tokio::test]
async fn e25_the_host_of_attributed_to() {
    is_kept_out(|host, mut activity| {
        activity["object"]["attributedTo"] = json!([{ "type": "Person", "id": format!("https://{host}/users/eve") }]);
        activity
    })
    .await;
}

#[tokio::test]
async fn e25_the_webfinger_domain() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let home = Stranger::new(world, "home.test");
        let key = Key::Rsa(shared_key());
        let (eve, key_id) = home.serve_actor("/users/eve", &key);
        let mut actor = home.actor("/users/eve");
        actor["webfinger"] = json!("eve@Sub.Bad.Test.");
        actor["publicKey"] = json!({ "id": key_id, "owner": eve, "publicKeyPem": key.public() });
        home.serve("/users/eve", &actor);
        let maren = world.peer("peer.test", &["ann"]).lookup(MAREN).await.expect("an actor");
        let say = async |number: u32, kind: &str, object: Value| {
            let activity = json!({ "@context": CONTEXT, "id": home.id(&format!("/{number}")), "type": kind, "actor": eve,
                "object": object });
            let how = Cavage { key: &key, key_id: &key_id, ..Cavage::default() };
            let told = home.send(home.cavage(&how, INBOX, &activity)).await;
            assert_eq!(told.status, 202, "{}", told.body);
            world.drain().await;
        };
        let note = |number: u32| {
            json!({ "id": home.id(&format!("/notes/{number}")), "type": "Note", "attributedTo": eve,
                "inReplyTo": article, "content": "Hello", "to": [PUBLIC] })
        };
        say(1, "Follow", json!(maren.actor_id)).await;
        say(2, "Create", note(1)).await;
        say(3, "Like", json!(article)).await;
        assert_eq!((world.followers().await, world.reply_texts().await.len()), (1, 1));
        let done = block(world, BlockKind::Domain, "bad.test", Severity::Block).await;
        assert_eq!((done.hidden, done.follows_ended, done.servers_cut_off), (2, 1, 0), "its server is not to blame");
        for (number, kind, object) in
            [(4, "Follow", json!(maren.actor_id)), (5, "Create", note(2)), (6, "Like", json!(article))]
        {
            say(number, kind, object).await;
            let (verdict, reason) = last_reason(world).await;
            assert_eq!(verdict, "declined", "{kind}");
            assert!(reason.starts_with("the domain bad.test is blocked"), "{kind}: {reason}");
        }
        assert_eq!((world.followers().await, world.reply_texts().await.len()), (0, 0));
    })
    .await;
}

#[tokio::test]
async fn e25_names_of_other_scripts_are_one_with_their_punycode() {
    on_each_engine(async |world| {
        let article = article(world).await;
        block(world, BlockKind::Domain, "BÜCHER.example.", Severity::Block).await;
        let bad = world.peer("leihe.xn--bcher-kva.example", &["eve"]);
        assert_eq!(knock(world, &bad, "eve", &about(&bad, "eve", "Like", "l1", article.as_str())).await, 403);
        let good = world.peer("good.test", &["ann"]);
        let shared = about(&good, "ann", "Announce", "b1", "https://Bücher.example./notes/1");
        assert_eq!(knock(world, &good, "ann", &shared).await, 403);
    })
    .await;
}

/// Nor is anything read at a blocked server, whoever names it.
#[tokio::test]
async fn nothing_of_a_blocked_server_is_read() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let (good, bad) = (world.peer("good.test", &["ann"]), world.peer("bad.test", &["eve"]));
        block_bad(world).await;
        let parent = format!("{}/statuses/1", bad.actor_id("eve"));
        let below = note(&good, "ann", 1, &parent, "<p>Below</p>");
        send(world, &good, "ann", about(&good, "ann", "Create", "c1", below)).await;
        assert_eq!(world.requests("GET https://bad.test"), 0);
        let (verdict, reason) = last_reason(world).await;
        assert_eq!(verdict, "declined");
        assert!(reason.contains("the domain bad.test is blocked"), "{reason}");
        reply(world, &good, "ann", 2, &article, "<p>Here</p>").await;
        assert_eq!(world.reply_texts().await, ["Here"]);
    })
    .await;
}

/// Somebody who is blocked by their id is turned away too, and nobody else of their server.
#[tokio::test]
async fn somebody_who_is_blocked_is_turned_away_alone() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let peer = world.peer("peer.test", &["ann", "eve"]);
        world.follow(&peer, "eve", MAREN).await;
        reply(world, &peer, "eve", 1, &article, "<p>Evil</p>").await;
        // By the handle under which they are known here.
        let done = block(world, BlockKind::Actor, "@eve@peer.test", Severity::Block).await;
        assert_eq!((done.hidden, done.follows_ended, done.servers_cut_off, taken(&peer, "Reject").len()), (1, 1, 0, 1));
        let like = about(&peer, "eve", "Like", "l1", article.as_str());
        assert_eq!(knock(world, &peer, "eve", &like).await, 403);
        assert_eq!(refused(world, "blocked-actor").await, 1);
        reply(world, &peer, "ann", 2, &article, "<p>Good</p>").await;
        assert_eq!(world.reply_texts().await, ["Good"]);
    })
    .await;
}

/// Whatever an operator writes, we do not block ourselves.
#[tokio::test]
async fn our_own_domains_cannot_be_blocked() {
    on_each_engine(async |world| {
        for (kind, value) in [
            (BlockKind::Domain, "social.example.org"),
            (BlockKind::Domain, "Example.Org."),
            (BlockKind::Domain, "org"),
            (BlockKind::Domain, "*.bad.test"),
            (BlockKind::Domain, "https://bad.test/"),
            (BlockKind::Actor, "@nobody@nowhere.test"),
            (BlockKind::Actor, "https://social.example.org/ap/instance"),
            (BlockKind::Keyword, " ... "),
        ] {
            let refused = listing::add(
                &world.app,
                BlockRequest { kind, value, actor: None },
                Severity::Block,
                ModerationNote::default(),
            )
            .await;
            assert!(refused.is_err(), "{value}");
        }
    })
    .await;
}

//! Inboxes that are not where they were: what waits finds its readers, and those are asked once a day at most where they are.

use std::time::Duration;

use harness::Found;
use http::Method;
use serde_json::{Value, json};

use crate::honest::maren;
use crate::shared::{Case, LocalAddresses};
use crate::stranger::{CONTEXT, Cavage, Key, Stranger};
use crate::world::{World, on_each_engine, shared_key};

const DAY: Duration = Duration::from_hours(24);

/// A server with the actor of a case, under a key of ours.
fn serve(server: &Stranger, mut actor: Value) -> Value {
    actor["publicKey"]["publicKeyPem"] = Key::Rsa(shared_key()).public().into();
    let id = actor["id"].as_str().expect("an id").to_owned();
    server.serve(id.strip_prefix(&server.id("")).expect("of this server"), &actor);
    actor
}

/// An actor whose server has a shared inbox.
fn person(server: &Stranger, name: &str, own: &str, shared: &str) -> Value {
    let id = server.id(&format!("/users/{name}"));
    json!({
        "@context": [CONTEXT, "https://w3id.org/security/v1"], "id": id, "type": "Person", "preferredUsername": name,
        "inbox": server.id(own), "outbox": format!("{id}/outbox"), "endpoints": { "sharedInbox": server.id(shared) },
        "publicKey": { "id": format!("{id}#main-key"), "owner": id },
    })
}

async fn follow(world: &World, server: &Stranger, actor: &Value, maren: &Found) {
    let (key, key_id) = (Key::Rsa(shared_key()), actor["publicKey"]["id"].as_str().expect("a key's id"));
    let follow = json!({ "@context": CONTEXT, "id": format!("{}#follow", actor["id"].as_str().expect("an id")),
        "type": "Follow", "actor": actor["id"], "object": maren.actor_id });
    let how = Cavage { key: &key, key_id, ..Cavage::default() };
    let told = server.send(server.cavage(&how, &maren.inbox, &follow)).await;
    assert_eq!(told.status, 202, "{}", told.body);
    world.drain().await;
    assert_eq!(server.take_seen().last().map(kind).as_deref(), Some("Accept"));
}

fn kind(seen: &crate::stranger::Seen) -> String {
    let activity: Value = serde_json::from_slice(&seen.body).unwrap_or_default();
    activity["type"].as_str().unwrap_or_default().to_owned()
}

async fn publish(world: &World, slug: &str) {
    world.write_post(slug, slug, "It sails at ten.", &["maren"]);
    world.publish().await;
}

/// What a server was sent since this was last asked: `POST /inbox one`, with the title of the article, or `GET /users/a`.
fn seen(server: &Stranger) -> Vec<String> {
    let told = server.take_seen().into_iter().map(|seen| {
        let activity: Value = serde_json::from_slice(&seen.body).unwrap_or_default();
        let title = activity["object"]["name"].as_str().map(|name| format!(" {name}")).unwrap_or_default();
        format!("{} {}{title}", seen.method, seen.target)
    });
    told.collect()
}

fn missing(server: &Stranger, inboxes: &'static [&'static str]) {
    server.answering(move |seen| match seen.method {
        Method::POST if inboxes.contains(&seen.target.as_str()) => 404,
        Method::POST => 202,
        _ => 200,
    });
}

#[tokio::test]
async fn case_51_a_shared_inbox_that_answers_404_is_an_address_less() {
    let Some(case) = Case::open(51) else { return };
    on_each_engine(async |world| {
        let maren = maren(world).await;
        let server = Stranger::new(world, "dead.test");
        let actor = serve(&server, case.document("actor.json", LocalAddresses::default()));
        missing(&server, &["/inbox"]);
        follow(world, &server, &actor, &maren).await;
        publish(world, "one").await;
        assert_eq!(seen(&server), ["POST /inbox one", "POST /users/a/inbox one", "GET /users/a"]);
        for slug in ["two", "three"] {
            publish(world, slug).await;
            assert_eq!(seen(&server), [format!("POST /users/a/inbox {slug}")], "its document still names the dead one");
        }
        assert_eq!(world.followers().await, 1);
    })
    .await;
}

#[tokio::test]
async fn case_64_an_inbox_that_has_moved_gets_what_waits() {
    let Some(case) = Case::open(64) else { return };
    on_each_engine(async |world| {
        let maren = maren(world).await;
        let server = Stranger::new(world, "x9.test");
        let actor = serve(&server, case.document("actor-before.json", LocalAddresses::default()));
        follow(world, &server, &actor, &maren).await;
        serve(&server, case.document("actor-after.json", LocalAddresses::default()));
        missing(&server, &["/f/inbox", "/users/mi/inbox"]);
        publish(world, "one").await;
        let expected = ["POST /f/inbox one", "POST /users/mi/inbox one", "GET /users/mi", "POST /inbox one"];
        assert_eq!(seen(&server), expected, "what waited goes where its actor is now");
        publish(world, "two").await;
        assert_eq!(seen(&server), ["POST /inbox two"]);
        // Who was sent it there hears of its edit.
        world.site.replace("one", "at ten", "at eleven");
        world.publish().await;
        assert_eq!(seen(&server), ["POST /inbox one"]);
    })
    .await;
}

#[tokio::test]
async fn what_waits_for_a_missing_inbox_keeps_its_order_until_its_actor_can_be_read() {
    on_each_engine(async |world| {
        let maren = maren(world).await;
        let server = Stranger::new(world, "peer.test");
        let mut before = person(&server, "ann", "/old", "/none");
        before.as_object_mut().expect("an object").remove("endpoints");
        let before = serve(&server, before);
        follow(world, &server, &before, &maren).await;
        server.answering(|seen| if seen.method == Method::POST { 404 } else { 503 });
        publish(world, "one").await;
        assert_eq!(seen(&server), ["POST /old one", "GET /users/ann"]);
        for slug in ["two", "three"] {
            publish(world, slug).await;
            world.advance(Duration::from_hours(8));
            world.drain().await;
        }
        let asked = seen(&server);
        assert!(asked.iter().all(|one| one == "POST /old one"), "the first holds the others: {asked:?}");
        world.restart().await;

        let mut after = person(&server, "ann", "/new", "/none");
        after.as_object_mut().expect("an object").remove("endpoints");
        serve(&server, after);
        missing(&server, &["/old"]);
        world.advance(Duration::from_hours(9));
        world.drain().await;
        let told: Vec<_> = seen(&server).into_iter().filter(|one| one != "POST /old one").collect();
        assert_eq!(told, ["GET /users/ann", "POST /new one", "POST /new two", "POST /new three"]);
    })
    .await;
}

#[tokio::test]
async fn a_404_that_stays_is_refused_and_asked_about_once_a_day() {
    on_each_engine(async |world| {
        let maren = maren(world).await;
        let server = Stranger::new(world, "peer.test");
        let mut actor = person(&server, "ann", "/own", "/none");
        actor.as_object_mut().expect("an object").remove("endpoints");
        let actor = serve(&server, actor);
        follow(world, &server, &actor, &maren).await;
        missing(&server, &["/own"]);
        publish(world, "one").await;
        assert_eq!(seen(&server), ["POST /own one", "GET /users/ann", "POST /own one"], "once more, since it names it");
        for slug in ["two", "three"] {
            publish(world, slug).await;
            assert_eq!(seen(&server), [format!("POST /own {slug}")], "nobody is asked again within a day");
        }
        world.advance(DAY);
        publish(world, "four").await;
        assert_eq!(seen(&server), ["POST /own four", "GET /users/ann", "POST /own four"]);
        missing(&server, &[]);
        publish(world, "five").await;
        assert_eq!(seen(&server), ["POST /own five"], "who follows is lost by no 404");
    })
    .await;
}

#[tokio::test]
async fn neighbours_of_one_whose_shared_inbox_moved_are_read_one_by_one() {
    on_each_engine(async |world| {
        let maren = maren(world).await;
        let server = Stranger::new(world, "peer.test");
        let names = ["ann", "bo", "cy", "di"];
        for name in names {
            let actor = serve(&server, person(&server, name, &format!("/users/{name}/inbox"), "/old"));
            follow(world, &server, &actor, &maren).await;
        }
        for name in names {
            serve(&server, person(&server, name, &format!("/users/{name}/inbox"), "/new"));
        }
        missing(&server, &["/old"]);
        publish(world, "one").await;
        let gets = |seen: &[String]| seen.iter().filter(|one| one.starts_with("GET")).count();
        let (first, posts) = (seen(&server), names.len() + 1);
        assert_eq!((gets(&first), first.len()), (1, posts + 1), "one is read, and all are reached: {first:?}");
        for _ in 1..names.len() {
            world.advance(Duration::from_secs(2));
            world.drain().await;
            assert_eq!(gets(&seen(&server)), 1, "one at a time");
        }
        world.advance(DAY);
        publish(world, "two").await;
        assert_eq!(seen(&server), ["POST /new two"]);
    })
    .await;
}

#[tokio::test]
async fn case_91_the_accept_is_taken_at_the_first_try_where_hs2019_is_refused() {
    let Some(case) = Case::open(91) else { return };
    on_each_engine(async |world| {
        let maren = maren(world).await;
        let server = Stranger::new(world, "x4.test");
        let actor = serve(&server, case.document("actor.json", LocalAddresses::default()));
        server.answering(|seen| {
            let signature = seen.headers.get("signature").and_then(|value| value.to_str().ok()).unwrap_or_default();
            let is_known =
                signature.contains("algorithm=\"rsa-sha256\"") || signature.contains("algorithm=\"rsa-sha512\"");
            match seen.method {
                Method::POST if is_known => 202,
                Method::POST => 401,
                _ => 200,
            }
        });
        let mut follow = case.document("follow.json", LocalAddresses::default());
        follow["object"] = maren.actor_id.clone().into();
        let (key, key_id) = (Key::Rsa(shared_key()), actor["publicKey"]["id"].as_str().expect("an id"));
        let how = Cavage { key: &key, key_id, ..Cavage::default() };
        let told = server.send(server.cavage(&how, &maren.inbox, &follow)).await;
        assert_eq!(told.status, 202, "{}", told.body);
        server.take_seen();
        world.drain().await;
        let posts: Vec<_> = server.take_seen().into_iter().filter(|seen| seen.method == Method::POST).collect();
        assert_eq!(posts.iter().map(kind).collect::<Vec<_>>(), ["Accept"], "at the first try");
        assert_eq!(world.followers().await, 1);
    })
    .await;
}

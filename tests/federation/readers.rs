//! Who reads us with a signature: remembered, so that a Delete reaches their copy, and asked for where it is configured.

use std::time::Duration;

use harness::{Peer, SignOptions};
use http::Request;
use serde_json::Value;
use veerpont::inbox;

use crate::world::{GROUP, MAREN, World, on_each_engine, taken};

/// The id of an article that was published a moment ago, as the outbox shows it.
async fn newest_article(world: &World) -> String {
    let mut conn = world.app.db.read().await.expect("a connection");
    let uuid: String = sqlx::query_scalar("SELECT uuid FROM articles ORDER BY published_at DESC, id DESC LIMIT 1")
        .fetch_one(&mut *conn)
        .await
        .expect("an article");
    format!("https://social.example.org/ap/articles/{uuid}")
}

/// An unsigned GET for a document: status, headers, JSON.
async fn unsigned(world: &World, address: &str, accept: &str) -> (u16, http::HeaderMap, Value) {
    let request = Request::get(address).header("host", "social.example.org").header("accept", accept);
    let request = request.body(bytes::Bytes::new()).expect("a request");
    let (head, body) = world.net.dispatch(request).await.expect("an answer").into_parts();
    let body = axum::body::to_bytes(body, 1_000_000).await.expect("a body");
    (head.status.as_u16(), head.headers, serde_json::from_slice(&body).unwrap_or_default())
}

async fn copies(world: &World) -> i64 {
    let mut conn = world.app.db.read().await.expect("a connection");
    sqlx::query_scalar("SELECT COUNT(*) FROM article_fetched").fetch_one(&mut *conn).await.expect("a count")
}

fn deletes(peer: &Peer, article: &str) -> usize {
    let of = |object: &Value| object.as_str() == Some(article) || object["id"] == article;
    taken(peer, "Delete").iter().filter(|post| of(&post.activity["object"])).count()
}

#[tokio::test]
async fn a_delete_reaches_who_fetched_the_article_and_an_update_does_not() {
    on_each_engine(async |world| {
        world.publish().await;
        let follower = world.peer("follower.test", &["ann"]);
        world.follow(&follower, "ann", GROUP).await;
        let (reader, anonymous) = (world.peer("reader.test", &["rob"]), world.peer("anonymous.test", &["eve"]));
        world.write_post("news", "News", "Some news.", &["maren"]);
        world.publish().await;
        let article = newest_article(world).await;

        for _ in 0..3 {
            assert_eq!(reader.fetch(&article).await.expect("an answer").0, 200);
        }
        assert_eq!(follower.fetch(&article).await.expect("an answer").0, 200);
        assert_eq!(unsigned(world, &article, "application/activity+json").await.0, 200);
        // Whose signature does not hold is answered as anybody is, and not remembered as whom it names.
        let stolen = SignOptions { key_id: Some(anonymous.key_id("eve")), ..SignOptions::default() };
        let forged = reader.signed_post("rob", &article, &Value::Null, &stolen).expect("a request");
        let (mut head, _) = forged.into_parts();
        head.method = http::Method::GET;
        head.headers.insert("accept", "application/activity+json".parse().expect("a value"));
        let answer = reader.exchange(Request::from_parts(head, bytes::Bytes::new())).await.expect("an answer");
        assert_eq!(answer.status, 200, "{}", answer.body);
        world.drain().await;
        assert_eq!(copies(world).await, 2, "of the reader, and of the follower's instance actor");

        world.write_post("news", "News", "Some news, corrected.", &["maren"]);
        world.publish().await;
        assert_eq!((taken(&follower, "Update").len(), taken(&reader, "Update").len()), (1, 0));
        world.sync_removal("news").await;
        assert_eq!(
            (deletes(&follower, &article), deletes(&reader, &article), deletes(&anonymous, &article)),
            (1, 1, 0)
        );
    })
    .await;
}

#[tokio::test]
async fn authorized_fetch_shows_documents_to_signed_requests_alone() {
    const AS2: &str = "application/activity+json";
    on_each_engine(async |world| {
        world.publish().await;
        world.configure("[delivery]", "[federation]\nrequire_signed_fetch = true\n[delivery]").await;
        let peer = world.peer("peer.test", &["ann"]);
        let maren = world.follow(&peer, "ann", MAREN).await;
        let article = newest_article(world).await;

        let (status, headers, _) = unsigned(world, &article, AS2).await;
        assert_eq!((status, headers["cache-control"].to_str().expect("text")), (401, "no-store"));
        for collection in ["outbox", "followers"] {
            assert_eq!(unsigned(world, &format!("{}/{collection}", maren.actor_id), AS2).await.0, 401, "{collection}");
        }
        // An actor's keys are open, so that what it signs can be verified by whoever does not sign (C3).
        let (status, headers, stub) = unsigned(world, &maren.actor_id, AS2).await;
        assert_eq!((status, headers["vary"].to_str().expect("text")), (200, "accept, signature"));
        assert!(stub["publicKey"]["publicKeyPem"].is_string() && stub["inbox"].is_string(), "{stub}");
        assert!(stub.get("name").is_none() && stub.get("outbox").is_none(), "{stub}");
        // So are the instance actor, discovery, and pages for people.
        let (status, _, instance) = unsigned(world, "https://social.example.org/ap/instance", AS2).await;
        assert_eq!((status, instance["type"].as_str()), (200, Some("Application")));
        let found = "https://social.example.org/.well-known/webfinger?resource=acct:maren@example.org";
        assert_eq!(unsigned(world, found, "*/*").await.0, 200);
        assert_eq!(unsigned(world, "https://social.example.org/@maren", "text/html").await.0, 200);
        assert_eq!(unsigned(world, &article, "text/html").await.0, 302);

        let (status, _, document) = peer.fetch(&article).await.expect("an answer");
        assert_eq!((status, document["type"].as_str()), (200, Some("Article")));
        let (_, _, actor) = peer.fetch(&maren.actor_id).await.expect("an answer");
        assert!(actor["name"].is_string(), "{actor}");
        world.drain().await;
        assert_eq!(copies(world).await, 1, "who proved themselves is remembered too");
        // The conversation as a whole still works: the peer is sent a new post, and reads it by a signed request.
        world.write_post("more", "More", "More news.", &["maren"]);
        world.publish().await;
        assert_eq!(taken(&peer, "Create").len(), 1);
    })
    .await;
}

#[tokio::test]
async fn who_asks_too_much_is_told_when_to_come_back_and_old_texts_are_forgotten() {
    on_each_engine(async |world| {
        world.publish().await;
        world.configure("[delivery]", "[limits]\ninbox_per_host = 3\n[delivery]").await;
        let peer = world.peer("peer.test", &["ann"]);
        let maren = peer.lookup(MAREN).await.expect("an actor");
        let like = |number: u32| {
            serde_json::json!({ "@context": "https://www.w3.org/ns/activitystreams", "type": "ChatMessage",
            "id": format!("https://peer.test/likes/{number}"), "actor": peer.actor_id("ann"), "object": maren.actor_id })
        };
        let mut statuses = Vec::new();
        for number in 0..4 {
            let signed = peer.signed_post("ann", &maren.inbox, &like(number), &SignOptions::default());
            let answer = world.net.dispatch(signed.expect("a request")).await.expect("an answer");
            statuses.push(answer.status().as_u16());
            let retry_after = answer.headers().get("retry-after").map(|value| value.to_str().expect("text").to_owned());
            assert_eq!(retry_after.as_deref(), (number == 3).then_some("20"), "G9");
        }
        assert_eq!(statuses, [202, 202, 202, 429]);
        world.advance(Duration::from_secs(20));
        let later = peer.post_signed("ann", &maren.inbox, &like(3), &SignOptions::default()).await.expect("an answer");
        assert_eq!(later.status, 202, "{}", later.body);
        world.advance(Duration::from_mins(2));
        let follow = world.follow(&peer, "ann", MAREN).await;

        // What is not understood yet goes after a fortnight, a follow's text after a month; the verdicts stay.
        let tidy = async || inbox::housekeeping::tidy(&world.app).await.expect("tidied");
        assert_eq!(tidy().await, 0);
        world.advance(Duration::from_hours(15 * 24));
        assert_eq!(tidy().await, 4);
        world.advance(Duration::from_hours(16 * 24));
        assert_eq!((tidy().await, tidy().await), (1, 0));
        let counts = [("accepted".to_owned(), 1), ("deferred".to_owned(), 4)];
        assert_eq!(world.verdicts().await, counts);
        // The same Follow once more is understood from its new text (D8).
        let again = taken(&peer, "Accept");
        let embedded = again.last().expect("an Accept").activity["object"].clone();
        let mut repeated = embedded;
        repeated["@context"] = "https://www.w3.org/ns/activitystreams".into();
        let answer = peer.post_signed("ann", &follow.inbox, &repeated, &SignOptions::default()).await;
        assert_eq!(answer.expect("an answer").status, 202);
        world.drain().await;
        assert_eq!(world.verdicts().await, counts);
    })
    .await;
}

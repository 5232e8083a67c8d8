//! A long conversation beside a hundred thousand other things that were said: who looks at it, or adds to it, pays for it alone.

use axum::Router;
use axum::body::Body;
use harness::{Peer, SignOptions};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use tower::ServiceExt;
use veerpont::site::comment_export;
use veerpont::web;

use crate::statements::{Counting, Statements};
use crate::world::{World, on_each_engine};

const INBOX: &str = "https://social.example.org/ap/inbox";
const PUBLIC: &str = "https://www.w3.org/ns/activitystreams#Public";

/// Replies in the conversation, and what else was said on the server.
const THREAD: i64 = 1_000;
const OTHERS: i64 = 100_000;

/// Most statements, and rows that they answer, of a page, its JSON, its collections, and a look of a hand-back.
const READING: usize = 60;
const READ: u64 = 1_500;

/// The same of a new reply from its arrival to its verdict.
const ANSWERING: usize = 70;
const ANSWERED: u64 = 60;

/// Replies by SQL: what matters here is how many there are.
async fn said(world: &World, article: i64, from: i64, to: i64) {
    let write = world.app.db.write(move |conn| {
        Box::pin(async move {
            let words = "(SELECT MIN(w.document) FROM interactions w WHERE w.document IS NOT NULL)";
            let number = format!("WITH RECURSIVE n (i) AS (SELECT CAST({from} AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < {to})");
            let rows = format!(
                "INSERT INTO interactions (id, article_id, remote_actor_id, kind, activity_id, object_id, document, published_at, received_at)
                 {number} SELECT n.i, {article}, n.i % 500 + 1, 'reply', 'https://crowd.test/a/' || n.i, 'https://crowd.test/o/' || n.i,
                 {words}, n.i, n.i FROM n"
            );
            sqlx::query(AssertSqlSafe(rows)).execute(conn).await
        })
    });
    write.await.map_err(|error: sqlx::Error| error).expect("replies");
}

/// Five hundred people on one server.
async fn people(world: &World) {
    let write = world.app.db.write(move |conn| {
        Box::pin(async move {
            for statement in [
                "INSERT INTO hosts (id, name) VALUES (1, 'crowd.test')",
                "INSERT INTO inboxes (id, host_id, url, shared) VALUES (1, 1, 'https://crowd.test/inbox', 1)",
                "INSERT INTO remote_actors (id, url, kind, username, name, profile_url, inbox_id, fetched_at)
                 WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
                 SELECT n.i, 'https://crowd.test/u/' || n.i, 'Person', 'u' || n.i, 'Someone', 'https://crowd.test/@u' || n.i, 1, 0 FROM n",
            ] {
                sqlx::query(statement).execute(&mut *conn).await?;
            }
            Ok::<_, sqlx::Error>(())
        })
    });
    write.await.expect("people");
}

/// An article of the bridge: row and public name.
pub(crate) async fn article(world: &World, key: &str) -> (i64, String) {
    let mut conn = world.app.db.read().await.expect("a connection");
    let row =
        sqlx::query_as("SELECT a.id, a.uuid FROM articles a JOIN posts p ON p.article_id = a.id WHERE p.key = $1")
            .bind(key)
            .fetch_one(&mut *conn);
    row.await.expect("an article")
}

pub(super) async fn reply(world: &World, peer: &Peer, number: u32, answered: &str) {
    let author = peer.actor_id("ann");
    let note = json!({
        "id": format!("{author}/statuses/{number}"), "type": "Note", "attributedTo": author, "inReplyTo": answered, "to": [PUBLIC],
        "content": "<p>Words</p>", "published": "2026-11-02T09:00:00Z",
    });
    let create = json!({
        "@context": "https://www.w3.org/ns/activitystreams", "id": format!("{author}/c{number}"), "type": "Create", "actor": author,
        "object": note, "to": [PUBLIC],
    });
    let answer = peer.post_signed("ann", INBOX, &create, &SignOptions::default()).await.expect("an answer");
    assert_eq!(answer.status, 202, "{}", answer.body);
    world.drain().await;
}

async fn get(router: &Router, path: &str, accept: &str) -> String {
    let request = Request::get(path).header("accept", accept).header("host", "social.example.org");
    let response = router.clone().oneshot(request.body(Body::empty()).expect("a request")).await.expect("infallible");
    assert_eq!(response.status(), StatusCode::OK, "{path}");
    let body = response.into_body().collect().await.expect("a body").to_bytes();
    String::from_utf8(body.to_vec()).expect("text")
}

/// Everything that shows the conversation, read once, when nothing of it is prepared.
async fn read_all(world: &World, uuid: &str, counting: &Counting) -> Statements {
    let router = &web::router(world.app.clone()).await.expect("a router");
    counting.take();
    let activity = "application/activity+json";
    let page = get(router, &format!("/@maren/{uuid}"), "text/html").await;
    assert!(page.contains("Words"), "{page}");
    get(router, "/api/v1/conversation?url=https://example.org/post/ferry/", "application/json").await;
    let document: Value =
        serde_json::from_str(&get(router, &format!("/ap/articles/{uuid}"), activity).await).expect("JSON");
    for id in [&document["replies"]["id"], &document["context"], &document["likes"]["id"], &document["shares"]["id"]] {
        let path = id.as_str().expect("an id").strip_prefix("https://social.example.org").expect("ours");
        get(router, path, activity).await;
    }
    let mut conn = world.app.db.read().await.expect("a connection");
    let source: i64 = sqlx::query_scalar("SELECT id FROM sources").fetch_one(&mut *conn).await.expect("a source");
    comment_export::View::take(&world.app, &mut conn, veerpont::base::ids::SourceId(source)).await.expect("a look");
    counting.take().but_looks()
}

#[tokio::test]
async fn a_long_conversation_costs_no_more_beside_a_hundred_thousand_others() {
    on_each_engine(async |world| {
        world.publish().await;
        world.write_post("ferry", "The ferry", "It sails at ten.", &["maren"]);
        world.write_post("tides", "The tides", "High at noon.", &["joris"]);
        world.publish().await;
        let ((ferry, uuid), (tides, other)) = (article(world, "post/ferry").await, article(world, "post/tides").await);
        let peer = world.peer("peer.test", &["ann"]);
        let id = |uuid: &str| format!("https://social.example.org/ap/articles/{uuid}");
        reply(world, &peer, 1, &id(&uuid)).await;
        reply(world, &peer, 2, &id(&other)).await;
        people(world).await;
        said(world, ferry, 1, THREAD).await;
        let counting = Counting::begin();
        read_all(world, &uuid, &counting).await;
        let before = read_all(world, &uuid, &counting).await;
        said(world, tides, THREAD + 1, THREAD + OTHERS).await;
        let after = read_all(world, &uuid, &counting).await;
        assert!(
            after.len() <= before.len() && after.rows() <= before.rows(),
            "{}{}",
            before.breakdown(),
            after.breakdown()
        );
        assert!(after.len() <= READING && after.rows() <= READ, "{}", after.breakdown());

        counting.take();
        reply(world, &peer, 3, &id(&uuid)).await;
        let verdict = counting.take();
        assert!(verdict.len() <= ANSWERING && verdict.rows() <= ANSWERED, "{}", verdict.breakdown());
    })
    .await;
}

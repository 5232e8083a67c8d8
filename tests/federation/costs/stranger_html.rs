//! HTML that is made to be dear: whoever sends it gets a verdict, and so does everybody else.

use std::cell::Cell;

use harness::{Peer, SignOptions};
use serde_json::{Value, json};

use crate::hostile_html::shapes;
use crate::statements::Counting;
use crate::stranger::CONTEXT;
use crate::support::engines;
use crate::world::{World, on_each_engine};

const INBOX: &str = "https://social.example.org/ap/inbox";

/// Bytes of each shape.
const BYTES: usize = 100_000;

/// Most bytes of HTML read for a text of that length, all rounds together.
const READ: u64 = 16 * 100_000;

/// Most steps for it: in a round 64 for each byte, and 200,000.
const STEPS: u64 = 8 * (64 * 100_000 + 300_000);

async fn article(world: &World) -> String {
    world.publish().await;
    world.write_post("ferry", "The ferry", "It sails at ten.", &["maren"]);
    world.publish().await;
    let mut conn = world.app.db.read().await.expect("a connection");
    let uuid: String = sqlx::query_scalar("SELECT uuid FROM articles ORDER BY published_at DESC, id DESC LIMIT 1")
        .fetch_one(&mut *conn)
        .await
        .expect("an article");
    format!("https://social.example.org/ap/articles/{uuid}")
}

async fn knock(peer: &Peer, user: &str, mut activity: Value) {
    activity["@context"] = CONTEXT.into();
    activity["actor"] = peer.actor_id(user).into();
    let answer = peer.post_signed(user, INBOX, &activity, &SignOptions::default()).await.expect("an answer");
    assert_eq!(answer.status, 202, "{}", activity["id"]);
}

/// How many activities of others have a verdict, and how many made us fail or still wait.
async fn verdicts(world: &World) -> (i64, i64) {
    let all = world.verdicts().await;
    let sum = |bad: bool| {
        let counted = all.iter().filter(|(verdict, _)| matches!(verdict.as_str(), "waiting" | "failed") == bad);
        counted.map(|(_, count)| count).sum()
    };
    (sum(false), sum(true))
}

#[tokio::test]
async fn a_reply_of_every_shape_gets_its_verdict_and_so_does_a_like_beside_it() {
    let (run, engines) = (Cell::new(0), engines().len());
    on_each_engine(async |world| {
        // Each shape comes to one of the engines: reading it is the same on all.
        let turn = run.replace(run.get() + 1);
        let article = article(world).await;
        let (dear, quiet) = (world.peer("dear.test", &["ann"]), world.peer("quiet.test", &["bob"]));
        let (ann, bob) = (dear.actor_id("ann"), quiet.actor_id("bob"));
        let shapes = shapes(BYTES).into_iter().filter(|(_, html)| !html.contains('\0'));
        for (number, (shape, html)) in shapes.enumerate().filter(|(number, _)| number % engines == turn) {
            let before = verdicts(world).await.0;
            let note = json!({ "id": format!("{ann}/statuses/{number}"), "type": "Note", "attributedTo": ann,
                "inReplyTo": article, "content": html, "to": ["https://www.w3.org/ns/activitystreams#Public"] });
            let counting = Counting::begin();
            knock(&dear, "ann", json!({ "id": format!("{ann}/c{number}"), "type": "Create", "object": note })).await;
            let like = format!("{bob}/l{number}");
            knock(&quiet, "bob", json!({ "id": like, "type": "Like", "object": article })).await;
            world.drain().await;
            let read = counting.take_html();
            assert_eq!(verdicts(world).await, (before + 2, 0), "{shape}");
            assert!(read.bytes > 0 && read.bytes <= READ, "{shape}: {read:?}");
            assert!(read.steps <= STEPS, "{shape}: {read:?}");
        }
        let kept = sqlx::query_scalar::<_, i64>("SELECT COUNT(*) FROM interactions WHERE kind = 'reply'");
        let mut conn = world.app.db.read().await.expect("a connection");
        assert!(kept.fetch_one(&mut *conn).await.expect("a count") > 10, "they are kept as replies");
    })
    .await;
}

#[tokio::test]
async fn of_a_report_no_more_is_read_than_of_a_post() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let dear = world.peer("dear.test", &["ann"]);
        let ann = dear.actor_id("ann");
        for (number, shape) in ["formatting open in each paragraph", "attributes of a closed tag", "foster parents"]
            .into_iter()
            .enumerate()
        {
            let before = verdicts(world).await.0;
            let (_, html) = shapes(800_000).into_iter().find(|(name, _)| *name == shape).expect("a shape");
            let counting = Counting::begin();
            let id = format!("{ann}/f{number}");
            knock(&dear, "ann", json!({ "id": id, "type": "Flag", "content": html, "object": [article] })).await;
            world.drain().await;
            let read = counting.take_html();
            assert_eq!(verdicts(world).await, (before + 1, 0), "{shape}");
            assert!(read.bytes > 0 && read.bytes <= READ && read.steps <= STEPS, "{shape}: {read:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_reply_is_read_once_for_all_who_judge_and_keep_it() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let peer = world.peer("peer.test", &["ann"]);
        let ann = peer.actor_id("ann");
        let html = "<p>Some <em>words</em>.</p>".repeat(100);
        let note = json!({ "id": format!("{ann}/statuses/1"), "type": "Note", "attributedTo": ann,
            "inReplyTo": article, "content": html, "to": ["https://www.w3.org/ns/activitystreams#Public"] });
        let counting = Counting::begin();
        knock(&peer, "ann", json!({ "id": format!("{ann}/c1"), "type": "Create", "object": note })).await;
        world.drain().await;
        let read = counting.take_html();
        // Cleaned, and cleaned again to see that it is clean.
        assert_eq!(read.bytes, 2 * u64::try_from(html.len()).expect("a number"), "{read:?}");
    })
    .await;
}

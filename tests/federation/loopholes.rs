//! Ways round the rules, each tried and closed: past a moderator, past a block, and into a state that never ends.

use std::time::Duration;

use serde_json::{Value, json};
use veerpont::inbox::review;
use veerpont::model::interaction::State;
use veerpont::moderation::listing::{self, BlockRequest};
use veerpont::moderation::review::Decision;
use veerpont::moderation::{BlockKind, ModerationNote, Severity};

use crate::stranger::CONTEXT;
use crate::threads::{Person, article, id, last_verdict};
use crate::world::{World, on_each_engine};

async fn first_held(world: &mut World) {
    world.configure("policy = \"open\"", "policy = \"first-held\"").await;
}

async fn decide(world: &World, id: &str, decision: Decision) -> State {
    let state = review::decide(&world.app, id, decision, ModerationNote::default()).await.expect("a decision");
    world.drain().await;
    state
}

/// A first word that was taken back before anyone saw it vouches for nobody.
#[tokio::test]
async fn a_deleted_first_word_lets_no_second_one_in() {
    on_each_engine(async |world| {
        first_held(world).await;
        let article = article(world).await;
        let eve = Person::new(world, "eve.test");
        let (first, second) = (eve.note(1, &article), eve.note(2, &article));
        eve.send(world, &eve.activity("Delete", "d1", id(&first))).await;
        eve.send(world, &eve.activity("Create", "c1", first)).await;
        eve.send(world, &eve.activity("Create", "c2", second)).await;
        assert_eq!(world.reply_texts().await, Vec::<String>::new(), "it waits for a moderator");
    })
    .await;
}

/// What a stranger wrote sends us nowhere before a moderator has let it in; then the rest of its thread is read.
#[tokio::test]
async fn a_thread_is_completed_once_its_reply_is_let_in() {
    on_each_engine(async |world| {
        first_held(world).await;
        let article = article(world).await;
        let (ann, bob) = (Person::new(world, "ann.test"), Person::new(world, "bob.test"));
        let mut note = ann.note(1, &article);
        note["replies"] = format!("{}/replies", id(&note)).into();
        let below = bob.note(2, &id(&note));
        ann.server.serve(
            "/users/u/notes/1/replies",
            &json!({ "@context": CONTEXT, "id": note["replies"], "type": "Collection", "items": [id(&below)] }),
        );
        ann.serve(&note);
        bob.serve(&below);
        ann.send(world, &ann.activity("Create", "c1", note.clone())).await;
        world.advance(Duration::from_hours(1));
        world.drain().await;
        assert_eq!(world.requests("GET https://ann.test/users/u/notes/"), 0, "nothing of what is held is read");
        assert_eq!(decide(world, &id(&note), Decision::Approve).await, State::Shown);
        world.advance(Duration::from_mins(10));
        world.drain().await;
        assert_eq!(world.requests("GET https://ann.test/users/u/notes/1/replies"), 1);
        assert_eq!(world.requests("GET https://bob.test/users/u/notes/2"), 1);
        assert_eq!(world.reply_texts().await, ["1"], "his own first word waits in its turn");
        assert_eq!(decide(world, &id(&below), Decision::Approve).await, State::Shown);
        assert_eq!(world.reply_texts().await, ["1", "2"]);
    })
    .await;
}

/// A parent that could not be read once can be read when it is asked for again.
#[tokio::test]
async fn a_branch_that_failed_once_heals() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let (ann, bob) = (Person::new(world, "ann.test"), Person::new(world, "bob.test"));
        let root = bob.note(1, &article);
        let middle = ann.note(2, &id(&root));
        ann.serve(&middle);
        bob.serve(&root);
        world.net.set_down("bob.test", true);
        ann.send(world, &ann.activity("Create", "c3", ann.note(3, &id(&middle)))).await;
        for _ in 0..40 {
            world.advance(Duration::from_hours(6));
            world.drain().await;
        }
        assert_eq!(last_verdict(world).await.0, "declined");
        assert_eq!(world.reply_texts().await, Vec::<String>::new());
        world.net.set_down("bob.test", false);
        world.advance(Duration::from_hours(700));
        ann.send(world, &ann.activity("Create", "c4", ann.note(4, &id(&middle)))).await;
        assert_eq!(world.reply_texts().await, ["1", "2", "3", "4"], "and what was declined for want of it is let in");
    })
    .await;
}

/// A Delete counts against a post that is not known yet only if it is of who wrote that.
#[tokio::test]
async fn nobody_ends_what_somebody_else_has_yet_to_say() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let ann = Person::new(world, "big.test");
        let eve = ann.neighbour("/users/eve");
        let note = ann.note(1, &article);
        ann.serve(&note);
        eve.send(world, &eve.activity("Delete", "d1", id(&note))).await;
        ann.send(world, &ann.activity("Create", "c1", id(&note))).await;
        assert_eq!(world.reply_texts().await, ["1"]);
    })
    .await;
}

/// FEP-044f: under a policy that holds, whoever asked to quote is answered when a moderator has decided, each time.
#[tokio::test]
async fn a_quote_that_is_let_in_is_given_its_permission() {
    on_each_engine(async |world| {
        first_held(world).await;
        let article = article(world).await;
        let bob = Person::new(world, "bob.test");
        let quote = bob.quote(1, &article);
        bob.serve(&quote);
        bob.send(world, &bob.quote_request("q1", &article, &quote)).await;
        let told = || -> Vec<String> {
            let posts = bob.server.take_seen().into_iter().filter(|seen| seen.method == http::Method::POST);
            let kinds = posts.map(|seen| serde_json::from_slice::<Value>(&seen.body).expect("JSON")["type"].clone());
            kinds.map(|kind| kind.as_str().expect("a type").to_owned()).collect()
        };
        assert_eq!(told(), Vec::<String>::new(), "{:?}", last_verdict(world).await);
        decide(world, &id(&quote), Decision::Approve).await;
        assert_eq!(told(), ["Accept"]);
        decide(world, &id(&quote), Decision::Hide).await;
        assert_eq!(told(), ["Delete"], "its permission is taken back");
        world.advance(Duration::from_mins(5));
        decide(world, &id(&quote), Decision::Approve).await;
        assert_eq!(told(), ["Accept"], "and given anew");
    })
    .await;
}

/// A post that answers somebody's own thread and shows an article of ours is a quote of that.
#[tokio::test]
async fn a_quote_in_a_thread_of_others_is_a_quote() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let (ann, bob) = (Person::new(world, "ann.test"), Person::new(world, "bob.test"));
        let root = ann.quote(1, "https://nobody.test/1");
        ann.serve(&root);
        let mut quote = bob.note(2, &id(&root));
        quote["quote"] = article.clone().into();
        bob.send(world, &bob.activity("Create", "c2", quote)).await;
        let (verdict, reason) = last_verdict(world).await;
        assert_eq!((verdict.as_str(), reason.as_str()), ("accepted", "a quote of “The ferry”"));
    })
    .await;
}

/// G11: who is blocked can say no more, but take back what they said, which is not shown again when the block ends.
#[tokio::test]
async fn what_is_deleted_during_a_block_stays_deleted() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let bob = Person::new(world, "bob.test");
        let (first, second) = (bob.note(1, &article), bob.note(2, &article));
        bob.send(world, &bob.activity("Create", "c1", first.clone())).await;
        bob.send(world, &bob.activity("Create", "c2", second.clone())).await;
        let domain = || BlockRequest { kind: BlockKind::Domain, value: "bob.test", actor: None };
        listing::add(&world.app, domain(), Severity::Block, ModerationNote::default()).await.expect("a block");
        world.drain().await;
        assert_eq!(world.reply_texts().await, Vec::<String>::new());
        let before = world.requests("GET https://bob.test/");
        world.advance(Duration::from_hours(24 * 30));
        bob.send(world, &bob.activity("Delete", "d1", id(&first))).await;
        assert_eq!(last_verdict(world).await, ("accepted".to_owned(), "the reply is gone".to_owned()));
        assert_eq!(world.requests("GET https://bob.test/"), before, "nothing is read at a blocked server (C10)");
        assert_eq!(bob.knock(&bob.activity("Create", "c3", bob.note(3, &article))).await, 403);
        listing::remove(&world.app, domain(), ModerationNote::default()).await.expect("no block");
        world.drain().await;
        assert_eq!(world.reply_texts().await, ["2"]);
    })
    .await;
}

/// E14: an Undo may name the Delete by its id alone.
#[tokio::test]
async fn a_delete_is_taken_back_by_its_id_alone() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let bob = Person::new(world, "bob.test");
        let note = bob.note(1, &article);
        bob.serve(&note);
        bob.send(world, &bob.activity("Create", "c1", note.clone())).await;
        let delete = bob.activity("Delete", "d1", id(&note));
        bob.send(world, &delete).await;
        assert_eq!(world.reply_texts().await, Vec::<String>::new());
        world.advance(Duration::from_mins(2));
        bob.send(world, &bob.activity("Undo", "u1", id(&delete))).await;
        assert_eq!(world.reply_texts().await, ["1"], "{:?}", last_verdict(world).await);
    })
    .await;
}

/// E6, G11: a private word that nobody wants to keep leaves a verdict and no text, here or in any backup.
#[tokio::test]
async fn a_private_word_is_forgotten_at_once() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let bob = Person::new(world, "bob.test");
        let mut note = bob.note(1, &article);
        note["to"] = json!(["https://social.example.org/somebody"]);
        note["content"] = "<p>for your eyes only</p>".into();
        bob.send(world, &bob.activity("Create", "c1", note)).await;
        assert_eq!(last_verdict(world).await.0, "declined");
        let mut conn = world.app.db.read().await.expect("a connection");
        let kept: Vec<String> = sqlx::query_scalar("SELECT raw FROM inbound WHERE raw LIKE '%eyes only%'")
            .fetch_all(&mut *conn)
            .await
            .expect("texts");
        assert_eq!(kept, Vec::<String>::new());
    })
    .await;
}

/// What waits for a document behind one that cannot be had is told so, however much of it there is; and so is what waits
/// for an address that leads nowhere.
#[tokio::test]
async fn everything_that_waits_in_vain_is_told() {
    on_each_engine(async |world| {
        let _ = article(world).await;
        let (ann, bob) = (Person::new(world, "ann.test"), Person::new(world, "bob.test"));
        let root = format!("{}/notes/0", bob.id);
        world.net.set_down("bob.test", true);
        for number in 1..=70 {
            let middle = ann.note(number, &root);
            ann.serve(&middle);
            ann.post(&ann.activity("Create", &format!("c{number}"), ann.note(number + 100, &id(&middle)))).await;
        }
        ann.post(&ann.activity("Create", "nowhere", ann.note(900, "urn:uuid:0"))).await;
        for _ in 0..40 {
            world.drain().await;
            world.advance(Duration::from_hours(6));
        }
        let mut conn = world.app.db.read().await.expect("a connection");
        let open: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM inbound WHERE verdict IS NULL OR verdict = 'deferred'")
                .fetch_one(&mut *conn)
                .await
                .expect("a count");
        assert_eq!(open, 0);
    })
    .await;
}

/// No number that is asked for breaks a page.
#[tokio::test]
async fn a_page_beyond_all_pages_is_empty() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let bob = Person::new(world, "bob.test");
        let document: Value = serde_json::from_str(&bob.server.ask(&article).await.body).expect("JSON");
        let replies = document["replies"]["id"].as_str().expect("an id");
        let context = document["context"].as_str().expect("an id");
        for page in [replies, context].map(|collection| format!("{collection}?from={}", i64::MAX)) {
            let told = bob.server.ask(&page).await;
            assert_eq!(told.status, 200, "{page}");
            let page: Value = serde_json::from_str(&told.body).expect("JSON");
            let items = ["items", "orderedItems"].map(|key| page[key].as_array().map_or(0, Vec::len));
            assert_eq!((items, page.get("next")), ([0, 0], None));
        }
    })
    .await;
}

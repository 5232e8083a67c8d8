//! Who may do what: nobody speaks for another, not even for a neighbour, and nothing is shown to more people than before
//! (interop E3, E5, E14, F10).

use std::time::Duration;

use serde_json::{Value, json};
use veerpont::activitypub::Local;
use veerpont::moderation::listing::{self, BlockRequest};
use veerpont::moderation::{BlockKind, ModerationNote, Severity};

use crate::threads::{PUBLIC, Person, article, last_verdict};
use crate::world::{MAREN, World, on_each_engine};

/// Sends an activity a minute later; the verdict and why.
async fn told(world: &World, person: &Person, activity: &Value) -> (String, String) {
    world.advance(Duration::from_mins(1));
    person.send(world, activity).await;
    last_verdict(world).await
}

fn is(verdict: &(String, String), outcome: &str, why: &str) {
    assert_eq!((verdict.0.as_str(), verdict.1.as_str()), (outcome, why));
}

/// A note in other words, as an Update brings it.
fn edited(note: &Value, words: &str, minute: u32) -> Value {
    let mut edited = note.clone();
    edited["content"] = words.into();
    edited["updated"] = format!("2026-11-01T12:{minute:02}:00Z").into();
    edited
}

/// What everyone sees of an article: the words of its replies, and how many like and boosted it.
async fn seen(world: &World, article: &str) -> (Vec<String>, u64, u64) {
    let Some(Local::Article(uuid)) = world.app.urls.local(article) else { panic!("{article} is no article") };
    let answers = {
        let mut conn = world.app.db.read().await.expect("a connection");
        let article =
            veerpont::model::post::store::article_by_uuid(&mut conn, uuid).await.expect("a row").expect("an article");
        veerpont::model::interaction::store::answers(&mut conn, article.id).await.expect("counts")
    };
    (world.reply_texts().await, answers.likes, answers.boosts)
}

/// Everything that anybody can read of an article's conversation.
async fn open_to_all(person: &Person, article: &str) -> String {
    let document = person.server.ask(article).await.body;
    let parts: Value = serde_json::from_str(&document).expect("JSON");
    let replies = person.server.ask(parts["replies"]["id"].as_str().expect("an id")).await.body;
    let context = person.server.ask(parts["context"].as_str().expect("an id")).await.body;
    let shown = person.server.ask(&format!("https://social.example.org/api/v1/conversation?id={article}")).await.body;
    [document, replies, context, shown].join("\n")
}

async fn block(world: &World, kind: BlockKind, value: &str) {
    let wish = BlockRequest { kind, value, actor: None };
    listing::add(&world.app, wish, Severity::Block, ModerationNote::default()).await.expect("a block");
    world.drain().await;
}

/// E5, CVE-2024-37903: a public post does not become private, and no private one public.
#[tokio::test]
async fn who_may_read_does_not_change_by_an_update() {
    on_each_engine(async |world| {
        world.configure("policy = \"open\"", "policy = \"open\"\nkeep_private = true").await;
        let article = article(world).await;
        let maren = world.peer("other.test", &["x"]).lookup(MAREN).await.expect("an actor").actor_id;
        let (ann, bob) = (Person::new(world, "ann.test"), Person::new(world, "bob.test"));
        let same = "who may read a post does not change with an edit";

        let open = ann.note(1, &article);
        told(world, &ann, &ann.activity("Create", "c1", open.clone())).await;
        for (name, to) in [("u1", json!([maren])), ("u2", json!([format!("{}/followers", ann.id)])), ("u3", json!([]))]
        {
            let mut closed = edited(&open, "<p>For few</p>", 1);
            closed["to"] = to;
            is(&told(world, &ann, &ann.activity("Update", name, closed)).await, "declined", same);
        }
        assert_eq!(world.reply_texts().await, ["1"]);

        // What is kept for Maren alone.
        let mut private = ann.note(2, &article);
        private["to"] = json!([maren]);
        let verdict = told(world, &ann, &ann.activity("Create", "c2", private.clone())).await;
        is(&verdict, "accepted", "a private word on “The ferry”, for its author alone");
        let kept = ["1"];
        assert_eq!(
            (world.reply_texts().await, world.private_texts().await),
            (vec!["1".to_owned()], vec!["2".to_owned()])
        );
        let id = private["id"].as_str().expect("an id");
        for (name, key) in [("u4", "to"), ("u5", "cc")] {
            let mut opened = edited(&private, "<p>For all</p>", 2);
            opened[key] = json!([PUBLIC]);
            is(&told(world, &ann, &ann.activity("Update", name, opened.clone())).await, "declined", same);
            // Nor by somebody else's hand, though its origin shows it so now.
            ann.serve(&opened);
            let forwarded = ann.activity("Update", &format!("{name}/forwarded"), opened);
            told(world, &bob, &forwarded).await;
            assert_eq!(world.reply_texts().await, kept);
            assert_eq!(world.private_texts().await, ["2"]);
        }
        let read = open_to_all(&bob, &article).await;
        assert!(read.contains(open["id"].as_str().expect("an id")) && !read.contains("For few"), "{read}");
        assert!(!read.contains(id) && !read.contains("For all"), "{read}");
    })
    .await;
}

/// Unlisted stays unlisted: whoever wrote it did not want it in timelines.
#[tokio::test]
async fn an_unlisted_post_is_not_listed_by_an_update() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let ann = Person::new(world, "ann.test");
        let mut unlisted = ann.note(1, &article);
        unlisted["to"] = json!([]);
        unlisted["cc"] = json!([PUBLIC]);
        told(world, &ann, &ann.activity("Create", "c1", unlisted.clone())).await;
        let mut listed = edited(&unlisted, "<p>Listed</p>", 1);
        listed["to"] = json!([PUBLIC]);
        told(world, &ann, &ann.activity("Update", "u1", listed)).await;
        let mut conn = world.app.db.read().await.expect("a connection");
        let id = unlisted["id"].as_str().expect("an id");
        let kept = veerpont::model::interaction::store::post(&mut conn, id).await.expect("a row").expect("a reply");
        let words =
            veerpont::model::interaction::store::words(&mut conn, kept.id).await.expect("a row").expect("words");
        assert_eq!(json!(words.audience), "unlisted");
    })
    .await;
}

/// E14: by its shape, by its id, embedded or bare, an Undo undoes only what its own actor did.
#[tokio::test]
async fn nobody_undoes_what_somebody_else_did() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let maren = world.peer("other.test", &["x"]).lookup(MAREN).await.expect("an actor").actor_id;
        let ann = Person::new(world, "ann.test");
        let (mal, eve) = (ann.neighbour("/users/mal"), Person::new(world, "eve.test"));
        let deeds = [
            ann.activity("Follow", "f1", maren.as_str()),
            ann.activity("Like", "l1", article.as_str()),
            ann.activity("Announce", "b1", article.as_str()),
        ];
        for deed in &deeds {
            assert_eq!(told(world, &ann, deed).await.0, "accepted", "{deed}");
        }
        let followers = world.followers().await;
        let stands = (vec![], 1, 1);
        for (number, deed) in deeds.iter().enumerate() {
            for thief in [&mal, &eve] {
                let undo = |how: &str, object: Value| thief.activity("Undo", &format!("{how}{number}"), object);
                let embedded = told(world, thief, &undo("embedded", deed.clone())).await;
                is(&embedded, "declined", "it undoes what somebody else did");
                let bare = told(world, thief, &undo("bare", deed["id"].clone())).await;
                is(&bare, "ignored", "nothing of that id is known; remembered, should it come late");
                // As their own, under the id of somebody else's.
                let mut claimed = deed.clone();
                claimed["actor"] = thief.id.clone().into();
                assert_eq!(told(world, thief, &undo("claimed", claimed)).await.0, "ignored");
                let anonymous = json!({ "id": deed["id"], "type": deed["type"], "object": deed["object"] });
                assert_eq!(told(world, thief, &undo("anonymous", anonymous)).await.0, "ignored");
                // Signed by somebody else than its actor.
                let forged = ann.activity("Undo", &format!("forged{number}/{}", thief.server.id("")), deed.clone());
                assert_eq!(told(world, thief, &forged).await.0, "declined");
            }
        }
        assert_eq!((seen(world, &article).await, world.followers().await), (stands, followers));
        for (number, deed) in deeds.iter().enumerate() {
            let undo = ann.activity("Undo", &format!("u{number}"), deed.clone());
            assert_eq!(told(world, &ann, &undo).await.0, "accepted", "its own actor undoes it");
        }
        assert_eq!((seen(world, &article).await, world.followers().await), ((vec![], 0, 0), followers - 1));
    })
    .await;
}

/// E3, E5: of one server is not of one person.
#[tokio::test]
async fn a_neighbour_changes_nobodys_words() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let ann = Person::new(world, "ann.test");
        let mal = ann.neighbour("/users/mal");
        let note = ann.note(1, &article);
        ann.serve(&note);
        told(world, &ann, &ann.activity("Create", "c1", note.clone())).await;

        let forged = edited(&note, "<p>Forged</p>", 1);
        let verdict = told(world, &mal, &mal.activity("Update", "u1", forged.clone())).await;
        is(&verdict, "declined", "the post is not of the one who sends it");
        let mut taken = forged.clone();
        taken["attributedTo"] = mal.id.clone().into();
        let verdict = told(world, &mal, &mal.activity("Update", "u2", taken.clone())).await;
        is(&verdict, "declined", "the reply is somebody else's");
        // As a Create, and as one of two authors.
        let verdict = told(world, &mal, &mal.activity("Create", "c2", forged.clone())).await;
        is(&verdict, "declined", "the post is not of the one who sends it");
        taken["attributedTo"] = json!([ann.id, mal.id]);
        let verdict = told(world, &mal, &mal.activity("Update", "u3", taken)).await;
        is(&verdict, "declined", "the post is not of the one who sends it");
        // In the victim's name, signed by the neighbour: the origin has other words.
        told(world, &mal, &ann.activity("Update", "u4", forged)).await;
        let verdict = told(world, &mal, &mal.activity("Delete", "d1", note["id"].clone())).await;
        is(&verdict, "declined", "its origin still shows it");
        // Nor is its actor changed by a neighbour.
        let actor = ann.server.actor("/users/u");
        let verdict = told(world, &mal, &mal.activity("Update", "u5", actor)).await;
        assert_eq!(verdict.0, "declined", "{}", verdict.1);
        told(world, &mal, &mal.activity("Delete", "d2", ann.id.as_str())).await;
        assert_eq!(world.reply_texts().await, ["1"]);
        let verdict = told(world, &ann, &ann.activity("Update", "u6", edited(&note, "<p>Better</p>", 2))).await;
        is(&verdict, "accepted", "the reply has new words");
        assert_eq!(world.reply_texts().await, ["Better"]);
    })
    .await;
}

/// GHSA-5h2f, CVE-2026-23961, E25: whoever is blocked does not come in by a community's hand.
#[tokio::test]
async fn a_community_passes_on_nothing_of_who_is_blocked() {
    for (kind, value) in [(BlockKind::Actor, "https://bob.test/users/u"), (BlockKind::Domain, "bob.test")] {
        on_each_engine(async |world| {
            let article = article(world).await;
            let (ann, bob) = (Person::new(world, "ann.test"), Person::new(world, "bob.test"));
            let group = Person::new(world, "group.test");
            group.says_of_itself("type", "Group");
            let known = bob.note(1, &article);
            bob.serve(&known);
            told(world, &bob, &bob.activity("Create", "c1", known.clone())).await;
            assert_eq!(world.reply_texts().await, ["1"]);
            block(world, kind, value).await;
            assert_eq!(world.reply_texts().await, Vec::<String>::new());

            let (new, changed) = (bob.note(2, &article), edited(&known, "<p>Changed</p>", 1));
            let like = bob.activity("Like", "l1", article.as_str());
            for document in [&new, &changed, &like] {
                bob.serve(document);
            }
            for (name, passed_on) in [
                ("a1", bob.activity("Create", "c2", new.clone())),
                ("a2", bob.activity("Update", "u1", changed)),
                ("a3", like),
                ("a4", new["id"].clone()),
            ] {
                world.advance(Duration::from_mins(1));
                let status = group.knock(&group.activity("Announce", name, passed_on)).await;
                world.drain().await;
                match kind {
                    BlockKind::Domain => assert_eq!(status, 403, "{name}: at the door"),
                    _ => assert_eq!((status, last_verdict(world).await.0.as_str()), (202, "declined"), "{name}"),
                }
            }
            assert_eq!(seen(world, &article).await, (vec![], 0, 0));

            // The same of somebody who is not blocked.
            let note = ann.note(3, &article);
            ann.serve(&note);
            let verdict =
                told(world, &group, &group.activity("Announce", "a5", ann.activity("Create", "c3", note))).await;
            assert_eq!(verdict.0, "accepted", "{}", verdict.1);
            assert_eq!(world.reply_texts().await, ["3"]);
        })
        .await;
    }
}

/// GHSA-q4g8-82c5-9h33 and GHSA-8h43-rcqj-wpc6: a permission is of one quote, one article and its owner.
#[tokio::test]
async fn ghsa_q4g8_a_permission_is_for_one_quote_of_one_article() {
    on_each_engine(async |world| {
        let article = article(world).await;
        world.write_post("tide", "The tide", "It turns at six.", &["maren"]);
        world.publish().await;
        let ann = Person::new(world, "big.test");
        let eve = ann.neighbour("/users/eve");
        let quote = ann.quote(1, &article);
        ann.serve(&quote);
        eve.send(world, &eve.quote_request("q1", &article, &quote)).await;
        assert_eq!(last_verdict(world).await.0, "declined");
        let mut conn = world.app.db.read().await.expect("a connection");
        let other: String = sqlx::query_scalar("SELECT uuid FROM articles ORDER BY id DESC LIMIT 1")
            .fetch_one(&mut *conn)
            .await
            .expect("an article");
        drop(conn);
        let other = format!("https://social.example.org/ap/articles/{other}");
        assert_ne!(other, article);
        ann.send(world, &ann.quote_request("q2", &other, &quote)).await;
        assert_eq!(last_verdict(world).await.0, "declined");
        ann.send(world, &ann.quote_request("q3", &article, &quote)).await;
        assert_eq!(last_verdict(world).await.0, "accepted");
    })
    .await;
}

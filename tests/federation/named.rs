//! Addresses that people copy, named in place of an id; audiences, lists and pictures in their shapes (interop U11, E6 to E8).

use serde_json::{Value, json};
use veerpont::base::ids::Handle;
use veerpont::federation::outbox::author_replies::{self, Draft};
use veerpont::model::interaction::named::{Named, named};

use crate::shared::{Case, LocalAddresses};
use crate::stranger::Stranger;
use crate::threads::{PUBLIC, Person, article, id, last_verdict};
use crate::world::{World, on_each_engine};

const PAGE: &str = "https://example.org/post/ferry/";

/// Whoever a case speaks of, on the server that it names.
fn ann(world: &World, host: &str) -> Person {
    Person::new(world, host).neighbour("/users/ann")
}

/// A number at the end of a collection of an article: how many likes, boosts or replies it has.
async fn count(person: &Person, article: &str, collection: &str) -> u64 {
    let told = person.server.ask(&format!("{article}/{collection}")).await;
    let document: Value = serde_json::from_str(&told.body).expect("JSON");
    document["totalItems"].as_u64().expect("a number")
}

fn create(person: &Person, note: &Value) -> Value {
    let name = id(note).replace(&person.id, "").replace('/', "-");
    person.activity("Create", &format!("create{name}"), note.clone())
}

/// All the addresses of an article that people come by.
fn addresses(article: &str) -> Vec<String> {
    let uuid = article.rsplit('/').next().expect("a name");
    let ours = format!("https://social.example.org/@maren/{uuid}");
    [
        PAGE,
        "https://example.org/post/ferry",
        "https://example.org/post/ferry/#comments",
        "https://example.org/post/ferry?utm_source=mail&utm_medium=social",
        "https://example.org/post/ferry/?fbclid=x#top",
        "https://EXAMPLE.org:443/post/ferry/index.html",
        "http://example.org/post/ferry/",
        &ours,
        &format!("{ours}/"),
        &format!("{ours}?utm_campaign=x#share"),
        "https://social.example.org/ap/resolve?url=https%3A%2F%2Fexample.org%2Fpost%2Fferry%2F%3Futm_source%3Dx",
        &format!("https://social.example.org/ap/resolve?url={ours}"),
        &format!("https://social.example.org/reply?id={article}"),
        &format!("{article}#x"),
        &article.replace("https://social", "https://SOCIAL"),
    ]
    .map(str::to_owned)
    .to_vec()
}

#[tokio::test]
async fn case_12_the_page_named_in_place_of_the_id() {
    let Some(case) = Case::open(12) else { return };
    on_each_engine(async |world| {
        let article = article(world).await;
        let ann = ann(world, "pageurl.test");
        let ours = LocalAddresses { page: PAGE, article: &article, actor: &ann.id, ..LocalAddresses::default() };
        ann.send(world, &case.document("reply.json", ours)).await;
        ann.send(world, &case.document("like.json", ours)).await;
        assert_eq!(world.reply_texts().await, ["To the page"]);
        assert_eq!((count(&ann, &article, "replies").await, count(&ann, &article, "likes").await), (1, 1));
    })
    .await;
}

#[tokio::test]
async fn whatever_people_copy_names_the_article() {
    on_each_engine(async |world| {
        let article = article(world).await;
        for (number, address) in (1..).zip(addresses(&article)) {
            let person = Person::new(world, &format!("peer-{number}.test"));
            person.send(world, &create(&person, &person.note(number, &address))).await;
            assert_eq!(last_verdict(world).await, ("accepted".into(), "a reply to “The ferry”".into()), "{address}");
            for (kind, what) in [("Like", "a like of “The ferry”"), ("Announce", "a boost of “The ferry”")] {
                person.send(world, &person.activity(kind, kind, address.as_str())).await;
                assert_eq!(last_verdict(world).await, ("accepted".into(), what.into()), "{kind} {address}");
            }
            let undo = person.activity("Undo", "undo", json!({ "type": "Like", "object": address }));
            person.send(world, &undo).await;
            assert_eq!(last_verdict(world).await, ("accepted".into(), "took back a like".into()), "{address}");
            let quote = person.quote(100 + number, &address);
            person.send(world, &create(&person, &quote)).await;
            assert_eq!(last_verdict(world).await, ("accepted".into(), "a quote of “The ferry”".into()), "{address}");
            person.serve(&quote);
            person.send(world, &person.quote_request("request", &address, &quote)).await;
            assert_eq!(last_verdict(world).await, ("accepted".into(), "may quote “The ferry”".into()), "{address}");
            let mut conn = world.app.db.read().await.expect("a connection");
            let found = named(&mut conn, &world.app.urls, &address).await.expect("a look");
            let found = found.and_then(Named::article).map(|found| world.app.urls.article(found.uuid));
            assert_eq!(found.as_deref(), Some(article.as_str()), "{address}");
        }
        let boosts = addresses(&article).len() as u64;
        let reader = Person::new(world, "reader.test");
        assert_eq!((count(&reader, &article, "shares").await, count(&reader, &article, "likes").await), (boosts, 0));
        // One of ours answers by such an address too.
        let to = format!("{PAGE}?utm_source=x#comments");
        let author = Handle::parse("maren").expect("a handle");
        let draft = Draft { author, to, text: "Thank you all.".to_owned(), language: None };
        let note = author_replies::send(&world.app, draft).await.expect("an answer");
        assert_eq!(note.parent, None);
        world.drain().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_near_names_nothing() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let person = Person::new(world, "peer.test");
        for (number, address) in (1..).zip([
            "https://example.org/post/",
            "https://example.org/post/ferry/two/",
            "https://other.example/post/ferry/",
            "https://social.example.org/@maren/00000000-0000-4000-8000-000000000000",
            "https://social.example.org/ap/resolve?url=https%3A%2F%2Fexample.org%2F",
            "https://social.example.org/ap/resolve",
            // It leads here only once.
            "https://social.example.org/ap/resolve?url=https://social.example.org/ap/resolve?url=https://example.org/post/ferry/",
            &format!("{article}/likes"),
            &format!("https://social.example.org:8443/ap/articles/{}", article.rsplit('/').next().expect("a name")),
        ]) {
            person.send(world, &person.activity("Like", &format!("like/{number}"), address)).await;
            assert_eq!(last_verdict(world).await.0, "declined", "{address}");
        }
        assert_eq!(count(&person, &article, "likes").await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_reply_is_named_by_its_own_page() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let (ann, bob) = (Person::new(world, "ann.test"), Person::new(world, "bob.test"));
        let with_page = |person: &Person, number: usize, answered: &str, page: &str| {
            let mut note = person.note(number, answered);
            note["url"] = page.into();
            note
        };
        let first = with_page(&ann, 1, &article, "https://ann.test/@u/1");
        ann.send(world, &create(&ann, &first)).await;
        // What is said to stand on somebody else's server is not believed.
        let mask = with_page(&bob, 2, &article, "https://ann.test/@u/2");
        bob.send(world, &create(&bob, &mask)).await;
        let to_reply = ("accepted".to_owned(), "a reply to a reply to “The ferry”".to_owned());
        for (number, address) in (3..).zip([
            "https://ann.test/@u/1",
            "https://ann.test/@u/1/?utm_source=x",
            "http://ann.test/@u/1#:~:text=a",
        ]) {
            bob.send(world, &create(&bob, &bob.note(number, address))).await;
            assert_eq!(last_verdict(world).await, to_reply, "{address}");
        }
        bob.send(world, &create(&bob, &bob.note(6, "https://ann.test/@u/2"))).await;
        assert_ne!(last_verdict(world).await.0, "accepted", "nobody there says so");
        // Several on one page: which of them is meant, nobody knows.
        for number in [7, 8] {
            let note = with_page(&ann, number, &article, "https://ann.test/thread");
            ann.send(world, &create(&ann, &note)).await;
        }
        bob.send(world, &create(&bob, &bob.note(9, "https://ann.test/thread"))).await;
        assert_eq!(last_verdict(world).await.0, "declined");
        // Deleted, its page is forgotten with its words.
        ann.send(world, &ann.activity("Delete", "delete", id(&first))).await;
        let mut conn = world.app.db.read().await.expect("a connection");
        let pages: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM interactions WHERE page = 'https://ann.test/@u/1'")
            .fetch_one(&mut *conn)
            .await
            .expect("a count");
        assert_eq!(pages, 0);
    })
    .await;
}

#[tokio::test]
async fn the_pages_of_replies_that_an_older_version_kept_are_filled_in() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let ann = Person::new(world, "ann.test");
        for number in 1..=3 {
            let mut note = ann.note(number, &article);
            note["url"] = format!("https://ann.test/@u/{number}").into();
            ann.send(world, &create(&ann, &note)).await;
        }
        let older = world.app.db.write(|conn| {
            Box::pin(async move {
                sqlx::query("UPDATE interactions SET page = NULL").execute(&mut *conn).await?;
                sqlx::query("UPDATE counters SET value = 0 WHERE name = 'pages'").execute(&mut *conn).await.map(|_| ())
            })
        });
        older.await.expect("as it was");
        veerpont::server::reread(&world.app).await.expect("filled in");
        let bob = Person::new(world, "bob.test");
        bob.send(world, &create(&bob, &bob.note(4, "https://ann.test/@u/2"))).await;
        assert_eq!(last_verdict(world).await.1, "a reply to a reply to “The ferry”");
    })
    .await;
}

#[tokio::test]
async fn a_parent_named_by_its_page_is_read_at_its_id() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let (ann, bob) = (Person::new(world, "ann.test"), Person::new(world, "bob.test"));
        // Ann's answer was never sent to us; its page shows it to whoever asks for a document.
        let mut unseen = ann.note(1, &article);
        unseen["url"] = "https://ann.test/@u/1".into();
        ann.serve(&unseen);
        ann.server.serve("/@u/1", &unseen);
        bob.send(world, &create(&bob, &bob.note(2, "https://ann.test/@u/1"))).await;
        assert_eq!(world.reply_texts().await, ["1", "2"]);
        // A page that shows what its id does not is not believed, and a chain of pages ends.
        let mut forged = ann.note(3, &article);
        forged["content"] = "<p>forged</p>".into();
        ann.server.serve("/forged", &forged);
        bob.send(world, &create(&bob, &bob.note(4, "https://ann.test/forged"))).await;
        for number in 100..200 {
            let mut next = ann.note(number, &article);
            next["id"] = ann.server.id(&format!("/chain/{}", number + 1)).into();
            ann.server.serve(&format!("/chain/{number}"), &next);
        }
        bob.send(world, &create(&bob, &bob.note(5, "https://ann.test/chain/100"))).await;
        assert!(
            world.requests("GET https://ann.test/chain/") <= 21,
            "{}",
            world.requests("GET https://ann.test/chain/")
        );
        assert_eq!(world.reply_texts().await, ["1", "2"]);
    })
    .await;
}

#[tokio::test]
async fn case_08_the_audience_stands_on_the_activity_alone() {
    let Some(case) = Case::open(8) else { return };
    on_each_engine(async |world| {
        let article = article(world).await;
        let ann = ann(world, "dress.test");
        let create = case
            .document("create.json", LocalAddresses { article: &article, actor: &ann.id, ..LocalAddresses::default() });
        ann.send(world, &create).await;
        assert_eq!(last_verdict(world).await, ("accepted".into(), "a reply to “The ferry”".into()));
        // The activity speaks only for a post that says nothing; and it may say that the post is private.
        for (number, on_activity, on_post) in [
            (1, json!([PUBLIC]), json!({ "to": [format!("{}/followers", ann.id)] })),
            (2, json!([PUBLIC]), json!({ "to": [] })),
            (3, json!([PUBLIC]), json!({ "directMessage": true })),
            (4, json!([format!("{}/followers", ann.id)]), json!({})),
            (5, json!([]), json!({ "to": null })),
        ] {
            let mut note = ann.note(number, &article);
            note.as_object_mut().expect("a note").remove("to");
            for (key, value) in on_post.as_object().expect("an object") {
                note[key] = value.clone();
            }
            let mut create = self::create(&ann, &note);
            create["to"] = on_activity;
            ann.send(world, &create).await;
            assert_eq!(last_verdict(world).await.0, "declined", "{number}");
        }
        assert_eq!(world.reply_texts().await, ["Addressed outside"]);
    })
    .await;
}

#[tokio::test]
async fn case_18_a_picture_with_a_name_is_no_vote() {
    let Some(case) = Case::open(18) else { return };
    on_each_engine(async |world| {
        let article = article(world).await;
        let ann = ann(world, "vote.test");
        let ours = LocalAddresses { article: &article, actor: &ann.id, ..LocalAddresses::default() };
        for file in ["picture-with-name.json", "contentmap-alone.json", "single-attachment.json"] {
            ann.send(world, &case.document(file, ours)).await;
            assert_eq!(last_verdict(world).await, ("accepted".into(), "a reply to “The ferry”".into()), "{file}");
        }
        assert_eq!(world.reply_texts().await, ["", "", "Mooi!"]);
        let mut vote = ann.note(1, &article);
        vote["name"] = "Yes".into();
        vote.as_object_mut().expect("a note").remove("content");
        ann.send(world, &create(&ann, &vote)).await;
        assert_eq!(last_verdict(world).await, ("ignored".into(), "a vote in a poll".into()));
    })
    .await;
}

#[tokio::test]
async fn ours_may_stand_anywhere_among_what_a_post_answers() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let person = Person::new(world, "blog.test");
        // It has nothing.
        let _elsewhere = Stranger::new(world, "elsewhere.test");
        let elsewhere = "https://elsewhere.test/notes/1";
        for (number, answered) in [
            (1, json!([elsewhere, article])),
            (2, json!([{ "id": elsewhere }, null, PAGE])),
            (3, json!(["https://social.example.org/nothing", article, elsewhere])),
        ] {
            let mut note = person.note(number, "");
            note["inReplyTo"] = answered.clone();
            person.send(world, &create(&person, &note)).await;
            assert_eq!(last_verdict(world).await, ("accepted".into(), "a reply to “The ferry”".into()), "{answered}");
        }
        assert_eq!(world.requests("GET https://elsewhere.test/"), 0, "nothing needs to be read for it");
        let mut note = person.note(4, "");
        note["inReplyTo"] = (0..50).map(|n| json!(format!("https://elsewhere.test/notes/{n}"))).collect();
        person.send(world, &create(&person, &note)).await;
        assert_eq!(last_verdict(world).await.0, "declined");
        assert!(world.requests("GET https://elsewhere.test/") <= 2, "one of a list is read");
    })
    .await;
}

//! Who may say what: nobody speaks for another, also not for a neighbour on the same server, and nobody who is blocked speaks
//! by way of a community (interop E3 to E5, E14, GHSA-5h2f-wg8j-xqwp).

use serde_json::{Value, json};
use veerpont::moderation::listing::{self, Wish};
use veerpont::moderation::{BlockKind, Severity};

use crate::threads::{PUBLIC, Person, article, id, last_verdict};
use crate::world::{World, on_each_engine};

async fn is_declined(world: &World, because: &str) {
    let (verdict, reason) = last_verdict(world).await;
    assert_eq!((verdict.as_str(), reason.contains(because)), ("declined", true), "{verdict}: {reason}");
}

#[tokio::test]
async fn a_neighbour_changes_and_ends_nothing() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let ann = Person::new(world, "big.test");
        let eve = ann.beside("/users/eve");
        let note = ann.note(1, &article);
        ann.serve(&note);
        ann.send(world, &ann.activity("Create", "c1", note.clone())).await;
        let mut forged = note.clone();
        (forged["content"], forged["updated"]) = (json!("<p>Forged</p>"), json!("2026-11-02T09:00:00Z"));
        eve.send(world, &eve.activity("Update", "u1", forged.clone())).await;
        is_declined(world, "not of the one who sends it").await;
        forged["attributedTo"] = json!(eve.id);
        eve.send(world, &eve.activity("Update", "u2", forged)).await;
        is_declined(world, "somebody else's").await;
        eve.send(world, &eve.activity("Delete", "d1", id(&note))).await;
        is_declined(world, "its origin still shows it").await;
        assert_eq!(world.reply_texts().await, ["1"]);
    })
    .await;
}

#[tokio::test]
async fn nobody_takes_back_what_another_did() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let ann = Person::new(world, "big.test");
        let eve = ann.beside("/users/eve");
        let like = ann.activity("Like", "l1", article.as_str());
        ann.send(world, &like).await;
        eve.send(world, &eve.activity("Undo", "u1", like.clone())).await;
        is_declined(world, "what somebody else did").await;
        // By its id alone it is unknown to be anybody's; it counts for nobody else.
        eve.send(world, &eve.activity("Undo", "u2", id(&like))).await;
        let mut claimed = like;
        claimed["actor"] = json!(eve.id);
        eve.send(world, &eve.activity("Undo", "u3", claimed)).await;
        let document: Value = serde_json::from_str(&ann.server.ask(&article).await.body).expect("JSON");
        assert_eq!(document["likes"]["totalItems"], 1);
    })
    .await;
}

/// CVE-2024-37903, E5.
#[tokio::test]
async fn cve_2024_37903_who_may_read_a_post_does_not_change() {
    on_each_engine(async |world| {
        world.configure("policy = \"open\"", "policy = \"open\"\nkeep_private = true").await;
        let article = article(world).await;
        let ann = Person::new(world, "ann.test");
        let mut private = ann.note(1, &article);
        private["to"] = json!(["https://social.example.org/somebody"]);
        ann.send(world, &ann.activity("Create", "c1", private.clone())).await;
        assert_eq!(last_verdict(world).await.0, "accepted");
        let mut public = private;
        (public["to"], public["updated"]) = (json!([PUBLIC]), json!("2026-11-02T09:00:00Z"));
        ann.send(world, &ann.activity("Update", "u1", public)).await;
        is_declined(world, "who may read a post does not change").await;
        let told = ann.server.ask(&format!("https://social.example.org/api/v1/conversation?id={article}")).await;
        let told: Value = serde_json::from_str(&told.body).expect("JSON");
        assert_eq!(told["replies"]["items"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn ghsa_5h2f_who_is_blocked_does_not_speak_through_a_community() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let (eve, group) = (Person::new(world, "eve.test"), Person::new(world, "group.test").of_kind("Group"));
        let [before, first, second] = [0, 1, 2].map(|number| eve.note(number, &article));
        for note in [&before, &first, &second] {
            eve.serve(note);
        }
        group.send(world, &group.activity("Announce", "a0", eve.activity("Create", "c0", before))).await;
        assert_eq!(world.reply_texts().await, ["0"], "so it goes where nobody is blocked");
        let wish = Wish { kind: BlockKind::Actor, value: &eve.id, actor: None };
        listing::add(&world.app, wish, Severity::Block, None).await.expect("a block");
        group.send(world, &group.activity("Announce", "a1", eve.activity("Create", "c1", first))).await;
        is_declined(world, "").await;
        group.send(world, &group.activity("Announce", "a2", id(&second))).await;
        is_declined(world, "").await;
        assert_eq!(world.reply_texts().await, Vec::<String>::new());
    })
    .await;
}

/// GHSA-q4g8-82c5-9h33 and GHSA-8h43-rcqj-wpc6: a permission is of one quote, one article and its owner.
#[tokio::test]
async fn ghsa_q4g8_a_permission_is_for_one_quote_of_one_article() {
    on_each_engine(async |world| {
        let article = article(world).await;
        world.write_post("tide", "The tide", "It turns at six.", &["maren"]);
        world.publish().await;
        let ann = Person::new(world, "big.test");
        let eve = ann.beside("/users/eve");
        let quote = ann.quote(1, &article);
        ann.serve(&quote);
        eve.send(world, &eve.quote_request("q1", &article, &quote)).await;
        is_declined(world, "").await;
        let mut conn = world.app.db.read().await.expect("a connection");
        let other: String = sqlx::query_scalar("SELECT uuid FROM articles ORDER BY id DESC LIMIT 1")
            .fetch_one(&mut *conn)
            .await
            .expect("an article");
        drop(conn);
        let other = format!("https://social.example.org/ap/articles/{other}");
        assert_ne!(other, article);
        ann.send(world, &ann.quote_request("q2", &other, &quote)).await;
        is_declined(world, "").await;
        ann.send(world, &ann.quote_request("q3", &article, &quote)).await;
        assert_eq!(last_verdict(world).await.0, "accepted");
    })
    .await;
}

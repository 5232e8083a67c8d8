//! What was deleted and comes again, and who is mentioned elsewhere (interop U11).

use std::time::Duration;

use serde_json::{Value, json};
use veerpont::inbox::review::decide;
use veerpont::moderation::listing::{self, BlockRequest};
use veerpont::moderation::review::Decision;
use veerpont::moderation::{BlockKind, ModerationNote, Severity};

use crate::honest::maren;
use crate::threads::{Person, article, id, last_verdict};
use crate::world::{World, on_each_engine};

/// A reply that was shown and then deleted by its author, with the Create that brought it.
async fn deleted(world: &World, person: &Person, number: usize, article: &str) -> Value {
    let note = person.note(number, article);
    let create = person.activity("Create", &format!("create/{number}"), note.clone());
    person.send(world, &create).await;
    assert_eq!(world.reply_texts().await, [number.to_string()]);
    person.send(world, &person.activity("Delete", &format!("delete/{number}"), id(&note))).await;
    assert!(world.reply_texts().await.is_empty());
    create
}

/// Works what is due now and a little later.
async fn settle(world: &World) {
    world.drain().await;
    world.advance(Duration::from_mins(2));
    world.drain().await;
}

#[tokio::test]
async fn what_its_origin_shows_again_is_there_again() {
    on_each_engine(async |world| {
        let article = article(world).await;
        // WordPress sends the very same Create, NodeBB another one of the same post.
        for (host, activity) in
            [("wordpress.test", "create/1"), ("nodebb.test", "create/2"), ("other.test", "update/1")]
        {
            let person = Person::new(world, host);
            let mut create = deleted(world, &person, 1, &article).await;
            world.advance(Duration::from_hours(1));
            person.serve(&create["object"]);
            create["id"] = format!("{}/{activity}", person.id).into();
            if activity.starts_with("update") {
                create["type"] = "Update".into();
            }
            person.send(world, &create).await;
            assert!(world.reply_texts().await.is_empty(), "{host}: not before its origin was asked");
            settle(world).await;
            assert_eq!(world.reply_texts().await, ["1"], "{host}");
            assert_eq!(world.requests(&format!("GET {}", id(&create["object"]))), 1, "{host}");
            person.send(world, &person.activity("Delete", "delete/2", id(&create["object"]))).await;
            assert!(world.reply_texts().await.is_empty(), "{host}: and may be deleted again");
        }
    })
    .await;
}

#[tokio::test]
async fn what_its_origin_does_not_show_stays_deleted() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let person = Person::new(world, "peer.test");
        // A Create that its Delete overtook comes late, and a second time.
        let create = deleted(world, &person, 1, &article).await;
        for _ in 0..2 {
            person.send(world, &create).await;
            settle(world).await;
            assert!(world.reply_texts().await.is_empty());
        }
        let tombstone =
            json!({ "@context": crate::stranger::CONTEXT, "id": id(&create["object"]), "type": "Tombstone" });
        person.serve(&tombstone);
        person.send(world, &create).await;
        settle(world).await;
        assert!(world.reply_texts().await.is_empty());
        assert!(world.verdicts().await.contains(&("declined".to_owned(), 1)), "its Create has a verdict");
    })
    .await;
}

#[tokio::test]
async fn what_was_asked_for_before_the_end_does_not_undo_it() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let person = Person::new(world, "peer.test");
        let note = person.note(1, &article);
        person.send(world, &person.activity("Create", "create/1", note.clone())).await;
        // An Update that names it alone has it read; its Delete comes while that waits, and the origin lags behind.
        person.serve(&note);
        person.post(&person.activity("Update", "update/1", id(&note))).await;
        veerpont::app::worker::drain(&veerpont::inbox::worker::worker(), &world.app).await.expect("a verdict");
        world.advance(Duration::from_secs(5));
        person.post(&person.activity("Delete", "delete/1", id(&note))).await;
        veerpont::app::worker::drain(&veerpont::inbox::worker::worker(), &world.app).await.expect("a verdict");
        settle(world).await;
        assert!(world.reply_texts().await.is_empty(), "it was asked for before the end");
    })
    .await;
}

#[tokio::test]
async fn what_a_moderator_deleted_its_author_cannot_restore() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let person = Person::new(world, "peer.test");
        let note = person.note(1, &article);
        let create = person.activity("Create", "create/1", note.clone());
        person.send(world, &create).await;
        decide(&world.app, &id(&note), Decision::Delete, ModerationNote::because("spam")).await.expect("a decision");
        person.send(world, &person.activity("Delete", "delete/1", id(&note))).await;
        person.serve(&note);
        person.send(world, &create).await;
        settle(world).await;
        assert!(world.reply_texts().await.is_empty());
        assert_eq!(world.requests(&format!("GET {}", id(&note))), 0, "nobody is asked for it");
    })
    .await;
}

fn mention(person: &Person, number: usize, actor: &str, answered: Option<&str>) -> Value {
    let mut note = person.note(number, answered.unwrap_or_default());
    if answered.is_none() {
        note.as_object_mut().expect("a note").remove("inReplyTo");
    }
    note["tag"] = json!([{ "type": "Mention", "href": actor, "name": "@maren@example.org" }]);
    person.activity("Create", &format!("create/{number}"), note)
}

#[tokio::test]
async fn a_mention_in_a_conversation_that_is_not_ours_is_told_as_one() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let maren = maren(world).await;
        let person = Person::new(world, "peer.test");
        for (number, answered) in [(1, None), (2, Some("https://peer.test/users/u/notes/77"))] {
            person.send(world, &mention(&person, number, &maren.actor_id, answered)).await;
            let (verdict, why) = last_verdict(world).await;
            assert_eq!(verdict, "mention", "{number}: {why}");
            assert!(why.starts_with("it mentions @maren@example.org in a conversation that is not ours"), "{why}");
        }
        assert!(world.reply_texts().await.is_empty(), "shown to nobody");
        assert!(world.verdicts().await.contains(&("mention".to_owned(), 2)));
        // Of nobody of ours, it answers nothing of ours; and a private one leaves no text.
        person.send(world, &mention(&person, 3, "https://social.example.org/ap/instance", None)).await;
        assert_eq!(last_verdict(world).await.0, "declined");
        let mut private = mention(&person, 4, &maren.actor_id, None);
        private["object"]["to"] = json!([maren.actor_id]);
        person.send(world, &private).await;
        assert_eq!(last_verdict(world).await.1, "it is for followers or single people, and never shown");
        // Should its conversation turn out to be ours, it is a reply.
        let parent = person.note(77, &article);
        person.send(world, &person.activity("Create", "create/77", parent)).await;
        assert_eq!(world.reply_texts().await, ["2", "77"]);
        // Its words are forgotten with those of everything else.
        world.advance(Duration::from_hours(24 * 400));
        veerpont::inbox::housekeeping::tidy(&world.app).await.expect("tidied");
        let mut conn = world.app.db.read().await.expect("a connection");
        let kept: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM inbound WHERE verdict = 'mention' AND raw <> ''")
            .fetch_one(&mut *conn)
            .await
            .expect("a count");
        assert_eq!(kept, 0);
    })
    .await;
}

#[tokio::test]
async fn nobody_is_told_of_a_mention_by_who_is_kept_out() {
    on_each_engine(async |world| {
        let maren = maren(world).await;
        let person = Person::new(world, "peer.test");
        person.send(world, &mention(&person, 1, &maren.actor_id, None)).await;
        assert_eq!(last_verdict(world).await.0, "mention");
        // A block of one author's own does not turn requests away, and counts here all the same.
        let handle = veerpont::base::ids::Handle::parse("maren").expect("a handle");
        let actor = {
            let mut conn = world.app.db.read().await.expect("a connection");
            veerpont::model::author::store::actor_by_handle(&mut conn, &handle)
                .await
                .expect("a row")
                .expect("an actor")
                .id
        };
        let wish = BlockRequest { kind: BlockKind::Actor, value: &person.id, actor: Some(actor) };
        listing::add(&world.app, wish, Severity::Block, ModerationNote::default()).await.expect("a block");
        person.send(world, &mention(&person, 2, &maren.actor_id, None)).await;
        let (verdict, why) = last_verdict(world).await;
        assert_eq!(verdict, "declined", "{why}");
    })
    .await;
}

//! The story of each kind of thing, as `veerpont explain` tells it.

use std::time::Duration;

use regex::Regex;
use serde_json::json;
use veerpont::base::ids::Handle;
use veerpont::federation::outbox::author_replies::{self, Draft};
use veerpont::server::explain;

use crate::threads::{Person, article};
use crate::world::{MAREN, World, on_each_engine};

/// A story in lines, with what is new in each run left out.
async fn story(world: &World, what: &str) -> String {
    let story =
        explain::story(&world.app, what).await.expect("a database").unwrap_or_else(|| panic!("nothing of {what}"));
    let mut lines = vec![story.subject];
    for event in story.events {
        lines.push(format!("{}  {}", event.at.rfc3339(), event.what));
        lines.extend(event.details.iter().map(|detail| format!("    {detail}")));
    }
    let uuid = Regex::new("[0-9a-f]{8}-[0-9a-f-]{27}").expect("a pattern");
    uuid.replace_all(&lines.join("\n"), "UUID").into_owned()
}

#[tokio::test]
async fn each_kind_of_thing_has_its_story() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let (ann, bob) = (Person::new(world, "ann.test"), Person::new(world, "bob.test"));
        let maren = world.peer("other.test", &["x"]).lookup(MAREN).await.expect("an actor").actor_id;
        let minute = || world.advance(Duration::from_mins(1));

        minute();
        ann.send(world, &ann.activity("Follow", "f1", maren.as_str())).await;
        minute();
        ann.send(world, &ann.activity("Like", "l1", article.as_str())).await;
        let note = ann.note(1, &article);
        let id = note["id"].as_str().expect("an id").to_owned();
        ann.send(world, &ann.activity("Create", "c1", note.clone())).await;
        minute();
        let mut edited = note.clone();
        edited["content"] = "<p>Better words</p>".into();
        edited["updated"] = "2026-11-02T10:03:00Z".into();
        ann.send(world, &ann.activity("Update", "u1", edited)).await;
        // One whose parent must be read, and one that is nobody's.
        let parent = bob.note(2, &id);
        bob.serve(&parent);
        let deep = ann.note(3, parent["id"].as_str().expect("an id"));
        let deep_id = deep["id"].as_str().expect("an id").to_owned();
        ann.send(world, &ann.activity("Create", "c3", deep)).await;
        bob.send(world, &ann.activity("Announce", "b1", article.as_str())).await;
        let mut private = bob.note(4, &article);
        private["to"] = json!([maren]);
        bob.send(world, &bob.activity("Create", "c4", private)).await;
        bob.send(world, &bob.activity("Flag", "r1", id.as_str())).await;
        minute();
        ann.send(world, &ann.activity("Delete", "d1", json!({ "id": id, "type": "Tombstone" }))).await;

        for (name, what) in [
            ("a follow", format!("{}/f1", ann.id)),
            ("a like", format!("{}/l1", ann.id)),
            ("a reply", id.clone()),
            ("a reply whose parent was read first", deep_id),
            ("a post that was read at its origin", parent["id"].as_str().expect("an id").to_owned()),
            ("a forwarded boost", format!("{}/b1", ann.id)),
            ("a private word", format!("{}/c4", bob.id)),
            ("a report", format!("{}/r1", bob.id)),
            ("an article", article.clone()),
        ] {
            insta::assert_snapshot!(name, story(world, &what).await);
        }
        assert!(explain::story(&world.app, "https://nobody.test/1").await.expect("a database").is_none());
    })
    .await;
}

/// What comes more seldom, and what we said ourselves.
#[tokio::test]
async fn what_is_said_more_seldom_has_its_story_too() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let (ann, bob) = (Person::new(world, "ann.test"), Person::new(world, "bob.test"));
        let maren = world.peer("other.test", &["x"]).lookup(MAREN).await.expect("an actor").actor_id;
        let minute = || world.advance(Duration::from_mins(1));

        let note = ann.note(1, &article);
        let id = note["id"].as_str().expect("an id").to_owned();
        ann.send(world, &ann.activity("Create", "c1", note.clone())).await;
        ann.send(world, &ann.activity("Follow", "f1", maren.as_str())).await;
        minute();
        let mut edited = note.clone();
        edited["content"] = "<p>Better words</p>".into();
        edited["updated"] = "2026-11-02T10:01:00Z".into();
        ann.send(world, &ann.activity("Update", "u1", edited)).await;
        let mut reaction = ann.activity("EmojiReact", "e1", article.as_str());
        reaction["content"] = "🦀".into();
        ann.send(world, &reaction).await;
        minute();
        ann.send(world, &ann.activity("Undo", "n1", reaction)).await;
        ann.send(world, &ann.activity("View", "v1", article.as_str())).await;

        // Maren answers, and her answer is liked.
        minute();
        let author = Handle::parse("maren").expect("a handle");
        let draft = Draft { author, to: id.clone(), text: "It does.".to_owned(), language: None };
        let answer = author_replies::send(&world.app, draft).await.expect("an answer");
        world.drain().await;
        let answer = world.app.urls.note(answer.uuid);
        ann.send(world, &ann.activity("Like", "l1", answer.as_str())).await;

        // A quote, asked for before it is known.
        minute();
        let mut quote = bob.note(2, "https://bob.test/nothing");
        quote.as_object_mut().expect("a note").remove("inReplyTo");
        quote["quote"] = article.clone().into();
        bob.serve(&quote);
        let mut request = bob.activity("QuoteRequest", "q1", article.as_str());
        request["instrument"] = quote["id"].clone();
        bob.send(world, &request).await;

        // A community passes on what bob said.
        minute();
        let group = Person::new(world, "group.test");
        group.says_of_itself("type", "Group");
        let passed_on = bob.note(3, &article);
        bob.serve(&passed_on);
        group.send(world, &group.activity("Announce", "a1", bob.activity("Create", "c3", passed_on.clone()))).await;

        minute();
        let new = Person::new(world, "new.test");
        new.says_of_itself("alsoKnownAs", json!([ann.id]));
        let mut moved = ann.activity("Move", "m1", ann.id.as_str());
        moved["target"] = new.id.clone().into();
        ann.send(world, &moved).await;
        new.send(world, &new.activity("Block", "k1", maren.as_str())).await;
        minute();
        bob.send(world, &bob.activity("Delete", "d1", quote["id"].clone())).await;

        for (name, what) in [
            ("an edit", format!("{}/u1", ann.id)),
            ("a reply that was edited and answered", id.clone()),
            ("a reaction", format!("{}/e1", ann.id)),
            ("what undoes a reaction", format!("{}/n1", ann.id)),
            ("a thing of a type nobody here knows", format!("{}/v1", ann.id)),
            ("a note of our author", answer.clone()),
            ("a like of a note of ours", format!("{}/l1", ann.id)),
            ("a quote asked for", format!("{}/q1", bob.id)),
            ("a quote", quote["id"].as_str().expect("an id").to_owned()),
            ("what a community passes on", format!("{}/a1", group.id)),
            ("a post that a community passed on", passed_on["id"].as_str().expect("an id").to_owned()),
            ("a move", format!("{}/m1", ann.id)),
            ("a block", format!("{}/k1", new.id)),
            ("what deletes a quote", format!("{}/d1", bob.id)),
        ] {
            insta::assert_snapshot!(name, story(world, &what).await);
        }
    })
    .await;
}

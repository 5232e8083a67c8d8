//! The story of each kind of thing, as `veerpont explain` tells it.

use std::time::Duration;

use regex::Regex;
use serde_json::json;
use veerpont::explain;
use veerpont::ids::Handle;
use veerpont::outbox::answers::{self, Draft};

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

#[tokio::test]
async fn what_is_rarer_has_its_story_too() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let (ann, bob) = (Person::new(world, "ann.test"), Person::new(world, "bob.test"));
        let maren = world.peer("other.test", &["x"]).lookup(MAREN).await.expect("an actor").actor_id;
        let minute = || world.advance(Duration::from_mins(1));

        minute();
        ann.send(world, &ann.activity("Follow", "f1", maren.as_str())).await;
        let follow = json!({ "id": format!("{}/f1", ann.id), "type": "Follow", "actor": ann.id, "object": maren });
        ann.send(world, &ann.activity("Undo", "u1", follow)).await;
        minute();
        ann.send(world, &ann.activity("Block", "b1", maren.as_str())).await;
        let mut react = bob.activity("EmojiReact", "e1", article.as_str());
        react["content"] = "🦀".into();
        bob.send(world, &react).await;
        bob.send(world, &bob.activity("Dislike", "d1", article.as_str())).await;
        bob.send(world, &bob.activity("View", "v1", article.as_str())).await;
        minute();
        let mut moved = bob.activity("Move", "m1", bob.id.as_str());
        moved["target"] = ann.id.clone().into();
        bob.send(world, &moved).await;
        let quote = bob.quote(5, &article);
        bob.serve(&quote);
        bob.send(world, &bob.quote_request("q1", &article, &quote)).await;
        minute();
        // A community passes on what nobody else sent us.
        let group = Person::new(world, "group.test").of_kind("Group");
        let passed = bob.note(6, &article);
        bob.serve(&passed);
        group.send(world, &group.activity("Announce", "a1", bob.activity("Create", "c6", passed))).await;
        minute();
        let draft = Draft {
            author: Handle::parse("maren").expect("a handle"),
            to: format!("{}/notes/6", bob.id),
            text: "So it *does*.".to_owned(),
            language: None,
        };
        let note = answers::send(&world.app, draft).await.expect("an answer");
        world.drain().await;

        for (name, what) in [
            ("an undo", format!("{}/u1", ann.id)),
            ("a block", format!("{}/b1", ann.id)),
            ("a reaction", format!("{}/e1", bob.id)),
            ("a dislike", format!("{}/d1", bob.id)),
            ("what nobody here knows", format!("{}/v1", bob.id)),
            ("a move", format!("{}/m1", bob.id)),
            ("a request to quote", format!("{}/q1", bob.id)),
            ("a quote", format!("{}/notes/5", bob.id)),
            ("what a community passed on", format!("{}/a1", group.id)),
            ("an answer of ours", world.app.urls.note(note.uuid)),
        ] {
            insta::assert_snapshot!(name, story(world, &what).await);
        }
    })
    .await;
}

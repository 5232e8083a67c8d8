//! What is said of a site's posts is handed back to it: the data files; `built` has what Hugo makes of them.

mod built;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use veerpont::inbox::review;
use veerpont::moderation::ModerationNote;
use veerpont::moderation::review::Decision;
use veerpont::site::comment_export::worker::{AGAIN, PAUSE};
use veerpont::site::comment_export::{hugo as files, store};

use crate::threads::{Person, article};
use crate::world::{World, on_each_engine};

const PAGE: &str = "https://example.org/post/ferry/";

/// A world whose bridge hands back to its site.
async fn with_comment_export(world: &mut World) {
    let before = "removal_grace = \"24h\"";
    world
        .configure(before, &format!("{before}\n[[comment_export]]\nkind = \"hugo\"\nsource = \"site\"\nevery = \"5m\""))
        .await;
}

fn folder(world: &World) -> PathBuf {
    world.site.path().join(files::FOLDER)
}

/// The files that are there, by name.
fn names(world: &World) -> Vec<String> {
    let entries = std::fs::read_dir(folder(world)).expect("a folder");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).expect("a file")).expect("JSON")
}

/// What the index says of the ferry's page.
fn about(world: &World) -> Value {
    read(&folder(world).join("index.json"))["pages"][PAGE].clone()
}

fn comments(world: &World) -> PathBuf {
    let name = about(world)["comments"].as_str().expect("a name").to_owned();
    folder(world).join(format!("{name}.json"))
}

/// Works what is due a moment later.
async fn later(world: &World) {
    world.advance(PAUSE);
    world.drain().await;
}

/// Depth and words of each reply in the file.
fn told(world: &World) -> Vec<(u64, String)> {
    let file = read(&comments(world));
    let items = file["replies"]["items"].as_array().expect("items").iter();
    items
        .map(|item| (item["depth"].as_u64().expect("a depth"), item["content"].as_str().expect("words").to_owned()))
        .collect()
}

fn told_as(list: &[(u64, &str)]) -> Vec<(u64, String)> {
    list.iter().map(|(depth, words)| (*depth, format!("<p>{words}</p>").replace("<p></p>", ""))).collect()
}

async fn decide(world: &World, id: &str, decision: Decision) {
    review::decide(&world.app, id, decision, ModerationNote::because("a reason")).await.expect("decided");
}

#[tokio::test]
async fn files_follow_what_is_said() {
    on_each_engine(async |world| {
        with_comment_export(world).await;
        let article = article(world).await;
        later(world).await;
        assert_eq!(names(world), ["index.json"], "nothing is said yet");
        let expected =
            json!({ "article": article, "creator": "@maren@example.org", "author": "maren", "comments": null });
        assert_eq!(about(world), expected);

        let (ann, bob) = (Person::new(world, "ann.test"), Person::new(world, "bob.test"));
        let first = ann.note(1, &article);
        let id = first["id"].as_str().expect("an id").to_owned();
        ann.send(world, &ann.activity("Create", "c1", first)).await;
        let other = ann.note(2, &article);
        ann.send(world, &ann.activity("Create", "c2", other)).await;
        let below = bob.note(3, &id);
        let below_id = below["id"].as_str().expect("an id").to_owned();
        bob.send(world, &bob.activity("Create", "c3", below)).await;
        bob.send(world, &bob.activity("Like", "l1", article.as_str())).await;
        later(world).await;
        assert_eq!(told(world), told_as(&[(0, "1"), (1, "3"), (0, "2")]), "each below what it answers");
        let file = read(&comments(world));
        assert_eq!((&file["key"], &file["article"]["id"]), (&"post/ferry".into(), &article.as_str().into()));
        assert_eq!(file["article"]["author"]["handle"], "@maren@example.org");
        assert_eq!(
            file["resolve"],
            "https://social.example.org/ap/resolve?url=https%3A%2F%2Fexample.org%2Fpost%2Fferry%2F"
        );
        assert_eq!((&file["likes"]["total"], &file["replies"]["left_out"]), (&1.into(), &0.into()));
        assert_eq!(names(world).len(), 2);

        decide(world, &id, Decision::Hide).await;
        later(world).await;
        assert_eq!(told(world), told_as(&[(0, ""), (1, "3"), (0, "2")]), "of what is hidden, no word");
        assert!(!std::fs::read_to_string(comments(world)).expect("a file").contains("<p>1</p>"));
        decide(world, &id, Decision::Approve).await;
        let mut edit = ann.note(1, &article);
        edit["content"] = "<p>edited</p>".into();
        edit["updated"] = "2026-11-02T09:30:00Z".into();
        ann.send(world, &ann.activity("Update", "u1", edit)).await;
        later(world).await;
        assert_eq!(told(world), told_as(&[(0, "edited"), (1, "3"), (0, "2")]));

        for (person, id, name) in [(&ann, &id, "d1"), (&bob, &below_id, "d3")] {
            person.send(world, &person.activity("Delete", name, id.as_str())).await;
        }
        later(world).await;
        assert_eq!(told(world), told_as(&[(0, "2")]));
        let file = comments(world);
        world.sync_removal("ferry").await;
        later(world).await;
        assert_eq!((file.exists(), about(world)), (false, Value::Null), "the article stands no more");
    })
    .await;
}

#[tokio::test]
async fn what_waits_for_a_moderator_is_not_there() {
    on_each_engine(async |world| {
        with_comment_export(world).await;
        world.configure("team_handle = \"editors\"", "team_handle = \"editors\"\npolicy = \"held\"").await;
        let article = article(world).await;
        let ann = Person::new(world, "ann.test");
        let note = ann.note(1, &article);
        let id = note["id"].as_str().expect("an id").to_owned();
        ann.send(world, &ann.activity("Create", "c1", note)).await;
        later(world).await;
        assert_eq!(names(world), ["index.json"]);
        decide(world, &id, Decision::Approve).await;
        later(world).await;
        assert_eq!(told(world), told_as(&[(0, "1")]));
    })
    .await;
}

#[tokio::test]
async fn what_a_crash_or_a_hand_did_to_the_files_is_mended() {
    on_each_engine(async |world| {
        with_comment_export(world).await;
        let article = article(world).await;
        let ann = Person::new(world, "ann.test");
        let note = ann.note(1, &article);
        ann.send(world, &ann.activity("Create", "c1", note)).await;
        // Down before the files are written, and up again.
        world.restart().await;
        later(world).await;
        let file = comments(world);
        let written = std::fs::read(&file).expect("a file");
        let before = std::fs::metadata(&file).expect("a file").modified().expect("a time");

        world.advance(Duration::from_mins(5));
        world.drain().await;
        assert_eq!(std::fs::metadata(&file).expect("a file").modified().expect("a time"), before, "not written again");
        std::fs::remove_file(folder(world).join("index.json")).expect("removed");
        std::fs::write(&file, &written[..written.len() / 2]).expect("a file");
        world.advance(Duration::from_mins(5));
        world.drain().await;
        assert_eq!(std::fs::read(&file).expect("a file"), written);
        assert_eq!(comments(world), file);

        // What cannot be written stands in a row with its reason, and is tried again.
        std::fs::write(&file, "{}").expect("a file");
        world.advance(Duration::from_mins(5));
        world.drain().await;
        let error = async || {
            let mut conn = world.app.db.read().await.expect("a connection");
            let mut all = store::all(&mut conn).await.expect("rows");
            assert_eq!(all.len(), 1);
            all.remove(0).error
        };
        let why = error().await.expect("a reason");
        assert!(why.contains("was not written by Veerpont"), "{why}");
        assert_eq!(std::fs::read(&file).expect("a file"), b"{}", "somebody else's file stays");
        // It keeps no other post's file from being written.
        world.write_post("tides", "The tides", "They turn.", &["maren"]);
        world.publish().await;
        world.advance(AGAIN);
        world.drain().await;
        let index = read(&folder(world).join("index.json"));
        let tides = index["pages"]["https://example.org/post/tides/"]["article"].as_str().expect("an id").to_owned();
        let note = ann.note(2, &tides);
        ann.send(world, &ann.activity("Create", "c2", note)).await;
        world.advance(AGAIN);
        world.drain().await;
        assert_eq!(names(world).len(), 3, "{:?}", names(world));
        assert!(error().await.is_some());
        std::fs::remove_file(&file).expect("removed");
        world.advance(AGAIN);
        world.drain().await;
        assert_eq!((error().await, std::fs::read(&file).expect("a file")), (None, written));
    })
    .await;
}

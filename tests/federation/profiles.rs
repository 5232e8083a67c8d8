//! A changed profile is told to everyone it was shown to, once, as an Update of the actor (interop D6, E9, A15).

use hugo_content::Warning;
use serde_json::Value;
use veerpont::base::ids::Handle;
use veerpont::model::author;

use crate::world::{MAREN, World, kinds, on_each_engine, taken};

const FIELDS: (&str, &str) = ("rescan = \"5m\"", "rescan = \"5m\"\nprofile_fields = true");

const MAREN_NOW: &str = "---
title: Maren Oldham-Vos
role: Ferry master
email: maren@mail.example
social:
  - {icon: envelope, link: 'mailto:maren@mail.example'}
  - {icon: mastodon, link: 'https://m.example/@maren'}
---
Sails [again](mailto:maren@mail.example).
";

impl World {
    fn change_profile(&self, text: &str) {
        self.site.write("content/authors/maren/_index.md", text);
    }
}

#[tokio::test]
async fn a_changed_profile_is_one_update_at_each_follower() {
    on_each_engine(async |world| {
        world.configure(FIELDS.0, FIELDS.1).await;
        world.publish().await;
        let peer = world.peer("peer.test", &["ann", "bo"]);
        let stranger = world.peer("stranger.test", &["cy"]);
        let maren = world.follow(&peer, "ann", MAREN).await;
        world.follow(&peer, "bo", MAREN).await;
        world.follow(&stranger, "cy", "joris@example.org").await;
        world.publish().await;
        assert!(kinds(&peer).is_empty(), "nothing changed: {:?}", kinds(&peer));

        world.change_profile(MAREN_NOW);
        world.publish().await;
        let updates = taken(&peer, "Update");
        assert_eq!((kinds(&peer), updates.len()), (vec!["Update".to_owned()], 1));
        assert!(kinds(&stranger).is_empty(), "who does not know her hears nothing");
        let person = &updates[0].activity["object"];
        assert_eq!((&person["type"], &person["id"]), (&Value::from("Person"), &Value::from(maren.actor_id.as_str())));
        assert_eq!((&person["name"], &person["summary"]), (&"Maren Oldham-Vos".into(), &"<p>Sails again.</p>".into()));
        let fields = person["attachment"].as_array().expect("an array (interop A15)");
        let names: Vec<&str> = fields.iter().filter_map(|field| field["name"].as_str()).collect();
        assert_eq!(names, ["Role", "Mastodon"]);
        assert!(fields.iter().all(|field| field["type"] == "PropertyValue"));
        assert!(!updates[0].activity.to_string().contains("mail.example"));
        let found = peer.lookup(MAREN).await.expect("the actor");
        assert_eq!(found.document["name"], "Maren Oldham-Vos", "the document shows the change");
        assert_eq!(found.document["attachment"], person["attachment"]);

        world.publish().await;
        world.site.write("content/authors/maren/_index.md", &MAREN_NOW.replace("email:", "weight: 3\nemail:"));
        world.publish().await;
        assert_eq!(kinds(&peer).len(), 1, "what is not shown is no change");
        world.restart().await;
        world.publish().await;
        assert_eq!(kinds(&peer).len(), 1);

        world.change_profile(&MAREN_NOW.replace("Ferry master", "Mate"));
        world.publish().await;
        let updates = taken(&peer, "Update");
        assert_eq!(updates.len(), 2);
        assert_ne!(updates[0].id, updates[1].id, "a second Update needs its own id (interop O6)");
    })
    .await;
}

#[tokio::test]
async fn a_profile_that_cannot_be_read_is_no_change() {
    on_each_engine(async |world| {
        world.publish().await;
        let peer = world.peer("peer.test", &["ann"]);
        world.follow(&peer, "ann", MAREN).await;
        world.change_profile(MAREN_NOW);
        world.publish().await;
        assert_eq!(kinds(&peer), ["Update"]);

        world.change_profile(&MAREN_NOW.replace("title:", "title: ["));
        let report = world.publish().await;
        let named = |warning: &Warning| warning.file == "content/authors/maren/_index.md";
        assert!(report.warnings.iter().any(named), "{:?}", report.warnings);
        assert_eq!(kinds(&peer).len(), 1, "a slip in the file is not shown to everyone");
        let found = peer.lookup(MAREN).await.expect("the actor");
        assert_eq!(found.document["name"], "Maren Oldham-Vos");

        world.change_profile(MAREN_NOW);
        world.publish().await;
        assert_eq!(kinds(&peer).len(), 1, "and nothing is to be taken back");
    })
    .await;
}

#[tokio::test]
async fn whoever_was_sent_an_article_of_hers_hears_of_her_profile() {
    on_each_engine(async |world| {
        world.publish().await;
        let peer = world.peer("peer.test", &["ann"]);
        let found = world.follow(&peer, "ann", MAREN).await;
        world.write_post("ferry", "The ferry", "It sails at ten.", &["maren"]);
        world.publish().await;
        peer.unfollow("ann", &found).await.expect("the Undo is taken");
        world.drain().await;
        world.change_profile(MAREN_NOW);
        world.publish().await;
        assert_eq!(kinds(&peer), ["Create", "Update"]);
        let person = &taken(&peer, "Update")[0].activity["object"];
        assert!(person.get("attachment").is_none(), "fields are the operator's choice: {person}");
        assert!(!person.to_string().contains("mail.example"), "an address of mail: {person}");
    })
    .await;
}

#[tokio::test]
async fn who_opted_out_stays_as_they_were_until_they_come_back() {
    on_each_engine(async |world| {
        world.publish().await;
        let peer = world.peer("peer.test", &["ann"]);
        world.follow(&peer, "ann", MAREN).await;
        world.configure("authors = \"published\"", "authors = [\"joris\"]").await;
        world.publish().await;
        world.change_profile(MAREN_NOW);
        world.publish().await;
        assert!(kinds(&peer).is_empty(), "{:?}", kinds(&peer));
        let name = async |world: &World| {
            let handle = Handle::parse("maren").expect("a handle");
            let mut conn = world.app.db.read().await.expect("a connection");
            author::store::actor_by_handle(&mut conn, &handle).await.expect("the actor").expect("an actor").name
        };
        assert_eq!(name(world).await, "Maren Oldham");
        world.configure("authors = [\"joris\"]", "authors = \"published\"").await;
        world.publish().await;
        assert_eq!(kinds(&peer), ["Update"]);
        assert_eq!(name(world).await, "Maren Oldham-Vos");
    })
    .await;
}

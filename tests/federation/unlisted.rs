//! `fediverse: unlisted`: for followers and whoever has the address; fixed when the article is made (interop B8).

use std::time::Duration;

use serde_json::json;

use crate::world::{GROUP, MAREN, kinds, on_each_engine, taken};

const PUBLIC: &str = "https://www.w3.org/ns/activitystreams#Public";

#[tokio::test]
async fn an_unlisted_post_goes_to_followers_and_is_not_announced() {
    on_each_engine(async |world| {
        world.publish().await;
        let [fan, member, colleague] = ["fan.test", "member.test", "joris.test"].map(|host| world.peer(host, &["ann"]));
        let maren = world.follow(&fan, "ann", MAREN).await;
        world.follow(&member, "ann", GROUP).await;
        world.follow(&colleague, "ann", "joris@example.org").await;
        let head =
            format!("title: The ferry\ndate: {}\nauthors: [maren, joris]\nfediverse: unlisted", world.days_ago(0));
        world.site.page("ferry", &head, "It sails at ten.");
        assert_eq!(world.publish().await.created, 1);
        assert_eq!(kinds(&fan), ["Create"]);
        assert!(kinds(&member).is_empty() && kinds(&colleague).is_empty(), "nobody announces it");
        let create = taken(&fan, "Create")[0].activity.clone();
        for document in [&create, &create["object"]] {
            assert_eq!(document["to"], json!([format!("{}/followers", maren.actor_id)]));
            assert_eq!(document["cc"][0], PUBLIC);
        }
        let id = create["object"]["id"].as_str().expect("an id");
        assert_eq!(member.fetch(id).await.expect("an answer").0, 200, "whoever has the address may read it");

        // Neither an edit nor another word changes who sees it.
        world.advance(Duration::from_mins(1));
        world.site.replace("ferry", "fediverse: unlisted", "draft: false");
        world.site.replace("ferry", "at ten", "at noon");
        let report = world.publish().await;
        assert!(report.warnings.iter().any(|warning| warning.message.contains("made unlisted")), "{report:?}");
        let update = &taken(&fan, "Update")[0].activity["object"];
        assert_eq!((&update["to"], &update["cc"]), (&create["object"]["to"], &create["object"]["cc"]));
        assert!(kinds(&member).is_empty());

        // Not for the fediverse at all, and then again: a new article, public (interop R4).
        world.site.replace("ferry", "draft: false", "fediverse: false");
        assert_eq!(world.publish().await.removed, 1);
        world.site.replace("ferry", "fediverse: false", "draft: false");
        assert_eq!(world.publish().await.created, 1);
        assert_eq!(kinds(&fan), ["Create", "Update", "Delete", "Create"]);
        assert_eq!(taken(&fan, "Create")[1].activity["to"], json!([PUBLIC]));
        // Whoever fetched it with a signature hears of its end (docs/architecture.md#publishing).
        assert_eq!(kinds(&member), ["Delete", "Announce"]);
    })
    .await;
}

#[tokio::test]
async fn the_word_comes_too_late_for_a_public_article() {
    on_each_engine(async |world| {
        world.publish().await;
        let fan = world.peer("fan.test", &["ann"]);
        world.follow(&fan, "ann", MAREN).await;
        world.write_post("ferry", "The ferry", "It sails at ten.", &["maren"]);
        assert_eq!(world.publish().await.warnings, []);
        world.advance(Duration::from_mins(1));
        world.site.replace("ferry", "title:", "fediverse: unlisted\ntitle:");
        let report = world.publish().await;
        assert_eq!((report.updated, report.removed, report.unchanged), (0, 0, 3));
        assert!(report.warnings.iter().any(|warning| warning.message.contains("came too late")), "{report:?}");
        world.site.replace("ferry", "at ten", "at noon");
        assert_eq!(world.publish().await.updated, 1);
        assert_eq!(taken(&fan, "Update")[0].activity["object"]["to"], json!([PUBLIC]));
    })
    .await;
}

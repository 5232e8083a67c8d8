//! What a sync says and what it leaves alone: its counts, authors that are asked for in vain, dry runs, and sites that are
//! not there.

use std::time::Duration;

use veerpont::site::source::store;
use veerpont::site::source::sync::SyncOptions;

use crate::world::{World, on_each_engine};

/// The source's row: its error, how many looks failed, and the minutes until the next.
async fn row(world: &World) -> (Option<String>, u32, i64) {
    let mut conn = world.app.db.read().await.expect("a connection");
    let source = store::known(&mut conn).await.expect("rows").remove(0);
    let next: i64 =
        sqlx::query_scalar("SELECT next_attempt_at FROM sources").fetch_one(&mut *conn).await.expect("a time");
    (source.error, source.failures, (next - world.clock.now().millis()) / 60_000)
}

fn dry() -> SyncOptions {
    SyncOptions { dry_run: true, ..SyncOptions::default() }
}

#[tokio::test]
async fn a_dry_run_that_fails_records_nothing() {
    on_each_engine(async |world| {
        world.publish().await;
        let before = row(world).await;
        let (here, away) = (world.site.path().join("content"), world.site.path().join("away"));
        std::fs::rename(&here, &away).expect("moved away");
        world.try_sync(dry()).await.expect_err("no content");
        assert_eq!(row(world).await, before);
        std::fs::rename(&away, &here).expect("back again");
        assert_eq!(world.sync().await.unchanged, 2, "and nobody waits for it");
    })
    .await;
}

#[tokio::test]
async fn a_repaired_site_is_read_soon_and_at_the_next_start() {
    on_each_engine(async |world| {
        world.publish().await;
        let (here, away) = (world.site.path().join("content"), world.site.path().join("away"));
        std::fs::rename(&here, &away).expect("moved away");
        for failures in 1..6 {
            world.try_sync(SyncOptions::default()).await.expect_err("no content");
            let (error, failed, minutes) = row(world).await;
            assert!(error.is_some_and(|error| error.contains("content")));
            assert_eq!((failed, minutes), (failures, 5), "a folder of this machine is looked at as always");
        }
        std::fs::rename(&away, &here).expect("back again");
        world.restart().await;
        world.drain().await;
        assert_eq!(row(world).await, (None, 0, 5));
    })
    .await;
}

#[tokio::test]
async fn a_site_that_is_empty_or_a_file_is_told_from_one_that_is_missing() {
    on_each_engine(async |world| {
        let places = tempfile::tempdir().expect("a folder");
        let place = |name: &str| places.path().join(name);
        std::fs::create_dir(place("empty")).expect("a folder");
        std::fs::write(place("file"), "").expect("a file");
        std::fs::create_dir(place("other")).expect("a folder");
        std::fs::write(place("other/notes.txt"), "").expect("a file");
        for (name, said) in
            [("empty", "is empty"), ("file", "is a file"), ("none", "is not there"), ("other", "no Hugo configuration")]
        {
            let before = world.source_path();
            let app = world.beside(&before, &format!("path = \"{}\"", place(name).display())).await.expect("a bridge");
            let error = veerpont::site::source::sync::sync(&app, "site", SyncOptions::default(), |_, _| {}).await;
            let error = error.expect_err(name).to_string();
            assert!(error.contains(said) && error.contains("`path`"), "{error}");
            app.db.close().await;
        }
    })
    .await;
}

#[tokio::test]
async fn counts_say_what_is_true() {
    on_each_engine(async |world| {
        let date = world.days_ago(30);
        world.site.page("draft", &format!("title: D\ndate: {date}\ndraft: true"), "Not yet.");
        world.site.page("later", "title: L\ndate: 2088-01-01", "Later.");
        world.site.page("locked", &format!("title: P\ndate: {date}\npassword: x"), "Locked.");
        for wish in [dry(), SyncOptions::default()] {
            let report = world.try_sync(wish).await.expect("a sync");
            let counts = (report.created, report.unchanged, report.not_public, report.unread, report.missing);
            assert_eq!(counts, (2, 0, 2, 1, 0), "a draft at the first run is not unchanged");
        }
        let again = world.sync().await;
        assert_eq!((again.unchanged, again.not_public, again.unread), (2, 2, 1));

        world.site.remove("old-maren");
        world.site.remove("draft");
        world.advance(Duration::from_hours(1));
        let report = world.sync().await;
        assert_eq!((report.unchanged, report.missing, report.not_public), (1, 1, 1), "{:?}", report.changes);
        world.advance(Duration::from_hours(25));
        let report = world.sync().await;
        assert_eq!((report.unchanged, report.removed, report.missing, report.not_public), (1, 1, 0, 1));
        world.advance(Duration::from_hours(1));
        let report = world.sync().await;
        assert_eq!((report.unchanged, report.removed, report.missing), (1, 0, 0), "what is gone is counted no more");
    })
    .await;
}

#[tokio::test]
async fn a_post_that_the_site_leads_away_from_has_moved() {
    on_each_engine(async |world| {
        world.configure("removal_grace = \"24h\"", "removal_grace = \"24h\"\nmoved_away = \"keep\"").await;
        world.publish().await;
        world.site.remove("old-maren");
        world.site.write("static/_redirects", "/post/old-maren/ https://elsewhere.example/old 301\n");
        let report = world.publish().await;
        assert_eq!(
            (report.moved, report.updated, report.removed, report.missing),
            (1, 0, 0, 0),
            "{:?}",
            report.changes
        );
    })
    .await;
}

#[tokio::test]
async fn authors_that_are_asked_for_in_vain_are_told() {
    on_each_engine(async |world| {
        let told = async |world: &World, wish: SyncOptions| -> Vec<String> {
            let report = world.try_sync(wish).await.expect("a sync");
            let warnings = report.warnings.into_iter().filter(|warning| warning.file == "the configuration");
            warnings.map(|warning| warning.message).collect()
        };
        let listed = |names: &str| format!("authors = [{names}]\n[source.handles]\njoriss = \"j\"\n");
        let before = "authors = \"published\"\nrescan = \"5m\"\nremoval_grace = \"24h\"\n";
        let after = |names: &str| format!("rescan = \"5m\"\nremoval_grace = \"24h\"\n{}", listed(names));
        world.configure(before, &after("\"maren\", \"joriss\"")).await;
        for wish in [dry(), SyncOptions::default(), SyncOptions::default()] {
            let said = told(world, wish).await;
            assert_eq!(said.len(), 2, "{said:?}");
            assert!(
                said.iter().all(|line| line.contains("`joriss`") && line.contains("did you mean `joris`?")),
                "{said:?}"
            );
        }
        // A handle that is given already, and an author who is taken out.
        world.configure("joriss = \"j\"", "maren = \"captain\"").await;
        world.configure("authors = [\"maren\", \"joriss\"]", "authors = [\"joris\"]").await;
        for wish in [dry(), SyncOptions::default()] {
            let said = told(world, wish).await;
            assert_eq!(said.len(), 2, "{said:?}");
            assert!(said.iter().any(|line| line.contains("@captain") && line.contains("@maren")), "{said:?}");
            assert!(said.iter().any(|line| line.contains("wanted no more")), "{said:?}");
        }
        let said = told(world, SyncOptions::default()).await;
        assert_eq!(said.len(), 1, "who was taken out is told of once: {said:?}");
    })
    .await;
}

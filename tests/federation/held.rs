//! What is not certainly public is never sent: drafts in odd forms, locked words, files that were cut off.

use harness::Peer;
use veerpont::site::source::report::Report;

use crate::shared::Case;
use crate::world::{GROUP, MAREN, World, kinds, on_each_engine};

/// The posts of a case: names and texts.
fn posts(case: &Case) -> Vec<(String, String)> {
    let files = case.folder().read_dir().expect("a folder").map(|file| file.expect("a file").path());
    let mut posts: Vec<(String, String)> = files
        .filter(|path| {
            path.extension().is_some_and(|end| end == "md") && path.file_stem().is_some_and(|stem| stem != "README")
        })
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).expect("a text"))
        })
        .collect();
    posts.sort();
    posts
}

fn is_told(report: &Report, name: &str) -> bool {
    report.warnings.iter().any(|warning| warning.file == format!("content/post/{name}"))
}

/// A world whose first import is over, with a follower.
async fn with_follower(world: &mut World) -> Peer {
    world.publish().await;
    let peer = world.peer("peer.test", &["ann"]);
    world.follow(&peer, "ann", MAREN).await;
    peer
}

#[tokio::test]
async fn drafts_in_every_form_are_published_by_no_sync() {
    let Some(case) = Case::open(86) else { return };
    on_each_engine(async |world| {
        let peer = with_follower(world).await;
        world.follow(&peer, "ann", GROUP).await;
        for (name, text) in posts(&case) {
            world.site.write(&format!("content/post/{name}"), &text.replace("2026-11-28", "2026-11-01"));
        }
        let report = world.publish().await;
        assert_eq!((report.created, report.updated), (0, 0), "{:?}", report.changes);
        assert!(kinds(&peer).is_empty());
        for name in ["two-boms.md", "commented.md"] {
            assert!(is_told(&report, name), "{name}: {:?}", report.warnings);
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_locked_on_the_site_is_held_and_told() {
    let Some(case) = Case::open(87) else { return };
    on_each_engine(async |world| {
        let peer = with_follower(world).await;
        for (name, text) in posts(&case) {
            world.site.write(&format!("content/post/{name}"), &text.replace("2026-11-28", "2026-11-01"));
        }
        let report = world.publish().await;
        assert_eq!(report.created, 0, "{:?}", report.changes);
        assert!(is_told(&report, "enc.md") && is_told(&report, "pw.md"), "{:?}", report.warnings);

        // What was public stays as it was while a part of it is locked.
        world.site.post("ferry", "The ferry", "It sails at ten.", &["maren"], &world.days_ago(1));
        assert_eq!(world.publish().await.created, 1);
        world.site.replace(
            "ferry",
            "It sails",
            "{{% hugo-encryptor \"x\" %}}\nSecret.\n{{% /hugo-encryptor %}}\nIt sails",
        );
        let report = world.publish().await;
        assert_eq!((report.updated, report.removed), (0, 0));
        assert!(is_told(&report, "ferry/index.md"));
        assert_eq!(kinds(&peer), ["Create"]);
    })
    .await;
}

#[tokio::test]
async fn a_file_cut_to_nothing_changes_nothing() {
    let Some(case) = Case::open(88) else { return };
    let cut = posts(&case).remove(0).1;
    on_each_engine(async |world| {
        let peer = with_follower(world).await;
        world.site.write("content/post/new.md", &cut);
        let report = world.publish().await;
        assert!(report.created == 0 && is_told(&report, "new.md"), "{:?}", report.warnings);

        let date = world.days_ago(1);
        world.site.post("ferry", "The ferry", "It sails at ten.", &["maren"], &date);
        world.site.page("draft", &format!("title: Secret\ndate: {date}\nauthors: [maren]\ndraft: true"), "Not yet.");
        assert_eq!(world.publish().await.created, 1);
        world.site.write("content/post/ferry/index.md", &cut);
        world.site.write("content/post/draft/index.md", &cut);
        let report = world.publish().await;
        assert_eq!((report.created, report.updated, report.removed), (0, 0, 0), "{:?}", report.changes);
        assert!(is_told(&report, "ferry/index.md") && is_told(&report, "draft/index.md"));

        // Cut below its front matter.
        world.site.page("ferry", &format!("title: The ferry\ndate: {date}\nauthors: [maren]"), "");
        let report = world.publish().await;
        assert_eq!((report.updated, report.removed), (0, 0));
        assert!(is_told(&report, "ferry/index.md"));
        assert_eq!(kinds(&peer), ["Create"]);
        assert_eq!(world.sync_confirmed().await.updated, 1, "unless the operator says that it is meant");
    })
    .await;
}

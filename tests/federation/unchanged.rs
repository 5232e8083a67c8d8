//! An unchanged site is not read again; whatever changes in it, or comes by date, is seen all the same (ADR 8).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hugo_content::{Entry, Memory};
use veerpont::model::author;
use veerpont::model::post;
use veerpont::site::source;
use veerpont::site::source::apply::{self, Writers};
use veerpont::site::source::connector;
use veerpont::site::source::plan::{Act, Step};
use veerpont::site::source::report::Report;
use veerpont::site::source::sync::{self, SyncOptions};

use crate::world::{World, on_each_engine, on_each_engine_at};

/// After every file was written, by any machine's clock, so that none is too fresh to be trusted.
const LATER: &str = "2199-01-07T10:00:00Z";

impl World {
    /// A sync, and whether it read the site.
    async fn look(&self) -> (Report, bool) {
        let read = Arc::new(AtomicBool::new(false));
        let told = read.clone();
        let report =
            sync::sync(&self.app, "site", SyncOptions::default(), move |_, _| told.store(true, Ordering::Relaxed));
        (report.await.expect("a sync"), read.load(Ordering::Relaxed))
    }

    /// The posts as the last sync left them.
    async fn kept(&self) -> Vec<Entry> {
        let mut conn = self.app.db.read().await.expect("a connection");
        let source = source::store::known(&mut conn).await.expect("the sources").remove(0);
        let posts = post::store::posts(&mut conn, source.id).await.expect("the posts");
        posts.into_iter().map(|post| post.entry).collect()
    }

    /// The posts as a scan brings them that knows nothing of the last one.
    fn read_anew(&self) -> Vec<Entry> {
        let site = connector::of(&self.app.config.sources[0]);
        site.scan(Memory::new(), self.clock.now(), &mut |_, _| {}).expect("a scan").entries
    }
}

#[tokio::test]
async fn an_unchanged_site_is_not_read_and_tells_the_same() {
    on_each_engine_at(LATER, async |world| {
        world.site.page("odd", "title: Odd\ndate: 2026-01-01", "{{< unknown >}}\nText.\n{{< /unknown >}}");
        let (first, read) = world.look().await;
        assert!(read && !first.warnings.is_empty(), "{first:?}");
        for _ in 0..2 {
            let (again, read) = world.look().await;
            assert!(!read);
            assert_eq!((again.unchanged, again.complete), (first.created + first.unchanged, true));
            assert_eq!(again.warnings, first.warnings);
        }
        world.site.replace("odd", "Text", "More text");
        let (changed, read) = world.look().await;
        assert!(read);
        assert_eq!(changed.updated, 1);
        assert!(!world.look().await.1);
        // Other settings may make another site of the same files.
        world.configure("sections = [\"post\"]", "sections = [\"post\", \"blog\"]").await;
        assert!(world.look().await.1);
        assert!(!world.look().await.1);
        assert!(world.try_sync(SyncOptions { dry_run: true, ..SyncOptions::default() }).await.expect("a sync").dry_run);
        assert!(!world.look().await.1, "a dry run changes nothing");
    })
    .await;
}

#[tokio::test]
async fn a_file_of_this_moment_is_read_again() {
    // The world's clock stands before the files were written.
    on_each_engine(async |world| {
        assert!(world.look().await.1 && world.look().await.1);
    })
    .await;
}

#[tokio::test]
async fn a_posts_own_date_counts_though_nothing_changed() {
    on_each_engine_at(LATER, async |world| {
        world.site.page("soon", "title: Soon\ndate: 2199-01-07\npublishDate: 2199-01-07T10:03:00Z", "Soon.");
        world.site.page("brief", "title: Brief\ndate: 2199-01-06\nexpiryDate: 2199-01-07T10:08:00Z", "Brief.");
        world.look().await;
        let (report, read) = world.look().await;
        assert!(!read && report.created == 0);
        world.advance(Duration::from_mins(3));
        assert_eq!(world.look().await.0.created, 1);
        assert!(!world.look().await.1);
        world.advance(Duration::from_mins(5));
        assert_eq!(world.look().await.0.removed, 1);
        assert!(!world.look().await.1);
    })
    .await;
}

#[tokio::test]
async fn a_vanished_post_is_waited_for_and_removed() {
    on_each_engine_at(LATER, async |world| {
        world.write_post("new", "New", "New.", &["maren"]);
        world.look().await;
        world.site.remove("new");
        assert!(world.look().await.1);
        assert!(world.look().await.1, "nothing is kept while it is waited for");
        world.advance(Duration::from_hours(24));
        assert_eq!(world.look().await.0.removed, 1);
        world.look().await;
        assert!(!world.look().await.1);
    })
    .await;
}

/// The property: after each sync of whatever was done to the site, a scan that reads everything finds nothing left to do.
#[tokio::test]
async fn whatever_is_done_to_the_site_is_seen() {
    on_each_engine_at(LATER, async |world| {
        let mut chance: u64 = 20_260_807;
        let mut draw = |below: u64| {
            chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (chance >> 33) % below
        };
        world.look().await;
        let mut rested = 0;
        for round in 0..30 {
            let slug = format!("p{}", draw(6));
            let there = world.site.folder_of(&slug).is_dir();
            match draw(8) {
                0 | 1 => {
                    world.write_post(&slug, &format!("Title {}", draw(3)), &format!("Body {}.", draw(3)), &["maren"]);
                }
                2 if there => world.site.write(&format!("content/post/{slug}/featured.png"), "no picture"),
                3 if there => world.site.remove(&slug),
                4 => world.site.author("maren", &format!("Maren {}", draw(4))),
                5 => world
                    .site
                    .write("content/post/_index.md", &format!("---\ncascade:\n  draft: {}\n---\n", draw(2) == 0)),
                6 => world.site.write("config/_default/hugo.yaml", &format!("summaryLength: {}\n", draw(3))),
                _ => {}
            }
            rested += usize::from(!world.look().await.1);
            let wish = SyncOptions { dry_run: true, confirm: false, deliver: None };
            let left = world.try_sync(wish).await.expect("a dry run");
            let counts = (left.created, left.updated, left.moved, left.removed);
            assert_eq!(counts, (0, 0, 0, 0), "round {round}: {:?}", left.changes);
            let (kept, read) = (world.kept().await, world.read_anew());
            assert!(read.iter().all(|entry| kept.contains(entry)), "round {round}: {read:#?} of {kept:#?}");
        }
        assert!(rested > 0, "it rested at times");
    })
    .await;
}

/// What a sync had planned for a post and the command line decided otherwise meanwhile is planned anew, though no file changed.
#[tokio::test]
async fn a_step_that_came_too_late_has_the_site_read_again() {
    on_each_engine_at(LATER, async |world| {
        world.publish().await;
        world.look().await;
        assert!(!world.look().await.1, "nothing changed");
        let mut conn = world.app.db.read().await.expect("a connection");
        let source = source::store::known(&mut conn).await.expect("the sources").remove(0);
        let planned = post::store::posts(&mut conn, source.id).await.expect("the posts").remove(0);
        drop(conn);
        source::unpublish::unpublish(&world.app, planned.id).await.expect("a decision");
        assert!(!world.look().await.1, "a decision is carried out by itself");
        let app = world.app.clone();
        let write = world.app.db.write(move |conn| {
            Box::pin(async move {
                let community = author::store::community(conn, source.community).await?.expect("a community");
                let writers = Writers::load(conn, source.id, &community).await?;
                let step = Step {
                    entry: Some(planned.entry.clone()),
                    state: planned.state,
                    act: Act::Update,
                    moved_from: None,
                    new_key: None,
                    moved_away: None,
                    deliver: false,
                    is_unread: false,
                    known: Some(planned),
                };
                apply::step(conn, &app, &source, &writers, &step).await
            })
        });
        write.await.expect("dropped");
        assert!(world.look().await.1, "it is read again");
    })
    .await;
}

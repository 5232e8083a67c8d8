//! A piece of work by which the process ends each time has an end, or rests longer each time; what was under way beside it
//! is not taken for it.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use veerpont::app::worker;
use veerpont::app::worker::Worker;
use veerpont::federation::{delivery, outbox};
use veerpont::inbox;
use veerpont::inbox::{FetchJob, Inbound, Purpose, store};
use veerpont::model::post;
use veerpont::site::source;
use veerpont::site::source::sync::SyncOptions;

use crate::threads::{Person, article, id};
use crate::world::{MAREN, World, on_each_engine, taken};

/// Lives of the process after which a test gives up.
const LIVES: usize = 12;

/// Drives a future until `is_over`, then drops it as a process that ends does.
async fn until<T>(work: impl Future<Output = T>, mut is_over: impl FnMut() -> bool) {
    let mut work = pin!(work);
    std::future::poll_fn(|context| if is_over() { Poll::Ready(()) } else { work.as_mut().poll(context).map(|_| ()) })
        .await;
}

/// What became of an activity, and why.
async fn verdict_of(world: &World, id: &str) -> (String, String) {
    let mut conn = world.app.db.read().await.expect("a connection");
    let kept = store::about(&mut conn, id, 1).await.expect("verdicts").pop().expect("it was kept");
    (kept.verdict, kept.reason.unwrap_or_default())
}

/// One life of the bridge: it takes up what is due and works it in order, until the piece by which it ends.
async fn live(world: &mut World, killer: &str, begun: &mut usize) -> bool {
    let inbox = inbox::worker::worker();
    loop {
        let claims: Vec<Inbound> = inbox.claim(&world.app, 64).await.expect("a claim");
        if claims.is_empty() {
            return true;
        }
        let (mut is_over, mut others) = (false, Vec::new());
        for claim in claims {
            if claim.activity_id == killer {
                is_over = true;
            } else {
                others.push(claim);
            }
        }
        if is_over {
            // All that was under way ends with it.
            *begun += 1;
            world.restart().await;
            return false;
        }
        for claim in others {
            inbox.work(&world.app, claim).await.expect("a verdict");
        }
    }
}

#[tokio::test]
async fn an_activity_that_ends_the_process_each_time_is_settled_as_failed_and_no_other_with_it() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let (killer, bystander) = (Person::new(world, "killer.test"), Person::new(world, "bystander.test"));
        let (deadly, behind) = (killer.note(1, &article), killer.note(2, &article));
        let deadly = killer.activity("Create", "creates/1", deadly);
        let behind = killer.activity("Create", "creates/2", behind);
        killer.post(&deadly).await;
        killer.post(&behind).await;
        let beside: Vec<_> = (1..=6)
            .map(|number| {
                let person = bystander.neighbour(&format!("/users/n{number}"));
                let note = person.note(number, &article);
                let create = person.activity("Create", "create", note);
                (person, create)
            })
            .collect();
        for (person, create) in &beside {
            person.post(create).await;
        }
        let mut begun = 0;
        let mut ended = false;
        for _ in 0..LIVES {
            if live(world, &id(&deadly), &mut begun).await {
                ended = true;
                break;
            }
        }
        assert!(ended, "the process still ends by it after {LIVES} lives");
        assert_eq!(begun, 5, "it is begun five times, and no sixth");
        let (verdict, why) = verdict_of(world, &id(&deadly)).await;
        assert_eq!(verdict, "failed");
        assert!(why.contains("five times"), "{why}");
        // Its actor is not blocked by it, and what was under way beside it did no harm.
        assert_eq!(verdict_of(world, &id(&behind)).await.0, "accepted");
        for (_, create) in &beside {
            assert_eq!(verdict_of(world, &id(create)).await.0, "accepted", "{create}");
        }
        world.drain().await;
    })
    .await;
}

#[tokio::test]
async fn a_document_that_ends_the_process_each_time_is_given_up() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let (ids, now) = (world.app.ids.clone(), world.app.clock.now());
        let (deadly, other) = ("https://deadly.test/notes/1", Person::new(world, "other.test"));
        let note = other.note(1, &article);
        other.serve(&note);
        let wants = [deadly.to_owned(), id(&note)].map(|url| FetchJob {
            url,
            purpose: Purpose::Post,
            article: None,
            depth: 1,
            after: Duration::ZERO,
        });
        let ask = world.app.db.write(move |conn| {
            Box::pin(async move {
                for want in &wants {
                    store::fetch_queue::ask(conn, &ids, want, store::fetch_queue::Asker::default(), now).await?;
                }
                Ok::<_, sqlx::Error>(())
            })
        });
        ask.await.expect("asked for");
        let seeker = inbox::fetcher::worker();
        let mut begun = 0;
        for _ in 0..LIVES {
            let claims = seeker.claim(&world.app, 16).await.expect("a claim");
            if claims.is_empty() {
                break;
            }
            if claims.iter().any(|claim| claim.url == deadly) {
                begun += 1;
                world.restart().await;
                continue;
            }
            for claim in claims {
                seeker.work(&world.app, claim).await.expect("read");
            }
        }
        assert_eq!(begun, 5);
        let mut conn = world.app.db.read().await.expect("a connection");
        let line = store::fetch_queue::because_of(&mut conn, deadly, None).await.expect("lines").pop().expect("a line");
        assert_eq!(line.outcome, "failed", "{line:?}");
        drop(conn);
        world.drain().await;
        assert!(world.reply_texts().await.contains(&"1".to_owned()), "the other was read");
    })
    .await;
}

#[tokio::test]
async fn a_host_by_which_the_process_ends_rests_longer_each_time() {
    on_each_engine(async |world| {
        world.publish().await;
        let peer = world.peer("peer.test", &["ann"]);
        world.follow(&peer, "ann", MAREN).await;
        world.write_post("ferry", "The ferry", "It sails at ten.", &["maren"]);
        world.sync().await;
        worker::drain(&outbox::worker::worker(), &world.app).await.expect("it is said");
        let delivery = delivery::worker::worker();
        for _ in 0..2 {
            assert_eq!(delivery.claim(&world.app, 256).await.expect("a claim").len(), 1);
            world.restart().await;
        }
        // Twice may be chance; from the third on it rests, and longer each time.
        for minutes in [1, 4, 9] {
            assert_eq!(delivery.claim(&world.app, 256).await.expect("a claim").len(), 1);
            world.restart().await;
            world.advance(Duration::from_secs(60 * minutes - 1));
            assert!(delivery.claim(&world.app, 256).await.expect("a claim").is_empty(), "{minutes} minutes");
            world.advance(Duration::from_secs(1));
        }
        world.drain().await;
        assert_eq!(taken(&peer, "Create").len(), 1, "it was sent in the end");
        // Which is an end in order: nothing is held against it.
        world.write_post("second", "The second", "It sails at eleven.", &["maren"]);
        world.sync().await;
        worker::drain(&outbox::worker::worker(), &world.app).await.expect("it is said");
        assert_eq!(delivery.claim(&world.app, 256).await.expect("a claim").len(), 1);
        world.restart().await;
        world.drain().await;
        assert_eq!(taken(&peer, "Create").len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_source_by_which_the_process_ends_rests_and_says_so() {
    on_each_engine(async |world| {
        world.publish().await;
        world.advance(Duration::from_mins(5));
        let scans = source::worker::worker();
        for _ in 0..3 {
            assert_eq!(scans.claim(&world.app, 1).await.expect("a claim").len(), 1);
            world.restart().await;
        }
        assert!(scans.claim(&world.app, 1).await.expect("a claim").is_empty(), "it rests");
        let mut conn = world.app.db.read().await.expect("a connection");
        let known = source::store::known(&mut conn).await.expect("sources").pop().expect("the source");
        drop(conn);
        assert!(known.error.is_some_and(|error| error.contains("last 3 scans")), "`status` says it");
        // Who asks for it is not kept waiting, and a scan that ends in order takes it all back.
        world.try_sync(SyncOptions::default()).await.expect("a sync");
        world.advance(Duration::from_mins(5));
        assert_eq!(scans.claim(&world.app, 1).await.expect("a claim").len(), 1);
        world.restart().await;
        assert_eq!(scans.claim(&world.app, 1).await.expect("a claim").len(), 1);
        world.restart().await;
    })
    .await;
}

/// How often a piece of the outbox was begun in vain.
async fn begun(world: &World) -> i64 {
    let mut conn = world.app.db.read().await.expect("a connection");
    let times = sqlx::query_scalar("SELECT COALESCE(MAX(times), 0) FROM unfinished_work WHERE worker = 'outbox'");
    times.fetch_one(&mut *conn).await.expect("a count")
}

#[tokio::test]
async fn an_article_by_which_the_process_ends_does_not_keep_others_back() {
    on_each_engine(async |world| {
        world.publish().await;
        let peer = world.peer("peer.test", &["ann"]);
        world.follow(&peer, "ann", MAREN).await;
        world.write_post("deadly", "The deadly", "It sinks.", &["maren"]);
        world.sync().await;
        let said = outbox::worker::worker();
        while begun(world).await < 3 {
            let step = said.claim(&world.app, 1).await.expect("a claim").pop().expect("it is to be said");
            // The process ends as soon as the step is noted as begun.
            let before = begun(world).await;
            for turns in 1.. {
                let mut turn = 0;
                let app = world.app.clone();
                until(Box::pin(said.work(&app, step.clone())), || {
                    turn += 1;
                    turn > turns
                })
                .await;
                if begun(world).await > before {
                    break;
                }
            }
            world.restart().await;
        }
        let mut conn = world.app.db.read().await.expect("a connection");
        let unsaid = post::store::unsaid(&mut conn, 10).await.expect("articles");
        drop(conn);
        assert_eq!(unsaid.len(), 1, "it was never said");
        world.advance(Duration::from_secs(1));
        world.write_post("ferry", "The ferry", "It sails at ten.", &["maren"]);
        world.publish().await;
        assert_eq!(taken(&peer, "Create").len(), 1, "the other goes out, while it rests");
        world.advance(Duration::from_mins(65));
        world.drain().await;
        assert_eq!(taken(&peer, "Create").len(), 2, "it has its turn again");
        assert_eq!(begun(world).await, 0, "an end in order takes it back");
    })
    .await;
}

//! A panic is a failure like others: it is counted where `status` reads it, its piece is put off, and the loop goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use veerpont::app::App;
use veerpont::app::worker::store::Failures;
use veerpont::app::worker::{self, Worker};
use veerpont::db::Queue;
use veerpont::federation::{delivery, outbox};
use veerpont::inbox::{self, FetchJob, Purpose, store};

use crate::threads::{Person, article, id};
use crate::world::{MAREN, World, on_each_engine, taken};

/// A loop whose first claim panics, and whose first piece too.
#[derive(Default)]
struct Clumsy {
    claims: AtomicUsize,
    put_off: AtomicUsize,
    done: AtomicUsize,
}

impl Worker for Clumsy {
    type Claim = usize;
    const NAME: &'static str = "clumsy";
    const WIDTH: usize = 4;
    const QUEUE: Option<Queue> = None;

    async fn claim(&self, _: &App, _: usize) -> anyhow::Result<Vec<usize>> {
        match self.claims.fetch_add(1, Ordering::SeqCst) {
            0 => panic!("no claim"),
            1 => Ok(vec![0, 1]),
            2 => anyhow::bail!("the database is away"),
            3 => Ok(vec![2]),
            _ => Ok(Vec::new()),
        }
    }

    async fn work(&self, app: &App, piece: usize) -> anyhow::Result<()> {
        if piece == 0 {
            // Within a write, whose panic must not end the writer either.
            app.db
                .write(|_| Box::pin(async { if true { panic!("no work") } else { Ok::<_, sqlx::Error>(()) } }))
                .await?;
        }
        self.done.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    async fn put_off(&self, _: &App, piece: usize, why: &str) -> anyhow::Result<()> {
        assert_eq!(piece, 0);
        assert!(why.contains("panicked: no work"), "{why}");
        self.put_off.fetch_add(1, Ordering::SeqCst);
        panic!("nor this");
    }
}

async fn failures(world: &World) -> Vec<Failures> {
    let mut conn = world.app.db.read().await.expect("a connection");
    worker::store::failures(&mut conn, world.app.clock.now()).await.expect("failures")
}

#[tokio::test]
async fn no_panic_ends_a_loop_and_each_is_counted() {
    on_each_engine(async |world| {
        let (clumsy, stop) = (Arc::new(Clumsy::default()), CancellationToken::new());
        let running = tokio::spawn(worker::run(clumsy.clone(), world.app.clone(), stop.clone()));
        while clumsy.done.load(Ordering::SeqCst) < 2 {
            assert!(!running.is_finished(), "the loop goes on");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        stop.cancel();
        running.await.expect("the loop ends when it is told to");
        assert_eq!(clumsy.put_off.load(Ordering::SeqCst), 1);
        let failed = failures(world).await.pop().expect("it is counted");
        assert_eq!((failed.worker.as_str(), failed.times, failed.panics), ("clumsy", 3, 2), "{failed:?}");
        assert!(failed.why.contains("the database is away") || failed.why.contains("panicked: no work"), "{failed:?}");
        // The writer lives.
        world.publish().await;
    })
    .await;
}

#[tokio::test]
async fn a_task_that_panics_begins_anew() {
    on_each_engine(async |world| {
        let (begun, stop) = (Arc::new(AtomicUsize::new(0)), CancellationToken::new());
        let (times, until) = (begun.clone(), stop.clone());
        let task = move || {
            let (times, until) = (times.clone(), until.clone());
            async move {
                assert!(times.fetch_add(1, Ordering::SeqCst) > 0, "the first time it panics");
                until.cancelled().await;
            }
        };
        let running = tokio::spawn(worker::supervise("task", world.app.clone(), stop.clone(), task));
        while begun.load(Ordering::SeqCst) < 2 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        stop.cancel();
        running.await.expect("it ends when it is told to");
        assert_eq!(failures(world).await.pop().map(|failed| failed.panics), Some(1));
    })
    .await;
}

#[tokio::test]
async fn an_activity_that_makes_us_fail_is_put_off_and_given_up_after_five_times() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let person = Person::new(world, "person.test");
        let (first, second) = (
            person.activity("Create", "creates/1", person.note(1, &article)),
            person.activity("Create", "creates/2", person.note(2, &article)),
        );
        person.post(&first).await;
        person.post(&second).await;
        let inbox = inbox::worker::worker();
        for times in 1..=5 {
            let claims = inbox.claim(&world.app, 64).await.expect("a claim");
            assert_eq!(claims.len(), 1, "time {times}: the actor's second waits for the first");
            for claim in claims {
                inbox.put_off(&world.app, claim, "it panicked: no sense").await.expect("put off");
            }
            if times < 5 {
                assert!(inbox.claim(&world.app, 64).await.expect("a claim").is_empty(), "it waits a while");
            }
            world.advance(Duration::from_mins(10));
        }
        world.drain().await;
        let mut conn = world.app.db.read().await.expect("a connection");
        let mut verdicts = Vec::new();
        for create in [&first, &second] {
            let kept = store::about(&mut conn, &id(create), 1).await.expect("verdicts").pop().expect("kept");
            verdicts.push((kept.verdict, kept.reason.unwrap_or_default()));
        }
        assert_eq!(verdicts[0], ("failed".to_owned(), "it panicked: no sense".to_owned()));
        assert_eq!(verdicts[1].0, "accepted");
    })
    .await;
}

#[tokio::test]
async fn what_makes_another_loop_fail_rests_and_comes_again_or_ends() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let why = "it panicked: no sense";
        // A host: later, and no fault of its own.
        let peer = world.peer("second.test", &["bob"]);
        world.follow(&peer, "bob", MAREN).await;
        world.write_post("other", "The other", "It sails at noon.", &["maren"]);
        world.sync().await;
        worker::drain(&outbox::worker::worker(), &world.app).await.expect("it is said");
        let delivery = delivery::worker::worker();
        for lease in delivery.claim(&world.app, 256).await.expect("a claim") {
            delivery.put_off(&world.app, lease, why).await.expect("put off");
        }
        assert!(delivery.claim(&world.app, 256).await.expect("a claim").is_empty());
        world.drain().await;
        assert!(taken(&peer, "Create").is_empty());
        world.advance(Duration::from_mins(5));
        world.drain().await;
        assert_eq!(taken(&peer, "Create").len(), 1);
        // An article: later.
        world.write_post("third", "The third", "It sails at one.", &["maren"]);
        world.sync().await;
        let outbox = outbox::worker::worker();
        let step = outbox.claim(&world.app, 1).await.expect("a claim").pop().expect("a step");
        outbox.put_off(&world.app, step, why).await.expect("put off");
        world.drain().await;
        assert_eq!(taken(&peer, "Create").len(), 1);
        world.advance(Duration::from_mins(5));
        world.drain().await;
        assert_eq!(taken(&peer, "Create").len(), 2);
        // A document: five times.
        let (ids, now) = (world.app.ids.clone(), world.app.clock.now());
        let url = "https://nobody.test/notes/1";
        let want =
            FetchJob { url: url.to_owned(), purpose: Purpose::Post, article: None, depth: 1, after: Duration::ZERO };
        let ask = world.app.db.write(move |conn| {
            Box::pin(async move {
                store::fetch_queue::ask(conn, &ids, &want, store::fetch_queue::Asker::default(), now).await
            })
        });
        assert!(ask.await.expect("asked for"));
        let seeker = inbox::fetcher::worker();
        for times in 1..=5 {
            let wanted = seeker.claim(&world.app, 16).await.expect("a claim").pop();
            let wanted = wanted.unwrap_or_else(|| panic!("time {times}"));
            seeker.put_off(&world.app, wanted, why).await.expect("put off");
            world.advance(Duration::from_hours(1));
        }
        assert!(seeker.claim(&world.app, 16).await.expect("a claim").is_empty());
        let mut conn = world.app.db.read().await.expect("a connection");
        let line = store::fetch_queue::because_of(&mut conn, url, None).await.expect("lines").pop().expect("a line");
        assert_eq!((line.outcome.as_str(), line.reason.as_deref()), ("failed", Some(why)));
        let _ = article;
    })
    .await;
}

//! An idle bridge costs next to nothing, whatever stands in its queues: how often the loops look in a virtual hour, and
//! what that asks of the database.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use clock::Timestamp;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use veerpont::app::App;
use veerpont::app::worker::{self, IDLE, Worker};
use veerpont::db::Queue;
use veerpont::federation::{delivery, outbox};
use veerpont::inbox;
use veerpont::inbox::{FetchJob, Purpose, store};
use veerpont::site::{comment_export, source};

use crate::statements::Counting;
use crate::world::{MAREN, World, on_each_engine};

/// The hour.
const HOUR: Duration = Duration::from_hours(1);

/// A row of the inbox: whose, attempts, due, lease, verdict.
type State = (&'static str, i64, Timestamp, Option<&'static str>, Option<&'static str>);

/// Looks of one loop in an hour: one each time it is idle for so long, and a few at the beginning.
const LOOKS: usize = 1810;

/// Statements of all loops in an hour: thirteen for each time that all have looked.
const STATEMENTS: usize = 13 * LOOKS;

/// A loop whose looks are counted.
struct Counted<W> {
    inner: Arc<W>,
    looks: Looks,
}

#[derive(Clone, Default)]
struct Looks {
    begun: Arc<AtomicUsize>,
    ended: Arc<AtomicUsize>,
}

impl<W: Worker> Worker for Counted<W> {
    type Claim = W::Claim;
    const NAME: &'static str = W::NAME;
    const WIDTH: usize = W::WIDTH;
    const QUEUE: Option<Queue> = W::QUEUE;

    async fn claim(&self, app: &App, limit: usize) -> anyhow::Result<Vec<W::Claim>> {
        self.looks.begun.fetch_add(1, Ordering::SeqCst);
        let claims = self.inner.claim(app, limit).await;
        self.looks.ended.fetch_add(1, Ordering::SeqCst);
        claims
    }

    async fn work(&self, _: &App, _: W::Claim) -> anyhow::Result<()> {
        // As one whose network never answers: what it claimed stays under its lease.
        std::future::pending().await
    }

    async fn put_off(&self, app: &App, claim: W::Claim, why: &str) -> anyhow::Result<()> {
        self.inner.put_off(app, claim, why).await
    }
}

/// All loops at once, and their looks by name.
struct Loops {
    stop: CancellationToken,
    running: JoinSet<()>,
    looks: Vec<(&'static str, Looks)>,
}

impl Loops {
    fn start(app: &App) -> Self {
        let mut loops = Self { stop: CancellationToken::new(), running: JoinSet::new(), looks: Vec::new() };
        loops.add(app, source::worker::worker());
        loops.add(app, outbox::worker::worker());
        loops.add(app, delivery::worker::worker());
        loops.add(app, inbox::worker::worker());
        loops.add(app, inbox::fetcher::worker());
        loops.add(app, comment_export::worker::worker());
        loops
    }

    fn add<W: Worker>(&mut self, app: &App, inner: Arc<W>) {
        let looks = Looks::default();
        self.looks.push((W::NAME, looks.clone()));
        self.running.spawn(worker::run(Arc::new(Counted { inner, looks }), app.clone(), self.stop.clone()));
    }

    fn begun(&self) -> usize {
        self.looks.iter().map(|(_, looks)| looks.begun.load(Ordering::SeqCst)).sum()
    }

    fn ended(&self) -> usize {
        self.looks.iter().map(|(_, looks)| looks.ended.load(Ordering::SeqCst)).sum()
    }

    fn of(&self, name: &str) -> usize {
        self.looks.iter().find(|(other, _)| *other == name).map_or(0, |(_, looks)| looks.begun.load(Ordering::SeqCst))
    }

    /// Waits until every loop sleeps; a loop that wakes itself never does, and is cut short.
    async fn settle(&self) {
        let (mut quiet, mut last) = (0, self.begun());
        for _ in 0..200_000 {
            tokio::task::yield_now().await;
            let now = self.begun();
            quiet = if now == last && now == self.ended() { quiet + 1 } else { 0 };
            last = now;
            if quiet > 20 {
                return;
            }
        }
    }
}

/// Runs with a clock of its own that stands until it is advanced.
async fn in_virtual_time<T>(story: impl Future<Output = T>) -> T {
    // While a thread of the runtime is busy, tokio does not move a paused clock by itself.
    let (end, held) = std::sync::mpsc::channel::<()>();
    let holder = tokio::task::spawn_blocking(move || held.recv().is_ok());
    tokio::time::pause();
    let result = story.await;
    tokio::time::resume();
    drop(end);
    let _ = holder.await;
    result
}

/// An hour of all loops; every bound is checked.
async fn an_hour(world: &World, what: &str) {
    in_virtual_time(async {
        let mut loops = Loops::start(&world.app);
        loops.settle().await;
        let counting = Counting::begin();
        let steps = HOUR.as_millis() / IDLE.as_millis();
        for _ in 0..steps {
            tokio::time::advance(IDLE).await;
            loops.settle().await;
            assert!(loops.begun() <= 6 * LOOKS, "{what}: a loop spins: {}", counting.take().breakdown());
        }
        let statements = counting.take();
        for (name, _) in &loops.looks {
            assert!(loops.of(name) <= LOOKS, "{what}: {name} looked {} times", loops.of(name));
        }
        assert_eq!(statements.writes(), 0, "{what}: {}", statements.breakdown());
        assert!(statements.len() <= STATEMENTS, "{what}: {}", statements.breakdown());
        loops.running.abort_all();
        while loops.running.join_next().await.is_some() {}
    })
    .await;
}

/// A bridge with a reader, a hand-back and an article, and nothing to do.
async fn at_rest(world: &mut World) {
    let before = "removal_grace = \"24h\"";
    let comment_export = format!("{before}\n[[comment_export]]\nkind = \"hugo\"\nsource = \"site\"\nevery = \"5m\"");
    world.configure(before, &comment_export).await;
    world.publish().await;
    let peer = world.peer("peer.test", &["ann"]);
    world.follow(&peer, "ann", MAREN).await;
    world.write_post("ferry", "The ferry", "It sails at ten.", &["maren"]);
    world.publish().await;
}

#[tokio::test]
async fn an_hour_with_empty_queues_costs_a_look_now_and_then() {
    on_each_engine(async |world| {
        at_rest(world).await;
        an_hour(world, "empty").await;
    })
    .await;
}

/// Puts something of every state that is not due into every queue.
async fn fill(world: &World) {
    let (now, ids) = (world.app.clock.now(), world.app.ids.clone());
    let before = now - Duration::from_mins(1);
    let later = now + Duration::from_mins(1);
    let wants: Vec<FetchJob> = (0..200)
        .map(|number| FetchJob {
            // Two hundred of one slow host, and one each of fifty others.
            url: if number < 150 {
                format!("https://slow.test/{number}")
            } else {
                format!("https://host{number}.test/")
            },
            purpose: Purpose::Post,
            article: None,
            depth: 0,
            after: Duration::ZERO,
        })
        .collect();
    let job = world.app.db.write(move |conn| {
        Box::pin(async move {
            let inbound = "INSERT INTO inbound (id, heard, activity_id, signer, actor, kind, raw, path, received_at, begun, next_attempt_at,
                 lease_owner, verdict, settled_at) VALUES ($1, $1, $2, $3, $3, 'Like', '{}', '/', $4, $5, $6, $7, $8, $9)";
            // Whose, attempts, due, lease, verdict.
            let states: [State; 7] = [
                ("resting", 1, later, None, None),
                ("leased", 1, later, Some("elsewhere"), None),
                // Due, but for the one of the same actor before it.
                ("leased", 0, before, None, None),
                ("resting", 0, before, None, None),
                ("suspect", 3, later, Some("elsewhere"), None),
                // Due, but for the one that may have ended the process.
                ("another", 2, before, None, None),
                ("deferred", 1, before, None, Some("deferred")),
            ];
            for (number, (actor, attempts, due, lease, verdict)) in states.into_iter().enumerate() {
                sqlx::query(inbound)
                    .bind(ids.row())
                    .bind(format!("https://{actor}.test/{number}"))
                    .bind(format!("https://{actor}.test/u"))
                    .bind(before.millis())
                    .bind(attempts)
                    .bind(due.millis())
                    .bind(lease)
                    .bind(verdict)
                    .bind(verdict.map(|_| before.millis()))
                    .execute(&mut *conn)
                    .await?;
            }
            for want in &wants {
                store::fetch_queue::ask(conn, &ids, want, store::fetch_queue::Asker::default(), before).await?;
            }
            for statement in [
                // One of the slow host is being read; the other hosts were asked enough, or rest.
                "UPDATE fetch_queue SET lease_owner = 'elsewhere', attempts = 1, begun = 1, next_attempt_at = $2 WHERE url = 'https://slow.test/0'",
                "UPDATE fetch_queue SET next_attempt_at = $2 WHERE url < 'https://host175.test/' AND url >= 'https://host150.test/'",
                "UPDATE fetch_queue SET begun = 3, lease_owner = 'elsewhere', next_attempt_at = $2 WHERE url = 'https://host175.test/'",
                "UPDATE fetch_queue SET begun = 2 WHERE url > 'https://host175.test/' AND url < 'https://i'",
                // Hosts: served elsewhere, failing, gone.
                "INSERT INTO hosts (id, name, next_attempt_at, lease_owner, lease_token) SELECT 1, 'leased.test', $2, 'elsewhere', 1 WHERE $1 > 0",
                "INSERT INTO hosts (id, name, next_attempt_at, backoff_until, failures, failing_since) VALUES (2, 'failing.test', $2, $2, 3, $1)",
                "INSERT INTO hosts (id, name, next_attempt_at, backoff_until, failures, failing_since, gone_at) VALUES (3, 'gone.test', $2, $2, 9, $1, $1)",
                // The source is scanned elsewhere, and another is configured no longer.
                "UPDATE sources SET next_attempt_at = $2, lease_owner = 'elsewhere' WHERE $1 > 0",
                "INSERT INTO sources (id, name, community_id, next_attempt_at) SELECT 1, 'forgotten', community_id, $1 FROM sources WHERE $2 > 0",
                // What is to be said and to be fanned out rests.
                "UPDATE articles SET revision = revision + 1 WHERE $1 < $2",
                "INSERT INTO unfinished_work (worker, item, times, not_before) SELECT 'outbox', 'article:' || CAST(id AS TEXT), 3, $2 FROM articles WHERE $1 < $2",
                "UPDATE activities SET fanned_out_at = NULL WHERE id = (SELECT MAX(id) FROM activities) AND $1 < $2",
                "INSERT INTO unfinished_work (worker, item, times, not_before) SELECT 'outbox', 'fan-out:' || CAST(id AS TEXT), 3, $2 FROM activities WHERE fanned_out_at IS NULL AND $1 < $2",
            ] {
                sqlx::query(statement).bind(before.millis()).bind(later.millis()).execute(&mut *conn).await?;
            }
            Ok::<_, sqlx::Error>(())
        })
    });
    job.await.expect("every queue is filled");
}

#[tokio::test]
async fn an_hour_with_something_in_every_state_of_every_queue_costs_no_more() {
    on_each_engine(async |world| {
        at_rest(world).await;
        fill(world).await;
        an_hour(world, "waiting").await;
        let clean = world.app.db.write(|conn| {
            Box::pin(async move {
                for statement in [
                    "DELETE FROM inbound WHERE kind = 'Like'",
                    "DELETE FROM fetch_queue",
                    "DELETE FROM unfinished_work",
                ] {
                    sqlx::query(statement).execute(&mut *conn).await?;
                }
                Ok::<_, sqlx::Error>(())
            })
        });
        clean.await.expect("as it was");
    })
    .await;
}

#[tokio::test]
async fn a_loop_is_woken_by_what_it_waits_for_and_by_nothing_else() {
    on_each_engine(async |world| {
        at_rest(world).await;
        in_virtual_time(async {
            let mut loops = Loops::start(&world.app);
            loops.settle().await;
            let before = loops.begun();
            // A commit that changes nothing, and one that changes what no loop waits for.
            for statement in ["UPDATE sources SET error = NULL WHERE id = 0", "UPDATE sources SET error = 'none'"] {
                let write =
                    world.app.db.write(move |conn| Box::pin(async move { sqlx::query(statement).execute(conn).await }));
                write.await.expect("written");
                loops.settle().await;
            }
            assert_eq!(loops.begun(), before, "nobody is woken");
            let (ids, now) = (world.app.ids.clone(), world.app.clock.now());
            let want = FetchJob {
                url: "https://nobody.test/1".to_owned(),
                purpose: Purpose::Post,
                article: None,
                depth: 0,
                after: Duration::from_hours(9),
            };
            let (fetcher, sum) = (loops.of("fetcher"), loops.begun());
            let ask = world.app.db.write(move |conn| {
                Box::pin(async move {
                    store::fetch_queue::ask(conn, &ids, &want, store::fetch_queue::Asker::default(), now).await
                })
            });
            assert!(ask.await.expect("asked for"));
            loops.settle().await;
            assert_eq!((loops.of("fetcher"), loops.begun()), (fetcher + 1, sum + 1), "the fetcher alone, and once");
            // A write that was undone added nothing.
            let (ids, sum) = (world.app.ids.clone(), loops.begun());
            let want = FetchJob {
                url: "https://nobody.test/2".to_owned(),
                purpose: Purpose::End,
                article: None,
                depth: 0,
                after: Duration::ZERO,
            };
            let undone = world.app.db.write(move |conn| {
                Box::pin(async move {
                    store::fetch_queue::ask(conn, &ids, &want, store::fetch_queue::Asker::default(), now).await?;
                    Err::<(), _>(sqlx::Error::RowNotFound)
                })
            });
            undone.await.expect_err("it is undone");
            loops.settle().await;
            assert_eq!(loops.begun(), sum);
            loops.running.abort_all();
            while loops.running.join_next().await.is_some() {}
        })
        .await;
    })
    .await;
}

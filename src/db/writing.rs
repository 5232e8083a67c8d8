//! Writes: jobs in transactions, which mean the same on both engines (ADR 1): beside others, alone, or one of a name at a time.

use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use sqlx::{AnyPool, query};
use tokio::sync::{mpsc, oneshot};

use super::noted::{Noted, Told, noting};
use super::{Conn, Db, Engine, json};
use crate::base::figures;

/// Most writes that share one commit on SQLite.
const BATCH: usize = 256;

/// How often PostgreSQL may find that a write cannot be kept apart from others, before that is told.
const TRIES: u32 = 8;

/// The wait before the second try; it grows with each.
const PAUSE: Duration = Duration::from_millis(5);

/// How a transaction of PostgreSQL begins that stands beside others, and one that is alone: the lock is of the database,
/// so that it keeps apart the writes of all nodes. SQLite has one writer anyway.
const BESIDE: &str = "BEGIN; SELECT pg_advisory_xact_lock_shared(7594037268214785)";
const ALONE: &str = "BEGIN; SELECT pg_advisory_xact_lock(7594037268214785)";

/// An error that a write may end with: it tells whether the engine's is behind it.
pub trait Failed: From<sqlx::Error> + Send + 'static {
    /// The engine's error, if that is what it is.
    fn engine(&self) -> Option<&sqlx::Error>;
}

impl Failed for sqlx::Error {
    fn engine(&self) -> Option<&sqlx::Error> {
        Some(self)
    }
}

impl Failed for anyhow::Error {
    fn engine(&self) -> Option<&sqlx::Error> {
        self.chain().find_map(|cause| cause.downcast_ref::<sqlx::Error>())
    }
}

/// Lets writes end with an error that has the engine's as its `Database`.
#[macro_export]
macro_rules! ends_writes {
    ($error:ty) => {
        impl $crate::db::Failed for $error {
            fn engine(&self) -> Option<&sqlx::Error> {
                if let Self::Database(error) = self { Some(error) } else { None }
            }
        }
    };
}

/// A piece of work inside SQLite's writer's transaction.
pub(super) type Job = Box<dyn for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, Done> + Send>;

/// What a job left behind: whether to keep its writes, what it said of itself, and how to tell its caller after the commit.
pub(super) struct Done {
    keep: bool,
    noted: Noted,
    tell: Box<dyn FnOnce(Result<(), String>) + Send>,
}

impl Db {
    /// Runs `job` in a transaction, which is kept if it returns `Ok`; returns when it is durable. A panic in it is an error.
    ///
    /// On SQLite one task commits what has gathered, so that many small writes share a commit. On PostgreSQL it stands
    /// beside others, sees with each statement what they have committed, and is run again (so it must be `Clone`) if the
    /// engine could not keep them apart. Never wait for the network inside a job.
    ///
    /// # Errors
    /// The job's own, or the engine's.
    pub async fn write<T, E, F>(&self, job: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: Failed,
        F: for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, Result<T, E>> + Clone + Send + 'static,
    {
        match &self.writer {
            Some(writer) => in_batch(writer, job).await,
            None => self.in_transaction(BESIDE, job).await,
        }
    }

    /// As [`Db::write`], with no other write under way at any node: for what a person decides, which reads what is there
    /// and changes it. A loop that writes at the same time has written before it, or reads what it decided.
    ///
    /// # Errors
    /// As [`Db::write`].
    pub(crate) async fn decide<T, E, F>(&self, job: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: Failed,
        F: for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, Result<T, E>> + Clone + Send + 'static,
    {
        match &self.writer {
            Some(writer) => in_batch(writer, job).await,
            None => self.in_transaction(ALONE, job).await,
        }
    }

    async fn in_transaction<T, E, F>(&self, begin: &'static str, job: F) -> Result<T, E>
    where
        E: Failed,
        F: for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, Result<T, E>> + Clone,
    {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.try_in_transaction(begin, job.clone()).await {
                Err(error) if tries < TRIES && error.engine().is_some_and(is_conflict) => {
                    tracing::debug!(tries, "a write was run again: it could not be kept apart from others");
                    tokio::time::sleep(PAUSE * tries * tries).await;
                }
                result => return result,
            }
        }
    }

    async fn try_in_transaction<T, E, F>(&self, begin: &'static str, job: F) -> Result<T, E>
    where
        E: Failed,
        F: for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, Result<T, E>>,
    {
        let mut transaction = self.pool.begin_with(begin).await?;
        let (result, noted) = noting(unwinding(job, &mut transaction)).await;
        let value = result?;
        self.told.before(&mut transaction, &noted).await?;
        let commit = transaction.commit().await;
        self.told.after(&noted, commit.is_ok());
        commit?;
        Ok(value)
    }
}

/// Until the end of the present transaction, nobody else passes here with the same name. What is read after it is as
/// the last who passed has left it. False where nobody else can be under way.
pub(crate) async fn one_at_a_time(conn: &mut Conn, name: &str) -> sqlx::Result<bool> {
    let has_others = Engine::of(conn) == Engine::Postgres;
    if has_others {
        query("SELECT CAST(pg_advisory_xact_lock(hashtextextended($1, 0)) AS TEXT)").bind(name).execute(conn).await?;
    }
    Ok(has_others)
}

/// As [`one_at_a_time`], with several names, which are in one order everywhere.
pub(crate) async fn each_at_a_time(conn: &mut Conn, names: &[String]) -> sqlx::Result<()> {
    if Engine::of(conn) == Engine::Postgres {
        query(
            "SELECT COUNT(CAST(pg_advisory_xact_lock(hashtextextended(n.value, 0)) AS TEXT))
             FROM json_array_elements_text(CAST($1 AS JSON)) n",
        )
        .bind(json(&names)?)
        .execute(conn)
        .await?;
    }
    Ok(())
}

/// Two writes waited for each other, or saw each other: the engine ended one, and it may be run again.
fn is_conflict(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    matches!(code.as_deref(), Some("40001" | "40P01"))
}

/// Runs a job whose panic is an error.
async fn unwinding<'c, T, E, F>(job: F, conn: &'c mut Conn) -> Result<T, E>
where
    E: Failed,
    F: FnOnce(&'c mut Conn) -> BoxFuture<'c, Result<T, E>>,
{
    AssertUnwindSafe(async move { job(conn).await })
        .catch_unwind()
        .await
        .unwrap_or_else(|panic| Err(sqlx::Error::Protocol(format!("a write {PANICKED}{}", said(&*panic))).into()))
}

/// Stands in what is said of a panic.
pub(crate) const PANICKED: &str = "panicked: ";

/// What a panic said.
fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a word")
}

/// Hands a job to SQLite's writer, and waits for its commit.
async fn in_batch<T, E, F>(writer: &mpsc::Sender<Job>, job: F) -> Result<T, E>
where
    T: Send + 'static,
    E: Failed,
    F: for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
{
    let (sender, answer) = oneshot::channel();
    let job: Job = Box::new(move |conn| {
        Box::pin(async move {
            let (result, noted) = noting(unwinding(job, conn)).await;
            Done {
                keep: result.is_ok(),
                noted,
                tell: Box::new(move |commit| {
                    let result = match commit {
                        Ok(()) => result,
                        Err(why) => result.and_then(|_| Err(sqlx::Error::Protocol(why).into())),
                    };
                    // A caller that went away no longer wants to know.
                    let _ = sender.send(result);
                }),
            }
        })
    });
    if writer.send(job).await.is_err() {
        return Err(sqlx::Error::PoolClosed.into());
    }
    answer.await.unwrap_or_else(|_| {
        Err(sqlx::Error::Protocol("the database could not begin a write; the log says why".into()).into())
    })
}

/// Starts SQLite's one writer.
pub(super) fn in_batches(pool: AnyPool, told: Told) -> mpsc::Sender<Job> {
    let (sender, jobs) = mpsc::channel(4 * BATCH);
    tokio::spawn(write_batches(pool, jobs, told));
    sender
}

/// Takes what has gathered, without waiting for more, and commits it as one.
async fn write_batches(pool: AnyPool, mut jobs: mpsc::Receiver<Job>, told: Told) {
    let mut batch = Vec::with_capacity(BATCH);
    while jobs.recv_many(&mut batch, BATCH).await > 0 {
        let mut done = Vec::with_capacity(batch.len());
        let mut noted = Noted::default();
        let committed = commit_batch(&pool, &mut batch, &mut done, &mut noted, &told).await;
        // Jobs that never ran are dropped, which tells their callers.
        batch.clear();
        if let Err(error) = &committed {
            tracing::error!(%error, "a write to the database failed");
        }
        let committed = committed.map_err(|error| error.to_string());
        figures::written_together(done.len());
        // Before the callers go on: what they read next is not what it was.
        told.after(&noted, committed.is_ok());
        for done in done {
            (done.tell)(committed.clone());
        }
    }
}

async fn commit_batch(
    pool: &AnyPool,
    batch: &mut Vec<Job>,
    done: &mut Vec<Done>,
    noted: &mut Noted,
    told: &Told,
) -> sqlx::Result<()> {
    let mut conn = pool.acquire().await?;
    let mut transaction = sqlx::Connection::begin_with(&mut *conn, "BEGIN IMMEDIATE").await?;
    for job in batch.drain(..) {
        query("SAVEPOINT job").execute(&mut *transaction).await?;
        let mut outcome = job(&mut transaction).await;
        if outcome.keep {
            noted.and(std::mem::take(&mut outcome.noted));
        } else {
            query("ROLLBACK TO SAVEPOINT job").execute(&mut *transaction).await?;
        }
        done.push(outcome);
        query("RELEASE SAVEPOINT job").execute(&mut *transaction).await?;
    }
    told.before(&mut transaction, noted).await?;
    transaction.commit().await
}

/// Runs what may panic: a panic is an error.
///
/// # Errors
/// Its own, or that it panicked.
pub(crate) async fn without_panic<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let result = AssertUnwindSafe(work).catch_unwind().await;
    result.unwrap_or_else(|panic| Err(anyhow::anyhow!("it {PANICKED}{}", said(&*panic))))
}

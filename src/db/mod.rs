//! The database: connecting, the one writer, and the only two spots that know which engine it is (ADR 1).

use std::path::PathBuf;
use std::time::Duration;

use clock::Timestamp;
use sqlx::any::AnyConnectOptions;
use sqlx::{Any, AnyConnection, AnyPool, Transaction};
use tokio::sync::futures::Notified;
use tokio::sync::mpsc;

mod cache;
mod columns;
mod connection;
mod disk;
mod engine;
mod instance_lock;
mod noted;
mod opening;
mod page;
mod query;
mod queues;
mod readers;
mod tables;
mod versions;
mod writing;

pub(crate) use cache::Cached;
pub use columns::Columns;
pub(crate) use columns::{decode_error, json};
pub(crate) use instance_lock::InstanceLock;
pub use instance_lock::InstanceLockError;
pub(crate) use noted::{added, changed};
pub use opening::{Access, OpenError};
pub(crate) use page::Cursor;
pub use page::{InvalidCursor, Page};
pub(crate) use query::{Statement, query};
pub use queues::Queue;
pub use readers::Reader;
pub(crate) use versions::{Stamp, Topic};
pub(crate) use writing::{Failed, PANICKED, each_at_a_time, one_at_a_time, without_panic};

use noted::Told;
use readers::Readers;
use writing::Job;

/// A connection, in a transaction when it comes from [`Db::write`].
pub type Conn = AnyConnection;

/// How long another process may hold the SQLite file, or a pool be empty, before we give up.
const PATIENCE: Duration = Duration::from_secs(15);

/// Which engine stands behind the one SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    /// The embedded default.
    Sqlite,
    /// Shared by several nodes.
    Postgres,
}

/// The database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Db {
    pool: AnyPool,
    readers: Readers,
    engine: Engine,
    options: AnyConnectOptions,
    /// The file of SQLite.
    file: Option<PathBuf>,
    /// SQLite's writer task; PostgreSQL has as many writers as it likes.
    writer: Option<mpsc::Sender<Job>>,
    told: Told,
    /// From which change of the tables to which an older one was brought when it was opened.
    upgraded: Option<(i64, i64)>,
}

impl Db {
    /// Which engine it is; for people, not for decisions.
    pub(crate) fn engine(&self) -> Engine {
        self.engine
    }

    /// A connection to read with.
    ///
    /// # Errors
    /// When none is free for fifteen seconds or the engine is gone.
    pub async fn read(&self) -> sqlx::Result<Reader> {
        self.readers.take().await
    }

    /// A transaction that sees the database as it is now, whatever others write meanwhile; it must not write.
    ///
    /// # Errors
    /// As [`Db::read`].
    pub(crate) async fn snapshot(&self) -> sqlx::Result<Transaction<'static, Any>> {
        self.pool
            .begin_with(match self.engine {
                Engine::Sqlite => "BEGIN",
                Engine::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            })
            .await
    }

    /// Resolves after the next commit of this process that added to a queue: an idle loop listens to its own, so that it
    /// need not look often.
    pub(crate) fn added_to(&self, queue: Queue) -> Notified<'_> {
        self.told.bells.of(queue)
    }

    /// How far `now` is from the database's own clock, in milliseconds; SQLite shares the machine's clock.
    pub(crate) async fn clock_skew(&self, now: Timestamp) -> sqlx::Result<i64> {
        if self.engine == Engine::Sqlite {
            return Ok(0);
        }
        let theirs: i64 = sqlx::query_scalar("SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)")
            .fetch_one(&self.pool)
            .await?;
        Ok(now.millis() - theirs)
    }

    /// Picks between the spellings of one statement for the two engines, where they have no common one.
    pub(crate) fn pick(&self, sqlite: &'static str, postgres: &'static str) -> &'static str {
        match self.engine {
            Engine::Sqlite => sqlite,
            Engine::Postgres => postgres,
        }
    }

    /// What a claiming `SELECT` ends with, so that claimers do not wait for each other.
    pub(crate) fn skip_locked(&self) -> Claiming {
        match self.engine {
            Engine::Sqlite => Claiming::AlreadyAlone,
            Engine::Postgres => Claiming::SkipLocked,
        }
    }

    /// Ends all connections; writes already begun are finished.
    pub async fn close(&self) {
        self.readers.close().await;
        self.pool.close().await;
    }
}

/// How a claim keeps off rows that another claimer is about to take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Claiming {
    /// SQLite: the one writer is alone.
    AlreadyAlone,
    /// PostgreSQL: `FOR UPDATE SKIP LOCKED`.
    SkipLocked,
}

impl Claiming {
    /// Picks between two spellings of one statement.
    pub(crate) fn pick(self, alone: &'static str, skip_locked: &'static str) -> &'static str {
        match self {
            Self::AlreadyAlone => alone,
            Self::SkipLocked => skip_locked,
        }
    }
}

/// Writes a claiming statement once and makes both spellings of it.
#[macro_export]
macro_rules! claiming {
    ($db:expr, $before:expr, $after:expr) => {
        $db.skip_locked().pick(concat!($before, $after), concat!($before, " FOR UPDATE SKIP LOCKED", $after))
    };
}

/// One statement in the spellings of the two engines, where they have no common one.
#[macro_export]
macro_rules! either {
    ($db:expr, $sqlite:expr, $postgres:expr $(,)?) => {
        $db.pick($sqlite, $postgres)
    };
}

/// Writes a statement over rows once and makes both spellings of it. The rows are `$1`, a JSON array of arrays; between the two
/// parts they stand as `r`, and `r.value ->> 0` is the first field of each.
#[macro_export]
macro_rules! over_rows {
    ($conn:expr, $before:expr, $after:expr) => {
        $crate::db::Engine::of($conn).pick(
            concat!($before, "json_each($1) r", $after),
            concat!($before, "json_array_elements(CAST($1 AS JSON)) r", $after),
        )
    };
}

//! The database: connecting, the one writer, and the only two spots that know which engine it is (design, section 7).

use std::path::PathBuf;
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, AnyPool, ConnectOptions, Connection, Transaction};
use tokio::sync::futures::Notified;
use tokio::sync::mpsc;

use crate::clock::Timestamp;
use crate::config::Database;

mod columns;
mod part;
mod queues;
mod seat;
mod writing;

pub use columns::{Columns, decode_error, json};
pub use part::{NoPlace, Part, Place};
pub use queues::{Queue, added};
pub use seat::{Seat, SeatError};
pub use writing::{Failed, PANICKED, one_at_a_time, without_panic};

use queues::Bells;
use writing::Job;

/// A connection, in a transaction when it comes from [`Db::write`].
pub type Conn = AnyConnection;

/// How long another process may hold the SQLite file, or a pool be empty, before we give up.
const PATIENCE: Duration = Duration::from_secs(15);

/// Which engine stands behind the one SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// The embedded default.
    Sqlite,
    /// Shared by several nodes.
    Postgres,
}

/// Why the database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Neither `sqlite:` nor `postgres:`.
    #[error("`{0}` is not a database address: use sqlite://path/to/file.db or postgres://user@host/name")]
    Scheme(String),
    /// The folder of the SQLite file cannot be made.
    #[error(
        "cannot make the folder for the database {path}: {why}; make it yourself, or set [database] url to a place we may write"
    )]
    Folder {
        /// The SQLite file.
        path: String,
        /// The system's reason.
        why: std::io::Error,
    },
    /// The engine refused.
    #[error("cannot open the database {url}: {why}; check [database] url and that this user may read and write there")]
    Connect {
        /// Without its password.
        url: String,
        /// The engine's reason.
        why: sqlx::Error,
    },
    /// Its tables are not what this program expects.
    #[error("cannot bring the database {url} up to date: {why}; if a newer Veerpont wrote it, run that one")]
    Migrate {
        /// Without its password.
        url: String,
        /// The engine's reason.
        why: sqlx::migrate::MigrateError,
    },
}

/// The database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Db {
    pool: AnyPool,
    engine: Engine,
    options: AnyConnectOptions,
    /// The file of SQLite.
    file: Option<PathBuf>,
    /// SQLite's writer task; PostgreSQL has as many writers as it likes.
    writer: Option<mpsc::Sender<Job>>,
    bells: Bells,
}

impl Db {
    /// Opens the database at `url` (`sqlite://…` or `postgres://…`), makes the SQLite file if there is none, and
    /// brings its tables up to date.
    ///
    /// # Errors
    /// When it cannot be opened or brought up to date; the message says what to do and holds no password.
    pub async fn open(url: &str) -> Result<Self, OpenError> {
        sqlx::any::install_default_drivers();
        let shown = Database { url: url.to_owned() }.redacted();
        let engine = match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => Engine::Sqlite,
            Some("postgres" | "postgresql") => Engine::Postgres,
            _ => return Err(OpenError::Scheme(shown)),
        };
        let connect = |why| OpenError::Connect { url: shown.clone(), why };
        let file = if engine == Engine::Sqlite { Some(sqlite_file(url)?) } else { None };
        let url = file.as_ref().map_or(url.to_owned(), |file| format!("sqlite://{}?mode=rwc", file.display()));
        let options: AnyConnectOptions = url.parse().map_err(connect)?;
        let options = options
            .log_statements(log::LevelFilter::Trace)
            .log_slow_statements(log::LevelFilter::Debug, Duration::from_secs(1));
        // One connection by itself first: a pool would try for long, and then not say why.
        let mut first = options.connect().await.map_err(connect)?;
        prepare(&mut first, engine).await.map_err(connect)?;
        first.close().await.map_err(connect)?;
        let pool = AnyPoolOptions::new()
            .max_connections(if engine == Engine::Sqlite { 5 } else { 8 })
            .acquire_timeout(PATIENCE)
            .idle_timeout(None)
            .max_lifetime(None)
            .after_connect(move |conn, _| Box::pin(prepare(conn, engine)))
            .connect_with(options.clone())
            .await
            .map_err(connect)?;
        sqlx::migrate!().run(&pool).await.map_err(|why| OpenError::Migrate { url: shown.clone(), why })?;
        let bells = Bells::default();
        let writer = (engine == Engine::Sqlite).then(|| writing::in_batches(pool.clone(), bells.clone()));
        Ok(Self { pool, engine, options, file, writer, bells })
    }

    /// Which engine it is; for people, not for decisions.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// A connection to read with.
    ///
    /// # Errors
    /// When none is free for fifteen seconds or the engine is gone.
    pub async fn read(&self) -> sqlx::Result<PoolConnection<Any>> {
        self.pool.acquire().await
    }

    /// A transaction that sees the database as it is now, whatever others write meanwhile; it must not write.
    ///
    /// # Errors
    /// As [`Db::read`].
    pub async fn snapshot(&self) -> sqlx::Result<Transaction<'static, Any>> {
        self.pool
            .begin_with(match self.engine {
                Engine::Sqlite => "BEGIN",
                Engine::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            })
            .await
    }

    /// Resolves after the next commit of this process that added to a queue: an idle loop listens to its own, so that it
    /// need not look often.
    pub fn added_to(&self, queue: Queue) -> Notified<'_> {
        self.bells.of(queue)
    }

    /// How far `now` is from the database's own clock, in milliseconds; SQLite shares the machine's clock.
    ///
    /// # Errors
    /// The engine's.
    pub async fn clock_skew(&self, now: Timestamp) -> sqlx::Result<i64> {
        if self.engine == Engine::Sqlite {
            return Ok(0);
        }
        let theirs: i64 = sqlx::query_scalar("SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)")
            .fetch_one(&self.pool)
            .await?;
        Ok(now.millis() - theirs)
    }

    /// What a claiming `SELECT` ends with, so that claimers do not wait for each other.
    #[must_use]
    pub fn skip_locked(&self) -> Claiming {
        match self.engine {
            Engine::Sqlite => Claiming::AlreadyAlone,
            Engine::Postgres => Claiming::SkipLocked,
        }
    }

    /// Ends all connections; writes already begun are finished.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// How a claim keeps off rows that another claimer is about to take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claiming {
    /// SQLite: the one writer is alone.
    AlreadyAlone,
    /// PostgreSQL: `FOR UPDATE SKIP LOCKED`.
    SkipLocked,
}

impl Claiming {
    /// Picks between two spellings of one statement.
    #[must_use]
    pub fn pick(self, alone: &'static str, skip_locked: &'static str) -> &'static str {
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

async fn prepare(conn: &mut Conn, engine: Engine) -> sqlx::Result<()> {
    if engine == Engine::Sqlite {
        // FULL: what we answered 202 for, or settled, survives a power cut; group commit pays for it (limits, section 7).
        for pragma in [
            "PRAGMA busy_timeout = 15000",
            "PRAGMA journal_mode = WAL",
            "PRAGMA synchronous = FULL",
            "PRAGMA foreign_keys = ON",
        ] {
            sqlx::query(pragma).execute(&mut *conn).await?;
        }
    }
    Ok(())
}

/// The path that an address of SQLite names, with its folder made.
fn sqlite_file(url: &str) -> Result<PathBuf, OpenError> {
    let path = url.trim_start_matches("sqlite:").trim_start_matches("//");
    let path = path.split('?').next().unwrap_or(path);
    let file = PathBuf::from(path);
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|why| OpenError::Folder { path: path.to_owned(), why })?;
    }
    Ok(file)
}

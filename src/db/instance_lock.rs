//! The place of the one process that serves: of a SQLite file there is one, of a PostgreSQL database one for each node name.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::PathBuf;
use std::time::Duration;

use sqlx::{AnyConnection, ConnectOptions, Connection, query, query_scalar};

use super::Db;
use super::connection::{Mode, prepare};

/// How often a taken place is asked for before we give up, since a process that was just killed may still seem to hold it.
const TRIES: u32 = 12;

/// The time between two tries.
const PAUSE: Duration = Duration::from_millis(250);

/// Why there is no place.
#[derive(Debug, thiserror::Error)]
pub enum InstanceLockError {
    /// Another process serves this file.
    #[error(
        "another `veerpont serve` runs on the database {0}: stop it first; only other commands may run beside it, and for \
         several nodes there is PostgreSQL"
    )]
    File(String),
    /// Another process is this node.
    #[error(
        "another `veerpont serve` is the node `{0}` on this database: stop it first, or give each node a name of its own \
         ([server] node)"
    )]
    Node(String),
    /// The file that is locked cannot be made.
    #[error("cannot lock {path}: {why}; this user must be able to write beside the database")]
    Lock {
        /// The file.
        path: String,
        /// The system's reason.
        why: std::io::Error,
    },
    /// The engine's.
    #[error("cannot ask the database who serves: {0}")]
    Database(#[from] sqlx::Error),
}

/// The place of a process that serves. The system, or the server, gives it free when the process ends, however it ends.
#[derive(Debug)]
pub struct InstanceLock {
    db: Db,
    node: String,
    held: Held,
}

#[derive(Debug)]
enum Held {
    /// A file beside the database, locked.
    File(#[expect(dead_code, reason = "held until it is dropped")] File),
    /// A connection that holds a lock; none when it was lost.
    Session(Option<AnyConnection>),
}

impl Db {
    /// Takes the place of the one that serves this file, or is this node.
    ///
    /// # Errors
    /// When another has it; the message says what to do.
    pub async fn take_seat(&self, node: &str) -> Result<InstanceLock, InstanceLockError> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.try_seat(node).await {
                Err(InstanceLockError::File(_) | InstanceLockError::Node(_)) if tries < TRIES => {
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => return Err(error),
                Ok(held) => return Ok(InstanceLock { db: self.clone(), node: node.to_owned(), held }),
            }
        }
    }

    async fn try_seat(&self, node: &str) -> Result<Held, InstanceLockError> {
        let Some(file) = &self.file else { return Ok(Held::Session(Some(self.session(node).await?))) };
        // Two names of one file are one file.
        let file = std::fs::canonicalize(file).unwrap_or_else(|_| file.clone());
        let mut name = file.clone().into_os_string();
        name.push(".serve");
        let path = PathBuf::from(name);
        let cannot = |why| InstanceLockError::Lock { path: path.display().to_string(), why };
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let lock = options.open(&path).map_err(cannot)?;
        match lock.try_lock() {
            Ok(()) => Ok(Held::File(lock)),
            Err(TryLockError::WouldBlock) => Err(InstanceLockError::File(file.display().to_string())),
            Err(TryLockError::Error(why)) => Err(cannot(why)),
        }
    }

    /// A connection of its own, which holds the lock of a node's name as long as it lasts.
    async fn session(&self, node: &str) -> Result<AnyConnection, InstanceLockError> {
        let mut conn = self.options.connect().await?;
        prepare(&mut conn, self.engine, Mode::Use).await?;
        // A machine that vanished is noticed within a minute, and not after hours.
        for setting in
            ["SET tcp_keepalives_idle = 20", "SET tcp_keepalives_interval = 10", "SET tcp_keepalives_count = 3"]
        {
            if let Err(error) = query(setting).execute(&mut conn).await {
                tracing::debug!(%error, setting, "not set");
            }
        }
        let taken: bool = query_scalar("SELECT pg_try_advisory_lock(hashtextextended('veerpont serve ' || $1, 0))")
            .bind(node)
            .fetch_one(&mut conn)
            .await?;
        if taken { Ok(conn) } else { Err(InstanceLockError::Node(node.to_owned())) }
    }
}

impl InstanceLock {
    /// Whether the place is still ours; one that was lost is asked for again.
    ///
    /// # Errors
    /// When it was lost and cannot be had again: another may be this node now.
    pub async fn keep(&mut self) -> Result<(), InstanceLockError> {
        let Held::Session(session) = &mut self.held else { return Ok(()) };
        if let Some(conn) = session {
            if conn.ping().await.is_ok() {
                return Ok(());
            }
            *session = None;
        }
        *session = Some(self.db.session(&self.node).await?);
        Ok(())
    }
}

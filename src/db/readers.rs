//! Connections to read with, kept between reads: a pool asks each whether it lives before and after every use, which costs more
//! than most reads.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use scopeguard::ScopeGuard;
use sqlx::any::AnyConnectOptions;
use sqlx::{ConnectOptions, Connection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::connection::{Mode, prepare};
use super::{Conn, Engine, PATIENCE};

/// Most connections that are read with at a time.
const READERS: usize = 4;

/// How long a connection is believed to live since it was last seen to: its server may have ended it.
const BELIEVED: Duration = Duration::from_secs(1);

/// Who reads takes an idle connection, or opens one where there is room. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Readers {
    options: AnyConnectOptions,
    engine: Engine,
    mode: Mode,
    idle: Arc<Mutex<Vec<Idle>>>,
    room: Arc<Semaphore>,
}

#[derive(Debug)]
struct Idle {
    conn: Conn,
    /// When it was last seen to live.
    seen: Instant,
}

impl Readers {
    pub(super) fn new(options: AnyConnectOptions, engine: Engine, mode: Mode) -> Self {
        Self { options, engine, mode, idle: Arc::default(), room: Arc::new(Semaphore::new(READERS)) }
    }

    /// A connection that lives, within [`PATIENCE`]: a server that is gone may answer nothing at all.
    pub(super) async fn take(&self) -> sqlx::Result<Reader> {
        tokio::time::timeout(PATIENCE, self.take_living()).await.map_err(|_| sqlx::Error::PoolTimedOut)?
    }

    async fn take_living(&self) -> sqlx::Result<Reader> {
        let place = self.room.clone().acquire_owned().await.map_err(|_| sqlx::Error::PoolClosed)?;
        while let Some(mut idle) = self.pop() {
            if idle.seen.elapsed() >= BELIEVED {
                if idle.conn.ping().await.is_err() {
                    continue;
                }
                idle.seen = Instant::now();
            }
            return Ok(self.lend(idle, place));
        }
        let mut conn = self.options.connect().await?;
        prepare(&mut conn, self.engine, self.mode).await?;
        Ok(self.lend(Idle { conn, seen: Instant::now() }, place))
    }

    fn lend(&self, idle: Idle, place: OwnedSemaphorePermit) -> Reader {
        let (readers, seen) = (self.clone(), idle.seen);
        let give_back: GiveBack = Box::new(move |conn| readers.give_back(Idle { conn, seen }));
        Reader { conn: scopeguard::guard(idle.conn, give_back), _place: place }
    }

    fn give_back(&self, idle: Idle) {
        if !self.room.is_closed() {
            self.idle().push(idle);
        }
    }

    fn pop(&self) -> Option<Idle> {
        self.idle().pop()
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends what is idle, and whatever is given back from now on.
    pub(super) async fn close(&self) {
        self.room.close();
        while let Some(idle) = self.pop() {
            if let Err(error) = idle.conn.close().await {
                tracing::debug!(%error, "a connection did not end in order");
            }
        }
    }
}

type GiveBack = Box<dyn FnOnce(Conn) + Send + Sync>;

/// A connection to read with, which is given back when this is dropped. Begin no transaction with it: one that is dropped would
/// stay open.
pub struct Reader {
    conn: ScopeGuard<Conn, GiveBack>,
    _place: OwnedSemaphorePermit,
}

impl Deref for Reader {
    type Target = Conn;
    fn deref(&self) -> &Conn {
        &self.conn
    }
}

impl DerefMut for Reader {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.conn
    }
}

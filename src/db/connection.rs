//! How a connection is opened, and what each is told first.

use super::{Conn, Engine};

/// How an engine is asked to open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// It is made if it is not there.
    Make,
    /// It must be there.
    Use,
    /// It must be there, and stays as it is.
    Look,
    /// It is nowhere but in this process.
    Memory,
}

/// Tells a new connection how it is to be used.
pub(super) async fn prepare(conn: &mut Conn, engine: Engine, mode: Mode) -> sqlx::Result<()> {
    // FULL: what we answered 202 for, or settled, survives a power cut; group commit pays for it (ADR 1).
    let pragmas: &[&'static str] = match (engine, mode) {
        (Engine::Sqlite, Mode::Make | Mode::Use | Mode::Memory) => &[
            "PRAGMA busy_timeout = 15000",
            "PRAGMA journal_mode = WAL",
            "PRAGMA synchronous = FULL",
            "PRAGMA foreign_keys = ON",
            // What is forgotten is overwritten, not only left to be used again.
            "PRAGMA secure_delete = ON",
        ],
        (Engine::Sqlite, Mode::Look) => &["PRAGMA busy_timeout = 15000", "PRAGMA query_only = ON"],
        (Engine::Postgres, Mode::Look) => &["SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"],
        (Engine::Postgres, _) => &[],
    };
    for pragma in pragmas {
        sqlx::query(*pragma).execute(&mut *conn).await?;
    }
    Ok(())
}

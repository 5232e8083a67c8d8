//! Which of the two engines a connection is of: some statements are spelt differently.

use sqlx::AnyConnection;

use super::Engine;

impl Engine {
    /// The engine of a connection.
    pub(crate) fn of(conn: &AnyConnection) -> Self {
        if conn.backend_name() == "PostgreSQL" { Self::Postgres } else { Self::Sqlite }
    }

    /// Picks between two spellings of one statement.
    pub(crate) fn pick(self, sqlite: &'static str, postgres: &'static str) -> &'static str {
        match self {
            Self::Sqlite => sqlite,
            Self::Postgres => postgres,
        }
    }
}

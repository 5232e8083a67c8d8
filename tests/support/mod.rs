//! The databases the tests run on: SQLite always, PostgreSQL where its programs are.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::OnceLock;

use tempfile::TempDir;

pub(crate) mod postgres;

/// A kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

/// An empty database of a test's own.
pub(crate) struct TestDatabase {
    pub(crate) engine: Engine,
    /// As in `[database]`.
    pub(crate) url: String,
    // Held: the file lives as long as the test's value.
    _folder: Option<TempDir>,
}

/// Every engine the tests run on; said aloud once, past the capture of test output.
///
/// # Panics
/// When PostgreSQL is required (`CI=true`) and not found.
pub(crate) fn engines() -> &'static [Engine] {
    static ENGINES: OnceLock<&'static [Engine]> = OnceLock::new();
    ENGINES.get_or_init(|| {
        if postgres::available() {
            say("databases: SQLite and PostgreSQL");
            &[Engine::Sqlite, Engine::Postgres]
        } else {
            let advice = "install PostgreSQL (Debian: apt-get install postgresql), or set VEERPONT_TEST_POSTGRES_URL";
            assert!(
                std::env::var("CI").as_deref() != Ok("true"),
                "CI=true asks for PostgreSQL, and it is not here: {advice}"
            );
            say(&format!("databases: SQLite. SKIPPED: everything on PostgreSQL; to run it, {advice}"));
            &[Engine::Sqlite]
        }
    })
}

impl Engine {
    /// A fresh, empty database.
    pub(crate) async fn database(self) -> TestDatabase {
        match self {
            Self::Sqlite => {
                let folder = tempfile::tempdir().expect("a temporary folder");
                let file: PathBuf = folder.path().join("veerpont.db");
                let url = format!("sqlite://{}", file.display());
                TestDatabase { engine: self, url, _folder: Some(folder) }
            }
            Self::Postgres => TestDatabase { engine: self, url: postgres::create_database().await, _folder: None },
        }
    }
}

/// Writes to standard error itself, which the test harness does not capture.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

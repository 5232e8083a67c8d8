//! Opening a database: made and brought up to date by who begins an instance or runs one; for everyone else, as it is.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::migrate::Migrator;
use sqlx::{ConnectOptions, Connection};

use super::connection::{Mode, prepare};
use super::noted::Told;
use super::readers::Readers;
use super::tables::TABLES;
use super::{Db, Engine, PATIENCE, writing};
use crate::base::rights::{self, Need};
use crate::config::Database;

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
    /// The SQLite file or its folder is somebody else's.
    #[error("cannot use the database {path} of [database] url: {why}")]
    Rights {
        /// The SQLite file.
        path: String,
        /// Whose it is, and what to do.
        why: String,
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
    /// An older program made it, and only who runs the bridge may change it.
    #[error(
        "the database {url} was made by an older Veerpont (its tables are at {then}, this program's at {now}), and only `veerpont serve` and `veerpont sync` bring it up to date; make a backup first: `veerpont backup FILE`"
    )]
    Older {
        /// Without its password.
        url: String,
        /// The last change of its tables.
        then: i64,
        /// The last one that this program knows.
        now: i64,
    },
    /// A newer program made it.
    #[error("the database {url} was made by a newer Veerpont (its tables are at {then}); run that one")]
    Newer {
        /// Without its password.
        url: String,
        /// The last change of its tables.
        then: i64,
    },
}

/// What a database that is there already is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Looking: the engine refuses each write.
    Read,
    /// Looking, whatever its age, to copy it.
    Copy,
    /// Decisions too.
    Write,
}

/// The address and engine of a database, and its file.
struct Location {
    engine: Engine,
    url: String,
    /// Without its password.
    shown: String,
    file: Option<PathBuf>,
}

impl Location {
    fn of(url: &str) -> Result<Self, OpenError> {
        sqlx::any::install_default_drivers();
        let shown = Database { url: url.to_owned() }.redacted();
        let engine = match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => Engine::Sqlite,
            Some("postgres" | "postgresql") => Engine::Postgres,
            _ => return Err(OpenError::Scheme(shown)),
        };
        let file = (engine == Engine::Sqlite).then(|| {
            let path = url.trim_start_matches("sqlite:").trim_start_matches("//");
            PathBuf::from(path.split('?').next().unwrap_or(path))
        });
        Ok(Self { engine, url: url.to_owned(), shown, file })
    }

    /// The path form that SQLite opens.
    fn address(&self, mode: Mode) -> String {
        let Some(file) = self.file.as_ref().filter(|_| mode != Mode::Memory) else { return self.url.clone() };
        let how = if mode == Mode::Make { "rwc" } else { "rw" };
        format!("sqlite://{}?mode={how}", file.display())
    }

    async fn connect(&self, mode: Mode) -> Result<Db, OpenError> {
        let (engine, failed) = (self.engine, |why| self.failed(mode, why));
        let options: AnyConnectOptions = self.address(mode).parse().map_err(failed)?;
        let options = options
            .log_statements(log::LevelFilter::Trace)
            .log_slow_statements(log::LevelFilter::Debug, Duration::from_secs(1));
        // One connection by itself first: a pool would try for long, and then not say why.
        let mut first = options.connect().await.map_err(failed)?;
        prepare(&mut first, engine, mode).await.map_err(failed)?;
        first.close().await.map_err(failed)?;
        let pool = AnyPoolOptions::new()
            .max_connections(if engine == Engine::Sqlite { 3 } else { 6 })
            .acquire_timeout(PATIENCE)
            .idle_timeout(None)
            .max_lifetime(None)
            .after_connect(move |conn, _| Box::pin(prepare(conn, engine, mode)))
            .connect_with(options.clone())
            .await
            .map_err(failed)?;
        let told = Told::new();
        let writer = (engine == Engine::Sqlite).then(|| writing::in_batches(pool.clone(), told.clone()));
        let file = self.file.clone().filter(|_| mode != Mode::Memory);
        let readers = Readers::new(options.clone(), engine, mode);
        Ok(Db { pool, readers, engine, options, file, writer, told, upgraded: None })
    }

    /// The engine's error; in a matter of rights, whose the file is.
    fn failed(&self, mode: Mode, why: sqlx::Error) -> OpenError {
        let need = if mode == Mode::Look { Need::Read } else { Need::Write };
        let denied = self.file.as_deref().filter(|_| mode != Mode::Memory).and_then(|file| closed(file, need));
        match (denied, &self.file) {
            (Some(why), Some(file)) => OpenError::Rights { path: file.display().to_string(), why },
            _ => OpenError::Connect { url: self.shown.clone(), why },
        }
    }

    /// Whether there is a file, where a file it is.
    fn is_there(&self) -> Result<bool, OpenError> {
        let Some(file) = &self.file else { return Ok(true) };
        match std::fs::metadata(file) {
            Ok(_) => Ok(true),
            Err(why) if matches!(why.kind(), std::io::ErrorKind::NotFound) => Ok(false),
            Err(why) => Err(self.failed(Mode::Look, sqlx::Error::Io(why))),
        }
    }
}

/// Whose the file, what SQLite keeps beside it, or their folder is, if one of them is closed to us.
fn closed(file: &Path, need: Need) -> Option<String> {
    let beside = |end: &str| PathBuf::from(format!("{}{end}", file.display()));
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    rights::denied(file, need)
        .or_else(|| {
            // SQLite writes these for readers too.
            let mut beside = ["-wal", "-shm"].into_iter().map(beside).filter(|file| file.exists());
            beside.find_map(|file| rights::denied(&file, Need::Write))
        })
        .or_else(|| rights::denied(folder, Need::Write))
}

impl Db {
    /// Opens the database at `url` (`sqlite://…` or `postgres://…`), makes the SQLite file if there is none, and
    /// brings its tables up to date.
    ///
    /// # Errors
    /// When it cannot be opened or brought up to date; the message says what to do and holds no password.
    pub async fn open(url: &str) -> Result<Self, OpenError> {
        Self::make(url, &TABLES).await
    }

    /// As [`Db::open`], but with the tables of another database as it is, which may be older than this program.
    ///
    /// # Errors
    /// As [`Db::open`].
    pub async fn open_like(url: &str, versions: &[i64]) -> Result<Self, OpenError> {
        let tables = TABLES.iter().filter(|table| versions.contains(&table.version)).cloned().collect();
        Self::make(url, &Migrator::with_migrations(tables)).await
    }

    async fn make(url: &str, tables: &Migrator) -> Result<Self, OpenError> {
        let place = Location::of(url)?;
        if let Some(file) = &place.file {
            make_folder(file)?;
            make_file(file)?;
        }
        let db = place.connect(Mode::Make).await?;
        let before = db.versions().await.map_err(|why| place.failed(Mode::Make, why))?;
        tables.run(&db.pool).await.map_err(|why| OpenError::Migrate { url: place.shown.clone(), why })?;
        let is_older = before.len() < tables.iter().count();
        let upgraded = before.last().filter(|_| is_older).map(|then| (*then, last(tables)));
        Ok(Self { upgraded, ..db })
    }

    /// Opens a database that is there already, and leaves its tables as they are; `None` when there is no file, or nothing in it.
    ///
    /// # Errors
    /// When it cannot be opened, or is of another age than this program, for all but [`Access::Copy`].
    pub async fn existing(url: &str, access: Access) -> Result<Option<Self>, OpenError> {
        let place = Location::of(url)?;
        if !place.is_there()? {
            return Ok(None);
        }
        let mode = if access == Access::Write { Mode::Use } else { Mode::Look };
        let db = place.connect(mode).await?;
        let versions = match db.versions().await {
            Ok(versions) => versions,
            Err(why) => {
                db.close().await;
                return Err(place.failed(mode, why));
            }
        };
        let wrong = match versions.last() {
            None => {
                db.close().await;
                return Ok(None);
            }
            Some(then) if !versions.iter().all(|version| TABLES.version_exists(*version)) => {
                Some(OpenError::Newer { url: place.shown, then: *then })
            }
            Some(then) if access != Access::Copy && versions.len() < TABLES.iter().count() => {
                Some(OpenError::Older { url: place.shown, then: *then, now: last(&TABLES) })
            }
            Some(_) => None,
        };
        match wrong {
            Some(wrong) => {
                db.close().await;
                Err(wrong)
            }
            None => Ok(Some(db)),
        }
    }

    /// An empty database in memory, which is gone with this value: to plan in.
    ///
    /// # Errors
    /// When the engine fails.
    pub(crate) async fn in_memory() -> Result<Self, OpenError> {
        static MADE: AtomicU64 = AtomicU64::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let place = Location::of(&format!("sqlite:file:veerpont-{number}?mode=memory&cache=shared"))?;
        let db = place.connect(Mode::Memory).await?;
        TABLES.run(&db.pool).await.map_err(|why| OpenError::Migrate { url: place.shown, why })?;
        Ok(db)
    }

    /// From which change of the tables to which this opening brought an older database.
    #[must_use]
    pub fn upgraded(&self) -> Option<(i64, i64)> {
        self.upgraded
    }

    /// The changes of its tables that it has seen, in their order; none when nothing is in it.
    pub async fn versions(&self) -> sqlx::Result<Vec<i64>> {
        let mut conn = self.pool.acquire().await?;
        let has_tables: i64 = sqlx::query_scalar(match self.engine {
            Engine::Sqlite => "SELECT COUNT(*) FROM sqlite_master WHERE name = '_sqlx_migrations'",
            Engine::Postgres => "SELECT CAST(COUNT(to_regclass('_sqlx_migrations')) AS BIGINT)",
        })
        .fetch_one(&mut *conn)
        .await?;
        if has_tables == 0 {
            return Ok(Vec::new());
        }
        sqlx::query_scalar("SELECT version FROM _sqlx_migrations ORDER BY version").fetch_all(&mut *conn).await
    }
}

fn last(tables: &Migrator) -> i64 {
    tables.iter().map(|table| table.version).max().unwrap_or_default()
}

fn make_folder(file: &Path) -> Result<(), OpenError> {
    let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    folder_of_ours().create(folder).map_err(|why| {
        let path = file.display().to_string();
        match rights::denied(folder, Need::Write) {
            Some(why) => OpenError::Rights { path, why },
            None => OpenError::Folder { path, why },
        }
    })
}

/// What we make is closed to others: private words lie in it.
fn folder_of_ours() -> std::fs::DirBuilder {
    let mut folder = std::fs::DirBuilder::new();
    folder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
    folder
}

/// The SQLite file, closed to others, if there is none; SQLite gives what it keeps beside it the same rights.
fn make_file(file: &Path) -> Result<(), OpenError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(file) {
        Ok(_) => Ok(()),
        // What is wrong with one that is there, the engine says.
        Err(why) if why.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(why) => {
            let path = file.display().to_string();
            match closed(file, Need::Write) {
                Some(why) => Err(OpenError::Rights { path, why }),
                None => Err(OpenError::Folder { path, why }),
            }
        }
    }
}

//! The whole instance in one SQLite file, whichever engine it lives on, and back. The master key is not in it (docs/architecture.md#identity).

pub mod store;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, bail, ensure};
use clock::Timestamp;
use serde::Serialize;
use sqlx::{AnyConnection, Connection};

use crate::db::{Conn, Db};
use crate::model::author;
use store::{Order, Sum, Table};

/// The form of the file.
const FORMAT: &str = "1";

/// What a backup or restore came to.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// The origin whose instance it is.
    pub(crate) origin: String,
    /// When the backup was made.
    #[serde(serialize_with = "clock::as_rfc3339")]
    pub(crate) made_at: Timestamp,
    /// Rows of each table.
    pub tables: BTreeMap<String, u64>,
}

/// Told of the table being copied and how many of its rows are done.
pub(crate) type Progress<'a> = dyn FnMut(&str, u64) + Send + 'a;

/// Writes one consistent snapshot of `db` into a new file, readable by its owner alone, while others go on writing.
///
/// # Errors
/// When the file is there already or cannot be written, or the database holds no instance.
pub async fn backup(db: &Db, file: &Path, now: Timestamp, progress: &mut Progress<'_>) -> anyhow::Result<Summary> {
    backup_until(db, file, now, progress, std::future::pending()).await
}

/// That a command was told to stop before it was done: it has left nothing behind.
#[derive(Debug, thiserror::Error)]
#[error("told to stop before it was done; nothing of it was left behind")]
pub(crate) struct Interrupted;

/// As [`backup`], unless `stop` comes first: then nothing of it is left behind.
///
/// # Errors
/// As [`backup`], and [`Interrupted`].
pub(crate) async fn backup_until(
    db: &Db,
    file: &Path,
    now: Timestamp,
    progress: &mut Progress<'_>,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<Summary> {
    ensure!(!file.exists(), "{} is there already; name a new file", file.display());
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let unwritable = || format!("cannot write in {}; name a file where this user may write", folder.display());
    // In a folder of its own, with what the engine writes beside it; of mode 0600, and gone if we fail.
    let apart = tempfile::Builder::new().prefix(".veerpont-backup-").tempdir_in(folder).with_context(unwritable)?;
    let draft = tempfile::NamedTempFile::new_in(apart.path()).with_context(unwritable)?;
    // With the tables as they are: what an older program wrote is backed up before this one changes it.
    let copy = Db::open_like(&sqlite(draft.path()), &db.versions().await?).await?;
    let filled = tokio::select! {
        filled = fill(db, &copy, now, progress) => filled,
        () = stop => Err(Interrupted.into()),
    };
    // Before the folder goes, so that nothing is written into it any more.
    copy.close().await;
    let summary = filled?;
    draft.as_file().sync_all().with_context(unwritable)?;
    draft.persist_noclobber(file).with_context(|| format!("cannot name the backup {}", file.display()))?;
    std::fs::File::open(folder).and_then(|folder| folder.sync_all()).with_context(unwritable)?;
    Ok(summary)
}

async fn fill(db: &Db, copy: &Db, now: Timestamp, progress: &mut Progress<'_>) -> anyhow::Result<Summary> {
    let mut from = db.snapshot().await?;
    let setting = async |conn: &mut Conn, name| author::store::setting(conn, name).await;
    let origin = setting(&mut from, "origin").await?;
    let origin = origin.context("this database holds nothing yet: there is no bridge to back up")?;
    let domain = setting(&mut from, "handle_domain").await?.unwrap_or_default();
    let mut conn = copy.read().await?;
    let tables = store::tables(&mut conn).await?;
    let mut to = conn.begin().await?;
    let fact = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut facts = vec![
        fact("format", FORMAT),
        fact("origin", &origin),
        fact("handle_domain", &domain),
        fact("made_at", &now.millis().to_string()),
        fact("version", env!("CARGO_PKG_VERSION")),
    ];
    // From the last, since those before it are referred to.
    for table in tables.iter().rev() {
        store::clear(&mut to, table).await?;
    }
    let mut rows = BTreeMap::new();
    for table in &tables {
        let sum = store::copy(&mut from, &mut to, table, Order::Any, progress)
            .await
            .with_context(|| format!("cannot copy the table {}", table.name))?;
        facts.push((format!("table:{}", table.name), format!("{}:{}", sum.rows, sum.hash)));
        rows.insert(table.name.clone(), sum.rows);
    }
    store::write_facts(&mut to, &facts).await?;
    to.commit().await?;
    from.rollback().await?;
    store::fold_log(&mut conn).await?;
    Ok(Summary { origin, made_at: now, tables: rows })
}

/// Brings the backup in `file` into the empty database `db` of the bridge at `origin`: all or nothing.
///
/// # Errors
/// When the file is no whole backup, of another origin or of a newer Veerpont, or the database is not empty.
pub async fn restore(db: &Db, file: &Path, origin: &str, progress: &mut Progress<'_>) -> anyhow::Result<Summary> {
    restore_until(db, file, origin, progress, std::future::pending()).await
}

/// As [`restore`], unless `stop` comes first: then nothing of it is left behind.
///
/// # Errors
/// As [`restore`], and [`Interrupted`].
pub(crate) async fn restore_until(
    db: &Db,
    file: &Path,
    origin: &str,
    progress: &mut Progress<'_>,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<Summary> {
    // A copy: an older backup is brought up to date there, and the file stays as it was.
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let path = folder.path().join("backup.db");
    std::fs::copy(file, &path).with_context(|| format!("cannot read {}", file.display()))?;
    let mut copy = None;
    let done = tokio::select! {
        done = bring(db, file, &path, origin, &mut copy, progress) => done,
        () = stop => Err(Interrupted.into()),
    };
    // Before the folder goes, so that nothing is written into it any more.
    if let Some(copy) = copy {
        copy.close().await;
    }
    done
}

/// Looks whether `file` is a whole backup of the bridge at `origin`, before there is a database to bring it into.
///
/// # Errors
/// When it is not.
pub(crate) async fn look(file: &Path, origin: &str) -> anyhow::Result<()> {
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let path = folder.path().join("backup.db");
    std::fs::copy(file, &path).with_context(|| format!("cannot read {}", file.display()))?;
    facts_of(file, &path, origin).await.map(drop)
}

/// What the backup at `path`, a copy of `file`, says of itself, if it is one of the bridge at `origin`.
async fn facts_of(file: &Path, path: &Path, origin: &str) -> anyhow::Result<BTreeMap<String, String>> {
    let facts = examine(path).await.with_context(|| format!("{} cannot be restored", file.display()))?;
    let then = facts.get("origin").map(String::as_str).unwrap_or_default();
    ensure!(
        then == origin,
        "{} is a backup of {then}, but [server] origin is {origin}: ids hold the origin for ever; set it to {then}",
        file.display()
    );
    Ok(facts)
}

/// Brings the backup at `path`, a copy of `file`, into `db`; leaves it open in `copy`.
async fn bring(
    db: &Db,
    file: &Path,
    path: &Path,
    origin: &str,
    copy: &mut Option<Db>,
    progress: &mut Progress<'_>,
) -> anyhow::Result<Summary> {
    let facts = facts_of(file, path, origin).await?;
    let copy = copy.insert(Db::open(&sqlite(path)).await.with_context(|| {
        format!("{} was made by Veerpont {}; use that version or a newer one", file.display(), said(&facts, "version"))
    })?);
    let tables = pour(copy, db, progress).await?;
    let made_at = said(&facts, "made_at").parse().map(Timestamp::from_millis).context("the backup has no date")?;
    Ok(Summary { origin: origin.to_owned(), made_at, tables })
}

async fn pour(copy: &Db, db: &Db, progress: &mut Progress<'_>) -> anyhow::Result<BTreeMap<String, u64>> {
    let mut from = copy.read().await?;
    let tables = store::tables(&mut from).await?;
    let mut conn = db.read().await?;
    let mut to = conn.begin().await?;
    for table in &tables {
        // The counters stand there from the first moment.
        let filled = table.name != "counters" && store::count(&mut to, table).await? > 0;
        ensure!(
            !filled,
            "the database is not empty (table {}): nothing was changed; restore into a new one",
            table.name
        );
    }
    let mut rows = BTreeMap::new();
    for table in &tables {
        store::clear(&mut to, table).await?;
        let sum = store::copy(&mut from, &mut to, table, Order::Written, progress)
            .await
            .with_context(|| format!("cannot fill the table {}", table.name))?;
        ensure!(store::count(&mut to, table).await? == sum.rows, "the table {} lost rows", table.name);
        store::free(&mut to, table).await?;
        rows.insert(table.name.clone(), sum.rows);
    }
    to.commit().await?;
    Ok(rows)
}

/// Reads a backup through: SQLite finds it whole, and each table is what was written.
async fn examine(path: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    sqlx::any::install_default_drivers();
    let damaged = "it is damaged or no backup of Veerpont; take another one";
    let mut conn = AnyConnection::connect(&format!("{}?mode=ro", sqlite(path))).await.context(damaged)?;
    let facts: BTreeMap<String, String> = store::facts(&mut conn).await.context(damaged)?.into_iter().collect();
    match facts.get("format").map(String::as_str) {
        Some(FORMAT) => {}
        Some(other) => bail!("its form {other} is newer than this Veerpont; use the version that made it"),
        None => bail!("it is no backup made by `veerpont backup`"),
    }
    ensure!(store::is_whole(&mut conn).await.context(damaged)?, damaged);
    for table in store::tables(&mut conn).await.context(damaged)? {
        let found = store::sum(&mut conn, &table, Order::Written).await.context(damaged)?;
        ensure!(is_same(&facts, &table, &found), "{damaged} (table {})", table.name);
    }
    conn.close().await?;
    Ok(facts)
}

fn is_same(facts: &BTreeMap<String, String>, table: &Table, found: &Sum) -> bool {
    facts.get(&format!("table:{}", table.name)).is_some_and(|sum| *sum == format!("{}:{}", found.rows, found.hash))
}

fn said<'a>(facts: &'a BTreeMap<String, String>, name: &str) -> &'a str {
    facts.get(name).map(String::as_str).unwrap_or_default()
}

fn sqlite(path: &Path) -> String {
    format!("sqlite://{}", path.display())
}

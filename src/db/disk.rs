//! What an SQLite database leaves on its disk: the room beside it, who may read it, and its log.

use std::path::{Path, PathBuf};

use super::Db;

impl Db {
    /// Bytes that are free where the SQLite file lies, for whoever we are; `None` where there is no such file, or the system does not
    /// say: another machine's disk is for its own operator to watch.
    #[must_use]
    pub fn free_bytes(&self) -> Option<u64> {
        let file = self.file.as_deref()?;
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let disk = rustix::fs::statvfs(folder).ok()?;
        Some(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    /// The bits of rights that others than its owner have on the SQLite file; 0 where it is closed to them, or is no file.
    pub(crate) fn open_to_others(&self) -> u32 {
        #[cfg(unix)]
        if let Some(found) = self.file.as_deref().and_then(|file| std::fs::metadata(file).ok()) {
            return std::os::unix::fs::PermissionsExt::mode(&found.permissions()) & 0o077;
        }
        0
    }

    /// Moves what stands in SQLite's log into the database and empties the log, so that what was forgotten is gone from there too.
    /// While others read or write it leaves that for the next time. PostgreSQL has its vacuum (docs/operating.md).
    pub(crate) async fn empty_log(&self) -> sqlx::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let log = PathBuf::from(format!("{}-wal", file.display()));
        if std::fs::metadata(log).map_or(0, |log| log.len()) == 0 {
            return Ok(());
        }
        let mut conn = self.pool.acquire().await?;
        sqlx::query("PRAGMA busy_timeout = 100").execute(&mut *conn).await?;
        let emptied = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut *conn).await;
        sqlx::query("PRAGMA busy_timeout = 15000").execute(&mut *conn).await?;
        emptied.map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_has_a_disk_and_memory_has_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let db = Db::open(&format!("sqlite://{}/x.db", folder.path().display())).await.expect("opens");
        assert!(db.free_bytes().is_some_and(|free| free > 0));
        db.close().await;
        assert_eq!(Db::in_memory().await.expect("opens").free_bytes(), None);
    }

    #[tokio::test]
    async fn what_is_made_is_closed_to_others() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("made/x.db");
        let url = format!("sqlite://{}", file.display());
        let db = Db::open(&url).await.expect("opens");
        let mode = |path: &Path| {
            let found = std::fs::metadata(path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
            std::os::unix::fs::PermissionsExt::mode(&found.permissions()) & 0o777
        };
        assert_eq!(mode(&folder.path().join("made")), 0o700);
        for end in ["", "-wal", "-shm"] {
            assert_eq!(mode(Path::new(&format!("{}{end}", file.display()))), 0o600, "{end}");
        }
        assert_eq!(db.open_to_others(), 0);
        let wide = std::os::unix::fs::PermissionsExt::from_mode(0o644);
        std::fs::set_permissions(&file, wide).expect("rights");
        assert_eq!(db.open_to_others(), 0o044);
    }

    #[tokio::test]
    async fn what_was_forgotten_is_in_no_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("x.db");
        let db = Db::open(&format!("sqlite://{}", file.display())).await.expect("opens");
        let run = async |statement: &'static str| {
            let write = db.write(move |conn| Box::pin(async move { sqlx::query(statement).execute(conn).await }));
            let done: sqlx::Result<_> = write.await;
            done.expect("written");
        };
        let is_there = || {
            let files = ["", "-wal"].map(|end| std::fs::read(format!("{}{end}", file.display())).unwrap_or_default());
            files.iter().any(|bytes| bytes.windows(16).any(|part| part == b"a private secret"))
        };
        // Long enough to lie on pages of its own, short enough to lie beside others.
        for length in ["20000", "20"] {
            run("DELETE FROM rejections").await;
            let insert = match length {
                "20" => "INSERT INTO rejections (day, host, reason, times) VALUES ('d', 'h', 'a private secret', 1)",
                _ => {
                    "INSERT INTO rejections (day, host, reason, times)
                     VALUES ('d', 'h', 'a private secret' || CAST(zeroblob(20000) AS TEXT) || replace(hex(zeroblob(10000)), '0', 'a private secret'), 1)"
                }
            };
            run(insert).await;
            assert!(is_there(), "{length}");
            run("UPDATE rejections SET reason = ''").await;
            db.empty_log().await.expect("emptied");
            assert!(!is_there(), "{length}");
        }
    }
}

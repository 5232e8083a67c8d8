//! All the tables there have to be: the folder `migrations/`, which the program carries with it.

use std::sync::LazyLock;

use include_dir::{Dir, File, include_dir};
use sqlx::SqlStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/migrations");

/// Each file is one change of the tables, in the order of their numbers.
pub(super) static TABLES: LazyLock<Migrator> =
    LazyLock::new(|| Migrator::with_migrations(FILES.files().filter_map(read).collect()));

/// `0001_first_crossing.sql` is number 1, “first crossing”.
fn read(file: &'static File<'_>) -> Option<Migration> {
    let (number, name) = file.path().to_str()?.strip_suffix(".sql")?.split_once('_')?;
    let sql = SqlStr::from_static(file.contents_utf8()?);
    Some(Migration::new(number.parse().ok()?, name.replace('_', " ").into(), MigrationType::Simple, sql, false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_is_a_change_of_its_own() {
        let mut numbers: Vec<i64> = TABLES.iter().map(|table| table.version).collect();
        assert_eq!(numbers.len(), FILES.files().count(), "a file's name is not as `0001_what_it_does.sql`");
        numbers.dedup();
        assert_eq!(numbers.len(), FILES.files().count(), "two files have the same number");
        assert_eq!(TABLES.iter().next().map(|table| table.description.as_ref()), Some("first crossing"));
    }
}

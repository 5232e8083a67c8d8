//! `veerpont backup` and `veerpont restore`: the whole instance in one file, and back.

use std::path::PathBuf;
use std::time::Duration;

use clock::Clock;
use indicatif::{ProgressBar, ProgressStyle};

use super::print::{Output, count};
use crate::config::Config;
use crate::db::{Access, Db};
use crate::model::author::bootstrap;
use crate::server::backup::{self, Summary};
use crate::server::{self, NoInstance};

#[derive(Debug, clap::Args)]
pub(super) struct File {
    /// The backup, one SQLite file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl File {
    /// Writes a backup, while the bridge runs or not.
    pub(super) async fn backup(self, config: Config, output: Output) -> anyhow::Result<()> {
        let told_to_stop = server::stop_signal()?;
        let Some(db) = Db::existing(&config.database.url, Access::Copy).await? else {
            return Err(NoInstance { database: config.database.redacted() }.into());
        };
        let done = backup::backup_until(&db, &self.file, Clock::system().now(), &mut bar(output), told_to_stop).await;
        db.close().await;
        let summary = done?;
        output.print(&summary, || {
            format!(
                "{} of {} in {}, readable by you alone.\nThe master key is not in it, and without it the private keys stay \
                 closed: keep {} in another place.",
                count(rows(&summary), "row"),
                summary.origin,
                self.file.display(),
                if config.secrets.master_key.is_some() {
                    "VEERPONT_MASTER_KEY".to_owned()
                } else {
                    config.secrets.master_key_file.display().to_string()
                }
            )
        })
    }

    /// Brings a backup into an empty database.
    pub(super) async fn restore(self, config: &Config, output: Output) -> anyhow::Result<()> {
        let origin = config.server.origin.as_str().trim_end_matches('/').to_owned();
        let told_to_stop = server::stop_signal()?;
        // Looked at first: what is no backup of this instance leaves no database behind.
        backup::look(&self.file, &origin).await?;
        let db = Db::open(&config.database.url).await?;
        let done = backup::restore_until(&db, &self.file, &origin, &mut bar(output), told_to_stop).await;
        let master = if done.is_ok() { bootstrap::master_key(&db, &config.secrets, false).await.err() } else { None };
        db.close().await;
        let summary = done?;
        output.print(&summary, || {
            let master = master.map(|why| format!("\nBefore you start: {why}.")).unwrap_or_default();
            format!(
                "{} of {} restored, as they were at {}.{master}\n\
                 Never run the old database beside it. What was waiting then is sent again with the same ids, and is taken \
                 once by those who have it.\n\
                 What happened since is not in it: posts published since get new ids and may be seen twice, followers gained \
                 since have to follow again, and those who left are told of by their servers' answers.",
                count(rows(&summary), "row"),
                summary.origin,
                summary.made_at.rfc3339()
            )
        })
    }
}

fn rows(summary: &Summary) -> usize {
    usize::try_from(summary.tables.values().sum::<u64>()).unwrap_or(usize::MAX)
}

/// A line on stderr, for people at a terminal.
fn bar(output: Output) -> impl FnMut(&str, u64) + Send {
    let bar = if output.is_for_people() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
    bar.set_style(ProgressStyle::default_spinner());
    bar.enable_steady_tick(Duration::from_millis(200));
    move |table, rows| bar.set_message(format!("{table}: {rows} rows"))
}

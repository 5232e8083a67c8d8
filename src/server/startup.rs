//! How an instance is opened: begun or run, entered by those who decide or only look, or planned in memory.

use std::fmt::Write as _;

use clock::Clock;
use serde::Serialize;

use crate::app::{App, user_agent};
use crate::base::sealing::MasterKey;
use crate::config::Config;
use crate::db::{Access, Db};
use crate::model::author::bootstrap;
use crate::net::client::Client;
use crate::site::source;

/// What an opening made that was not there before; most of it is for ever.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Begun {
    /// Whether the instance began now: its origin and handle domain are fixed.
    pub(crate) instance: bool,
    /// Where it lives.
    pub(crate) origin: String,
    /// What stands in handles.
    pub(crate) handle_domain: String,
    /// The database, without its password.
    pub(crate) database: String,
    /// The file of the master key, if it was made.
    pub(crate) master_key_file: Option<String>,
    /// Actors that are new, `@user@host`.
    pub(crate) actors: Vec<String>,
    /// Sources that are new.
    pub(crate) sources: Vec<String>,
    /// From which change of its tables to which an older database was brought.
    pub(crate) upgraded: Option<(i64, i64)>,
}

impl Begun {
    /// Whether all was there before.
    pub(crate) fn is_nothing(&self) -> bool {
        !self.instance && self.actors.is_empty() && self.sources.is_empty() && self.upgraded.is_none()
    }

    /// What was made, for people; empty when nothing was.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        if let Some((then, now)) = self.upgraded {
            let _ = writeln!(
                text,
                "The database was made by an older Veerpont, and is up to date now (tables {then} to {now})."
            );
        }
        if self.instance {
            let _ = writeln!(
                text,
                "A bridge begins here. Fixed for ever, since they stand in every id:\n  origin         {}\n  handle domain  {}\n  actors         {}\nMade:\n  database       {}",
                self.origin,
                self.handle_domain,
                self.actors.join(", "),
                self.database
            );
            if let Some(file) = &self.master_key_file {
                let _ = writeln!(
                    text,
                    "  master key     {file}: keep a copy in another place, nothing is signed without it"
                );
            }
            return text;
        }
        if !self.actors.is_empty() {
            let _ = writeln!(text, "New actors, for ever: {}.", self.actors.join(", "));
        }
        if !self.sources.is_empty() {
            let _ = writeln!(text, "New sources, whose names are for ever: {}.", self.sources.join(", "));
        }
        text
    }
}

/// Why nobody can look or decide here.
#[derive(Debug, thiserror::Error)]
#[error(
    "there is no bridge yet: the database {database} is not there or holds none; `veerpont sync --dry-run` shows what would be published, and `veerpont serve` or `veerpont sync` begins one; if there is one already, set [database] url, or say with --config which configuration is meant"
)]
pub(crate) struct NoInstance {
    /// The database, without its password.
    pub(crate) database: String,
}

/// Opens everything, and begins what is not there yet.
///
/// # Errors
/// One sentence on what is wrong and what to do.
pub async fn open(config: Config) -> anyhow::Result<App> {
    Ok(begin(config).await?.0)
}

/// As [`open`], with the clock and the network handed in.
///
/// # Errors
/// As [`open`].
pub async fn open_with(config: Config, clock: Clock, net: Client) -> anyhow::Result<App> {
    Ok(begin_with(config, clock, net).await?.0)
}

/// As [`open`], and tells what was made.
///
/// # Errors
/// As [`open`].
pub(crate) async fn begin(config: Config) -> anyhow::Result<(App, Begun)> {
    let net = network(&config)?;
    begin_with(config, Clock::system(), net).await
}

/// As [`begin`], with the clock and the network handed in.
///
/// # Errors
/// As [`open`].
pub(crate) async fn begin_with(config: Config, clock: Clock, net: Client) -> anyhow::Result<(App, Begun)> {
    let db = Db::open(&config.database.url).await?;
    let mut begun = Begun {
        origin: config.server.origin.as_str().trim_end_matches('/').to_owned(),
        handle_domain: config.server.handle_domain.clone(),
        database: config.database.redacted(),
        upgraded: db.upgraded(),
        ..Begun::default()
    };
    begun.instance = bootstrap::fix_identity(&db, &config).await?;
    let (master, made) = bootstrap::master_key(&db, &config.secrets, true).await?;
    begun.master_key_file = made.then(|| config.secrets.master_key_file.display().to_string());
    if db.open_to_others() != 0 {
        let database = config.database.redacted();
        tracing::warn!(
            database,
            "others on this machine may read the database, and private words in it: `chmod 600` the file"
        );
    }
    let app = App::new(config, db, clock, net, master)?;
    let founded = bootstrap::create_missing(&app).await?;
    begun.actors = founded.iter().map(|handle| format!("@{}", app.urls.acct(handle))).collect();
    begun.sources = source::register::register_all(&app).await?;
    Ok((app, begun))
}

/// Opens an instance that is there: to look, or to decide something. Nothing is made.
///
/// # Errors
/// When there is none, it is another one than the configuration says, or of another age; to decide, the master key must be
/// there too.
pub(crate) async fn enter(config: Config, access: Access) -> anyhow::Result<App> {
    let Some(db) = Db::existing(&config.database.url, access).await? else { return Err(no_instance(&config)) };
    let entered = admit(&db, &config, access).await;
    match entered {
        Ok(master) => {
            let net = network(&config)?;
            Ok(App::new(config, db, Clock::system(), net, master)?)
        }
        Err(error) => {
            db.close().await;
            Err(error)
        }
    }
}

/// Opens an instance to plan in: the one there is, in which nothing can be written, or else an empty one in memory.
///
/// # Errors
/// As [`enter`], but for an instance that is not there.
pub(crate) async fn rehearse(config: Config) -> anyhow::Result<App> {
    let db = match Db::existing(&config.database.url, Access::Read).await? {
        Some(db) if bootstrap::has_begun(&db, &config).await? => db,
        other => {
            if let Some(empty) = other {
                empty.close().await;
            }
            Db::in_memory().await?
        }
    };
    let net = network(&config)?;
    let app = App::new(config, db, Clock::system(), net, no_key()?)?;
    bootstrap::check(&app).await?;
    source::register::check(&app).await?;
    Ok(app)
}

async fn admit(db: &Db, config: &Config, access: Access) -> anyhow::Result<MasterKey> {
    if !bootstrap::has_begun(db, config).await? {
        return Err(no_instance(config));
    }
    // Who only looks signs nothing.
    if access == Access::Write { Ok(bootstrap::master_key(db, &config.secrets, false).await?.0) } else { no_key() }
}

/// A key that opens nothing.
fn no_key() -> anyhow::Result<MasterKey> {
    Ok(MasterKey::from_base64(&MasterKey::generate()?)?)
}

fn no_instance(config: &Config) -> anyhow::Error {
    NoInstance { database: config.database.redacted() }.into()
}

fn network(config: &Config) -> anyhow::Result<Client> {
    Ok(Client::network(&config.network, user_agent(&config.server.origin))?)
}

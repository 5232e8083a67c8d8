//! The first start and every later one: what is fixed for ever is fixed or compared, the master key is made or tried,
//! and the instance, the communities and their team accounts are created.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::keys::MintError;
use super::{Actor, Community, keys, store};
use crate::activitypub::actor::ActorKind;
use crate::app::App;
use crate::base::ids::{ActorId, CommunityId, Handle, Ids};
use crate::base::rights::{self, Need};
use crate::base::sealing::{MasterKey, MasterKeyError};
use crate::config::{self, Config, Secrets};
use crate::db::Db;

/// The handle of the instance actor; configuration refuses it for anyone else.
pub(crate) const INSTANCE_HANDLE: &str = "instance";

/// Why the bridge cannot start: one sentence, and what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// `origin` or `handle_domain` is not what it was.
    #[error(
        "[server] {name} is `{now}`, but this database was made for `{then}`, and it stands in every id for ever; set it back, or start a new database"
    )]
    Changed { name: &'static str, then: String, now: String },
    /// There are sealed keys and no master key to open them.
    #[error(
        "the master key file {0} is missing, and the private keys in the database cannot be opened without it; put it back from your backup, or set VEERPONT_MASTER_KEY"
    )]
    MasterKeyMissing(PathBuf),
    /// The file is there but not readable or not a key.
    #[error("cannot use the master key of {place}: {why}; put the right one back from your backup")]
    MasterKeyUnreadable { place: String, why: String },
    /// The file or its folder is somebody else's.
    #[error("cannot use the master key {file} of [secrets] master_key_file: {why}")]
    MasterKeyRights { file: String, why: String },
    /// It opens nothing here.
    #[error("the master key of {0} does not open the private keys in this database; put back the one it was made with")]
    MasterKeyWrong(String),
    /// Two actors would have one handle.
    #[error("the handle @{0} is taken in this database; give the community another `handle` or `team_handle`")]
    HandleTaken(Handle),
    /// The configuration no longer names a known community.
    #[error("the community @{0} is in the database but not in the configuration; put its [[community]] back")]
    CommunityAbsent(Handle),
    /// A key could not be made.
    #[error(transparent)]
    Key(#[from] MintError),
    #[error("the database failed: {0}; check that it is reachable and writable")]
    Database(#[from] sqlx::Error),
}

crate::ends_writes!(StartError);

/// Reads the master key and tries it. While the database holds no sealed key and `may_make` is true, it is made where
/// it is missing; returns whether it was.
///
/// # Errors
/// When it is missing, not a key, or does not open the keys of this database.
pub(crate) async fn master_key(db: &Db, secrets: &Secrets, may_make: bool) -> Result<(MasterKey, bool), StartError> {
    let sealed = {
        let mut conn = db.read().await?;
        store::any_sealed_key(&mut conn).await?
    };
    let file = &secrets.master_key_file;
    let unreadable = |place: &str, why: String| StartError::MasterKeyUnreadable { place: place.to_owned(), why };
    let shown = file.display().to_string();
    let mut made = false;
    let (place, master) = if let Some(text) = &secrets.master_key {
        let place = "VEERPONT_MASTER_KEY";
        (
            place.to_owned(),
            MasterKey::from_base64(text).map_err(|error: MasterKeyError| unreadable(place, error.to_string()))?,
        )
    } else {
        match std::fs::read_to_string(file) {
            Ok(text) => {
                let text = zeroize::Zeroizing::new(text);
                (shown.clone(), MasterKey::from_base64(&text).map_err(|error| unreadable(&shown, error.to_string()))?)
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                if sealed.is_some() || !may_make {
                    return Err(StartError::MasterKeyMissing(file.clone()));
                }
                made = true;
                (shown.clone(), new_master_key(file).map_err(|error| unusable(file, &error, Need::Write))?)
            }
            Err(error) => return Err(unusable(file, &error, Need::Read)),
        }
    };
    if let Some((sealed, actor, fragment)) = sealed
        && master.open(&sealed, &keys::associated(actor, &fragment)).is_err()
    {
        return Err(StartError::MasterKeyWrong(place));
    }
    Ok((master, made))
}

fn unusable(file: &Path, error: &std::io::Error, need: Need) -> StartError {
    let shown = file.display().to_string();
    match rights::denied(file, need) {
        Some(why) => StartError::MasterKeyRights { file: shown, why },
        None => StartError::MasterKeyUnreadable { place: shown, why: error.to_string() },
    }
}

/// Writes a new master key, readable by its owner alone.
fn new_master_key(file: &Path) -> std::io::Result<MasterKey> {
    use std::io::Write;
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let text = MasterKey::generate().map_err(std::io::Error::other)?;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut handle = options.open(file)?;
    handle.write_all(text.as_bytes())?;
    handle.write_all(b"\n")?;
    handle.sync_all()?;
    MasterKey::from_base64(&text).map_err(std::io::Error::other)
}

/// What is fixed for ever, as the configuration has it now.
fn identity(config: &Config) -> [(&'static str, String); 2] {
    [
        ("origin", config.server.origin.as_str().trim_end_matches('/').to_owned()),
        ("handle_domain", config.server.handle_domain.clone()),
    ]
}

/// Compares what is fixed for ever, or fixes it; returns whether it was fixed now.
///
/// # Errors
/// When it differs from the first start.
pub(crate) async fn fix_identity(db: &Db, config: &Config) -> Result<bool, StartError> {
    let identity = identity(config);
    db.write(move |conn| {
        Box::pin(async move {
            let mut fixed = false;
            for (name, now) in identity {
                match store::setting(conn, name).await? {
                    None => {
                        store::fix_setting(conn, name, &now).await?;
                        fixed = true;
                    }
                    Some(then) if then == now => {}
                    Some(then) => return Err(StartError::Changed { name, then, now }),
                }
            }
            Ok(fixed)
        })
    })
    .await
}

/// Compares what is fixed for ever with the configuration; false where a team account was not created yet.
///
/// # Errors
/// When it differs from the first start.
pub(crate) async fn has_begun(db: &Db, config: &Config) -> Result<bool, StartError> {
    let mut conn = db.read().await?;
    for (name, now) in identity(config) {
        match store::setting(&mut conn, name).await? {
            None => return Ok(false),
            Some(then) if then == now => {}
            Some(then) => return Err(StartError::Changed { name, then, now }),
        }
    }
    Ok(true)
}

/// Creates the instance, every configured community and its team account where they do not exist; returns the new
/// handles.
///
/// # Errors
/// When a known community is no longer configured, or a handle is taken.
pub(crate) async fn create_missing(app: &App) -> Result<Vec<Handle>, StartError> {
    let mut conn = app.db.read().await?;
    let known = store::communities(&mut conn).await?;
    let taken: BTreeSet<Handle> = store::actors(&mut conn).await?.into_iter().map(|actor| actor.handle).collect();
    let has_instance = store::instance(&mut conn).await?.is_some();
    drop(conn);
    all_configured(app, &known)?;
    let mut founded = Vec::new();
    if !has_instance && let Ok(handle) = Handle::parse(INSTANCE_HANDLE) {
        let (actor, keys) = new_actor(app, ActorKind::Application, handle, "Veerpont", "")?;
        founded.push(actor.handle.clone());
        app.db.write(move |conn| Box::pin(async move { store::insert_actor(conn, &actor, &keys).await })).await?;
    }
    for configured in &app.config.communities {
        if let Some(community) = known.iter().find(|community| community.handle == configured.handle) {
            redescribe(app, community, configured).await?;
        } else {
            found_community(app, configured, &taken).await?;
            founded.extend([configured.handle.clone(), configured.team_handle.clone()]);
        }
    }
    Ok(founded)
}

/// Checks that every known community is still configured, without creating any.
///
/// # Errors
/// As [`found`].
pub(crate) async fn check(app: &App) -> Result<(), StartError> {
    let mut conn = app.db.read().await?;
    all_configured(app, &store::communities(&mut conn).await?)
}

fn all_configured(app: &App, known: &[Community]) -> Result<(), StartError> {
    let is_configured =
        |known: &&Community| app.config.communities.iter().any(|configured| configured.handle == known.handle);
    match known.iter().find(|known| !is_configured(known)) {
        Some(absent) => Err(StartError::CommunityAbsent(absent.handle.clone())),
        None => Ok(()),
    }
}

async fn redescribe(app: &App, community: &Community, configured: &config::Community) -> Result<(), StartError> {
    let (group, team) = (community.group, community.team);
    let (name, summary) = (configured.name.clone(), summary(configured));
    app.db
        .write(move |conn| {
            Box::pin(async move {
                store::describe_actor(conn, group, &name, &summary).await?;
                store::describe_actor(conn, team, &name, &summary).await
            })
        })
        .await
        .map_err(StartError::Database)
}

async fn found_community(
    app: &App,
    configured: &config::Community,
    taken: &BTreeSet<Handle>,
) -> Result<(), StartError> {
    for handle in [&configured.handle, &configured.team_handle] {
        if taken.contains(handle) {
            return Err(StartError::HandleTaken(handle.clone()));
        }
    }
    let about = summary(configured);
    let (group, group_keys) = new_actor(app, ActorKind::Group, configured.handle.clone(), &configured.name, &about)?;
    let (team, team_keys) =
        new_actor(app, ActorKind::Service, configured.team_handle.clone(), &configured.name, &about)?;
    let community =
        Community { id: CommunityId(app.ids.row()), handle: configured.handle.clone(), group: group.id, team: team.id };
    app.db
        .write(move |conn| {
            Box::pin(async move {
                store::insert_actor(conn, &group, &group_keys).await?;
                store::insert_actor(conn, &team, &team_keys).await?;
                store::insert_community(conn, &community).await
            })
        })
        .await
        .map_err(StartError::Database)
}

fn summary(configured: &config::Community) -> String {
    configured.summary.as_deref().map(|text| format!("<p>{}</p>", html::escape(text))).unwrap_or_default()
}

/// A new actor with its keys, not stored yet.
///
/// # Errors
/// When a key pair cannot be made.
pub(crate) fn new_actor(
    app: &App,
    kind: ActorKind,
    handle: Handle,
    name: &str,
    summary: &str,
) -> Result<(Actor, Vec<keys::SealedKey>), MintError> {
    let uuid: Uuid = Ids::uuid();
    let keys = keys::mint(&app.master, uuid)?;
    let actor = Actor {
        id: ActorId(app.ids.row()),
        uuid,
        kind,
        handle,
        name: name.to_owned(),
        summary: summary.to_owned(),
        icon: None,
        fields: Vec::new(),
        revision: 0,
        created_at: app.clock.now(),
        frozen_at: None,
        deleted_at: None,
    };
    Ok((actor, keys))
}

//! One sync of one source: scan, decide, and write it all in one transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use hugo_content::{Scan, Visibility};
use tokio_util::task::AbortOnDropHandle;

use super::apply::{self, Authors, Founded, Writers};
use super::connector::{self, ScanError};
use super::plan::{self, Act, Plan, Rules, Step};
use super::report::Report;
use super::store::{self, Lease, Scanned};
use super::{Known, choices, unchanged};
use crate::activitypub::actor::ActorKind;
use crate::app::App;
use crate::app::worker;
use crate::base::ids::{ActorId, AuthorId, Handle};
use crate::config::{self, MovedAway, Source};
use crate::model::author::keys::MintError;
use crate::model::author::opt_in::{self, Collision, OptIn};
use crate::model::author::{self, Actor, Author};
use crate::model::post;

pub use super::error::SyncError;

/// How an operator wants a sync.
#[derive(Clone, Debug, Default)]
pub struct SyncOptions {
    /// Only say what would be done.
    pub dry_run: bool,
    /// What vanished is really gone.
    pub confirm: bool,
    /// Send this post to followers whatever its age.
    pub deliver: Option<String>,
}

impl SyncOptions {
    fn is_plain(&self) -> bool {
        !self.dry_run && !self.confirm && self.deliver.is_none()
    }
}

/// Syncs a source by name: claims it, scans, and writes; waits a little for another process that has it.
///
/// # Errors
/// As [`SyncError`] tells; nothing was written then but the error itself, which `status` shows.
pub async fn sync(
    app: &App,
    name: &str,
    wish: SyncOptions,
    progress: impl FnMut(u64, u64) + Send + 'static,
) -> Result<Report, SyncError> {
    let configured = app.config.sources.iter().find(|source| source.name == name);
    let configured = configured.ok_or_else(|| SyncError::Unknown(name.to_owned()))?.clone();
    let known = {
        let mut conn = app.db.read().await?;
        store::known(&mut conn).await?.into_iter().find(|source| source.name == name)
    };
    if wish.dry_run {
        // A dry run needs no lease, writes nothing, and may be of a source that is not known yet.
        let known = known.unwrap_or_else(|| Known::new(name));
        return attempt(app, &configured, &known, None, wish, progress).await;
    }
    let known = known.ok_or_else(|| SyncError::Unknown(name.to_owned()))?;
    let owner = owner(app);
    for _ in 0..20 {
        let (owner, now, source) = (owner.clone(), app.clock.now(), known.id);
        let lease =
            app.db.write(move |conn| Box::pin(async move { store::claim(conn, source, &owner, now).await })).await?;
        if let Some(lease) = lease {
            return run(app, &configured, &known, lease, wish, progress).await;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    Err(SyncError::Busy(name.to_owned()))
}

/// The name under which this process claims a source for the command line.
fn owner(app: &App) -> String {
    format!("sync@{}:{}", app.config.server.node, std::process::id())
}

/// Releases the sources that this process was asked to sync, when it is told to stop in the middle: nothing of that
/// sync is kept, and the next need not wait.
pub(crate) async fn let_go(app: &App) -> sqlx::Result<()> {
    let (owner, now) = (owner(app), app.clock.now());
    app.db
        .write(move |conn| Box::pin(async move { worker::store::leases::free(conn, store::FREE, &owner, now).await }))
        .await
}

/// Scans a source under a lease and writes what follows; releases it in any case.
///
/// # Errors
/// As [`sync`].
pub(crate) async fn run(
    app: &App,
    configured: &Source,
    known: &Known,
    lease: Lease,
    wish: SyncOptions,
    progress: impl FnMut(u64, u64) + Send + 'static,
) -> Result<Report, SyncError> {
    let _heart = AbortOnDropHandle::new(tokio::spawn(beat(app.clone(), lease.clone())));
    let result = attempt(app, configured, known, Some(&lease), wish, progress).await;
    if let Err(error) = &result {
        let scanned = Scanned {
            complete: false,
            error: Some(error.to_string()),
            next_attempt_at: app.clock.now() + pause_after(error, configured.rescan, known.failures),
            seen: None,
        };
        let now = app.clock.now();
        app.db.write(move |conn| Box::pin(async move { store::finish(conn, &lease, &scanned, now).await })).await?;
    }
    result
}

/// How long to wait after a sync that failed. A site on this machine is cheap to look at, and looked at as often as
/// always, so that a repair is seen soon.
fn pause_after(error: &SyncError, rescan: Duration, failures: u32) -> Duration {
    match error {
        SyncError::Scan(ScanError::Hugo(_)) => rescan,
        _ => after_failure(rescan, failures),
    }
}

/// How long to wait after a failed look: as always at first, then twice as long each time, up to an hour.
pub(super) fn after_failure(rescan: Duration, failures: u32) -> Duration {
    rescan.saturating_mul(1 << failures.min(10)).min(rescan.max(Duration::from_hours(1)))
}

/// Renews a lease while a long scan goes on; a process that was killed loses it within a minute.
async fn beat(app: App, lease: Lease) {
    loop {
        tokio::time::sleep(store::HEARTBEAT).await;
        let (lease, now) = (lease.clone(), app.clock.now());
        let renewed = app.db.write(move |conn| Box::pin(async move { store::renew(conn, &lease, now).await })).await;
        if let Err(error) = renewed {
            tracing::warn!(%error, "cannot renew the lease of a scan");
        }
    }
}

async fn attempt(
    app: &App,
    configured: &Source,
    known: &Known,
    lease: Option<&Lease>,
    wish: SyncOptions,
    mut progress: impl FnMut(u64, u64) + Send + 'static,
) -> Result<Report, SyncError> {
    let now = app.clock.now();
    let standing = connector::fetch(configured).await?;
    let stamp = unchanged::look(app, configured).await?;
    if wish.is_plain()
        && let Some(lease) = lease
        && let Some(report) = unchanged::rest(app, configured, known, lease, stamp.as_ref(), standing.as_ref()).await?
    {
        return Ok(report);
    }
    let memory = {
        let mut conn = app.db.read().await?;
        post::store::traced(&mut conn, known.id).await?
    };
    let connector = connector::of(configured);
    let mut scan = tokio::task::spawn_blocking(move || connector.scan(memory, now, &mut progress)).await??;
    let stale = standing.and_then(|standing| standing.tell(&mut scan));
    if let Some(why) = &stale {
        tracing::warn!(source = configured.name, why, "the files of the last fetch are read");
    }
    // Read after the scan, so that a decision made meanwhile on the command line counts.
    let (posts, authors, actors) = {
        let mut conn = app.db.read().await?;
        let known_authors = author::store::authors(&mut conn, known.id).await?;
        (post::store::posts(&mut conn, known.id).await?, known_authors, author::store::actors(&mut conn).await?)
    };
    scan.leave_unread_profiles(|slug| authors.iter().any(|author| author.slug == slug && author.has_profile));
    let current = if wish.dry_run { known.clone() } else { store_now(app, known).await? };
    let authors_before = authors.clone();
    let opt_in = decide(configured, &app.config.communities, &scan, authors, &actors)?;
    let rules = Rules {
        now,
        imported: current.imported_at.is_some(),
        push_within: app.config.publishing.push_within,
        removal_grace: configured.removal_grace,
        keep_moved_away: configured.moved_away == MovedAway::Keep,
        confirm: wish.confirm,
        deliver: wish.deliver.as_deref(),
    };
    let Plan { mut steps, warnings } = plan::plan(&posts, &scan, &rules);
    let told = choices::told(configured, &scan, &authors_before, &actors, &opt_in);
    scan.warnings.extend(told);
    if let Some(key) = &wish.deliver
        && !steps.iter().any(|step| step.key() == key && (step.deliver || matches!(step.act, Act::Create { .. })))
    {
        return Err(SyncError::NothingToDeliver(key.clone()));
    }
    let mut report = Report::of(&configured.name, &steps, &scan, &opt_in, wish.dry_run);
    let steady = warnings.is_empty() && opt_in.freeze.is_empty();
    report.warnings.extend(warnings);
    report.warnings.sort();
    let Some(lease) = lease else { return Ok(report) };
    let authors = mint_authors(app, &scan, opt_in).await?;
    let pause = stale.as_ref().map_or(configured.rescan, |_| after_failure(configured.rescan, current.failures));
    let look_again = now + pause;
    let scanned = Scanned {
        complete: scan.complete,
        error: stale,
        next_attempt_at: plan::next_turn(&scan, now).map_or(look_again, |turn| turn.min(look_again)),
        seen: stamp.filter(|_| steady).and_then(|stamp| unchanged::keep(stamp, &scan, &steps, now)),
    };
    steps.retain(|step| !step.is_idle());
    write(app, current, lease.clone(), authors, steps, scanned).await?;
    Ok(report)
}

async fn store_now(app: &App, known: &Known) -> Result<Known, SyncError> {
    let mut conn = app.db.read().await?;
    let found = store::known(&mut conn).await?.into_iter().find(|source| source.id == known.id);
    found.ok_or_else(|| SyncError::Unknown(known.name.clone()))
}

/// Who becomes an actor: of the authors already known and those in the scan.
fn decide(
    configured: &Source,
    communities: &[config::Community],
    scan: &Scan,
    known: Vec<Author>,
    actors: &[Actor],
) -> Result<OptIn, Collision> {
    let mut by_slug: BTreeMap<String, Author> = known.into_iter().map(|author| (author.slug.clone(), author)).collect();
    for profile in &scan.authors {
        let author = by_slug.entry(profile.slug.clone()).or_insert_with(|| Author {
            id: AuthorId(0),
            source_id: crate::base::ids::SourceId(0),
            slug: profile.slug.clone(),
            name: profile.name.clone(),
            bio: profile.bio.clone(),
            avatar: profile.avatar.clone(),
            has_profile: profile.has_profile,
            fingerprint: None,
            choice: None,
            actor: None,
        });
        author.has_profile = profile.has_profile;
    }
    let published: BTreeSet<String> = scan
        .entries
        .iter()
        .filter(|entry| matches!(entry.visibility, Visibility::Public { .. }))
        .flat_map(|entry| entry.authors.iter().cloned())
        .collect();
    let mut taken: BTreeSet<Handle> = actors.iter().map(|actor| actor.handle.clone()).collect();
    // In a dry run the community may not exist yet.
    taken.extend(communities.iter().flat_map(|community| [community.handle.clone(), community.team_handle.clone()]));
    taken.extend(config::RESERVED_HANDLES.iter().filter_map(|handle| Handle::parse(handle).ok()));
    let frozen: BTreeSet<ActorId> = actors.iter().filter(|actor| !actor.is_active()).map(|actor| actor.id).collect();
    let authors: Vec<Author> = by_slug.into_values().collect();
    opt_in::decide(configured, &authors, &published, |actor| frozen.contains(&actor), &taken)
}

/// Makes the new actors with their keys, on a thread of its own since that takes a tenth of a second each.
async fn mint_authors(app: &App, scan: &Scan, opt_in: OptIn) -> Result<Authors, SyncError> {
    let profiles = scan.authors.clone();
    let (app, by_slug) = (app.clone(), profiles.clone());
    let founded = tokio::task::spawn_blocking(move || {
        opt_in
            .found
            .into_iter()
            .map(|(slug, handle)| {
                let profile = by_slug.iter().find(|profile| profile.slug == slug);
                let (name, bio) = profile.map_or((slug.as_str(), ""), |profile| (&profile.name, &profile.bio));
                let (mut actor, keys) = author::bootstrap::new_actor(&app, ActorKind::Person, handle, name, bio)?;
                actor.icon = profile.and_then(|profile| profile.avatar.clone());
                actor.fields = profile.map(|profile| profile.fields.clone()).unwrap_or_default();
                Ok(Founded { slug, actor, keys })
            })
            .collect::<Result<Vec<_>, MintError>>()
            .map(|founded| (founded, opt_in.freeze, opt_in.thaw))
    });
    let (founded, freeze, thaw) = founded.await??;
    Ok(Authors { profiles, founded, freeze, thaw })
}

async fn write(
    app: &App,
    source: Known,
    lease: Lease,
    authors: Authors,
    steps: Vec<Step>,
    scanned: Scanned,
) -> Result<(), SyncError> {
    let writer = app.clone();
    app.db
        .write(move |conn| {
            Box::pin(async move {
                let now = writer.clock.now();
                if !store::finish(conn, &lease, &scanned, now).await? {
                    return Err(SyncError::Busy(source.name.clone()));
                }
                apply::authors(conn, &writer, source.id, &authors).await?;
                let community = author::store::community(conn, source.community).await?;
                let community = community.ok_or(sqlx::Error::RowNotFound)?;
                let writers = Writers::load(conn, source.id, &community).await?;
                apply::free_keys(conn, &steps).await?;
                for step in &steps {
                    apply::step(conn, &writer, &source, &writers, step).await?;
                }
                Ok(())
            })
        })
        .await
}

//! A sync of a tree with an unchanged stamp is over before anything is read (ADR 8).

use clock::Timestamp;
use hugo_content::{READING, Scan, TreeState, Warning};
use serde::{Deserialize, Serialize};

use super::Known;
use super::connector;
use super::error::SyncError;
use super::git::Standing;
use super::plan::{self, Act, Step};
use super::report::Report;
use super::store::{self, Lease, Scanned};
use crate::app::App;
use crate::config::Source;
use crate::model::post::PostState;

/// Most bytes kept of what a scan saw; a site with more warnings is read each time.
const MAX_SEEN: usize = 1024 * 1024;

/// The result of a scan, for as long as the stamp is the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Seen {
    posts: usize,
    #[serde(default)]
    not_public: usize,
    /// Those that could not be read for certain.
    #[serde(default)]
    unread: usize,
    /// When one of them becomes public or expires.
    until: Option<Timestamp>,
    warnings: Vec<Warning>,
}

/// The stamp of the tree and of all else that a scan depends on: the program and the settings.
pub(super) async fn look(app: &App, configured: &Source) -> Result<Option<TreeState>, SyncError> {
    let publishing = &app.config.publishing;
    let seed = format!("{} {READING}\n{configured:?}\n{publishing:?}", env!("CARGO_PKG_VERSION"));
    let (connector, now) = (connector::of(configured), app.clock.now());
    Ok(tokio::task::spawn_blocking(move || connector.stamp(&seed, now)).await?)
}

/// Ends the sync, if the stamp is that of the last scan, no post's own date has come since, and the files are the
/// newest.
pub(super) async fn rest(
    app: &App,
    configured: &Source,
    known: &Known,
    lease: &Lease,
    stamp: Option<&TreeState>,
    standing: Option<&Standing>,
) -> Result<Option<Report>, SyncError> {
    let Some(stamp) = stamp else { return Ok(None) };
    if standing.is_some_and(|standing| standing.stale.is_some()) {
        return Ok(None);
    }
    let kept = {
        let mut conn = app.db.read().await?;
        store::seen(&mut conn, known.id, &stamp.sum).await?
    };
    let Some(kept) = kept else { return Ok(None) };
    let now = app.clock.now();
    let seen = serde_json::from_str::<Seen>(&kept).ok().filter(|seen| seen.until.is_none_or(|turn| turn > now));
    let Some(seen) = seen else { return Ok(None) };
    let look_again = now + configured.rescan;
    let scanned = Scanned {
        complete: true,
        error: None,
        next_attempt_at: seen.until.map_or(look_again, |turn| turn.min(look_again)),
        seen: Some((stamp.sum.clone(), kept)),
    };
    let (lease, busy) = (lease.clone(), SyncError::Busy(known.name.clone()));
    let done = app.db.write(move |conn| Box::pin(async move { store::finish(conn, &lease, &scanned, now).await }));
    if !done.await? {
        return Err(busy);
    }
    Ok(Some(Report {
        unchanged: seen.posts,
        not_public: seen.not_public,
        unread: seen.unread,
        warnings: seen.warnings,
        complete: true,
        ..Report::default()
    }))
}

/// What is kept of a scan for the next one. `None` where the next one may differ although the tree does not: a post
/// that vanished is waited for, a scan that was not complete is done again, a file of this moment may still change, a
/// commit gives dates to files that stay the same.
pub(super) fn keep(stamp: TreeState, scan: &Scan, steps: &[Step], now: Timestamp) -> Option<(String, String)> {
    let waits = steps.iter().any(|step| matches!(step.act, Act::Miss | Act::Hold));
    if stamp.is_fresh || waits || !scan.complete || scan.is_dated_by_git {
        return None;
    }
    let there = steps.iter().filter(|step| step.entry.is_some());
    let (public, hidden): (Vec<&Step>, Vec<&Step>) = there.partition(|step| step.state == PostState::Published);
    let seen = Seen {
        posts: public.len(),
        not_public: hidden.len(),
        unread: scan.unreadable.len(),
        until: plan::next_turn(scan, now),
        warnings: scan.warnings.clone(),
    };
    let seen = serde_json::to_string(&seen).ok().filter(|text| text.len() <= MAX_SEEN)?;
    Some((stamp.sum, seen))
}

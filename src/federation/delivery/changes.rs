//! How attempts ended, written for many hosts at a time: one statement for the hosts and their leases, one for the deliveries.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::store::{self, Attempted, Held, HostChange, Shown};
use super::{DeliveryEnd, Waiting};
use crate::app::App;

/// A change of a host, and what was attempted there.
#[derive(Clone, Debug)]
pub(super) struct Change {
    host: HostChange,
    attempted: Option<Attempted>,
    /// The inbox that waited and need not any longer.
    cleared: Option<i64>,
}

impl Change {
    pub(super) fn of_host(host: HostChange) -> Self {
        Self { host, attempted: None, cleared: None }
    }

    /// An attempt at a delivery, or its end without one.
    pub(super) fn attempted(host: HostChange, waiting: &Waiting, ending: Option<DeliveryEnd>, shown: Shown) -> Self {
        let tried = !matches!(ending, Some(DeliveryEnd::Expired | DeliveryEnd::Withdrawn));
        let waited = waiting.inbox_failures > 0 || waiting.not_before.is_some();
        Self {
            host,
            cleared: (shown.answer.is_some() && ending.is_some() && waited).then_some(waiting.inbox.0),
            attempted: Some(Attempted {
                inbox: waiting.inbox.0,
                activity: waiting.activity.0,
                tries: tried.into(),
                answer: shown.answer.map(i64::from),
                error: shown.error,
                outcome: ending.map(DeliveryEnd::as_str),
            }),
        }
    }

    fn lease(&self) -> (i64, i64) {
        (self.host.host, self.host.token)
    }
}

/// Makes one change of several to a host whose inboxes are served at the same time: a failure counts more than an answer.
fn merge(into: &mut HostChange, other: &HostChange) {
    into.answered = into.answered.max(other.answered);
    if other.waits > into.waits {
        into.waits = other.waits;
        into.error.clone_from(&other.error);
    }
    into.gone = into.gone.max(other.gone);
    if other.ends.is_some() {
        (into.ends, into.next) = (other.ends, other.next);
    }
}

/// Writes changes in one transaction, each as far as the lease of its host holds; what is known of each lease then, in their order.
///
/// # Errors
/// The database's; nothing is written then.
pub(super) async fn write(app: &App, changes: Vec<Change>) -> anyhow::Result<Vec<Option<Held>>> {
    let (db, now) = (app.db.clone(), app.clock.now());
    // In the order of the rows, as whoever makes hosts due writes them.
    let mut hosts: BTreeMap<(i64, i64), HostChange> = BTreeMap::new();
    for change in &changes {
        hosts.entry(change.lease()).and_modify(|into| merge(into, &change.host)).or_insert_with(|| change.host.clone());
    }
    let hosts = serde_json::to_string(&hosts.into_values().collect::<Vec<_>>())?;
    let changes = Arc::new(changes);
    let written = changes.clone();
    let held = app.db.write(move |conn| {
        Box::pin(async move {
            let held = store::change_hosts(conn, &db, &hosts, now).await?;
            let attempts: Vec<&Attempted> = written
                .iter()
                .filter(|change| held.contains_key(&change.lease()))
                .filter_map(|change| change.attempted.as_ref())
                .collect();
            if !attempts.is_empty() {
                store::note_attempts(conn, &db, &attempts, now).await?;
            }
            for change in written.iter().filter(|change| held.contains_key(&change.lease())) {
                if let Some(inbox) = change.cleared {
                    store::clear_inbox(conn, inbox).await?;
                }
            }
            Ok::<_, sqlx::Error>(held)
        })
    });
    let held = held.await?;
    Ok(changes.iter().map(|change| held.get(&change.lease()).copied()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_counts_more_than_an_answer_at_the_same_time() {
        let answered = HostChange { answered: 1, ..HostChange::default() };
        let failed = HostChange { waits: Some(5), error: Some("down".to_owned()), ..HostChange::default() };
        for [mut one, other] in [[answered.clone(), failed.clone()], [failed, answered]] {
            merge(&mut one, &other);
            assert_eq!((one.answered, one.waits, one.error.as_deref()), (1, Some(5), Some("down")));
        }
    }
}

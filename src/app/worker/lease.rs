//! Queues whose rows are worked under a lease: looked at, claimed, and, where the work fails, retried with back-off or
//! given up. Each store has the statements for its own table; the rules are here.

use std::future::Future;
use std::time::Duration;

use clock::Timestamp;

use super::Worker;
use super::retry::BEGUN_MAX;
use crate::app::App;
use crate::db::{Conn, Queue};

/// The reason that is kept for a piece that was given up because the process ended each time it was worked.
const NEVER_ENDED: &str =
    "it was begun five times and never brought to an end: each time the process ended first, or its database failed";

/// A loop whose queue is a table with leases: `lease_owner` has a row until `lease_until`, and a counter that each
/// claim raises is the fence: a late settle of whoever lost the lease is refused.
pub trait Leased: Send + Sync + 'static {
    /// As [`Worker::Claim`].
    type Claim: Clone + Send + Sync + 'static;

    /// What a look finds: the due rows, or only that there are some.
    type Due: Clone + Send + 'static;

    /// As [`Worker::NAME`].
    const NAME: &'static str;

    /// As [`Worker::WIDTH`].
    const WIDTH: usize;

    /// As [`Worker::width`].
    #[must_use]
    fn width(_app: &App) -> usize {
        Self::WIDTH
    }

    /// As [`Worker::QUEUE`].
    const QUEUE: Option<Queue>;

    /// Looks, without writing, what is due. It must be as strict as [`Leased::take`], or an idle loop writes for
    /// nothing.
    fn look(
        app: &App,
        conn: &mut Conn,
        limit: i64,
        now: Timestamp,
    ) -> impl Future<Output = sqlx::Result<Option<Self::Due>>> + Send;

    /// Claims up to `limit` of what is due.
    fn take(
        app: &App,
        conn: &mut Conn,
        due: Self::Due,
        limit: i64,
        now: Timestamp,
    ) -> impl Future<Output = sqlx::Result<Vec<Self::Claim>>> + Send;

    /// As [`Worker::work`].
    fn work(&self, app: &App, claim: Self::Claim) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// How often in a row a piece was begun and did not end in order, this time included; `None` where nothing is given
    /// up for that.
    fn begun(_claim: &Self::Claim) -> Option<i64> {
        None
    }

    /// How long a piece waits after an error of ours.
    fn wait(app: &App, claim: &Self::Claim) -> Duration;

    /// Releases a piece after an error of ours; it is due again at a given time.
    fn retry(
        conn: &mut Conn,
        claim: &Self::Claim,
        at: Timestamp,
        why: &str,
        now: Timestamp,
    ) -> impl Future<Output = sqlx::Result<()>> + Send;

    /// Settles a piece as failed for good.
    fn give_up(
        _app: &App,
        _conn: &mut Conn,
        _claim: &Self::Claim,
        _why: &str,
        _now: Timestamp,
    ) -> impl Future<Output = sqlx::Result<()>> + Send {
        async { Ok(()) }
    }
}

impl<L: Leased> Worker for L {
    type Claim = L::Claim;
    const NAME: &'static str = L::NAME;
    const WIDTH: usize = L::WIDTH;
    const QUEUE: Option<Queue> = L::QUEUE;

    fn width(app: &App) -> usize {
        L::width(app)
    }

    async fn claim(&self, app: &App, limit: usize) -> anyhow::Result<Vec<L::Claim>> {
        let (now, limit) = (app.clock.now(), i64::try_from(limit)?);
        let due = {
            let mut conn = app.db.read().await?;
            L::look(app, &mut conn, limit, now).await?
        };
        let Some(due) = due else { return Ok(Vec::new()) };
        let claimer = app.clone();
        let claim = app.db.write(move |conn| Box::pin(async move { take::<L>(&claimer, conn, due, limit, now).await }));
        Ok(claim.await?)
    }

    async fn work(&self, app: &App, claim: L::Claim) -> anyhow::Result<()> {
        Leased::work(self, app, claim).await
    }

    async fn put_off(&self, app: &App, claim: L::Claim, why: &str) -> anyhow::Result<()> {
        let (writer, why, now) = (app.clone(), why.to_owned(), app.clock.now());
        let at = now + L::wait(app, &claim);
        let put_off = app.db.write(move |conn| {
            Box::pin(async move {
                if L::begun(&claim).is_some_and(|begun| begun >= BEGUN_MAX) {
                    return L::give_up(&writer, conn, &claim, &why, now).await;
                }
                L::retry(conn, &claim, at, &why, now).await
            })
        });
        put_off.await?;
        Ok(())
    }
}

/// A piece that was begun as often as allowed and never ended is given up: the process may have ended because of it
/// each time.
async fn take<L: Leased>(
    app: &App,
    conn: &mut Conn,
    due: L::Due,
    limit: i64,
    now: Timestamp,
) -> sqlx::Result<Vec<L::Claim>> {
    loop {
        let claims = L::take(app, conn, due.clone(), limit, now).await?;
        let (hopeless, claims): (Vec<_>, Vec<_>) =
            claims.into_iter().partition(|claim| L::begun(claim).is_some_and(|begun| begun > BEGUN_MAX));
        for claim in &hopeless {
            L::give_up(app, conn, claim, NEVER_ENDED, now).await?;
        }
        // What waited behind them is due now.
        if hopeless.is_empty() || !claims.is_empty() {
            return Ok(claims);
        }
    }
}

//! The refresh loop: an actor whose inbox answered 404 or 410 is read again, once a day at most, so that what waits for
//! it goes to its new inbox.

use std::sync::Arc;
use std::time::Duration;

use clock::Timestamp;

use super::fetch::FetchError;
use super::{Remote, actors, store};
use crate::app::App;
use crate::app::worker::lease::Leased;
use crate::db::{Conn, Queue};
use crate::federation::delivery;
use crate::federation::delivery::store::{ONCE_IN, Refresh};
use crate::model::follower;

/// Attempts, a day apart, after which an actor that cannot be read is taken to be unchanged.
const ATTEMPTS: i64 = 3;

/// How long a host that does not answer is left alone.
const REST: Duration = Duration::from_hours(1);

pub(crate) struct Refresher;

impl Leased for Refresher {
    type Claim = Refresh;
    type Due = ();
    const NAME: &'static str = "refresher";
    const WIDTH: usize = 4;
    const QUEUE: Option<Queue> = None;

    async fn look(_: &App, conn: &mut Conn, _: i64, now: Timestamp) -> sqlx::Result<Option<()>> {
        Ok(delivery::store::any_refresh_due(conn, now).await?.then_some(()))
    }

    async fn take(app: &App, conn: &mut Conn, (): (), limit: i64, now: Timestamp) -> sqlx::Result<Vec<Refresh>> {
        delivery::store::claim_refreshes(conn, &app.db, &app.config.server.node, limit, now).await
    }

    async fn work(&self, app: &App, refresh: Refresh) -> anyhow::Result<()> {
        // What waits for another inbox than before goes there as the document is kept.
        match actors::read(app, &refresh.url).await {
            Ok(remote) => settle(app, refresh, RefreshResult::There(remote)).await,
            Err(FetchError::Gone) => settle(app, refresh, RefreshResult::Gone).await,
            Err(FetchError::Absent(_) | FetchError::Refused(_)) => settle(app, refresh, RefreshResult::Nothing).await,
            Err(_) if refresh.attempts >= ATTEMPTS => settle(app, refresh, RefreshResult::Nothing).await,
            Err(error) => put_off(app, refresh, error).await,
        }
    }

    fn begun(refresh: &Refresh) -> Option<i64> {
        Some(refresh.begun)
    }

    fn wait(_: &App, _: &Refresh) -> Duration {
        ONCE_IN
    }

    async fn retry(conn: &mut Conn, refresh: &Refresh, at: Timestamp, _: &str, now: Timestamp) -> sqlx::Result<()> {
        delivery::store::put_off_refresh(conn, refresh, at, now).await
    }

    /// They are taken to be where they were.
    async fn give_up(_: &App, conn: &mut Conn, refresh: &Refresh, why: &str, now: Timestamp) -> sqlx::Result<()> {
        tracing::error!(actor = refresh.url, why, "reading an actor again was given up");
        end(conn, refresh, RefreshResult::Nothing, now).await
    }
}

/// What was found.
#[derive(Clone)]
enum RefreshResult {
    There(Remote),
    /// Their server says that they are gone.
    Gone,
    /// Nothing that can be believed.
    Nothing,
}

async fn settle(app: &App, refresh: Refresh, found: RefreshResult) -> anyhow::Result<()> {
    let now = app.clock.now();
    app.db.write(move |conn| Box::pin(async move { end(conn, &refresh, found, now).await })).await?;
    Ok(())
}

/// Settles what a reading came to, unless another node has taken it over.
async fn end(conn: &mut Conn, refresh: &Refresh, found: RefreshResult, now: Timestamp) -> sqlx::Result<()> {
    if !delivery::store::settle_refresh(conn, refresh).await? {
        return Ok(());
    }
    match found {
        RefreshResult::There(remote) if refresh.shared && remote.shared_inbox != Some(refresh.inbox) => {
            return delivery::store::read_neighbours(conn, refresh, now).await;
        }
        // They are written to elsewhere by now.
        RefreshResult::There(remote) if remote.inbox != refresh.inbox => return Ok(()),
        RefreshResult::Gone => {
            store::mark_gone(conn, &refresh.url, now).await?;
            follower::store::remove_all(conn, refresh.actor).await?;
        }
        RefreshResult::There(_) | RefreshResult::Nothing => {}
    }
    if refresh.shared {
        // Gone already, and what waited for it waits for their own.
        return Ok(());
    }
    if refresh.answer == GONE && !delivery::store::is_awaited(conn, refresh.inbox).await? {
        follower::store::end_by_inbox(conn, refresh.inbox).await?;
        return delivery::store::drop_inbox(conn, refresh.inbox, now).await;
    }
    delivery::store::stop_waiting(conn, refresh.inbox, now).await
}

/// The answer that ends an inbox for good, once its actor still names it.
const GONE: i64 = 410;

/// Puts off an actor that could not be read, and with it all others of a host that does not answer.
async fn put_off(app: &App, refresh: Refresh, error: FetchError) -> anyhow::Result<()> {
    tracing::debug!(actor = refresh.url, %error, "cannot read an actor again whose inbox is missing");
    let now = app.clock.now();
    let put_off = app.db.write(move |conn| {
        Box::pin(async move {
            if let FetchError::Unavailable { host, .. } = &error {
                delivery::store::rest_refreshes(conn, host, REST).await?;
            }
            delivery::store::retry_refresh(conn, &refresh, now + ONCE_IN, now).await
        })
    });
    put_off.await?;
    Ok(())
}

pub(crate) fn worker() -> Arc<Refresher> {
    Arc::new(Refresher)
}

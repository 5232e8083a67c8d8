//! The rereading loop: whoever has an inbox that answered 404 or 410 is read again, once a day at most, so that what waits for
//! them finds where they are now.

use std::sync::Arc;
use std::time::Duration;

use super::fetch::FetchError;
use super::{Remote, actors, store};
use crate::app::App;
use crate::db::Queue;
use crate::delivery;
use crate::delivery::store::Reread;
use crate::follower;
use crate::worker::Worker;

/// Attempts, a day apart, after which somebody who cannot be read is taken to be where they were.
const ATTEMPTS: i64 = 3;

/// How often a reading may begin and not end, as when the program dies of it.
const BEGUN: i64 = 5;

/// How long a host that does not answer is left alone.
const REST: Duration = Duration::from_hours(1);

/// Reads again.
pub struct Rereader;

impl Worker for Rereader {
    type Claim = Reread;
    const NAME: &'static str = "rereader";
    const WIDTH: usize = 4;
    const QUEUE: Option<Queue> = None;

    async fn claim(&self, app: &App, limit: usize) -> anyhow::Result<Vec<Reread>> {
        let now = app.clock.now();
        let due = {
            let mut conn = app.db.read().await?;
            delivery::store::due_rereads(&mut conn, i64::try_from(limit)?, now).await?
        };
        if due.is_empty() {
            return Ok(due);
        }
        let node = app.config.server.node.clone();
        let claim = app
            .db
            .write(move |conn| Box::pin(async move { delivery::store::claim_rereads(conn, due, &node, now).await }));
        Ok(claim.await?)
    }

    async fn work(&self, app: &App, reread: Reread) -> anyhow::Result<()> {
        if reread.attempts > BEGUN {
            return settle(app, reread, Found::Nothing).await;
        }
        // What waits for another inbox than before goes there as the document is kept.
        match actors::read(app, &reread.url).await {
            Ok(remote) => settle(app, reread, Found::There(remote)).await,
            Err(FetchError::Gone) => settle(app, reread, Found::Gone).await,
            Err(FetchError::Absent(_) | FetchError::Refused(_)) => settle(app, reread, Found::Nothing).await,
            Err(_) if reread.attempts >= ATTEMPTS => settle(app, reread, Found::Nothing).await,
            Err(error) => put_off(app, reread, error).await,
        }
    }

    async fn put_off(&self, app: &App, reread: Reread, why: &str) -> anyhow::Result<()> {
        put_off(app, reread, FetchError::Ours(why.to_owned())).await
    }
}

/// What a reading came to.
#[derive(Clone)]
enum Found {
    /// Their document.
    There(Remote),
    /// Their server says that they are gone.
    Gone,
    /// Nothing to believe.
    Nothing,
}

async fn settle(app: &App, reread: Reread, found: Found) -> anyhow::Result<()> {
    let now = app.clock.now();
    let settled = app.db.write(move |conn| {
        Box::pin(async move {
            if !delivery::store::settle_reread(conn, &reread).await? {
                return Ok::<_, sqlx::Error>(());
            }
            match found {
                Found::There(remote) if reread.shared && remote.shared_inbox != Some(reread.inbox) => {
                    return delivery::store::read_neighbours(conn, &reread, now).await;
                }
                // They are written to elsewhere by now.
                Found::There(remote) if remote.inbox != reread.inbox => return Ok(()),
                Found::Gone => {
                    store::mark_gone(conn, &reread.url, now).await?;
                    follower::store::remove_all(conn, reread.actor).await?;
                }
                Found::There(_) | Found::Nothing => {}
            }
            if reread.shared {
                // Gone already, and what waited for it waits for their own.
                return Ok(());
            }
            if reread.answer == GONE && !delivery::store::is_awaited(conn, reread.inbox).await? {
                follower::store::end_by_inbox(conn, reread.inbox).await?;
                return delivery::store::drop_inbox(conn, reread.inbox, now).await;
            }
            delivery::store::stop_waiting(conn, reread.inbox, now).await
        })
    });
    settled.await?;
    Ok(())
}

/// The answer that ends an inbox for good, once its actor still names it.
const GONE: i64 = 410;

async fn put_off(app: &App, reread: Reread, error: FetchError) -> anyhow::Result<()> {
    tracing::debug!(actor = reread.url, %error, "cannot read an actor again whose inbox is missing");
    let now = app.clock.now();
    let host = match error {
        FetchError::Unavailable { host, .. } => Some(host),
        _ => None,
    };
    let put_off = app.db.write(move |conn| {
        Box::pin(async move {
            let rest = host.as_ref().map(|host| (host, REST));
            delivery::store::put_off_reread(conn, &reread, rest, now).await
        })
    });
    put_off.await?;
    Ok(())
}

/// The loop, ready to run.
#[must_use]
pub fn worker() -> Arc<Rereader> {
    Arc::new(Rereader)
}

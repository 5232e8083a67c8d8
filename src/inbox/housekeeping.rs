//! What the inbox does regularly: forgets texts that are no longer needed and what was fetched for them, writes counts
//! that wait, and finishes what a change of the blocks left to do.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{rejection, store};
use crate::app::App;
use crate::app::worker;
use crate::moderation::enforcement;

const EVERY: Duration = Duration::from_mins(1);

/// Texts forgotten in one transaction, so that it holds up nobody.
const CHUNK: i64 = 500;

pub(crate) async fn run(app: App, stop: CancellationToken) {
    let forget = |app: App| async move { Ok(tidy(&app).await.map(|_| ())?) };
    worker::every("housekeeping", EVERY, app.clone(), stop, forget).await;
    rejection::write_waiting_counts(&app).await;
}

/// Tidies once, by `[retention]`; returns how many texts were forgotten.
pub async fn tidy(app: &App) -> sqlx::Result<u64> {
    rejection::write_waiting_counts(app).await;
    enforcement::enforce_if_due(app).await?;
    let (now, retention) = (app.clock.now(), &app.config.retention);
    let (settled, deferred) = (now - retention.settled, now - retention.deferred);
    let mut forgotten = 0;
    loop {
        let forget = app.db.write(move |conn| {
            Box::pin(async move {
                let texts = store::forget_texts(conn, settled, deferred, CHUNK, now).await?;
                Ok::<_, sqlx::Error>((texts, store::fetch_queue::forget(conn, deferred, CHUNK).await?))
            })
        });
        match forget.await? {
            (0, 0) => break,
            (texts, _) => forgotten += texts,
        }
    }
    app.db.empty_log().await?;
    Ok(forgotten)
}

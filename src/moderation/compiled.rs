//! All blocks, indexed for matching, in memory: read again once they have changed.

use std::sync::Arc;
use std::time::Duration;

use super::rules::Rules;
use super::store;
use crate::app::App;
use crate::db::{Cached, Conn, Topic};

/// How late a block is noticed that another process made. Whatever is understood is judged by the blocks of that moment.
const NOTICED_WITHIN: Duration = Duration::from_secs(1);

/// All blocks, and which version of them.
pub(crate) type Compiled = Cached<(), (i64, Arc<Rules>)>;

/// The blocks as they were a moment ago: for the door, where nothing is written.
pub(crate) async fn recent(app: &App) -> sqlx::Result<Arc<Rules>> {
    Ok(versioned(app).await?.1)
}

/// The blocks as they are in this transaction.
pub(crate) async fn blocks(app: &App, conn: &mut Conn) -> sqlx::Result<Arc<Rules>> {
    let version = store::version(conn).await?;
    let (known, rules) = versioned(app).await?;
    if known == version { Ok(rules) } else { Ok(Arc::new(Rules::of(store::all_blocks(conn).await?))) }
}

async fn versioned(app: &App) -> sqlx::Result<(i64, Arc<Rules>)> {
    app.db.catch_up(NOTICED_WITHIN).await?;
    let read = async {
        let mut snapshot = app.db.snapshot().await?;
        let version = store::version(&mut snapshot).await?;
        Ok::<_, sqlx::Error>((version, Arc::new(Rules::of(store::all_blocks(&mut snapshot).await?))))
    };
    let compiled = app.kept(|| Compiled::new(1));
    compiled
        .get(&app.db, (), &[Topic::Moderation], read)
        .await
        .map_err(|error| sqlx::Error::Protocol(error.to_string()))
}

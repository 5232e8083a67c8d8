//! What nobody needs any longer goes by age: what was delivered and to whom, what came and explains nothing that stands, and
//! strangers to whom nothing refers. In small steps: each looks at some hundred rows behind a place that is remembered.

mod store;

use std::time::Duration;

use clock::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::app::{App, worker};
use crate::db::Conn;

const EVERY: Duration = Duration::from_mins(10);

/// Rows looked at in one transaction, and most rows removed that hang on them.
const LOOKED_AT: i64 = 200;
const REMOVED: i64 = 5000;

/// Most transactions on one table in one tidying, so that a backlog holds up nobody.
const STEPS: usize = 50;

/// What is walked over, in this order: what refers before what it refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Table {
    Activities,
    Articles,
    Inbound,
    RemoteActors,
    Inboxes,
    Hosts,
}

const TABLES: [Table; 6] =
    [Table::Activities, Table::Articles, Table::Inbound, Table::RemoteActors, Table::Inboxes, Table::Hosts];

/// A step: the rows behind one and up to another, and since when what is old is not needed.
#[derive(Clone, Copy, Debug)]
struct Step {
    after: i64,
    through: i64,
    before: Timestamp,
}

pub(super) async fn run(app: App, stop: CancellationToken) {
    worker::every("retention", EVERY, app, stop, |app| async move { Ok(tidy(&app).await?) }).await;
}

/// Forgets some of what is older than `[retention] rows`: of each table as much as fits into some steps.
///
/// # Errors
/// The database's.
pub async fn tidy(app: &App) -> sqlx::Result<()> {
    let before = app.clock.now() - app.config.retention.rows;
    for table in TABLES {
        let start = {
            let mut conn = app.db.read().await?;
            store::place(&mut conn, table.name()).await?
        };
        let mut place = start;
        for _ in 0..STEPS {
            let next = {
                let mut conn = app.db.read().await?;
                table.next(&mut conn, place, before).await?
            };
            // Behind the last it begins anew, the next time.
            let Some(through) = next else {
                place = 0;
                break;
            };
            let step = Step { after: place, through, before };
            let is_done = app.db.write(move |conn| Box::pin(async move { table.forget(conn, step).await })).await?;
            if is_done {
                place = through;
            }
        }
        if place != start {
            app.db.write(move |conn| Box::pin(async move { store::remember(conn, table.name(), place).await })).await?;
        }
    }
    let day = before.rfc3339().chars().take(10).collect::<String>();
    app.db.write(move |conn| Box::pin(async move { store::forget_rejections(conn, &day, REMOVED).await })).await
}

impl Table {
    fn name(self) -> &'static str {
        match self {
            Self::Activities => "retention-activities",
            Self::Articles => "retention-articles",
            Self::Inbound => "retention-inbound",
            Self::RemoteActors => "retention-remote-actors",
            Self::Inboxes => "retention-inboxes",
            Self::Hosts => "retention-hosts",
        }
    }

    /// The last of the next rows.
    async fn next(self, conn: &mut Conn, after: i64, before: Timestamp) -> sqlx::Result<Option<i64>> {
        match self {
            Self::Activities => store::next_activities(conn, after, before, LOOKED_AT).await,
            Self::Articles => store::next_articles(conn, after, LOOKED_AT).await,
            Self::Inbound => store::next_inbound(conn, after, before, LOOKED_AT).await,
            Self::RemoteActors => store::next_actors(conn, after, LOOKED_AT).await,
            Self::Inboxes => store::next_inboxes(conn, after, LOOKED_AT).await,
            Self::Hosts => store::next_hosts(conn, after, LOOKED_AT).await,
        }
    }

    /// Whether all of the step's rows were looked at.
    async fn forget(self, conn: &mut Conn, step: Step) -> sqlx::Result<bool> {
        let most = u64::try_from(REMOVED).unwrap_or(u64::MAX);
        match self {
            Self::Activities => {
                if store::forget_deliveries(conn, step, REMOVED).await? >= most {
                    return Ok(false);
                }
                store::forget_bodies(conn, step).await?;
                store::forget_answers(conn, step).await?;
            }
            Self::Articles => return Ok(store::forget_reach(conn, step, REMOVED).await? < most),
            Self::Inbound => store::forget_inbound(conn, step).await?,
            Self::RemoteActors => {
                if store::forget_reactions(conn, step, REMOVED).await? >= most {
                    return Ok(false);
                }
                store::forget_actors(conn, step).await?;
            }
            Self::Inboxes => store::forget_inboxes(conn, step).await?,
            Self::Hosts => store::forget_hosts(conn, step).await?,
        }
        Ok(true)
    }
}

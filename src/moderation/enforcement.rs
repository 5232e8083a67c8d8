//! Bringing what was there before in line with the blocks there are now: what was shown is hidden or shown again, follows
//! end, and nothing more is sent. In chunks, each of which may be done twice, so that it can be ended at any moment.

use std::sync::Arc;

use serde::Serialize;

use super::rules::{Rules, Who};
use super::{decisions, dismissal, said_before, store};
use crate::app::App;
use crate::db::Conn;
use crate::ids::Domain;
use crate::interaction::State;
use crate::remote::Remote;
use crate::{author, delivery, follower, interaction, remote};

/// Rows looked at in one transaction, so that it holds up nobody.
pub(super) const CHUNK: i64 = 500;

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Enforced {
    /// Replies, quotes and opinions that are hidden now.
    pub hidden: u64,
    /// Those that no block hides any longer.
    pub shown_again: u64,
    /// Follows that ended.
    pub follows_ended: u64,
    /// Servers to which nothing is sent any longer.
    pub servers_cut_off: u64,
}

/// Brings everything in line, if blocks have changed since that was last done.
///
/// # Errors
/// The database's.
pub async fn enforce_if_due(app: &App) -> sqlx::Result<()> {
    let due = {
        let mut conn = app.db.read().await?;
        store::changes(&mut conn).await?
    };
    if let Some(change) = due {
        let done = enforce(app).await?;
        app.db.decide(move |conn| Box::pin(async move { store::note_enforced(conn, change).await })).await?;
        tracing::info!(?done, "brought what was there in line with the blocks");
    }
    Ok(())
}

/// Brings everything in line. The running bridge does it once more after each change: what it was just taking in, by the
/// blocks of a moment ago, is found then.
///
/// # Errors
/// The database's.
pub async fn enforce(app: &App) -> sqlx::Result<Enforced> {
    let rules = {
        let mut conn = app.db.read().await?;
        Arc::new(Rules::of(store::blocks_that_keep_out(&mut conn).await?))
    };
    let mut done = Enforced::default();
    let mut after = Some(0);
    while let Some(cursor) = after {
        let (app, rules) = (app.clone(), rules.clone());
        let db = app.db.clone();
        let (next, part) =
            db.decide(move |conn| Box::pin(async move { what_was_said(&app, conn, &rules, cursor).await })).await?;
        done.add(part);
        after = next;
    }
    let mut after = Some((0, 0));
    while let Some(cursor) = after {
        let (app, rules) = (app.clone(), rules.clone());
        let db = app.db.clone();
        let (next, part) =
            db.decide(move |conn| Box::pin(async move { follows(&app, conn, &rules, cursor).await })).await?;
        done.add(part);
        after = next;
    }
    let mut after = Some(0);
    while let Some(cursor) = after {
        let (app, rules) = (app.clone(), rules.clone());
        let db = app.db.clone();
        let (next, part) =
            db.decide(move |conn| Box::pin(async move { servers(&app, conn, &rules, cursor).await })).await?;
        done.add(part);
        after = next;
    }
    Ok(done)
}

impl Enforced {
    fn add(&mut self, part: Self) {
        self.hidden += part.hidden;
        self.shown_again += part.shown_again;
        self.follows_ended += part.follows_ended;
        self.servers_cut_off += part.servers_cut_off;
    }
}

/// A chunk of what others said.
async fn what_was_said(app: &App, conn: &mut Conn, rules: &Rules, after: i64) -> sqlx::Result<(Option<i64>, Enforced)> {
    let mut done = Enforced::default();
    let said = interaction::store::said_after(conn, after, CHUNK).await?;
    for one in &said {
        let who = Who::new(&one.url, one.webfinger.as_deref(), one.names.clone());
        let block = match &one.words {
            Some(words) => rules.of_post(&who, &one.keepers, &said_before(words)),
            None => rules.of_person(&who, &one.keepers),
        };
        let block = block.map(|block| block.id);
        if block == one.block {
            continue;
        }
        if one.block.is_none()
            && let Some(post) = interaction::store::post_by_row(conn, one.id).await?
            && post.state == State::Shown
        {
            decisions::revoke(app, conn, &post).await?;
        }
        interaction::store::set_block(conn, one.id, block).await?;
        done.hidden += u64::from(one.block.is_none());
        done.shown_again += u64::from(block.is_none());
    }
    Ok((said.last().map(|one| one.id.0), done))
}

/// A chunk of the follows.
async fn follows(
    app: &App,
    conn: &mut Conn,
    rules: &Rules,
    after: (i64, i64),
) -> sqlx::Result<(Option<(i64, i64)>, Enforced)> {
    let mut done = Enforced::default();
    let follows = follower::store::follows_after(conn, after, CHUNK).await?;
    for follow in &follows {
        let who = Who::new(&follow.url, follow.webfinger.as_deref(), String::new());
        if rules.of_person(&who, &[follow.actor]).is_none() {
            continue;
        }
        let (actor, remote) =
            (author::store::actor(conn, follow.actor).await?, remote::store::by_row(conn, follow.who).await?);
        if let (Some(actor), Some(remote)) = (actor, remote) {
            done.follows_ended += u64::from(dismissal::end_follow(app, conn, &actor, &remote).await?);
        }
    }
    Ok((follows.last().map(|follow| (follow.who.0, follow.actor.0)), done))
}

/// A chunk of the servers.
async fn servers(app: &App, conn: &mut Conn, rules: &Rules, after: i64) -> sqlx::Result<(Option<i64>, Enforced)> {
    let mut done = Enforced::default();
    let hosts = delivery::store::hosts_after(conn, after, CHUNK).await?;
    for (id, name, was_blocked) in &hosts {
        let domain = Domain::of(&format!("https://{name}/"));
        let is_blocked = domain.is_some_and(|domain| rules.of_domain(&domain).is_some());
        if is_blocked != *was_blocked {
            delivery::store::set_blocked(conn, *id, is_blocked, app.clock.now()).await?;
            done.servers_cut_off += u64::from(is_blocked);
        }
    }
    Ok((hosts.last().map(|(id, ..)| id.0), done))
}

/// Ends those follows of somebody that a block forbids: they may have come to them by a Move.
///
/// # Errors
/// The database's.
pub async fn part_from(app: &App, conn: &mut Conn, remote: &Remote) -> sqlx::Result<u64> {
    let mut ended = 0;
    for actor in follower::store::followed_by(conn, remote.id).await? {
        if super::refuses_follow(app, conn, actor, remote).await?.is_some()
            && let Some(actor) = author::store::actor(conn, actor).await?
        {
            ended += u64::from(dismissal::end_follow(app, conn, &actor, remote).await?);
        }
    }
    Ok(ended)
}

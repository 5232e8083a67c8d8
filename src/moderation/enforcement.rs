//! Applies the present blocks to what was there before: what was shown is hidden or shown again, follows end, and
//! nothing more is sent. What is right already is only read. Each change may be made twice, so that it can be
//! interrupted at any moment.

use std::sync::Arc;

use serde::Serialize;

use super::rules::{Rules, Who};
use super::{remove_follower, review, said_before, store};
use crate::app::App;
use crate::base::ids::{ActorId, BlockId, Domain, InteractionId, RemoteActorId};
use crate::db::Conn;
use crate::federation::remote::Remote;
use crate::federation::{delivery, remote};
use crate::model::follower::store::Follow;
use crate::model::interaction::State;
use crate::model::interaction::store::Said;
use crate::model::{author, follower, interaction};

/// Rows that are read at once, outside of any write.
pub(super) const CHUNK: i64 = 500;

/// Changes written in one transaction, so that it holds up nobody.
const WRITTEN: usize = 100;

/// What was changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Enforced {
    /// Replies, quotes and reactions that are hidden now.
    pub hidden: u64,
    /// Those that everyone sees again.
    pub shown_again: u64,
    /// Follows that ended.
    pub follows_ended: u64,
    /// Hosts to which nothing is sent any longer.
    pub servers_cut_off: u64,
}

/// Applies the blocks, if they have changed since that was last finished: whoever changed them may have been
/// interrupted.
pub(crate) async fn enforce_if_due(app: &App) -> sqlx::Result<()> {
    let due = {
        let mut conn = app.db.read().await?;
        store::changes(&mut conn).await?
    };
    if due.is_some() {
        let done = enforce(app).await?;
        tracing::info!(?done, "brought what was there in line with the blocks");
    }
    Ok(())
}

/// Applies the blocks: what is to be changed is found by reading alone, and only that is written, a few rows at a time
/// and checked once more. What comes in meanwhile is judged by the present blocks.
pub(crate) async fn enforce(app: &App) -> sqlx::Result<Enforced> {
    let (change, rules) = {
        let mut conn = app.db.snapshot().await?;
        (store::changes(&mut conn).await?, Arc::new(Rules::of(store::blocks_that_keep_out(&mut conn).await?)))
    };
    let mut done = Enforced::default();
    what_was_said(app, &rules, &mut done).await?;
    follows(app, &rules, &mut done).await?;
    servers(app, &rules, &mut done).await?;
    if let Some(change) = change {
        app.db.decide(move |conn| Box::pin(async move { store::note_enforced(conn, change).await })).await?;
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

/// The block that hides a post or reaction.
fn block_of(rules: &Rules, said: &Said) -> Option<BlockId> {
    let who = Who::new(&said.url, said.webfinger.as_deref(), said.names.clone());
    let block = match &said.words {
        Some(words) if rules.have_keywords() => rules.of_post(&who, &said.keepers, &said_before(words)),
        Some(_) => rules.of_post(&who, &said.keepers, ""),
        None => rules.of_person(&who, &said.keepers),
    };
    block.map(|block| block.id)
}

async fn what_was_said(app: &App, rules: &Arc<Rules>, done: &mut Enforced) -> sqlx::Result<()> {
    let mut after = 0;
    loop {
        let said = {
            let mut conn = app.db.read().await?;
            interaction::store::said_after(&mut conn, after, CHUNK).await?
        };
        let Some(last) = said.last() else { return Ok(()) };
        after = last.id.0;
        let differ: Vec<InteractionId> =
            said.iter().filter(|said| block_of(rules, said) != said.block).map(|said| said.id).collect();
        for some in differ.chunks(WRITTEN) {
            let (app, rules, some, db) = (app.clone(), rules.clone(), some.to_vec(), app.db.clone());
            let write = db.decide(move |conn| {
                Box::pin(async move {
                    let mut done = Enforced::default();
                    for id in some {
                        done.add(set_block(&app, conn, &rules, id).await?);
                    }
                    Ok::<_, sqlx::Error>(done)
                })
            });
            done.add(write.await?);
        }
    }
}

/// Hides a post or reaction, or shows it again.
async fn set_block(app: &App, conn: &mut Conn, rules: &Rules, id: InteractionId) -> sqlx::Result<Enforced> {
    let mut done = Enforced::default();
    let said = interaction::store::said_after(conn, id.0 - 1, 1).await?;
    let Some(said) = said.into_iter().find(|said| said.id == id) else { return Ok(done) };
    let block = block_of(rules, &said);
    if block == said.block {
        return Ok(done);
    }
    if said.block.is_none()
        && let Some(post) = interaction::store::post_by_row(conn, id).await?
        && post.state == State::Shown
    {
        review::revoke(app, conn, &post).await?;
    }
    interaction::store::set_block(conn, id, block).await?;
    // What a moderator hid or holds, or its author deleted, is not shown before nor after.
    done.hidden += u64::from(said.stands && said.block.is_none());
    done.shown_again += u64::from(said.stands && block.is_none());
    Ok(done)
}

async fn follows(app: &App, rules: &Arc<Rules>, done: &mut Enforced) -> sqlx::Result<()> {
    let mut after = (0, 0);
    loop {
        let follows = {
            let mut conn = app.db.read().await?;
            follower::store::follows_after(&mut conn, after, CHUNK).await?
        };
        let Some(last) = follows.last() else { return Ok(()) };
        after = (last.who.0, last.actor.0);
        let is_forbidden = |follow: &&Follow| {
            let who = Who::new(&follow.url, follow.webfinger.as_deref(), String::new());
            rules.of_person(&who, &[follow.actor]).is_some()
        };
        let forbidden: Vec<(ActorId, RemoteActorId)> =
            follows.iter().filter(is_forbidden).map(|follow| (follow.actor, follow.who)).collect();
        for some in forbidden.chunks(WRITTEN) {
            let (app, some, db) = (app.clone(), some.to_vec(), app.db.clone());
            let write = db.decide(move |conn| {
                Box::pin(async move {
                    let mut ended = 0;
                    for (actor, who) in some {
                        let (actor, who) =
                            (author::store::actor(conn, actor).await?, remote::store::by_row(conn, who).await?);
                        if let (Some(actor), Some(who)) = (actor, who) {
                            ended += u64::from(remove_follower::end_follow(&app, conn, &actor, &who).await?);
                        }
                    }
                    Ok::<_, sqlx::Error>(ended)
                })
            });
            done.follows_ended += write.await?;
        }
    }
}

async fn servers(app: &App, rules: &Arc<Rules>, done: &mut Enforced) -> sqlx::Result<()> {
    let (mut after, now) = (0, app.clock.now());
    loop {
        let hosts = {
            let mut conn = app.db.read().await?;
            delivery::store::hosts_after(&mut conn, after, CHUNK).await?
        };
        let Some((last, ..)) = hosts.last() else { return Ok(()) };
        after = last.0;
        for (id, name, was_blocked) in hosts {
            let domain = Domain::of(&format!("https://{name}/"));
            let is_blocked = domain.is_some_and(|domain| rules.of_domain(&domain).is_some());
            if is_blocked == was_blocked {
                continue;
            }
            // Each in a transaction of its own, since much may wait for it.
            let write = app.db.decide(move |conn| {
                Box::pin(async move { delivery::store::set_blocked(conn, id, is_blocked, now).await })
            });
            write.await?;
            done.servers_cut_off += u64::from(is_blocked);
        }
    }
}

/// Ends those follows of an actor that a block forbids: they may have come by a Move.
pub(crate) async fn part_from(app: &App, conn: &mut Conn, remote: &Remote) -> sqlx::Result<u64> {
    let mut ended = 0;
    let blocks = super::compiled::blocks(app, conn).await?;
    for actor in follower::store::followed_by(conn, remote.id).await? {
        if super::refuses_follow(app, &blocks, actor, remote).is_some()
            && let Some(actor) = author::store::actor(conn, actor).await?
        {
            ended += u64::from(remove_follower::end_follow(app, conn, &actor, remote).await?);
        }
    }
    Ok(ended)
}

//! A moderator decides about a post: shown, hidden, or deleted.

use serde::Serialize;

use crate::activitypub::outgoing::{self, ActivityMeta};
use crate::app::App;
use crate::base::ids::Ids;
use crate::db::Conn;
use crate::federation::outbox::{Audience, Outgoing, publish};
use crate::federation::remote;
use crate::model::author;
use crate::model::interaction::{self, Author, Kind, Reply, State};
use crate::model::post;
use crate::moderation::{self, ModerationNote};

/// What a moderator decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// Everyone sees it.
    Approve,
    /// Nobody sees it; it may be approved later.
    Hide,
    /// It ends, and its text is forgotten; its author cannot bring it back.
    Delete,
}

impl Decision {
    /// The decision as the past tense of a verb, after the name of who decided.
    fn told(self) -> &'static str {
        match self {
            Self::Approve => "approved it",
            Self::Hide => "hid it",
            Self::Delete => "deleted it",
        }
    }
}

/// Why a decision is not possible.
#[derive(Debug, thiserror::Error)]
pub enum Impossible {
    /// There is no such post.
    #[error("there is no `{0}`; `veerpont reply list` shows the ids")]
    Unknown(String),
    /// One of our authors wrote it.
    #[error("`{0}` is an answer of one of our own authors; `veerpont reply delete` ends it everywhere")]
    Local(String),
    /// It was deleted.
    #[error("`{0}` was deleted, and its words are gone")]
    Ended(String),
    /// A block hides it.
    #[error("`{0}` is hidden by a block, which comes first: see `veerpont block list`")]
    Blocked(String),
    /// It is a private message.
    #[error("`{0}` is a private word, which is never shown")]
    Private(String),
    /// The database's.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

crate::ends_writes!(Impossible);

/// Decides about a post of a remote author, by its id; returns its state then.
///
/// # Errors
/// When it is not possible, or the database fails: then nothing has changed.
pub(crate) async fn decide(
    app: &App,
    conn: &mut Conn,
    id: &str,
    decision: Decision,
    note: &ModerationNote,
) -> Result<State, Impossible> {
    let unknown = || Impossible::Unknown(id.to_owned());
    let post = interaction::store::post(conn, id).await?.ok_or_else(unknown)?;
    may_be(&post, decision)?;
    carry_out(app, conn, &post, decision, note.why.as_deref()).await?;
    moderation::store::note_decision(conn, &app.ids, id, decision.told(), note, app.clock.now()).await?;
    interaction::store::post_by_row(conn, post.id).await?.map(|post| post.state).ok_or_else(unknown)
}

fn may_be(post: &Reply, decision: Decision) -> Result<(), Impossible> {
    let id = post.object_id.clone();
    match (post.author, post.state, decision) {
        (Author::Local(_), ..) => Err(Impossible::Local(id)),
        (_, State::Deleted, _) => Err(Impossible::Ended(id)),
        (_, State::Blocked, Decision::Approve) => Err(Impossible::Blocked(id)),
        _ if post.kind == Kind::Notice && decision == Decision::Approve => Err(Impossible::Private(id)),
        _ => Ok(()),
    }
}

async fn carry_out(
    app: &App,
    conn: &mut Conn,
    post: &Reply,
    decision: Decision,
    why: Option<&str>,
) -> sqlx::Result<()> {
    let now = app.clock.now();
    if decision == Decision::Approve {
        return interaction::store::decide(conn, post.id, State::Shown, why, now).await;
    }
    if post.state == State::Shown {
        revoke(app, conn, post).await?;
    }
    // A deleted one stays hidden too, in case its author restores it.
    interaction::store::decide(conn, post.id, State::Hidden, why, now).await?;
    if decision == Decision::Delete {
        interaction::store::end_post(conn, post.id, now).await?;
    }
    Ok(())
}

/// Revokes the permission of a post that quotes an article, and tells the server of its author (FEP-044f); does nothing
/// for any other post.
pub(crate) async fn revoke(app: &App, conn: &mut Conn, post: &Reply) -> sqlx::Result<()> {
    let (Some(permission), Author::Remote(quoter)) = (post.uuid, post.author) else {
        return Ok(());
    };
    let (Some(article), Some(quoter)) =
        (post::store::article(conn, post.article).await?, remote::store::by_row(conn, quoter).await?)
    else {
        return Ok(());
    };
    let owner = author::store::actor(conn, article.owner).await?.ok_or(sqlx::Error::RowNotFound)?;
    let (uuid, now) = (Ids::uuid(), app.clock.now());
    let stamp = ActivityMeta::new(&app.urls, uuid, now);
    let body = outgoing::delete_permission(&stamp, &owner.url(&app.urls), &app.urls.quote(permission), &quoter.url);
    let audience = Audience::One { inbox: quoter.inbox, holds: None };
    let outgoing = Outgoing {
        cause: format!("revoke:{uuid}"),
        said: Some(post.id),
        ..Outgoing::new(uuid, owner.id, "Delete", audience, body)
    };
    publish(conn, &outgoing, now).await?;
    Ok(())
}

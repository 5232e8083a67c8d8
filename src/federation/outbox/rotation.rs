//! A new key pair for one of our actors: announced to everyone we know, signed with the old key (interop R6, ADR 10).

use super::{Audience, Outgoing, documents, publish};
use crate::activitypub::outgoing::{self, ActivityMeta};
use crate::app::App;
use crate::base::ids::{ActivityId, Ids};
use crate::model::author::{self, Actor, keys};

/// What a rotation did.
#[derive(Clone, Copy, Debug)]
pub struct Rotation {
    /// The Update that announces it: this and everything before it is signed with the old key, everything after it with
    /// the new one.
    pub update: ActivityId,
}

/// Makes a new key pair for an actor and publishes the Update of its document.
///
/// # Errors
/// When the actor is deleted, a key cannot be made or opened, or the database fails: then nothing has changed.
pub async fn rotate(app: &App, actor: &Actor) -> anyhow::Result<Rotation> {
    let pair = keys::mint(&app.master, actor.uuid)?;
    let (ours, id, now) = (app.clone(), actor.id, app.clock.now());
    app.db
        .decide(move |conn| {
            Box::pin(async move {
                let actor = author::store::actor(conn, id).await?.ok_or(sqlx::Error::RowNotFound)?;
                anyhow::ensure!(
                    actor.deleted_at.is_none(),
                    "@{} is deleted; its key only signs its Delete",
                    actor.handle
                );
                let old = keys::replace(conn, id, &pair, now).await?;
                let document = documents::actor(&ours, conn, &actor).await?.ok_or(sqlx::Error::RowNotFound)?;
                let uuid = Ids::uuid();
                let body = outgoing::update_actor(&ActivityMeta::new(&ours.urls, uuid, now), &document);
                let outgoing = Outgoing {
                    cause: format!("rotate:{uuid}"),
                    ..Outgoing::new(uuid, id, "Update", Audience::Servers, body)
                };
                let update = publish(conn, &outgoing, now).await?.ok_or(sqlx::Error::RowNotFound)?;
                keys::retire(conn, &ours.master, &actor, old, update, now).await?;
                Ok(Rotation { update })
            })
        })
        .await
}

/// Drops the retired keys that nothing waits for any more; says how many.
pub async fn forget_retired(app: &App) -> sqlx::Result<usize> {
    let retired = {
        let mut conn = app.db.read().await?;
        author::store::retired_keys(&mut conn).await?
    };
    if retired.is_empty() {
        return Ok(0);
    }
    app.db
        .write(move |conn| {
            Box::pin(async move {
                let mut gone = 0;
                for key in &retired {
                    gone +=
                        usize::from(author::store::forget_retired(conn, key.actor, &key.fragment, key.until).await?);
                }
                Ok(gone)
            })
        })
        .await
}

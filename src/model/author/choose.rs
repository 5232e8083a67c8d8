//! What an operator decides about one author on the command line: it outweighs the configuration.

use std::collections::BTreeSet;

use super::bootstrap::new_actor;
use super::keys::MintError;
use super::opt_in::{self, Collision};
use super::{Author, Choice, store};
use crate::activitypub::actor::ActorKind;
use crate::app::App;
use crate::base::ids::{ActorId, Handle, SourceId};
use crate::config::{self, Source};

/// Why a decision could not be carried out; nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum DecisionError {
    /// No such author.
    #[error(
        "the source `{source_name}` has no author `{slug}`; `veerpont sync` reads them, `veerpont author list --all` shows them"
    )]
    Unknown {
        /// The source.
        source_name: String,
        /// The author.
        slug: String,
    },
    /// They were deleted for ever.
    #[error(
        "@{0} was deleted, and a deleted actor cannot come back, since servers elsewhere refuse a deleted id for ever"
    )]
    Deleted(Handle),
    /// Their handle is taken.
    #[error(transparent)]
    Handle(#[from] Collision),
    /// Their keys.
    #[error(transparent)]
    Mint(#[from] MintError),
    /// The database.
    #[error("the database failed: {0}; nothing was changed")]
    Database(#[from] sqlx::Error),
}

crate::ends_writes!(DecisionError);

/// Opts an author in: they get an actor, or their frozen one speaks again.
pub(crate) async fn add(app: &App, source: &Source, id: SourceId, slug: &str) -> Result<ActorId, DecisionError> {
    let (author, actors) = {
        let mut conn = app.db.read().await?;
        (find(store::authors(&mut conn, id).await?, source, slug)?, store::actors(&mut conn).await?)
    };
    let slug = slug.to_owned();
    if let Some(known) = author.actor {
        if let Some(actor) = actors.iter().find(|actor| actor.id == known && actor.deleted_at.is_some()) {
            return Err(DecisionError::Deleted(actor.handle.clone()));
        }
        let thaw = app.db.decide(move |conn| {
            Box::pin(async move {
                store::choose(conn, id, &slug, Choice::In).await?;
                store::set_frozen(conn, known, None).await
            })
        });
        thaw.await?;
        return Ok(known);
    }
    let mut taken: BTreeSet<Handle> = actors.into_iter().map(|actor| actor.handle).collect();
    taken.extend(config::RESERVED_HANDLES.iter().filter_map(|handle| Handle::parse(handle).ok()));
    let chosen = Author { choice: Some(Choice::In), ..author };
    let decided = opt_in::decide(source, std::slice::from_ref(&chosen), &BTreeSet::new(), |_| false, &taken)?;
    let Some((_, handle)) = decided.found.into_iter().next() else {
        return Err(DecisionError::Unknown { source_name: source.name.clone(), slug });
    };
    let (mut actor, keys) = new_actor(app, ActorKind::Person, handle, &chosen.name, &chosen.bio)?;
    actor.icon = chosen.avatar;
    let founded = actor.id;
    app.db
        .decide(move |conn| {
            Box::pin(async move {
                store::insert_actor(conn, &actor, &keys).await?;
                store::bind_author(conn, id, &slug, founded).await?;
                store::choose(conn, id, &slug, Choice::In).await
            })
        })
        .await?;
    Ok(founded)
}

/// Opts an author out: their actor, if they have one, is frozen and publishes nothing new.
pub async fn remove(app: &App, source: &Source, id: SourceId, slug: &str) -> Result<Option<ActorId>, DecisionError> {
    let author = {
        let mut conn = app.db.read().await?;
        find(store::authors(&mut conn, id).await?, source, slug)?
    };
    let (slug, now) = (slug.to_owned(), app.clock.now());
    app.db
        .decide(move |conn| {
            Box::pin(async move {
                store::choose(conn, id, &slug, Choice::Out).await?;
                if let Some(actor) = author.actor {
                    store::set_frozen(conn, actor, Some(now)).await?;
                }
                Ok(author.actor)
            })
        })
        .await
}

fn find(authors: Vec<Author>, source: &Source, slug: &str) -> Result<Author, DecisionError> {
    let unknown = || DecisionError::Unknown { source_name: source.name.clone(), slug: slug.to_owned() };
    authors.into_iter().find(|author| author.slug == slug).ok_or_else(unknown)
}

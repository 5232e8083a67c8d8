//! Who becomes an actor: only by the operator's choice, since it makes people visible (docs/architecture.md#identity).

use std::collections::{BTreeMap, BTreeSet};

use super::{Author, Choice};
use crate::base::ids::{ActorId, Handle};
use crate::config::{AuthorChoice, Source};

/// What to do about the authors of one source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct OptIn {
    /// Slugs that get a new actor, with its handle.
    pub(crate) found: Vec<(String, Handle)>,
    /// Actors that publish nothing new from now on.
    pub(crate) freeze: Vec<ActorId>,
    /// Actors that publish again.
    pub(crate) thaw: Vec<ActorId>,
}

/// Why authors could not be opted in; nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Collision {
    /// Somebody else has the handle.
    #[error(
        "the handle @{handle} for author `{slug}` is taken; add a line to veerpont.toml under the source: [source.handles] {slug} = \"another-handle\""
    )]
    Taken {
        /// The author.
        slug: String,
        /// The handle.
        handle: Handle,
    },
    /// The slug has nothing that a handle may have.
    #[error(
        "no handle can be made of author `{slug}`; add a line to veerpont.toml under the source: [source.handles] {slug} = \"a-handle\""
    )]
    NoHandle {
        /// The author.
        slug: String,
    },
}

/// Decides by the configuration and the operator's own choices, which override it.
///
/// `published` names the slugs of authors of a published post; `taken` all handles ever given, and those reserved.
///
/// # Errors
/// When two would share a handle, or one can have none: the operator adds a mapping line, we never invent a suffix.
pub(crate) fn decide(
    source: &Source,
    authors: &[Author],
    published: &BTreeSet<String>,
    is_frozen: impl Fn(ActorId) -> bool,
    taken: &BTreeSet<Handle>,
) -> Result<OptIn, Collision> {
    let mut decision = OptIn::default();
    let mut given: BTreeMap<Handle, String> = BTreeMap::new();
    for author in authors {
        let opted_in = match author.choice {
            Some(choice) => choice == Choice::In,
            None => match &source.authors {
                AuthorChoice::Published => author.has_profile && published.contains(&author.slug),
                AuthorChoice::Listed(slugs) => slugs.contains(&author.slug),
            },
        };
        match (author.actor, opted_in) {
            (None, true) => {
                let handle = handle_of(source, &author.slug)?;
                let collides = taken.contains(&handle) || given.insert(handle.clone(), author.slug.clone()).is_some();
                if collides {
                    return Err(Collision::Taken { slug: author.slug.clone(), handle });
                }
                decision.found.push((author.slug.clone(), handle));
            }
            // With `published`, an author whose last post is gone keeps their followers and can still publish.
            (Some(actor), true) if is_frozen(actor) => decision.thaw.push(actor),
            (Some(actor), false) if !is_frozen(actor) && opted_out(source, author) => decision.freeze.push(actor),
            _ => {}
        }
    }
    Ok(decision)
}

/// Whether the operator opted them out, rather than that they have nothing published just now.
fn opted_out(source: &Source, author: &Author) -> bool {
    author.choice == Some(Choice::Out)
        || matches!(&source.authors, AuthorChoice::Listed(slugs) if author.choice.is_none() && !slugs.contains(&author.slug))
}

fn handle_of(source: &Source, slug: &str) -> Result<Handle, Collision> {
    match source.handles.get(slug) {
        Some(handle) => Ok(handle.clone()),
        None => Handle::from_slug(slug).ok_or_else(|| Collision::NoHandle { slug: slug.to_owned() }),
    }
}

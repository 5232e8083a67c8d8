//! Our actors and their keys, and who of a source's authors becomes one.

pub(crate) mod bootstrap;
pub mod choose;
pub mod keys;
pub(crate) mod opt_in;
mod sealed;
pub mod store;

use clock::Timestamp;
use hugo_content::{AuthorProfile, Image};
use uuid::Uuid;

use crate::activitypub::actor::ActorKind;
use crate::activitypub::urls::Urls;
use crate::base::ids::{ActorId, AuthorId, CommunityId, Handle, SourceId};
use crate::base::stored::words;

/// An actor of ours.
#[derive(Clone, Debug)]
pub struct Actor {
    /// Row.
    pub id: ActorId,
    /// Stands in its id.
    pub(crate) uuid: Uuid,
    /// Person, Group, Service, or the instance's Application.
    pub kind: ActorKind,
    /// Never given to another actor.
    pub handle: Handle,
    /// Display name, plain text.
    pub name: String,
    /// Clean HTML.
    pub(crate) summary: String,
    pub(crate) icon: Option<Image>,
    /// Profile fields: a plain name, and clean HTML.
    pub(crate) fields: Vec<(String, String)>,
    /// How often the profile has changed.
    pub(crate) revision: i64,
    pub(crate) created_at: Timestamp,
    /// Opted out: publishes nothing new.
    pub(crate) frozen_at: Option<Timestamp>,
    /// Deleted: 410 from then on.
    pub(crate) deleted_at: Option<Timestamp>,
}

impl Actor {
    /// The actor's id on the fediverse.
    #[must_use]
    pub fn url(&self, urls: &Urls) -> String {
        if self.kind == ActorKind::Application { urls.instance() } else { urls.actor(self.uuid) }
    }

    /// Whether the actor's profile is this one.
    pub(crate) fn shows(&self, profile: &AuthorProfile) -> bool {
        self.name == profile.name
            && self.summary == profile.bio
            && self.icon == profile.avatar
            && self.fields == profile.fields
    }

    /// Whether new posts may be published in its name.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.frozen_at.is_none() && self.deleted_at.is_none()
    }
}

/// Someone who writes on a site, known by source and slug.
#[derive(Clone, Debug)]
pub struct Author {
    pub(crate) id: AuthorId,
    pub(crate) source_id: SourceId,
    /// The source's own name for them.
    pub slug: String,
    pub(crate) name: String,
    /// Clean HTML.
    pub(crate) bio: String,
    pub(crate) avatar: Option<Image>,
    pub(crate) has_profile: bool,
    /// As the last scan had it; `None` in rows older than fingerprints.
    pub(crate) fingerprint: Option<String>,
    /// The operator's own decision on the command line, which overrides the configuration.
    pub(crate) choice: Option<Choice>,
    /// Their actor, once they have had one.
    pub actor: Option<ActorId>,
}

words! {
    /// What an operator decided about an author on the command line.
    pub(crate) enum Choice {
        In = "in",
        /// None, or a frozen one.
        Out = "out",
    }
}

/// A site or a section of it: a Group to follow, and a team account that signs what no opted-in author does.
#[derive(Clone, Debug)]
pub struct Community {
    pub(crate) id: CommunityId,
    pub(crate) handle: Handle,
    pub(crate) group: ActorId,
    pub(crate) team: ActorId,
}

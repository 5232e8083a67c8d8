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

/// Someone of ours on the fediverse.
#[derive(Clone, Debug)]
pub struct Actor {
    /// Row.
    pub id: ActorId,
    /// Public name, in every id.
    pub(crate) uuid: Uuid,
    /// Person, Group, Service, or the instance's Application.
    pub kind: ActorKind,
    /// Given once, never to another.
    pub handle: Handle,
    /// Display name, plain text.
    pub name: String,
    /// Clean HTML.
    pub(crate) summary: String,
    /// Profile picture.
    pub(crate) icon: Option<Image>,
    /// Profile fields: a plain name, and clean HTML.
    pub(crate) fields: Vec<(String, String)>,
    /// How often the profile has changed.
    pub(crate) revision: i64,
    /// When they came to be.
    pub(crate) created_at: Timestamp,
    /// Opted out: nothing new is published in their name.
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
    #[must_use]
    pub(crate) fn shows(&self, profile: &AuthorProfile) -> bool {
        self.name == profile.name
            && self.summary == profile.bio
            && self.icon == profile.avatar
            && self.fields == profile.fields
    }

    /// Whether new posts may be published in their name.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.frozen_at.is_none() && self.deleted_at.is_none()
    }
}

/// Someone who writes on a site, known by source and slug.
#[derive(Clone, Debug)]
pub struct Author {
    /// Row.
    pub(crate) id: AuthorId,
    /// Where they write.
    pub(crate) source_id: SourceId,
    /// The source's own name for them.
    pub slug: String,
    /// Display name.
    pub(crate) name: String,
    /// Clean HTML.
    pub(crate) bio: String,
    /// Profile picture.
    pub(crate) avatar: Option<Image>,
    /// Whether the site has a profile for them.
    pub(crate) has_profile: bool,
    /// As the last scan had it; `None` in rows older than fingerprints.
    pub(crate) fingerprint: Option<String>,
    /// The operator's own decision on the command line, which outweighs the configuration.
    pub(crate) choice: Option<Choice>,
    /// Their actor, once they have had one.
    pub actor: Option<ActorId>,
}

/// What an operator decided about an author on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// Is to have an actor.
    In,
    /// Is to have none, or a frozen one.
    Out,
}

impl Choice {
    /// As the database has it.
    #[must_use]
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
        }
    }

    /// From the database.
    #[must_use]
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "in" => Some(Self::In),
            "out" => Some(Self::Out),
            _ => None,
        }
    }
}

/// A site or a section of it: a Group to follow, and a team account that signs what no opted-in author does.
#[derive(Clone, Debug)]
pub struct Community {
    /// Row.
    pub(crate) id: CommunityId,
    /// Its identity in the configuration.
    pub(crate) handle: Handle,
    /// The Group actor.
    pub(crate) group: ActorId,
    /// The Service actor.
    pub(crate) team: ActorId,
}

//! Publishing: the one way out. An activity is written with its audience and its number in the transaction that causes
//! it; fan-out is a separate step.

pub mod actor_deletion;
pub mod author_replies;
pub(crate) mod documents;
pub mod rotation;
pub(crate) mod store;
pub mod worker;

use clock::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use crate::base::ids::{ActivityId, ActorId, ArticleId, InboundId, InboxId, InteractionId};
use crate::db::Conn;
use crate::federation::delivery;

/// Who is sent an activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    /// Nobody: it stands in the outbox to be read.
    OutboxOnly,
    /// The followers of the actor who says it.
    Followers,
    /// Everyone who was sent the article.
    ArticleDelivered,
    /// Everyone who was sent the article, or fetched it with a signature.
    ArticleKnown,
    /// The followers of the actor who says it, and everyone who was sent the article: a note in its conversation.
    Conversation,
    /// Everyone who was sent the note, or answered it.
    NoteDelivered,
    /// Everyone who may have the note: those, and whoever was sent or fetched the article.
    NoteKnown,
    /// The followers of the actor who says it, and everyone who was sent an article of theirs: their servers show the
    /// profile.
    ActorKnown,
    /// Every inbox we know.
    Everyone,
    /// Every server we know, once: whoever may have cached the key, if only from an Accept, an Announce or a signed
    /// GET.
    Servers,
    /// One inbox, and the shared inbox that has to wait for it.
    One {
        inbox: InboxId,
        /// The shared inbox; it waits for ten minutes at most.
        holds: Option<InboxId>,
    },
}

impl Audience {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::OutboxOnly => "outbox-only",
            Self::Followers => "followers",
            Self::ArticleDelivered => "article-delivered",
            Self::ArticleKnown => "article-known",
            Self::Conversation => "conversation",
            Self::NoteDelivered => "note-delivered",
            Self::NoteKnown => "note-known",
            Self::ActorKnown => "actor-known",
            Self::Everyone => "everyone",
            Self::Servers => "servers",
            Self::One { .. } => "one",
        }
    }
}

/// An activity about to be published.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    pub(crate) uuid: Uuid,
    /// What it is published because of: nothing is published twice for the same cause.
    pub(crate) cause: String,
    pub(crate) actor: ActorId,
    /// `Create` and so on.
    pub(crate) kind: &'static str,
    pub(crate) article: Option<ArticleId>,
    pub(crate) said: Option<InteractionId>,
    /// The inbound activity that it answers.
    pub(crate) because: Option<InboundId>,
    pub(crate) audience: Audience,
    /// The document.
    pub(crate) body: Value,
}

impl Outgoing {
    /// An activity about nothing that is kept; the caller sets what differs.
    pub(crate) fn new(uuid: Uuid, actor: ActorId, kind: &'static str, audience: Audience, body: Value) -> Self {
        Self {
            cause: format!("said:{uuid}"),
            uuid,
            actor,
            kind,
            article: None,
            said: None,
            because: None,
            audience,
            body,
        }
    }
}

/// Publishes an activity: writes it with the next number. `None` when there is one of its cause.
pub(crate) async fn publish(conn: &mut Conn, outgoing: &Outgoing, now: Timestamp) -> sqlx::Result<Option<ActivityId>> {
    let Some(id) = store::insert(conn, outgoing, now).await? else { return Ok(None) };
    if let Audience::One { inbox, holds } = outgoing.audience {
        // Not through fan-out, so that an Accept leaves at once (interop D8, ADR 6).
        delivery::store::enqueue(conn, id, outgoing.kind, inbox, holds, now).await?;
    }
    Ok(Some(id))
}

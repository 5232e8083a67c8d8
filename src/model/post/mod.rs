//! What a site published: posts, and the articles made of them.

pub mod store;

use clock::Timestamp;
use hugo_content::{Entry, Visibility};
use serde::Deserialize;
use uuid::Uuid;

use crate::activitypub::article::ArticleContent;
use crate::base::ids::{ActorId, ArticleId, CommunityId, Handle, PostId, SourceId};
use crate::base::stored::words;

words! {
    /// Where a post stands (docs/architecture.md#publishing).
    #[derive(Deserialize)]
    #[serde(rename_all = "lowercase")]
    pub enum PostState {
        /// The site marks it as a draft.
        Draft = "draft",
        /// It becomes public by itself later.
        Scheduled = "scheduled",
        /// Public, and an article of ours.
        Published = "published",
        /// Its expiry date has passed.
        Expired = "expired",
        /// Its file vanished; the article stands until two complete scans and the grace period agree.
        Missing = "missing",
        /// Its file vanished together with too many others; an operator must confirm.
        Held = "held",
        /// Not for the fediverse, because the site or the operator says so.
        Withheld = "withheld",
        /// Its file vanished and the article was deleted.
        Removed = "removed",
    }
}

impl PostState {
    /// The state of a post with this visibility on its site; an operator's `post unpublish` overrides the site.
    pub(crate) fn of(visibility: Visibility, withheld: bool) -> Self {
        match visibility {
            _ if withheld => Self::Withheld,
            Visibility::Public { .. } => Self::Published,
            Visibility::Draft => Self::Draft,
            Visibility::Scheduled { .. } => Self::Scheduled,
            Visibility::Expired => Self::Expired,
            Visibility::Withheld => Self::Withheld,
        }
    }
}

/// A post as we remember it.
#[derive(Clone, Debug)]
pub struct Post {
    /// Row.
    pub id: PostId,
    pub(crate) source_id: SourceId,
    /// The source's own name for it.
    pub key: String,
    /// Where it stands.
    pub state: PostState,
    /// As the last scan that saw it read it.
    pub entry: Entry,
    pub(crate) fingerprint: String,
    pub(crate) body_hash: String,
    /// When a scan first saw it.
    pub(crate) first_seen_at: Timestamp,
    /// When a scan last saw it as a draft or scheduled, before it became public.
    pub(crate) hidden_seen_at: Option<Timestamp>,
    /// When it was first missed.
    pub(crate) missing_since: Option<Timestamp>,
    /// How many complete scans missed it.
    pub(crate) missing_scans: i64,
    /// When an operator unpublished it.
    pub withheld_at: Option<Timestamp>,
    /// Its article, or the last one if it was deleted.
    pub article: Option<ArticleId>,
    /// Whether that article is not deleted.
    pub article_stands: bool,
    /// Whether that article was sent to followers, or only listed in the outbox.
    pub(crate) article_pushed: bool,
    pub(crate) article_unlisted: bool,
}

/// A post as it is published.
#[derive(Clone, Debug)]
pub struct Article {
    /// Row.
    pub id: ArticleId,
    /// In its id.
    pub uuid: Uuid,
    /// In the id of its conversation.
    pub(crate) context_uuid: Uuid,
    pub(crate) post_id: PostId,
    /// Fixed when it is made.
    pub(crate) community_id: CommunityId,
    /// `attributedTo`, fixed when it is made (interop R1).
    pub(crate) owner: ActorId,
    /// The site's page.
    pub url: String,
    pub(crate) content: ArticleContent,
    /// Whether followers are sent it, or it is only listed in the outbox.
    pub(crate) pushed: bool,
    /// Not for public timelines, nor announced; fixed when it is made (interop B8).
    pub(crate) unlisted: bool,
    /// The date it shows.
    pub(crate) published_at: Timestamp,
    /// Of the last edit.
    pub(crate) updated_at: Option<Timestamp>,
    /// The site's expiry date.
    pub(crate) expires_at: Option<Timestamp>,
    /// Raised by each change.
    pub(crate) revision: i64,
    /// The revision that was published.
    pub(crate) published_revision: i64,
    pub(crate) created_at: Timestamp,
    pub(crate) deleted_at: Option<Timestamp>,
}

impl Article {
    /// Whether the public may see it at `now`: read again at each send and each GET.
    pub(crate) fn stands(&self, now: Timestamp) -> bool {
        self.deleted_at.is_none() && self.expires_at.is_none_or(|until| until > now)
    }
}

/// A public article, as far as a list of its source's pages needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) id: ArticleId,
    pub(crate) uuid: Uuid,
    /// The source's own name for its post.
    pub(crate) key: String,
    /// The site's page.
    pub(crate) url: String,
    pub(crate) owner: Handle,
    /// Raised by each change.
    pub(crate) revision: i64,
}

//! Interactions with our articles: replies at any depth, by others and by our authors, quotes, likes, dislikes and
//! boosts.

pub(crate) mod conversation;
pub mod named;
pub mod store;

use std::ops::Deref;

use serde::{Deserialize, Serialize};

use clock::Timestamp;
use html::Cleaned;
use uuid::Uuid;

use crate::activitypub::incoming::{Attachment, Audience, Emoji, IncomingPost, Mention};
use crate::base::ids::{ActorId, ArticleId, InteractionId, RemoteActorId};
use crate::base::stored::words;

words! {
    /// What kind of interaction.
    pub enum Kind {
        /// An answer to the article or to another answer.
        Reply = "reply",
        /// A post of their own that quotes the article (interop E20).
        Quote = "quote",
        /// A like, perhaps with an emoji.
        Like = "like",
        /// A downvote.
        Dislike = "dislike",
        /// Showed it to their followers.
        Boost = "boost",
        /// A private message to its author: never shown, and kept only if the operator wants it (interop E6).
        Notice = "notice",
    }
}

/// The author of an interaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Author {
    /// A remote actor.
    Remote(RemoteActorId),
    /// An actor of ours.
    Local(ActorId),
}

/// What a reaction is about: an article, or a post of its conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Whose conversation.
    pub article: ArticleId,
    /// The post; `None` for the article itself.
    pub said: Option<InteractionId>,
}

words! {
    /// What became of an interaction.
    pub enum State {
        /// Everyone sees it.
        Shown = "shown",
        /// It waits for a moderator.
        Held = "held",
        /// A moderator hid it.
        Hidden = "hidden",
        /// A block hides it.
        Blocked = "blocked",
        /// Its author deleted it.
        Deleted = "deleted",
    }
}

/// One post of a conversation, as kept: a reply, a quote or a notice.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Row.
    pub id: InteractionId,
    pub(crate) article: ArticleId,
    pub(crate) author: Author,
    pub(crate) kind: Kind,
    pub(crate) object_id: String,
    /// In the id of a note of ours, or of our permission of a quote.
    pub(crate) uuid: Option<Uuid>,
    /// The time of its present text.
    pub(crate) as_of: Timestamp,
    /// Whether it is shown, and if not, why.
    pub state: State,
    /// Whether its text is known: not of a deleted one.
    pub(crate) has_words: bool,
    pub(crate) ended_at: Option<Timestamp>,
}

/// An answer of one of our authors, as the outbox needs it.
#[derive(Clone, Debug)]
pub struct Note {
    /// Row.
    pub id: InteractionId,
    /// In its id.
    pub uuid: Uuid,
    /// Of which conversation.
    pub article: ArticleId,
    pub(crate) author: ActorId,
    /// The reply it answers; `None` where it answers the article.
    pub parent: Option<InteractionId>,
    /// That reply's id.
    pub(crate) answers: Option<String>,
    /// `None` once it was deleted.
    pub(crate) words: Option<Words>,
    /// Markdown.
    pub(crate) source: Option<String>,
    pub(crate) published: Timestamp,
    pub(crate) updated: Option<Timestamp>,
    /// Whether it is shown, and if not, why.
    pub(crate) state: State,
    pub(crate) ended_at: Option<Timestamp>,
    /// Raised by each change.
    pub(crate) revision: i64,
    /// The revision that was published.
    pub(crate) published_revision: i64,
}

/// The text of a reply as it is shown, cleaned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    /// `public` or `unlisted`: nothing else is kept (interop E6).
    pub audience: Audience,
    /// Plain text.
    pub(crate) title: Option<String>,
    /// Plain text: the content warning.
    pub(crate) warning: Option<String>,
    /// Whether pictures should be covered.
    pub(crate) sensitive: bool,
    /// Clean HTML.
    pub content: String,
    /// The choices of a poll, plain text.
    pub(crate) options: Vec<String>,
    /// BCP 47 tag.
    pub(crate) language: Option<String>,
    /// Its page for people.
    pub(crate) url: String,
    pub(crate) mentions: Vec<Mention>,
    pub(crate) attachments: Vec<Attachment>,
    /// Custom emoji.
    pub(crate) emoji: Vec<Emoji>,
    /// What it quotes.
    pub(crate) quotes: Option<String>,
}

/// A remote post whose content was cleaned, for all who judge and keep it (interop E22).
#[derive(Clone, Debug)]
pub struct CleanPost {
    /// Without its content.
    post: IncomingPost,
    pub(crate) content: Cleaned,
}

impl CleanPost {
    /// Cleans its content: CPU-heavy, so not within a transaction.
    #[must_use]
    pub fn of(mut post: IncomingPost) -> Self {
        let content = Cleaned::of(&std::mem::take(&mut post.content));
        Self { post, content }
    }
}

impl Deref for CleanPost {
    type Target = IncomingPost;
    fn deref(&self) -> &IncomingPost {
        &self.post
    }
}

impl Words {
    /// Takes the words of a post.
    #[must_use]
    pub fn of(CleanPost { post, content }: CleanPost) -> Self {
        Self {
            audience: post.audience,
            title: post.title,
            warning: post.warning,
            sensitive: post.sensitive,
            content: content.html,
            options: post.options,
            language: post.language,
            url: post.url,
            mentions: post.mentions,
            attachments: post.attachments,
            emoji: post.emoji,
            quotes: post.quotes,
        }
    }
}

/// An account as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Person {
    #[serde(skip)]
    pub(crate) row: Author,
    pub(crate) id: String,
    /// The name without deceptive characters ([`html::name`]); the user name where there is none.
    pub(crate) name: String,
    /// `@user@host`: the host of their id, and a user name without deceptive characters ([`html::username`]).
    pub(crate) handle: String,
    /// Their page for people.
    pub(crate) url: String,
    /// The address of their picture.
    pub(crate) avatar: Option<String>,
    /// Custom emoji of the name.
    pub(crate) emoji: Vec<Emoji>,
    /// Whether it is an actor of ours.
    pub ours: bool,
}

impl Person {
    /// The name that is shown: without deceptive characters, or else the user name.
    pub(crate) fn name(written: &str, username: &str) -> String {
        let name = html::name(written);
        if name.is_empty() { username.to_owned() } else { name }
    }
}

/// A post with its author, as conversations show it.
#[derive(Clone, Debug, Serialize)]
pub struct Shown {
    #[serde(skip)]
    pub(crate) row: InteractionId,
    #[serde(skip)]
    pub(crate) article: ArticleId,
    /// A reply, a quote or a notice.
    pub(crate) kind: Kind,
    /// Its id.
    pub id: String,
    /// The id of the reply it answers; `None` where it answers the article itself.
    pub parent: Option<String>,
    /// Who wrote it.
    pub author: Person,
    /// Whether it is shown, and if not, why not.
    pub state: State,
    /// `None` once it was deleted, and for everyone but a moderator where it is not shown.
    pub words: Option<Words>,
    #[serde(serialize_with = "clock::as_rfc3339")]
    pub(crate) published: Timestamp,
    #[serde(serialize_with = "clock::maybe_as_rfc3339")]
    pub(crate) updated: Option<Timestamp>,
}

/// How many replies and reactions an article has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Answers {
    /// At any depth.
    pub(crate) replies: u64,
    pub(crate) quotes: u64,
    /// People who like it.
    pub likes: u64,
    /// People who boosted it.
    pub boosts: u64,
}

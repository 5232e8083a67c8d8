//! What was said of our articles: replies at any depth, by others and by our authors, quotes, likes, dislikes and boosts.

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

/// What somebody did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Wrote an answer, to the article or to another answer.
    Reply,
    /// Wrote a post of their own that shows the article (interop E20).
    Quote,
    /// Liked it, perhaps with a sign of their own.
    Like,
    /// Voted it down.
    Dislike,
    /// Showed it to their followers.
    Boost,
    /// Wrote to its author alone: never shown, and kept only if the operator wants it (interop E6).
    Notice,
}

impl Kind {
    /// As the database and people have it.
    #[must_use]
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Reply => "reply",
            Self::Quote => "quote",
            Self::Like => "like",
            Self::Dislike => "dislike",
            Self::Boost => "boost",
            Self::Notice => "notice",
        }
    }

    /// From the database.
    #[must_use]
    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Reply, Self::Quote, Self::Like, Self::Dislike, Self::Boost, Self::Notice]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

/// Who said something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Author {
    /// Somebody elsewhere.
    Remote(RemoteActorId),
    /// One of ours.
    Ours(ActorId),
}

/// What an opinion is about: an article, or something said of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Whose conversation.
    pub article: ArticleId,
    /// What was said; `None` for the article itself.
    pub said: Option<InteractionId>,
}

/// What became of something that was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Everyone sees it.
    Shown,
    /// It waits for a moderator.
    Held,
    /// A moderator hid it.
    Hidden,
    /// A block hides it.
    Blocked,
    /// Who said it took it back.
    Deleted,
}

impl State {
    /// As the database and people have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Shown => "shown",
            Self::Held => "held",
            Self::Hidden => "hidden",
            Self::Blocked => "blocked",
            Self::Deleted => "deleted",
        }
    }

    /// All there are.
    pub(crate) const ALL: [Self; 5] = [Self::Shown, Self::Held, Self::Hidden, Self::Blocked, Self::Deleted];

    /// From the database.
    #[must_use]
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// One post of a conversation, as remembered: a reply, a quote or a notice.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Row.
    pub id: InteractionId,
    /// Of which conversation.
    pub(crate) article: ArticleId,
    /// Who wrote it.
    pub(crate) author: Author,
    /// What it is.
    pub(crate) kind: Kind,
    /// Its own id.
    pub(crate) object_id: String,
    /// Names a note of ours, or our permission of a quote.
    pub(crate) uuid: Option<Uuid>,
    /// When its present words are of.
    pub(crate) as_of: Timestamp,
    /// Whether it is shown, and if not, why.
    pub state: State,
    /// Whether its words are known: not those of a deleted one.
    pub(crate) has_words: bool,
    /// When it was deleted.
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
    /// Who wrote it.
    pub(crate) author: ActorId,
    /// The reply it answers; `None` where it answers the article.
    pub parent: Option<InteractionId>,
    /// That reply's id.
    pub(crate) answers: Option<String>,
    /// What it says; `None` once it was deleted.
    pub(crate) words: Option<Words>,
    /// What its author wrote, in Markdown.
    pub(crate) source: Option<String>,
    /// When it was written.
    pub(crate) published: Timestamp,
    /// When it was last edited.
    pub(crate) updated: Option<Timestamp>,
    /// Whether it is shown, and if not, why.
    pub(crate) state: State,
    /// When it was deleted.
    pub(crate) ended_at: Option<Timestamp>,
    /// Counts what is to be said.
    pub(crate) revision: i64,
    /// Counts what was said.
    pub(crate) published_revision: i64,
}

/// A reply as it is shown: its sender's words, cleaned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    /// `public` or `unlisted`: nothing else is kept (interop E6).
    pub audience: Audience,
    /// Plain text.
    pub(crate) title: Option<String>,
    /// Plain text: why it should be shown folded.
    pub(crate) warning: Option<String>,
    /// Whether pictures should be covered.
    pub(crate) sensitive: bool,
    /// Clean HTML.
    pub content: String,
    /// A question's choices, plain text.
    pub(crate) options: Vec<String>,
    /// BCP 47 tag.
    pub(crate) language: Option<String>,
    /// Its page for people.
    pub(crate) url: String,
    /// Whom it names.
    pub(crate) mentions: Vec<Mention>,
    /// Pictures, films, sounds and links.
    pub(crate) attachments: Vec<Attachment>,
    /// Pictures for `:shortcodes:`.
    pub(crate) emoji: Vec<Emoji>,
    /// What it quotes.
    pub(crate) quotes: Option<String>,
}

/// A post of somebody else's whose content was cleaned, for all who judge and keep it (interop E22).
#[derive(Clone, Debug)]
pub struct CleanPost {
    /// The post, its content moved away.
    post: IncomingPost,
    /// What it says.
    pub(crate) content: Cleaned,
}

impl CleanPost {
    /// Cleans its content: not within a transaction, and not on a thread that others wait for.
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

/// Somebody as they are shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Person {
    /// Their row.
    #[serde(skip)]
    pub(crate) row: Author,
    /// Their id.
    pub(crate) id: String,
    /// Their name without what deceives ([`html::name`]); their user name where they have none.
    pub(crate) name: String,
    /// `@user@host`: the host of their id, and a user name that is one ([`html::username`]).
    pub(crate) handle: String,
    /// Their page for people.
    pub(crate) url: String,
    /// Their picture, where it is.
    pub(crate) avatar: Option<String>,
    /// Pictures for `:shortcodes:` of the name.
    pub(crate) emoji: Vec<Emoji>,
    /// Whether they are one of our actors.
    pub ours: bool,
}

impl Person {
    /// The name that somebody is shown by: as they write it, without what deceives, or else their user name.
    #[must_use]
    pub(crate) fn name(written: &str, username: &str) -> String {
        let name = html::name(written);
        if name.is_empty() { username.to_owned() } else { name }
    }
}

/// A reply with its author, for people and for those who show conversations.
#[derive(Clone, Debug, Serialize)]
pub struct Shown {
    /// Row.
    #[serde(skip)]
    pub(crate) row: InteractionId,
    /// Of which conversation.
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
    /// What it says; `None` once it was deleted, and for everyone but a moderator where it is not shown.
    pub words: Option<Words>,
    /// When it was written.
    #[serde(serialize_with = "clock::as_rfc3339")]
    pub(crate) published: Timestamp,
    /// When it was last edited.
    #[serde(serialize_with = "clock::maybe_as_rfc3339")]
    pub(crate) updated: Option<Timestamp>,
}

/// How the fediverse answered an article.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Answers {
    /// Replies at any depth.
    pub(crate) replies: u64,
    /// Posts that show it.
    pub(crate) quotes: u64,
    /// People who like it.
    pub likes: u64,
    /// People who boosted it.
    pub boosts: u64,
}

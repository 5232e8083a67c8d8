//! What others said of our articles: replies at any depth, likes, dislikes and boosts.

pub mod store;

use serde::{Deserialize, Serialize};

use crate::activity::incoming::{Attachment, Audience, Emoji, Mention, Statement};
use crate::clock::Timestamp;
use crate::html;
use crate::ids::{ArticleId, InteractionId, RemoteActorId};

/// What somebody did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Wrote an answer, to the article or to another answer.
    Reply,
    /// Liked it, perhaps with a sign of their own.
    Like,
    /// Voted it down.
    Dislike,
    /// Showed it to their followers.
    Boost,
}

impl Kind {
    /// As the database and people have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reply => "reply",
            Self::Like => "like",
            Self::Dislike => "dislike",
            Self::Boost => "boost",
        }
    }
}

/// One reply, as remembered.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Row.
    pub id: InteractionId,
    /// Of which conversation.
    pub article: ArticleId,
    /// Who wrote it.
    pub author: RemoteActorId,
    /// When its present words are of.
    pub as_of: Timestamp,
    /// When it was deleted.
    pub ended_at: Option<Timestamp>,
}

/// A reply as it is shown: its sender's words, cleaned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    /// `public` or `unlisted`: nothing else is kept (interop E6).
    pub audience: Audience,
    /// Plain text.
    pub title: Option<String>,
    /// Plain text: why it should be shown folded.
    pub warning: Option<String>,
    /// Whether pictures should be covered.
    pub sensitive: bool,
    /// Clean HTML.
    pub content: String,
    /// A question's choices, plain text.
    pub options: Vec<String>,
    /// BCP 47 tag.
    pub language: Option<String>,
    /// Its page for people.
    pub url: String,
    /// Whom it names.
    pub mentions: Vec<Mention>,
    /// Pictures, films, sounds and links.
    pub attachments: Vec<Attachment>,
    /// Pictures for `:shortcodes:`.
    pub emoji: Vec<Emoji>,
    /// What it quotes.
    pub quotes: Option<String>,
}

impl Words {
    /// Takes the words of a post, cleaned (interop E22).
    #[must_use]
    pub fn of(post: Statement) -> Self {
        Self {
            audience: post.audience,
            title: post.title,
            warning: post.warning,
            sensitive: post.sensitive,
            content: html::clean_strangers(&post.content),
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

/// A reply with its author, for people and for those who show conversations.
#[derive(Clone, Debug, Serialize)]
pub struct Shown {
    /// Its id.
    pub id: String,
    /// The id of the reply it answers; `None` where it answers the article itself.
    pub parent: Option<String>,
    /// The author's id.
    pub author: String,
    /// The author's name as they write it, which may be empty.
    pub name: String,
    /// The author's user name.
    pub username: String,
    /// The author's page.
    pub profile: String,
    /// What it says.
    pub words: Words,
    /// When it was written.
    #[serde(serialize_with = "crate::clock::as_rfc3339")]
    pub published: Timestamp,
}

/// How the fediverse answered an article.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Answers {
    /// Replies at any depth.
    pub replies: u64,
    /// People who like it.
    pub likes: u64,
    /// People who boosted it.
    pub boosts: u64,
}

//! What strangers send: read from plain JSON with tolerance for shapes, never for tricks (interop E1, E2, E14, G7).

use clock::Timestamp;
use serde_json::Value;

mod actor;
mod collection;
mod post;
mod reaction;
mod shape;

pub(crate) use actor::{RemoteActor, key_text};
pub use actor::{key_owner, parse_actor};
pub(crate) use collection::{RemoteCollection, parse_collection};
pub use post::parse_post;
pub(crate) use post::{Attachment, Audience, Emoji, IncomingPost, Mention, parse_embedded_post};
pub(crate) use shape::DEPTH_MAX;
pub use shape::{URL_MAX, document};

pub(crate) use reaction::reaction_emoji;
use shape::{address, address_of, each, one, requires_activity_streams, text_type};
pub(crate) use shape::{same_address, same_origin};

/// Why a body means nothing: to be answered 400.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// No JSON.
    #[error("send one JSON document in UTF-8")]
    NotJson,
    /// JSON, but an array, a string or the like.
    #[error("send one JSON object, not a list or a bare value")]
    NotAnObject,
    /// Nested deeper than is allowed.
    #[error("nest objects and lists at most {DEPTH_MAX} deep")]
    TooDeep,
    /// The means of rearranging a signed graph (interop E1, the incidents below G).
    #[error("leave out @graph, @included and @reverse")]
    Graph,
    /// A NUL character in a text, which no database of ours can hold.
    #[error("leave out NUL characters")]
    Nul,
    /// No `@context` with `ActivityStreams`.
    #[error("name https://www.w3.org/ns/activitystreams in @context")]
    Context,
    /// A property is missing or has a shape nobody uses.
    #[error("`{0}` is missing, or is not what it should be")]
    Property(&'static str),
    /// An activity whose id is of another origin than its actor.
    #[error("`id` and `actor` must be of one scheme, host and port")]
    Foreign,
    /// An actor whose inbox is of another origin than its id; which.
    #[error(
        "its `inbox` is on {0}, not on the actor's own host: we deliver only there, so that nobody can turn our deliveries upon somebody else"
    )]
    InboxElsewhere(String),
}

impl Malformed {
    /// One of a bounded set of words, to count by.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::NotJson => "not-json",
            Self::NotAnObject => "not-an-object",
            Self::TooDeep => "too-deep",
            Self::Graph => "graph",
            Self::Nul => "nul",
            Self::Context => "context",
            Self::Property(_) => "property",
            Self::Foreign => "foreign",
            Self::InboxElsewhere(_) => "inbox-elsewhere",
        }
    }
}

/// A stranger's activity, as far as its envelope tells.
#[derive(Clone, Debug, PartialEq)]
pub struct Incoming {
    /// Of the actor's origin; need not lead anywhere (interop D10).
    pub id: String,
    /// Who says it.
    pub actor: String,
    /// What is said.
    pub kind: Kind,
    /// What it is about. A list is one thing only when it has one member: a Flag's list is in `raw` (interop E15).
    pub object: Option<Reference>,
    /// All of it.
    pub raw: Value,
}

/// Something that an activity names or embeds. An embedded thing is a claim of the sender, not a fact (interop E4).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reference {
    /// Its id.
    pub id: Option<String>,
    /// Its type, when it is embedded.
    pub(crate) kind: Option<String>,
    /// The actor of an embedded activity.
    pub actor: Option<String>,
    /// The id of what an embedded activity is about.
    pub object: Option<String>,
    /// All of it, when it is embedded.
    pub embedded: Option<Value>,
}

/// Longest type kept, in characters.
const KIND_MAX: usize = 64;

macro_rules! kinds {
    ($($name:ident),+ $(,)?) => {
        /// What an activity says.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "these are the words of ActivityStreams")]
        pub enum Kind {
            $($name,)+
            /// Anything else, cut to 64 characters (interop E21).
            Other(String),
        }

        impl Kind {
            fn parse(text: &str) -> Self {
                match text {
                    $(stringify!($name) => Self::$name,)+
                    other => Self::Other(other.chars().take(KIND_MAX).collect()),
                }
            }

            /// Its name in documents and in the database.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$name => stringify!($name),)+
                    Self::Other(other) => other,
                }
            }
        }
    };
}

kinds!(
    Follow,
    Undo,
    Delete,
    Accept,
    Reject,
    Create,
    Update,
    Like,
    Dislike,
    EmojiReact,
    Announce,
    Block,
    Move,
    Flag,
    Add,
    Remove,
    QuoteRequest,
);

impl Kind {
    /// `type` is a text, or a list of which the first known one counts (interop E2).
    fn read(value: Option<&Value>) -> Option<Self> {
        match value? {
            Value::String(text) => Some(Self::parse(text)),
            Value::Array(texts) => {
                let kinds = || texts.iter().filter_map(Value::as_str).map(Self::parse);
                kinds().find(|kind| !matches!(kind, Self::Other(_))).or_else(|| kinds().next())
            }
            _ => None,
        }
    }
}

impl Reference {
    fn read(value: &Value) -> Option<Self> {
        match one(value)? {
            Value::String(_) => Some(Self { id: Some(address(value)?), ..Self::default() }),
            embedded @ Value::Object(properties) => Some(Self {
                id: properties.get("id").and_then(address),
                kind: properties.get("type").and_then(text_type),
                actor: properties.get("actor").and_then(address_of),
                object: properties.get("object").and_then(address_of),
                embedded: Some(embedded.clone()),
            }),
            _ => None,
        }
    }
}

impl Incoming {
    /// Everything that it is about, a Flag's whole list (interop E15).
    pub(crate) fn all_objects(&self) -> impl Iterator<Item = String> {
        each(self.raw.get("object")).filter_map(address_of)
    }

    /// The address in a property of the activity.
    #[must_use]
    pub fn named(&self, property: &str) -> Option<String> {
        self.raw.get(property).and_then(address_of)
    }

    /// Its `published`.
    pub(crate) fn made(&self) -> Option<Timestamp> {
        self.raw.get("published").and_then(Value::as_str).and_then(Timestamp::parse_rfc3339)
    }

    /// Whether the same id may come again and mean something new: Pixelfed and others use one for ever for each
    /// relation, and for its Undo too.
    pub(crate) fn may_come_again(&self) -> bool {
        match self.kind {
            Kind::Follow | Kind::Block | Kind::Like | Kind::Dislike | Kind::EmojiReact | Kind::Undo | Kind::Delete => {
                true
            }
            // What a community announces is fetched at its origin.
            Kind::Announce => !self.is_wrapped(),
            _ => false,
        }
    }

    /// Whether it is about an embedded activity.
    pub(crate) fn is_wrapped(&self) -> bool {
        let inner = self.object.as_ref().and_then(|object| object.embedded.as_ref());
        inner.is_some_and(|inner| inner.get("actor").is_some() && inner.get("object").is_some())
    }

    /// Whether an actor deletes itself (interop E11).
    pub(crate) fn is_self_delete(&self) -> bool {
        self.kind == Kind::Delete && self.object.as_ref().and_then(|object| object.id.as_ref()) == Some(&self.actor)
    }
}

/// Reads the body of a POST to an inbox, whose size the caller has limited (interop E1).
///
/// # Errors
/// When it is not one plain `ActivityStreams` activity with a type, an id and one actor of the same origin.
pub fn parse(body: &[u8]) -> Result<Incoming, Malformed> {
    activity(document(body)?)
}

/// As [`parse`], of a document that [`document`] has taken in.
///
/// # Errors
/// As [`parse`].
pub(crate) fn activity(raw: Value) -> Result<Incoming, Malformed> {
    requires_activity_streams(&raw)?;
    let id = raw.get("id").and_then(address).ok_or(Malformed::Property("id"))?;
    let actor = raw.get("actor").and_then(address_of).ok_or(Malformed::Property("actor"))?;
    if !same_origin(&id, &actor) {
        return Err(Malformed::Foreign);
    }
    let kind = Kind::read(raw.get("type")).ok_or(Malformed::Property("type"))?;
    let object = raw.get("object").and_then(Reference::read);
    Ok(Incoming { id, actor, kind, object, raw })
}

#[cfg(test)]
mod tests;

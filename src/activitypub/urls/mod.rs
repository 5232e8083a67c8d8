//! Where everything of ours lives: opaque ids, fixed when minted, for ever (docs/architecture.md#identity).

use url::Url;
use uuid::Uuid;

use crate::base::ids::{Handle, Host};

/// Makes our addresses, and knows them again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Urls {
    /// Scheme, host and a port that is not the scheme's own; no slash at the end.
    origin: String,
    host: Host,
    handle_domain: Host,
}

/// Why an instance cannot live at an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidHome {
    /// The origin is more or less than scheme, host and port.
    #[error("the origin `{0}` must be http(s)://host[:port] and nothing more, for example https://social.example.org")]
    Origin(String),
    /// The handle domain is no host name.
    #[error("the handle domain `{0}` must be a host name alone, for example example.org")]
    HandleDomain(String),
}

/// What one of our addresses names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Local {
    /// The actor that speaks for the instance itself.
    Instance,
    /// Its outbox, always empty.
    InstanceOutbox,
    /// The inbox of everybody here, and the only one of the instance actor.
    SharedInbox,
    /// An actor.
    Actor(Uuid),
    /// An actor's own inbox.
    Inbox(Uuid),
    /// An actor's outbox.
    Outbox(Uuid),
    /// An actor's followers.
    Followers(Uuid),
    /// Whom an actor follows.
    Following(Uuid),
    /// What an actor pinned.
    Featured(Uuid),
    /// An article.
    Article(Uuid),
    /// The replies to an article.
    Replies(Uuid),
    /// The likes of an article.
    Likes(Uuid),
    /// The boosts of an article.
    Shares(Uuid),
    /// A note of one of our authors: an answer.
    Note(Uuid),
    /// The replies to a note.
    NoteReplies(Uuid),
    /// The likes of a note.
    NoteLikes(Uuid),
    /// The boosts of a note.
    NoteShares(Uuid),
    /// Our permission to quote an article (FEP-044f).
    Quote(Uuid),
    /// An activity.
    Activity(Uuid),
    /// A conversation.
    Context(Uuid),
    /// An actor's page for people.
    Profile(Handle),
}

impl Local {
    fn path(&self) -> String {
        match self {
            Self::Instance => "/ap/instance".to_owned(),
            Self::InstanceOutbox => "/ap/instance/outbox".to_owned(),
            Self::SharedInbox => "/ap/inbox".to_owned(),
            Self::Actor(uuid) => format!("/ap/actors/{uuid}"),
            Self::Inbox(uuid) => format!("/ap/actors/{uuid}/inbox"),
            Self::Outbox(uuid) => format!("/ap/actors/{uuid}/outbox"),
            Self::Followers(uuid) => format!("/ap/actors/{uuid}/followers"),
            Self::Following(uuid) => format!("/ap/actors/{uuid}/following"),
            Self::Featured(uuid) => format!("/ap/actors/{uuid}/featured"),
            Self::Article(uuid) => format!("/ap/articles/{uuid}"),
            Self::Replies(uuid) => format!("/ap/articles/{uuid}/replies"),
            Self::Likes(uuid) => format!("/ap/articles/{uuid}/likes"),
            Self::Shares(uuid) => format!("/ap/articles/{uuid}/shares"),
            Self::Note(uuid) => format!("/ap/notes/{uuid}"),
            Self::NoteReplies(uuid) => format!("/ap/notes/{uuid}/replies"),
            Self::NoteLikes(uuid) => format!("/ap/notes/{uuid}/likes"),
            Self::NoteShares(uuid) => format!("/ap/notes/{uuid}/shares"),
            Self::Quote(uuid) => format!("/ap/quotes/{uuid}"),
            Self::Activity(uuid) => format!("/ap/activities/{uuid}"),
            Self::Context(uuid) => format!("/ap/contexts/{uuid}"),
            Self::Profile(handle) => format!("/@{handle}"),
        }
    }

    /// Reads a path loosely; the caller compares it with what [`Local::path`] makes of the answer.
    fn of_path(path: &str) -> Option<Self> {
        if let Some(handle) = path.strip_prefix("/@") {
            return Handle::parse(handle).ok().map(Self::Profile);
        }
        let mut parts = path.strip_prefix("/ap/")?.split('/');
        let (kind, name, part) = (parts.next()?, parts.next(), parts.next());
        let uuid = || name.and_then(|name| Uuid::try_parse(name).ok());
        Some(match (kind, part) {
            ("instance", None) if name == Some("outbox") => Self::InstanceOutbox,
            ("instance", None) => Self::Instance,
            ("inbox", None) => Self::SharedInbox,
            ("actors", None) => Self::Actor(uuid()?),
            ("actors", Some("inbox")) => Self::Inbox(uuid()?),
            ("actors", Some("outbox")) => Self::Outbox(uuid()?),
            ("actors", Some("followers")) => Self::Followers(uuid()?),
            ("actors", Some("following")) => Self::Following(uuid()?),
            ("actors", Some("featured")) => Self::Featured(uuid()?),
            ("articles", None) => Self::Article(uuid()?),
            ("articles", Some("replies")) => Self::Replies(uuid()?),
            ("articles", Some("likes")) => Self::Likes(uuid()?),
            ("articles", Some("shares")) => Self::Shares(uuid()?),
            ("notes", None) => Self::Note(uuid()?),
            ("notes", Some("replies")) => Self::NoteReplies(uuid()?),
            ("notes", Some("likes")) => Self::NoteLikes(uuid()?),
            ("notes", Some("shares")) => Self::NoteShares(uuid()?),
            ("quotes", None) => Self::Quote(uuid()?),
            ("activities", None) => Self::Activity(uuid()?),
            ("contexts", None) => Self::Context(uuid()?),
            _ => return None,
        })
    }
}

impl Urls {
    /// Takes `origin` (where we live) and the domain of our handles, which is the origin's host unless told otherwise.
    ///
    /// # Errors
    /// When the origin has a path, query, fragment or login, or is not http(s); when the domain is no host name.
    pub(crate) fn new(origin: &Url, handle_domain: Option<&str>) -> Result<Self, InvalidHome> {
        let bare = origin.path() == "/"
            && origin.query().is_none()
            && origin.fragment().is_none()
            && origin.username().is_empty()
            && origin.password().is_none();
        let host = Host::of(origin).filter(|_| bare && matches!(origin.scheme(), "http" | "https"));
        let host = host.ok_or_else(|| InvalidHome::Origin(origin.to_string()))?;
        let handle_domain = match handle_domain {
            None => host.clone(),
            Some(domain) => host_of_domain(domain).ok_or_else(|| InvalidHome::HandleDomain(domain.to_owned()))?,
        };
        Ok(Self { origin: format!("{}://{host}", origin.scheme()), host, handle_domain })
    }

    /// Scheme, host and port, without a slash at the end.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// The domain in `@handle@domain`.
    pub(crate) const fn handle_domain(&self) -> &Host {
        &self.handle_domain
    }

    /// The hosts that are ours: where we live, and the domain of our handles. They may be the same.
    pub(crate) const fn hosts(&self) -> [&Host; 2] {
        [&self.host, &self.handle_domain]
    }

    /// `handle@domain`, as peers know the actor.
    pub(crate) fn acct(&self, handle: &Handle) -> String {
        format!("{handle}@{}", self.handle_domain)
    }

    /// The address of anything of ours.
    pub(crate) fn of(&self, local: &Local) -> String {
        format!("{}{}", self.origin, local.path())
    }

    /// Whether an address is of our origin, whatever it names there; `https://ours.example.net` is not of `https://ours.example`.
    pub(crate) fn is_ours(&self, url: &str) -> bool {
        url.strip_prefix(self.origin.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
    }

    /// Turns one of our addresses back; `None` for every other text, also where only a slash, a fragment, a
    /// query or a letter's case differs: an id is itself, byte for byte (interop A22).
    #[must_use]
    pub fn local(&self, url: &str) -> Option<Local> {
        let local = Local::of_path(url.strip_prefix(&self.origin)?)?;
        (self.of(&local) == url).then_some(local)
    }

    /// The id of the instance actor. Its inbox is the shared one, so that there is no door more to guard.
    pub(crate) fn instance(&self) -> String {
        self.of(&Local::Instance)
    }

    /// The shared inbox.
    pub(crate) fn shared_inbox(&self) -> String {
        self.of(&Local::SharedInbox)
    }

    /// An actor's page for people, on the host of its id (interop A18).
    pub(crate) fn profile(&self, handle: &Handle) -> String {
        format!("{}/@{handle}", self.origin)
    }

    /// The id of an actor's RSA key (interop A9).
    pub(crate) fn main_key(actor_url: &str) -> String {
        format!("{actor_url}#main-key")
    }

    /// The id of an actor's Ed25519 key (interop A10).
    pub(crate) fn ed25519_key(actor_url: &str) -> String {
        format!("{actor_url}#ed25519-key")
    }
}

/// Declares where what has a UUID is: `actor: Actor` gives the address of the actor with that UUID.
macro_rules! addresses {
    ($($(#[$doc:meta])* $vis:vis $name:ident: $local:ident;)+) => {
        impl Urls {$(
            $(#[$doc])*
            #[must_use]
            $vis fn $name(&self, uuid: Uuid) -> String {
                self.of(&Local::$local(uuid))
            }
        )+}
    };
}

addresses! {
    /// The id of an actor.
    pub(crate) actor: Actor;
    /// An actor's own inbox.
    pub(crate) inbox: Inbox;
    /// An actor's outbox.
    pub(crate) outbox: Outbox;
    /// An actor's followers.
    pub(crate) followers: Followers;
    /// Whom an actor follows.
    pub(crate) following: Following;
    /// What an actor pinned.
    pub(crate) featured: Featured;
    /// The id of an article.
    pub article: Article;
    /// The replies to an article.
    pub(crate) replies: Replies;
    /// The likes of an article.
    pub(crate) likes: Likes;
    /// The boosts of an article.
    pub(crate) shares: Shares;
    /// The id of a note of one of our authors.
    pub note: Note;
    /// The replies to a note.
    pub(crate) note_replies: NoteReplies;
    /// The likes of a note.
    pub(crate) note_likes: NoteLikes;
    /// The boosts of a note.
    pub(crate) note_shares: NoteShares;
    /// The id of a permission to quote.
    pub(crate) quote: Quote;
    /// The id of an activity.
    pub(crate) activity: Activity;
    /// The id of a conversation.
    pub(crate) context: Context;
}

/// A bare host name, normalised; a port may follow it, for trying things on one machine.
fn host_of_domain(domain: &str) -> Option<Host> {
    let clean = !domain.contains(['/', '@', '?', '#', '\\']) && !domain.contains(char::is_whitespace);
    Host::of(&Url::parse(&format!("https://{domain}")).ok()?).filter(|_| clean)
}

#[cfg(test)]
mod tests;

//! A block as an operator requests it, and why it cannot be made.

use super::BlockKind;
use super::rules::plain;
use crate::app::App;
use crate::base::ids::{ActorId, Domain};
use crate::federation::remote;

/// Why a block cannot be made or removed.
#[derive(Debug, thiserror::Error)]
pub enum Impossible {
    /// A domain, id or word that is not valid; the text says what to do.
    #[error("{0}")]
    Value(String),
    /// There is no such block by hand.
    #[error("there is no such block; `veerpont block list` shows all")]
    Unknown,
    /// Only lists have it.
    #[error("it is of the list {0}: `veerpont block remove --list NAME` removes a list with all of its entries")]
    OfList(String),
    /// There is no such list.
    #[error("there is no list `{0}`; `veerpont block list` shows of which list each block is")]
    NoList(String),
    /// The list is no CSV.
    #[error("the list cannot be read: {0}; it is CSV with a heading as Mastodon exports it, or a domain on each line")]
    NoCsv(#[from] csv::Error),
    /// The list would be empty.
    #[error(
        "nothing in {file} can be taken, so the list {list} with its {entries} entries would be empty: nothing was changed; see what is wrong with --dry-run, remove the list with `veerpont block remove --list {list}`, or say with --allow-empty that it is meant"
    )]
    WouldEmpty {
        /// The list's name.
        list: String,
        /// The file.
        file: String,
        /// How many it has now.
        entries: usize,
    },
    /// The database's.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

crate::ends_writes!(Impossible);

/// A block that an operator requests.
#[derive(Clone, Debug)]
pub struct BlockRequest<'a> {
    /// What it is of.
    pub kind: BlockKind,
    /// As written.
    pub value: &'a str,
    /// The one actor of ours that it is for; everyone when `None`.
    pub actor: Option<ActorId>,
}

impl BlockRequest<'_> {
    /// The value in the one spelling that is compared.
    pub(super) async fn normal(&self, app: &App) -> Result<String, Impossible> {
        match self.kind {
            BlockKind::Domain => domain(app, self.value),
            BlockKind::Keyword => keyword(self.value),
            BlockKind::Actor => actor(app, self.value).await,
        }
    }
}

/// Whether blocking a domain would block ourselves.
pub(super) fn is_ours(app: &App, domain: &Domain) -> bool {
    let [host, handles] = app.urls.hosts();
    let ours = [host, handles].into_iter().filter_map(|host| Domain::of(&format!("https://{host}/")));
    ours.into_iter().any(|ours| domain.covers(&ours))
}

fn domain(app: &App, text: &str) -> Result<String, Impossible> {
    let domain = Domain::parse(text).map_err(|error| Impossible::Value(error.to_string()))?;
    if is_ours(app, &domain) {
        return Err(Impossible::Value(format!("{domain} is our own, or above it")));
    }
    Ok(domain.to_string())
}

fn keyword(text: &str) -> Result<String, Impossible> {
    let word = plain(text);
    if word.chars().any(char::is_alphanumeric) && word.chars().count() <= 200 {
        return Ok(word);
    }
    Err(Impossible::Value(format!("`{text}` is no keyword: write a word or a few, of 200 characters at most")))
}

/// An actor's id, or their handle where they are known here.
async fn actor(app: &App, text: &str) -> Result<String, Impossible> {
    let text = text.trim();
    if let Ok(url) = url::Url::parse(text)
        && matches!(url.scheme(), "https" | "http")
        && url.has_host()
    {
        if app.urls.local(text).is_some() {
            return Err(Impossible::Value(format!("{text} is one of our own")));
        }
        return Ok(text.to_owned());
    }
    let mut conn = app.db.read().await?;
    let found = remote::store::by_handle(&mut conn, text).await?;
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(Impossible::Value(format!(
            "nobody is known here as `{text}`: write their id, as https://example.org/users/ann"
        ))),
        _ => Err(Impossible::Value(format!("several are known as `{text}`; name one by id: {}", found.join(", ")))),
    }
}

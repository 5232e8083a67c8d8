//! Who may reach us, and what is shown of what they say: holds, limits, reports.

pub mod store;

use crate::activity::incoming::Statement;
use crate::app::App;
use crate::db::Conn;
use crate::post::Article;
use crate::remote::Remote;

/// What is done with something that was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgment {
    /// Everyone sees it.
    Show,
    /// A moderator looks at it first, for this reason.
    Hold(String),
    /// It is not kept, for this reason.
    Decline(String),
}

/// Whether private words to an author are kept for them (interop E6).
#[must_use]
pub fn keeps_private(_app: &App) -> bool {
    false
}

/// Whether a reason to hold a post counts for an edit of one that is shown already.
#[must_use]
pub fn holds_edits(_why: &str) -> bool {
    true
}

/// What is done with a post in an article's conversation.
///
/// # Errors
/// The database's.
#[expect(clippy::unused_async, reason = "its rules read the database")]
pub async fn judge(
    _app: &App,
    _conn: &mut Conn,
    _article: &Article,
    _author: &Remote,
    _post: &Statement,
) -> sqlx::Result<Judgment> {
    Ok(Judgment::Show)
}

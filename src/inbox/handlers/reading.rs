//! What an activity says, read and cleaned before anything is looked up: no transaction waits for it.

use serde_json::Value;

use super::super::{FETCHED, Inbound};
use crate::activitypub::incoming::{self, Incoming, IncomingPost, Kind, Malformed, statement};
use crate::model::interaction::CleanPost;

/// Longest comment kept, in characters (interop E15).
const COMMENT_MAX: usize = 5000;

/// What came, as far as it can be read without the database.
#[derive(Clone, Debug)]
pub struct Reading(pub(super) Result<Said, Malformed>);

/// A document of somebody else's.
#[derive(Clone, Debug)]
pub(super) enum Said {
    /// A post that was read at its origin.
    Post(Box<CleanPost>),
    /// An activity, with what it brings along.
    Activity(Box<Incoming>, Brought),
}

/// What an activity brings along.
#[derive(Clone, Debug)]
pub(super) enum Brought {
    /// Nothing that is shown.
    Nothing,
    /// A post, or why it is none.
    Post(Result<Box<CleanPost>, Malformed>),
    /// The words of a report, as plain text.
    Comment(String),
}

impl Reading {
    /// Reads an activity and cleans what it says, once: to be done with [`crate::app::worker::apart`].
    #[must_use]
    pub fn of(inbound: &Inbound) -> Self {
        Self(said(inbound))
    }
}

fn said(inbound: &Inbound) -> Result<Said, Malformed> {
    let document = incoming::document(inbound.raw.as_bytes())?;
    if inbound.path == FETCHED
        && let Ok(post) = statement(&document)
    {
        return Ok(Said::Post(clean(post)));
    }
    let incoming = incoming::activity(document)?;
    let brought = if inbound.signer == inbound.actor { brought(&incoming) } else { Brought::Nothing };
    Ok(Said::Activity(Box::new(incoming), brought))
}

fn clean(post: IncomingPost) -> Box<CleanPost> {
    Box::new(CleanPost::of(post))
}

fn brought(incoming: &Incoming) -> Brought {
    let document = match &incoming.kind {
        Kind::Create | Kind::Update => incoming.object.as_ref().and_then(|object| object.embedded.as_ref()),
        Kind::QuoteRequest => incoming.raw.get("instrument").filter(|instrument| instrument.is_object()),
        Kind::Flag => return Brought::Comment(comment(written(incoming))),
        _ => None,
    };
    let read = |document| match &incoming.kind {
        Kind::QuoteRequest => statement(document),
        _ => incoming::brought(&incoming.raw, document),
    };
    document.map_or(Brought::Nothing, |document| Brought::Post(read(document).map(clean)))
}

/// The words of a report, as its sender wrote them.
pub(super) fn written(incoming: &Incoming) -> &str {
    let text = |key: &str| incoming.raw.get(key).and_then(Value::as_str);
    text("content").or_else(|| text("summary")).unwrap_or_default()
}

/// A comment as plain text: of its HTML no more is read than of a post.
fn comment(html: &str) -> String {
    let cut = html.get(..html.floor_char_boundary(html::STRANGERS_MAX)).unwrap_or_default();
    html::text(cut).chars().take(COMMENT_MAX).collect()
}

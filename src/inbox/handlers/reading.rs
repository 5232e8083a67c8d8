//! Parses and cleans an activity's content before anything is looked up: no transaction waits for it.

use std::sync::Arc;

use serde_json::Value;

use super::super::{FETCHED, Inbound};
use crate::activitypub::incoming::{self, Incoming, IncomingPost, Kind, Malformed, parse_post};
use crate::model::interaction::CleanPost;

/// Longest comment kept, in characters (interop E15).
const COMMENT_MAX: usize = 5000;

/// An activity, as far as it can be read without the database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Reading(pub(super) Arc<Result<Said, Malformed>>);

#[derive(Clone, Debug)]
pub(super) enum Said {
    /// A post that was fetched at its origin.
    Post(Box<CleanPost>),
    /// An activity, with its content.
    Activity(Box<Incoming>, Brought),
}

/// The content of an activity.
#[derive(Clone, Debug)]
pub(super) enum Brought {
    /// Nothing that is shown.
    Nothing,
    /// A post, or why it is none.
    Post(Result<Box<CleanPost>, Malformed>),
    /// The comment of a report, as plain text.
    Comment(String),
}

impl Reading {
    /// Parses an activity and cleans its content, once: to be called within `app::worker::apart`.
    #[must_use]
    pub fn of(inbound: &Inbound) -> Self {
        Self(Arc::new(said(inbound)))
    }
}

fn said(inbound: &Inbound) -> Result<Said, Malformed> {
    let document = incoming::document(inbound.raw.as_bytes())?;
    if inbound.path == FETCHED
        && let Ok(post) = parse_post(&document)
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
        Kind::QuoteRequest => parse_post(document),
        _ => incoming::parse_embedded_post(&incoming.raw, document),
    };
    document.map_or(Brought::Nothing, |document| Brought::Post(read(document).map(clean)))
}

/// The comment of a report, as it was sent.
pub(super) fn written(incoming: &Incoming) -> &str {
    let text = |key: &str| incoming.raw.get(key).and_then(Value::as_str);
    text("content").or_else(|| text("summary")).unwrap_or_default()
}

/// A comment as plain text: of its HTML no more is read than of a post's.
fn comment(html: &str) -> String {
    let cut = html.get(..html.floor_char_boundary(html::STRANGERS_MAX)).unwrap_or_default();
    html::text(cut).chars().take(COMMENT_MAX).collect()
}

//! What moderators decided of a reply, of somebody, of a domain, a word or a list.

use super::Event;
use crate::base::ids::Domain;
use crate::db::Conn;
use crate::moderation::listing::subject;
use crate::moderation::rules::plain;
use crate::moderation::{BlockKind, store};

/// What may be meant by a text, for people, and under what its decisions are remembered.
pub(super) fn subjects(asked: &str) -> Vec<(String, String)> {
    let mut subjects = vec![(asked.to_owned(), asked.to_owned())];
    if let Ok(domain) = Domain::parse(asked) {
        subjects.push((format!("the domain {domain}"), subject(BlockKind::Domain, domain.as_str())));
    }
    let word = plain(asked);
    subjects.push((format!("the word {word}"), subject(BlockKind::Keyword, &word)));
    subjects.push((format!("the list {asked}"), format!("list {asked}")));
    subjects
}

/// What was decided of a thing.
pub(super) async fn decided(conn: &mut Conn, thing: &str) -> sqlx::Result<Vec<Event>> {
    let decisions = store::decisions_of(conn, thing).await?;
    Ok(decisions.into_iter().map(|decided| Event::new(decided.at, decided.told())).collect())
}

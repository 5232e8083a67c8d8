//! What activities of several actors make of their relations to things of ours: all that is known is read at once.

use uuid::Uuid;

use super::super::{Inbound, store};
use crate::base::ids::RemoteActorId;
use crate::db::Conn;
use crate::model::relation::{self, Begun, Kind, Relations};

/// A relation that an activity begins.
pub(super) struct Begins<'a> {
    pub(super) inbound: &'a Inbound,
    pub(super) who: RemoteActorId,
    /// The thing of ours.
    pub(super) object: Uuid,
    pub(super) kind: Kind,
    /// Its emoji, or empty.
    pub(super) sign: &'a str,
}

/// All relations between the two, as they were and as they are now.
pub(super) struct Became {
    pub(super) before: Relations,
    pub(super) after: Relations,
    pub(super) begun: Begun,
}

/// Takes in activities of different actors, and writes what became of their relations.
pub(super) async fn begin_all(conn: &mut Conn, all: &[Begins<'_>]) -> sqlx::Result<Vec<Became>> {
    if all.is_empty() {
        return Ok(Vec::new());
    }
    let named: Vec<_> = all.iter().map(|one| (one.inbound.actor.as_str(), one.inbound.activity_id.as_str())).collect();
    let undone = store::undone(conn, &named).await?;
    let pairs: Vec<_> = all.iter().map(|one| (one.who, one.object)).collect();
    let known = relation::store::of_all(conn, &pairs).await?;
    let mut became = Vec::with_capacity(all.len());
    for (one, pair) in all.iter().zip(&pairs) {
        let inbound = one.inbound;
        let undos = if undone.contains(&inbound.activity_id) {
            store::undone_by(conn, &inbound.actor, &inbound.activity_id).await?
        } else {
            Vec::new()
        };
        let before = known.get(pair).cloned().unwrap_or_default();
        let mut after = before.clone();
        let begun = after.begin(one.kind, one.sign, &inbound.event(), &undos);
        became.push(Became { before, after, begun });
    }
    let changes: Vec<_> = pairs.iter().zip(&became).map(|(pair, one)| (*pair, &one.before, &one.after)).collect();
    relation::store::keep_all(conn, &changes).await?;
    Ok(became)
}

/// As [`begin_all`], of one.
pub(super) async fn begin(conn: &mut Conn, one: Begins<'_>) -> sqlx::Result<Became> {
    let became = begin_all(conn, &[one]).await?.pop();
    became.ok_or_else(|| sqlx::Error::Protocol("a relation came to nothing".to_owned()))
}

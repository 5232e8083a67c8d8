//! What people do in a generated conversation, and the orders in which it may be heard.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::CONTEXT;

const PUBLIC: &str = "https://www.w3.org/ns/activitystreams#Public";

/// Who takes part, each on a server of their own.
pub(super) const ACTORS: usize = 4;

/// How a server makes the activities of relations, and so what of their order can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PeerCapabilities {
    /// Each says when it was made: any order is the same.
    Timed,
    /// Each has an id of its own: an Undo may overtake what it names, the rest counts as it comes.
    Fresh,
    /// One id for ever, of Undos too, as Pixelfed has it: all counts as it comes.
    OneId,
}

fn manner(actor: usize) -> PeerCapabilities {
    [PeerCapabilities::Timed, PeerCapabilities::Fresh, PeerCapabilities::OneId, PeerCapabilities::Fresh][actor]
}

/// What somebody does, as generated; numbers choose among what is there by then.
#[derive(Clone, Debug)]
pub(super) enum Deed {
    /// Answers the article, or a reply.
    Reply {
        actor: usize,
        to: usize,
    },
    Edit(usize),
    Delete(usize),
    /// A Follow, a Block, a Like and so on.
    Relate {
        actor: usize,
        kind: usize,
    },
    /// Of something done before, by its id: embedded, bare, or by a Delete of it.
    Undo {
        deed: usize,
        how: usize,
    },
    /// Of whatever somebody did of a kind, with an id that nobody has heard of (interop E14: Lemmy).
    UndoByShape {
        actor: usize,
        kind: usize,
    },
    /// Of all that there is between somebody and the author, or the article, which is named outright.
    UndoAll {
        actor: usize,
        author: bool,
    },
}

/// What begins a relation; Follow and Block are of the author, the rest of the article.
const RELATIONS: [&str; 6] = ["Follow", "Block", "Like", "EmojiReact", "Announce", "Dislike"];

pub(super) fn deed() -> impl Strategy<Value = Deed> {
    let (actor, number) = (0..ACTORS, any::<usize>());
    let kind = 0..RELATIONS.len();
    prop_oneof![
        5 => (actor.clone(), number).prop_map(|(actor, to)| Deed::Reply { actor, to }),
        2 => any::<usize>().prop_map(Deed::Edit),
        2 => any::<usize>().prop_map(Deed::Delete),
        10 => (actor.clone(), kind.clone()).prop_map(|(actor, kind)| Deed::Relate { actor, kind }),
        6 => (any::<usize>(), 0..3_usize).prop_map(|(deed, how)| Deed::Undo { deed, how }),
        1 => (actor.clone(), kind).prop_map(|(actor, kind)| Deed::UndoByShape { actor, kind }),
        1 => (actor, any::<bool>()).prop_map(|(actor, author)| Deed::UndoAll { actor, author }),
    ]
}

/// An activity as it is sent, and by whom.
#[derive(Clone, Debug)]
pub(super) struct Said {
    actor: usize,
    pub(super) activity: Value,
    /// What the relation is to, where it is about one; what is about the same keeps its order as far as that cannot be told.
    about: Option<bool>,
    /// The id of the activity that it names and undoes.
    undoes: Option<String>,
}

pub(super) fn actor_id(actor: usize) -> String {
    format!("https://server{actor}.test/users/u")
}

struct Reply {
    actor: usize,
    id: String,
    to: String,
    edits: i64,
}

/// The activities of a conversation, in the order in which they were said.
pub(super) fn said(deeds: &[Deed], article: &str, author: &str) -> Vec<Said> {
    let (mut all, mut replies) = (Vec::<Said>::new(), Vec::<Reply>::new());
    for (number, deed) in deeds.iter().enumerate() {
        let plain = |actor: usize, name: &str, kind: &str, object: Value| {
            let id = format!("{}/{name}", actor_id(actor));
            let activity =
                json!({ "@context": CONTEXT, "id": id, "type": kind, "actor": actor_id(actor), "object": object });
            Said { actor, activity, about: None, undoes: None }
        };
        let related = |actor: usize, name: &str, kind: &str, object: Value, about: bool| {
            let fresh = format!("activities/{number}");
            let mut said =
                plain(actor, if manner(actor) == PeerCapabilities::OneId { name } else { &fresh }, kind, object);
            said.about = Some(about);
            if manner(actor) == PeerCapabilities::Timed {
                said.activity["published"] = format!("2026-11-01T08:00:{:02}Z", number % 60).into();
            }
            said
        };
        let named = format!("activities/{number}");
        let next = match *deed {
            Deed::Relate { actor, kind } => {
                let (kind, about) = (RELATIONS[kind], kind < 2);
                // Who says when a vote was made takes it back by its id; Lemmy, which does not, tells nothing of when.
                if kind == "Dislike" && manner(actor) == PeerCapabilities::Timed {
                    continue;
                }
                let sign = ["🦀", "⛴"][number % 2];
                let name = if kind == "EmojiReact" { format!("{kind}/{}", number % 2) } else { kind.to_owned() };
                let mut said = related(actor, &name, kind, if about { author } else { article }.into(), about);
                if kind == "EmojiReact" {
                    said.activity["content"] = sign.into();
                }
                said
            }
            Deed::Reply { actor, to } => {
                let to = match to % (replies.len() + 1) {
                    0 => article.to_owned(),
                    place => replies[place - 1].id.clone(),
                };
                replies.push(Reply { actor, id: format!("{}/notes/{number}", actor_id(actor)), to, edits: 0 });
                plain(actor, &named, "Create", note(replies.last().expect("it was put there"), number))
            }
            Deed::Edit(reply) if !replies.is_empty() => {
                let place = reply % replies.len();
                replies[place].edits += 1;
                let reply = &replies[place];
                plain(reply.actor, &named, "Update", note(reply, number))
            }
            Deed::Delete(reply) if !replies.is_empty() => {
                let reply = &replies[reply % replies.len()];
                plain(reply.actor, &named, "Delete", json!({ "id": reply.id, "type": "Tombstone" }))
            }
            Deed::Undo { deed, how } => {
                let undoable: Vec<&Said> =
                    all.iter().filter(|said| RELATIONS.iter().any(|kind| said.activity["type"] == *kind)).collect();
                let Some(undone) = undoable.get(deed % undoable.len().max(1)) else { continue };
                let mut whole = undone.activity.clone();
                whole.as_object_mut().expect("an activity").remove("@context");
                let id = undone.activity["id"].as_str().expect("an id").to_owned();
                let name = id.replace(&actor_id(undone.actor), "").trim_matches('/').to_owned();
                let (verb, object) = match how {
                    0 => ("Undo", whole),
                    1 => ("Undo", id.clone().into()),
                    _ => ("Delete", id.clone().into()),
                };
                let mut said =
                    related(undone.actor, &format!("{verb}/{name}"), verb, object, undone.about.expect("a relation"));
                said.undoes = Some(id);
                said
            }
            Deed::UndoByShape { actor, kind } => {
                let (kind, about) = (RELATIONS[kind], kind < 2);
                let fresh = format!("{}/never-seen/{number}", actor_id(actor));
                let object = if about { author } else { article };
                let shape = json!({ "id": fresh, "type": kind, "actor": actor_id(actor), "object": object });
                related(actor, &named, "Undo", shape, about)
            }
            Deed::UndoAll { actor, author: about } => {
                related(actor, &named, "Undo", if about { author } else { article }.into(), about)
            }
            Deed::Edit(_) | Deed::Delete(_) => continue,
        };
        all.push(next);
    }
    all
}

fn note(reply: &Reply, number: usize) -> Value {
    let mut note = json!({
        "id": reply.id, "type": "Note", "attributedTo": actor_id(reply.actor), "inReplyTo": reply.to, "to": [PUBLIC],
        "content": format!("<p>{number}</p>"), "published": "2026-11-02T08:00:00Z",
    });
    if reply.edits > 0 {
        note["updated"] = format!("2026-11-02T08:{:02}:00Z", reply.edits).into();
    }
    note
}

/// Another order with repetitions, in which stays as it was what nothing tells.
pub(super) fn shuffled(all: &[Said], order: &[u32], again: &[usize]) -> Vec<Said> {
    let mut places: Vec<usize> = (0..all.len()).collect();
    places.sort_by_key(|place| order.get(*place).copied().unwrap_or_default());
    for (actor, about) in (0..ACTORS).flat_map(|actor| [(actor, true), (actor, false)]) {
        if manner(actor) == PeerCapabilities::Timed {
            continue;
        }
        let is_theirs = |place: &usize| all[*place].actor == actor && all[*place].about == Some(about);
        let mut theirs: Vec<usize> = (0..all.len()).filter(is_theirs).collect();
        let slots: Vec<usize> = (0..places.len()).filter(|slot| is_theirs(&places[*slot])).collect();
        if manner(actor) == PeerCapabilities::Fresh {
            // An Undo overtakes what it names.
            for later in 1..theirs.len() {
                let (one, two) = (&all[theirs[later - 1]], &all[theirs[later]]);
                if two.undoes.as_deref() == one.activity["id"].as_str() && order[later].is_multiple_of(2) {
                    theirs.swap(later - 1, later);
                }
            }
        }
        for (slot, place) in slots.into_iter().zip(theirs) {
            places[slot] = place;
        }
    }
    let mut heard: Vec<Said> = places.into_iter().map(|place| all[place].clone()).collect();
    for repeat in again {
        if heard.is_empty() {
            break;
        }
        // Once more at any later time, unless nothing could tell it from a new one then.
        let first = repeat % heard.len();
        let once = heard[first].clone();
        let is_next = |said: &&Said| said.actor == once.actor && said.about == once.about;
        let next = heard[first + 1..].iter().position(|said| is_next(&said));
        let bound = match next.filter(|_| once.about.is_some() && manner(once.actor) != PeerCapabilities::Timed) {
            Some(next) => next + 1,
            None => heard.len() - first,
        };
        heard.insert(first + 1 + (repeat / 7) % bound, once);
    }
    heard
}

//! A conversation ends in the same state in whatever order its activities come, and however often (interop D7, D12).

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use sqlx::Row;
use veerpont::activity::incoming;
use veerpont::app::App;
use veerpont::db::Conn;
use veerpont::inbox::store::{self, Arrival};
use veerpont::inbox::{Outcome, Purpose, meaning};
use veerpont::remote::actors;

use crate::support::{Engine, engines};
use crate::world::{MAREN, MONDAY, World, taken};

const CONTEXT: &str = "https://www.w3.org/ns/activitystreams";
const PUBLIC: &str = "https://www.w3.org/ns/activitystreams#Public";

/// Who takes part, each on a server of their own.
const ACTORS: usize = 4;

/// What somebody does, as generated; numbers choose among what is there by then.
#[derive(Clone, Debug)]
enum Deed {
    Follow {
        actor: usize,
    },
    Reply {
        actor: usize,
        to: usize,
    },
    Edit {
        reply: usize,
    },
    Delete {
        reply: usize,
    },
    Like {
        actor: usize,
    },
    React {
        actor: usize,
    },
    Boost {
        actor: usize,
    },
    /// Of something done before, by its id: embedded or bare.
    Undo {
        deed: usize,
        embedded: bool,
    },
    /// Of whatever somebody did of a kind, with an id that nobody has heard of (interop E14: Lemmy).
    UndoByShape {
        actor: usize,
        kind: usize,
    },
}

fn deed() -> impl Strategy<Value = Deed> {
    let (actor, number) = (0..ACTORS, any::<usize>());
    prop_oneof![
        2 => actor.clone().prop_map(|actor| Deed::Follow { actor }),
        6 => (actor.clone(), number).prop_map(|(actor, to)| Deed::Reply { actor, to }),
        3 => any::<usize>().prop_map(|reply| Deed::Edit { reply }),
        2 => any::<usize>().prop_map(|reply| Deed::Delete { reply }),
        3 => actor.clone().prop_map(|actor| Deed::Like { actor }),
        2 => actor.clone().prop_map(|actor| Deed::React { actor }),
        2 => actor.clone().prop_map(|actor| Deed::Boost { actor }),
        4 => (any::<usize>(), any::<bool>()).prop_map(|(deed, embedded)| Deed::Undo { deed, embedded }),
        1 => (actor, 0..3_usize).prop_map(|(actor, kind)| Deed::UndoByShape { actor, kind }),
    ]
}

/// An activity as it is sent, and by whom.
#[derive(Clone, Debug)]
struct Said {
    actor: usize,
    activity: Value,
}

fn actor_id(actor: usize) -> String {
    format!("https://server{actor}.test/users/u")
}

struct Reply {
    actor: usize,
    id: String,
    to: String,
    edits: i64,
}

/// The activities of a conversation, in the order in which they were said, and who of the actors must be heard in it.
fn said(deeds: &[Deed], article: &str, author: &str) -> (Vec<Said>, Vec<bool>) {
    let (mut all, mut replies, mut ordered) = (Vec::<Said>::new(), Vec::<Reply>::new(), vec![false; ACTORS]);
    for (number, deed) in deeds.iter().enumerate() {
        let id = |actor: usize| format!("{}/activities/{number}", actor_id(actor));
        let plain = |actor: usize, kind: &str, object: Value| Said {
            actor,
            activity: json!({ "@context": CONTEXT, "id": id(actor), "type": kind, "actor": actor_id(actor), "object": object }),
        };
        let next = match *deed {
            Deed::Follow { actor } => plain(actor, "Follow", author.into()),
            Deed::Like { actor } => plain(actor, "Like", article.into()),
            Deed::React { actor } => {
                let mut reaction = plain(actor, "EmojiReact", article.into());
                reaction.activity["content"] = ["🦀", "⛴"][number % 2].into();
                reaction
            }
            Deed::Boost { actor } => plain(actor, "Announce", article.into()),
            Deed::Reply { actor, to } => {
                let to = match to % (replies.len() + 1) {
                    0 => article.to_owned(),
                    place => replies[place - 1].id.clone(),
                };
                replies.push(Reply { actor, id: format!("{}/notes/{number}", actor_id(actor)), to, edits: 0 });
                plain(actor, "Create", note(replies.last().expect("it was put there"), number))
            }
            Deed::Edit { reply } if !replies.is_empty() => {
                let place = reply % replies.len();
                replies[place].edits += 1;
                let reply = &replies[place];
                plain(reply.actor, "Update", note(reply, number))
            }
            Deed::Delete { reply } if !replies.is_empty() => {
                let reply = &replies[reply % replies.len()];
                plain(reply.actor, "Delete", json!({ "id": reply.id, "type": "Tombstone" }))
            }
            Deed::Undo { deed, embedded } => {
                let undoable = |said: &&Said| {
                    matches!(said.activity["type"].as_str(), Some("Follow" | "Like" | "EmojiReact" | "Announce"))
                };
                let undoable: Vec<&Said> = all.iter().filter(undoable).collect();
                let Some(undone) = undoable.get(deed % undoable.len().max(1)) else { continue };
                let mut whole = undone.activity.clone();
                whole.as_object_mut().expect("an activity").remove("@context");
                let object = if embedded { whole } else { undone.activity["id"].clone() };
                plain(undone.actor, "Undo", object)
            }
            Deed::UndoByShape { actor, kind } => {
                ordered[actor] = true;
                let (kind, object) = [("Follow", author), ("Like", article), ("Announce", article)][kind];
                let fresh = format!("{}/never-seen/{number}", actor_id(actor));
                plain(actor, "Undo", json!({ "id": fresh, "type": kind, "actor": actor_id(actor), "object": object }))
            }
            Deed::Edit { .. } | Deed::Delete { .. } => continue,
        };
        all.push(next);
    }
    (all, ordered)
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

/// Another order with repetitions; whoever must be heard in order is.
fn shuffled(all: &[Said], ordered: &[bool], order: &[u32], again: &[usize]) -> Vec<Said> {
    let mut places: Vec<usize> = (0..all.len()).collect();
    places.sort_by_key(|place| order.get(*place).copied().unwrap_or_default());
    for actor in (0..ACTORS).filter(|actor| ordered[*actor]) {
        let theirs: Vec<usize> = (0..all.len()).filter(|place| all[*place].actor == actor).collect();
        let slots: Vec<usize> = (0..places.len()).filter(|slot| theirs.contains(&places[*slot])).collect();
        for (slot, place) in slots.into_iter().zip(theirs) {
            places[slot] = place;
        }
    }
    let mut heard: Vec<Said> = places.into_iter().map(|place| all[place].clone()).collect();
    for repeat in again {
        if heard.is_empty() {
            break;
        }
        // Once more at any later time; the same activity is the same, also among those that keep an order.
        let first = repeat % heard.len();
        let later = first + 1 + (repeat / 7) % (heard.len() - first);
        heard.insert(later, heard[first].clone());
    }
    heard
}

/// Hears activities one after the other, each understood before the next.
async fn hear(app: &App, heard: Vec<Said>) {
    let (writer, now) = (app.clone(), app.clock.now());
    let done = app.db.write(move |conn| {
        Box::pin(async move {
            for said in &heard {
                let incoming = incoming::parse(said.activity.to_string().as_bytes()).expect("an activity");
                let arrival = Arrival {
                    activity_id: incoming.id,
                    signer: incoming.actor.clone(),
                    actor: incoming.actor,
                    kind: incoming.kind.as_str().to_owned(),
                    object_id: incoming.object.and_then(|object| object.id),
                    raw: said.activity.to_string(),
                    path: "/ap/inbox".to_owned(),
                    proof: None,
                };
                store::keep(conn, &writer.ids, &arrival, now).await?;
                loop {
                    let due = store::claim(conn, &writer.db, "test", 64, now).await?;
                    if due.is_empty() {
                        break;
                    }
                    for inbound in due {
                        let reading = meaning::Reading::of(&inbound);
                        let verdict = meaning::interpret(&writer, conn, &inbound, reading).await?;
                        assert_ne!(verdict.outcome, Outcome::Failed, "{}", verdict.reason);
                        assert!(store::settle(conn, &writer.ids, &inbound, &verdict, now).await?);
                    }
                }
            }
            Ok::<_, sqlx::Error>(())
        })
    });
    done.await.expect("they are understood");
}

/// Every server that is to be asked for a post has none, so that what waits for that has its verdict: what was deleted stays
/// so, whether its Create came before or after its Delete.
async fn ask(app: &App) {
    let now = app.clock.now();
    let asked = app.db.write(move |conn| {
        Box::pin(async move {
            let urls: Vec<String> =
                sqlx::query_scalar("SELECT url FROM wanted WHERE outcome IS NULL AND purpose = 'post'")
                    .fetch_all(&mut *conn)
                    .await?;
            for url in urls {
                store::fail_waiting(conn, &url, Purpose::Post, "it is not there", now).await?;
            }
            Ok::<_, sqlx::Error>(())
        })
    });
    asked.await.expect("they are asked");
}

/// What is left of it all: posts with their history, standing opinions, followers.
async fn state(app: &App) -> Vec<String> {
    let mut conn = app.db.read().await.expect("a connection");
    let mut lines = Vec::new();
    for (what, sql) in [
        (
            "post",
            "SELECT COALESCE(i.object_id, '') || ' ' || COALESCE(p.object_id, 'article') || ' ' || r.url || ' ' || COALESCE(i.document, 'ended')
             || ' ' || CAST(i.published_at AS TEXT) || ' ' || COALESCE(CAST(i.updated_at AS TEXT), '-')
             FROM interactions i JOIN remote_actors r ON r.id = i.remote_actor_id LEFT JOIN interactions p ON p.id = i.parent_id
             WHERE i.kind = 'reply'",
        ),
        (
            "words",
            "SELECT i.object_id || ' ' || CAST(w.as_of AS TEXT) || ' ' || w.document FROM wordings w
             JOIN interactions i ON i.id = w.interaction_id",
        ),
        (
            "opinion",
            "SELECT DISTINCT i.kind || ' ' || r.url || ' ' || COALESCE(i.reaction, '') FROM interactions i JOIN remote_actors r ON r.id = i.remote_actor_id
             WHERE i.object_id IS NULL AND i.ended_at IS NULL",
        ),
        ("follower", "SELECT r.url FROM followers f JOIN remote_actors r ON r.id = f.remote_actor_id"),
        ("waits", "SELECT activity_id FROM inbound WHERE verdict IS NULL OR verdict = 'deferred'"),
    ] {
        let rows = sqlx::query(sql).fetch_all(&mut *conn).await.expect("rows");
        lines.extend(rows.iter().map(|row| format!("{what} {}", row.get::<String, _>(0))));
    }
    lines.sort();
    lines
}

/// Forgets everything that was heard.
async fn forget(app: &App) {
    let forgotten = app.db.write(|conn: &mut Conn| {
        Box::pin(async move {
            for sql in [
                "DELETE FROM deliveries WHERE activity_id IN (SELECT id FROM activities WHERE inbound_id IS NOT NULL)",
                "DELETE FROM activities WHERE inbound_id IS NOT NULL",
                "DELETE FROM wordings",
                "DELETE FROM interactions",
                "DELETE FROM followers",
                "DELETE FROM wanted",
                "DELETE FROM inbound",
            ] {
                sqlx::query(sql).execute(&mut *conn).await?;
            }
            Ok::<_, sqlx::Error>(())
        })
    });
    forgotten.await.expect("it is forgotten");
}

/// A bridge with an article, that knows the actors: its id, and its author's.
async fn town(engine: Engine) -> (World, String, String) {
    let mut world = World::new(engine, MONDAY).await;
    let peer = world.peer("peer.test", &["ann"]);
    world.publish().await;
    let author = world.follow(&peer, "ann", MAREN).await.actor_id;
    world.write_post("ferry", "The ferry", "It sails at ten.", &["maren"]);
    world.publish().await;
    let article = taken(&peer, "Create").pop().expect("a Create").object_id;
    for actor in 0..ACTORS {
        let id = actor_id(actor);
        let document = json!({ "@context": CONTEXT, "id": id, "type": "Person", "preferredUsername": "u", "inbox": format!("{id}/inbox") });
        let known = incoming::actor(&document).expect("an actor");
        let (ids, now) = (world.app.ids.clone(), world.clock.now());
        let kept =
            world.app.db.write(move |conn| Box::pin(async move { actors::keep(conn, &ids, known, None, now).await }));
        kept.await.expect("they are known");
    }
    forget(&world.app).await;
    (world, article, author)
}

fn same_in_any_order(engine: Engine, cases: u32) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (world, article, author) = runtime.block_on(town(engine));
    let config = Config { cases, max_shrink_iters: 2000, failure_persistence: None, ..Config::default() };
    let conversations = (
        proptest::collection::vec(deed(), 1..24),
        proptest::collection::vec(any::<u32>(), 24),
        proptest::collection::vec(any::<usize>(), 0..8),
    );
    let outcome = TestRunner::new(config).run(&conversations, |(deeds, order, again)| {
        let (all, ordered) = said(&deeds, &article, &author);
        let heard = shuffled(&all, &ordered, &order, &again);
        let (natural, other) = runtime.block_on(async {
            hear(&world.app, all.clone()).await;
            ask(&world.app).await;
            let natural = state(&world.app).await;
            forget(&world.app).await;
            hear(&world.app, heard.clone()).await;
            ask(&world.app).await;
            let other = state(&world.app).await;
            forget(&world.app).await;
            (natural, other)
        });
        prop_assert_eq!(
            natural,
            other,
            "heard as {:#?}",
            heard.iter().map(|said| said.activity.to_string()).collect::<Vec<_>>()
        );
        Ok(())
    });
    runtime.block_on(world.app.db.close());
    if let Err(error) = outcome {
        panic!("on {engine:?}: {error}");
    }
}

/// A thousand on SQLite; PostgreSQL speaks the same SQL, and a hundred show it.
#[test]
fn a_conversation_ends_the_same_in_any_order() {
    for engine in engines() {
        same_in_any_order(*engine, if *engine == Engine::Sqlite { 1000 } else { 100 });
    }
}

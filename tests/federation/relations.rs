//! Of one actor and one thing of ours there is one relation, by whatever ids its activities go (interop E13, E14, U9, U12).

use std::time::Duration;

use serde_json::{Value, json};
use sqlx::Row;
use veerpont::server::explain;

use crate::shared::{Case, LocalAddresses};
use crate::stranger::Seen;
use crate::threads::{Person, article, last_verdict};
use crate::world::{MAREN, World, on_each_engine};

/// Somebody on the server of a case, with a key of ours.
fn person(world: &World, activity: &Value) -> Person {
    let actor = activity["actor"].as_str().expect("an actor");
    let (host, path) = actor.trim_start_matches("https://").split_once('/').expect("an address");
    Person::at(world, host, &format!("/{path}"))
}

/// What their inbox was sent since this was last asked, by type.
fn answers(person: &Person) -> Vec<String> {
    let kind = |seen: &Seen| {
        let activity: Value = serde_json::from_slice(&seen.body).ok()?;
        Some(activity["type"].as_str()?.to_owned())
    };
    person.server.take_seen().iter().filter(|seen| seen.method == http::Method::POST).filter_map(kind).collect()
}

async fn maren(world: &mut World) -> String {
    world.peer("asks.test", &["x"]).lookup(MAREN).await.expect("an actor").actor_id
}

/// How many rows a query counts.
async fn count(world: &World, sql: &'static str) -> i64 {
    let mut conn = world.app.db.read().await.expect("a connection");
    sqlx::query(sql).fetch_one(&mut *conn).await.expect("a row").get(0)
}

/// Likes and boosts of the article, as everybody is told.
async fn likes(world: &World) -> i64 {
    count(world, "SELECT COUNT(*) FROM interactions WHERE kind IN ('like', 'boost') AND ended_at IS NULL").await
}

/// Followers other than the fan whom the article had.
async fn followers(world: &World) -> i64 {
    world.followers().await - 1
}

#[tokio::test]
async fn case_62_the_delete_of_a_like_takes_it_back() {
    let Some(case) = Case::open(62) else { return };
    on_each_engine(async |world| {
        let article = article(world).await;
        let ours = LocalAddresses { article: &article, ..LocalAddresses::default() };
        let (like, delete) = (case.document("like.json", ours), case.document("delete.json", ours));
        let dl = person(world, &like);
        dl.send(world, &like).await;
        assert_eq!(likes(world).await, 1);
        dl.send(world, &delete).await;
        assert_eq!(likes(world).await, 0);
        assert_eq!(last_verdict(world).await.0, "accepted");
        // Once more, with the ids that they had; and the Delete first.
        dl.send(world, &like).await;
        assert_eq!(likes(world).await, 1);
        dl.send(world, &delete).await;
        assert_eq!(likes(world).await, 0);
        dl.send(world, &dl.activity("Delete", "d2", format!("{}/b2", dl.id))).await;
        dl.send(world, &dl.activity("Announce", "b2", article.as_str())).await;
        assert_eq!(likes(world).await, 0, "it was deleted before it came");
    })
    .await;
}

#[tokio::test]
async fn case_63_a_follow_that_overtakes_the_undo_of_a_block_is_accepted() {
    let Some(case) = Case::open(63) else { return };
    on_each_engine(async |world| {
        article(world).await;
        let maren = maren(world).await;
        let ours = LocalAddresses { actor: &maren, ..LocalAddresses::default() };
        let [block, follow, undo] = ["block.json", "follow.json", "undo.json"].map(|file| case.document(file, ours));
        let flip = person(world, &block);
        flip.send(world, &block).await;
        flip.send(world, &follow).await;
        assert_eq!((followers(world).await, answers(&flip)), (1, vec!["Accept".to_owned()]));
        flip.send(world, &undo).await;
        assert_eq!((followers(world).await, answers(&flip).len()), (1, 0));
        // A Block after it ends the follow, and a Follow ends that, with or without an Undo.
        flip.send(world, &flip.activity("Block", "k2", maren.as_str())).await;
        assert_eq!(followers(world).await, 0);
        flip.send(world, &flip.activity("Follow", "f2", maren.as_str())).await;
        assert_eq!((followers(world).await, answers(&flip)), (1, vec!["Accept".to_owned()]));
        assert_eq!(count(world, "SELECT COUNT(*) FROM blocked_by").await, 0);
    })
    .await;
}

#[tokio::test]
async fn case_92_one_id_for_ever_counts_each_time() {
    let Some(case) = Case::open(92) else { return };
    on_each_engine(async |world| {
        let article = article(world).await;
        let maren = maren(world).await;
        let ours = LocalAddresses { actor: &maren, article: &article, ..LocalAddresses::default() };
        let [follow, undo, like, unlike] =
            ["follow.json", "undo.json", "like.json", "undo-like.json"].map(|file| case.document(file, ours));
        let pix = person(world, &follow);
        for round in 0..3 {
            world.advance(Duration::from_mins(1));
            pix.send(world, &follow).await;
            assert_eq!((followers(world).await, answers(&pix)), (1, vec!["Accept".to_owned()]), "{round}");
            pix.send(world, &undo).await;
            assert_eq!((followers(world).await, answers(&pix).len()), (0, 0), "{round}");
            pix.send(world, &like).await;
            assert_eq!(likes(world).await, 1, "{round}");
            pix.send(world, &unlike).await;
            assert_eq!(likes(world).await, 0, "{round}");
        }
        // However often, it is one row each; and each of its verdicts is told.
        assert_eq!(count(world, "SELECT COUNT(*) FROM inbound WHERE actor LIKE '%x5.test%'").await, 4);
        assert_eq!(count(world, "SELECT COUNT(*) FROM interactions WHERE kind = 'like'").await, 1);
        let story = explain::story(&world.app, follow["id"].as_str().expect("an id")).await.expect("a database");
        let events = story.expect("a story").events;
        let verdicts = events.iter().filter(|event| event.what.starts_with("accepted: follows @maren"));
        assert_eq!(verdicts.count(), 3, "{events:#?}");
    })
    .await;
}

/// All the ways to name what is undone: each ends the relation, of which there are two ids.
#[tokio::test]
async fn an_undo_ends_the_relation_whatever_it_names_it_by() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let maren = maren(world).await;
        let ann = Person::new(world, "ann.test");
        let mut number = 0;
        for (kind, object) in [("Follow", &maren), ("Like", &article), ("Announce", &article), ("Dislike", &article)] {
            let shape = |id: Option<&str>| {
                let mut shape = json!({ "type": kind, "actor": ann.id, "object": object });
                if let Some(id) = id {
                    shape["id"] = format!("{}/{id}", ann.id).into();
                }
                shape
            };
            for how in 0..8 {
                number += 1;
                let [one, two, undo] = ["a", "b", "u"].map(|letter| format!("{letter}{number}"));
                ann.send(world, &ann.activity(kind, &one, object.as_str())).await;
                ann.send(world, &ann.activity(kind, &two, object.as_str())).await;
                assert_eq!(standing(world).await, 1, "{kind} {how}");
                let undo = match how {
                    0 => ann.activity("Undo", &undo, format!("{}/{one}", ann.id)),
                    1 => ann.activity("Undo", &undo, format!("{}/{two}", ann.id)),
                    2 => ann.activity("Undo", &undo, shape(Some(&one))),
                    3 => ann.activity("Undo", &undo, shape(Some("never-seen"))),
                    4 => ann.activity("Undo", &undo, shape(None)),
                    5 => ann.activity("Undo", &undo, object.as_str()),
                    6 => ann.activity("Delete", &undo, format!("{}/{one}", ann.id)),
                    _ => ann.activity("Undo", &undo, json!({ "actor": ann.id, "object": object })),
                };
                ann.send(world, &undo).await;
                assert_eq!(standing(world).await, 0, "{kind} {how}: {:?}", last_verdict(world).await);
                assert_eq!(last_verdict(world).await.0, "accepted", "{kind} {how}");
            }
        }
        // Lemmy takes a vote down back in the words of a vote up (U9).
        ann.send(world, &ann.activity("Dislike", "d", article.as_str())).await;
        let like = json!({ "id": format!("{}/fresh", ann.id), "type": "Like", "actor": ann.id, "object": article });
        ann.send(world, &ann.activity("Undo", "du", like)).await;
        assert_eq!(standing(world).await, 0);
        assert_eq!(count(world, "SELECT COUNT(*) FROM interactions WHERE object_id IS NULL").await, 3, "one row each");
    })
    .await;
}

/// Relations of others than the fan that stand, as the rest of the bridge sees them.
async fn standing(world: &World) -> i64 {
    let opinions = "SELECT COUNT(*) FROM interactions WHERE object_id IS NULL AND ended_at IS NULL";
    followers(world).await + count(world, opinions).await
}

/// Nobody takes back what another did, and of what was never heard nothing ends.
#[tokio::test]
async fn an_undo_counts_for_its_own_actor_alone() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let maren = maren(world).await;
        let (ann, eve) = (Person::new(world, "ann.test"), Person::new(world, "eve.test"));
        let (follow, like) = (ann.activity("Follow", "f", maren.as_str()), ann.activity("Like", "l", article.as_str()));
        ann.send(world, &follow).await;
        ann.send(world, &like).await;
        for (number, done) in [&follow, &like].into_iter().enumerate() {
            let mut bare = done.clone();
            bare.as_object_mut().expect("an activity").remove("actor");
            for (how, object) in
                [done.clone(), bare, done["id"].clone(), done["object"].clone()].into_iter().enumerate()
            {
                for verb in ["Undo", "Delete"] {
                    eve.send(world, &eve.activity(verb, &format!("{verb}{number}{how}"), object.clone())).await;
                }
            }
        }
        ann.send(world, &ann.activity("Undo", "u", format!("{}/nothing", ann.id))).await;
        assert_eq!(standing(world).await, 2);
    })
    .await;
}

/// Every Follow has its answer: an Accept where they follow in the end, else a Reject.
#[tokio::test]
async fn every_follow_is_answered() {
    on_each_engine(async |world| {
        article(world).await;
        let maren = maren(world).await;
        let ann = Person::new(world, "ann.test");
        let follow = |name: &str, made: Option<&str>| {
            let mut follow = ann.activity("Follow", name, maren.as_str());
            if let Some(made) = made {
                follow["published"] = made.into();
            }
            follow
        };
        let said = async |activity: &Value| {
            ann.send(world, activity).await;
            (answers(&ann).join(" "), followers(world).await)
        };
        let [accept, reject, nothing] = ["Accept", "Reject", ""].map(str::to_owned);
        // Undone before it came.
        assert_eq!(said(&ann.activity("Undo", "u1", format!("{}/f1", ann.id))).await, (nothing.clone(), 0));
        assert_eq!(said(&follow("f1", None)).await, (reject.clone(), 0));
        assert_eq!(said(&follow("f1", None)).await, (reject.clone(), 0), "the same once more");
        // Two of them, and the first once more.
        assert_eq!(said(&follow("f2", None)).await, (accept.clone(), 1));
        assert_eq!(said(&follow("f3", None)).await, (accept.clone(), 1));
        assert_eq!(said(&follow("f2", None)).await, (accept.clone(), 1));
        let mut undo = ann.activity("Undo", "u3", format!("{}/f2", ann.id));
        undo["published"] = "2026-11-01T12:00:00Z".into();
        assert_eq!(said(&undo).await, (nothing.clone(), 0));
        // Made before that Undo, and after it.
        assert_eq!(said(&follow("f4", Some("2026-11-01T11:00:00Z"))).await, (reject.clone(), 0));
        assert_eq!(said(&follow("f5", Some("2026-11-01T13:00:00Z"))).await, (accept.clone(), 1));
        // What was made before it ends nothing; a retry of it neither.
        undo["id"] = format!("{}/u4", ann.id).into();
        assert_eq!(said(&undo).await, (nothing.clone(), 1));
        // One that says when it was made, and says the same again, is the same.
        let mut later = ann.activity("Undo", "u5", format!("{}/f5", ann.id));
        later["published"] = "2026-11-01T14:00:00Z".into();
        assert_eq!(said(&later).await, (nothing.clone(), 0));
        assert_eq!(said(&follow("f5", Some("2026-11-01T13:00:00Z"))).await, (reject, 0));
        assert_eq!(said(&follow("f5", Some("2026-11-01T15:00:00Z"))).await, (accept, 1));
        assert_eq!(said(&later).await, (nothing, 1), "the Undo of before, once more");
    })
    .await;
}

/// All that came of one id before any of it was looked at is understood in the order in which it came.
#[tokio::test]
async fn what_came_together_is_understood_in_its_order() {
    on_each_engine(async |world| {
        article(world).await;
        let maren = maren(world).await;
        let ann = Person::new(world, "ann.test");
        let follow = ann.activity("Follow", "f", maren.as_str());
        let undo = ann.activity("Undo", "f/undo", follow.clone());
        for (said, stands) in [
            (vec![&follow, &undo, &follow], 1),
            (vec![&undo], 0),
            (vec![&follow, &undo, &follow, &undo], 0),
            (vec![&follow], 1),
        ] {
            for activity in &said {
                ann.post(activity).await;
            }
            world.drain().await;
            assert_eq!(followers(world).await, stands, "{said:#?}");
        }
    })
    .await;
}

/// A flood of Follows and Undos under one id adds no row, nor do our answers; reactions of one person have a bound.
#[tokio::test]
async fn floods_of_one_relation_stay_one_row() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let maren = maren(world).await;
        let ann = Person::new(world, "ann.test");
        let follow = ann.activity("Follow", "f", maren.as_str());
        let undo = ann.activity("Undo", "f/undo", follow.clone());
        for _ in 0..60 {
            ann.send(world, &follow).await;
            ann.send(world, &undo).await;
        }
        assert_eq!(count(world, "SELECT COUNT(*) FROM inbound WHERE actor LIKE '%ann.test%'").await, 2);
        assert_eq!(count(world, "SELECT COUNT(*) FROM relations WHERE begun_by LIKE '%ann.test%'").await, 1);
        let answers = "SELECT COUNT(*) FROM activities WHERE inbound_id IN (SELECT id FROM inbound WHERE actor LIKE '%ann.test%')";
        assert_eq!(count(world, answers).await, 8, "and the last answers");
        let longest = "SELECT MAX(LENGTH(history)) FROM inbound";
        assert!(count(world, longest).await < 4200);
        for number in 0..40 {
            let mut reaction = ann.activity("EmojiReact", &format!("e{number}"), article.as_str());
            reaction["content"] = format!(":e{number}:").into();
            ann.send(world, &reaction).await;
        }
        assert_eq!(likes(world).await, 32);
        assert_eq!(last_verdict(world).await.0, "declined");
    })
    .await;
}

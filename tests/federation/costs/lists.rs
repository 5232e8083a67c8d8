//! Lists are read in parts, each from where the one before ended: nothing is left out or told twice.

use std::fmt::Debug;
use std::str::FromStr;

use veerpont::db::{InvalidCursor, Page};
use veerpont::federation::delivery;
use veerpont::model::interaction::store::Filter;
use veerpont::model::interaction::{self, State};
use veerpont::model::{author, follower, post};
use veerpont::moderation::listing::{self, BlockRequest};
use veerpont::moderation::{BlockKind, ModerationNote, Severity};
use veerpont::{inbox, moderation};

use super::crowded::{article, reply};
use crate::world::{GROUP, MAREN, World, on_each_engine};

/// The list at once, which must be what its parts are together, two lines at a time.
async fn whole<T: Debug, P: FromStr<Err = InvalidCursor>>(
    part: impl AsyncFn(Option<P>, i64) -> sqlx::Result<Page<T>>,
) -> usize {
    let told = |part: &Page<T>| part.items.iter().map(|line| format!("{line:?}")).collect::<Vec<_>>();
    let all = part(None, 1_000).await.expect("a list");
    assert_eq!(all.next, None);
    let (mut lines, mut after) = (Vec::new(), None);
    loop {
        let some = part(after, 2).await.expect("a part");
        assert!(some.items.len() <= 2, "{some:?}");
        lines.extend(told(&some));
        let Some(next) = some.next else { break };
        after = Some(next.parse().expect("its own place"));
    }
    assert_eq!(lines, told(&all));
    all.items.len()
}

/// Three of everything, at least.
async fn fill(world: &mut World) {
    world.publish().await;
    let peer = world.peer("peer.test", &["ann", "bob"]);
    for (user, whom) in [("ann", MAREN), ("bob", MAREN), ("ann", GROUP), ("bob", GROUP)] {
        world.follow(&peer, user, whom).await;
    }
    for key in ["ferry", "tides", "boats"] {
        world.write_post(key, key, "It sails at ten.", &["maren"]);
    }
    world.publish().await;
    let id = format!("https://social.example.org/ap/articles/{}", article(world, "post/ferry").await.1);
    for number in 1..=5 {
        reply(world, &peer, number, &id).await;
    }
    for value in ["a.test", "b.test", "c.test"] {
        let wish = BlockRequest { kind: BlockKind::Domain, value, actor: None };
        listing::add(&world.app, wish, Severity::Block, ModerationNote::default()).await.expect("a block");
    }
}

#[tokio::test]
async fn every_list_is_the_same_in_parts() {
    on_each_engine(async |world| {
        fill(world).await;
        let (db, urls) = (&world.app.db, &world.app.urls);
        for state in [
            None,
            Some(State::Shown),
            Some(State::Held),
            Some(State::Hidden),
            Some(State::Blocked),
            Some(State::Deleted),
        ] {
            let filter = Filter { state, ..Filter::default() };
            let replies = whole(async |after, limit| {
                interaction::store::list(&mut *db.read().await?, urls, filter, after, limit).await
            });
            let found = replies.await;
            assert_eq!(found, if matches!(state, None | Some(State::Shown)) { 5 } else { 0 }, "{state:?}");
        }
        let ferry = Filter {
            article: Some(veerpont::base::ids::ArticleId(article(world, "post/ferry").await.0)),
            ..Filter::default()
        };
        let list =
            async |after, limit| interaction::store::list(&mut *db.read().await?, urls, ferry, after, limit).await;
        assert_eq!(whole(list).await, 5);
        let list = async |after, limit| delivery::store::ledger(&mut *db.read().await?, after, limit).await;
        assert!(whole(list).await > 3);
        let list = async |after, limit| delivery::store::waiting(&mut *db.read().await?, after, limit).await;
        whole(list).await;
        for verdict in [None, Some("accepted"), Some("waiting")] {
            let list = async |after, limit| inbox::store::latest(&mut *db.read().await?, verdict, after, limit).await;
            assert_eq!(whole(list).await > 3, verdict != Some("waiting"));
        }
        let list = async |after, limit| follower::store::list(&mut *db.read().await?, None, after, limit).await;
        assert_eq!(whole(list).await, 4);
        let list = async |after, limit| post::store::posts_after(&mut *db.read().await?, true, after, limit).await;
        assert_eq!(whole(list).await, 5);
        let list = async |after, limit| author::store::authors_after(&mut *db.read().await?, true, after, limit).await;
        assert_eq!(whole(list).await, 2);
        let list = async |after, limit| moderation::store::blocks(&mut *db.read().await?, after, limit).await;
        assert_eq!(whole(list).await, 3);
        let list = async |after, limit| moderation::store::reports(&mut *db.read().await?, true, after, limit).await;
        assert_eq!(whole(list).await, 0);
    })
    .await;
}

/// Whoever deletes an actor may die after having decided it: the outbox ends what still stands, and then says the end.
#[tokio::test]
async fn a_deletion_that_was_only_begun_is_ended() {
    on_each_engine(async |world| {
        fill(world).await;
        let handle = veerpont::base::ids::Handle::parse("maren").expect("a handle");
        let (maren, now) = {
            let mut conn = world.app.db.read().await.expect("a connection");
            let maren = author::store::actor_by_handle(&mut conn, &handle).await.expect("a row").expect("an actor");
            (maren.id, world.clock.now())
        };
        let begun =
            world.app.db.write(move |conn| Box::pin(async move { author::store::set_deleted(conn, maren, now).await }));
        assert!(begun.await.expect("begun"));
        world.drain().await;
        let mut conn = world.app.db.read().await.expect("a connection");
        assert!(post::store::standing_articles(&mut conn, maren, 10).await.expect("articles").is_empty());
        let said: Vec<String> =
            sqlx::query_scalar("SELECT cause FROM activities WHERE kind = 'Delete' AND actor_id = $1 ORDER BY id")
                .bind(maren.0)
                .fetch_all(&mut *conn)
                .await
                .expect("activities");
        assert!(said.len() > 3 && said.last().is_some_and(|last| last.starts_with("delete-actor:")), "{said:?}");
    })
    .await;
}

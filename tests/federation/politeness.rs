//! What strangers can make us do to a third server is bounded: one that does not answer is left alone, and no server is
//! asked for more than it can bear (interop G8, D13).

use std::time::Duration;

use veerpont::inbox::store::fetch_queue::{HOST_SPAN, OF_HOST};

use crate::threads::{Person, article, last_verdict};
use crate::world::{World, on_each_engine};

const AT_BOB: &str = "GET https://bob.test/users/u/notes/";

/// Ann answers notes of Bob's, which are replies to the article and were sent to nobody.
async fn answers_to_bob(world: &World, ann: &Person, bob: &Person, article: &str, count: usize) {
    for number in 1..=count {
        let below = bob.note(number, article);
        bob.serve(&below);
        let answer = ann.note(number + 1000, below["id"].as_str().expect("an id"));
        ann.post(&ann.activity("Create", &format!("c{number}"), answer)).await;
    }
    world.drain().await;
}

#[tokio::test]
async fn a_server_that_does_not_answer_costs_one_attempt_however_much_waits_for_it() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let (ann, bob) = (Person::new(world, "ann.test"), Person::new(world, "bob.test"));
        world.net.set_down("bob.test", true);
        answers_to_bob(world, &ann, &bob, &article, 30).await;
        assert_eq!(world.requests(AT_BOB), 1, "no connection");
        assert_eq!(world.reply_texts().await, Vec::<String>::new());

        world.net.set_down("bob.test", false);
        bob.server.answering(|_| 503);
        world.advance(Duration::from_mins(3));
        world.drain().await;
        assert_eq!(world.requests(AT_BOB), 2, "it wants to be left alone");

        bob.server.answering(|_| 200);
        world.advance(Duration::from_mins(6));
        world.drain().await;
        assert_eq!(world.requests(AT_BOB), 32, "each is read once it answers");
        assert_eq!(world.reply_texts().await.len(), 60);
    })
    .await;
}

#[tokio::test]
async fn what_waits_for_a_server_that_never_answers_is_declined_with_the_reason() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let (ann, bob) = (Person::new(world, "ann.test"), Person::new(world, "bob.test"));
        world.net.set_down("bob.test", true);
        answers_to_bob(world, &ann, &bob, &article, 10).await;
        for _ in 0..40 {
            world.advance(Duration::from_hours(6));
            world.drain().await;
        }
        let tried = world.requests(AT_BOB);
        assert!((10..=14).contains(&tried), "{tried} attempts for all ten");
        let (verdict, reason) = last_verdict(world).await;
        assert_eq!(verdict, "declined", "{reason}");
        assert!(reason.contains("https://bob.test/users/u/notes/10") && reason.contains("no connection"), "{reason}");
        let mut conn = world.app.db.read().await.expect("a connection");
        let open = "SELECT COUNT(*) FROM inbound WHERE verdict IS NULL";
        let open: i64 = sqlx::query_scalar(open).fetch_one(&mut *conn).await.expect("a count");
        assert_eq!(open, 0, "no activity is left without a verdict");
    })
    .await;
}

/// What was read is remembered as long as the text that asked for it may be, and no longer.
#[tokio::test]
async fn what_was_read_is_not_remembered_for_ever() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let (ann, bob) = (Person::new(world, "ann.test"), Person::new(world, "bob.test"));
        answers_to_bob(world, &ann, &bob, &article, 3).await;
        let remembered = async || -> i64 {
            veerpont::inbox::housekeeping::tidy(&world.app).await.expect("tidied");
            let mut conn = world.app.db.read().await.expect("a connection");
            sqlx::query_scalar("SELECT COUNT(*) FROM fetch_queue").fetch_one(&mut *conn).await.expect("a count")
        };
        assert_eq!(remembered().await, 3);
        world.advance(world.app.config.retention.deferred + Duration::from_secs(1));
        assert_eq!(remembered().await, 0);
        assert_eq!(world.reply_texts().await.len(), 6);
    })
    .await;
}

#[tokio::test]
async fn no_server_is_asked_for_more_than_its_share_in_any_five_minutes() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let (ann, bob) = (Person::new(world, "ann.test"), Person::new(world, "bob.test"));
        let share = usize::try_from(OF_HOST).expect("a number");
        answers_to_bob(world, &ann, &bob, &article, share + 20).await;
        assert_eq!(world.requests(AT_BOB), share);
        world.advance(HOST_SPAN + Duration::from_secs(1));
        world.drain().await;
        assert_eq!(world.requests(AT_BOB), share + 20, "the rest is read in its time");

        // What fails counts as well.
        let (carol, dan) = (Person::new(world, "carol.test"), Person::new(world, "dan.test"));
        dan.server.answering(|_| 500);
        answers_to_bob(world, &carol, &dan, &article, share + 20).await;
        let at_dan = || world.requests("GET https://dan.test/users/u/notes/");
        assert_eq!(at_dan(), share);
        dan.server.answering(|_| 200);
        // What failed is put off with jitter, and longer where the machine stalls for the time that an answer may take.
        for _ in 0..180 {
            world.advance(Duration::from_mins(2));
            world.drain().await;
            if world.reply_texts().await.len() == 4 * (share + 20) {
                break;
            }
        }
        assert_eq!(world.reply_texts().await.len(), 4 * (share + 20), "{:?}", ends(world).await);
    })
    .await;
}

/// How what was asked for and what came in ended, and how often each.
async fn ends(world: &World) -> Vec<String> {
    let mut conn = world.app.db.read().await.expect("a connection");
    let counted = "SELECT 'wanted ' || COALESCE(outcome, 'waits') || ' ' || COALESCE(reason, '') || ' ' || attempts AS what, COUNT(*) AS n
         FROM fetch_queue GROUP BY 1 UNION ALL
         SELECT 'inbound ' || COALESCE(verdict, 'open') || ' ' || COALESCE(reason, ''), COUNT(*) FROM inbound GROUP BY 1";
    let rows = sqlx::query_as::<_, (String, i64)>(counted).fetch_all(&mut *conn).await.expect("counts");
    rows.into_iter().map(|(what, times)| format!("{times} x {what}")).collect()
}

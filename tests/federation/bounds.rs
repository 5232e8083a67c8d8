//! What strangers can fill or hold up is bounded, by what they registered and in all, and others are heard meanwhile
//! (interop G8, G9).

use std::time::Duration;

use serde_json::json;
use veerpont::app::App;
use veerpont::base::ids::registrable;
use veerpont::inbox::store::fetch_queue::{self, Asker, DueFetch, OF_ASKER};
use veerpont::inbox::{FetchJob, Purpose};

use crate::threads::{Person, article, last_verdict};
use crate::world::{World, on_each_engine};

async fn texts(world: &World) -> Vec<i64> {
    veerpont::inbox::housekeeping::tidy(&world.app).await.expect("tidied");
    let mut conn = world.app.db.read().await.expect("a connection");
    let lengths = "SELECT CAST(LENGTH(raw) AS BIGINT) FROM inbound WHERE verdict = 'deferred' ORDER BY id";
    sqlx::query_scalar(lengths).fetch_all(&mut *conn).await.expect("lengths")
}

#[tokio::test]
async fn a_domain_with_many_hosts_keeps_no_more_than_its_share() {
    on_each_engine(async |world| {
        world.configure("[delivery]", "[limits]\ninbox_mib_per_host = 1\n[delivery]").await;
        let padding = "x".repeat(300 * 1024);
        let mut statuses = Vec::new();
        for number in 0..5 {
            let person = Person::new(world, &format!("h{number}.many.example"));
            let mut odd = person.activity("ChatMessage", "m1", "https://many.example/1");
            odd["padding"] = padding.as_str().into();
            statuses.push(person.knock(&odd).await);
        }
        assert_eq!(statuses, [202, 202, 202, 429, 429], "four in a MiB would be too much");
        let other = Person::new(world, "other.example");
        let odd = other.activity("ChatMessage", "m1", "https://other.example/1");
        other.post(&odd).await;
        world.drain().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_not_understood_is_kept_for_hours_if_long_and_for_days_if_short() {
    on_each_engine(async |world| {
        let ann = Person::new(world, "ann.test");
        let mut long = ann.activity("ChatMessage", "long", "https://ann.test/1");
        long["padding"] = "x".repeat(20 * 1024).into();
        ann.post(&long).await;
        ann.post(&ann.activity("ChatMessage", "short", "https://ann.test/2")).await;
        world.drain().await;
        let at_first = texts(world).await;
        assert!(at_first[0] > 20 * 1024 && at_first[1] > 0, "{at_first:?}");
        world.advance(Duration::from_mins(6 * 60 - 1));
        assert_eq!(texts(world).await, at_first);
        world.advance(Duration::from_mins(2));
        assert_eq!(texts(world).await, [0, at_first[1]]);
        world.advance(world.app.config.retention.deferred);
        assert_eq!(texts(world).await, [0, 0]);
    })
    .await;
}

#[tokio::test]
async fn nothing_is_taken_in_while_the_disk_is_nearly_full() {
    on_each_engine(async |world| {
        world.configure("[delivery]", "[limits]\nkeep_free_mib = 4000000000\n[delivery]").await;
        let ann = Person::new(world, "ann.test");
        let odd = ann.activity("ChatMessage", "m1", "https://ann.test/1");
        let told = ann.knock(&odd).await;
        // PostgreSQL's disk is not ours to watch.
        let expected = if world.app.db.free_bytes().is_some() { 503 } else { 202 };
        assert_eq!(told, expected);
        assert_eq!(world.app.is_full(), expected == 503);
        world.configure("keep_free_mib = 4000000000", "keep_free_mib = 1").await;
        ann.post(&odd).await;
        world.drain().await;
    })
    .await;
}

#[tokio::test]
async fn a_report_of_ten_thousand_addresses_keeps_a_hundred() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let ann = Person::new(world, "ann.test");
        let mut named: Vec<String> = (0..10_000).map(|number| format!("https://else.test/{number}")).collect();
        named.push(article.clone());
        ann.post(&ann.activity("Flag", "r1", json!(named))).await;
        world.drain().await;
        assert_eq!(last_verdict(world).await.0, "accepted", "{}", last_verdict(world).await.1);
        let mut conn = world.app.db.read().await.expect("a connection");
        let reports = veerpont::moderation::store::reports(&mut conn, false, None, 10).await.expect("reports").items;
        let report = reports.first().expect("a report");
        assert_eq!((report.objects.len(), report.more, report.objects.first()), (100, 9_901, Some(&article)));
    })
    .await;
}

async fn ask(app: &App, url: String, asked_by: &'static str) {
    let (ids, now) = (app.ids.clone(), app.clock.now());
    let write = app.db.write(move |conn| {
        Box::pin(async move {
            let want = FetchJob { url, purpose: Purpose::Post, article: None, depth: 0, after: Duration::ZERO };
            fetch_queue::ask(conn, &ids, &want, Asker { inbound: None, domain: asked_by }, now).await
        })
    });
    let asked: sqlx::Result<bool> = write.await;
    assert!(asked.expect("asked"));
}

async fn claim(app: &App) -> Vec<DueFetch> {
    let (claimer, now) = (app.clone(), app.clock.now());
    let claim =
        app.db.write(move |conn| Box::pin(async move { fetch_queue::claim(conn, &claimer.db, "node", 16, now).await }));
    let done: sqlx::Result<_> = claim.await;
    done.expect("claimed")
}

#[tokio::test]
async fn slow_servers_of_one_who_asks_hold_up_nobody_else() {
    on_each_engine(async |world| {
        assert_eq!(registrable("h1.slow.example"), "slow.example");
        for number in 0..40 {
            ask(&world.app, format!("https://h{number}.slow.example/1"), "slow.example").await;
        }
        for number in 0..2 {
            ask(&world.app, format!("https://h{number}.good.example/1"), "good.example").await;
        }
        let of = |claimed: &[DueFetch], who: &str| claimed.iter().filter(|one| one.asked_by == who).count();
        let first = claim(&world.app).await;
        let most = usize::try_from(OF_ASKER).expect("a number");
        assert_eq!((of(&first, "slow.example"), of(&first, "good.example")), (most, 2));
        // While those are under way, the one who has so many waits, and others do not.
        ask(&world.app, "https://late.example/1".to_owned(), "late.example").await;
        let next = claim(&world.app).await;
        assert_eq!(next.iter().map(|one| one.asked_by.as_str()).collect::<Vec<_>>(), ["late.example"]);
        let (ended, now) = (first[0].clone(), world.app.clock.now());
        let settle = world
            .app
            .db
            .write(move |conn| Box::pin(async move { fetch_queue::settle(conn, &ended, "read", "read", now).await }));
        let settled: sqlx::Result<bool> = settle.await;
        assert!(settled.expect("settled"));
        assert_eq!(of(&claim(&world.app).await, "slow.example"), 1, "one ended, one begins");
    })
    .await;
}

//! Ten years of a house: what stands is kept, and nothing else piles up.

use std::time::Duration;

use veerpont::inbox;
use veerpont::server::retention;

use crate::threads::Person;
use crate::world::{MAREN, World, on_each_engine, taken};

/// A quarter, and how many make ten years.
const QUARTER: Duration = Duration::from_hours(91 * 24);
const QUARTERS: usize = 40;

/// After these nothing grows any more that is not of what stands.
const FIRST: usize = 6;

/// Quarters that are not forgotten yet: half a year, and the one that began since.
const KEPT: i64 = 3;

async fn count(world: &World, query: &'static str) -> i64 {
    let mut conn = world.app.db.read().await.expect("a connection");
    sqlx::query_scalar(query).fetch_one(&mut *conn).await.expect("a number")
}

async fn tidy(world: &World) {
    inbox::housekeeping::tidy(&world.app).await.expect("texts are forgotten");
    // As often as it runs in some hours: each time it goes on where it ended.
    for _ in 0..4 {
        retention::tidy(&world.app).await.expect("rows are forgotten");
    }
}

/// A quarter: an article that stays, and one that is deleted in the next; somebody comes, likes it, answers, and goes.
async fn quarter(world: &World, reader: &harness::Peer, number: usize) {
    world.write_post(&format!("stays-{number}"), "The ferry", &format!("It sails at {number}."), &["maren"]);
    world.publish().await;
    let visitor = Person::new(world, &format!("visitor{number}.test"));
    let actor = maren(world).await;
    let follow = visitor.activity("Follow", "f", actor.as_str());
    visitor.send(world, &follow).await;
    world.write_post(&format!("goes-{number}"), "The tide", &format!("High at {number}."), &["maren"]);
    world.publish().await;
    let gone = taken(reader, "Create").pop().expect("a Create").object_id;
    let like = visitor.activity("Like", "l", gone.as_str());
    visitor.send(world, &like).await;
    for (name, object) in [("u1", like), ("u2", follow)] {
        visitor.send(world, &visitor.activity("Undo", name, object)).await;
    }
    world.advance(QUARTER);
    world.sync_removal(&format!("goes-{number}")).await;
    tidy(world).await;
}

async fn maren(world: &World) -> String {
    let uuid: String = {
        let mut conn = world.app.db.read().await.expect("a connection");
        sqlx::query_scalar("SELECT uuid FROM actors WHERE handle = 'maren'").fetch_one(&mut *conn).await.expect("her")
    };
    format!("https://social.example.org/ap/actors/{uuid}")
}

#[tokio::test]
async fn ten_years_leave_what_stands() {
    on_each_engine(async |world| {
        world.publish().await;
        let reader = world.peer("reader.test", &["ann"]);
        world.follow(&reader, "ann", MAREN).await;
        let mut sizes: Vec<[i64; 8]> = Vec::new();
        for number in 0..QUARTERS {
            quarter(world, &reader, number).await;
            sizes.push([
                count(world, "SELECT COUNT(*) FROM deliveries").await,
                count(
                    world,
                    "SELECT COUNT(*) FROM activities WHERE body <> '{}' AND kind NOT IN ('Create', 'Announce')",
                )
                .await,
                count(world, "SELECT COUNT(*) FROM inbound").await,
                count(world, "SELECT COUNT(*) FROM remote_actors").await,
                count(world, "SELECT COUNT(*) FROM inboxes").await,
                count(world, "SELECT COUNT(*) FROM hosts").await,
                count(world, "SELECT COUNT(*) FROM relations").await,
                count(world, "SELECT COUNT(*) FROM activities WHERE audience = 'one'").await,
            ]);
        }
        let (early, late) = (sizes[FIRST], sizes[QUARTERS - 1]);
        assert!(late.iter().zip(early).all(|(late, early)| *late <= early), "{early:?}, then {late:?}");
        // One visitor a quarter, and the reader.
        assert!(late[3] <= KEPT + 1 && late[5] <= KEPT + 1, "{late:?}");
        // The reader was sent everything that stands, and what went of late.
        let quarters = i64::try_from(QUARTERS).expect("few");
        let reached = count(world, "SELECT COUNT(*) FROM article_delivered").await;
        assert!((quarters..=quarters + 3 * KEPT).contains(&reached), "{reached}");
        // Ids and ends stay, and so does what explains that somebody follows.
        assert_eq!(count(world, "SELECT COUNT(*) FROM articles WHERE deleted_at IS NOT NULL").await, quarters);
        assert_eq!(count(world, "SELECT COUNT(*) FROM followers").await, 1);
        let begun = "SELECT COUNT(*) FROM inbound i JOIN followers f ON f.follow_id = i.activity_id";
        assert_eq!(count(world, begun).await, 1);
        // An old article is edited: whoever was sent it hears of it.
        world.write_post("stays-0", "The ferry", "It sails no more.", &["maren"]);
        world.publish().await;
        let update = taken(&reader, "Update").pop().expect("an Update");
        assert!(update.activity.to_string().contains("no more"));
    })
    .await;
}

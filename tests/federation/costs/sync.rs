//! What the first sync of a site costs in statements, until everything stands in the outboxes.

use crate::statements::Counting;
use crate::world::on_each_engine;

/// Most statements of a post: its row and its article's, whether anything was said of it, the revision that is said, and two
/// for each of its activities; and what is asked once for many.
const STATEMENTS: usize = 9;

/// Most rows that the database hands over for a post.
const ROWS: u64 = 5;

#[tokio::test]
async fn a_post_of_a_first_sync_costs_a_few_statements_however_many_there_are() {
    for posts in [100, 1_000] {
        on_each_engine(async |world| {
            for number in 0..posts {
                world.write_post(
                    &format!("post-{number}"),
                    &format!("Post {number}"),
                    "It sails at ten.",
                    &["maren", "joris"],
                );
            }
            let counting = Counting::begin();
            world.publish().await;
            let statements = counting.take();
            assert!(statements.with("INSERT INTO articles") >= posts, "{}", statements.breakdown());
            // The start of everything, whatever the number of posts.
            let (each, rows) = (statements.len().saturating_sub(200) / posts, statements.rows() / posts as u64);
            // The second author's Announce comes besides.
            assert!(each <= STATEMENTS + 2 && rows <= ROWS + 1, "{posts}: {each} {rows}\n{}", statements.breakdown());
        })
        .await;
    }
}

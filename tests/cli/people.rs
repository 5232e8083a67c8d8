//! People elsewhere, written into a team account's database as they would be after they came: a follower, replies, private words.

use serde_json::json;
use sqlx::{AnyConnection, AssertSqlSafe, Connection};

use crate::Home;

/// Whose id the people have.
pub(crate) const EVE: &str = "https://peer.test/users/eve";
/// A reply of Eve's, held.
pub(crate) const REPLY: &str = "https://peer.test/notes/1";
/// Private words of Eve's, kept for Ann.
pub(crate) const NOTICE: &str = "https://peer.test/notes/2";

/// Runs statements on a team account's database.
pub(crate) fn run_sql(home: &Home, sql: &str) {
    let url = format!("sqlite://{}", home.path("data/veerpont.db").display());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        sqlx::any::install_default_drivers();
        let mut conn = AnyConnection::connect(&url).await.expect("a database");
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut conn).await.expect("done");
        conn.close().await.expect("closed");
    });
}

/// Eve follows Ann, answered the first post behind a warning with a link, and wrote to Ann alone.
pub(crate) fn arrive(home: &Home) {
    let words = |content: &str, warning: Option<&str>| {
        json!({ "audience": "public", "title": null, "warning": warning, "sensitive": warning.is_some(), "content": content,
            "options": [], "language": "en", "url": REPLY, "mentions": [], "attachments": [], "emoji": [], "quotes": null })
        .to_string()
        .replace('\'', "''")
    };
    let reply = words(
        "<p>See <a href=\"https://evil.test/pay?a=1&amp;b=2\" rel=\"nofollow\">bank.example</a></p>",
        Some("money"),
    );
    let notice = words("<p>For your eyes only</p>", None);
    run_sql(
        home,
        &format!(
            "INSERT INTO hosts (id, name) VALUES (1, 'peer.test');
             INSERT INTO inboxes (id, host_id, url, shared) VALUES (1, 1, '{EVE}/inbox', 0);
             INSERT INTO remote_actors (id, url, kind, username, name, profile_url, inbox_id, fetched_at)
                 VALUES (1, '{EVE}', 'Person', 'eve', 'Eve', '{EVE}', 1, 1);
             INSERT INTO followers (actor_id, remote_actor_id, inbox_id, follow_id, since)
                 SELECT id, 1, 1, '{EVE}/follows/1', 1 FROM actors WHERE handle = 'ann';
             INSERT INTO interactions (id, article_id, remote_actor_id, kind, activity_id, object_id, document, published_at,
                 received_at, held_at, hidden_why)
                 SELECT 1, id, 1, 'reply', '{REPLY}/activity', '{REPLY}', '{reply}', 1, 1, 1, 'a first reply' FROM articles;
             INSERT INTO interactions (id, article_id, remote_actor_id, kind, activity_id, object_id, document, published_at,
                 received_at)
                 SELECT 2, id, 1, 'notice', '{NOTICE}/activity', '{NOTICE}', '{notice}', 2, 2 FROM articles;"
        ),
    );
}

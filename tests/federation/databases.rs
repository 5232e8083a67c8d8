//! Every engine gives each test an empty database of its own.

use sqlx::{AnyConnection, Connection, Executor};

use crate::support::engines;

#[tokio::test]
async fn each_test_has_a_database_of_its_own() {
    sqlx::any::install_default_drivers();
    for engine in engines() {
        let first = engine.database().await;
        let second = engine.database().await;
        assert_ne!(first.url, second.url, "{:?}", first.engine);
        for database in [first, second] {
            let create = if database.url.starts_with("sqlite:") { "?mode=rwc" } else { "" };
            let url = format!("{}{create}", database.url);
            let mut connection = AnyConnection::connect(&url).await.expect("the database answers");
            connection.execute("CREATE TABLE mark (id BIGINT PRIMARY KEY)").await.expect("it was empty");
            connection.close().await.expect("it says goodbye");
        }
    }
}

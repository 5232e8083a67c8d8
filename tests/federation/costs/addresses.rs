//! To see what an address names costs a handful of statements, whatever address it is, and however much is kept.

use veerpont::model::interaction::named::named;

use crate::statements::Counting;
use crate::threads::{Person, article, id};
use crate::world::on_each_engine;

#[tokio::test]
async fn what_an_address_names_is_seen_with_five_statements() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let person = Person::new(world, "peer.test");
        for number in 1..=30 {
            let mut note = person.note(number, &article);
            note["url"] = format!("https://peer.test/@u/{number}").into();
            person.send(world, &person.activity("Create", &format!("create/{number}"), note)).await;
        }
        for (address, most) in [
            (article.as_str(), 1),
            (&id(&person.note(7, &article)), 1),
            ("https://example.org/post/ferry/?utm_source=x", 3),
            ("https://peer.test/@u/7?utm_source=x", 4),
            ("https://elsewhere.test/a?b=c#d", 3),
            ("https://social.example.org/ap/resolve?url=https://elsewhere.test/a", 4),
            ("https://social.example.org/@maren/00000000-0000-4000-8000-000000000000#r1", 2),
            ("no address", 1),
        ] {
            // Had before the counting, since a connection that is opened says something of its own.
            let mut conn = world.app.db.read().await.expect("a connection");
            let counting = Counting::begin();
            named(&mut conn, &world.app.urls, address).await.expect("a look");
            let statements = counting.take();
            assert!(statements.len() <= most, "{address}: {}", statements.breakdown());
        }
    })
    .await;
}

//! What activities of others cost in statements, from the request to the verdict: many at once, of people who are known.

use futures::future::join_all;
use serde_json::Value;

use crate::statements::{Counting, Statements};
use crate::threads::{Person, article};
use crate::world::{World, on_each_engine};

/// Servers, and people of each.
const SERVERS: usize = 10;
const PEOPLE: usize = 20;

/// Most statements of each, from its arrival to its verdict; of a Follow to the delivery of its Accept.
const LIKE: usize = 6;
const REPLY: usize = 10;
const FOLLOW: usize = 12;

/// People whom the bridge has heard of before.
async fn people(world: &World, article: &str) -> Vec<Person> {
    let mut people = Vec::new();
    for server in 0..SERVERS {
        let first = Person::new(world, &format!("peer{server}.test"));
        people.extend((1..PEOPLE).map(|number| first.neighbour(&format!("/users/u{number}"))));
        people.push(first);
    }
    for person in &people {
        person.post(&person.activity("Dislike", "dislike", article)).await;
    }
    world.drain().await;
    // Old enough for their servers not to be new here.
    world.advance(std::time::Duration::from_hours(72));
    people
}

/// What it costs that everybody sends something at once.
async fn all_send(world: &World, people: &[Person], said: impl Fn(&Person) -> Value) -> Statements {
    let counting = Counting::begin();
    join_all(people.iter().map(|person| {
        let said = said(person);
        async move { person.post(&said).await }
    }))
    .await;
    world.drain().await;
    counting.take()
}

fn each_costs(statements: &Statements, people: &[Person], most: usize) {
    let each = statements.len().div_ceil(people.len());
    assert!(statements.len() <= most * people.len(), "{each} for each\n{}", statements.breakdown());
}

#[tokio::test]
async fn an_activity_costs_a_few_statements() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let people = people(world, &article).await;
        let likes = all_send(world, &people, |person| person.activity("Like", "like", article.as_str())).await;
        each_costs(&likes, &people, LIKE);
        let replies =
            all_send(world, &people, |person| person.activity("Create", "create", person.note(1, &article))).await;
        each_costs(&replies, &people, REPLY);
        let maren = people.first().expect("somebody").server.clone();
        let found = maren.ask(&article).await;
        let document: Value = serde_json::from_str(&found.body).expect("JSON");
        let author = document["attributedTo"].as_str().expect("an author").to_owned();
        let follows = all_send(world, &people, |person| person.activity("Follow", "follow", author.as_str())).await;
        each_costs(&follows, &people, FOLLOW);
    })
    .await;
}

//! People elsewhere and what they say, put into the tables as the inbox does.

use std::time::Duration;

use serde_json::json;

use super::Site;
use crate::activitypub::incoming::{self, Attachment, Audience, Emoji};
use crate::base::ids::{InteractionId, RemoteActorId};
use crate::federation::remote;
use crate::model::interaction::store::{NewPost, NewReaction};
use crate::model::interaction::{self, Author, Kind, State, Target, Words};
use crate::model::post::Article;

/// Somebody at `m.example` with a picture and an emoji in their name.
pub(super) async fn person(site: &Site, user: &str) -> RemoteActorId {
    person_called(site, user, user, &format!("{user} <b>:boat:</b>")).await
}

/// Somebody at `m.example` who says that they are called so.
pub(super) async fn person_called(site: &Site, id: &str, user: &str, name: &str) -> RemoteActorId {
    let id = format!("https://m.example/users/{id}");
    let document = json!({
        "@context": "https://www.w3.org/ns/activitystreams", "id": id, "type": "Person", "preferredUsername": user,
        "name": name, "inbox": format!("{id}/inbox"), "url": id.replace("users/", "@"),
        "icon": { "type": "Image", "url": format!("{}.png", id.replace("users/", "")) },
        "tag": [{ "type": "Emoji", "name": ":boat:", "icon": { "url": "https://m.example/boat.png" } }],
    });
    let actor = incoming::parse_actor(&document).expect("an actor");
    let (ids, now) = (site.app.ids.clone(), site.app.clock.now());
    let kept = site
        .app
        .db
        .write(move |conn| Box::pin(async move { remote::actors::keep(conn, &ids, actor, None, now).await }));
    kept.await.expect("an actor").id
}

pub(super) async fn reply(
    site: &Site,
    article: &Article,
    author: RemoteActorId,
    parent: Option<InteractionId>,
    minute: u64,
) -> InteractionId {
    reply_with(site, article, author, parent, minute, |_| {}).await
}

/// A reply, so many minutes after the article, with words as the test wants them.
pub(super) async fn reply_with(
    site: &Site,
    article: &Article,
    author: RemoteActorId,
    parent: Option<InteractionId>,
    minute: u64,
    change: impl FnOnce(&mut Words),
) -> InteractionId {
    let mut words = words(minute);
    change(&mut words);
    keep(site, article, Author::Remote(author), parent, minute, words).await
}

/// What @ann answers.
pub(super) async fn answer(
    site: &Site,
    article: &Article,
    parent: Option<InteractionId>,
    minute: u64,
) -> InteractionId {
    keep(site, article, Author::Local(site.ann.id), parent, minute, words(minute)).await
}

fn words(minute: u64) -> Words {
    Words {
        audience: Audience::Public,
        title: None,
        warning: None,
        sensitive: false,
        content: format!("<p>Said at {minute}</p>"),
        options: Vec::new(),
        language: None,
        url: format!("https://m.example/@/{minute}"),
        mentions: Vec::new(),
        attachments: vec![Attachment {
            url: "https://m.example/view.jpg".to_owned(),
            media_type: Some("image/jpeg".to_owned()),
            alt: Some("A view".to_owned()),
        }],
        emoji: vec![Emoji { shortcode: ":boat:".to_owned(), url: "https://m.example/boat.png".to_owned() }],
        quotes: None,
    }
}

async fn keep(
    site: &Site,
    article: &Article,
    author: Author,
    parent: Option<InteractionId>,
    minute: u64,
    words: Words,
) -> InteractionId {
    let (id, now) = (InteractionId(site.app.ids.row()), site.app.clock.now());
    let published = article.published_at + Duration::from_secs(60 * minute);
    let article = article.id;
    let number = site.number();
    let object_id = format!("https://m.example/notes/{minute}-{number}");
    let kept = site.app.db.write(move |conn| {
        Box::pin(async move {
            let activity_id = format!("{object_id}/create");
            let post = NewPost {
                id,
                article,
                author,
                kind: Kind::Reply,
                activity_id: &activity_id,
                object_id: &object_id,
                uuid: None,
                parent,
                words: &words,
                published,
                updated: None,
                held: None,
            };
            interaction::store::insert_post(conn, &post, now).await
        })
    });
    kept.await.expect("a reply");
    id
}

/// What a moderator, or whoever said it, made of it.
pub(super) async fn set_state(site: &Site, id: InteractionId, state: State) {
    let now = site.app.clock.now();
    let done = site.app.db.write(move |conn| {
        Box::pin(async move {
            if state == State::Deleted {
                return interaction::store::end_post(conn, id, now).await;
            }
            interaction::store::decide(conn, id, state, Some("a test"), now).await
        })
    });
    done.await.expect("a state");
}

pub(super) async fn like(site: &Site, article: &Article, who: RemoteActorId, reaction: Option<&'static str>) {
    opinion(site, article, who, Kind::Like, reaction).await;
}

pub(super) async fn boost(site: &Site, article: &Article, who: RemoteActorId) {
    opinion(site, article, who, Kind::Boost, None).await;
}

async fn opinion(site: &Site, article: &Article, who: RemoteActorId, kind: Kind, reaction: Option<&'static str>) {
    let (id, now) = (InteractionId(site.app.ids.row()), site.app.clock.now());
    let target = Target { article: article.id, said: None };
    let kept = site.app.db.write(move |conn| {
        Box::pin(async move {
            let activity_id = format!("https://m.example/{id}");
            let opinion = NewReaction { id, target, author: who, kind, activity_id: &activity_id, reaction };
            interaction::store::put_opinion(conn, &opinion, now).await
        })
    });
    kept.await.expect("an opinion");
}

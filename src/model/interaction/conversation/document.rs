//! The conversation's own JSON (docs/api.md), from what was read: pure but for our own addresses.

use clock::Timestamp;
use serde_json::{Value, json};

use super::media::{MediaRef, MediaUrls};
use super::{Conversation, page_of};
use crate::activitypub::incoming::{Attachment, Emoji};
use crate::app::App;
use crate::model::interaction::{Author, Person, Shown, State, Words};

/// A page of a conversation.
pub(crate) fn conversation(app: &App, conversation: &Conversation, album: &mut MediaUrls) -> Value {
    let article = &conversation.article;
    let id = app.urls.article(article.uuid);
    let next = conversation.next.map(|from| format!("{}/api/v1/conversation?id={id}&from={from}", app.urls.origin()));
    let likes: Vec<Value> = conversation
        .likes
        .iter()
        .map(|(who, reaction)| {
            let mut liker = person(who, album);
            if let Some(liker) = liker.as_object_mut() {
                liker.insert("reaction".to_owned(), json!(reaction));
            }
            liker
        })
        .collect();
    let boosts: Vec<Value> = conversation.boosts.iter().map(|who| person(who, album)).collect();
    let replies: Vec<Value> = conversation.replies.iter().map(|(shown, _)| reply(shown, album)).collect();
    json!({
        "article": {
            "id": id,
            "url": article.url,
            "title": article.content.title,
            "published": article.published_at.rfc3339(),
            "language": article.content.language,
            "author": person(&conversation.author(app), album),
            "page": page_of(app, &conversation.owner, article),
        },
        "likes": { "total": conversation.answers.likes, "people": likes },
        "boosts": { "total": conversation.answers.boosts, "people": boosts },
        "replies": { "total": conversation.answers.replies, "items": replies, "next": next },
    })
}

fn person(who: &Person, album: &mut MediaUrls) -> Value {
    json!({
        "id": who.id,
        "name": who.name,
        "handle": who.handle,
        "url": who.url,
        "avatar": avatar(who, album),
        "emoji": emoji(&who.emoji, album, |number| name_emoji(who, number)),
        "ours": who.ours,
    })
}

/// The address of an account's picture.
pub(crate) fn avatar(who: &Person, album: &mut MediaUrls) -> Option<String> {
    let spot = match who.row {
        Author::Remote(id) => MediaRef::Avatar(id),
        Author::Local(id) => MediaRef::LocalAvatar(id),
    };
    album.show(spot, who.avatar.as_deref()?)
}

/// Where one of the emoji of an account's name is stored.
pub(crate) fn name_emoji(who: &Person, number: usize) -> Option<MediaRef> {
    match who.row {
        Author::Remote(id) => Some(MediaRef::NameEmoji(id, number)),
        Author::Local(_) => None,
    }
}

fn emoji(emoji: &[Emoji], album: &mut MediaUrls, spot: impl Fn(usize) -> Option<MediaRef>) -> Vec<Value> {
    let show = |(number, emoji): (usize, &Emoji)| {
        let url = album.show(spot(number)?, &emoji.url)?;
        Some(json!({ "shortcode": emoji.shortcode, "url": url }))
    };
    emoji.iter().enumerate().filter_map(show).collect()
}

fn reply(shown: &Shown, album: &mut MediaUrls) -> Value {
    let Some(words) = shown.words.as_ref().filter(|_| shown.state == State::Shown) else { return gone(shown) };
    json!({
        "id": shown.id,
        "url": words.url,
        "parent": shown.parent,
        "author": person(&shown.author, album),
        "published": shown.published.rfc3339(),
        "updated": shown.updated.map(Timestamp::rfc3339),
        "language": words.language,
        "title": words.title.as_deref().map(html::straight),
        "warning": words.warning.as_deref().map(html::straight),
        "sensitive": words.sensitive,
        "content": html::clean_strangers_again(&words.content),
        "attachments": attachments(shown, words, album),
        "emoji": emoji(&words.emoji, album, |number| Some(MediaRef::Emoji(shown.row, number))),
        "options": words.options.iter().map(|option| html::straight(option)).collect::<Vec<_>>(),
        "gone": false,
    })
}

/// The tombstone of a reply that is no longer shown, or not yet: nothing of its author or text, and no link to them.
/// Its id is what the answers below it name as their parent.
fn gone(shown: &Shown) -> Value {
    json!({
        "id": shown.id,
        "url": null,
        "parent": shown.parent,
        "author": null,
        "published": shown.published.rfc3339(),
        "updated": null,
        "language": null,
        "title": null,
        "warning": null,
        "sensitive": false,
        "content": "",
        "attachments": [],
        "emoji": [],
        "options": [],
        "gone": true,
    })
}

fn attachments(shown: &Shown, words: &Words, album: &mut MediaUrls) -> Vec<Value> {
    let show = |(number, attachment): (usize, &Attachment)| {
        json!({
            "url": attachment.url,
            "media_type": attachment.media_type,
            "alt": attachment.alt.as_deref().map(html::straight),
            "preview": preview(shown, number, attachment, album),
        })
    };
    words.attachments.iter().enumerate().map(show).collect()
}

/// The address of a picture attached to a reply; other media are links.
pub(crate) fn preview(shown: &Shown, number: usize, attachment: &Attachment, album: &mut MediaUrls) -> Option<String> {
    let kind = attachment.media_type.as_deref()?;
    let is_picture = kind.starts_with("image/") && !kind.starts_with("image/svg");
    is_picture.then(|| album.show(MediaRef::Attachment(shown.row, number), &attachment.url)).flatten()
}

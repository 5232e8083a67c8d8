//! The shape of Mastodon's API, as far as comment widgets for static sites read it (Status, Context, Account).

use std::collections::HashMap;

use clock::Timestamp;
use serde_json::{Value, json};
use url::Url;

use super::document::{avatar, name_emoji, preview};
use super::{Conversation, id_of};
use crate::activitypub::incoming::{Attachment, Audience, Emoji, Mention};
use crate::app::App;
use crate::base::ids::{Host, split_handle};
use crate::model::interaction::conversation::media::{MediaRef, MediaUrls};
use crate::model::interaction::{Author, Person, Shown, State, Words};
use crate::web::assets;

/// An article as a Status: widgets show its summary.
pub(super) fn status(app: &App, conversation: &Conversation, album: &mut MediaUrls) -> Value {
    let article = &conversation.article;
    let content = &article.content;
    let text = if content.summary.is_empty() { &content.content } else { &content.summary };
    json!({
        "id": id_of(article),
        "uri": app.urls.article(article.uuid),
        "url": article.url,
        "created_at": article.published_at.rfc3339(),
        "edited_at": article.updated_at.map(Timestamp::rfc3339),
        "in_reply_to_id": null,
        "in_reply_to_account_id": null,
        "sensitive": false,
        "spoiler_text": "",
        "visibility": if article.unlisted { "unlisted" } else { "public" },
        "language": content.language,
        "replies_count": conversation.answers.replies,
        "reblogs_count": conversation.answers.boosts,
        "favourites_count": conversation.answers.likes,
        "quotes_count": conversation.answers.quotes,
        "content": html::clean(text),
        "reblog": null,
        "account": account(app, &conversation.author(app), album),
        "media_attachments": [],
        "mentions": [],
        "tags": content.tags.iter().map(|tag| json!({ "name": tag })).collect::<Vec<_>>(),
        "emojis": [],
        "card": null,
        "poll": null,
    })
}

/// The replies, as a Context. What is not shown is left out: its answers answer what it answered.
pub(super) fn context(
    app: &App,
    root: &str,
    owner: &Author,
    replies: &[(Shown, usize)],
    album: &mut MediaUrls,
) -> Value {
    let known: HashMap<&str, &Shown> = replies.iter().map(|(shown, _)| (shown.id.as_str(), shown)).collect();
    let mut answers: HashMap<String, u64> = HashMap::new();
    let mut statuses = Vec::new();
    for (shown, _) in replies {
        let Some(words) = shown.words.as_ref().filter(|_| shown.state == State::Shown) else { continue };
        let (parent, whose) = match shown_above(&known, shown) {
            Some(above) => (row(above), author_id(&above.author.row)),
            None => (root.to_owned(), author_id(owner)),
        };
        *answers.entry(parent.clone()).or_default() += 1;
        statuses.push(reply(app, shown, words, (&parent, &whose), album));
    }
    for status in &mut statuses {
        let count = status.get("id").and_then(Value::as_str).and_then(|id| answers.get(id)).copied().unwrap_or(0);
        if let Some(status) = status.as_object_mut() {
            status.insert("replies_count".to_owned(), count.into());
        }
    }
    json!({ "ancestors": [], "descendants": statuses })
}

/// The nearest ancestor that is shown.
fn shown_above<'a>(known: &HashMap<&str, &'a Shown>, shown: &Shown) -> Option<&'a Shown> {
    let mut above = *known.get(shown.parent.as_deref()?)?;
    // A post was written into the tables before its answers, so this ends.
    while above.state != State::Shown {
        above = *known.get(above.parent.as_deref()?)?;
    }
    Some(above)
}

fn row(shown: &Shown) -> String {
    shown.row.to_string()
}

fn author_id(author: &Author) -> String {
    match author {
        Author::Remote(id) => id.to_string(),
        Author::Local(id) => id.to_string(),
    }
}

fn reply(app: &App, shown: &Shown, words: &Words, (parent, whose): (&str, &str), album: &mut MediaUrls) -> Value {
    let spoiler = words.warning.as_deref().or(words.title.as_deref()).unwrap_or_default();
    json!({
        "id": row(shown),
        "uri": shown.id,
        "url": words.url,
        "created_at": shown.published.rfc3339(),
        "edited_at": shown.updated.map(Timestamp::rfc3339),
        "in_reply_to_id": parent,
        "in_reply_to_account_id": whose,
        "sensitive": words.sensitive || words.warning.is_some(),
        "spoiler_text": html::straight(spoiler),
        "visibility": if words.audience == Audience::Unlisted { "unlisted" } else { "public" },
        "language": words.language,
        "replies_count": 0,
        "reblogs_count": 0,
        "favourites_count": 0,
        "quotes_count": 0,
        "content": html::clean_strangers_again(&words.content),
        "reblog": null,
        "account": account(app, &shown.author, album),
        "media_attachments": words.attachments.iter().enumerate().map(|(number, one)| media(shown, number, one, album)).collect::<Vec<_>>(),
        "mentions": words.mentions.iter().filter_map(mention).collect::<Vec<_>>(),
        "tags": [],
        "emojis": emojis(&words.emoji, album, |number| Some(MediaRef::Emoji(shown.row, number))),
        "card": null,
        "poll": null,
    })
}

/// People as a list of Accounts.
pub(super) fn accounts<'a>(app: &App, people: impl Iterator<Item = &'a Person>, album: &mut MediaUrls) -> Value {
    people.map(|who| account(app, who, album)).collect()
}

fn account(app: &App, who: &Person, album: &mut MediaUrls) -> Value {
    let acct = who.handle.trim_start_matches('@');
    // Widgets put it into an `<img>` unchecked.
    let avatar = avatar(who, album).unwrap_or_else(|| format!("{}{}", app.urls.origin(), assets::FACE.path()));
    json!({
        "id": author_id(&who.row),
        "username": split_handle(acct).0,
        "acct": acct,
        "display_name": who.name,
        "uri": who.id,
        "url": who.url,
        "avatar": avatar,
        "avatar_static": avatar,
        "emojis": emojis(&who.emoji, album, |number| name_emoji(who, number)),
        "fields": [],
        "note": "",
    })
}

fn emojis(emoji: &[Emoji], album: &mut MediaUrls, spot: impl Fn(usize) -> Option<MediaRef>) -> Vec<Value> {
    let show = |(number, emoji): (usize, &Emoji)| {
        let url = album.show(spot(number)?, &emoji.url)?;
        let shortcode = emoji.shortcode.trim_matches(':');
        Some(json!({ "shortcode": shortcode, "url": url, "static_url": url, "visible_in_picker": false }))
    };
    emoji.iter().enumerate().filter_map(show).collect()
}

fn media(shown: &Shown, number: usize, attachment: &Attachment, album: &mut MediaUrls) -> Value {
    let preview = preview(shown, number, attachment, album);
    let kind = attachment.media_type.as_deref().unwrap_or_default();
    let kind = match kind.split('/').next() {
        Some("image") if preview.is_some() => "image",
        Some("video") => "video",
        Some("audio") => "audio",
        _ => "unknown",
    };
    json!({
        "id": format!("{}-{number}", shown.row),
        "type": kind,
        "url": preview.as_deref().unwrap_or(&attachment.url),
        "preview_url": preview,
        "remote_url": attachment.url,
        "description": attachment.alt.as_deref().map(html::straight),
    })
}

/// A mention: widgets put this into their pages as it is, so the sender's own text is not used but for a checked user
/// name; the host is that of the actor.
fn mention(mention: &Mention) -> Option<Value> {
    let url = Url::parse(&mention.href).ok()?;
    let host = Host::of(&url)?;
    let written = mention.name.as_deref().unwrap_or_default().trim_start_matches('@');
    let username = html::username(written.split('@').next().unwrap_or_default()).unwrap_or(html::UNNAMED);
    Some(json!({ "id": url.as_str(), "username": username, "acct": format!("{username}@{host}"), "url": url.as_str() }))
}

//! Our authors answer: a note of theirs in a conversation, its edits and its Delete. Each writes one row; the outbox
//! loop publishes it.

mod place;

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use clock::Timestamp;

use self::place::ReplyTarget;
use crate::activitypub::actor::ActorKind;
use crate::activitypub::incoming::{Audience, Mention};
use crate::activitypub::note::rendered;
use crate::activitypub::urls::Local;
use crate::app::App;
use crate::app::worker::apart;
use crate::base::ids::{Handle, Ids, InteractionId};
use crate::db::Conn;
use crate::federation::delivery;
use crate::federation::remote;
use crate::model::author::{self, Actor};
use crate::model::follower;
use crate::model::interaction::named::{Named, named};
use crate::model::interaction::store::NotesToEnd;
use crate::model::interaction::{self, Author, Note, State, Words};
use crate::model::post::{self, Article};

/// Longest answer, in characters of its Markdown.
pub(crate) const TEXT_MAX: usize = 5000;

/// Most people addressed by one answer, so that a reply with many mentions cannot make us contact all of them (interop
/// E23).
const MENTIONED_MAX: usize = 20;

/// What an author writes.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The author's handle.
    pub author: Handle,
    /// What it answers: the id or page of an article or a reply.
    pub to: String,
    /// Markdown.
    pub text: String,
    /// BCP 47 tag; `None` for that of the article.
    pub language: Option<String>,
}

/// Writes an answer; the outbox loop sends it.
///
/// # Errors
/// A sentence for the operator when it cannot be sent, or the database's.
pub async fn send(app: &App, draft: Draft) -> anyhow::Result<Note> {
    let (ours, now) = (app.clone(), app.clock.now());
    let text = draft.text.clone();
    let content = apart(move || content(&text)).await??;
    app.db.decide(move |conn| Box::pin(async move { write(&ours, conn, &draft, content, now).await })).await
}

async fn write(app: &App, conn: &mut Conn, draft: &Draft, content: String, now: Timestamp) -> anyhow::Result<Note> {
    let author = speaking(conn, &draft.author).await?;
    let place = place::find(app, conn, &draft.to).await?;
    let language = language(draft.language.as_deref(), &place.article)?;
    let mentions = mentions(app, conn, &author, &place).await?;
    let unlisted = place.article.unlisted || place.is_unlisted();
    let (uuid, id) = (Ids::uuid(), InteractionId(app.ids.row()));
    let object_id = app.urls.note(uuid);
    let words = Words {
        audience: if unlisted { Audience::Unlisted } else { Audience::Public },
        title: None,
        warning: None,
        sensitive: false,
        content,
        options: Vec::new(),
        language,
        url: object_id.clone(),
        mentions,
        attachments: Vec::new(),
        emoji: Vec::new(),
        quotes: None,
    };
    let note = Note {
        id,
        uuid,
        article: place.article.id,
        author: author.id,
        parent: place.parent.as_ref().map(|parent| parent.reply.id),
        answers: place.parent.map(|parent| parent.reply.object_id),
        words: None,
        source: Some(draft.text.trim().to_owned()),
        published: now,
        updated: None,
        state: State::Shown,
        ended_at: None,
        revision: 1,
        published_revision: 0,
    };
    interaction::store::insert_note(conn, &note, &object_id, &words).await?;
    Ok(Note { words: Some(words), ..note })
}

/// Changes the text of an answer; returns whether it is different.
///
/// # Errors
/// A sentence for the operator when it cannot be edited, or the database's.
pub async fn edit(app: &App, url: &str, text: &str) -> anyhow::Result<(Note, bool)> {
    let (ours, url, text, now) = (app.clone(), url.to_owned(), text.to_owned(), app.clock.now());
    let (text, content) = apart(move || content(&text).map(|content| (text, content))).await??;
    app.db.decide(move |conn| Box::pin(async move { rewrite(&ours, conn, &url, (&text, content), now).await })).await
}

async fn rewrite(
    app: &App,
    conn: &mut Conn,
    url: &str,
    (text, content): (&str, String),
    now: Timestamp,
) -> anyhow::Result<(Note, bool)> {
    let note = standing(app, conn, url).await?;
    let source = text.trim();
    if note.source.as_deref() == Some(source) {
        return Ok((note, false));
    }
    let words = note.words.clone().context("the words of this answer are not in the database")?;
    let words = Words { content, ..words };
    // `updated` is shown in whole seconds and has to grow each time (interop B6).
    let as_of = now.max(note.updated.unwrap_or(note.published) + Duration::from_secs(1));
    interaction::store::revise_note(conn, note.id, &words, source, as_of).await?;
    let edited = interaction::store::note_by_uuid(conn, note.uuid).await?;
    Ok((edited.context("the answer is no longer there")?, true))
}

/// Deletes an answer for ever. What was said below it stays, and a tombstone of what it answered.
///
/// # Errors
/// A sentence for the operator when it is none of ours or already gone, or the database's.
pub async fn delete(app: &App, url: &str) -> anyhow::Result<Note> {
    let (ours, url, now) = (app.clone(), url.to_owned(), app.clock.now());
    app.db
        .decide(move |conn| {
            Box::pin(async move {
                let note = standing(&ours, conn, &url).await?;
                interaction::store::end_notes(conn, NotesToEnd::Note(note.id), 1, now).await?;
                Ok(note)
            })
        })
        .await
}

/// A note of ours that was not deleted.
async fn standing(app: &App, conn: &mut Conn, url: &str) -> anyhow::Result<Note> {
    let note = match named(conn, &app.urls, url.trim()).await? {
        Some(Named::Said(note)) => match (note.author, note.uuid) {
            (Author::Local(_), Some(uuid)) => interaction::store::note_by_uuid(conn, uuid).await?,
            _ => None,
        },
        _ => None,
    };
    let note = note.with_context(|| {
        format!("`{url}` is no answer of one of our authors; `veerpont reply list` shows the ids, ours begin with {}/ap/notes/", app.urls.origin())
    })?;
    ensure!(
        note.state != State::Deleted,
        "`{url}` was deleted, and a deleted id is burned for ever; write a new answer"
    );
    Ok(note)
}

/// Who answers: a person or the team account, as long as they may.
async fn speaking(conn: &mut Conn, handle: &Handle) -> anyhow::Result<Actor> {
    let actor = author::store::actor_by_handle(conn, handle).await?;
    let actor = actor.with_context(|| format!("there is no @{handle} here; `veerpont author list` shows who is"))?;
    match actor.kind {
        ActorKind::Person | ActorKind::Service => {}
        ActorKind::Group => bail!(
            "@{handle} is the community, which only passes on what others say; answer as an author or as the team account"
        ),
        ActorKind::Application => bail!("@{handle} is the server itself; answer as an author or as the team account"),
    }
    ensure!(actor.deleted_at.is_none(), "@{handle} was deleted, and cannot speak again; answer as another author");
    ensure!(
        actor.frozen_at.is_none(),
        "@{handle} has opted out, and nothing new is said in their name; `veerpont author add` brings them back"
    );
    Ok(actor)
}

/// An author's Markdown as clean HTML, which must say something.
fn content(text: &str) -> anyhow::Result<String> {
    let text = text.trim();
    let length = text.chars().count();
    ensure!(length <= TEXT_MAX, "the answer has {length} characters; at most {TEXT_MAX} are sent");
    ensure!(!text.contains('\0'), "the answer holds a NUL, which no server takes");
    let content = rendered(text);
    ensure!(!content.is_empty(), "the answer says nothing: raw HTML and remarks are left out; write some Markdown");
    Ok(content)
}

/// The language that was named, else the article's.
fn language(named: Option<&str>, article: &Article) -> anyhow::Result<Option<String>> {
    let Some(tag) = named else {
        return Ok(Some(article.content.language.clone()).filter(|tag| !tag.is_empty()));
    };
    let is_tag = (2..=35).contains(&tag.len())
        && tag.split('-').all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()));
    ensure!(is_tag, "`{tag}` is no language tag; write it as `en`, `nl` or `pt-BR`");
    Ok(Some(tag.to_owned()))
}

/// Who is addressed: the author of what is answered, and those it mentions who take part in the conversation
/// themselves, so that a stranger cannot make us contact people who never heard of it. All of them count as knowing the
/// article from now on.
async fn mentions(app: &App, conn: &mut Conn, author: &Actor, place: &ReplyTarget) -> anyhow::Result<Vec<Mention>> {
    let own = author.url(&app.urls);
    let answered = match &place.parent {
        Some(parent) => interaction::store::writer(conn, &app.urls, parent.reply.id).await?.map(|person| person.id),
        None => author::store::actor(conn, place.article.owner).await?.map(|owner| owner.url(&app.urls)),
    };
    let named = place.parent.iter().flat_map(|parent| &parent.words.mentions).map(|mention| mention.href.clone());
    let mut mentions: Vec<Mention> = Vec::new();
    for href in answered.clone().into_iter().chain(named) {
        if mentions.len() >= MENTIONED_MAX || href == own || mentions.iter().any(|known| known.href == href) {
            continue;
        }
        let name = match app.urls.local(&href) {
            Some(local) => our_name(app, conn, &local).await?,
            None => their_name(app, conn, author, &place.article, &href, answered.as_ref() == Some(&href)).await?,
        };
        mentions.extend(name.map(|name| Mention { href, name: Some(name) }));
    }
    Ok(mentions)
}

/// `@handle@domain` of one of our actors; the community is addressed anyway.
async fn our_name(app: &App, conn: &mut Conn, local: &Local) -> anyhow::Result<Option<String>> {
    let Local::Actor(uuid) = local else { return Ok(None) };
    let actor = author::store::actor_by_uuid(conn, *uuid).await?;
    let actor = actor
        .filter(|actor| actor.deleted_at.is_none() && matches!(actor.kind, ActorKind::Person | ActorKind::Service));
    Ok(actor.map(|actor| format!("@{}", app.urls.acct(&actor.handle))))
}

/// `@user@host` of somebody who takes part, whose server counts as knowing the article from now on.
async fn their_name(
    app: &App,
    conn: &mut Conn,
    author: &Actor,
    article: &Article,
    href: &str,
    is_answered: bool,
) -> anyhow::Result<Option<String>> {
    let Some((id, person)) = interaction::store::speaker(conn, &app.urls, article.id, href).await? else {
        ensure!(!is_answered, "who wrote that is gone, so nobody would read the answer");
        return Ok(None);
    };
    if follower::store::is_blocked_by(conn, author.id, id).await? {
        ensure!(!is_answered, "{} blocks @{}, so the answer would reach nobody", person.handle, author.handle);
        return Ok(None);
    }
    if let Some(remote) = remote::store::by_url(conn, href).await? {
        delivery::store::reach(conn, article.id, remote.nearest_inbox()).await?;
    }
    Ok(Some(person.handle))
}

/// The article of a note; a note never stands without one.
pub(crate) async fn article_of(conn: &mut Conn, note: &Note) -> sqlx::Result<Article> {
    post::store::article(conn, note.article).await?.ok_or(sqlx::Error::RowNotFound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_something_of_bounded_length() {
        assert_eq!(content(" It *does*. \n").expect("content"), "<p>It <em>does</em>.</p>");
        assert!(content(&"é".repeat(TEXT_MAX)).is_ok());
        for (bad, word) in [
            ("", "says nothing"),
            (" \n", "says nothing"),
            ("<!-- x -->", "says nothing"),
            ("a\0b", "NUL"),
            (&"é".repeat(TEXT_MAX + 1), "5001 characters"),
        ] {
            let why = content(bad).expect_err("a refusal").to_string();
            assert!(why.contains(word), "{why}");
        }
    }
}

//! Our actors, articles and answers as documents: facts from the tables, in the shapes of `activitypub/`.

use std::collections::HashMap;

use serde_json::Value;

use crate::activitypub::actor::{self, ActorFacts, ActorKind};
use crate::activitypub::article::{self, ArticleFacts};
use crate::activitypub::collection::Part;
use crate::activitypub::incoming::Audience;
use crate::activitypub::note::{self, Addressee, NoteFacts};
use crate::app::App;
use crate::base::ids::{ActorId, CommunityId, Handle};
use crate::db::Conn;
use crate::model::author::{self, Actor, keys};
use crate::model::interaction::{self, Answers, Note};
use crate::model::post::Article;
use uuid::Uuid;

/// An actor's document; `None` when it has no keys, which no start leaves behind.
pub(crate) async fn actor(app: &App, conn: &mut Conn, who: &Actor) -> sqlx::Result<Option<Value>> {
    let Some(public) = keys::public_halves(conn, who.id).await? else { return Ok(None) };
    let domains = attribution_domains(app);
    let facts = ActorFacts {
        kind: who.kind,
        uuid: (who.kind != ActorKind::Application).then_some(who.uuid),
        handle: &who.handle,
        name: &who.name,
        summary: &who.summary,
        icon: who.icon.as_ref(),
        public_key_pem: &public.rsa_pem,
        ed25519_multibase: public.ed25519.as_deref(),
        published: who.created_at,
        attribution_domains: if who.kind == ActorKind::Application { &[] } else { &domains },
        fields: &who.fields,
    };
    Ok(Some(actor::actor(&app.urls, &facts)))
}

/// The sites of our sources and our own pages: where a byline of our actors is honest (interop A19).
fn attribution_domains(app: &App) -> Vec<String> {
    let mut domains: Vec<String> =
        app.config.sources.iter().filter_map(|source| source.public_url.host_str().map(str::to_owned)).collect();
    domains.extend(app.config.server.origin.host_str().map(str::to_owned));
    domains.sort();
    domains.dedup();
    domains
}

/// An article's document as it is now.
pub(crate) async fn article(app: &App, conn: &mut Conn, article: &Article) -> sqlx::Result<Value> {
    let speakers = speakers(conn, &mut Known::default(), article).await?;
    article_by(app, conn, article, &speakers).await
}

/// As [`article`], by speakers who are known already.
pub(crate) async fn article_by(
    app: &App,
    conn: &mut Conn,
    article: &Article,
    speakers: &Speakers,
) -> sqlx::Result<Value> {
    // Of most articles nothing was ever said.
    let (answers, replies) = if interaction::store::changes(conn, article.id).await? == 0 {
        (Answers::default(), ids(&app.urls.replies(article.uuid), Vec::new(), 0, 0))
    } else {
        (interaction::store::answers(conn, article.id).await?, replies(app, conn, article, 0).await?)
    };
    let co_authors: Vec<(Uuid, &Handle)> =
        speakers.co_authors.iter().map(|actor| (actor.uuid, &actor.handle)).collect();
    let facts = ArticleFacts {
        uuid: article.uuid,
        context: article.context_uuid,
        owner: speakers.owner.uuid,
        group: speakers.group.uuid,
        unlisted: article.unlisted,
        co_authors: &co_authors,
        content: &article.content,
        url: &article.url,
        published: article.published_at,
        updated: article.updated_at,
        replies: replies.part(),
        likes: answers.likes,
        shares: answers.boosts,
    };
    Ok(article::article(&app.urls, &facts))
}

/// An answer of one of our authors as it is now; its words must be known.
///
/// # Errors
/// The database's, also when a row is missing.
pub(crate) async fn note(app: &App, conn: &mut Conn, note: &Note) -> sqlx::Result<Value> {
    let article = super::author_replies::article_of(conn, note).await?;
    let author = author::store::actor(conn, note.author).await?.ok_or(sqlx::Error::RowNotFound)?;
    let group = group(conn, &article).await?;
    let words = note.words.as_ref().ok_or(sqlx::Error::RowNotFound)?;
    let own = author.url(&app.urls);
    let (answered, page, handle) = if let Some(parent) = note.parent {
        let person = interaction::store::writer(conn, &app.urls, parent).await?.ok_or(sqlx::Error::RowNotFound)?;
        (person.id, person.url, person.handle)
    } else {
        let owner = author::store::actor(conn, article.owner).await?.ok_or(sqlx::Error::RowNotFound)?;
        let handle = format!("@{}", app.urls.acct(&owner.handle));
        (owner.url(&app.urls), app.urls.profile(&owner.handle), handle)
    };
    // Whoever was not to be told when it was written is not called by name either.
    let is_told = words.mentions.iter().any(|mention| mention.href == answered);
    let answers = interaction::store::answers_to_note(conn, note.id).await?;
    let replies = note_replies(app, conn, note, 0).await?;
    let article_id = app.urls.article(article.uuid);
    let facts = NoteFacts {
        uuid: note.uuid,
        context: article.context_uuid,
        author: author.uuid,
        group: group.uuid,
        unlisted: words.audience != Audience::Public,
        answers: note.answers.as_deref().unwrap_or(&article_id),
        addressee: (is_told && answered != own).then_some(Addressee { page: &page, handle: &handle }),
        mentions: &words.mentions,
        content: &words.content,
        source: note.source.as_deref().unwrap_or_default(),
        language: words.language.as_deref().unwrap_or_default(),
        published: note.published,
        updated: note.updated,
        replies: replies.part(),
        likes: answers.likes,
        shares: answers.boosts,
    };
    Ok(note::note(&app.urls, &facts))
}

/// The replies to an answer of ours, from a number on (interop B18).
pub(crate) async fn note_replies(app: &App, conn: &mut Conn, note: &Note, from: i64) -> sqlx::Result<Ids> {
    let items = interaction::store::reply_ids_below(conn, note.id, from, PAGE).await?;
    let total = interaction::store::answers_to_note(conn, note.id).await?.replies;
    Ok(ids(&app.urls.note_replies(note.uuid), items, from, i64::try_from(total).unwrap_or(i64::MAX)))
}

/// Ids that stand on a page of replies or of a conversation.
const PAGE: i64 = 50;

/// A page of ids, and where the next one is.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    items: Vec<String>,
    total: u64,
    next: Option<String>,
}

impl Ids {
    pub(crate) fn part(&self) -> Part<'_> {
        Part { items: &self.items, total: self.total, next: self.next.as_deref() }
    }
}

/// The replies to the article itself, from a number on (interop B18).
pub(crate) async fn replies(app: &App, conn: &mut Conn, article: &Article, from: i64) -> sqlx::Result<Ids> {
    let items = interaction::store::reply_ids(conn, article.id, true, from, PAGE).await?;
    let total = interaction::store::count_replies(conn, article.id, true).await?;
    Ok(ids(&app.urls.replies(article.uuid), items, from, total))
}

/// The article and every reply to it at any depth, in order of time, from a number on (interop B20).
pub(crate) async fn conversation(app: &App, conn: &mut Conn, article: &Article, from: i64) -> sqlx::Result<Ids> {
    let mut items = Vec::new();
    if from == 0 {
        items.push(app.urls.article(article.uuid));
    }
    // The article is the first item, so that every reply's number is one more than among the replies.
    let (skipped, wanted) = ((from - 1).max(0), PAGE - i64::from(from == 0));
    items.extend(interaction::store::reply_ids(conn, article.id, false, skipped, wanted).await?);
    let total = interaction::store::count_replies(conn, article.id, false).await? + 1;
    Ok(ids(&app.urls.context(article.context_uuid), items, from, total))
}

fn ids(id: &str, items: Vec<String>, from: i64, total: i64) -> Ids {
    let next = from.saturating_add(PAGE);
    Ids { items, total: u64::try_from(total).unwrap_or(0), next: (next < total).then(|| format!("{id}?from={next}")) }
}

pub(crate) struct Speakers {
    pub(crate) owner: Actor,
    /// Authors besides the owner, addressed by a Mention.
    pub(crate) co_authors: Vec<Actor>,
    pub(crate) group: Actor,
}

/// Actors and communities of ours that were read already, as long as one thing is done with several articles.
#[derive(Debug, Default)]
pub(crate) struct Known {
    actors: HashMap<ActorId, Option<Actor>>,
    groups: HashMap<CommunityId, Actor>,
}

impl Known {
    async fn actor(&mut self, conn: &mut Conn, id: ActorId) -> sqlx::Result<Option<Actor>> {
        if let Some(actor) = self.actors.get(&id) {
            return Ok(actor.clone());
        }
        let actor = author::store::actor(conn, id).await?;
        self.actors.insert(id, actor.clone());
        Ok(actor)
    }

    async fn group(&mut self, conn: &mut Conn, article: &Article) -> sqlx::Result<Actor> {
        if let Some(group) = self.groups.get(&article.community_id) {
            return Ok(group.clone());
        }
        let group = group(conn, article).await?;
        self.groups.insert(article.community_id, group.clone());
        Ok(group)
    }
}

/// The actors who publish an article.
pub(crate) async fn speakers(conn: &mut Conn, known: &mut Known, article: &Article) -> sqlx::Result<Speakers> {
    let owner = known.actor(conn, article.owner).await?.ok_or(sqlx::Error::RowNotFound)?;
    let group = known.group(conn, article).await?;
    let mut co_authors = Vec::new();
    for id in &article.content.co_authors {
        if let Some(actor) = known.actor(conn, *id).await?.filter(|actor| actor.deleted_at.is_none()) {
            co_authors.push(actor);
        }
    }
    Ok(Speakers { owner, co_authors, group })
}

async fn group(conn: &mut Conn, article: &Article) -> sqlx::Result<Actor> {
    let community = author::store::community(conn, article.community_id).await?.ok_or(sqlx::Error::RowNotFound)?;
    author::store::actor(conn, community.group).await?.ok_or(sqlx::Error::RowNotFound)
}

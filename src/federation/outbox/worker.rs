//! The outbox loop: publishes what the revision of an article or of an author's answer calls for, then fans each
//! activity out, in order.

use std::sync::Arc;

use clock::Timestamp;
use serde_json::Value;

use super::documents::{self, Speakers};
use super::{Audience, Outgoing, publish, store};
use crate::activitypub::outgoing::{self, ActivityMeta};
use crate::app::App;
use crate::app::worker::Worker;
use crate::app::worker::retry::BEGUN_MAX;
use crate::app::worker::store as begun;
use crate::base::ids::{ActivityId, Ids};
use crate::db::{Conn, Queue};
use crate::federation::delivery;
use crate::model::author::{self, Actor};
use crate::model::interaction::store::NotesToEnd;
use crate::model::interaction::{self, Note};
use crate::model::post::{self, Article};

/// Recipients whose rows are written in one transaction: small enough not to hold up other writers (ADR 1).
const CHUNK: i64 = 5000;

/// Articles that are said in one transaction, as when a whole site is new.
const TOGETHER: usize = 50;

/// The name under which it is noted that several are said together: after a failure each is said alone for a while.
const TOGETHER_ITEM: &str = "articles";

/// Says and fans out.
pub struct OutboxWorker;

/// A step; none needs a lease, since each settle compares first. Its beginning is noted, so that a step during which
/// the process ends each time does not hold up all others.
#[derive(Clone, Debug)]
pub enum Step {
    /// The revisions of articles exceed the published ones.
    Say(Vec<Article>),
    /// An answer's revision exceeds the published one.
    Answer(Box<Note>),
    /// An activity is not fanned out yet.
    FanOut(ActivityId),
    /// An actor's profile changed.
    Reprofile(Box<Actor>),
    /// An actor was deleted, and the Deletes of all of theirs were published.
    DeleteActor(Box<Actor>),
}

impl Worker for OutboxWorker {
    type Claim = Step;
    const NAME: &'static str = "outbox";
    const WIDTH: usize = 1;
    const QUEUE: Option<Queue> = Some(Queue::Outbox);

    async fn claim(&self, app: &App, _limit: usize) -> anyhow::Result<Vec<Step>> {
        let mut conn = app.db.read().await?;
        let resting = begun::resting(&mut conn, Self::NAME, app.clock.now()).await?;
        // In their order, else an Update could overtake its Create: while one rests, so do those after it.
        if let Some(activity) = store::first_unsent(&mut conn).await? {
            let step = Step::FanOut(activity);
            if step.is_not_in(&resting) {
                return Ok(vec![step]);
            }
        }
        // Of as many as may rest, and one.
        let some = i64::try_from(resting.len())?.saturating_add(1);
        let articles = post::store::unsaid(&mut conn, some.saturating_add(i64::try_from(TOGETHER)?)).await?;
        if let Some(step) = together(articles, &resting) {
            return Ok(vec![step]);
        }
        // After the articles, so that what is answered was said before.
        let notes = interaction::store::unsaid_notes(&mut conn, some).await?;
        let mut answers = notes.into_iter().map(|note| Step::Answer(Box::new(note)));
        if let Some(step) = answers.find(|step| step.is_not_in(&resting)) {
            return Ok(vec![step]);
        }
        let profiles = author::store::unsaid_profiles(&mut conn, some).await?;
        let mut profiles = profiles.into_iter().map(|actor| Step::Reprofile(Box::new(actor)));
        if let Some(step) = profiles.find(|step| step.is_not_in(&resting)) {
            return Ok(vec![step]);
        }
        // Last, so that the Deletes of an actor's articles and answers go before its own.
        let farewells = author::store::unsaid_farewells(&mut conn, some).await?;
        let mut farewells = farewells.into_iter().map(|actor| Step::DeleteActor(Box::new(actor)));
        Ok(farewells.find(|step| step.is_not_in(&resting)).into_iter().collect())
    }

    async fn work(&self, app: &App, step: Step) -> anyhow::Result<()> {
        let (item, now) = (step.item(), app.clock.now());
        let begin = app.db.write(move |conn| Box::pin(async move { begun::begin(conn, Self::NAME, &item, now).await }));
        let times = begin.await?;
        let item = step.item();
        match step {
            Step::FanOut(activity) if times > BEGUN_MAX => give_up(app, activity, item).await,
            Step::Say(articles) => say(app, articles, item).await,
            Step::Answer(note) => answer(app, *note, item).await,
            Step::FanOut(_) => fan_out(app, item).await,
            Step::Reprofile(actor) => reprofile(app, *actor, item).await,
            Step::DeleteActor(actor) => delete_actor(app, &actor, item).await,
        }
    }

    async fn put_off(&self, app: &App, step: Step, why: &str) -> anyhow::Result<()> {
        let (item, why, now) = (step.item(), why.to_owned(), app.clock.now());
        app.db
            .write(move |conn| Box::pin(async move { begun::fail(conn, Self::NAME, &item, &why, now).await }))
            .await?;
        Ok(())
    }
}

impl Step {
    /// The name under which its beginning is noted.
    fn item(&self) -> String {
        match self {
            Self::Say(articles) => match articles.as_slice() {
                [article] => format!("article:{}", article.id.0),
                _ => TOGETHER_ITEM.to_owned(),
            },
            Self::Answer(note) => format!("note:{}", note.id.0),
            Self::FanOut(activity) => format!("fan-out:{}", activity.0),
            Self::Reprofile(actor) => format!("profile:{}", actor.id.0),
            Self::DeleteActor(actor) => format!("farewell:{}", actor.id.0),
        }
    }

    fn is_not_in(&self, resting: &[String]) -> bool {
        resting.is_empty() || !resting.contains(&self.item())
    }
}

/// The next articles to be said, none of which rests: several together, unless that rests itself.
fn together(articles: Vec<Article>, resting: &[String]) -> Option<Step> {
    let most = if resting.iter().any(|item| item == TOGETHER_ITEM) { 1 } else { TOGETHER };
    let one_by_one = articles.into_iter().filter(|article| Step::Say(vec![article.clone()]).is_not_in(resting));
    let articles: Vec<Article> = one_by_one.take(most).collect();
    (!articles.is_empty()).then_some(Step::Say(articles))
}

async fn say(app: &App, articles: Vec<Article>, item: String) -> anyhow::Result<()> {
    let now = app.clock.now();
    let mut said = Vec::new();
    {
        let mut conn = app.db.read().await?;
        let mut known = documents::Known::default();
        for article in articles {
            let speakers = documents::speakers(&mut conn, &mut known, &article).await?;
            let document = documents::article_by(app, &mut conn, &article, &speakers).await?;
            let activities = activities(app, &article, &speakers, &document, now);
            said.push((article, activities));
        }
    }
    app.db
        .write(move |conn| {
            Box::pin(async move {
                begun::end(conn, OutboxWorker::NAME, &item).await?;
                for (article, activities) in &said {
                    publish_article(conn, article, activities, now).await?;
                }
                Ok::<_, sqlx::Error>(())
            })
        })
        .await?;
    Ok(())
}

async fn publish_article(
    conn: &mut Conn,
    article: &Article,
    activities: &[Outgoing],
    now: Timestamp,
) -> sqlx::Result<()> {
    // False when another node said it, or it changed since we read it: then it is due again.
    if !post::store::mark_said(conn, article).await? {
        return Ok(());
    }
    if article.published_revision == 0 && article.revision > 1 {
        // What stood in the outbox unsent makes room for what is sent.
        store::forget_listed(conn, article.id).await?;
    }
    for outgoing in activities {
        publish(conn, outgoing, now).await?;
    }
    if article.deleted_at.is_some() {
        // What our authors answered below it goes with it.
        interaction::store::end_notes(conn, NotesToEnd::Article(article.id), i64::MAX, now).await?;
    }
    Ok(())
}

/// The activities for an article's present revision.
fn activities(app: &App, article: &Article, speakers: &Speakers, document: &Value, now: Timestamp) -> Vec<Outgoing> {
    let owners = |kind: &'static str, cause: String, audience, build: fn(&ActivityMeta, &Value) -> Value| {
        let uuid = Ids::uuid();
        let body = build(&ActivityMeta::new(&app.urls, uuid, now), document);
        Outgoing { cause, article: Some(article.id), ..Outgoing::new(uuid, article.owner, kind, audience, body) }
    };
    if article.deleted_at.is_some() {
        // Never said, never heard of: there is nothing to take back.
        if article.published_revision == 0 {
            return Vec::new();
        }
        return vec![owners("Delete", format!("delete:{}", article.uuid), Audience::ArticleKnown, outgoing::delete)];
    }
    if article.published_revision > 0 {
        let cause = format!("update:{}:{}", article.uuid, article.revision);
        return vec![owners("Update", cause, Audience::ArticleDelivered, outgoing::update)];
    }
    let audience = if article.pushed { Audience::Followers } else { Audience::OutboxOnly };
    let mut said = vec![owners("Create", format!("create:{}", article.uuid), audience, outgoing::create)];
    if article.unlisted {
        // A boost would show it to everyone who follows the community (interop F13).
        return said;
    }
    let announcers = speakers.co_authors.iter().filter(|actor| actor.is_active()).chain([&speakers.group]);
    said.extend(announcers.map(|announcer| announce(app, article, &speakers.owner, announcer, audience, now)));
    said
}

/// A co-author's or the Group's Announce of an article's id (interop F2).
fn announce(
    app: &App,
    article: &Article,
    owner: &Actor,
    announcer: &Actor,
    audience: Audience,
    now: Timestamp,
) -> Outgoing {
    let (urls, uuid) = (&app.urls, Ids::uuid());
    let body = outgoing::announce(
        &ActivityMeta::new(urls, uuid, now),
        &announcer.url(urls),
        &urls.followers(announcer.uuid),
        &urls.article(article.uuid),
        &owner.url(urls),
    );
    let cause = format!("announce:{}:{}", article.uuid, announcer.uuid);
    Outgoing { cause, article: Some(article.id), ..Outgoing::new(uuid, announcer.id, "Announce", audience, body) }
}

async fn answer(app: &App, note: Note, item: String) -> anyhow::Result<()> {
    let now = app.clock.now();
    let outgoing = {
        let mut conn = app.db.read().await?;
        activity_of(app, &mut conn, &note, now).await?
    };
    app.db
        .write(move |conn| {
            Box::pin(async move {
                begun::end(conn, OutboxWorker::NAME, &item).await?;
                // False when another node said it, or it changed since we read it: then it is due again.
                if interaction::store::mark_note_said(conn, &note).await?
                    && let Some(outgoing) = &outgoing
                {
                    publish(conn, outgoing, now).await?;
                }
                Ok::<_, sqlx::Error>(())
            })
        })
        .await?;
    Ok(())
}

/// The activity for an answer's present revision; `None` for one that ended before it was published.
async fn activity_of(app: &App, conn: &mut Conn, note: &Note, now: Timestamp) -> anyhow::Result<Option<Outgoing>> {
    type Build = fn(&ActivityMeta, &Value) -> Value;
    let said = |kind: &'static str, cause: String, audience, build: Build, document: &Value| {
        let uuid = Ids::uuid();
        let body = build(&ActivityMeta::new(&app.urls, uuid, now), document);
        Outgoing {
            cause,
            article: Some(note.article),
            said: Some(note.id),
            ..Outgoing::new(uuid, note.author, kind, audience, body)
        }
    };
    if note.ended_at.is_some() {
        // Its words are forgotten; whom it was addressed to stands in what was said last.
        let last = store::last_said(conn, note.id).await?;
        let cause = format!("delete:{}", note.uuid);
        return Ok(last.map(|last| said("Delete", cause, Audience::NoteKnown, outgoing::delete, &last)));
    }
    let document = documents::note(app, conn, note).await?;
    Ok(Some(if note.published_revision == 0 {
        said("Create", format!("create:{}", note.uuid), Audience::Conversation, outgoing::create, &document)
    } else {
        let cause = format!("update:{}:{}", note.uuid, note.revision);
        said("Update", cause, Audience::NoteDelivered, outgoing::update, &document)
    }))
}

/// An actor's changed profile as an Update of the actor, to everyone whose server shows it: once for each change, since
/// the revision is noted as published in the same transaction.
async fn reprofile(app: &App, actor: Actor, item: String) -> anyhow::Result<()> {
    let (uuid, now) = (Ids::uuid(), app.clock.now());
    let document = {
        let mut conn = app.db.read().await?;
        documents::actor(app, &mut conn, &actor).await?
    };
    let document = document.ok_or_else(|| anyhow::anyhow!("the actor {} has no keys", actor.handle))?;
    let body = outgoing::update_actor(&ActivityMeta::new(&app.urls, uuid, now), &document);
    let outgoing = Outgoing {
        cause: format!("update-actor:{}:{}", actor.uuid, actor.revision),
        ..Outgoing::new(uuid, actor.id, "Update", Audience::ActorKnown, body)
    };
    app.db
        .write(move |conn| {
            Box::pin(async move {
                begun::end(conn, OutboxWorker::NAME, &item).await?;
                if author::store::mark_profile_said(conn, &actor).await? {
                    publish(conn, &outgoing, now).await?;
                }
                Ok::<_, sqlx::Error>(())
            })
        })
        .await?;
    Ok(())
}

/// The Delete of an actor, to every inbox we know; its key is kept to sign it (interop D6, D14).
async fn delete_actor(app: &App, actor: &Actor, item: String) -> anyhow::Result<()> {
    if super::actor_deletion::end_some(app, actor.id).await? != super::actor_deletion::Ended::default() {
        // Who deleted them did not come to the end: what stood until now is said first.
        app.db.write(move |conn| Box::pin(async move { begun::end(conn, OutboxWorker::NAME, &item).await })).await?;
        return Ok(());
    }
    let (uuid, now, id) = (Ids::uuid(), app.clock.now(), actor.id);
    let body = outgoing::delete_actor(&ActivityMeta::new(&app.urls, uuid, now), &actor.url(&app.urls));
    let outgoing = Outgoing {
        cause: format!("delete-actor:{}", actor.uuid),
        ..Outgoing::new(uuid, id, "Delete", Audience::Everyone, body)
    };
    app.db
        .write(move |conn| {
            Box::pin(async move {
                begun::end(conn, OutboxWorker::NAME, &item).await?;
                publish(conn, &outgoing, now).await?;
                author::store::set_farewell(conn, id, now).await
            })
        })
        .await?;
    Ok(())
}

/// Ends a fan-out that was begun too often and never finished: or nothing would ever be sent again.
async fn give_up(app: &App, activity: ActivityId, item: String) -> anyhow::Result<()> {
    let now = app.clock.now();
    tracing::error!(
        activity = activity.0,
        "a fan-out was given up: it was begun five times and never brought to an end"
    );
    app.db
        .write(move |conn| {
            Box::pin(async move {
                begun::end(conn, OutboxWorker::NAME, &item).await?;
                store::abandon(conn, activity, now).await
            })
        })
        .await?;
    Ok(())
}

/// One chunk of the earliest unfinished fan-out.
async fn fan_out(app: &App, item: String) -> anyhow::Result<()> {
    let now = app.clock.now();
    app.db
        .write(move |conn| {
            Box::pin(async move {
                begun::end(conn, OutboxWorker::NAME, &item).await?;
                let Some(of) = store::lock_unsent(conn).await? else { return Ok(()) };
                let next = delivery::store::fan_out(conn, &of, CHUNK, now).await?;
                store::advance(conn, of.activity, of.place, next, now).await
            })
        })
        .await?;
    Ok(())
}

/// The loop, ready to run.
#[must_use]
pub fn worker() -> Arc<OutboxWorker> {
    Arc::new(OutboxWorker)
}

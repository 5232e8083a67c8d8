//! The source's transaction: posts, articles, authors and the end of the scan are written together or not at all.

use std::collections::BTreeMap;

use clock::Timestamp;
use hugo_content::{AuthorProfile, Entry, Visibility};

use super::Known;
use super::plan::{Act, Step};
use crate::activitypub::article::ArticleContent;
use crate::app::App;
use crate::base::ids::{ActorId, ArticleId, AuthorId, Ids, PostId, SourceId};
use crate::db::Conn;
use crate::model::author::keys::SealedKey;
use crate::model::author::{self, Actor, Author, Choice, Community};
use crate::model::post::{self, Article, Post, PostState};

/// An author that becomes an actor in this transaction; making their keys takes a while, so they are ready.
#[derive(Clone, Debug)]
pub struct Founded {
    pub(crate) slug: String,
    pub(crate) actor: Actor,
    pub(crate) keys: Vec<SealedKey>,
}

/// What is written about authors before the posts.
#[derive(Clone, Debug, Default)]
pub struct Authors {
    /// What the source says of each.
    pub profiles: Vec<AuthorProfile>,
    /// Those who become actors.
    pub founded: Vec<Founded>,
    /// Actors that publish nothing new from now on.
    pub freeze: Vec<ActorId>,
    /// Actors that publish again.
    pub thaw: Vec<ActorId>,
}

/// Writes what the source says of its authors.
///
/// # Errors
/// The database's, also when a handle was taken meanwhile.
pub async fn authors(conn: &mut Conn, app: &App, source: SourceId, authors: &Authors) -> sqlx::Result<()> {
    let before = author::store::authors(conn, source).await?;
    for profile in &authors.profiles {
        let known = before.iter().find(|author| author.slug == profile.slug);
        if let Some(actor) = known.and_then(|author| outdated(author, profile)) {
            author::store::reprofile(conn, actor, profile).await?;
        }
        author::store::upsert_author(conn, AuthorId(app.ids.row()), source, profile).await?;
    }
    // A decision on the command line since the plan was made counts, and the next scan plans with it.
    let chose = |actor: ActorId, choice: Choice| {
        before.iter().any(|author| author.actor == Some(actor) && author.choice == Some(choice))
    };
    for founded in &authors.founded {
        let known = before.iter().find(|author| author.slug == founded.slug);
        if known.is_some_and(|author| author.actor.is_some() || author.choice == Some(Choice::Out)) {
            continue;
        }
        author::store::insert_actor(conn, &founded.actor, &founded.keys).await?;
        author::store::bind_author(conn, source, &founded.slug, founded.actor.id).await?;
    }
    for actor in authors.freeze.iter().filter(|actor| !chose(**actor, Choice::In)) {
        author::store::set_frozen(conn, *actor, Some(app.clock.now())).await?;
    }
    for actor in authors.thaw.iter().filter(|actor| !chose(**actor, Choice::Out)) {
        author::store::set_frozen(conn, *actor, None).await?;
        let author = before.iter().find(|author| author.actor == Some(*actor));
        let profile = author.and_then(|author| authors.profiles.iter().find(|profile| profile.slug == author.slug));
        if let (Some(profile), Some(actor)) = (profile, author::store::actor(conn, *actor).await?)
            && !actor.shows(profile)
        {
            author::store::reprofile(conn, actor.id, profile).await?;
        }
    }
    Ok(())
}

/// The actor whose profile is to be changed.
fn outdated(author: &Author, profile: &AuthorProfile) -> Option<ActorId> {
    let edited = |before: &String| super::plan::is_edit(before, &profile.fingerprint);
    author.actor.filter(|_| author.fingerprint.as_ref().is_some_and(edited))
}

/// The authors of a source: names, and the actors that may publish new posts.
#[derive(Clone, Debug)]
pub struct Writers {
    by_slug: BTreeMap<String, (String, Option<ActorId>)>,
    team: ActorId,
}

impl Writers {
    /// From the database, after [`authors`].
    pub async fn load(conn: &mut Conn, source: SourceId, community: &Community) -> sqlx::Result<Self> {
        let mut by_slug = BTreeMap::new();
        for author in author::store::authors(conn, source).await? {
            let actor = match author.actor {
                Some(id) => author::store::actor(conn, id).await?.filter(Actor::is_active).map(|actor| actor.id),
                None => None,
            };
            by_slug.insert(author.slug, (author.name, actor));
        }
        Ok(Self { by_slug, team: community.team })
    }

    /// The first author with an active actor owns the article; without one the team account does (interop R1).
    fn owner(&self, entry: &Entry) -> ActorId {
        self.actors(entry).next().unwrap_or(self.team)
    }

    fn actors<'a>(&'a self, entry: &'a Entry) -> impl Iterator<Item = ActorId> + 'a {
        entry.authors.iter().filter_map(|slug| self.by_slug.get(slug).and_then(|(_, actor)| *actor))
    }

    fn content(&self, entry: &Entry, owner: ActorId) -> ArticleContent {
        let name = |slug: &String| self.by_slug.get(slug).map_or_else(|| slug.clone(), |(name, _)| name.clone());
        let mut co_authors: Vec<ActorId> = Vec::new();
        for actor in self.actors(entry).filter(|actor| *actor != owner) {
            if !co_authors.contains(&actor) {
                co_authors.push(actor);
            }
        }
        ArticleContent {
            title: entry.title.clone(),
            summary: entry.summary.clone(),
            content: entry.content.clone(),
            language: entry.language.clone(),
            tags: entry.tags.clone(),
            image: entry.image.clone(),
            byline: entry.authors.iter().map(name).collect(),
            co_authors,
            owner_is_team: owner == self.team,
        }
    }
}

/// Frees the keys of posts that get another, so that two posts may change places in one transaction.
pub(crate) async fn free_keys(conn: &mut Conn, steps: &[Step]) -> sqlx::Result<()> {
    for post in steps.iter().filter(|step| step.changes_key()).filter_map(|step| step.known.as_ref()) {
        post::store::park_key(conn, post.id).await?;
    }
    Ok(())
}

/// Writes one step.
pub async fn step(conn: &mut Conn, app: &App, source: &Known, writers: &Writers, step: &Step) -> sqlx::Result<()> {
    let now = app.clock.now();
    if let Some(known) = &step.known {
        let stands = |post: &Post| (post.withheld_at, post.article, post.article_stands);
        let current = post::store::post(conn, known.id).await?;
        if current.as_ref().map(stands) != Some(stands(known)) {
            // It was decided otherwise on the command line since the plan was made; the next scan plans anew.
            if step.changes_key() {
                post::store::restore_key(conn, known.id, &known.key).await?;
            }
            return super::store::forget_seen(conn, source.id).await;
        }
    }
    let (Some(mut post), entry) = (remembered(app, source.id, step, now), step.entry.as_ref()) else { return Ok(()) };
    match step.act {
        Act::Nothing if !step.deliver && !step.changes_key() => return Ok(()),
        Act::Nothing | Act::Hold | Act::Note => {}
        Act::Miss => {
            post.missing_since = post.missing_since.or(Some(now));
            post.missing_scans += 1;
        }
        Act::Remove => {
            if let Some(article) = post.article {
                post::store::delete_article(conn, article, now).await?;
            }
        }
        Act::Create { push } => {
            if let Some(entry) = entry {
                post.article = Some(ArticleId(app.ids.row()));
                post.hidden_seen_at = None;
                // The article refers to the post, so the post is written first.
                post::store::save_post(conn, &post).await?;
                let article = mint(app, source, writers, &post, entry, push);
                return post::store::insert_article(conn, &article).await;
            }
        }
        Act::Update => {
            if let (Some(entry), Some(id)) = (entry, post.article)
                && let Some(article) = post::store::article(conn, id).await?
            {
                let content = writers.content(entry, article.owner);
                post::store::revise_article(conn, &article, &entry.url, &content, now).await?;
            }
        }
    }
    if let (Some(entry), Some(article)) = (entry, post.article) {
        post::store::set_expiry(conn, article, expiry(entry)).await?;
        if step.deliver {
            post::store::push_article(conn, article).await?;
        }
    }
    post::store::save_post(conn, &post).await
}

/// The post's row as it will be, but for its article.
fn remembered(app: &App, source: SourceId, step: &Step, now: Timestamp) -> Option<Post> {
    let mut post = match (&step.known, &step.entry) {
        (Some(post), _) => post.clone(),
        (None, Some(entry)) => Post {
            id: PostId(app.ids.row()),
            source_id: source,
            key: entry.key.clone(),
            state: step.state,
            entry: entry.clone(),
            fingerprint: String::new(),
            body_hash: String::new(),
            first_seen_at: now,
            hidden_seen_at: None,
            missing_since: None,
            missing_scans: 0,
            withheld_at: None,
            article: None,
            article_stands: false,
            article_pushed: false,
            article_unlisted: false,
        },
        (None, None) => return None,
    };
    post.state = step.state;
    if let Some(entry) = &step.entry {
        post.key.clone_from(&entry.key);
        post.fingerprint.clone_from(&entry.fingerprint);
        post.body_hash.clone_from(&entry.body_hash);
        post.entry = entry.clone();
        post.missing_since = None;
        post.missing_scans = 0;
        if matches!(step.state, PostState::Draft | PostState::Scheduled) {
            post.hidden_seen_at = Some(now);
        }
    }
    if let Some(key) = &step.new_key {
        post.key.clone_from(key);
    }
    Some(post)
}

fn mint(app: &App, source: &Known, writers: &Writers, post: &Post, entry: &Entry, push: bool) -> Article {
    let owner = writers.owner(entry);
    let now = app.clock.now();
    Article {
        id: post.article.unwrap_or(ArticleId(app.ids.row())),
        uuid: Ids::uuid(),
        context_uuid: Ids::uuid(),
        post_id: post.id,
        community_id: source.community,
        owner,
        url: entry.url.clone(),
        content: writers.content(entry, owner),
        pushed: push,
        unlisted: entry.unlisted,
        published_at: entry.published.or(entry.modified).unwrap_or(post.first_seen_at),
        updated_at: None,
        expires_at: expiry(entry),
        revision: 1,
        published_revision: 0,
        created_at: now,
        deleted_at: None,
    }
}

fn expiry(entry: &Entry) -> Option<Timestamp> {
    match entry.visibility {
        Visibility::Public { until } => until,
        _ => None,
    }
}

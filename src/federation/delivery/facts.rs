//! What attempts ask again and again, in memory and as fresh as the database (`db::versions`): bodies, whether what they are about
//! still stands, and with which keys they are signed.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use moka::future::Cache;

use super::{Waiting, store};
use crate::app::App;
use crate::base::ids::{ActivityId, ActorId, ArticleId, InteractionId};
use crate::db::{Cached, Topic};
use crate::model::author;
use crate::model::author::keys::Keyring;
use crate::model::interaction::{self, State};
use crate::model::post::{self, Article};

/// How old may be what is known of other processes' changes when something is sent.
const AT_MOST: Duration = Duration::from_secs(1);

/// Bytes of bodies kept.
const BODIES: u64 = 16 << 20;

/// Articles, notes and actors kept.
const KEPT: u64 = 1_000;

/// The facts, each made from the database when it is first asked for, and again once it has changed.
pub(super) struct Facts {
    /// They never change.
    bodies: Cache<ActivityId, Bytes>,
    articles: Cached<ArticleId, Option<Arc<Article>>>,
    notes: Cached<InteractionId, Option<State>>,
    keyrings: Cached<ActorId, Option<Arc<Keyring>>>,
}

impl Facts {
    pub(super) fn new() -> Self {
        let weight = |_: &ActivityId, body: &Bytes| u32::try_from(body.len()).unwrap_or(u32::MAX);
        Self {
            bodies: Cache::builder().max_capacity(BODIES).weigher(weight).build(),
            articles: Cached::new(KEPT),
            notes: Cached::new(KEPT),
            keyrings: Cached::new(KEPT),
        }
    }

    /// Whether what a delivery is about may still be sent: the article was neither deleted nor has expired
    /// (docs/architecture.md#publishing), the note is neither deleted nor hidden, and the actor whose profile it shows is there.
    pub(super) async fn stands(&self, app: &App, waiting: &Waiting, keys: &Keyring) -> anyhow::Result<bool> {
        let now = app.clock.now();
        if let Some(article) = waiting.article.filter(|_| waiting.kind != "Delete")
            && !self.article(app, article).await?.is_some_and(|article| article.stands(now))
        {
            return Ok(false);
        }
        if let Some(note) = waiting.said.filter(|_| matches!(waiting.kind.as_str(), "Create" | "Update"))
            && self.note(app, note).await? != Some(State::Shown)
        {
            return Ok(false);
        }
        Ok(waiting.kind != "Update" || keys.actor().deleted_at.is_none())
    }

    /// The keys of the one who sends it, with what other processes changed no longer ago than a second.
    pub(super) async fn keys(&self, app: &App, waiting: &Waiting) -> anyhow::Result<Arc<Keyring>> {
        app.db.catch_up(AT_MOST).await?;
        let topics = [Topic::Actor(waiting.actor)];
        let keys = self.keyrings.get(&app.db, waiting.actor, &topics, async {
            let mut conn = app.db.read().await?;
            let Some(actor) = author::store::actor(&mut conn, waiting.actor).await? else { return Ok(None) };
            Ok::<_, sqlx::Error>(Some(Arc::new(Keyring::of(&mut conn, actor).await?)))
        });
        let missing = || anyhow::anyhow!("the actor of activity {} is not in the database", waiting.activity);
        keys.await?.ok_or_else(missing)
    }

    /// The stored body.
    pub(super) async fn body(&self, app: &App, activity: ActivityId) -> anyhow::Result<Bytes> {
        let body = self.bodies.try_get_with(activity, async {
            let mut conn = app.db.read().await?;
            store::body(&mut conn, activity).await.map(Bytes::from)
        });
        Ok(body.await?)
    }

    async fn article(&self, app: &App, id: ArticleId) -> anyhow::Result<Option<Arc<Article>>> {
        let topics = [Topic::Article(id)];
        let article = self.articles.get(&app.db, id, &topics, async {
            let mut conn = app.db.read().await?;
            Ok::<_, sqlx::Error>(post::store::article(&mut conn, id).await?.map(Arc::new))
        });
        Ok(article.await?)
    }

    async fn note(&self, app: &App, id: InteractionId) -> anyhow::Result<Option<State>> {
        let topics = [Topic::Interaction(id)];
        let state = self.notes.get(&app.db, id, &topics, async {
            let mut conn = app.db.read().await?;
            Ok::<_, sqlx::Error>(interaction::store::post_by_row(&mut conn, id).await?.map(|note| note.state))
        });
        Ok(state.await?)
    }
}

//! What an answer answers: found by the id or the page that an operator has at hand.

use anyhow::{bail, ensure};
use url::Url;

use crate::activity::incoming::Audience;
use crate::activity::urls::Local;
use crate::app::App;
use crate::db::Conn;
use crate::interaction::{self, Kind, Reply, State, Words};
use crate::post::{self, Article};

/// The reply that is answered.
pub(super) struct Parent {
    /// Itself.
    pub(super) reply: Reply,
    /// What it says.
    pub(super) words: Words,
}

/// Where an answer goes.
pub(super) struct Place {
    /// The article of the conversation.
    pub(super) article: Article,
    /// The reply that is answered; `None` where the article itself is.
    pub(super) parent: Option<Parent>,
}

impl Place {
    /// Whether what is answered is kept out of public timelines.
    pub(super) fn is_unlisted(&self) -> bool {
        self.parent.as_ref().is_some_and(|parent| parent.words.audience == Audience::Unlisted)
    }
}

/// Finds what an address names: an article by its id or the site's page, a reply by its id or its page.
pub(super) async fn find(app: &App, conn: &mut Conn, address: &str) -> anyhow::Result<Place> {
    let address = address.trim();
    if let Some(reply) = reply(conn, address).await? {
        return below(app, conn, address, reply).await;
    }
    let article = match app.urls.local(address) {
        Some(Local::Article(uuid)) => post::store::article_by_uuid(conn, uuid).await?,
        Some(_) => None,
        None => article_of_page(conn, address).await?,
    };
    let Some(article) = article else {
        bail!(
            "`{address}` is in no conversation of ours: name an article or a reply by its id or its page; `veerpont post list` and `veerpont reply list` show them"
        );
    };
    stands(app, &article, address)?;
    Ok(Place { article, parent: None })
}

/// A reply by its id, or by the page that it names, if no other names it too.
async fn reply(conn: &mut Conn, address: &str) -> anyhow::Result<Option<Reply>> {
    if let Some(reply) = interaction::store::post(conn, address).await? {
        return Ok(Some(reply));
    }
    let mut ids = interaction::store::replies_on_page(conn, address).await?;
    ensure!(
        ids.len() <= 1,
        "several replies say that `{address}` is their page; name the one by its id: {}",
        ids.join(" or ")
    );
    match ids.pop() {
        Some(id) => Ok(interaction::store::post(conn, &id).await?),
        None => Ok(None),
    }
}

/// The article of exactly this page; else of the page without fragment and query.
async fn article_of_page(conn: &mut Conn, page: &str) -> sqlx::Result<Option<Article>> {
    if let Some(found) = post::store::article_by_url(conn, page).await? {
        return Ok(Some(found));
    }
    let Ok(mut url) = Url::parse(page) else { return Ok(None) };
    url.set_fragment(None);
    url.set_query(None);
    post::store::article_by_url(conn, url.as_str()).await
}

async fn below(app: &App, conn: &mut Conn, address: &str, reply: Reply) -> anyhow::Result<Place> {
    match reply.kind {
        Kind::Reply => {}
        Kind::Notice => bail!("`{address}` is a private word; answering it would show it to everyone"),
        _ => bail!(
            "`{address}` is somebody's own post about an article, with a thread of its own, which we take no part in"
        ),
    }
    match reply.state {
        State::Shown => {}
        State::Held => {
            bail!("`{address}` waits for a moderator; `veerpont reply approve` shows it, then it can be answered")
        }
        State::Hidden => bail!("`{address}` is hidden; `veerpont reply approve` shows it, then it can be answered"),
        State::Blocked => bail!("`{address}` is hidden by a block; lift the block first"),
        State::Deleted => bail!("`{address}` was deleted by its author"),
    }
    let Some(article) = post::store::article(conn, reply.article).await? else {
        bail!("the article that `{address}` is about is not in the database");
    };
    stands(app, &article, address)?;
    let Some(words) = interaction::store::words(conn, reply.id).await? else {
        bail!("the words of `{address}` are not known yet; try again in a minute");
    };
    Ok(Place { article, parent: Some(Parent { reply, words }) })
}

fn stands(app: &App, article: &Article, address: &str) -> anyhow::Result<()> {
    ensure!(
        article.stands(app.clock.now()),
        "`{address}` belongs to “{}”, which was taken down; nobody could find the answer",
        article.content.title
    );
    Ok(())
}

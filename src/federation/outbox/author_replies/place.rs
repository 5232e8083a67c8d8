//! What an author's answer is a reply to: found by the id or the page that an operator has at hand.

use anyhow::{bail, ensure};

use crate::activitypub::incoming::Audience;
use crate::app::App;
use crate::db::Conn;
use crate::model::interaction::named::{Named, named};
use crate::model::interaction::{self, Kind, Reply, State, Words};
use crate::model::post::{self, Article};

pub(super) struct Parent {
    pub(super) reply: Reply,
    pub(super) words: Words,
}

pub(super) struct ReplyTarget {
    /// The article of the conversation.
    pub(super) article: Article,
    /// The reply that is answered; `None` where the article itself is.
    pub(super) parent: Option<Parent>,
}

impl ReplyTarget {
    /// Whether what is answered is kept out of public timelines.
    pub(super) fn is_unlisted(&self) -> bool {
        self.parent.as_ref().is_some_and(|parent| parent.words.audience == Audience::Unlisted)
    }
}

/// Finds what an address names: an article or a reply, by its id or by any address that people have at hand.
pub(super) async fn find(app: &App, conn: &mut Conn, address: &str) -> anyhow::Result<ReplyTarget> {
    let address = address.trim();
    let article = match named(conn, &app.urls, address).await? {
        Some(Named::Said(reply)) => return below(app, conn, address, *reply).await,
        Some(Named::Several(ids)) => {
            bail!("several replies say that `{address}` is their page; name the one by its id: {}", ids.join(" or "))
        }
        Some(Named::Article(article)) => *article,
        None => bail!(
            "`{address}` is in no conversation of ours: name an article or a reply by its id or its page; `veerpont post list` and `veerpont reply list` show them"
        ),
    };
    stands(app, &article, address)?;
    Ok(ReplyTarget { article, parent: None })
}

async fn below(app: &App, conn: &mut Conn, address: &str, reply: Reply) -> anyhow::Result<ReplyTarget> {
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
    Ok(ReplyTarget { article, parent: Some(Parent { reply, words }) })
}

fn stands(app: &App, article: &Article, address: &str) -> anyhow::Result<()> {
    ensure!(
        article.stands(app.clock.now()),
        "`{address}` belongs to “{}”, which was taken down; nobody could find the answer",
        article.content.title
    );
    Ok(())
}

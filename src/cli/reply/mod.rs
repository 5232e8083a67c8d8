//! `veerpont reply`: what was answered, what a moderator thinks of it, and what our authors answer.

mod decide;
mod looked;
mod send;

use clap::Subcommand;

use super::paging;
use super::print::{Output, shown, table};
use crate::app::App;
use crate::db::Page;
use crate::model::interaction::store::Filter;
use crate::model::interaction::{self, Kind};
use crate::moderation::review::Decision;
use decide::Standing;

#[derive(Debug, Subcommand)]
pub(super) enum Reply {
    /// Replies, quotes and private words: what came last is first.
    List {
        /// Only those to this post: its key, its id or its page.
        #[arg(long)]
        post: Option<String>,
        /// Only those in this state; `held` is the queue of what waits for a moderator, `private` what is kept for its author.
        #[arg(long, value_parser = decide::states())]
        state: Option<Standing>,
        /// Only replies, quotes, or private words to an author (notices).
        #[arg(long, value_parser = decide::kinds())]
        kind: Option<Kind>,
        #[command(flatten)]
        part: paging::Wanted,
    },
    /// One reply: what it says, whether it is shown, and why.
    Show {
        /// Its id, or its page.
        reply: String,
    },
    /// Show a reply that is held or hidden, and under first-held what its author writes from now on.
    Approve(decide::Decided),
    /// Show a reply to nobody; it may be approved later.
    Hide(decide::Decided),
    /// End a reply for good: one of somebody elsewhere here, whose words are forgotten and cannot come back; an answer of
    /// an author of ours everywhere.
    Delete(decide::Deleted),
    /// An author of ours answers an article or a reply.
    Send(send::Send),
    /// Change what an author of ours answered.
    Edit(send::Edit),
}

impl Reply {
    /// Whether it changes nothing.
    pub(super) fn only_looks(&self) -> bool {
        matches!(self, Self::List { .. } | Self::Show { .. })
    }

    pub(super) async fn run(self, app: &App, output: Output) -> anyhow::Result<()> {
        match self {
            Self::List { post, state, kind, part } => list(app, post, (state, kind), &part, output).await,
            Self::Show { reply } => decide::show(app, &reply, output).await,
            Self::Approve(decided) => decided.run(app, Decision::Approve, output).await,
            Self::Hide(decided) => decided.run(app, Decision::Hide, output).await,
            Self::Delete(deleted) => deleted.run(app, output).await,
            Self::Send(send) => send.run(app, output).await,
            Self::Edit(edit) => edit.run(app, output).await,
        }
    }
}

async fn list(
    app: &App,
    post: Option<String>,
    (standing, kind): (Option<Standing>, Option<Kind>),
    part: &paging::Wanted,
    output: Output,
) -> anyhow::Result<()> {
    let article = match post {
        Some(name) => {
            let post = super::post::find(app, &name).await?;
            Some(post.article.ok_or_else(|| anyhow::anyhow!("`{name}` was never published, so nobody answered it"))?)
        }
        None => None,
    };
    let mut conn = app.db.read().await?;
    let (state, private) = standing.map_or((None, None), Standing::filter);
    let filter = Filter { article, state, kind: kind.or(private) };
    let replies = interaction::store::list(&mut conn, &app.urls, filter, part.after()?, part.limit()).await?;
    let list = Page { items: looked::lines(app, &mut conn, replies.items).await?, next: replies.next };
    paging::print(output, &list, |lines| {
        let rows = lines.iter().map(|line| {
            [
                line.written.clone(),
                line.kind.as_str().to_owned(),
                line.state.to_owned(),
                shown(&line.author),
                shown(&line.title),
                shown(&line.teaser()),
                shown(&line.hosts()),
                shown(&line.id),
            ]
        });
        table(["WRITTEN", "KIND", "STATE", "AUTHOR", "ARTICLE", "TEXT", "LINKS TO", "ID"], rows)
    })
}

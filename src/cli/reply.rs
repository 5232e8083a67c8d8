//! `veerpont reply`: what was answered, what a moderator thinks of it, and what our authors answer.

mod decide;
mod send;

use clap::Subcommand;

use super::part;
use super::print::{Output, shown, table};
use crate::app::App;
use crate::html;
use crate::interaction::store::Filter;
use crate::interaction::{self, Kind, State};
use crate::moderation::decisions::Decision;

#[derive(Debug, Subcommand)]
pub(super) enum Reply {
    /// Replies, quotes and private words: what came last is first.
    List {
        /// Only those to this post: its key, its id or its page.
        #[arg(long)]
        post: Option<String>,
        /// Only those in this state; `held` is the queue of what waits for a moderator.
        #[arg(long, value_parser = decide::states())]
        state: Option<State>,
        /// Only replies, quotes, or private words to an author (notices).
        #[arg(long, value_parser = decide::kinds())]
        kind: Option<Kind>,
        #[command(flatten)]
        part: part::Wanted,
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
    Delete(decide::Decided),
    /// An author of ours answers an article or a reply.
    Send(send::Send),
    /// Change what an author of ours answered.
    Edit(send::Edit),
}

/// Characters of a reply that stand in the list.
const TEASER: usize = 80;

impl Reply {
    pub(super) async fn run(self, app: &App, output: Output) -> anyhow::Result<()> {
        match self {
            Self::List { post, state, kind, part } => list(app, post, (state, kind), &part, output).await,
            Self::Show { reply } => decide::show(app, &reply, output).await,
            Self::Approve(decided) => decided.run(app, Decision::Approve, output).await,
            Self::Hide(decided) => decided.run(app, Decision::Hide, output).await,
            Self::Delete(decided) => decided.delete(app, output).await,
            Self::Send(send) => send.run(app, output).await,
            Self::Edit(edit) => edit.run(app, output).await,
        }
    }
}

async fn list(
    app: &App,
    post: Option<String>,
    (state, kind): (Option<State>, Option<Kind>),
    part: &part::Wanted,
    output: Output,
) -> anyhow::Result<()> {
    let article = match post {
        Some(wanted) => {
            let post = super::post::find(app, &wanted).await?;
            Some(post.article.ok_or_else(|| anyhow::anyhow!("`{wanted}` was never published, so nobody answered it"))?)
        }
        None => None,
    };
    let mut conn = app.db.read().await?;
    let filter = Filter { article, state, kind };
    let replies = interaction::store::list(&mut conn, &app.urls, filter, part.after()?, part.limit()).await?;
    part::print(output, &replies, |replies| {
        let rows = replies.iter().map(|reply| {
            let content = reply.words.as_ref().map(|words| html::text(&words.content)).unwrap_or_default();
            let text: String = content.chars().take(TEASER).collect();
            let state = reply.state.as_str().to_owned();
            let kind = reply.kind.as_str().to_owned();
            [reply.published.rfc3339(), kind, state, shown(&reply.author.handle), shown(&text), shown(&reply.id)]
        });
        table(["WRITTEN", "KIND", "STATE", "AUTHOR", "TEXT", "ID"], rows)
    })
}

//! `veerpont reply`: what was answered, and what our authors answer.

mod send;

use clap::Subcommand;

use super::print::{Output, shown, table};
use crate::app::App;
use crate::html;
use crate::interaction::store::Filter;
use crate::interaction::{self, Kind};

#[derive(Debug, Subcommand)]
pub(super) enum Reply {
    /// Replies from elsewhere, the newest first.
    List {
        /// Only those to this post: its key, its id or its page.
        #[arg(long)]
        post: Option<String>,
        /// Most that are listed.
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// An author of ours answers an article or a reply.
    Send(send::Send),
    /// Change what an author of ours answered.
    Edit(send::Edit),
    /// Delete what an author of ours answered, everywhere.
    Delete(send::Delete),
}

/// Characters of a reply that stand in the list.
const TEASER: usize = 80;

impl Reply {
    pub(super) async fn run(self, app: &App, output: Output) -> anyhow::Result<()> {
        match self {
            Self::List { post, limit } => list(app, post, limit, output).await,
            Self::Send(send) => send.run(app, output).await,
            Self::Edit(edit) => edit.run(app, output).await,
            Self::Delete(delete) => delete.run(app, output).await,
        }
    }
}

async fn list(app: &App, post: Option<String>, limit: u32, output: Output) -> anyhow::Result<()> {
    let article = match post {
        Some(wanted) => {
            let post = super::post::find(app, &wanted).await?;
            Some(post.article.ok_or_else(|| anyhow::anyhow!("`{wanted}` was never published, so nobody answered it"))?)
        }
        None => None,
    };
    let mut conn = app.db.read().await?;
    let filter = Filter { article, kind: Some(Kind::Reply), ..Filter::default() };
    let replies = interaction::store::list(&mut conn, &app.urls, filter, i64::from(limit)).await?;
    output.print(&replies, || {
        let rows = replies.iter().map(|reply| {
            let content = reply.words.as_ref().map(|words| html::text(&words.content)).unwrap_or_default();
            let text: String = content.chars().take(TEASER).collect();
            let state = reply.state.as_str().to_owned();
            [reply.published.rfc3339(), state, shown(&reply.author.handle), shown(&text), shown(&reply.id)]
        });
        table(["WRITTEN", "STATE", "AUTHOR", "TEXT", "ID"], rows)
    })
}

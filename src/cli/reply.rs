//! `veerpont reply`: what was answered.

use clap::Subcommand;

use super::print::{Output, shown, table};
use crate::app::App;
use crate::{html, interaction};

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
}

/// Characters of a reply that stand in the list.
const TEASER: usize = 80;

impl Reply {
    pub(super) async fn run(self, app: &App, output: Output) -> anyhow::Result<()> {
        let Self::List { post, limit } = self;
        let article = match post {
            Some(wanted) => {
                let post = super::post::find(app, &wanted).await?;
                Some(
                    post.article
                        .ok_or_else(|| anyhow::anyhow!("`{wanted}` was never published, so nobody answered it"))?,
                )
            }
            None => None,
        };
        let mut conn = app.db.read().await?;
        let replies = interaction::store::shown(&mut conn, article, i64::from(limit)).await?;
        output.print(&replies, || {
            let rows = replies.iter().map(|reply| {
                let text: String = html::text(&reply.words.content).chars().take(TEASER).collect();
                [reply.published.rfc3339(), shown(&reply.author), shown(&text), shown(&reply.id)]
            });
            table(["WRITTEN", "AUTHOR", "TEXT", "ID"], rows)
        })
    }
}

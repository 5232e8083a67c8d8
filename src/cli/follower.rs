//! `veerpont follower`: who follows us.

use clap::Subcommand;
use serde_json::json;

use super::part;
use super::print::{Output, table};
use crate::app::App;
use crate::{follower, inbox};

#[derive(Debug, Subcommand)]
pub(super) enum Follower {
    /// Everyone who follows an actor of ours.
    List {
        /// Only the followers of this handle.
        #[arg(long, value_name = "HANDLE")]
        author: Option<String>,
        #[command(flatten)]
        part: part::Wanted,
    },
    /// End somebody's follow, and tell their server.
    Remove {
        /// The follower's id (an address).
        actor: String,
        /// Whom they follow.
        #[arg(long, value_name = "HANDLE")]
        author: String,
    },
}

impl Follower {
    pub(super) async fn run(self, app: &App, output: Output) -> anyhow::Result<()> {
        match self {
            Self::List { author, part } => {
                let of = match author {
                    Some(handle) => Some(super::actor(app, &handle).await?.id),
                    None => None,
                };
                let mut conn = app.db.read().await?;
                let followers = follower::store::list(&mut conn, of, part.after()?, part.limit()).await?;
                part::print(output, &followers, |followers| {
                    let rows = followers.iter().map(|follower| {
                        [follower.since.rfc3339(), format!("@{}", follower.author), follower.actor.clone()]
                    });
                    table(["SINCE", "FOLLOWS", "ACTOR"], rows)
                })
            }
            Self::Remove { actor, author } => {
                let followed = super::actor(app, &author).await?;
                let ended = inbox::dismissal::dismiss(app, &followed, &actor).await?;
                anyhow::ensure!(
                    ended,
                    "{actor} does not follow @{}; `veerpont follower list` shows who does",
                    followed.handle
                );
                output.print(&json!({ "removed": actor, "author": followed.handle }), || {
                    format!("{actor} no longer follows @{}; the running bridge tells their server", followed.handle)
                })
            }
        }
    }
}

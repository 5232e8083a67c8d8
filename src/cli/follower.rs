//! `veerpont follower`: who follows us.

use clap::Subcommand;
use serde::Serialize;
use serde_json::json;

use super::confirm::Confirmation;
use super::names;
use super::paging;
use super::print::{Output, shown, table};
use crate::app::App;
use crate::federation::remote;
use crate::inbox;
use crate::model::follower;

#[derive(Debug, Subcommand)]
pub(super) enum Follower {
    /// Everyone who follows an actor of ours.
    List {
        /// Only the followers of this handle.
        #[arg(long, value_name = "HANDLE")]
        author: Option<String>,
        #[command(flatten)]
        part: paging::Wanted,
    },
    /// How many follow, without a list of them.
    Count {
        /// Only the followers of this handle.
        #[arg(long, value_name = "HANDLE")]
        author: Option<String>,
    },
    /// End somebody's follow, and tell their server.
    Remove {
        /// The follower: `@user@host` as the list has it, or their id.
        actor: String,
        /// Whom they follow.
        #[arg(long, value_name = "HANDLE")]
        author: String,
        #[command(flatten)]
        sure: Confirmation,
    },
}

/// A follow, as it is printed.
#[derive(Debug, Serialize)]
struct Line {
    since: String,
    /// Who follows.
    follower: String,
    follower_id: String,
    /// Whom of ours.
    follows: String,
}

impl Follower {
    /// Whether it changes nothing.
    pub(super) fn only_looks(&self) -> bool {
        matches!(self, Self::List { .. } | Self::Count { .. })
    }

    pub(super) async fn run(self, app: &App, output: Output) -> anyhow::Result<()> {
        match self {
            Self::List { author, part } => {
                let of = match author {
                    Some(handle) => Some(names::actor(app, &handle).await?.id),
                    None => None,
                };
                let mut conn = app.db.read().await?;
                let followers = follower::store::list(&mut conn, of, part.after()?, part.limit()).await?;
                let lines = followers.map(|follower| Line {
                    since: follower.since.rfc3339(),
                    follower: names::theirs(&follower.username, &follower.actor),
                    follower_id: follower.actor,
                    follows: names::ours(app, &follower.author),
                });
                paging::print(output, &lines, |lines| {
                    let rows = lines.iter().map(|line| {
                        [line.since.clone(), line.follows.clone(), shown(&line.follower), shown(&line.follower_id)]
                    });
                    table(["SINCE", "FOLLOWS", "HANDLE", "ID"], rows)
                })
            }
            Self::Count { author } => {
                let of = match author {
                    Some(handle) => Some(names::actor(app, &handle).await?.id),
                    None => None,
                };
                let mut conn = app.db.read().await?;
                let follows = match of {
                    Some(actor) => follower::store::count(&mut conn, actor).await?,
                    None => follower::store::count_all(&mut conn, i64::MAX).await?,
                };
                output.print(&json!({ "follows": follows }), || follows.to_string())
            }
            Self::Remove { actor, author, sure } => {
                let followed = names::actor(app, &author).await?;
                let who = names::stranger(app, &actor).await?;
                let address = names::ours(app, followed.handle.as_str());
                let follows = {
                    let mut conn = app.db.read().await?;
                    match remote::store::by_url(&mut conn, &who).await? {
                        Some(remote) => follower::store::follow_id(&mut conn, followed.id, remote.id).await?.is_some(),
                        None => false,
                    }
                };
                anyhow::ensure!(follows, "{actor} does not follow {address}; `veerpont follower list` shows who does");
                let what = format!("ends the follow of {address} by {}, who alone can follow again", shown(&actor));
                sure.of(output, &what)?;
                let ended = inbox::remove_follower::dismiss(app, &followed, &who).await?;
                anyhow::ensure!(ended, "{actor} does not follow {address} any longer");
                output.print(&json!({ "removed": who, "follows": address }), || {
                    format!("{} no longer follows {address}; the running bridge tells their server", shown(&actor))
                })
            }
        }
    }
}

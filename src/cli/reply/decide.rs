//! `veerpont reply show`, `approve`, `hide` and `delete`: a moderator looks at one reply, and decides.

use anyhow::Context;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde::Serialize;
use serde_json::json;

use super::super::print::{Output, shown};
use super::send;
use crate::activity::Local;
use crate::app::App;
use crate::html;
use crate::inbox::decisions;
use crate::interaction::named::{Named, named};
use crate::interaction::store::Ruling;
use crate::interaction::{self, Kind, Shown, State};
use crate::moderation::decisions::Decision;
use crate::moderation::store;
use crate::{outbox, worker};

/// What is decided of which reply.
#[derive(Debug, Args)]
pub(in crate::cli) struct Decided {
    /// Its id, or its page.
    reply: String,
    /// Why, for those who look at it later.
    #[arg(long)]
    reason: Option<String>,
}

/// The states by name.
pub(super) fn states() -> impl TypedValueParser<Value = State> {
    PossibleValuesParser::new(State::ALL.map(State::as_str))
        .try_map(|name| State::parse(&name).ok_or("there is no such state"))
}

pub(super) fn kinds() -> impl TypedValueParser<Value = Kind> {
    PossibleValuesParser::new([Kind::Reply, Kind::Quote, Kind::Notice].map(Kind::as_str))
        .try_map(|name| Kind::parse(&name).ok_or("there is no such kind"))
}

impl Decided {
    pub(super) async fn run(self, app: &App, decision: Decision, output: Output) -> anyhow::Result<()> {
        let id = id_of(app, &self.reply).await?;
        let state = decisions::decide(app, &id, decision, self.reason.as_deref()).await?;
        // A quote's permission that was taken back is told by the running bridge.
        worker::drain(&outbox::worker::worker(), app).await?;
        let result = json!({ "id": id, "state": state, "reason": self.reason });
        output.print(&result, || format!("{} is {} now", shown(&id), state.as_str()))
    }

    /// Ends a reply: by a moderator's word if it is somebody else's, everywhere if one of ours wrote it.
    pub(super) async fn delete(self, app: &App, output: Output) -> anyhow::Result<()> {
        let id = id_of(app, &self.reply).await?;
        if matches!(app.urls.local(&id), Some(Local::Note(_))) {
            return send::Delete { url: id }.run(app, output).await;
        }
        self.run(app, Decision::Delete, output).await
    }
}

/// The id of the reply that an address names, by whatever people have at hand of it.
async fn id_of(app: &App, address: &str) -> anyhow::Result<String> {
    let mut conn = app.db.read().await?;
    Ok(match named(&mut conn, &app.urls, address.trim()).await? {
        Some(Named::Said(reply)) => reply.object_id,
        Some(Named::Several(ids)) => {
            anyhow::bail!(
                "several replies say that `{address}` is their page; name the one by its id: {}",
                ids.join(" or ")
            )
        }
        _ => address.to_owned(),
    })
}

#[derive(Debug, Serialize)]
struct Looked {
    #[serde(flatten)]
    reply: Shown,
    #[serde(flatten)]
    ruling: Ruling,
    /// What hides it, in words.
    blocked_by: Option<String>,
    /// How many wordings of it are known.
    wordings: usize,
}

/// Prints one reply.
pub(super) async fn show(app: &App, id: &str, output: Output) -> anyhow::Result<()> {
    let id = id_of(app, id).await?;
    let mut conn = app.db.read().await?;
    let reply = interaction::store::looked_at(&mut conn, &app.urls, &id).await?;
    let reply = reply.with_context(|| format!("there is no `{id}`; `veerpont reply list` shows the ids"))?;
    let ruling = interaction::store::ruling(&mut conn, reply.row).await?;
    let blocked_by = match ruling.block {
        Some(block) => store::block(&mut conn, block).await?.map(|block| block.why()),
        None => None,
    };
    let wordings = interaction::store::wordings(&mut conn, reply.row).await?.len();
    let looked = Looked { reply, ruling, blocked_by, wordings };
    output.print(&looked, || text(&looked))
}

fn text(looked: &Looked) -> String {
    let (reply, ruling) = (&looked.reply, &looked.ruling);
    let words = reply.words.as_ref().map(|words| html::text(&words.content)).unwrap_or_default();
    let why = looked.blocked_by.as_ref().or(ruling.why.as_ref()).map(|why| format!(": {why}")).unwrap_or_default();
    format!(
        "{}\n  author     {} {}\n  answers    {}\n  written    {}\n  wordings   {}\n  state      {}{}\n\n{}",
        shown(&reply.id),
        shown(&reply.author.handle),
        shown(&reply.author.name),
        shown(reply.parent.as_deref().unwrap_or("the article")),
        reply.published.rfc3339(),
        looked.wordings,
        reply.state.as_str(),
        shown(&why),
        words
    )
}

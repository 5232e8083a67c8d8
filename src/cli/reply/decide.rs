//! `veerpont reply show`, `approve`, `hide` and `delete`: a moderator looks at one reply, and decides.

use std::fmt::Write as _;

use anyhow::Context;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde::Serialize;
use serde_json::json;

use super::super::confirm::{By, Confirmation};
use super::super::names;
use super::super::print::{Output, shown};
use super::looked::{self, Line, PRIVATE};
use super::send;
use crate::activitypub::Local;
use crate::app::App;
use crate::app::worker;
use crate::base::stored::Word;
use crate::federation::outbox;
use crate::inbox::review;
use crate::model::interaction::named::{Named, named};
use crate::model::interaction::store::Ruling;
use crate::model::interaction::{self, Kind, State};
use crate::moderation::review::Decision;
use crate::moderation::store::{self, Decided as Past};

/// What is decided of which reply.
#[derive(Debug, Args)]
pub(in crate::cli) struct Decided {
    /// Its id, or its page.
    reply: String,
    /// Why, for those who look at it later; the same decision again without it keeps the reason there is.
    #[arg(long)]
    reason: Option<String>,
    #[command(flatten)]
    by: By,
}

/// Which reply is ended for good.
#[derive(Debug, Args)]
pub(in crate::cli) struct Deleted {
    #[command(flatten)]
    decided: Decided,
    #[command(flatten)]
    sure: Confirmation,
}

/// In which state a moderator looks for replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Standing {
    /// As everyone's are.
    Public(State),
    /// Kept for its author alone.
    Private,
}

impl Standing {
    /// By which state and kind it is found.
    pub(super) fn filter(self) -> (Option<State>, Option<Kind>) {
        match self {
            Self::Public(state) => (Some(state), None),
            Self::Private => (Some(State::Shown), Some(Kind::Notice)),
        }
    }
}

/// The states by name.
pub(super) fn states() -> impl TypedValueParser<Value = Standing> {
    PossibleValuesParser::new(State::ALL.iter().map(|state| state.as_str()).chain([PRIVATE])).try_map(|name| {
        let public = State::parse(&name).map(Standing::Public);
        public.or((name == PRIVATE).then_some(Standing::Private)).ok_or("there is no such state")
    })
}

pub(super) fn kinds() -> impl TypedValueParser<Value = Kind> {
    PossibleValuesParser::new([Kind::Reply, Kind::Quote, Kind::Notice].map(Kind::as_str))
        .try_map(|name| Kind::parse(&name).ok_or("there is no such kind"))
}

impl Decided {
    pub(super) async fn run(self, app: &App, decision: Decision, output: Output) -> anyhow::Result<()> {
        let id = id_of(app, &self.reply).await?;
        let note = self.by.note(self.reason);
        let (reason, by) = (note.why.clone(), note.by.clone());
        let now = review::decide(app, &id, decision, note).await?;
        // A quote's permission that was taken back is told by the running bridge.
        worker::drain(&outbox::worker::worker(), app).await?;
        let result = json!({ "id": id, "state": now, "reason": reason, "by": by });
        output.print(&result, || format!("{} is {} now", shown(&id), now.as_str()))
    }
}

impl Deleted {
    /// Ends a reply: by a moderator's word if it is somebody else's, everywhere if one of ours wrote it.
    pub(super) async fn run(self, app: &App, output: Output) -> anyhow::Result<()> {
        let id = id_of(app, &self.decided.reply).await?;
        let is_ours = matches!(app.urls.local(&id), Some(Local::Note(_)));
        let found = interaction::store::looked_at(&mut *app.db.read().await?, &app.urls, &id).await?;
        if let Some(reply) = found.filter(|reply| reply.state != State::Deleted) {
            let author = shown(&reply.author.handle);
            let what = if is_ours {
                format!("deletes the answer of {author} everywhere")
            } else {
                format!("forgets what {author} wrote, who can never bring it back")
            };
            self.sure.of(output, &what)?;
        }
        if is_ours {
            return send::Delete { url: id }.run(app, output).await;
        }
        Decided { reply: id, ..self.decided }.run(app, Decision::Delete, output).await
    }
}

/// The id of the reply that an address names, by whatever people have at hand of it, with or without a slash at its end.
async fn id_of(app: &App, address: &str) -> anyhow::Result<String> {
    let mut conn = app.db.read().await?;
    for spelling in names::spellings(address.trim()) {
        match named(&mut conn, &app.urls, &spelling).await? {
            Some(Named::Said(reply)) => return Ok(reply.object_id),
            Some(Named::Several(ids)) => {
                anyhow::bail!(
                    "several replies say that `{address}` is their page; name the one by its id: {}",
                    ids.join(" or ")
                )
            }
            _ => {}
        }
    }
    Ok(address.to_owned())
}

#[derive(Debug, Serialize)]
struct Looked {
    #[serde(flatten)]
    line: Line,
    #[serde(flatten)]
    ruling: Ruling,
    /// What hides it, in words.
    blocked_by: Option<String>,
    /// How many wordings of it are known.
    wordings: usize,
    /// What moderators decided of it.
    decisions: Vec<Past>,
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
    let wordings = interaction::store::post_versions(&mut conn, reply.row).await?.len();
    let decisions = store::decisions_of(&mut conn, &reply.id).await?;
    let line = looked::lines(app, &mut conn, vec![reply]).await?.pop().context("the reply is no longer there")?;
    let looked = Looked { line, ruling, blocked_by, wordings, decisions };
    output.print(&looked, || text(&looked))
}

fn text(looked: &Looked) -> String {
    let (line, ruling) = (&looked.line, &looked.ruling);
    let why = looked.blocked_by.as_ref().or(ruling.why.as_ref()).map(|why| format!(": {why}")).unwrap_or_default();
    let mut text = format!(
        "{}\n  author     {} {}\n             {}\n  article    “{}” {}\n  answers    {}\n  written    {}\n  wordings   {}\n  state      {}{}\n",
        shown(&line.id),
        shown(&line.author),
        shown(&line.author_name),
        shown(&line.author_id),
        shown(&line.title),
        line.article,
        shown(line.parent.as_deref().unwrap_or("the article")),
        line.written,
        looked.wordings,
        line.state,
        shown(&why),
    );
    for decided in &looked.decisions {
        let _ = writeln!(text, "  decided    {} {}", decided.at.rfc3339(), shown(&decided.told()));
    }
    if let Some(warning) = &line.warning {
        let _ = writeln!(text, "  warning    {}", shown(warning));
    }
    for link in &line.links {
        let _ = writeln!(text, "  link to    {}", shown(link));
    }
    let _ = write!(text, "\n{}", line.text);
    text
}

//! `veerpont reply send`, `edit` and `delete`: an author of ours answers.

use std::io::Read;

use anyhow::{Context, ensure};
use clap::Args;
use clock::Timestamp;
use serde::Serialize;

use super::super::names;
use super::super::print::{Output, shown};
use crate::app::App;
use crate::app::worker;
use crate::db::Conn;
use crate::federation::outbox;
use crate::federation::outbox::author_replies::{self, Draft, TEXT_MAX};
use crate::model::author;
use crate::model::interaction::{self, Note};

/// Most bytes that are read from stdin: a character has four at most, and one more shows that there are too many.
const STDIN_MAX: u64 = 4 * TEXT_MAX as u64 + 4;

#[derive(Debug, Args)]
pub(in crate::cli) struct Send {
    /// Who answers: the handle of an author, or of the team account.
    #[arg(long = "as", value_name = "HANDLE")]
    author: String,
    /// What is answered: an article or a reply, by its id or its page.
    #[arg(long, value_name = "URL")]
    to: String,
    /// The language of the answer, such as `en`; the article's if it is not said.
    #[arg(long, value_name = "TAG")]
    language: Option<String>,
    /// Markdown; `-` reads it from stdin.
    text: String,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Edit {
    /// The answer's id.
    url: String,
    /// Markdown in place of what it says; `-` reads it from stdin.
    text: String,
}

/// The answer of one of ours that is to be deleted.
#[derive(Debug)]
pub(super) struct Delete {
    /// Its id.
    pub(super) url: String,
}

/// An answer, as it is printed.
#[derive(Debug, Serialize)]
struct Answer {
    id: String,
    author: String,
    answers: String,
    mentions: Vec<String>,
    state: &'static str,
    content: Option<String>,
    published: String,
    updated: Option<String>,
}

impl Send {
    pub(in crate::cli) async fn run(self, app: &App, output: Output) -> anyhow::Result<()> {
        let author = names::handle(app, &self.author)?;
        let draft = Draft { author, to: self.to, text: written(self.text)?, language: self.language };
        let note = author_replies::send(app, draft).await?;
        say(app).await?;
        let answer = view(app, &note).await?;
        output.print(&answer, || {
            format!(
                "{} answers {}\n  id    {}\n  told  {}\nThe running bridge delivers it; `veerpont delivery list` shows how far it is.",
                answer.author,
                shown(&answer.answers),
                answer.id,
                told(&answer.mentions)
            )
        })
    }
}

impl Edit {
    pub(in crate::cli) async fn run(self, app: &App, output: Output) -> anyhow::Result<()> {
        let (note, is_new) = author_replies::edit(app, &self.url, &written(self.text)?).await?;
        say(app).await?;
        let answer = view(app, &note).await?;
        output.print(&answer, || {
            if is_new {
                format!("{} says it anew; whoever was sent it is sent the edit", answer.id)
            } else {
                format!("{} says so already", answer.id)
            }
        })
    }
}

impl Delete {
    pub(super) async fn run(self, app: &App, output: Output) -> anyhow::Result<()> {
        let note = author_replies::delete(app, &self.url).await?;
        say(app).await?;
        let now = as_it_is(app, &note).await?;
        let answer = view(app, &now).await?;
        output.print(&answer, || format!("{} is deleted; whoever was sent it is told so", answer.id))
    }
}

/// Has the outbox say it at once, as far as that needs no network.
async fn say(app: &App) -> anyhow::Result<()> {
    worker::drain(&outbox::worker::worker(), app).await?;
    Ok(())
}

/// The text of the command line, or of stdin.
fn written(text: String) -> anyhow::Result<String> {
    if text != "-" {
        return Ok(text);
    }
    let mut bytes = Vec::new();
    std::io::stdin().lock().take(STDIN_MAX).read_to_end(&mut bytes).context("cannot read the answer from stdin")?;
    ensure!(
        (bytes.len() as u64) < STDIN_MAX,
        "the answer on stdin is too long; at most {TEXT_MAX} characters are sent"
    );
    String::from_utf8(bytes).context("the answer on stdin is not UTF-8; save it as UTF-8")
}

fn told(mentions: &[String]) -> String {
    if mentions.is_empty() { "nobody by name".to_owned() } else { shown(&mentions.join(", ")) }
}

async fn as_it_is(app: &App, note: &Note) -> anyhow::Result<Note> {
    let mut conn = app.db.read().await?;
    interaction::store::note_by_uuid(&mut conn, note.uuid).await?.context("the answer is no longer there")
}

async fn view(app: &App, note: &Note) -> anyhow::Result<Answer> {
    let mut conn = app.db.read().await?;
    let author = author::store::actor(&mut conn, note.author).await?.context("its author is not in the database")?;
    let words = note.words.as_ref();
    let mentions = words.map(|words| words.mentions.as_slice()).unwrap_or_default();
    Ok(Answer {
        id: app.urls.note(note.uuid),
        author: format!("@{}", app.urls.acct(&author.handle)),
        answers: answered(app, &mut conn, note).await?,
        mentions: mentions.iter().filter_map(|mention| mention.name.clone()).collect(),
        state: note.state.as_str(),
        content: words.map(|words| words.content.clone()),
        published: note.published.rfc3339(),
        updated: note.updated.map(Timestamp::rfc3339),
    })
}

async fn answered(app: &App, conn: &mut Conn, note: &Note) -> anyhow::Result<String> {
    match &note.answers {
        Some(parent) => Ok(parent.clone()),
        None => Ok(app.urls.article(author_replies::article_of(conn, note).await?.uuid)),
    }
}

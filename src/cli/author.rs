//! `veerpont author`: who writes, and who of them has an actor.

use anyhow::Context;
use clap::Subcommand;
use serde::Serialize;
use serde_json::json;

use super::confirm::Confirmation;
use super::names;
use super::paging;
use super::print::{Output, count, table};
use crate::app::App;
use crate::app::worker;
use crate::base::ids::ActorId;
use crate::config;
use crate::db::{Conn, Page};
use crate::federation::outbox;
use crate::model::author::{self, Actor, choose};
use crate::model::{follower, interaction, post};
use crate::site::source::{self, Known};

#[derive(Debug, Subcommand)]
pub(super) enum Author {
    /// Authors with an actor; with --all everyone the sources name.
    List {
        /// Those without an actor too.
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        part: paging::Wanted,
    },
    /// One author, by handle or by the source's slug.
    Show {
        /// Handle or slug.
        who: String,
    },
    /// Give an author an actor, whatever the configuration says.
    Add {
        /// The source's slug for them.
        slug: String,
        /// Their source, where several are configured.
        #[arg(long)]
        source: Option<String>,
    },
    /// Freeze an author's actor: nothing new is published in their name.
    Remove {
        /// Handle or slug.
        who: String,
        /// Their source, where several are configured.
        #[arg(long)]
        source: Option<String>,
        /// Delete their articles and then the actor, everywhere and for ever.
        #[arg(long)]
        delete: bool,
        #[command(flatten)]
        sure: Confirmation,
    },
}

#[derive(Debug, Serialize)]
struct Shown {
    slug: String,
    source: String,
    name: String,
    profile: bool,
    choice: Option<&'static str>,
    handle: Option<String>,
    id: Option<String>,
    state: &'static str,
    followers: i64,
    #[serde(skip)]
    actor: Option<ActorId>,
}

impl Author {
    /// Whether it changes nothing.
    pub(super) fn only_looks(&self) -> bool {
        matches!(self, Self::List { .. } | Self::Show { .. })
    }

    pub(super) async fn run(self, app: &App, output: Output) -> anyhow::Result<()> {
        match self {
            Self::List { all, part } => {
                let authors = list(app, all, &part).await?;
                paging::print(output, &authors, |authors| {
                    let rows = authors.iter().map(|author| {
                        [
                            author.handle.clone().unwrap_or_else(|| "-".to_owned()),
                            author.name.clone(),
                            format!("{}/{}", author.source, author.slug),
                            author.state.to_owned(),
                            author.followers.to_string(),
                        ]
                    });
                    table(["HANDLE", "NAME", "AUTHOR", "STATE", "FOLLOWERS"], rows)
                })
            }
            Self::Show { who } => {
                let author = find(app, &who, None).await?;
                output.print(&author, || {
                    format!(
                        "{}\n  author     {}/{}{}\n  state      {}\n  handle     {}\n  id         {}\n  followers  {}",
                        author.name,
                        author.source,
                        author.slug,
                        if author.profile { "" } else { " (no profile)" },
                        author.state,
                        author.handle.as_deref().unwrap_or("-"),
                        author.id.as_deref().unwrap_or("-"),
                        author.followers
                    )
                })
            }
            Self::Add { slug, source } => {
                let (known, configured) = one_source(app, source.as_deref(), &slug).await?;
                choose::add(app, &configured, known.id, &slug).await?;
                let author = find(app, &slug, Some(&known.name)).await?;
                output.print(&author, || format!("{} is {}", author.name, author.handle.as_deref().unwrap_or("-")))
            }
            Self::Remove { who, source, delete, sure } => {
                let sure = delete.then_some(sure);
                remove(app, &who, source.as_deref(), sure, output).await
            }
        }
    }
}

/// Freezes an author's actor, or deletes it if somebody is sure.
async fn remove(
    app: &App,
    who: &str,
    source: Option<&str>,
    sure: Option<Confirmation>,
    output: Output,
) -> anyhow::Result<()> {
    let author = find(app, who, source).await?;
    let (known, configured) = one_source(app, Some(&author.source), &author.slug).await?;
    let delete = sure.is_some();
    if let (Some(sure), Some(id)) = (sure, author.actor) {
        sure.of(output, &loss(app, &author, id).await?)?;
    }
    let actor = choose::remove(app, &configured, known.id, &author.slug).await?;
    let mut articles = 0;
    if let (Some(actor), true) = (actor, delete) {
        articles = outbox::actor_deletion::delete_actor(app, actor).await?;
        worker::drain(&outbox::worker::worker(), app).await?;
    }
    output.print(&json!({ "author": author.slug, "deleted": delete, "articles_deleted": articles }), || {
        if delete {
            format!(
                "{} and {articles} articles are deleted; the running bridge tells everyone who may know of them",
                author.name
            )
        } else {
            format!("{} is frozen: new posts go to the team account", author.name)
        }
    })
}

/// What is lost with an actor.
async fn loss(app: &App, author: &Shown, id: ActorId) -> anyhow::Result<String> {
    let mut conn = app.db.read().await?;
    let articles = post::store::count_standing_of(&mut conn, id).await?;
    let answers = interaction::store::count_notes(&mut conn, id).await?;
    Ok(format!(
        "deletes {} for ever and everywhere, with {}, {} and {}; nobody can ever have that handle again",
        author.handle.as_deref().unwrap_or(&author.slug),
        count(usize::try_from(articles).unwrap_or(usize::MAX), "article"),
        count(usize::try_from(answers).unwrap_or(usize::MAX), "answer"),
        count(usize::try_from(author.followers).unwrap_or(usize::MAX), "follower")
    ))
}

async fn everyone(app: &App) -> anyhow::Result<Vec<Shown>> {
    let mut conn = app.db.read().await?;
    let mut shown = Vec::new();
    for source in source::store::known(&mut conn).await? {
        for author in author::store::authors(&mut conn, source.id).await? {
            shown.push(view(app, &mut conn, &source.name, author).await?);
        }
    }
    Ok(shown)
}

async fn list(app: &App, all: bool, part: &paging::Wanted) -> anyhow::Result<Page<Shown>> {
    let mut conn = app.db.read().await?;
    let sources = source::store::known(&mut conn).await?;
    let authors = author::store::authors_after(&mut conn, all, part.after()?, part.limit()).await?;
    let mut items = Vec::new();
    for author in authors.items {
        let source =
            sources.iter().find(|source| source.id == author.source_id).map_or("", |source| source.name.as_str());
        items.push(view(app, &mut conn, source, author).await?);
    }
    Ok(Page { items, next: authors.next })
}

async fn view(app: &App, conn: &mut Conn, source: &str, author: author::Author) -> sqlx::Result<Shown> {
    let actor = match author.actor {
        Some(id) => author::store::actor(conn, id).await?,
        None => None,
    };
    let followers = match &actor {
        Some(actor) => follower::store::count(conn, actor.id).await?,
        None => 0,
    };
    Ok(Shown {
        slug: author.slug,
        source: source.to_owned(),
        name: author.name,
        profile: author.has_profile,
        choice: author.choice.map(author::Choice::as_str),
        state: state(actor.as_ref()),
        handle: actor.as_ref().map(|actor| format!("@{}", app.urls.acct(&actor.handle))),
        actor: actor.as_ref().map(|actor| actor.id),
        id: actor.as_ref().map(|actor| actor.url(&app.urls)),
        followers,
    })
}

fn state(actor: Option<&Actor>) -> &'static str {
    match actor {
        None => "no actor",
        Some(actor) if actor.deleted_at.is_some() => "deleted",
        Some(actor) if actor.frozen_at.is_some() => "frozen",
        Some(_) => "active",
    }
}

async fn find(app: &App, who: &str, source: Option<&str>) -> anyhow::Result<Shown> {
    let handle = names::handle(app, who).ok().map(|handle| names::ours(app, handle.as_str()));
    let mut found: Vec<Shown> = everyone(app)
        .await?
        .into_iter()
        .filter(|author| source.is_none_or(|source| author.source == source))
        .filter(|author| author.slug == who || (handle.is_some() && author.handle == handle))
        .collect();
    anyhow::ensure!(found.len() <= 1, "several sources have an author `{who}`; say which with --source NAME");
    found.pop().with_context(|| format!("there is no author `{who}`; `veerpont author list --all` shows everyone"))
}

/// The source an author is of: the one named, or the only one.
async fn one_source(app: &App, name: Option<&str>, slug: &str) -> anyhow::Result<(Known, config::Source)> {
    let name = match (name, app.config.sources.as_slice()) {
        (Some(name), _) => name,
        (None, [only]) => only.name.as_str(),
        (None, []) => anyhow::bail!("no source is configured"),
        (None, _) => anyhow::bail!("say whose author `{slug}` is with --source NAME"),
    };
    let configured = app.config.sources.iter().find(|source| source.name == name);
    let configured = configured.with_context(|| format!("there is no source `{name}` in the configuration"))?;
    let mut conn = app.db.read().await?;
    let known = source::store::known(&mut conn).await?.into_iter().find(|source| source.name == name);
    Ok((
        known.with_context(|| format!("the source `{name}` is not known yet; run `veerpont sync`"))?,
        configured.clone(),
    ))
}

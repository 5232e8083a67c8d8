//! `veerpont post`: what the sites published, and what became of it.

use anyhow::Context;
use clap::Subcommand;
use clock::Timestamp;
use serde::Serialize;

use super::confirm::Confirmation;
use super::names;
use super::paging;
use super::print::{self, Output, shown, table};
use crate::app::App;
use crate::app::worker;
use crate::db::{Conn, Page};
use crate::federation::delivery;
use crate::federation::delivery::store::{Line, Spread};
use crate::federation::outbox;
use crate::model::interaction::{self, Answers};
use crate::model::post;
use crate::site::source::{self, unpublish};

#[derive(Debug, Subcommand)]
pub(super) enum Post {
    /// Published posts; with --all the others too.
    List {
        /// Drafts, withheld, missing and removed ones too.
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        part: paging::Wanted,
    },
    /// One post.
    Show {
        /// Its key, its id on the fediverse, or its page's address.
        post: String,
    },
    /// Undo `unpublish`: the post is again what its site says.
    Publish {
        /// Its key, its id on the fediverse, or its page's address.
        post: String,
        /// Send it to the followers whatever its age.
        #[arg(long)]
        deliver: bool,
    },
    /// Delete a post's article everywhere, and keep it from coming back.
    Unpublish {
        /// Its key, its id on the fediverse, or its page's address.
        post: String,
        #[command(flatten)]
        sure: Confirmation,
    },
}

#[derive(Debug, Serialize)]
struct Shown {
    key: String,
    id: Option<String>,
    url: String,
    title: String,
    state: &'static str,
    source: String,
    authors: Vec<String>,
    owner: Option<String>,
    sent: bool,
    published: Option<String>,
    updated: Option<String>,
    #[serde(flatten)]
    answers: Answers,
    /// How many servers have it, wait for it, and were given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    hosts: Option<Spread>,
    /// The same of its Delete, once it is deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    deletion: Option<Spread>,
    /// What of it was tried and not taken, the newest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_taken: Option<Vec<Line>>,
}

/// Most deliveries of a post that are counted.
const COUNTED: i64 = 1_000_000;

/// Most deliveries shown that were not taken.
const NOT_TAKEN: i64 = 20;

impl Post {
    /// Whether it changes nothing.
    pub(super) fn only_looks(&self) -> bool {
        matches!(self, Self::List { .. } | Self::Show { .. })
    }

    pub(super) async fn run(self, app: &App, output: Output) -> anyhow::Result<()> {
        match self {
            Self::List { all, part } => {
                let posts = list(app, all, &part).await?;
                paging::print(output, &posts, |posts| {
                    let rows = posts.iter().map(|post| {
                        let date = post.published.as_deref().unwrap_or("-").chars().take(10).collect();
                        [date, post.state.to_owned(), post.source.clone(), post.key.clone(), post.title.clone()]
                    });
                    table(["DATE", "STATE", "SOURCE", "KEY", "TITLE"], rows)
                })
            }
            Self::Show { post } => show(app, &find(app, &post).await?, output).await,
            Self::Publish { post, deliver } => {
                let found = find(app, &post).await?;
                unpublish::publish(app, found.id, deliver).await?;
                worker::drain(&outbox::worker::worker(), app).await?;
                show(app, &found, output).await
            }
            Self::Unpublish { post, sure } => {
                let found = find(app, &post).await?;
                if let Some(loss) = loss(app, &found).await? {
                    sure.of(output, &loss)?;
                }
                unpublish::unpublish(app, found.id).await?;
                worker::drain(&outbox::worker::worker(), app).await?;
                show(app, &found, output).await
            }
        }
    }
}

/// What is lost with an article, where one stands.
async fn loss(app: &App, post: &post::Post) -> anyhow::Result<Option<String>> {
    let Some(id) = post.article.filter(|_| post.article_stands) else { return Ok(None) };
    let mut conn = app.db.read().await?;
    let Answers { replies, quotes, likes, boosts } = interaction::store::answers(&mut conn, id).await?;
    Ok(Some(format!(
        "deletes the article “{}” everywhere, with what is shown below it (replies {replies}, quotes {quotes}, likes {likes}, boosts {boosts}); published again, it is a new one",
        shown(&post.entry.title)
    )))
}

async fn list(app: &App, all: bool, part: &paging::Wanted) -> anyhow::Result<Page<Shown>> {
    let mut conn = app.db.read().await?;
    let sources = source::store::known(&mut conn).await?;
    let posts = post::store::posts_after(&mut conn, all, part.after()?, part.limit()).await?;
    let mut items = Vec::new();
    for post in &posts.items {
        let source =
            sources.iter().find(|source| source.id == post.source_id).map_or("", |source| source.name.as_str());
        items.push(view(app, &mut conn, source, post).await?);
    }
    Ok(Page { items, next: posts.next })
}

async fn show(app: &App, post: &post::Post, output: Output) -> anyhow::Result<()> {
    let mut conn = app.db.read().await?;
    let post = post::store::post(&mut conn, post.id).await?.context("the post is no longer there")?;
    let sources = source::store::known(&mut conn).await?;
    let source =
        sources.into_iter().find(|source| source.id == post.source_id).map(|source| source.name).unwrap_or_default();
    let mut shown = view(app, &mut conn, &source, &post).await?;
    if let Some(article) = post.article {
        shown.not_taken = Some(delivery::store::untaken(&mut conn, article, NOT_TAKEN).await?);
        shown.hosts = Some(delivery::store::spread(&mut conn, article, false, COUNTED).await?);
        if !post.article_stands {
            shown.deletion = Some(delivery::store::spread(&mut conn, article, true, COUNTED).await?);
        }
    }
    output.print(&shown, || {
        let or = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let not_taken = shown.not_taken.iter().flatten().map(|line| {
            let last = line.last().unwrap_or_default();
            print::shown(&format!("{} {} to {}: {last}", line.state, line.kind, line.inbox))
        });
        let not_taken = not_taken.fold(String::new(), |told, line| told + "\n  not taken  " + &line);
        let told = format!(
            "{}\n  key        {}\n  source     {} ({})\n  state      {}{}\n  page       {}\n  id         {}\n  authors    {}\n  owner      {}\n  published  {}\n  updated    {}\n  answers    {} replies, {} likes, {} boosts",
            shown.title,
            shown.key,
            shown.source,
            post.entry.file,
            shown.state,
            if shown.id.is_some() && !shown.sent { ", not sent to followers" } else { "" },
            shown.url,
            or(&shown.id),
            shown.authors.join(", "),
            or(&shown.owner),
            or(&shown.published),
            or(&shown.updated),
            shown.answers.replies,
            shown.answers.likes,
            shown.answers.boosts,
        );
        let hosts = shown.hosts.map_or_else(String::new, |hosts| {
            format!("\n  servers    {} have it, {} wait, {} given up", hosts.taken, hosts.waiting, hosts.given_up)
        });
        let deletion = shown.deletion.map_or_else(String::new, |hosts| {
            let unconfirmed = hosts.waiting + hosts.given_up;
            format!("\n  deletion   {} took it, {unconfirmed} have not ({} wait)", hosts.taken, hosts.waiting)
        });
        told + &hosts + &deletion + &not_taken
    })
}

async fn view(app: &App, conn: &mut Conn, source: &str, post: &post::Post) -> anyhow::Result<Shown> {
    let article = match post.article {
        Some(id) => post::store::article(conn, id).await?,
        None => None,
    };
    let owner = match &article {
        Some(article) => crate::model::author::store::actor(conn, article.owner).await?,
        None => None,
    };
    let answers = match post.article {
        Some(id) => interaction::store::answers(conn, id).await?,
        None => Answers::default(),
    };
    Ok(Shown {
        answers,
        not_taken: None,
        hosts: None,
        deletion: None,
        key: post.key.clone(),
        id: article.as_ref().map(|article| app.urls.article(article.uuid)),
        url: post.entry.url.clone(),
        title: post.entry.title.clone(),
        state: post.state.as_str(),
        source: source.to_owned(),
        authors: post.entry.authors.clone(),
        owner: owner.map(|actor| format!("@{}", app.urls.acct(&actor.handle))),
        sent: article.as_ref().is_some_and(|article| article.pushed),
        published: article
            .as_ref()
            .map(|article| article.published_at)
            .or(post.entry.published)
            .map(Timestamp::rfc3339),
        updated: article.and_then(|article| article.updated_at).map(Timestamp::rfc3339),
    })
}

/// A post by key, by its article's id, or by its page's address.
pub(super) async fn find(app: &App, name: &str) -> anyhow::Result<post::Post> {
    let mut conn = app.db.read().await?;
    let mut found = post::store::posts_by_key(&mut conn, name).await?;
    for spelling in names::spellings(name.trim()) {
        if !found.is_empty() {
            break;
        }
        let named = interaction::named::named(&mut conn, &app.urls, &spelling).await?;
        if let Some(article) = named.and_then(interaction::named::Named::article) {
            found.extend(post::store::post(&mut conn, article.post_id).await?);
        }
    }
    anyhow::ensure!(found.len() <= 1, "several sources have a post `{name}`; name it by its page's address");
    found.pop().with_context(|| format!("there is no post `{name}`; `veerpont post list --all` shows the keys"))
}

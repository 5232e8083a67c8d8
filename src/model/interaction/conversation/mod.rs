//! An article with its conversation as everyone sees it: for the API, the pages, and the sites that show it themselves.

pub(crate) mod document;
pub(crate) mod media;

use super::store::{self, ConversationPage};
use super::{Answers, Author, Kind, Person, Shown};
use crate::app::App;
use crate::base::ids::ArticleId;
use crate::db::Conn;
use crate::model::author::{self, Actor};
use crate::model::post::Article;

/// Most people shown of those who like or boosted.
const PEOPLE: i64 = 50;

/// Most bytes of replies in an answer, and one reply more: a few strangers could fill pages otherwise.
const BYTES: usize = 1024 * 1024;

/// An article with a page of its conversation.
#[derive(Debug)]
pub(crate) struct Conversation {
    pub(crate) article: Article,
    pub(crate) owner: Actor,
    /// The counts of the whole conversation.
    pub(crate) answers: Answers,
    /// Who likes it, the latest first, with the emoji of the like.
    pub(crate) likes: Vec<(Person, Option<String>)>,
    /// Who boosted it, the latest first.
    pub(crate) boosts: Vec<Person>,
    /// The page of replies, each with its depth.
    pub(crate) replies: Vec<(Shown, usize)>,
    /// Where the next page begins.
    pub(crate) next: Option<i64>,
}

impl Conversation {
    /// Reads it: a handful of statements, however many replies there are.
    pub(crate) async fn read(
        app: &App,
        conn: &mut Conn,
        article: Article,
        page: ConversationPage,
    ) -> sqlx::Result<Self> {
        let (urls, id) = (&app.urls, article.id);
        let owner = author::store::actor(conn, article.owner).await?.ok_or(sqlx::Error::RowNotFound)?;
        let answers = store::answers(conn, id).await?;
        let likes = store::people(conn, urls, id, Kind::Like, PEOPLE).await?;
        let boosts = store::people(conn, urls, id, Kind::Boost, PEOPLE).await?;
        let (replies, next) = replies(app, conn, id, page).await?;
        let boosts = boosts.into_iter().map(|(who, _)| who).collect();
        Ok(Self { article, owner, answers, likes, boosts, replies, next })
    }

    /// The article's author, as accounts are shown.
    pub(crate) fn author(&self, app: &App) -> Person {
        person(app, &self.owner)
    }
}

/// The replies of a page, as many as fit into an answer, and where the next page begins; `None` where this is the last.
pub(crate) async fn replies(
    app: &App,
    conn: &mut Conn,
    article: ArticleId,
    page: ConversationPage,
) -> sqlx::Result<(Vec<(Shown, usize)>, Option<i64>)> {
    let one_more = ConversationPage { limit: page.limit + 1, ..page };
    let mut replies = store::conversation(conn, &app.urls, article, one_more).await?;
    let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let shown = fitting(&replies).min(limit);
    let next = (replies.len() > shown).then(|| page.from + i64::try_from(shown).unwrap_or(page.limit));
    replies.truncate(shown);
    Ok((replies, next))
}

/// How many of these replies fit into an answer: one always does.
pub(crate) fn fitting(replies: &[(Shown, usize)]) -> usize {
    let mut bytes = 0;
    let words = |shown: &Shown| shown.words.as_ref().map_or(0, |words| words.content.len());
    let fit = replies.iter().take_while(|(shown, _)| {
        let before = bytes;
        bytes += words(shown);
        before < BYTES
    });
    fit.count()
}

/// An actor of ours, as accounts are shown.
pub(crate) fn person(app: &App, who: &Actor) -> Person {
    Person {
        row: Author::Local(who.id),
        id: who.url(&app.urls),
        name: Person::name(&who.name, who.handle.as_str()),
        handle: format!("@{}", app.urls.acct(&who.handle)),
        url: app.urls.profile(&who.handle),
        avatar: who.icon.as_ref().map(|icon| icon.url.clone()),
        emoji: Vec::new(),
        ours: true,
    }
}

/// The page of an article with its conversation.
pub(crate) fn page_of(app: &App, owner: &Actor, article: &Article) -> String {
    format!("{}/{}", app.urls.profile(&owner.handle), article.uuid)
}

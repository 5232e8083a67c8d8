//! Conversations as others see them, and as a moderator does.

use sqlx::any::AnyRow;
use sqlx::{query, query_scalar};
use url::Url;

use super::posts::read_state;
use super::standing;
use crate::activity::Image;
use crate::activity::urls::Urls;
use crate::db::{Columns, Conn, decode_error};
use crate::ids::{ArticleId, Handle, Host, InteractionId};
use crate::interaction::{Answers, Kind, Person, Shown, State};

/// The ids of what is shown in answer to an article, the oldest first: replies to the article itself, or all of the
/// conversation.
///
/// # Errors
/// The database's.
pub async fn reply_ids(
    conn: &mut Conn,
    article: ArticleId,
    direct: bool,
    from: i64,
    limit: i64,
) -> sqlx::Result<Vec<String>> {
    query_scalar(concat!(
        "SELECT i.object_id FROM interactions i WHERE i.article_id = $1 AND i.kind = 'reply' AND ",
        standing!(),
        " AND ($2 = 0 OR i.parent_id IS NULL) ORDER BY i.published_at, i.object_id LIMIT $4 OFFSET $3"
    ))
    .bind(article.0)
    .bind(i64::from(direct))
    .bind(from)
    .bind(limit)
    .fetch_all(conn)
    .await
}

/// How many replies [`reply_ids`] would give in all.
///
/// # Errors
/// The database's.
pub async fn count_replies(conn: &mut Conn, article: ArticleId, direct: bool) -> sqlx::Result<i64> {
    query_scalar(concat!(
        "SELECT COUNT(*) FROM interactions i WHERE i.article_id = $1 AND i.kind = 'reply' AND ",
        standing!(),
        " AND ($2 = 0 OR i.parent_id IS NULL)"
    ))
    .bind(article.0)
    .bind(i64::from(direct))
    .fetch_one(conn)
    .await
}

/// How an article was answered: replies, and people who like or boosted it, each counted once.
///
/// # Errors
/// The database's.
pub async fn answers(conn: &mut Conn, article: ArticleId) -> sqlx::Result<Answers> {
    let rows = query(concat!(
        "SELECT i.kind, COUNT(*) AS n, COUNT(DISTINCT i.remote_actor_id) AS people FROM interactions i
         WHERE i.article_id = $1 AND (i.kind = 'reply' OR i.parent_id IS NULL) AND ",
        standing!(),
        " GROUP BY i.kind"
    ))
    .bind(article.0)
    .fetch_all(conn)
    .await?;
    let mut answers = Answers::default();
    for row in &rows {
        let count = |column: &str| Ok::<_, sqlx::Error>(u64::try_from(row.int(column)?).unwrap_or(0));
        match row.text("kind")?.as_str() {
            "reply" => answers.replies = count("n")?,
            "quote" => answers.quotes = count("n")?,
            "like" => answers.likes = count("people")?,
            "boost" => answers.boosts = count("people")?,
            _ => {}
        }
    }
    Ok(answers)
}

/// Who said something, by either side of the join.
macro_rules! person_columns {
    () => {
        "r.url AS r_url, r.name AS r_name, r.username, r.profile_url, r.avatar_url, r.emoji,
         a.uuid AS a_uuid, a.handle AS a_handle, a.name AS a_name, a.icon AS a_icon"
    };
}
pub(super) use person_columns;

macro_rules! select_shown {
    ($rest:expr) => {
        concat!(
            "SELECT i.id, i.object_id, p.object_id AS parent, i.document, i.published_at, i.updated_at, i.ended_at, i.held_at, i.hidden_at,
             i.block_id, ",
            person_columns!(),
            " FROM interactions i LEFT JOIN remote_actors r ON r.id = i.remote_actor_id LEFT JOIN actors a ON a.id = i.actor_id
             LEFT JOIN interactions p ON p.id = i.parent_id WHERE ",
            $rest
        )
    };
}

/// Which posts a moderator looks at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    /// Of one conversation.
    pub article: Option<ArticleId>,
    /// Only in this state; all that were not deleted otherwise.
    pub state: Option<State>,
    /// Replies, quotes, or notices; all of them otherwise.
    pub kind: Option<Kind>,
}

/// Posts for a moderator, the newest first.
///
/// # Errors
/// The database's.
pub async fn list(conn: &mut Conn, urls: &Urls, filter: Filter, limit: i64) -> sqlx::Result<Vec<Shown>> {
    let rows = query(select_shown!(
        "i.object_id IS NOT NULL AND ($1 = 0 OR i.article_id = $1) AND ($2 = '' OR i.kind = $2)
         AND ($3 = 'deleted' OR i.ended_at IS NULL)
         AND CASE $3 WHEN 'shown' THEN i.held_at IS NULL AND i.hidden_at IS NULL AND i.block_id IS NULL
             WHEN 'held' THEN i.held_at IS NOT NULL AND i.block_id IS NULL WHEN 'hidden' THEN i.hidden_at IS NOT NULL
             WHEN 'blocked' THEN i.block_id IS NOT NULL WHEN 'deleted' THEN i.ended_at IS NOT NULL ELSE 1 = 1 END
         ORDER BY i.published_at DESC, i.id DESC LIMIT $4"
    ))
    .bind(filter.article.map_or(0, |id| id.0))
    .bind(filter.kind.map_or("", Kind::as_str))
    .bind(filter.state.map_or("", State::as_str))
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| read_shown(row, urls)).collect()
}

/// One post for a moderator, by its id.
///
/// # Errors
/// The database's.
pub async fn shown(conn: &mut Conn, urls: &Urls, object_id: &str) -> sqlx::Result<Option<Shown>> {
    let row = query(select_shown!("i.object_id = $1")).bind(object_id).fetch_optional(conn).await?;
    row.map(|row| read_shown(&row, urls)).transpose()
}

/// A page of a conversation.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// Posts skipped.
    pub from: i64,
    /// Most posts on it.
    pub limit: i64,
}

/// An article's conversation, the oldest first, for everyone: what is shown, and of what is not, that it was there,
/// where something shown answers it.
///
/// # Errors
/// The database's.
pub async fn conversation(conn: &mut Conn, urls: &Urls, article: ArticleId, page: Page) -> sqlx::Result<Vec<Shown>> {
    let rows = query(select_shown!(concat!(
        "i.article_id = $1 AND i.kind = 'reply' AND ((",
        standing!(),
        ") OR i.id IN (WITH RECURSIVE above (id) AS (
             SELECT i.parent_id FROM interactions i WHERE i.article_id = $1 AND i.kind = 'reply' AND i.parent_id IS NOT NULL AND ",
        standing!(),
        "    UNION SELECT u.parent_id FROM interactions u JOIN above ON u.id = above.id WHERE u.parent_id IS NOT NULL)
             SELECT id FROM above))
         ORDER BY i.published_at, i.object_id LIMIT $3 OFFSET $2"
    )))
    .bind(article.0)
    .bind(page.from)
    .bind(page.limit)
    .fetch_all(conn)
    .await?;
    let mut posts = rows.iter().map(|row| read_shown(row, urls)).collect::<sqlx::Result<Vec<_>>>()?;
    // That something was there is no secret; what it said is.
    for post in posts.iter_mut().filter(|post| post.state != State::Shown) {
        post.words = None;
    }
    Ok(posts)
}

/// Who likes or boosted an article, the latest first, each once, with the sign that a like came with.
///
/// # Errors
/// The database's.
pub async fn people(
    conn: &mut Conn,
    urls: &Urls,
    article: ArticleId,
    kind: Kind,
    limit: i64,
) -> sqlx::Result<Vec<(Person, Option<String>)>> {
    let rows = query(concat!(
        "SELECT i.reaction, ",
        person_columns!(),
        " FROM interactions i LEFT JOIN remote_actors r ON r.id = i.remote_actor_id LEFT JOIN actors a ON a.id = i.actor_id
         WHERE i.article_id = $1 AND i.kind = $2 AND i.parent_id IS NULL AND ",
        standing!(),
        " AND NOT EXISTS (SELECT 1 FROM interactions l WHERE l.article_id = i.article_id AND l.kind = i.kind AND l.parent_id IS NULL
             AND l.remote_actor_id = i.remote_actor_id AND l.ended_at IS NULL AND l.id > i.id)
         ORDER BY i.id DESC LIMIT $3"
    ))
    .bind(article.0)
    .bind(kind.as_str())
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| Ok((read_person(row, urls)?, row.maybe_text("reaction")?))).collect()
}

/// How many posts of others there are in each state.
///
/// # Errors
/// The database's.
pub async fn count_states(conn: &mut Conn) -> sqlx::Result<Vec<(String, i64)>> {
    let rows = query(
        "SELECT CASE WHEN ended_at IS NOT NULL THEN 'deleted' WHEN block_id IS NOT NULL THEN 'blocked' WHEN hidden_at IS NOT NULL THEN 'hidden'
         WHEN held_at IS NOT NULL THEN 'held' ELSE 'shown' END AS state, COUNT(*) AS n FROM interactions
         WHERE object_id IS NOT NULL AND remote_actor_id IS NOT NULL GROUP BY 1",
    )
    .fetch_all(conn)
    .await?;
    let mut counts: Vec<_> =
        rows.iter().map(|row| Ok((row.text("state")?, row.int("n")?))).collect::<sqlx::Result<_>>()?;
    counts.sort();
    Ok(counts)
}

fn read_shown(row: &AnyRow, urls: &Urls) -> sqlx::Result<Shown> {
    Ok(Shown {
        row: InteractionId(row.int("id")?),
        id: row.text("object_id")?,
        parent: row.maybe_text("parent")?,
        author: read_person(row, urls)?,
        state: read_state(row)?,
        words: row.maybe_json("document")?,
        published: row.time("published_at")?,
        updated: row.maybe_time("updated_at")?,
    })
}

pub(super) fn read_person(row: &AnyRow, urls: &Urls) -> sqlx::Result<Person> {
    if let Some(uuid) = row.maybe_text("a_uuid")? {
        let handle = Handle::parse(&row.text("a_handle")?).map_err(decode_error)?;
        let icon: Option<Image> = row.maybe_json("a_icon")?;
        return Ok(Person {
            id: urls.actor(uuid::Uuid::parse_str(&uuid).map_err(decode_error)?),
            name: row.text("a_name")?,
            handle: format!("@{}", urls.acct(&handle)),
            url: urls.profile(&handle),
            avatar: icon.map(|icon| icon.url),
            emoji: Vec::new(),
            ours: true,
        });
    }
    let id = row.text("r_url")?;
    let host = Url::parse(&id).ok().as_ref().and_then(Host::of).map(|host| host.to_string()).unwrap_or_default();
    Ok(Person {
        name: row.text("r_name")?,
        handle: format!("@{}@{host}", row.text("username")?),
        url: row.text("profile_url")?,
        avatar: row.maybe_text("avatar_url")?,
        emoji: row.maybe_json("emoji")?.unwrap_or_default(),
        ours: false,
        id,
    })
}

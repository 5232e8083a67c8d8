//! Conversations as everyone sees them, and as a moderator does.

use clock::Timestamp;
use hugo_content::Image;
use sqlx::any::AnyRow;

use super::posts::read_state;
use super::standing;
use crate::activitypub::incoming::Emoji;
use crate::activitypub::urls::Urls;
use crate::base::ids::{ActorId, ArticleId, Handle, Host, InteractionId, RemoteActorId};
use crate::db::{Columns, Conn, Cursor, Page, decode_error, query};
use crate::model::interaction::{Author, Kind, Person, Shown, State, Words};

/// The ids of what is shown in answer to an article, the oldest first: replies to the article itself, or all of the
/// conversation.
pub(crate) async fn reply_ids(
    conn: &mut Conn,
    article: ArticleId,
    direct: bool,
    from: i64,
    limit: i64,
) -> sqlx::Result<Vec<String>> {
    query(
        concat!(
            "SELECT i.object_id FROM interactions i WHERE i.article_id = $1 AND i.kind = 'reply' AND ",
            standing!(),
            " AND ($2 = 0 OR i.parent_id IS NULL) ORDER BY i.published_at, i.object_id LIMIT $4 OFFSET $3"
        ),
        (article, direct, from, limit),
    )
    .scalars(conn)
    .await
}

/// The columns of an author, from either side of the join.
macro_rules! person_columns {
    () => {
        "i.remote_actor_id, i.actor_id, r.url AS r_url, r.name AS r_name, r.username, r.profile_url, r.avatar_url, r.emoji,
         a.uuid AS a_uuid, a.handle AS a_handle, a.name AS a_name, a.icon AS a_icon"
    };
}
pub(super) use person_columns;

macro_rules! select_shown {
    ($rest:expr) => {
        concat!(
            "SELECT i.id, i.article_id, i.kind, i.object_id, p.object_id AS parent, i.document, i.published_at, i.updated_at, i.ended_at, i.held_at, i.hidden_at,
             i.block_id, ",
            person_columns!(),
            " FROM interactions i LEFT JOIN remote_actors r ON r.id = i.remote_actor_id LEFT JOIN actors a ON a.id = i.actor_id
             LEFT JOIN interactions p ON p.id = i.parent_id WHERE ",
            $rest
        )
    };
}

/// The posts that a moderator asks for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    /// Of one conversation.
    pub article: Option<ArticleId>,
    /// Only in this state; otherwise all that were not deleted.
    pub state: Option<State>,
    /// Replies, quotes, or notices; all of them otherwise, but those that are shown are no notices.
    pub kind: Option<Kind>,
}

macro_rules! select_listed {
    ($state:literal) => {
        select_shown!(concat!("i.object_id IS NOT NULL AND i.id < $1 AND ", $state, " ORDER BY i.id DESC LIMIT $2"))
    };
}

/// A page of the posts for a moderator, the latest first.
pub async fn list(
    conn: &mut Conn,
    urls: &Urls,
    filter: Filter,
    after: Option<Cursor<1>>,
    limit: i64,
) -> sqlx::Result<Page<Shown>> {
    let Cursor([before]) = after.unwrap_or(Cursor([i64::MAX]));
    let state = filter.state.map_or("", State::as_str);
    let bound = |statement: &'static str| query(statement, (before, limit + 1));
    let mut shown: Vec<Shown> = Vec::new();
    if let Some(article) = filter.article {
        // Each kind has its own statement, so that a few replies are found among a million likes. Private messages are
        // shown to nobody.
        let private = (filter.state != Some(State::Shown)).then_some(Kind::Notice);
        let all = || [Kind::Reply, Kind::Quote].into_iter().chain(private).collect();
        let kinds: Vec<Kind> = filter.kind.map_or_else(all, |kind| vec![kind]);
        for kind in kinds {
            let select = bound(select_listed!(
                "i.article_id = $4 AND i.kind = $3 AND ($5 = 'deleted' OR i.ended_at IS NULL)
                 AND CASE $5 WHEN 'shown' THEN i.held_at IS NULL AND i.hidden_at IS NULL AND i.block_id IS NULL
                 WHEN 'held' THEN i.held_at IS NOT NULL AND i.block_id IS NULL WHEN 'hidden' THEN i.hidden_at IS NOT NULL
                 WHEN 'blocked' THEN i.block_id IS NOT NULL WHEN 'deleted' THEN i.ended_at IS NOT NULL ELSE 1 = 1 END"
            ));
            let select = select.bind((kind, article, state));
            shown.extend(select.fetch_all(conn, |row| read_shown(row, urls)).await?);
        }
        shown.sort_by_key(|one| std::cmp::Reverse(one.row));
    } else {
        // Each state has its own statement, so that a few held ones are found among a million that are shown.
        let statement = match filter.state {
            None => select_listed!("($3 = '' OR i.kind = $3) AND i.ended_at IS NULL"),
            Some(State::Shown) => select_listed!(
                "(($3 = '' AND i.kind <> 'notice') OR i.kind = $3) AND i.ended_at IS NULL AND i.held_at IS NULL AND i.hidden_at IS NULL
                 AND i.block_id IS NULL"
            ),
            Some(State::Held) => select_listed!(
                "($3 = '' OR i.kind = $3) AND i.ended_at IS NULL AND i.held_at IS NOT NULL AND i.block_id IS NULL"
            ),
            Some(State::Hidden) => {
                select_listed!("($3 = '' OR i.kind = $3) AND i.ended_at IS NULL AND i.hidden_at IS NOT NULL")
            }
            Some(State::Blocked) => {
                select_listed!("($3 = '' OR i.kind = $3) AND i.ended_at IS NULL AND i.block_id IS NOT NULL")
            }
            Some(State::Deleted) => select_listed!("($3 = '' OR i.kind = $3) AND i.ended_at IS NOT NULL"),
        };
        let select = bound(statement).bind(filter.kind.map_or("", Kind::as_str));
        shown = select.fetch_all(conn, |row| read_shown(row, urls)).await?;
    }
    Ok(Page::of(shown, limit, |last: &Shown| Cursor([last.row.0]).to_string()))
}

/// The order of a conversation; in both, a post comes before its answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The oldest first.
    Time,
    /// Each reply followed by its answers; deeper than eight steps, answers are in order of time.
    Threads,
}

/// How deep [`Order::Threads`] goes.
const DEPTH: i64 = 8;

/// One post for a moderator, by its id.
pub(crate) async fn looked_at(conn: &mut Conn, urls: &Urls, object_id: &str) -> sqlx::Result<Option<Shown>> {
    query(select_shown!("i.object_id = $1"), object_id).fetch_optional(conn, |row| read_shown(row, urls)).await
}

/// A page of a conversation.
#[derive(Clone, Copy, Debug)]
pub struct ConversationPage {
    /// In which order.
    pub order: Order,
    /// Posts skipped.
    pub from: i64,
    /// Most posts on it.
    pub limit: i64,
}

/// When a reply counts as written: never before what it answers, whatever the clocks of other servers say.
macro_rules! at {
    () => {
        "CASE WHEN c.published_at > t.at THEN c.published_at ELSE t.at + 1 END"
    };
}

/// The sort key of a reply among those that answer the same. Digits alone, as many for each (years 0 to 9999, and row
/// ids of these centuries), so that texts sort alike under every collation.
macro_rules! place {
    ($at:expr, $id:literal) => {
        concat!("CAST(2000000000000000 + ", $at, " AS TEXT) || CAST(", $id, " AS TEXT)")
    };
}

/// An article's conversation for everyone, each post with its depth: what is shown, and a tombstone of what is not
/// where something shown answers it.
pub async fn conversation(
    conn: &mut Conn,
    urls: &Urls,
    article: ArticleId,
    page: ConversationPage,
) -> sqlx::Result<Vec<(Shown, usize)>> {
    query(
        concat!(
            "WITH RECURSIVE above (id) AS (
             SELECT i.parent_id FROM interactions i WHERE i.article_id = $1 AND i.kind = 'reply' AND i.parent_id IS NOT NULL AND ",
            standing!(),
            "    UNION SELECT u.parent_id FROM interactions u JOIN above ON u.id = above.id WHERE u.parent_id IS NOT NULL),
         thread (id, at, depth, stem, path) AS (
             SELECT c.id, c.published_at, 0, ",
            place!("c.published_at", "c.id"),
            ", ",
            place!("c.published_at", "c.id"),
            "    FROM interactions c LEFT JOIN interactions p ON p.id = c.parent_id
             WHERE c.article_id = $1 AND c.kind = 'reply' AND (p.id IS NULL OR p.kind <> 'reply')
             UNION ALL SELECT c.id, ",
            at!(),
            ", t.depth + 1, CASE WHEN t.depth + 1 < $5 THEN t.stem || ",
            place!(at!(), "c.id"),
            " ELSE t.stem END, t.stem || ",
            place!(at!(), "c.id"),
            "    FROM thread t JOIN interactions c ON c.parent_id = t.id WHERE c.kind = 'reply')
         SELECT t.depth, i.id, i.article_id, i.kind, i.object_id, CASE WHEN p.kind = 'reply' THEN p.object_id END AS parent, i.document, i.published_at,
             i.updated_at, i.ended_at, i.held_at, i.hidden_at, i.block_id, ",
            person_columns!(),
            // CROSS, since SQLite would else begin with all interactions.
            " FROM thread t CROSS JOIN interactions i LEFT JOIN remote_actors r ON r.id = i.remote_actor_id
             LEFT JOIN actors a ON a.id = i.actor_id LEFT JOIN interactions p ON p.id = i.parent_id
         WHERE i.id = t.id AND ((",
            standing!(),
            ") OR i.id IN (SELECT id FROM above))
         ORDER BY CASE WHEN $4 = 1 THEN t.path ELSE '' END, t.at, i.id LIMIT $3 OFFSET $2"
        ),
        (article, page.from, page.limit, page.order == Order::Threads, DEPTH),
    )
    .fetch_all(conn, |row| Ok((read_public(row, urls)?, usize::try_from(row.int("depth")?).unwrap_or(0))))
    .await
}

/// As everyone sees it: no text of what is not shown.
fn read_public(row: &AnyRow, urls: &Urls) -> sqlx::Result<Shown> {
    let mut shown = read_shown(row, urls)?;
    if shown.state != State::Shown {
        shown.words = None;
    }
    Ok(shown)
}

/// A post as everyone sees it.
pub(crate) async fn shown(conn: &mut Conn, urls: &Urls, id: InteractionId) -> sqlx::Result<Option<Shown>> {
    query(select_shown!(concat!("i.id = $1 AND i.object_id IS NOT NULL AND ", standing!())), id)
        .fetch_optional(conn, |row| read_public(row, urls))
        .await
}

/// The text of a post that everyone sees, in a conversation that stands at `now`.
pub(crate) async fn shown_words(conn: &mut Conn, id: InteractionId, now: Timestamp) -> sqlx::Result<Option<Words>> {
    let words = query(
        concat!(
            "SELECT i.document FROM interactions i JOIN articles t ON t.id = i.article_id WHERE i.id = $1 AND t.deleted_at IS NULL
         AND (t.expires_at IS NULL OR t.expires_at > $2) AND i.kind <> 'notice' AND ",
            standing!()
        ),
        (id, now),
    )
    .fetch_optional(conn, |row| row.maybe_json("document"))
    .await?;
    Ok(words.flatten())
}

/// The picture of a remote actor, and the emoji of their name, where anything of theirs is shown.
pub(crate) async fn face(conn: &mut Conn, id: RemoteActorId) -> sqlx::Result<Option<(Option<String>, Vec<Emoji>)>> {
    query(
        concat!(
            "SELECT r.avatar_url, r.emoji FROM remote_actors r WHERE r.id = $1 AND EXISTS (
             SELECT 1 FROM interactions i WHERE i.remote_actor_id = r.id AND i.kind <> 'notice' AND ",
            standing!(),
            ")"
        ),
        id,
    )
    .fetch_optional(conn, |row| Ok((row.maybe_text("avatar_url")?, row.maybe_json("emoji")?.unwrap_or_default())))
    .await
}

/// Who likes or boosted an article, the latest first, each once, with the emoji of the like.
pub(crate) async fn people(
    conn: &mut Conn,
    urls: &Urls,
    article: ArticleId,
    kind: Kind,
    limit: i64,
) -> sqlx::Result<Vec<(Person, Option<String>)>> {
    query(
        concat!(
            "SELECT i.reaction, ",
            person_columns!(),
            " FROM interactions i LEFT JOIN remote_actors r ON r.id = i.remote_actor_id LEFT JOIN actors a ON a.id = i.actor_id
         WHERE i.article_id = $1 AND i.kind = $2 AND i.parent_id IS NULL AND ",
            standing!(),
            " AND NOT EXISTS (SELECT 1 FROM interactions l WHERE l.remote_actor_id = i.remote_actor_id AND l.kind = $2
             AND l.article_id = $1 AND l.parent_id IS NULL AND l.ended_at IS NULL AND l.id > i.id)
         ORDER BY i.published_at DESC, i.id DESC LIMIT $3"
        ),
        (article, kind, limit),
    )
    .fetch_all(conn, |row| Ok((read_person(row, urls)?, row.maybe_text("reaction")?)))
    .await
}

fn read_shown(row: &AnyRow, urls: &Urls) -> sqlx::Result<Shown> {
    Ok(Shown {
        kind: row.word("kind")?,
        row: InteractionId(row.int("id")?),
        article: ArticleId(row.int("article_id")?),
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
            row: Author::Local(ActorId(row.int("actor_id")?)),
            id: urls.actor(uuid::Uuid::parse_str(&uuid).map_err(decode_error)?),
            name: Person::name(&row.text("a_name")?, handle.as_str()),
            handle: format!("@{}", urls.acct(&handle)),
            url: urls.profile(&handle),
            avatar: icon.map(|icon| icon.url),
            emoji: Vec::new(),
            ours: true,
        });
    }
    let id = row.text("r_url")?;
    let host = Host::named_in(&id).map(|host| host.to_string()).unwrap_or_default();
    let username = row.text("username")?;
    let username = html::username(&username).unwrap_or(html::UNNAMED);
    Ok(Person {
        row: Author::Remote(RemoteActorId(row.int("remote_actor_id")?)),
        name: Person::name(&row.text("r_name")?, username),
        handle: format!("@{username}@{host}"),
        url: row.text("profile_url")?,
        avatar: row.maybe_text("avatar_url")?,
        emoji: row.maybe_json("emoji")?.unwrap_or_default(),
        ours: false,
        id,
    })
}

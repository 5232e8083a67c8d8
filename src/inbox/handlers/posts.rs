//! Posts in our conversations: replies at any depth, quotes, private messages; created, edited, deleted (interop E3 to
//! E10).

use std::time::Duration;

use clock::Timestamp;

use super::super::{FETCHED, FetchJob, Inbound, Purpose, Verdict, store};
use super::origin::{self, By};
use super::place::{ThreadPosition, climb, place_of, quoted};
use super::reading::Brought;
use super::{actors, mentions, object, restored, undo};
use crate::activitypub::incoming::{Audience, Incoming, Malformed, same_origin};
use crate::app::App;
use crate::base::ids::{Ids, InteractionId};
use crate::db::Conn;
use crate::federation::remote::Remote;
use crate::model::interaction::store::NewPost;
use crate::model::interaction::{self, Author, CleanPost, Kind, State, Words};
use crate::model::post::{self, Article};
use crate::moderation::{self, Judgment, review};

/// Longest type that is shown, in characters.
const KIND_MAX: usize = 64;

/// How long a thread may grow before its server is asked for what we miss (interop B18).
const GROWS_FOR: Duration = Duration::from_mins(5);

/// Create or Update of a post. They are one: an Update may overtake its Create, and carries the whole post (D7, E9).
pub(super) async fn written(
    app: &App,
    conn: &mut Conn,
    inbound: &Inbound,
    incoming: &Incoming,
    brought: Brought,
) -> sqlx::Result<Verdict> {
    let Some(thing) = &incoming.object else {
        return Ok(Verdict::declined("it brings nothing that has an id"));
    };
    if thing.id.as_deref() == Some(inbound.actor.as_str()) {
        return actors::updated(app, conn, inbound, incoming).await;
    }
    let Brought::Post(post) = brought else {
        let Some(id) = thing.id.as_deref() else { return Ok(Verdict::declined("it brings nothing that has an id")) };
        if !same_origin(id, &inbound.actor) {
            return Ok(Verdict::declined("the post lives on another server than its author"));
        }
        let changed = incoming.kind == crate::activitypub::incoming::Kind::Update;
        return origin::read(app, conn, inbound, id, changed).await;
    };
    match (post, thing.kind.as_deref()) {
        (Ok(post), _) => told(app, conn, inbound, *post).await,
        (Err(Malformed::Property("object.type")), Some(kind)) => {
            let kind: String = kind.chars().take(KIND_MAX).collect();
            Ok(Verdict::declined(format!("a {kind} is no post")))
        }
        (Err(why), _) => Ok(Verdict::declined(why.to_string())),
    }
}

/// A post that its author signed, or that was fetched at its origin.
pub(super) async fn told(app: &App, conn: &mut Conn, inbound: &Inbound, post: CleanPost) -> sqlx::Result<Verdict> {
    if post.author != inbound.actor {
        // T14: nobody sends a post in another's name.
        return Ok(Verdict::declined("the post is not of the one who sends it"));
    }
    if !same_origin(&post.id, &inbound.actor) {
        // T13, CVE-2024-23832.
        return Ok(Verdict::declined("the post lives on another server than its author"));
    }
    if post.is_vote {
        return Ok(Verdict::ignored("a vote in a poll"));
    }
    let Some(remote) = inbound.author.clone() else {
        return Ok(Verdict::declined("its author is gone"));
    };
    if let Some(known) = interaction::store::post(conn, &post.id).await? {
        return edited(app, conn, inbound, &remote, &known, post).await;
    }
    if store::is_deleted(conn, &inbound.actor, &post.id).await? {
        return deleted_before(app, conn, inbound, &remote, post).await;
    }
    match place_of(app, conn, &post).await? {
        ThreadPosition::In(article, _) if post.audience == Audience::Private => {
            private(app, conn, inbound, &remote, &article, post).await
        }
        ThreadPosition::In(article, parent) => {
            keep(app, conn, inbound, &remote, (&article, parent, Kind::Reply), post).await
        }
        ThreadPosition::Unknown(parent) if post.audience != Audience::Private => {
            match quoted(app, conn, &post).await? {
                // Its thread may be anywhere, but it quotes an article of ours.
                Some(article) if article.stands(app.clock.now()) => {
                    keep(app, conn, inbound, &remote, (&article, None, Kind::Quote), post).await
                }
                _ => {
                    let verdict = climb(conn, inbound, &post, parent).await?;
                    mentions::or(app, conn, inbound, &remote, &post, verdict).await
                }
            }
        }
        ThreadPosition::Unknown(_) | ThreadPosition::Nowhere(_) if post.audience == Audience::Private => {
            Ok(Verdict::private())
        }
        ThreadPosition::Unknown(_) => Ok(Verdict::declined("it answers nothing of ours")),
        ThreadPosition::Nowhere(why) => match quoted(app, conn, &post).await? {
            Some(article) if article.stands(app.clock.now()) => {
                keep(app, conn, inbound, &remote, (&article, None, Kind::Quote), post).await
            }
            _ => mentions::or(app, conn, inbound, &remote, &post, Verdict::declined(why)).await,
        },
    }
}

/// A post whose Delete came first: its place is kept, without its text, for those who answered it meanwhile (D7).
async fn deleted_before(
    app: &App,
    conn: &mut Conn,
    inbound: &Inbound,
    remote: &Remote,
    post: CleanPost,
) -> sqlx::Result<Verdict> {
    if post.audience == Audience::Private {
        return Ok(Verdict::ignored("it was deleted before"));
    }
    match place_of(app, conn, &post).await? {
        ThreadPosition::In(article, parent) => {
            // Judged as if it stood: else who deletes their first post at once would count as approved.
            let held = match judged(app, conn, &article, remote, &post).await? {
                Ok(held) => held,
                Err(declined) => return Ok(declined),
            };
            let id = post.id.clone();
            insert(app, conn, inbound, remote, (&article, parent, Kind::Reply), post, held.as_deref()).await?;
            if let Some(kept) = interaction::store::post(conn, &id).await? {
                interaction::store::end_post(conn, kept.id, app.clock.now()).await?;
            }
            // Whether its Delete overtook it, or its author restored it, its origin knows.
            if inbound.path != FETCHED
                && let Some(kept) = interaction::store::post(conn, &id).await?
                && let Some(ended) = kept.ended_at
                && let Some(verdict) = restored::not_yet(conn, inbound, &kept, ended).await?
            {
                return Ok(verdict.step("it was deleted before; its place is kept for its answers").bringing(&id));
            }
            Ok(Verdict::ignored("it was deleted before; its place is kept for its answers").bringing(&id))
        }
        ThreadPosition::Unknown(parent) => climb(conn, inbound, &post, parent).await,
        ThreadPosition::Nowhere(_) => Ok(Verdict::ignored("it was deleted before")),
    }
}

/// Why a post is held, if it is; a verdict where it is declined.
async fn judged(
    app: &App,
    conn: &mut Conn,
    article: &Article,
    remote: &Remote,
    post: &CleanPost,
) -> sqlx::Result<Result<Option<String>, Verdict>> {
    Ok(match moderation::judge(app, conn, article, remote, post).await? {
        Judgment::Show => Ok(None),
        Judgment::Hold(why) => Ok(Some(why)),
        Judgment::Decline(why) => Err(Verdict::declined(why)),
    })
}

async fn keep(
    app: &App,
    conn: &mut Conn,
    inbound: &Inbound,
    remote: &Remote,
    (article, parent, kind): (&Article, Option<InteractionId>, Kind),
    post: CleanPost,
) -> sqlx::Result<Verdict> {
    let held = match judged(app, conn, article, remote, &post).await? {
        Ok(held) => held,
        Err(declined) => return Ok(declined),
    };
    // Nothing more is fetched for a held post: a stranger's first post makes us fetch nothing.
    let fetches = if held.is_none() { more_of_the_thread(app, &post, article) } else { Vec::new() };
    let id = post.id.clone();
    insert(app, conn, inbound, remote, (article, parent, kind), post, held.as_deref()).await?;
    let what = match (kind, parent) {
        (Kind::Quote, _) => "a quote of",
        (_, Some(_)) => "a reply to a reply to",
        _ => "a reply to",
    };
    let verdict = Verdict::accepted(format!("{what} “{}”", article.content.title))
        .with_fetches(fetches)
        .bringing(&id)
        .reaching(article.id, remote.nearest_inbox());
    Ok(match held {
        Some(why) => verdict.step(format!("held for a moderator: {why}")),
        None => verdict,
    })
}

async fn insert(
    app: &App,
    conn: &mut Conn,
    inbound: &Inbound,
    remote: &Remote,
    (article, parent, kind): (&Article, Option<InteractionId>, Kind),
    post: CleanPost,
    held: Option<&str>,
) -> sqlx::Result<()> {
    let now = app.clock.now();
    let (object_id, updated) = (post.id.clone(), post.updated);
    let published = post.published.filter(|published| *published <= now).unwrap_or(inbound.received_at);
    let quotes = kind != Kind::Notice && quoted(app, conn, &post).await?.is_some_and(|quoted| quoted.id == article.id);
    let words = Words::of(post);
    let new = NewPost {
        id: InteractionId(app.ids.row()),
        article: article.id,
        author: Author::Remote(remote.id),
        kind,
        activity_id: &inbound.activity_id,
        object_id: &object_id,
        // Whoever may show the article is given a permission with a name of its own (FEP-044f).
        uuid: quotes.then(Ids::uuid),
        parent,
        words: &words,
        published,
        updated,
        held,
    };
    interaction::store::insert_post(conn, &new, now).await
}

/// Where the server of a post lists the rest of its thread: on its own origin alone, later, and for as long as there is
/// room for this conversation.
fn more_of_the_thread(app: &App, post: &CleanPost, article: &Article) -> Vec<FetchJob> {
    let places = [post.replies.as_deref(), post.context.as_deref()];
    let foreign = |url: &&str| same_origin(url, &post.id) && !app.urls.is_ours(url);
    let job =
        |url: &str| FetchJob { article: Some(article.id), after: GROWS_FOR, ..FetchJob::now(url, Purpose::Collection) };
    places.into_iter().flatten().filter(foreign).map(job).collect()
}

/// The same for a post that was fetched once more, since a moderator approved it.
async fn thread_of_known(
    app: &App,
    conn: &mut Conn,
    inbound: &Inbound,
    known: &interaction::Reply,
    post: &CleanPost,
) -> sqlx::Result<Vec<FetchJob>> {
    if inbound.path != FETCHED || known.state != State::Shown || known.kind == Kind::Notice {
        return Ok(Vec::new());
    }
    let article = post::store::article(conn, known.article).await?;
    Ok(article.map(|article| more_of_the_thread(app, post, &article)).unwrap_or_default())
}

/// A private message to an author: kept for them if the operator wants that, and never shown (interop E6).
async fn private(
    app: &App,
    conn: &mut Conn,
    inbound: &Inbound,
    remote: &Remote,
    article: &Article,
    post: CleanPost,
) -> sqlx::Result<Verdict> {
    if !moderation::keeps_private(app) {
        return Ok(Verdict::private());
    }
    if let Judgment::Decline(why) = moderation::judge(app, conn, article, remote, &post).await? {
        return Ok(Verdict::declined(why));
    }
    let id = post.id.clone();
    insert(app, conn, inbound, remote, (article, None, Kind::Notice), post, None).await?;
    let verdict = Verdict::accepted(format!("a private word on “{}”, for its author alone", article.content.title));
    Ok(verdict.bringing(&id))
}

/// A known post: a newer text replaces the older one, its author stays, and so does who may read it (E5, E9).
async fn edited(
    app: &App,
    conn: &mut Conn,
    inbound: &Inbound,
    remote: &Remote,
    known: &interaction::Reply,
    post: CleanPost,
) -> sqlx::Result<Verdict> {
    let now = app.clock.now();
    if known.author != Author::Remote(remote.id) {
        return Ok(Verdict::declined("the reply is somebody else's"));
    }
    if (post.audience == Audience::Private) != (known.kind == Kind::Notice) {
        return Ok(Verdict::declined("who may read a post does not change with an edit"));
    }
    if let Some(ended) = known.ended_at
        && let Some(verdict) = restored::not_yet(conn, inbound, known, ended).await?
    {
        return Ok(verdict);
    }
    // What says that it is of the future would keep every later edit out.
    let as_of = post.updated.or(post.published).unwrap_or(Timestamp::from_millis(0)).min(now);
    let judgment = match post::store::article(conn, known.article).await? {
        Some(article) => moderation::judge(app, conn, &article, remote, &post).await?,
        None => Judgment::Show,
    };
    if let Judgment::Decline(why) = judgment {
        return Ok(Verdict::declined(why));
    }
    let restored = match known.ended_at {
        Some(_) => restored::reopened(conn, inbound, known).await?,
        None => None,
    };
    let known = restored.as_ref().unwrap_or(known);
    let fetches = thread_of_known(app, conn, inbound, known, &post).await?;
    let mut words = Words::of(post);
    // What was unlisted stays so: its author did not want it in timelines.
    if let Some(before) = interaction::store::words(conn, known.id).await?
        && before.audience == Audience::Unlisted
    {
        words.audience = Audience::Unlisted;
    }
    if !interaction::store::edit_post(conn, known, &words, as_of).await? {
        return Ok(Verdict::ignored("the reply is known in these words or newer ones").with_fetches(fetches));
    }
    let verdict = Verdict::accepted("the reply has new words").with_fetches(fetches);
    // A restored post was judged with its first text; the same text again approves nothing.
    if let Judgment::Hold(why) = judgment
        && (known.state == State::Shown || !known.has_words)
    {
        review::revoke(app, conn, known).await?;
        interaction::store::decide(conn, known.id, State::Held, Some(&why), app.clock.now()).await?;
        return Ok(verdict.step(format!("held for a moderator: {why}")));
    }
    Ok(verdict)
}

/// Delete of a post by its author; of an unknown one it is remembered, in case the post comes late (D7, E10, T8). By
/// anybody else, such as a moderator of its server, it counts when its origin confirms it.
pub(super) async fn deleted(
    app: &App,
    conn: &mut Conn,
    inbound: &Inbound,
    incoming: &Incoming,
) -> sqlx::Result<Verdict> {
    let Some(id) = object(incoming) else {
        return Ok(Verdict::declined("it deletes nothing that has an id"));
    };
    let Some(known) = interaction::store::post(conn, id).await? else {
        if let Some(verdict) = undo::deleted(app, conn, inbound, id).await? {
            return Ok(verdict);
        }
        return Ok(Verdict::ignored("nothing of that id is known; remembered, should it come late"));
    };
    let author = inbound.author.clone();
    if author.is_none_or(|author| Author::Remote(author.id) != known.author) {
        return origin::ended(app, conn, inbound, id, By::Another).await;
    }
    interaction::store::end_post(conn, known.id, app.clock.now()).await?;
    Ok(Verdict::accepted(format!("the {} is gone", known.kind.as_str())))
}

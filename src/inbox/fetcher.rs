//! The fetcher loop: reads documents at their origin, one of a host at a time, and keeps them as if they had been sent;
//! so a thread that reaches us only in part is completed (interop E7, E24, B18, B20).

use std::sync::Arc;
use std::time::Duration;

use clock::Timestamp;
use serde_json::Value;

use super::store::fetch_queue::{self, Asker, DueFetch};
use super::store::{self, Arrival};
use super::{FETCHED, FetchJob, Purpose};
use crate::activitypub::Urls;
use crate::activitypub::incoming::{self, same_origin};
use crate::app::App;
use crate::app::worker::lease::Leased;
use crate::app::worker::retry;
use crate::base::ids::{Host, Ids};
use crate::db::{Conn, Queue};
use crate::federation::remote;
use crate::federation::remote::actors;
use crate::federation::remote::fetch::{self, FetchError, Fetched};
use crate::model::interaction;
use crate::moderation::{block_check, compiled};

/// Attempts after which a document that cannot be fetched is given up: about two and a half days.
const ATTEMPTS: i64 = 14;

/// The wait after the first failure; it doubles.
const FIRST_WAIT: Duration = Duration::from_mins(1);

/// Pages of one collection that are read.
const PAGES: i64 = 20;

/// The time between two posts of one collection, so as not to burden its server (interop D13).
const BETWEEN: Duration = Duration::from_secs(2);

/// Steps up or down a thread from what was sent to us (interop E7).
pub(super) const DEEPEST: i64 = 20;

/// Seeks.
pub struct Fetcher;

impl Leased for Fetcher {
    type Claim = DueFetch;
    type Due = ();
    const NAME: &'static str = "fetcher";
    const WIDTH: usize = 16;
    const QUEUE: Option<Queue> = Some(Queue::Fetches);

    async fn look(app: &App, conn: &mut Conn, _: i64, now: Timestamp) -> sqlx::Result<Option<()>> {
        Ok((!app.is_full() && fetch_queue::any_due(conn, now).await?).then_some(()))
    }

    async fn take(app: &App, conn: &mut Conn, (): (), limit: i64, now: Timestamp) -> sqlx::Result<Vec<DueFetch>> {
        fetch_queue::claim(conn, &app.db, &app.config.server.node, limit, now).await
    }

    async fn work(&self, app: &App, due: DueFetch) -> anyhow::Result<()> {
        match read(app, &due).await {
            Ok(found) => settle(app, due, found).await,
            Err(FetchError::Gone) => end(app, due, "gone", "its server says that it is gone".to_owned()).await,
            Err(FetchError::Absent(why)) => end(app, due, "absent", why).await,
            Err(FetchError::Unavailable { host, why }) => rest(app, due, host, why).await,
            Err(FetchError::Temporary(why) | FetchError::Internal(why)) if due.attempts < ATTEMPTS => {
                put_off(app, due, why).await
            }
            Err(FetchError::Refused(why) | FetchError::Temporary(why) | FetchError::Internal(why)) => {
                end(app, due, "failed", why).await
            }
        }
    }

    fn begun(due: &DueFetch) -> Option<i64> {
        Some(due.begun)
    }

    fn wait(app: &App, due: &DueFetch) -> Duration {
        retry::wait(FIRST_WAIT, due.begun, app.ids.jitter_seed())
    }

    async fn retry(conn: &mut Conn, due: &DueFetch, at: Timestamp, why: &str, _: Timestamp) -> sqlx::Result<()> {
        fetch_queue::put_off(conn, due, at, why).await
    }

    async fn give_up(_: &App, conn: &mut Conn, due: &DueFetch, why: &str, now: Timestamp) -> sqlx::Result<()> {
        tracing::error!(url = due.url, why, "a document was given up");
        give_up(conn, due, "failed", why, now).await
    }
}

/// What a fetched document turned out to be.
#[derive(Clone)]
enum FetchedDocument {
    /// A post, or an activity, of a known actor: for the inbox to interpret.
    Said(Box<Arrival>),
    /// A page of a post that has another id, on the same server: fetched next.
    PageOf(String),
    /// It is still there, although somebody said that it was gone.
    Stands,
    /// An actor, kept.
    Actor,
    /// A page of a collection.
    Listed(incoming::RemoteCollection),
}

async fn read(app: &App, due: &DueFetch) -> Result<FetchedDocument, FetchError> {
    reject_blocked(app, &due.url).await?;
    if due.purpose == Purpose::Actor {
        return actors::read(app, &due.url).await.map(|_| FetchedDocument::Actor);
    }
    let found = fetch::document(app, &due.url).await?;
    match due.purpose {
        Purpose::Collection => incoming::parse_collection(&found.document)
            .filter(|_| found.speaks_for(&due.url))
            .map(FetchedDocument::Listed)
            .ok_or_else(|| FetchError::Refused(format!("{} is no collection", found.at))),
        _ if is_tombstone(&found.document) => Err(FetchError::Gone),
        Purpose::End => Ok(FetchedDocument::Stands),
        Purpose::Actor | Purpose::Post => said(app, due, &found).await,
    }
}

/// Nothing is read from a blocked server (interop E25).
async fn reject_blocked(app: &App, url: &str) -> Result<(), FetchError> {
    let blocks = compiled::recent(app).await.map_err(|error| FetchError::Internal(error.to_string()))?;
    let blocked = block_check::blocked_address(&blocks, url).or_else(|| block_check::blocked_actor(&blocks, url));
    blocked.map_or(Ok(()), |block| Err(FetchError::Refused(block.why())))
}

fn is_tombstone(document: &Value) -> bool {
    document.get("type").and_then(Value::as_str) == Some("Tombstone")
}

/// A document is believed from the origin that its id names, of an author of that origin (interop E3, E4).
async fn said(app: &App, due: &DueFetch, found: &Fetched) -> Result<FetchedDocument, FetchError> {
    let Fetched { at, document, .. } = found;
    let id = document.get("id").and_then(Value::as_str).unwrap_or_default();
    // An address that people copy, named in place of the id (interop U11).
    if id != due.url
        && due.depth < DEEPEST
        && [at.as_str(), &due.url].iter().all(|place| same_origin(place, id))
        && incoming::parse_post(document).is_ok()
    {
        return Ok(FetchedDocument::PageOf(id.to_owned()));
    }
    if id != due.url || !found.speaks_for(id) {
        return Err(FetchError::Refused(format!("what is served at {at} says it is `{id}`")));
    }
    let raw = document.to_string();
    let arrival = match incoming::parse_post(document) {
        Ok(post) => Arrival {
            activity_id: id.to_owned(),
            signer: post.author.clone(),
            actor: post.author,
            kind: document.get("type").and_then(Value::as_str).unwrap_or("post").chars().take(64).collect(),
            object_id: Some(post.id),
            raw,
            path: FETCHED.to_owned(),
            proof: None,
            made: None,
            sign: None,
            again: false,
        },
        Err(no_post) => match incoming::activity(document.clone()) {
            Ok(activity) => {
                let signer = activity.actor.clone();
                Arrival::of(activity, signer, raw, FETCHED.to_owned())
            }
            Err(_) => return Err(FetchError::Refused(format!("{at} is no post: {no_post}"))),
        },
    };
    if !same_origin(&arrival.actor, id) {
        return Err(FetchError::Refused(format!("{id} is not of its author's server")));
    }
    // Its author is shown with a name and a picture, and gets what becomes of the article.
    actors::known(app, &arrival.actor).await?;
    Ok(FetchedDocument::Said(Box::new(arrival)))
}

async fn settle(app: &App, due: DueFetch, found: FetchedDocument) -> anyhow::Result<()> {
    let (ids, now) = (app.ids.clone(), app.clock.now());
    let urls = app.urls.clone();
    let settled = app.db.write(move |conn| {
        Box::pin(async move {
            let reason = match &found {
                FetchedDocument::Said(_) => "read at its origin",
                FetchedDocument::PageOf(id) => &format!("it is a page of {id}"),
                FetchedDocument::Stands => "it stands at its origin",
                FetchedDocument::Actor => "read",
                FetchedDocument::Listed(listed) => &format!("read: {} posts", listed.items.len()),
            };
            if !fetch_queue::settle(conn, &due, "read", reason, now).await? {
                return Ok(());
            }
            match found {
                FetchedDocument::Said(arrival) => store::keep_fetched(conn, &ids, &arrival, now).await,
                FetchedDocument::PageOf(id) => read_instead(conn, &ids, &due, id, now).await,
                FetchedDocument::Stands => store::wake_waiting(conn, &due.url, due.purpose, now).await,
                FetchedDocument::Actor => {
                    // Whatever shows their name and picture is rendered anew.
                    if let Some(actor) = remote::store::by_url(conn, &due.url).await? {
                        interaction::store::changed_with(conn, actor.id).await?;
                    }
                    store::wake_waiting(conn, &due.url, due.purpose, now).await
                }
                FetchedDocument::Listed(listed) => {
                    for job in missing(conn, &due, listed, &urls, now).await? {
                        fetch_queue::ask(conn, &ids, &job, asker(&due), now).await?;
                    }
                    Ok(())
                }
            }
        })
    });
    settled.await?;
    Ok(())
}

/// Fetches a post at its own id, for whoever waits for the page that led there. It counts as one step more, so that no
/// chain of pages is endless.
async fn read_instead(conn: &mut Conn, ids: &Ids, page: &DueFetch, id: String, now: Timestamp) -> sqlx::Result<()> {
    store::wait_instead(conn, &page.url, &id).await?;
    let job = FetchJob { article: page.article, depth: page.depth + 1, ..FetchJob::now(id, Purpose::Post) };
    if !fetch_queue::ask(conn, ids, &job, asker(page), now).await? {
        store::fail_waiting(conn, &job.url, job.purpose, fetch_queue::ENOUGH, now).await?;
    }
    Ok(())
}

/// What a document leads to is fetched on behalf of whoever asked for the document.
fn asker(due: &DueFetch) -> Asker<'_> {
    Asker { inbound: None, domain: &due.asked_by }
}

/// What a page lists that is neither ours, nor known, nor queued already; and the next page.
async fn missing(
    conn: &mut Conn,
    due: &DueFetch,
    listed: incoming::RemoteCollection,
    urls: &Urls,
    now: Timestamp,
) -> sqlx::Result<Vec<FetchJob>> {
    let mut fetches = Vec::new();
    let mut after = Duration::ZERO;
    for url in listed.items {
        if urls.is_ours(&url)
            || interaction::store::post(conn, &url).await?.is_some()
            || fetch_queue::was_asked(conn, &url, now).await?
        {
            continue;
        }
        fetches.push(FetchJob { url, purpose: Purpose::Post, article: due.article, depth: 1, after });
        after += BETWEEN;
    }
    if let Some(url) = listed.next.filter(|next| same_origin(next, &due.url) && due.depth < PAGES) {
        let depth = due.depth + 1;
        fetches.push(FetchJob { url, purpose: Purpose::Collection, article: due.article, depth, after });
    }
    Ok(fetches)
}

async fn end(app: &App, due: DueFetch, outcome: &'static str, why: String) -> anyhow::Result<()> {
    let now = app.clock.now();
    app.db.write(move |conn| Box::pin(async move { give_up(conn, &due, outcome, &why, now).await })).await?;
    Ok(())
}

async fn give_up(conn: &mut Conn, due: &DueFetch, outcome: &str, why: &str, now: Timestamp) -> sqlx::Result<()> {
    if !fetch_queue::settle(conn, due, outcome, why, now).await? {
        return Ok(());
    }
    // Whoever asked whether it is gone has an answer; whoever needed its words has none.
    if due.purpose == Purpose::End {
        store::wake_waiting(conn, &due.url, due.purpose, now).await
    } else {
        store::fail_waiting(conn, &due.url, due.purpose, why, now).await
    }
}

/// A server that cannot be reached, or answers that it is overloaded, costs one attempt, however many documents wait
/// for it: the others wait with the one that was tried, and are given up with it.
async fn rest(app: &App, due: DueFetch, host: Host, why: String) -> anyhow::Result<()> {
    let (now, tries) = (app.clock.now(), due.attempts);
    let again = now + retry::wait(FIRST_WAIT, tries, app.ids.jitter_seed());
    let settled = app.db.write(move |conn| {
        Box::pin(async move {
            if tries < ATTEMPTS {
                fetch_queue::retry(conn, &due, again, &why, now).await?;
                return fetch_queue::rest(conn, &host, tries, again, &why).await;
            }
            give_up(conn, &due, "failed", &why, now).await?;
            for other in fetch_queue::resting(conn, &host, tries - 1).await? {
                give_up(conn, &other, "failed", &why, now).await?;
            }
            Ok(())
        })
    });
    settled.await?;
    Ok(())
}

async fn put_off(app: &App, due: DueFetch, why: String) -> anyhow::Result<()> {
    let now = app.clock.now();
    let at = now + retry::wait(FIRST_WAIT, due.attempts, app.ids.jitter_seed());
    app.db.write(move |conn| Box::pin(async move { fetch_queue::retry(conn, &due, at, &why, now).await })).await?;
    Ok(())
}

/// The loop, ready to run.
#[must_use]
pub fn worker() -> Arc<Fetcher> {
    Arc::new(Fetcher)
}
